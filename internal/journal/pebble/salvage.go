package pebble

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	pebblelog "github.com/cockroachdb/pebble/v2/record"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Pebble replays logs when it is opened. It stops at the first bad chunk of the last log as
// if the log ended there, and refuses to open if an earlier log has one. So every log is read
// through here first. A sound log is handed to Pebble as it is. Of any other Pebble gets a
// view: the same records in a fresh row of chunks, without what is bad.
//
// What is bad at the end of the last log is no damage but torn: a power cut leaves it, and
// with it whole chunks behind the hole, since disks write in any order. Records behind a hole
// are given to Pebble only if the hole was once whole: if a byte could be put right in it, or
// if a later record promises that what lay there had been synced.

// logFindings is what a reading of a log found.
type logFindings struct {
	bad    int    // places that cannot be read although they were once whole
	mended int    // batches in which a byte was put right
	first  int64  // offset of the first of both; -1: none
	lost   uint64 // operations in the bad places, as far as known
	behind int    // batches behind the first of both
	torn   int64  // where the log's torn tail begins; -1: it has none
}

func (f *logFindings) damaged() bool { return f.bad+f.mended > 0 }

func (f *logFindings) sound() bool { return !f.damaged() && f.torn < 0 }

// logNumber reads the number from a log's name.
func logNumber(name string) (uint64, bool) {
	n, err := strconv.ParseUint(strings.TrimSuffix(name, ".log"), 10, 64)
	return n, err == nil
}

// lastPromise reads a whole log for the highest promise in it.
func lastPromise(r io.Reader, number uint32) (uint64, error) {
	var promise uint64
	l := newLogReader(r, number, false)
	for {
		b, err := l.next()
		if errors.Is(err, io.EOF) {
			return promise, nil
		}
		if err != nil {
			return 0, err
		}
		if l.mended && !verifyBatch(b) {
			continue
		}
		if info, ok := readBatch(b); ok {
			promise = max(promise, info.promise)
		}
	}
}

// wholeLog is the promise of a log that was closed in order: all of it was synced.
const wholeLog = math.MaxUint64

// logView gives the batches of a log that are to be replayed, as a fresh log, and fills in
// findings on the way.
type logView struct {
	vfs.File
	log      *logReader
	promise  uint64
	next     uint64 // the Pebble sequence number that should follow; 0: unknown
	skipped  bool   // a batch could not be verified
	findings logFindings
	out      bytes.Buffer
	chunks   *pebblelog.Writer
	done     bool
}

func newLogView(f vfs.File, number uint32, promise, next uint64) *logView {
	v := &logView{File: f, log: newLogReader(f, number, false), promise: promise, next: next}
	v.findings.first, v.findings.torn = -1, -1
	v.chunks = pebblelog.NewWriter(&v.out)
	return v
}

// Read implements vfs.File.
func (v *logView) Read(p []byte) (int, error) {
	for v.out.Len() == 0 {
		if v.done {
			return 0, io.EOF
		}
		b, err := v.batch()
		if errors.Is(err, io.EOF) {
			v.done = true
			continue
		}
		if err != nil {
			return 0, err
		}
		if _, err := v.chunks.WriteRecord(b); err != nil {
			return 0, err
		}
	}
	return v.out.Read(p)
}

// batch returns the next batch to be replayed, or io.EOF.
func (v *logView) batch() ([]byte, error) {
	for {
		b, err := v.log.next()
		if errors.Is(err, io.EOF) {
			v.atEnd()
			return nil, io.EOF
		}
		if err != nil {
			return nil, err
		}
		info, ok := readBatch(b)
		if !ok || v.log.mended && !verifyBatch(b) {
			v.skipped = true // what follows decides whether this was damage
			continue
		}
		if v.hole(info) && !v.judge(info) {
			return nil, io.EOF
		}
		if v.log.mended {
			v.findings.mended++
			v.note()
		}
		if v.findings.damaged() {
			v.findings.behind++
		}
		v.skipped = false
		v.next = info.next()
		return b, nil
	}
}

// hole says that something that cannot be read lies before this batch.
func (v *logView) hole(info batchInfo) bool {
	if v.log.bad < 0 && !v.skipped {
		return false
	}
	if v.next == 0 {
		return v.skipped || !v.log.mended
	}
	return info.first > v.next
}

// judge decides whether a hole is damage; else the log ends before it.
func (v *logView) judge(info batchInfo) bool {
	f := &v.findings
	was := v.next
	if was == 0 { // unknown: at least the operation right before this batch was there
		was = max(info.first, 1) - 1
	}
	if v.promise < was || v.promise == 0 {
		f.torn = max(v.log.bad, 0)
		v.log.bad = -1
		return false
	}
	f.bad++
	f.lost += info.first - was
	v.note()
	return true
}

