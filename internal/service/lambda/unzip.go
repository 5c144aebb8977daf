package lambda

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Limits of code (spec neighbours.md 2.2).
const (
	maxZip      = 50 << 20  // bytes of a zip
	maxUnzipped = 250 << 20 // bytes of what it holds
	maxFiles    = 30_000    // entries, so that a small zip cannot use up the disk's inodes
	maxLink     = 4096      // bytes of a symbolic link
)

// unzip unpacks code into the empty folder at path, and syncs it. Nothing is written outside
// of the folder, whatever the zip says: names are checked, and all writes go through an
// os.Root besides. Anything wrong with the zip is ErrZip or ErrInvalid.
func (f *folder) unzip(data []byte, path string) error {
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrZip, err)
	}
	if len(r.File) > maxFiles {
		return fmt.Errorf("%w: the zip holds %d files; at most %d are allowed", ErrInvalid, len(r.File), maxFiles)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return err
	}
	u := unpacking{root: root, left: f.most, folders: map[string]bool{".": true}}
	for _, entry := range r.File {
		if err := u.entry(entry); err != nil {
			return errors.Join(err, root.Close())
		}
	}
	if err := root.Close(); err != nil {
		return err
	}
	for name := range u.folders {
		if err := f.disk.SyncFolder(filepath.Join(path, filepath.FromSlash(name))); err != nil {
			return err
		}
	}
	return nil
}

// unpacking is a zip on its way to a folder.
type unpacking struct {
	root    *os.Root
	left    int64           // bytes that may still be written
	folders map[string]bool // that were made
}

// entry unpacks one file, folder or link.
func (u *unpacking) entry(e *zip.File) error {
	name := path.Clean(strings.TrimSuffix(e.Name, "/"))
	if !filepath.IsLocal(name) || strings.Contains(name, `\`) || strings.HasPrefix(e.Name, "/") {
		return fmt.Errorf("%w: %q leads out of the code", ErrZip, clip(e.Name))
	}
	mode := e.Mode()
	switch {
	case mode.IsDir():
		return u.folder(name)
	case mode&fs.ModeSymlink != 0:
		return u.link(e, name)
	case !mode.IsRegular():
		return fmt.Errorf("%w: %q is neither file nor folder", ErrZip, clip(e.Name))
	}
	return u.file(e, name, mode)
}

// folder makes a folder and those above it.
func (u *unpacking) folder(name string) error {
	if u.folders[name] {
		return nil
	}
	if err := u.folder(path.Dir(name)); err != nil {
		return err
	}
	if err := u.root.Mkdir(name, 0o755); err != nil {
		return fmt.Errorf("%w: %w", ErrZip, err)
	}
	u.folders[name] = true
	return nil
}

// file unpacks a file. It counts what comes out, not what the zip says will.
func (u *unpacking) file(e *zip.File, name string, mode fs.FileMode) error {
	if err := u.folder(path.Dir(name)); err != nil {
		return err
	}
	src, err := e.Open()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrZip, err)
	}
	defer src.Close()
	dst, err := u.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o444|mode.Perm()&0o755)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w: %q is in it twice", ErrZip, clip(e.Name))
	}
	if err != nil {
		return err
	}
	n, err := io.Copy(dst, &zipErrors{io.LimitReader(src, u.left+1)})
	u.left -= n
	if err == nil && u.left < 0 {
		err = fmt.Errorf("%w: unzipped size must be smaller than %d bytes", ErrInvalid, maxUnzipped)
	}
	if err == nil {
		err = dst.Sync()
	}
	return errors.Join(err, dst.Close())
}

// zipErrors marks the errors of reading a zip, to tell them from those of the disk.
type zipErrors struct{ r io.Reader }

// Read reads.
func (z *zipErrors) Read(p []byte) (int, error) {
	n, err := z.r.Read(p)
	if err != nil && err != io.EOF {
		err = fmt.Errorf("%w: %w", ErrZip, err)
	}
	return n, err
}

// link makes a symbolic link that stays inside the code.
func (u *unpacking) link(e *zip.File, name string) error {
	if err := u.folder(path.Dir(name)); err != nil {
		return err
	}
	src, err := e.Open()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrZip, err)
	}
	defer src.Close()
	to, err := io.ReadAll(io.LimitReader(src, maxLink))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrZip, err)
	}
	if path.IsAbs(string(to)) || !filepath.IsLocal(path.Join(path.Dir(name), string(to))) {
		return fmt.Errorf("%w: the link %q leads out of the code", ErrZip, clip(e.Name))
	}
	if err := u.root.Symlink(string(to), name); err != nil {
		return fmt.Errorf("%w: %w", ErrZip, err)
	}
	return nil
}
