package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"hydrant/internal/column"
	"hydrant/internal/deliver"
	"hydrant/internal/encode/convert"
	"hydrant/internal/encode/orc"
	"hydrant/internal/encode/parquet"
	"hydrant/internal/encode/serde"
	"hydrant/internal/record"
	"hydrant/internal/service/glue"
	"hydrant/internal/stream"
)

// conversions knows how the records of streams become rows (spec firehose.md section 6).
type conversions struct {
	tables  tables
	account string
	region  string
	memory  int64         // that an encoder may hold
	creator string        // version of Hydrant, for the files
	fresh   time.Duration // how long a table is taken for what it was; 0: not at all
	now     func() time.Time

	making sync.Mutex // taken before mu

	mu    sync.Mutex
	known map[record.StreamID]*conversion
}

// conversion is how a stream converts, and what does it.
type conversion struct {
	*deliver.Conversion
	encoding deliver.Encoding
	version  int       // of the stream
	seen     time.Time // the table
}

// tableFresh is how long the table of a remote catalogue is taken for what it was (spec
// section 6.2). The built-in one is asked for each plan.
const tableFresh = 5 * time.Minute

// leastEncoder is the least memory that an encoder of rows gets.
const leastEncoder = 8 << 20

func (n *Node) newConversions(delivery int64) *conversions {
	c := &conversions{
		tables: n.tables, account: n.opt.Config.Account, region: n.opt.Config.Region, now: n.opt.Now,
		memory: max(delivery/4, leastEncoder), creator: n.opt.Version, known: map[record.StreamID]*conversion{},
	}
	if n.glue == nil {
		c.fresh = tableFresh
	}
	return c
}

// of returns how a stream converts, as deliver.Options.Conversion says.
func (c *conversions) of(ctx context.Context, d *stream.Definition) (*deliver.Conversion, error) {
	k := c.last(d)
	if k != nil {
		if age := c.now().Sub(k.seen); age >= 0 && age < c.fresh { // else the clock was set back
			return k.Conversion, nil
		}
	}
	made, err := c.ask(ctx, d.S3.Conversion)
	if err != nil {
		return made, err
	}
	// One at a time: the partitions of a stream come together, and find what the first has made.
	c.making.Lock()
	defer c.making.Unlock()
	if k = c.last(d); k != nil && slices.Equal(k.Columns, made.Columns) {
		c.keep(d, &conversion{k.Conversion, k.encoding, d.Version, c.now()})
		return k.Conversion, nil
	}
	encoding, err := newConverting(made)
	if err != nil {
		return made, err
	}
	c.keep(d, &conversion{made, encoding, d.Version, c.now()})
	return made, nil
}

// last is how the version of a stream converted when it was looked at last; nil if it was not.
func (c *conversions) last(d *stream.Definition) *conversion {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k := c.known[d.ID]; k != nil && k.version == d.Version {
		return k
	}
	return nil
}

func (c *conversions) keep(d *stream.Definition, k *conversion) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known[d.ID] = k
}

// forget is told that a stream is gone.
func (c *conversions) forget(id record.StreamID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.known, id)
}

// ask asks the catalogue for the table that a configuration names. With an error it returns
// what is known without.
func (c *conversions) ask(ctx context.Context, s *stream.ConversionConfiguration) (*deliver.Conversion, error) {
	ref := refOf(s.SchemaConfiguration)
	made := &deliver.Conversion{
		Input: s.InputFormat.Deserializer, Output: s.OutputFormat.Serializer, MemoryBytes: c.memory, CreatedBy: c.creator,
		Table: record.CatalogTable{
			CatalogID: cmp.Or(ref.CatalogID, c.account), DatabaseName: ref.Database, TableName: ref.Table,
			Region: cmp.Or(ref.Region, c.region), VersionID: cmp.Or(ref.Version, glue.Latest), RoleARN: ref.RoleARN,
		},
	}
	v, err := c.tables.Table(ctx, ref)
	if err != nil {
		return made, schemaComplaint(err)
	}
	for _, one := range v.Columns {
		made.Columns = append(made.Columns, deliver.Column{Name: one.Name, Type: one.Type})
	}
	return made, nil
}

// refOf is the table that a stream names.
func refOf(s *stream.SchemaConfiguration) glue.Ref {
	return glue.Ref{
		RoleARN: value(s.RoleARN), CatalogID: value(s.CatalogID), Database: value(s.DatabaseName),
		Table: value(s.TableName), Region: value(s.Region), Version: value(s.VersionID),
	}
}

