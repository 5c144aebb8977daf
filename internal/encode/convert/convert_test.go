package convert

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hydrant/internal/column"
	"hydrant/internal/record"
)

var schema = &column.Type{Kind: column.Struct, Fields: []column.Field{{Name: "s", Type: &column.Type{Kind: column.String}}}}

// words makes a row of each word of a record that has no exclamation mark.
type words struct{}

func (words) Append(b *column.Batch, data []byte, fail func([]byte, string, string)) {
	for word := range strings.FieldsSeq(string(data)) {
		if strings.Contains(word, "!") {
			fail([]byte(word), "Loud", "it is loud")
			continue
		}
		b.Begin()
		b.Columns[0].Text([]byte(word))
		b.End()
	}
}

// list writes a line for each row, and its batches.
type list struct {
	w       io.Writer
	batches *[]int
	fails   bool
}

func (l list) Write(b *column.Batch) error {
	if l.fails {
		return errors.New("no")
	}
	*l.batches = append(*l.batches, b.Rows)
	for i := range b.Rows {
		if _, err := fmt.Fprintf(l.w, "%s\n", b.Columns[0].Value(i)); err != nil {
			return err
		}
	}
	return nil
}

func (l list) Close() error {
	_, err := io.WriteString(l.w, "end")
	return err
}

func entry(sequence uint64, records ...string) *record.Entry {
	raw := []byte(strings.Join(records, ""))
	e := &record.Entry{Sequence: sequence, Arrival: 1000, Piece: record.Piece{
		RawBytes: uint32(len(raw)), RawCRC: crc32.ChecksumIEEE(raw), Stored: raw,
	}}
	for _, r := range records {
		e.Lengths = append(e.Lengths, uint32(len(r)))
	}
	return e
}

func encoding(t *testing.T, l *list) *Encoding {
	t.Helper()
	e, err := New(Options{
		Schema:    schema,
		NewReader: func() (Reader, error) { return words{}, nil },
		NewWriter: func(w io.Writer) (Writer, error) { l.w = w; return *l, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// Each document is a row or a misfit; a record without any row counts as unread.
func TestDocumentsBecomeRowsOrMisfits(t *testing.T) {
	var out bytes.Buffer
	var batches []int
	enc := encoding(t, &list{batches: &batches}).NewEncoder(&out).(record.Converter)
	if err := enc.Add(entry(7, "skipped", "a b", "c! d", "e! f!", "g"), 1, 4); err != nil {
		t.Fatal(err)
	}
	misfits, none := enc.Misfits()
	var got []string
	for _, m := range misfits {
		got = append(got, fmt.Sprintf("%d/%d/%d %s %s %d", m.Entry, m.Index, m.Part, m.Document, m.Code, m.Arrival.UnixMilli()))
	}
	if d := cmp.Diff([]string{"7/2/0 c! Loud 1000", "7/3/0 e! Loud 1000", "7/3/1 f! Loud 1000"}, got); d != "" {
		t.Error(d)
	}
	if none != (record.Counts{Records: 1, Bytes: 5}) || enc.Rows() != 3 {
		t.Errorf("%+v without a row, %d rows", none, enc.Rows())
	}
	if err := enc.Add(entry(8, "h"), 0, 1); err != nil {
		t.Fatal(err)
	}
	if misfits, none := enc.Misfits(); len(misfits) != 0 || none.Records != 0 {
		t.Errorf("misfits of an earlier entry: %v", misfits)
	}
	if err := enc.Close(); err != nil {
		t.Fatal(err)
	}
	if out.String() != "a\nb\nd\nh\nend" || len(batches) != 1 {
		t.Errorf("wrote %q in %d batches", out.String(), len(batches))
	}
}

// Rows are written in batches, so that an encoder holds one of them only.
func TestBatchesAreBounded(t *testing.T) {
	var batches []int
	e := encoding(t, &list{batches: &batches})
	for range 2 { // the second encoder takes over from the first
		enc := e.NewEncoder(io.Discard)
		for i := range 3 * batchRows {
			if err := enc.Add(entry(uint64(i+1), "a b"), 0, 1); err != nil {
				t.Fatal(err)
			}
		}
		if err := enc.Add(entry(1, strings.Repeat("x", 2*batchBytes)), 0, 1); err != nil {
			t.Fatal(err)
		}
		if err := enc.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff([]int{4096, 4096, 4096, 4096, 4096, 4096, 1, 4096, 4096, 4096, 4096, 4096, 4096, 1}, batches); d != "" {
		t.Error(d)
	}
}

// After an error an encoder stays failed, and the next one is not touched by it.
func TestAFailedEncoderStaysFailed(t *testing.T) {
	var batches []int
	l := &list{batches: &batches, fails: true}
	e := encoding(t, l)
	enc := e.NewEncoder(io.Discard)
	if err := enc.Add(entry(1, "a"), 0, 1); err != nil {
		t.Fatal(err)
	}
	if err := enc.Close(); err == nil {
		t.Fatal("the writer failed and nobody said so")
	}
	if err := enc.Add(entry(1, "a"), 0, 1); err == nil {
		t.Fatal("a failed encoder goes on")
	}
	bad := entry(1, "abc")
	bad.RawCRC++
	enc = e.NewEncoder(io.Discard)
	if err := enc.Add(bad, 0, 1); err == nil {
		t.Fatal("a damaged entry was read")
	}
	enc.Abandon()
	l.fails = false
	var out bytes.Buffer
	enc = e.NewEncoder(&out)
	if err := errors.Join(enc.Add(entry(1, "b"), 0, 1), enc.Close()); err != nil || out.String() != "b\nend" {
		t.Fatalf("%q, %v", out.String(), err)
	}
}

func TestASchemaThatCannotBeReadIsRefusedAtOnce(t *testing.T) {
	want := errors.New("no such type")
	_, err := New(Options{Schema: schema, NewReader: func() (Reader, error) { return nil, want }})
	if !errors.Is(err, want) {
		t.Fatal(err)
	}
}
