package deliver

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-json-experiment/json"

	"hydrant/internal/record"
	"hydrant/internal/stream"
)

// choosy makes rows of records whose number is not one of 7, 17, 27 and so on. A row is the
// record as it is.
type choosy struct{ plain }

func (choosy) NewEncoder(w io.Writer) Encoder { return &choosyEncoder{plainEncoder: plainEncoder{w}} }

type choosyEncoder struct {
	plainEncoder
	rows    int64
	misfits []record.Misfit
	none    record.Counts
	added   uint32
}

func misfit(n int) bool { return n%10 == 7 }

func (c *choosyEncoder) Add(e *record.Entry, from, to uint32) error {
	c.misfits, c.none, c.added = nil, record.Counts{}, to
	for i := from; i < to; i++ { // entries of the world have one record
		var n int
		if _, err := fmt.Sscanf(string(e.Stored[:8]), "%d", &n); err != nil {
			return err
		}
		if misfit(n) {
			c.misfits = append(c.misfits, record.Misfit{
				Position: record.Position{Entry: e.Sequence, Index: i}, Arrival: time.UnixMilli(e.Arrival),
				Document: e.Stored[:8], Code: "DataFormatConversion.MalformedData", Message: "it is a seven",
			})
			c.none = c.none.Add(e.Range(i, i+1))
			continue
		}
		if err := c.plainEncoder.Add(e, i, i+1); err != nil {
			return err
		}
		c.rows++
	}
	return nil
}

func (c *choosyEncoder) Misfits() ([]record.Misfit, record.Counts) { return c.misfits, c.none }
func (c *choosyEncoder) Rows() int64                               { return c.rows }
func (c *choosyEncoder) Added() uint32                             { return c.added }

func (w *world) conversion(context.Context, *stream.Definition) (*Conversion, error) {
	if w.noTable.Load() {
		return &Conversion{Table: record.CatalogTable{TableName: "t"}}, errors.New("table t was not found")
	}
	return &Conversion{Table: record.CatalogTable{DatabaseName: "db", TableName: "t"}}, nil
}

// converting makes the world's stream one that converts.
func (w *world) converting() {
	w.def.S3.Conversion = &stream.ConversionConfiguration{
		OutputFormat: &stream.OutputFormat{Serializer: &stream.Serializer{ORC: &stream.ORC{}}},
	}
}

// converted asserts that each of the records 0 to n-1 is there once: in an object of rows, or
// as a failure record.
func (w *world) converted(n int) {
	w.t.Helper()
	seen := map[int]int{}
	for key, b := range w.store.all() {
		if strings.Contains(key, "format-conversion-failed/") {
			for line := range strings.Lines(string(b)) {
				seen[w.failure(line)]++
			}
			continue
		}
		if !strings.HasSuffix(key, ".orc") || len(b) == 0 {
			w.t.Errorf("object %s of %d bytes", key, len(b))
		}
		for ; len(b) > 0; b = b[recordSize:] {
			var i int
			if _, err := fmt.Sscanf(string(b[:8]), "%d", &i); err != nil || misfit(i) {
				w.t.Fatalf("record %d is a row, %v", i, err)
			}
			seen[i]++
		}
	}
	for i := range n {
		if seen[i] != 1 {
			w.t.Fatalf("record %d is there %d times", i, seen[i])
		}
	}
	if len(seen) != n {
		w.t.Fatalf("%d records instead of %d", len(seen), n)
	}
}

// failure is the number of the record in a line of the error output.
func (w *world) failure(line string) (n int) {
	w.t.Helper()
	var f struct {
		Code  string              `json:"lastErrorCode"`
		Raw   string              `json:"rawData"`
		Table record.CatalogTable `json:"dataCatalogTable"`
	}
	if err := json.Unmarshal([]byte(line), &f); err != nil || f.Table.TableName != "t" || f.Code != "DataFormatConversion.MalformedData" {
		w.t.Fatalf("%q: %v", line, err)
	}
	raw, err := base64.StdEncoding.DecodeString(f.Raw)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := fmt.Sscanf(string(raw), "%d", &n); err != nil || !misfit(n) {
		w.t.Fatalf("record %d failed, %v", n, err)
	}
	return n
}

// all are the objects by their keys.
func (s *memStore) all() map[string][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := make(map[string][]byte, len(s.objects))
	for k, b := range s.objects {
		m[k] = b
	}
	return m
}

// Without its table a stream waits, and fails nothing.
func TestAStreamWithoutItsTableWaits(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 5)
		w.converting()
		w.noTable.Store(true)
		w.start()
		defer w.stop()
		w.put(numberedRange(0, 20)...)
		time.Sleep(time.Hour)
		synctest.Wait()
		if n, s := w.store.visible(), w.status(); n != 0 || s.Pending.Records != 20 || !strings.Contains(s.LastError, "table t was not found") {
			t.Fatalf("%d objects, status %+v", n, s)
		}
		w.noTable.Store(false)
		time.Sleep(time.Hour)
		synctest.Wait()
		w.converted(20)
	})
}

// What does not fit is taken once, also where it is the last record of a full object.
func TestTheLastRecordOfAnObjectFailsOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 5)
		w.converting()
		w.start()
		defer w.stop()
		w.put(numberedRange(0, 7)...)
		w.put(numberedRange(8, 15)...)
		w.put(numbered(7))                               // one more would fit
		w.put(slices.Concat(numbered(15), numbered(16))) // of this size there is none
		w.put(numberedRange(17, 20)...)
		time.Sleep(time.Minute)
		synctest.Wait()
		w.converted(20)
		if l := w.check(); l.Failed.Records != 2 || l.Delivered.Records != 17 {
			t.Errorf("the ledger says %+v", l)
		}
	})
}

// halting is a converter that takes one record at a time.
type halting struct {
	choosyEncoder
	seen []string
}

func (h *halting) Add(e *record.Entry, from, to uint32) error {
	h.seen = append(h.seen, fmt.Sprintf("%d-%d", from, to))
	h.added = from + 1
	return nil
}

// An encoder that ends early, because there is too much that does not fit, is asked again.
func TestAnEncoderThatEndsEarlyIsAskedAgain(t *testing.T) {
	h, took := &halting{}, 0
	if err := addAll(h, &record.Entry{}, 2, 5, func(record.Converter) error { took++; return nil }); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(h.seen, " "); got != "2-5 3-5 4-5" || took != 3 {
		t.Errorf("added %s, taken %d times", got, took)
	}
	if err := addAll(h, &record.Entry{}, 5, 5, nil); err != nil || len(h.seen) != 3 {
		t.Errorf("%v, %q", err, h.seen)
	}
}