// value is *p, or the zero value.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// The words of spec section 6.6 for a table that cannot be had.
const (
	noSuchTable = "The specified table/database could not be found. Please ensure that the table/database exists and that the values provided in the schema configuration are correct, especially with regards to casing."
	glueDenied  = "Access was denied when calling Glue. Please ensure that the role specified in the data format conversion configuration has the necessary permissions."
	badSchema   = "The schema is invalid. "
)

// schemaComplaint says why there is no table in words that users know. Where the catalogue did
// not answer there are none.
func schemaComplaint(err error) error {
	var told *glue.Error
	if !errors.As(err, &told) {
		return err
	}
	c := &record.Complaint{Code: "DataFormatConversion." + told.Code, Message: told.Message, Err: err}
	switch told.Code {
	case glue.NotFound:
		c.Code, c.Message = "DataFormatConversion.EntityNotFound", noSuchTable
	case glue.Denied:
		c.Code, c.Message = "DataFormatConversion.AccessDenied", glueDenied
	case glue.Throttled:
		c.Code = "DataFormatConversion.ThrottledByGlue"
	case glue.Invalid:
		c.Code = "DataFormatConversion.InvalidInput"
	}
	return c
}

// invalidSchema is the complaint about columns that cannot be written.
func invalidSchema(err error) error {
	c := &record.Complaint{Code: serde.CodeSchema, Message: badSchema + err.Error(), Err: err}
	var told *serde.Error
	if errors.As(err, &told) {
		c.Message = told.Message
	}
	return c
}

// encoding is the one that c describes.
func (c *conversions) encoding(of *deliver.Conversion) (deliver.Encoding, error) {
	c.mu.Lock()
	for _, k := range c.known {
		if k.Conversion == of {
			c.mu.Unlock()
			return k.encoding, nil
		}
	}
	c.mu.Unlock()
	return newConverting(of) // of a manifest that an older process left
}

// newConverting makes an encoding. Its errors are complaints about the schema.
func newConverting(c *deliver.Conversion) (deliver.Encoding, error) {
	if c.Refused != nil {
		return convert.New(convert.Options{
			Schema:    &column.Type{Kind: column.Struct},
			NewReader: func() (convert.Reader, error) { return refuser(*c.Refused), nil },
			NewWriter: func(io.Writer) (convert.Writer, error) { return nil, nil },
		})
	}
	schema, err := schemaOf(c.Columns)
	if err != nil {
		return nil, invalidSchema(err)
	}
	c.LeastBytes = leastBytes(schema, c.Output)
	e, err := convert.New(convert.Options{
		Schema:    schema,
		NewReader: func() (convert.Reader, error) { return newReader(schema, c.Input) },
		NewWriter: func(w io.Writer) (convert.Writer, error) { return newWriter(w, schema, c) },
	})
	if err != nil {
		return nil, invalidSchema(err)
	}
	// A schema that no file can have is found now, not in the middle of an object.
	if _, err := newWriter(io.Discard, schema, c); err != nil {
		return nil, invalidSchema(err)
	}
	return e, nil
}

// What an encoder holds of each column, and of each level of a nested one, with a single row:
// mostly buffers and statistics.
const (
	parquetColumnBytes = 1536
	orcColumnBytes     = 7 << 10
)

func leastBytes(schema *column.Type, out *stream.Serializer) int64 {
	if out.Parquet != nil {
		return parquetColumnBytes * levels(schema)
	}
	return orcColumnBytes * levels(schema)
}

// levels counts a type and all that are in it.
func levels(t *column.Type) int64 {
	n := int64(1)
	for _, f := range t.Fields {
		n += levels(f.Type)
	}
	for _, inner := range [...]*column.Type{t.Key, t.Elem} {
		if inner != nil {
			n += levels(inner)
		}
	}
	return n
}

// schemaOf reads the columns' types. Their names are compared as Glue's are, in lower case.
func schemaOf(columns []deliver.Column) (*column.Type, error) {
	v := glue.TableVersion{}
	for _, c := range columns {
		v.Columns = append(v.Columns, glue.Column{Name: c.Name, Type: c.Type})
	}
	fields, err := v.Types()
	if err != nil {
		return nil, err
	}
	if len(fields) == 0 {
		return nil, errors.New("the table has no columns")
	}
	known := map[string]bool{}
	for i := range fields {
		name := strings.ToLower(fields[i].Name)
		if name == "" {
			return nil, fmt.Errorf("column %d of the table has no name", i+1)
		}
		if known[name] {
			return nil, fmt.Errorf("the table has two columns %s", name)
		}
		known[name] = true
	}
	return &column.Type{Kind: column.Struct, Fields: fields}, nil
}

// reading is a deserializer as convert knows it.
type reading struct{ *serde.Reader }

