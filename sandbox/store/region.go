package store

import (
	"context"

	"github.com/oppflow/oppflow/sandbox/connection"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

// Region is a sales region. The key of a region consists of letters.
type Region struct {
	ID   string
	Name string
}

// GlobalID returns the API's id of the region.
func (r Region) GlobalID() string { return globalid.Encode(globalid.Region, r.ID) }

// RegionPage is a page of regions.
type RegionPage = connection.Page[Region]

// RegionEdge is a region with its cursor.
type RegionEdge = connection.Edge[Region]

var regions = listing[Region]{
	from:    "regions r",
	columns: "r.id, r.name",
	key:     "r.id",
	fields: map[string]column{
		"id":   textKeyColumn("r.id", globalid.Region),
		"name": {sql: "r.name"},
	},
	scan: func(row scanner) (Region, error) {
		var r Region
		err := row.Scan(&r.ID, &r.Name)
		return r, err
	},
}

// Regions searches the regions.
func (s *Store) Regions(ctx context.Context, q Search) (*RegionPage, error) {
	return regions.page(ctx, s, q)
}
