package pebble

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"hydrant/internal/journal"
)

// medic keeps the record of what is damaged: it sets copies aside, reports each file once,
// and hands out damaged tables to the attendant.
type medic struct {
	fs       vfs.FS
	dir      string
	damaged  string
	onDamage func(journal.Damage)
	log      *slog.Logger
	wake     func()
	readOnly bool // look, report, but set nothing aside

	// Of the opening under way; only its goroutine uses them.
	lastLog   uint64 // the highest log number
	nextBatch uint64 // the Pebble sequence number that should come next in the logs; 0: unknown

	mu       sync.Mutex
	patients map[string]*patient // by path; those not yet treated
	reported map[string]bool     // files, and keys of entries
}

// patient is a damaged table that waits for treatment.
type patient struct {
	path string
	done chan struct{} // closed after the treatment
	err  error         // of the treatment; read after done
}

// reportedMax bounds what is remembered of single entries that were reported.
const reportedMax = 10_000

func newMedic(o Options, wake func()) *medic {
	return &medic{
		fs: o.FS, dir: o.Dir, damaged: o.DamagedDir, onDamage: o.OnDamage, log: o.Logger, wake: wake,
		patients: map[string]*patient{}, reported: map[string]bool{},
	}
}

// beginOpening prepares for the logs that an opening will read.
func (m *medic) beginOpening() error {
	m.lastLog, m.nextBatch = 0, 0
	names, err := m.fs.List(m.dir)
	if err != nil {
		return fmt.Errorf("list journal: %w", err)
	}
	for _, name := range names {
		if n, ok := logNumber(name); ok && isLog(name) {
			m.lastLog = max(m.lastLog, n)
		}
	}
	return nil
}

// admit takes in a damaged table, if it is not waiting already.
func (m *medic) admit(path string) *patient {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.patients[path]
	if p == nil {
		p = &patient{path: path, done: make(chan struct{})}
		m.patients[path] = p
		m.wake()
	}
	return p
}

// waiting returns a table that waits for treatment, or nil.
func (m *medic) waiting() *patient {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range m.patients {
		return p
	}
	return nil
}

// discharge ends a treatment.
func (m *medic) discharge(p *patient, err error) {
	m.mu.Lock()
	delete(m.patients, p.path)
	m.mu.Unlock()
	p.err = err
	close(p.done)
}

// once says whether something is to be reported for the first time.
func (m *medic) once(what string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.reported[what] || len(m.reported) >= reportedMax {
		return false
	}
	m.reported[what] = true
	return true
}

// report sets a copy of a damaged file aside and, the first time, reports it. An error says
// that there is no copy.
func (m *medic) report(file, reason string, salvaged int) error {
	name := m.fs.PathBase(file)
	d := journal.Damage{File: name, Reason: reason, Salvaged: salvaged}
	var err error
	if !m.readOnly {
		if err = m.setAside(file, name); err == nil {
			d.Copy = path.Join(m.fs.PathBase(m.damaged), name)
		}
	}
	if m.once(name) {
		m.log.Error("a file of the journal is damaged", "file", d.File, "copy", d.Copy,
			"reason", reason, "salvaged", salvaged, "error", err)
		m.onDamage(d)
	}
	return err
}

// setAside copies a file into the folder for damaged files. A copy of that name and length
// that is there already is the same file, met by an earlier start.
func (m *medic) setAside(file, name string) error {
	if err := makeDir(m.fs, m.damaged, 0o700); err != nil {
		return err
	}
	to := m.fs.PathJoin(m.damaged, name)
	src, err := m.fs.Open(file)
	if err != nil {
		return fmt.Errorf("set %s aside: %w", name, err)
	}
	if err := copyFile(m.fs, src, to); err != nil {
		return fmt.Errorf("set %s aside: %w", name, errors.Join(err, src.Close()))
	}
	if err := src.Close(); err != nil {
		return fmt.Errorf("set %s aside: %w", name, err)
	}
	return syncDir(m.fs, m.damaged)
}

// copyFile writes a synced copy of src, unless one of that length is there.
func copyFile(fs vfs.FS, src vfs.File, to string) error {
	info, err := src.Stat()
	if err != nil {
		return err
	}
	if have, err := fs.Stat(to); err == nil && have.Size() == info.Size() {
		return nil
	}
	return writeFile(fs, to, src)
}

// writeFile writes what r gives into a new file and syncs it. What could not be written whole
// is removed.
func writeFile(fs vfs.FS, to string, r io.Reader) error {
	dst, err := fs.Create(to, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, r)
	if err == nil {
		err = dst.Sync()
	}
	if e := dst.Close(); err == nil {
		err = e
	}
	if err != nil {
		return errors.Join(err, fs.Remove(to))
	}
	return nil
}

// noteDamaged reports an entry or a state that Pebble holds whole but that is not what was
// written.
func (m *medic) noteDamaged(key []byte, why string) {
	if !m.once(string(key)) {
		return
	}
	reason := describeKey(key) + ": " + why
	m.log.Error("a value in the journal is damaged", "reason", reason)
	m.onDamage(journal.Damage{Reason: reason})
}

// treatments bounds how often one operation waits for a damaged table.
const treatments = 8

// healing runs do. If it meets damage, the damaged table is treated first and do runs again.
// No lock may be held.
func (e *Engine) healing(ctx context.Context, do func() error) error {
	for n := 1; ; n++ {
		err := do()
		if err == nil || !pebble.IsCorruptionError(err) {
			return err
		}
		info := pebble.ExtractDataCorruptionInfo(err)
		if info == nil || n > treatments || e.medic.readOnly {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		p := e.medic.admit(info.Path)
		select {
		case <-p.done:
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-e.stop:
			return errors.Join(err, errClosing)
		}
		if p.err != nil {
			return fmt.Errorf("%w: %w", ErrDamaged, errors.Join(err, p.err))
		}
	}
}
