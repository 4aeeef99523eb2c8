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

// currentAttributes returns the search attributes that an operator sees. The Temporal server
// accepts a start in which an attribute with a single value has a list of one value. The SDK panics
// on such a list. An attribute that cannot be read is left out, so the run sets the attribute
// again.
func currentAttributes(ctx workflow.Context) (shown temporal.SearchAttributes) {
	defer func() {
		if recover() != nil {
			shown = readableAttributes(rawAttributes(workflow.GetInfo(ctx)))
		}
	}()
	return workflow.GetTypedSearchAttributes(ctx)
}

// rawAttributes returns all search attributes without conversion, even attributes that cannot be
// read.
func rawAttributes(info *workflow.Info) *commonpb.SearchAttributes {
	return info.SearchAttributes //nolint:staticcheck // what the SDK reads instead panics
}

// unsetStartAttributes unsets the opportunity's own search attributes that a caller set with the
// start. Only the run may set the opportunity's own search attributes.
func unsetStartAttributes(ctx workflow.Context) error {
	info := workflow.GetInfo(ctx)
	if info.ContinuedExecutionRunID != "" {
		return nil
	}
	var brought []temporal.SearchAttributeUpdate
	for _, key := range lifecycle.Attributes() {
		if _, set := rawAttributes(info).GetIndexedFields()[key.GetName()]; !set {
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
	if len(brought) == 0 || workflow.GetVersion(ctx, changeUnsetStartAttributes, workflow.DefaultVersion, 1) == workflow.DefaultVersion {
		return nil
	}
	return workflow.UpsertTypedSearchAttributes(ctx, brought...)
}

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
