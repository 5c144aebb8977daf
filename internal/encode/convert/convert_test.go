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

func (words) Append(b *column.Batch, data []byte, full func() bool, fail func([]byte, string, string)) []byte {
	for data = bytes.TrimSpace(data); len(data) > 0; {
		word, rest, _ := bytes.Cut(data, []byte(" "))
		if bytes.ContainsRune(word, '!') {
			fail(word, "Loud", "it is loud")
		} else {
			b.Begin()
			b.Columns[0].Text(word)
			b.End()
		}
		if data = bytes.TrimSpace(rest); full() {
			return data
		}
	}
	return nil
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

// A record of many documents is written in several batches.
func TestALargeRecordIsWrittenInBatches(t *testing.T) {
	var batches []int
	enc := encoding(t, &list{batches: &batches}).NewEncoder(io.Discard)
	if err := errors.Join(enc.Add(entry(1, strings.Repeat("a ", 2*batchRows+5)), 0, 1), enc.Close()); err != nil {
		t.Fatal(err)
	}
	if rows := enc.(record.Converter).Rows(); rows != 2*batchRows+5 {
		t.Errorf("%d rows", rows)
	}
	if d := cmp.Diff([]int{4096, 4096, 5}, batches); d != "" {
		t.Error(d)
	}
}

// Of a record with very many misfits the rest is one more, and no row is made of it.
func TestTheMisfitsOfARecordAreBounded(t *testing.T) {
	for _, more := range []int{-1, 0, 1, 1000} {
		var batches []int
		enc := encoding(t, &list{batches: &batches}).NewEncoder(io.Discard).(record.Converter)
		if err := enc.Add(entry(1, "a "+strings.Repeat("! ", maxParts+more)+"b"), 0, 1); err != nil {
			t.Fatal(err)
		}
		misfits, none := enc.Misfits()
		want, rows := maxParts+more, int64(2)
		if more >= 0 { // the rest holds b too
			want, rows = maxParts+1, 1
			if last := misfits[maxParts]; last.Part != maxParts || last.Code != "Loud" || string(last.Document) != strings.Repeat("! ", more)+"b" {
				t.Errorf("the rest is %+v", last)
			}
		}
		if len(misfits) != want || enc.Rows() != rows || none.Records != 0 {
			t.Errorf("%d misfits, %d rows, %d records without one", len(misfits), enc.Rows(), none.Records)
		}
	}
}

// An Add ends where many misfits have come together, and the next one goes on.
func TestAnAddEndsAtManyMisfits(t *testing.T) {
	var records []string
	for range 12 {
		records = append(records, strings.Repeat("! ", maxParts))
	}
	var batches []int
	enc := encoding(t, &list{batches: &batches}).NewEncoder(io.Discard).(record.Converter)
	e, seen := entry(3, records...), map[record.Position]int{}
	adds := 0
	for from := uint32(0); from < 12; from = enc.Added() {
		adds++
		if err := enc.Add(e, from, 12); err != nil {
			t.Fatal(err)
		}
		misfits, none := enc.Misfits()
		for _, m := range misfits {
			seen[m.Position]++
		}
		if enc.Added() <= from || len(misfits) != maxParts*int(enc.Added()-from) || none.Records != uint64(enc.Added()-from) {
			t.Fatalf("%d misfits of the records from %d to %d, %+v without a row", len(misfits), from, enc.Added(), none)
		}
		if len(misfits)*lineBytes > maxMisfitBytes+(maxParts+1)*lineBytes {
			t.Errorf("%d misfits at once", len(misfits))
		}
	}
	if adds < 2 || len(seen) != 12 {
		t.Errorf("%d records in %d times", len(seen), adds)
	}
}
