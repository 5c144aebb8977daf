package logs

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-json-experiment/json"

	"hydrant/internal/durable"
)

// Names on disk: ROOT/logs/GROUP/group.json and ROOT/logs/GROUP/STREAM/stream.json. What is
// being deleted gets a name that no escaped one has, in the folder it was in.
const (
	groupFile     = "group.json"
	streamFile    = "stream.json"
	deletedPrefix = ".deleted-"
)

// groupAbout is what the file group.json of a group holds. It is replaced, not changed.
type groupAbout struct {
	Name      string
	Created   int64
	Retention int               `json:",omitzero"` // days; 0: for ever
	Class     string            `json:",omitzero"`
	KeyID     string            `json:",omitzero"` // told, and not used
	Protected bool              `json:",omitzero"` // it cannot be deleted
	Tags      map[string]string `json:",omitempty"`
}

// group is a log group. Its fields are guarded by the service's mu.
type group struct {
	folder  string
	about   groupAbout
	streams map[string]*stream
	damaged map[string]bool // names of folders of streams that cannot be read
}

// load reads everything.
func (s *Service) load() error {
	s.folder = filepath.Join(s.opt.Root, "logs")
	if err := durable.MkdirAll(s.folder, 0o700); err != nil {
		return fmt.Errorf("make the folder of logs: %w", err)
	}
	return eachFolder(s.folder, func(name string) error {
		g, err := s.loadGroup(filepath.Join(s.folder, name))
		if err != nil {
			return s.setAside(s.damaged, s.folder, name, err)
		}
		s.groups[g.about.Name] = g
		return nil
	})
}

func (s *Service) loadGroup(folder string) (*group, error) {
	g := &group{folder: folder, streams: make(map[string]*stream), damaged: make(map[string]bool)}
	if err := readJSON(filepath.Join(folder, groupFile), &g.about); err != nil {
		return nil, err
	}
	if folderName(g.about.Name) != filepath.Base(folder) {
		return nil, errDamaged
	}
	return g, eachFolder(folder, func(name string) error {
		st, err := openStream(filepath.Join(folder, name), s.opt.Logger)
		if err == nil && folderName(st.Name) != name {
			err = errDamaged
		}
		if err != nil {
			return s.setAside(g.damaged, folder, name, err)
		}
		g.streams[st.Name] = st
		return nil
	})
}

// setAside takes note of a folder that cannot be read. One that is empty is what a crash
// left of making it, and is removed.
func (s *Service) setAside(damaged map[string]bool, folder, name string, err error) error {
	path := filepath.Join(folder, name)
	if os.Remove(path) == nil {
		return nil
	}
	if !errors.Is(err, errDamaged) && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read %s: %w", path, err)
	}
	damaged[name] = true
	s.opt.Logger.Error("log group or stream is unavailable until its describing file is restored", "folder", path, "error", err)
	return nil
}

// eachFolder finishes deletions in a folder and calls fn for the folders that remain.
func eachFolder(folder string, fn func(name string) error) error {
	if _, err := (durable.Disk{}).Sweep(folder); err != nil {
		return err
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		switch {
		case !e.IsDir():
		case strings.HasPrefix(e.Name(), deletedPrefix):
			err = durable.Disk{}.RemoveTree(filepath.Join(folder, e.Name()))
		default:
			err = fn(e.Name())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func readJSON(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	return nil
}

// describe makes a folder, if it is not there, and writes what describes it.
func describe(folder, file string, about any) error {
	text, err := json.Marshal(about)
	if err != nil {
		return err
	}
	if err := (durable.Disk{}).Mkdir(folder, 0o700); err != nil {
		return err
	}
	return durable.WriteFile(filepath.Join(folder, file), text, 0o600)
}

// bury makes a folder vanish durably. What it held is removed at leisure.
func bury(folder string) error {
	grave := filepath.Join(filepath.Dir(folder), fmt.Sprintf("%s%016x", deletedPrefix, rand.Uint64()))
	if err := (durable.Disk{}).Rename(folder, grave); err != nil {
		return err
	}
	// A failure leaves work for the next start, and nothing to tell anyone.
	_ = durable.Disk{}.RemoveTree(grave)
	return nil
}

// alter lets fn change a copy of what describes a group, and stores it.
func (s *Service) alter(name string, fn func(*groupAbout) error) error {
	s.change.Lock()
	defer s.change.Unlock()
	g, err := s.find(name)
	if err != nil {
		return err
	}
	about := g.about // only holders of change write it
	about.Tags = maps.Clone(about.Tags)
	if err := fn(&about); err != nil {
		return err
	}
	if err := describe(g.folder, groupFile, about); err != nil {
		return fmt.Errorf("store log group %q: %w", name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	g.about = about
	return nil
}

// kill marks streams as gone, and waits for who is writing to them.
func kill(streams ...*stream) {
	for _, st := range streams {
		st.put.Lock()
		st.gone = true
		st.put.Unlock()
	}
}