// Append implements convert.Reader.
func (r reading) Append(b *column.Batch, data []byte, full func() bool, fail func([]byte, string, string)) []byte {
	return r.AppendUntil(b, data, full, func(document []byte, e *serde.Error) { fail(document, e.Code, e.Message) })
}

func newReader(schema *column.Type, in *stream.Deserializer) (convert.Reader, error) {
	var r *serde.Reader
	var err error
	if hive := in.HiveJSON; hive != nil {
		r, err = serde.NewHive(schema, serde.Hive{TimestampFormats: hive.TimestampFormats})
	} else {
		r, err = serde.NewOpenX(schema, serde.OpenX{
			CaseInsensitive: in.OpenXJSON.CaseInsensitive == nil || *in.OpenXJSON.CaseInsensitive,
			ConvertDots:     value(in.OpenXJSON.ConvertDots), Mappings: in.OpenXJSON.KeyMappings,
		})
	}
	return reading{r}, err
}

// newWriter begins a file with the options of the stream and the defaults of spec section 6.4.
func newWriter(w io.Writer, schema *column.Type, c *deliver.Conversion) (convert.Writer, error) {
	if p := c.Output.Parquet; p != nil {
		return parquet.NewWriter(w, schema, parquet.Options{
			RowGroupBytes: value(p.BlockSizeBytes), PageBytes: int(value(p.PageSizeBytes)), MaxPaddingBytes: value(p.MaxPaddingBytes),
			Compression: parquetCodecs[value(p.Compression)], Dictionary: value(p.EnableDictionaryCompression),
			Version: map[string]parquet.Version{"V2": parquet.V2}[value(p.WriterVersion)], MemoryBytes: c.MemoryBytes,
			CreatedBy: fmt.Sprintf("hydrant version %s (build %[1]s)", cmp.Or(c.CreatedBy, "unknown")),
		})
	}
	return newORC(w, schema, c.Output.ORC, c)
}

var (
	parquetCodecs = map[string]parquet.Compression{
		"": parquet.Snappy, "SNAPPY": parquet.Snappy, "GZIP": parquet.Gzip, "UNCOMPRESSED": parquet.Uncompressed,
	}
	orcCodecs = map[string]orc.Compression{"": orc.Snappy, "SNAPPY": orc.Snappy, "ZLIB": orc.ZLIB, "NONE": orc.None}
)

// The defaults of OrcSerDe that are not zero, nor the writer's own.
const (
	paddingTolerance = 0.05
	falsePositives   = 0.05
)

func newORC(w io.Writer, schema *column.Type, o *stream.ORC, c *deliver.Conversion) (convert.Writer, error) {
	opt := orc.Options{
		StripeBytes: value(o.StripeSizeBytes), BlockBytes: value(o.BlockSizeBytes), RowIndexStride: int(value(o.RowIndexStride)),
		Padding: value(o.EnablePadding), PaddingTolerance: paddingTolerance, Compression: orcCodecs[value(o.Compression)],
		BloomColumns: o.BloomFilterColumns, BloomFPP: falsePositives, DictionaryThreshold: value(o.DictionaryKeyThreshold),
		MemoryBytes: c.MemoryBytes, Software: "hydrant-" + cmp.Or(c.CreatedBy, "unknown"),
	}
	if o.PaddingTolerance != nil {
		opt.PaddingTolerance = *o.PaddingTolerance
	}
	if o.BloomFalsePositives != nil {
		opt.BloomFPP = *o.BloomFalsePositives
	}
	if value(o.FormatVersion) == "V0_11" {
		opt.Version = orc.V0_11
	}
	opt.BloomColumns, _ = orc.KnownBloomColumns(schema, opt.BloomColumns) // OrcSerDe ignores the others
	return orc.NewWriter(w, schema, opt)
}

// refuser reads nothing: its table could not be had for too long.
type refuser deliver.Refusal

// Append implements convert.Reader.
func (r refuser) Append(_ *column.Batch, data []byte, _ func() bool, fail func([]byte, string, string)) []byte {
	fail(data, r.Code, r.Message)
	return nil
}

// checkTable looks for the table that a stream wants to name (spec section 6.7, check 7).
func (n *Node) checkTable(ctx context.Context, s *stream.SchemaConfiguration) error {
	_, err := n.tables.Table(ctx, refOf(s))
	var told *glue.Error
	if !errors.As(err, &told) {
		return err
	}
	if told.Code == glue.Denied {
		return &stream.Refusal{Message: glueDenied}
	}
	return &stream.Refusal{Message: fmt.Sprintf("%s (Service: AWSGlue; Status Code: 400; Error Code: %s)", told.Message, told.Code)}
}
