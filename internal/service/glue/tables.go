package glue

import (
	"context"

	"hydrant/internal/column"
)

// Latest, as a version id, asks for the newest one. So does an empty one.
const Latest = "LATEST"

// Ref names a table as a stream does (spec firehose.md section 6.2). Database and Table are
// required.
type Ref struct {
	RoleARN   string
	CatalogID string // empty: the account's own
	Database  string
	Table     string
	Region    string // empty: the catalogue's own
	Version   string // empty or Latest: the newest
}

// TableVersion is what conversion needs of a version of a table.
type TableVersion struct {
	ID      string   // decimal
	Columns []Column // without the partition keys, in the order of the table
}

// Types reads the types of the columns. Errors wrap those of column.ParseType.
func (v *TableVersion) Types() ([]column.Field, error) {
	fields := make([]column.Field, len(v.Columns))
	for i, c := range v.Columns {
		t, err := column.ParseType(c.Type)
		if err != nil {
			return nil, &ColumnError{Column: c.Name, Err: err}
		}
		fields[i] = column.Field{Name: fold(c.Name), Type: t}
	}
	return fields, nil
}

// ColumnError says which column has a type that cannot be used.
type ColumnError struct {
	Column string
	Err    error // of column.ParseType
}

// Error names the column.
func (e *ColumnError) Error() string { return "column " + clip(e.Column) + ": " + e.Err.Error() }

// Unwrap is what is wrong with its type.
func (e *ColumnError) Unwrap() error { return e.Err }

// Table reads a version of a table. A refusal is an *Error; other errors are the journal's.
// The built-in catalogue asks nobody who may read it for a stream of its own node.
func (s *Service) Table(ctx context.Context, r Ref) (*TableVersion, error) {
	if r.Region != "" && r.Region != s.opt.Region {
		return nil, refuse(NotFound, "This catalogue is of region %s; it knows no tables of %s.", s.opt.Region, clip(r.Region))
	}
	if r.Version == Latest {
		r.Version = ""
	}
	_, _, v, err := s.versionAt(ctx, r.CatalogID, r.Database, r.Table, r.Version)
	if err != nil {
		return nil, err
	}
	return VersionOf(&v.Input, versionID(v.Number)), nil
}

// VersionOf takes what conversion needs out of a definition of a table.
func VersionOf(in *TableInput, id string) *TableVersion {
	v := &TableVersion{ID: id}
	if in.StorageDescriptor != nil {
		v.Columns = in.StorageDescriptor.Columns
	}
	return v
}
