package pebble

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"hydrant/internal/record"
)

var errClosing = fmt.Errorf("%w while a damaged table was waiting for treatment", record.ErrClosed)

// treatTables treats all damaged tables that wait.
func (e *Engine) treatTables() {
	for p := e.medic.waiting(); p != nil; p = e.medic.waiting() {
		err := e.treat(p.path)
		if err != nil {
			e.log.Error("a damaged table could not be treated", "file", e.opt.FS.PathBase(p.path), "error", err)
		}
		e.medic.discharge(p, err)
	}
}

// treat sets a copy of a damaged table aside and puts the table right as far as that is
// possible. Nothing is changed without a copy.
func (e *Engine) treat(path string) error {
	data, err := readFile(e.opt.FS, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it was compacted away meanwhile
	}
	if err != nil {
		return err
	}
	c, err := cureTable(data, e.tableOptions())
	if err != nil {
		return err
	}
	if c.sound() {
		return nil
	}
	if err := e.medic.report(path, c.reason(), 0); err != nil {
		return err
	}
	if c.rebuilt {
		return e.replaceTable(path, c.data)
	}
	return patchTable(e.opt.FS, path, c)
}

// tableOptions says how tables are read and written.
func (e *Engine) tableOptions() *pebble.Options {
	return e.pebbleOptions(e.opt.FS, nil)
}

func readFile(disk vfs.FS, path string) ([]byte, error) {
	f, err := disk.Open(path)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(f)
	return data, errors.Join(err, f.Close())
}

// patchTable writes the bytes that were mended into the table where it lies.
func patchTable(fs vfs.FS, path string, c *cure) error {
	f, err := fs.OpenReadWrite(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	for _, at := range c.changed {
		if _, e := f.WriteAt(c.data[at:at+1], at); e != nil {
			err = errors.Join(err, e)
		}
	}
	return errors.Join(err, f.Sync(), f.Close())
}

// replaceTable puts a rebuilt table in place of a damaged one. Pebble may hold the old one
// open and parts of it in its cache, so it is closed meanwhile; everybody waits.
func (e *Engine) replaceTable(path string, data []byte) error {
	e.gate.Lock()
	defer e.gate.Unlock()
	if err := e.writable(); err != nil {
		return err
	}
	temporary := path + ".rebuilt"
	if err := writeFile(e.opt.FS, temporary, bytes.NewReader(data)); err != nil {
		return err
	}
	if err := e.db.Close(); err != nil {
		e.log.Warn("journal was not closed cleanly for a rebuild", "error", err)
	}
	e.db = nil
	err := e.opt.FS.Rename(temporary, path)
	if err == nil {
		err = syncDir(e.opt.FS, e.opt.Dir)
	}
	db, openErr := e.openStore()
	if openErr != nil {
		e.down = fmt.Errorf("%w: the journal could not be opened again: %w", record.ErrUncertain, openErr)
		e.disk.freeze("open", e.opt.Dir, openErr)
		return errors.Join(err, openErr)
	}
	e.db = db
	return err
}
