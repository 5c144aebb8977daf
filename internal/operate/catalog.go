package operate

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"hydrant/internal/aws"
	"hydrant/internal/schema"
)

// Errors of Catalog beside those of Client.
var (
	// ErrNoCatalog: the node has no catalogue of its own.
	ErrNoCatalog = errors.New("the node uses a Glue Data Catalog elsewhere")
	// ErrNoDatabase: no database has the name.
	ErrNoDatabase = errors.New("no such database")
	// ErrNoTable: no table of the database has the name.
	ErrNoTable = errors.New("no such table")
	// ErrTableExists: the database has a table of the name.
	ErrTableExists = errors.New("the table exists already")
)

// Catalog asks the Glue Data Catalog of a node. It may be used from many goroutines.
type Catalog struct{ client *Client }

// NewCatalog returns a client of one node's catalogue.
func NewCatalog(o ClientOptions) *Catalog {
	c := NewClient(o)
	c.remote.Service, c.remote.Target = "glue", "AWSGlue"
	return &Catalog{c}
}

// Codes of Glue.
const (
	entityNotFound = "EntityNotFoundException"
	alreadyExists  = "AlreadyExistsException"
	badScope       = "InvalidSignatureException" // of a node without the service
)

// call does an operation; missing is what it means that something is not there.
func (c *Catalog) call(ctx context.Context, operation string, missing error, in, out any) error {
	err := c.client.call(ctx, operation, in, out)
	var told *aws.RemoteError
	if !errors.As(err, &told) || told.Message == "" {
		return err
	}
	switch {
	case told.Code == entityNotFound:
		return &refusal{missing, told.Message}
	case told.Code == alreadyExists:
		return &refusal{ErrTableExists, told.Message}
	case told.Code == badScope && strings.Contains(told.Message, "scoped to a service"):
		return ErrNoCatalog
	}
	return fmt.Errorf("%s: %w", operation, &refusal{told, told.Message})
}

// pageOf is the request for a page of a list.
type pageOf struct {
	DatabaseName string `json:",omitempty"`
	NextToken    string `json:",omitempty"`
}

// Databases returns the names of all databases, sorted.
func (c *Catalog) Databases(ctx context.Context) (names []string, err error) {
	for in := (pageOf{}); ; {
		var page struct {
			DatabaseList []struct{ Name string }
			NextToken    string
		}
		if err := c.call(ctx, "GetDatabases", ErrNoDatabase, in, &page); err != nil {
			return nil, err
		}
		for _, d := range page.DatabaseList {
			names = append(names, d.Name)
		}
		if in.NextToken = page.NextToken; in.NextToken == "" {
			return names, nil
		}
	}
}

// TableEntry is a table as lists show it.
type TableEntry struct {
	Database string `json:"database"`
	Name     string `json:"name"`
	Version  string `json:"version"`
	Columns  int    `json:"columns"`
	Format   string `json:"format,omitempty"`
	Location string `json:"location,omitempty"`
}

// listed is a table as Glue tells it, as far as lists need it.
type listed struct {
	schema.Table
	VersionID string `json:"VersionId"`
}

// Tables lists the tables of a database, by name. ErrNoDatabase: there is none.
func (c *Catalog) Tables(ctx context.Context, database string) (all []TableEntry, err error) {
	for in := (pageOf{DatabaseName: database}); ; {
		var page struct {
			TableList []listed
			NextToken string
		}
		if err := c.call(ctx, "GetTables", ErrNoDatabase, in, &page); err != nil {
			return nil, err
		}
		for _, t := range page.TableList {
			all = append(all, TableEntry{
				Database: database, Name: t.Name, Version: t.VersionID, Columns: len(t.Storage.Columns),
				Format: t.Parameters["classification"], Location: t.Storage.Location,
			})
		}
		if in.NextToken = page.NextToken; in.NextToken == "" {
			return all, nil
		}
	}
}

// KnownTable is a table of the catalogue.
type KnownTable struct {
	schema.Table
	Database string
	Version  string
	Text     jsontext.Value // as Glue tells it
}

// Table returns a table. ErrNoDatabase, ErrNoTable: there is none.
func (c *Catalog) Table(ctx context.Context, database, name string) (*KnownTable, error) {
	if err := c.hasDatabase(ctx, database); err != nil {
		return nil, err
	}
	var out struct{ Table jsontext.Value }
	err := c.call(ctx, "GetTable", ErrNoTable, struct{ DatabaseName, Name string }{database, name}, &out)
	if err != nil {
		return nil, err
	}
	var t struct {
		listed
		DatabaseName string
	}
	if err := json.Unmarshal(out.Table, &t); err != nil {
		return nil, fmt.Errorf("GetTable: %w: %w", aws.ErrBadAnswer, err)
	}
	return &KnownTable{Table: t.Table, Database: t.DatabaseName, Version: t.VersionID, Text: out.Table}, nil
}

func (c *Catalog) hasDatabase(ctx context.Context, name string) error {
	return c.call(ctx, "GetDatabase", ErrNoDatabase, struct{ Name string }{name}, nil)
}

// CreateDatabase makes a database, unless it is there.
func (c *Catalog) CreateDatabase(ctx context.Context, name string) error {
	in := struct{ DatabaseInput struct{ Name string } }{struct{ Name string }{name}}
	err := c.call(ctx, "CreateDatabase", ErrNoDatabase, in, nil)
	if errors.Is(err, ErrTableExists) { // which is what the code means for tables
		return nil
	}
	return err
}

// Outcome is what became of a definition.
type Outcome string

// The outcomes.
const (
	Created  Outcome = "created"
	Replaced Outcome = "replaced"
	Left     Outcome = "left as it is"
)

// Create makes the table of a definition in its database. A table that is there is replaced
// if that is wanted, or left as it is if the definition says so; else it is ErrTableExists.
func (c *Catalog) Create(ctx context.Context, d *Definition, replace bool) (Outcome, error) {
	in := struct {
		DatabaseName string
		TableInput   map[string]jsontext.Value
	}{d.Database, d.input}
	err := c.call(ctx, "CreateTable", ErrNoDatabase, in, nil)
	switch {
	case !errors.Is(err, ErrTableExists):
		return Created, err
	case replace:
		return Replaced, c.call(ctx, "UpdateTable", ErrNoTable, in, nil)
	case d.IfNotExists:
		return Left, nil
	}
	return "", err
}
