package operate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"hydrant/internal/schema"
)

// Proposal is a table that fits samples, and ProposalOptions say what samples do not tell.
type (
	Proposal        = schema.Proposal
	ProposalOptions = schema.ProposalOptions
)

// ErrDefinition says that a file does not define a table. The error says where it is wrong.
var ErrDefinition = errors.New("not the definition of a table")

// Propose makes a table of sample records: JSON documents, compressed with gzip or not.
func Propose(sample io.Reader, o ProposalOptions) (*Proposal, error) {
	var i schema.Inference
	if err := i.Read(sample); err != nil {
		return nil, err
	}
	return i.Propose(o)
}

// PrintProposal writes the statement of a proposal, and as comments what should be known
// besides: what the deserializer must be told, and notes.
func PrintProposal(w io.Writer, database string, p *Proposal) error {
	var b strings.Builder
	for _, remark := range Remarks(p) {
		b.WriteString("-- " + remark + "\n")
	}
	b.WriteString(schema.DDL(database, &p.Table))
	_, err := io.WriteString(w, b.String())
	return err
}

// Remarks are what should be known of a proposal besides its table, a line each.
func Remarks(p *Proposal) []string {
	documents := "documents"
	if p.Documents == 1 {
		documents = "document"
	}
	all := []string{fmt.Sprintf("From %d %s.", p.Documents, documents)}
	if p.Options.ConvertDotsInJSONKeysToUnderscores || p.Options.ColumnToJSONKeyMappings != nil {
		text, err := json.Marshal(p.Options, json.Deterministic(true))
		if err == nil { // a struct of texts can be written
			all = append(all, "The stream's deserializer needs: OpenXJsonSerDe="+string(text))
		}
	}
	for _, n := range p.Notes {
		all = append(all, "Note: "+Printable(n))
	}
	return all
}

// Definition is a table to be created.
type Definition struct {
	Database    string // empty: the file names none
	IfNotExists bool   // a table that is there already is left as it is
	Unusable    []string
	input       map[string]jsontext.Value // of CreateTable's TableInput
}

// Name is the name of the table; empty: the file names none.
func (d *Definition) Name() string {
	var name string
	if json.Unmarshal(d.input["Name"], &name) != nil {
		return ""
	}
	return name
}

// SetName gives the table a name.
func (d *Definition) SetName(name string) {
	text, err := json.Marshal(name, jsontext.AllowInvalidUTF8(true))
	if err == nil { // a text can be written
		d.input["Name"] = text
	}
}

// members are those of a definition in JSON. Others would be forgotten without a word, so
// they are refused.
type members struct {
	Name, Description, Owner, LastAccessTime, LastAnalyzedTime, Retention jsontext.Value
	PartitionKeys, ViewOriginalText, ViewExpandedText                     jsontext.Value
	TableType, Parameters, TargetTable                                    jsontext.Value
	DatabaseName, CreateTime, UpdateTime, CreatedBy, CatalogId, VersionId jsontext.Value
	IsRegisteredWithLakeFormation                                         jsontext.Value
	StorageDescriptor                                                     struct {
		Columns, Location, AdditionalLocations, InputFormat, OutputFormat, Compressed  jsontext.Value
		NumberOfBuckets, SerdeInfo, BucketColumns, SortColumns, Parameters, SkewedInfo jsontext.Value
		StoredAsSubDirectories, SchemaReference                                        jsontext.Value
	}
}

// toldMembers are the members that a catalogue tells of a table and does not take.
var toldMembers = []string{
	"DatabaseName", "CreateTime", "UpdateTime", "CreatedBy", "CatalogId", "VersionId", "IsRegisteredWithLakeFormation",
}

// ReadDefinition reads a definition: Glue's TableInput in JSON, or a CREATE TABLE statement.
// What GetTable answers, or CreateTable is sent, will do too. Errors wrap ErrDefinition.
func ReadDefinition(text []byte) (*Definition, error) {
	if start := bytes.TrimLeft(text, " \t\r\n"); len(start) == 0 || start[0] != '{' {
		return readStatement(string(text))
	}
	var outer struct {
		Table, TableInput jsontext.Value
		DatabaseName      string
		Rest              jsontext.Value `json:",unknown"`
	}
	if err := json.Unmarshal(text, &outer); err != nil {
		return nil, misread(text, err)
	}
	inner, at := jsontext.Value(text), outer.DatabaseName
	for _, v := range []jsontext.Value{outer.Table, outer.TableInput} {
		if len(v) > 0 {
			inner = v
		}
	}
	var strict members
	if err := json.Unmarshal(inner, &strict, json.RejectUnknownMembers(true)); err != nil {
		if len(inner) < len(text) { // places are counted in the whole file
			return nil, fmt.Errorf("%w: %w", ErrDefinition, err)
		}
		return nil, misread(text, err)
	}
	d := &Definition{Database: at}
	var known schema.Table
	if err := errors.Join(json.Unmarshal(inner, &d.input), json.Unmarshal(inner, &known)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDefinition, err)
	}
	if d.input == nil {
		return nil, fmt.Errorf("%w: it is null", ErrDefinition)
	}
	if database, ok := d.input["DatabaseName"]; ok && at == "" && json.Unmarshal(database, &d.Database) != nil {
		return nil, fmt.Errorf("%w: DatabaseName is no text", ErrDefinition)
	}
	for _, name := range toldMembers {
		delete(d.input, name)
	}
	d.Unusable = known.Unusable()
	return d, nil
}

// misread says where JSON is wrong.
func misread(text []byte, err error) error {
	if place := schema.PlaceOf(text, err); place != "" {
		return fmt.Errorf("%w: %s: %w", ErrDefinition, place, err)
	}
	return fmt.Errorf("%w: %w", ErrDefinition, err)
}

func readStatement(text string) (*Definition, error) {
	s, err := schema.ParseDDL(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDefinition, err)
	}
	d := &Definition{Database: s.Database, IfNotExists: s.IfNotExists, Unusable: s.Table.Unusable()}
	input, err := json.Marshal(s.Table)
	if err == nil {
		err = json.Unmarshal(input, &d.input)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDefinition, err)
	}
	return d, nil
}

// PrintTables writes a list of tables for people.
func PrintTables(w io.Writer, all []TableEntry) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "TABLE\tVERSION\tCOLUMNS\tFORMAT\tLOCATION")
	for _, e := range all {
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\n", Printable(e.Database+"."+e.Name), Printable(e.Version), e.Columns,
			dash(Printable(e.Format)), dash(Printable(e.Location)))
	}
	return t.Flush()
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// Print writes a table for people: what it is, and its columns.
func (k *KnownTable) Print(w io.Writer) error {
	fmt.Fprintf(w, "%s, version %s\n", Printable(k.Database+"."+k.Name), Printable(k.Version))
	if k.Description != "" {
		fmt.Fprintln(w, Printable(k.Description))
	}
	if k.Storage.Location != "" {
		fmt.Fprintln(w, "at", Printable(k.Storage.Location))
	}
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "COLUMN\tTYPE\tCOMMENT")
	row := func(c schema.Column, kind string) {
		fmt.Fprintf(t, "%s\t%s\t%s\n", Printable(c.Name), dash(Printable(c.Type)), dash(kind+Printable(c.Comment)))
	}
	for _, c := range k.Storage.Columns {
		row(c, "")
	}
	for _, c := range k.PartitionKeys {
		row(c, "(partition key) ")
	}
	return t.Flush()
}

// DDL is the statement that makes the table.
func (k *KnownTable) DDL() string { return schema.DDL(k.Database, &k.Table) }