func (v *logView) note() {
	if v.findings.first < 0 {
		v.findings.first = max(v.log.bad, 0)
	}
}

// atEnd looks at what is bad behind the last batch.
func (v *logView) atEnd() {
	if v.log.bad < 0 && !v.skipped {
		return
	}
	if v.promise != wholeLog {
		v.findings.torn = max(v.log.bad, 0)
		return
	}
	v.findings.bad++
	v.note()
}

// openLog opens a log or a manifest for Pebble, which reads each once, in the order of their
// numbers, while it is being opened.
func (m *medic) openLog(path string) (vfs.File, error) {
	name := m.fs.PathBase(path)
	if isManifest(name) {
		return m.openManifest(path, name)
	}
	number, ok := logNumber(name)
	if !ok {
		return m.fs.Open(path)
	}
	promise, err := m.promiseOf(path, number)
	if err != nil {
		return nil, fmt.Errorf("examine %s: %w", name, err)
	}
	before := m.nextBatch
	findings, err := m.examine(path, number, promise)
	if err != nil {
		return nil, fmt.Errorf("examine %s: %w", name, err)
	}
	f, err := m.fs.Open(path)
	if err != nil || findings.sound() {
		return f, err
	}
	if findings.torn >= 0 {
		m.log.Info("log ends in what a power cut left", "file", name, "offset", findings.torn)
	}
	if findings.damaged() {
		if err := m.report(path, findings.reason(), findings.behind); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	return newLogView(f, uint32(number), promise, before), nil
}

// reason says in words what was found.
func (f *logFindings) reason() string {
	var s []string
	if f.mended > 0 {
		s = append(s, fmt.Sprintf("writes with one wrong byte, which was put right: %d", f.mended))
	}
	if f.bad > 0 {
		s = append(s, fmt.Sprintf("places that cannot be read: %d, operations lost in them: %d", f.bad, f.lost))
	}
	return fmt.Sprintf("from offset %d: %s", f.first, strings.Join(s, "; "))
}

// promiseOf returns how far a log is known to have been synced. Every log but the last was
// closed in order before the next was begun.
func (m *medic) promiseOf(path string, number uint64) (uint64, error) {
	if number < m.lastLog {
		return wholeLog, nil
	}
	f, err := m.fs.Open(path)
	if err != nil {
		return 0, err
	}
	promise, err := lastPromise(f, uint32(number))
	return promise, errors.Join(err, f.Close())
}

// examine reads a log as a replay of it will, for what will be found.
func (m *medic) examine(path string, number, promise uint64) (logFindings, error) {
	f, err := m.fs.Open(path)
	if err != nil {
		return logFindings{}, err
	}
	v := newLogView(f, uint32(number), promise, m.nextBatch)
	for err == nil {
		_, err = v.batch()
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	m.nextBatch = v.next
	return v.findings, errors.Join(err, f.Close())
}

// openManifest opens the manifest. It holds which tables there are; a table that it does not
// name is removed, so a damaged manifest must not be taken for one that ends early.
func (m *medic) openManifest(path, name string) (vfs.File, error) {
	f, err := m.fs.Open(path)
	if err != nil {
		return nil, err
	}
	view := &manifestView{File: f, log: newLogReader(f, 0, true)}
	view.chunks = pebblelog.NewWriter(&view.out)
	if _, err := io.Copy(io.Discard, view); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %s: %w; restore the folder from a copy", ErrDamaged, name, err), f.Close())
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	if f, err = m.fs.Open(path); err != nil || view.mended == 0 {
		return f, err
	}
	reason := fmt.Sprintf("records with one wrong byte, which was put right: %d", view.mended)
	if err := m.report(path, reason, 0); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	again := &manifestView{File: f, log: newLogReader(f, 0, true)}
	again.chunks = pebblelog.NewWriter(&again.out)
	return again, nil
}

// manifestView gives the records of a manifest as a fresh manifest. A bad place before its
// end is an error: what lies behind it makes no sense without it.
type manifestView struct {
	vfs.File
	log    *logReader
	mended int
	out    bytes.Buffer
	chunks *pebblelog.Writer
}

// Read implements vfs.File.
func (v *manifestView) Read(p []byte) (int, error) {
	for v.out.Len() == 0 {
		b, err := v.log.next()
		if err != nil {
			return 0, err
		}
		if v.log.mended {
			v.mended++
		} else if v.log.bad >= 0 {
			return 0, fmt.Errorf("unreadable at offset %d", v.log.bad)
		}
		if _, err := v.chunks.WriteRecord(b); err != nil {
			return 0, err
		}
	}
	return v.out.Read(p)
}
