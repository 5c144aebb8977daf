package simulation

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"hydrant/internal/dest/s3/s3fake"
)

// failure is a line of the error output.
type failure struct {
	Raw     []byte `json:"rawData"`
	Code    string `json:"errorCode"`
	Last    string `json:"lastErrorCode"` // what Firehose calls it where records are converted
	Message string `json:"errorMessage"`
	Arrival int64  `json:"arrivalTimestamp"`
}

const (
	noKeys  = "DynamicPartitioning.MetadataExtractionFailed"
	tooMany = "DynamicPartitioning.ActivePartitionsLimitExceeded"
)

// excuse says whether a record may have failed so.
func (w *world) excuse(s *streamLife, n *note, r failure) error {
	from := n.from
	if s.table != nil && w.plan.chance.processing {
		from = time.Time{} // what is processed together has the arrival of the oldest from then on
	}
	if at := time.UnixMilli(r.Arrival); at.Before(from.Truncate(time.Millisecond)) || at.After(n.to) {
		return fmt.Errorf("it arrived from %s to %s", n.from, n.to)
	}
	if strings.HasPrefix(r.Code, "Lambda.") && w.plan.chance.processing {
		return nil
	}
	if strings.HasPrefix(r.Code, misfits) && s.table != nil && !n.keys.converts() {
		return nil
	}
	if n.of != nil && (r.Code == noKeys || r.Code == tooMany) {
		return nil // which of its parts failed, and whether it may have, is another question
	}
	for _, l := range s.layouts {
		if !l.partitioned() || l.epoch < n.epoch {
			continue
		}
		_, good := l.place(n.keys)
		if r.Code == noKeys && !good || r.Code == tooMany && good && w.plan.quota > 0 {
			return nil
		}
	}
	return errors.New("no version of its stream does that")
}

// failures is where the failure records of all streams lie, by their types.
const failures = "failed/"

// misfits begins the codes of failures to convert.
const misfits = "DataFormatConversion."

// judgeType holds the code of a failure against the place where it lies.
func (w *world) judgeType(key, code string) {
	want := failures + "processing-failed/"
	if strings.HasPrefix(code, misfits) {
		want = failures + "format-conversion-failed/"
	}
	if !strings.HasPrefix(key, want) {
		w.books.fault("%s holds a failure of code %s, which belongs to %s", key, code, want)
	}
}

// judgeFailures counts the source records of an object of the error output.
func (w *world) judgeFailures(failed *found, o s3fake.Object) {
	if o.Contents != 1 {
		w.books.fault("%s had %d different contents", o.Key, o.Contents)
	}
	body, err := plainBody(o)
	if err != nil {
		w.books.fault("%s: %v", o.Key, err)
		return
	}
	for line := range bytes.Lines(body) {
		var r failure
		if err := json.Unmarshal(line, &r); err != nil {
			w.books.fault("%s holds %.200s: %v", o.Key, line, err)
			return
		}
		r.Code = cmp.Or(r.Code, r.Last)
		w.story.count("failure: "+r.Code, 1)
		w.judgeType(o.Key, r.Code)
		if len(r.Raw) == 0 {
			continue
		}
		n, err := w.failing(r.Raw)
		if err != nil {
			w.books.fault("%s: %v", o.Key, err)
			return
		}
		w.judgeFailure(failed, o.Key, n, r)
	}
}

// judgeFailure counts the failure of a record, or of a part of one.
func (w *world) judgeFailure(failed *found, key string, n name, r failure) {
	know := w.books.records[n]
	if p := w.books.parts[n]; p != nil {
		failed.times[n]++
		n = p.source
		know = w.books.records[n]
	}
	if know == nil || know.of == nil && know.size != len(r.Raw) {
		w.books.fault("%s holds record %+v of %d bytes, which nobody sent", key, n, len(r.Raw))
		return
	}
	if err := w.excuse(w.streams[n.stream], know, r); err != nil {
		w.books.fault("%s holds record %+v, which failed as %s, %s: %v", key, n, r.Code, r.Message, err)
	}
	if know.of != nil {
		if failed.codes[n] == nil {
			failed.codes[n] = map[string]int{}
		}
		failed.codes[n][r.Code]++
		return
	}
	failed.times[n]++
	failed.bytes[n.stream] += uint64(know.size)
	failed.counts[n.stream]++
}

// judgeBackups holds the backups against what was acknowledged while a stream had one.
func (w *world) judgeBackups(copies *found) {
	for n, know := range w.books.records {
		times := copies.times[n]
		switch {
		case times > 1:
			w.books.fault("record %+v was backed up %d times", n, times)
		case know.outcome == refused && times > 0:
			w.books.fault("record %+v was refused and backed up", n)
		case know.outcome == acknowledged && times == 0 && know.backed && know.epoch > w.streams[n.stream].doomed && w.damaged == 0:
			w.books.fault("record %+v was acknowledged and is not in the backup", n)
		}
	}
}
