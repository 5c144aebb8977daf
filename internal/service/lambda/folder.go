package lambda

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"hydrant/internal/durable"
)

// A function on disk:
//
//	functions/NAME/function.json     what is known of it; without this file there is no function
//	functions/NAME/versions/N.json   what is known of a published version; never changed
//	functions/NAME/code/SHA.NONCE/   an unpacked zip, SHA-256 of which is SHA
//	functions/NAME/code/SHA.NONCE.zip  the zip itself, for whoever asks for it
//	functions/NAME/events/ID.event   a call that nobody waits for, see event_file.go
//	functions/NAME/scratch/          a folder per worker; nothing in it outlives a start
//
// Code is unpacked and synced under a temporary name, then renamed, then named by
// function.json or by a version. What is not named there is removed at the next start. The
// nonce keeps apart a zip that comes back from its former self, which may be about to be
// removed.
const (
	functionsName     = "functions"
	configurationName = "function.json"
	codeName          = "code"
	scratchName       = "scratch"
	versionsName      = "versions"
	eventsName        = "events"
)

// stored is the content of function.json.
type stored struct {
	Configuration Configuration
	Code          string            // folder below code
	Tags          map[string]string `json:",omitempty"`
	Reserved      *int              `json:",omitzero"` // calls at once; nil: as many as there are workers

	Published int                    `json:",omitzero"`  // the number of the newest version that ever was
	Aliases   map[string]alias       `json:",omitempty"` // by name
	Policies  map[string]policy      `json:",omitempty"` // by qualifier
	Events    map[string]eventConfig `json:",omitempty"` // by qualifier
}

// folder is where functions are kept.
type folder struct {
	disk durable.Disk
	path string
	most int64  // bytes that a zip may hold
	mark string // how the marks of its workers begin, see newMark
}

func openFolder(root string, disk durable.Disk) (*folder, error) {
	absolute, err := filepath.Abs(filepath.Join(root, functionsName))
	if err != nil {
		return nil, err
	}
	if err := disk.MkdirAll(absolute, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of functions: %w", err)
	}
	mark, err := markOf(absolute)
	if err != nil {
		return nil, err
	}
	return &folder{disk, absolute, maxUnzipped, mark}, nil
}

func (f *folder) code(name, code string) string { return filepath.Join(f.path, name, codeName, code) }

// names are the functions that there are folders of.
func (f *folder) names() ([]string, error) {
	entries, err := os.ReadDir(f.path)
	if err != nil {
		return nil, fmt.Errorf("list the functions: %w", err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && nameForm.MatchString(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// read returns what is known of a function; fs.ErrNotExist stays visible.
func (f *folder) read(name string) (*stored, error) {
	path := filepath.Join(f.path, name, configurationName)
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var s stored
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &s, nil
}

// write makes durable what is known of a function.
func (f *folder) write(name string, s *stored) error {
	text, err := json.Marshal(s, jsontext.WithIndent("\t"), json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("encode function %s: %w", name, err)
	}
	// Environments hold secrets: nobody else reads the file.
	if err := f.disk.WriteFile(filepath.Join(f.path, name, configurationName), text, 0o600); err != nil {
		return fmt.Errorf("write function %s: %w", name, err)
	}
	return nil
}

// unpack makes a folder of code from a zip and returns its name.
func (f *folder) unpack(name string, data []byte, sum [sha256.Size]byte) (string, error) {
	if len(data) > maxZip {
		return "", fmt.Errorf("%w: the zip must be smaller than %d bytes", ErrInvalid, maxZip)
	}
	parent := f.code(name, "")
	if err := f.disk.MkdirAll(parent, 0o700); err != nil {
		return "", err
	}
	code := hex.EncodeToString(sum[:]) + "." + nonce()
	staging := filepath.Join(parent, "."+code)
	if err := f.disk.Mkdir(staging, 0o755); err != nil {
		return "", err
	}
	err := f.unzip(data, staging)
	if err == nil {
		err = f.disk.WriteFile(f.zip(name, code), data, 0o600)
	}
	if err == nil {
		err = f.disk.Rename(staging, f.code(name, code))
	}
	if err != nil {
		return "", errors.Join(fmt.Errorf("unpack the code of %s: %w", name, err),
			f.disk.RemoveTree(staging), f.removeCode(name, code))
	}
	return code, nil
}

// zip is the path of the zip that code was unpacked from.
func (f *folder) zip(name, code string) string { return f.code(name, code) + ".zip" }

// removeCode removes code that is not named any more.
func (f *folder) removeCode(name, code string) error {
	return errors.Join(f.disk.RemoveTree(f.zip(name, code)), f.disk.RemoveTree(f.code(name, code)))
}

// remove removes a function. Once function.json is gone for good, so is the function.
func (f *folder) remove(name string) error {
	path := filepath.Join(f.path, name)
	err := f.disk.Remove(filepath.Join(path, configurationName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove function %s: %w", name, err)
	}
	return f.disk.RemoveTree(path)
}

// sweep removes what a former life has left in a function's folder, all code but what is
// named.
func (f *folder) sweep(name string, named map[string]bool) error {
	errs := []error{f.disk.RemoveTree(filepath.Join(f.path, name, scratchName))}
	_, err := f.disk.Sweep(filepath.Join(f.path, name))
	errs = append(errs, err)
	entries, err := os.ReadDir(f.code(name, ""))
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	for _, e := range entries {
		if !named[strings.TrimSuffix(e.Name(), ".zip")] {
			errs = append(errs, f.disk.RemoveTree(f.code(name, e.Name())))
		}
	}
	return errors.Join(errs...)
}

// scratch makes a folder for one worker.
func (f *folder) scratch(name string) (string, error) {
	path := filepath.Join(f.path, name, scratchName, nonce())
	return path, os.MkdirAll(path, 0o700)
}

// nonce is 16 random hex digits.
func nonce() string {
	var raw [8]byte
	rand.Read(raw[:]) // never fails
	return hex.EncodeToString(raw[:])
}

// newID is a UUID of version 4.
func newID() string {
	var raw [16]byte
	rand.Read(raw[:]) // never fails
	raw[6], raw[8] = raw[6]&0x0f|0x40, raw[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:])
}
