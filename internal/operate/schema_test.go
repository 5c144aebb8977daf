package operate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"hydrant/internal/aws"
	"hydrant/internal/journal/pebble"
	"hydrant/internal/schema"
	"hydrant/internal/service/glue"
)

const (
	catalogKey    = "HYDRTESTTESTTESTTEST"
	catalogSecret = "test-secret-of-forty-characters-12345678"
)

// catalogKeys knows one access key, whose owner may do everything.
type catalogKeys struct{}

func (catalogKeys) Lookup(id string) (aws.Key, bool) {
	return aws.Key{Secret: catalogSecret, Owner: "root"}, id == catalogKey
}

func (catalogKeys) Allow(context.Context, aws.Principal, string, string) error { return nil }

// newCatalog is a client of a catalogue in memory; without says that the node has none.
func newCatalog(t *testing.T, without bool) *Catalog {
	t.Helper()
	logger := slog.New(slog.DiscardHandler)
	engine, err := pebble.Open(t.Context(), pebble.Options{Dir: "/journal", FS: vfs.NewMem(), Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() }) // in memory
	service, err := glue.Open(t.Context(), glue.Options{
		Log: engine, Partition: "aws", Region: "us-east-1", Account: "000000000000", Logger: logger, Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	server := aws.NewServer(aws.Options{
		Partition: "aws", Region: "us-east-1", Account: "000000000000", Credentials: catalogKeys{}, Authorizer: catalogKeys{},
		Buffers: aws.NewBuffers(64<<20, time.Minute), Logger: logger, Now: time.Now,
	})
	if !without {
		server.Handle("glue", service.JSON())
	}
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	return NewCatalog(ClientOptions{Endpoint: web.URL, Region: "us-east-1", AccessKeyID: catalogKey, Secret: catalogSecret})
}

// definition reads a definition that must be one.
func definition(t *testing.T, text string) *Definition {
	t.Helper()
	d, err := ReadDefinition([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return d
}

func TestDefinitionsComeInSeveralForms(t *testing.T) {
	for _, c := range []struct{ name, text, database, table string }{
		{"statement", "CREATE TABLE web.clicks (a int)", "web", "clicks"},
		{"statement without a database", "-- x\nCREATE TABLE clicks (a int)", "", "clicks"},
		{"table input", `{"Name":"clicks","StorageDescriptor":{"Columns":[{"Name":"a","Type":"int"}]}}`, "", "clicks"},
		{"input of CreateTable", ` {"DatabaseName":"web","TableInput":{"Name":"clicks"}}`, "web", "clicks"},
		{"answer of GetTable", `{"Table":{"Name":"clicks","DatabaseName":"web","CreateTime":1,"CatalogId":"0","VersionId":"3","IsRegisteredWithLakeFormation":false}}`, "web", "clicks"},
		{"table without a name", `{"Description":"x"}`, "", ""},
	} {
		d := definition(t, c.text)
		if d.Database != c.database || d.Name() != c.table {
			t.Errorf("%s: %q.%q", c.name, d.Database, d.Name())
		}
		for _, member := range toldMembers {
			if _, there := d.input[member]; there {
				t.Errorf("%s: %s would be sent", c.name, member)
			}
		}
	}
	d := definition(t, `{"StorageDescriptor":{"Columns":[{"Name":"a","Type":"int"},{"Name":"b","Type":"strng"}]}}`)
	if d.SetName("x"); d.Name() != "x" || len(d.Unusable) != 1 || !strings.Contains(d.Unusable[0], `"b"`) {
		t.Errorf("%q %q", d.Name(), d.Unusable)
	}
}

func TestWhatIsNoDefinitionSaysWhere(t *testing.T) {
	for text, want := range map[string]string{
		"":                                    "line 1, column 1: CREATE is missing",
		"CREATE TABLE t (\n a nt)":            "line 2, column 4: the type of column a",
		"{\n \"Name\" 1}":                     "line 2, column 9",
		"{\"Name\":\"t\",\n\"Colour\":1}":     "line 2, column ",
		`{"Table":{"Colour":1}}`:              "Colour",
		`{"Name":"t"} x`:                      "line 1, column 14",
		`{"TableInput":null}`:                 "it is null",
		`{"TableInput":[]}`:                   "",
		`{"StorageDescriptor":{"Columns":7}}`: "",
	} {
		_, err := ReadDefinition([]byte(text))
		if !errors.Is(err, ErrDefinition) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	_, err := ReadDefinition([]byte("DROP TABLE t"))
	var at *schema.SyntaxError
	if !errors.As(err, &at) || at.Line != 1 || at.Column != 1 {
		t.Error(err)
	}
}

func TestTablesAreCreatedReplacedAndListed(t *testing.T) {
	c := newCatalog(t, false)
	ctx := t.Context()
	if _, err := c.Create(ctx, definition(t, "CREATE TABLE web.t (a int)"), false); !errors.Is(err, ErrNoDatabase) || err.Error() != "Database web not found." {
		t.Error(err)
	}
	for range 2 {
		if err := c.CreateDatabase(ctx, "web"); err != nil {
			t.Fatal(err)
		}
	}
	steps := []struct {
		text    string
		replace bool
		want    Outcome
		err     error
	}{
		{"CREATE TABLE web.t (a int)", false, Created, nil},
		{"CREATE TABLE web.t (a int)", false, "", ErrTableExists},
		{"CREATE TABLE IF NOT EXISTS web.t (a int)", false, Left, nil},
		{"CREATE TABLE web.t (a int COMMENT 'x', b date) PARTITIONED BY (day string) STORED AS ORC LOCATION 's3://b/'", true, Replaced, nil},
		{"CREATE TABLE web.u (a int)", true, Created, nil},
	}
	for _, s := range steps {
		if got, err := c.Create(ctx, definition(t, s.text), s.replace); got != s.want || !errors.Is(err, s.err) {
			t.Errorf("%s: %s %v", s.text, got, err)
		}
	}
	for i := range 250 { // more than fit on a page
		if _, err := c.Create(ctx, definition(t, fmt.Sprintf("CREATE TABLE web.x%03d (a int)", i)), false); err != nil {
			t.Fatal(err)
		}
	}
	all, err := c.Tables(ctx, "web")
	if err != nil || len(all) != 252 || all[0] != (TableEntry{"web", "t", "1", 2, "orc", "s3://b/"}) || all[251].Name != "x249" {
		t.Errorf("%d tables, %v", len(all), err)
	}
	for i := range 150 {
		if err := c.CreateDatabase(ctx, fmt.Sprintf("d%03d", i)); err != nil {
			t.Fatal(err)
		}
	}
	if names, err := c.Databases(ctx); err != nil || len(names) != 151 || names[150] != "web" {
		t.Errorf("%d databases, %v", len(names), err)
	}
	k, err := c.Table(ctx, "WEB", "T")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := k.Print(&b); err != nil {
		t.Fatal(err)
	}
	const want = "web.t, version 1\nat s3://b/\n\nCOLUMN  TYPE    COMMENT\na       int     x\nb       date    -\nday     string  (partition key) \n"
	if b.String() != want {
		t.Errorf("%s\nwant\n%s", b.String(), want)
	}
	if again := definition(t, k.DDL()); again.Database != "web" || again.Name() != "t" {
		t.Error(k.DDL())
	}
	if _, err := c.Table(ctx, "web", "nobody"); !errors.Is(err, ErrNoTable) {
		t.Error(err)
	}
	if _, err := c.Table(ctx, "nobody", "t"); !errors.Is(err, ErrNoDatabase) {
		t.Error(err)
	}
	if _, err := c.Create(ctx, definition(t, `{"Name":"`+strings.Repeat("x", 300)+`","DatabaseName":"web"}`), false); err == nil || !strings.Contains(err.Error(), "CreateTable: 1 validation error") {
		t.Error(err)
	}
}

func TestANodeWithoutACatalogueIsKnown(t *testing.T) {
	if _, err := newCatalog(t, true).Databases(t.Context()); !errors.Is(err, ErrNoCatalog) {
		t.Error(err)
	}
}

func TestAProposalIsPrintedWithItsRemarks(t *testing.T) {
	p, err := Propose(strings.NewReader(`{"a-b":1,"c":null}`), ProposalOptions{Name: "t"})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := PrintProposal(&b, "", p); err != nil {
		t.Fatal(err)
	}
	const want = "-- From 1 document.\n-- The stream's deserializer needs: OpenXJsonSerDe={\"ColumnToJsonKeyMappings\":{\"a_b\":\"a-b\"}}\n" +
		"-- Note: c is null in all documents: string may not be its type\nCREATE EXTERNAL TABLE `t` ("
	if !strings.HasPrefix(b.String(), want) {
		t.Errorf("%s\nwant\n%s", b.String(), want)
	}
	if _, err := ReadDefinition([]byte(b.String())); err != nil {
		t.Error(err)
	}
}

func FuzzReadDefinition(f *testing.F) {
	for _, text := range []string{"CREATE TABLE web.t (a int)", `{"Name":"t","StorageDescriptor":{}}`, `{"Table":{"Name":1}}`, `{"TableInput":7}`, "{\n\"a\"", ""} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := ReadDefinition(text)
		if err != nil {
			if !errors.Is(err, ErrDefinition) {
				t.Fatal(err)
			}
			return
		}
		if d.SetName("name"); d.Name() != "name" {
			t.Fatalf("%q has the name %q", text, d.Name())
		}
	})
}
