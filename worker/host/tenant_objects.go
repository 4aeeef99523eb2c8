package host

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/oppflow/oppflow/activities/tms/names"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/playbook"
)

// TenantReader is the part of the API's client that reads the objects that a playbook may name.
type TenantReader interface {
	Lookup(ctx context.Context, w administrate.LookupRequest) (administrate.LookupResult, error)
	SendingAddresses(ctx context.Context, after string) (administrate.SendingAddressPage, error)
	OpportunityFields(ctx context.Context) ([]administrate.CustomField, error)
}

// ReadTenantObjects reads the tenant's steps, regions, sending addresses and attributes, but only
// the lists whose objects have one of the given kinds of names. The result refused contains one
// line for each list that the API refuses to return; the member of tenant for such a list stays
// nil.
func ReadTenantObjects(ctx context.Context, api TenantReader, kinds []playbook.NameKind) (tenant playbook.TenantObjects, refused []string, err error) {
	for _, list := range []struct {
		names string
		kinds []playbook.NameKind
		read  func() error
	}{
		{"steps and stages", []playbook.NameKind{playbook.NamedStep, playbook.NamedStage}, func() (err error) {
			tenant.Steps, err = ReadTenantSteps(ctx, api)
			return err
		}},
		{"regions", []playbook.NameKind{playbook.NamedRegion}, func() (err error) {
			tenant.Regions, err = tenantRegions(ctx, api)
			return err
		}},
		{"sending addresses", []playbook.NameKind{playbook.NamedSendingAddress}, func() (err error) {
			tenant.SendingAddresses, err = tenantSendingAddresses(ctx, api)
			return err
		}},
		{"keys of attributes", []playbook.NameKind{playbook.NamedAttribute}, func() (err error) {
			tenant.Attributes, err = tenantAttributes(ctx, api)
			return err
		}},
	} {
		if !slices.ContainsFunc(list.kinds, func(kind playbook.NameKind) bool { return slices.Contains(kinds, kind) }) {
			continue
		}
		err := list.read()
		switch {
		case errors.As(err, new(*administrate.RefusedError)), errors.As(err, new(*administrate.InvalidError)):
			refused = append(refused, fmt.Sprintf("the %s: %v", list.names, err))
		case err != nil:
			return tenant, refused, err
		}
	}
	return tenant, refused, nil
}

// ReadTenantSteps reads all steps of the tenant.
func ReadTenantSteps(ctx context.Context, api TenantReader) ([]opportunity.Step, error) {
	steps := []opportunity.Step{}
	for wanted := (&administrate.LookupRequest{Steps: &administrate.PageRequest{}}); wanted != nil; {
		found, err := api.Lookup(ctx, *wanted)
		if err != nil {
			return nil, err
		}
		for _, step := range found.Steps {
			steps = append(steps, names.StepOf(step))
		}
		wanted = found.Next
	}
	return steps, nil
}

func tenantRegions(ctx context.Context, api TenantReader) ([]opportunity.Ref, error) {
	regions := []opportunity.Ref{}
	for wanted := (&administrate.LookupRequest{Regions: &administrate.PageRequest{}}); wanted != nil; {
		found, err := api.Lookup(ctx, *wanted)
		if err != nil {
			return nil, err
		}
		for _, region := range found.Regions {
			regions = append(regions, opportunity.Ref{ID: opportunity.ID(region.ID), Name: region.Name})
		}
		wanted = found.Next
	}
	return regions, nil
}

func tenantSendingAddresses(ctx context.Context, api TenantReader) ([]playbook.SendingAddress, error) {
	addresses := []playbook.SendingAddress{}
	for after := ""; ; {
		page, err := api.SendingAddresses(ctx, after)
		if err != nil {
			return nil, err
		}
		for _, address := range page.Addresses {
			addresses = append(addresses, playbook.SendingAddress{ID: opportunity.ID(address.ID), Name: address.Name, Verified: address.Verified})
		}
		if after = page.NextCursor; after == "" {
			return addresses, nil
		}
	}
}

func tenantAttributes(ctx context.Context, api TenantReader) ([]opportunity.Ref, error) {
	fields, err := api.OpportunityFields(ctx)
	if err != nil {
		return nil, err
	}
	attributes := make([]opportunity.Ref, 0, len(fields))
	for _, field := range fields {
		attributes = append(attributes, opportunity.Ref{ID: opportunity.ID(field.Key), Name: field.Label})
	}
	return attributes, nil
}
