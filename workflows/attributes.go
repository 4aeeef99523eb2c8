package workflows

import (
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/lifecycle"
)

// attributesShown are the search attributes as an operator finds them. A start may
// bring some, and the service takes a list of one for a single value, over which
// the SDK panics. What cannot be read then counts as not shown, so that it is set.
func attributesShown(ctx workflow.Context) (shown temporal.SearchAttributes) {
	defer func() {
		if recover() != nil {
			shown = readableAttributes(asBrought(workflow.GetInfo(ctx)))
		}
	}()
	return workflow.GetTypedSearchAttributes(ctx)
}

// asBrought are the search attributes as they are, readable or not.
func asBrought(info *workflow.Info) *commonpb.SearchAttributes {
	return info.SearchAttributes //nolint:staticcheck // what the SDK reads instead panics
}

// disownAttributes unsets those of the opportunity's own that a start brings: they
// are nobody's to say.
func disownAttributes(ctx workflow.Context) error {
	info := workflow.GetInfo(ctx)
	if info.ContinuedExecutionRunID != "" {
		return nil
	}
	var brought []temporal.SearchAttributeUpdate
	for _, key := range lifecycle.Attributes() {
		if _, set := asBrought(info).GetIndexedFields()[key.GetName()]; !set {
			continue
		}
		switch key := key.(type) {
		case temporal.SearchAttributeKeyKeyword:
			brought = append(brought, key.ValueUnset())
		case temporal.SearchAttributeKeyKeywordList:
			brought = append(brought, key.ValueUnset())
		case temporal.SearchAttributeKeyTime:
			brought = append(brought, key.ValueUnset())
		}
	}
	if len(brought) == 0 || workflow.GetVersion(ctx, changeOwnAttributes, workflow.DefaultVersion, 1) == workflow.DefaultVersion {
		return nil
	}
	return workflow.UpsertTypedSearchAttributes(ctx, brought...)
}

// readableAttributes are those of the opportunity's own that have a value of their type.
func readableAttributes(all *commonpb.SearchAttributes) temporal.SearchAttributes {
	var readable []temporal.SearchAttributeUpdate
	read := func(key temporal.SearchAttributeKey, value any) bool {
		payload := all.GetIndexedFields()[key.GetName()]
		typ, _ := enums.IndexedValueTypeFromString(string(payload.GetMetadata()["type"]))
		return payload.GetData() != nil && typ == key.GetValueType() && converter.GetDefaultDataConverter().FromPayload(payload, value) == nil
	}
	for _, key := range lifecycle.Attributes() {
		switch key := key.(type) {
		case temporal.SearchAttributeKeyKeyword:
			var value string
			if read(key, &value) {
				readable = append(readable, key.ValueSet(value))
			}
		case temporal.SearchAttributeKeyKeywordList:
			var value []string
			if read(key, &value) {
				readable = append(readable, key.ValueSet(value))
			}
		case temporal.SearchAttributeKeyTime:
			var value time.Time
			if read(key, &value) {
				readable = append(readable, key.ValueSet(value))
			}
		}
	}
	return temporal.NewSearchAttributes(readable...)
}
