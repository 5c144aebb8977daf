package schema

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"hydrant/internal/column"
)

// Inference gathers what documents look like. Its zero value has seen none.
//
// Types are chosen so that all documents fit: int, or bigint where 32 bits are too few, or
// decimal(38,0); double once a number has a fraction; timestamp and date where all texts have
// a form that OpenX reads; array, struct, and map where an object has more than 32 different
// keys with values of one kind. What was null only, or of kinds that nothing covers, becomes
// string, as OpenX stores nested JSON in it as text, and so do numbers beyond double.
type Inference struct {
	root      shape
	documents int
	shapes    int
	notes     notes
}

// OpenX are the options of the OpenX deserializer that a proposal needs (spec firehose.md
// section 6.3).
type OpenX struct {
	ColumnToJSONKeyMappings            map[string]string `json:"ColumnToJsonKeyMappings,omitempty"`
	ConvertDotsInJSONKeysToUnderscores bool              `json:"ConvertDotsInJsonKeysToUnderscores,omitzero"`
}

// Proposal is a table that fits the documents.
type Proposal struct {
	Table     Table
	Options   OpenX
	Documents int
	Notes     []string
}

// ProposalOptions say what documents do not tell.
type ProposalOptions struct {
	Name     string // of the table
	Format   string // Parquet or ORC; empty: Parquet
	Location string // of the objects; may be empty
}

// ErrFormat: the format is none that streams convert to.
var ErrFormat = errors.New("format is neither parquet nor orc")

// notes are what the reader of a proposal should know.
type notes []string

// maxNotes is how many notes anyone reads.
const maxNotes = 30

func (n *notes) add(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if len(*n) < maxNotes && !slices.Contains(*n, text) {
		*n = append(*n, text)
	}
}

// add looks at one object.
func (i *Inference) add(value jsontext.Value) error {
	i.documents++
	d := jsontext.NewDecoder(strings.NewReader(string(value)), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if err := i.value(&i.root, d, 0); err != nil {
		return err
	}
	if len(i.root.fields) > maxKeys {
		return fmt.Errorf("%w: the documents have more than %d different keys", ErrSample, maxKeys)
	}
	return nil
}

// value looks at the next value.
func (i *Inference) value(s *shape, d *jsontext.Decoder, depth int) error {
	if depth > column.MaxDepth {
		return fmt.Errorf("%w: values are nested more than %d deep", ErrSample, column.MaxDepth)
	}
	token, err := d.ReadToken()
	if err != nil {
		return err
	}
	switch token.Kind() {
	case 'n':
	case 't', 'f':
		s.seen[boolean]++
	case '{':
		s.seen[object]++
		return i.object(s, d, depth)
	case '[':
		s.seen[list]++
		return i.list(s, d, depth)
	default:
		s.seen[formOf(token)]++
	}
	return nil
}

func (i *Inference) object(s *shape, d *jsontext.Decoder, depth int) error {
	for d.PeekKind() != '}' {
		key, err := d.ReadToken()
		if err != nil {
			return err
		}
		of, made := s.elem, false
		if !s.many {
			if of, made = s.field(key.String()); made {
				i.shapes++
			}
		}
		if i.shapes > maxShapes {
			return fmt.Errorf("%w: the documents have more than %d different keys at all depths", ErrSample, maxShapes)
		}
		if err := i.value(of, d, depth+1); err != nil {
			return err
		}
		if depth > 0 && len(s.fields) > maxKeys {
			i.shapes -= len(s.fields)
			s.collapse()
		}
	}
	_, err := d.ReadToken()
	return err
}

func (i *Inference) list(s *shape, d *jsontext.Decoder, depth int) error {
	if s.elem == nil {
		s.elem = &shape{}
	}
	for d.PeekKind() != ']' {
		if err := i.value(s.elem, d, depth+1); err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return err
}

// Propose makes a table of what was seen. Errors: ErrSample if that is nothing, ErrFormat.
func (i *Inference) Propose(o ProposalOptions) (*Proposal, error) {
	if len(i.root.fields) == 0 {
		return nil, fmt.Errorf("%w: no document has a key", ErrSample)
	}
	if o.Format == "" {
		o.Format = Parquet
	}
	f, ok := formatOf(o.Format)
	if !ok || f.classification != Parquet && f.classification != ORC {
		return nil, fmt.Errorf("%w: %s", ErrFormat, o.Format)
	}
	t := Table{Name: fold(o.Name), TableType: external}
	t.store(f)
	t.Storage.Location = o.Location
	t.set(externalParameter, "TRUE")
	t.classify(f.classification)
	d := i.draft()
	t.Storage.Columns = d.columns
	if len(t.Storage.Columns) == 0 {
		return nil, fmt.Errorf("%w: no key of the documents can be a column", ErrSample)
	}
	return &Proposal{Table: t, Options: d.options, Documents: i.documents, Notes: d.notes}, nil
}
