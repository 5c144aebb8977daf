package kms

import (
	"crypto/cipher"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"hydrant/internal/durable"
)

// Errors of the folder.
var (
	// ErrDamaged: the file of a key cannot be used as it is. It is left alone.
	ErrDamaged = errors.New("key file is damaged")
	// ErrNoMaster: there are keys, but not the master key that opens them.
	ErrNoMaster = errors.New("master key is missing or another one; restore the whole folder from one backup")
	// ErrExposed: others can read the master key.
	ErrExposed = errors.New("master key can be read by others")
)

// Names in the folder ROOT/keys; the key with the id ID lies in ID.json.
const (
	masterName  = "master"
	ownName     = "own.json"
	aliasesName = "aliases.json"
	keySuffix   = ".json"
)

// folder is ROOT/keys. Reading needs no lock; writers are one at a time.
type folder struct {
	path   string
	disk   durable.Disk
	master cipher.AEAD
}

// alias is what aliases.json says of a name.
type alias struct {
	Target  string    `json:"target"` // key id
	Created time.Time `json:"created"`
	Updated time.Time `json:"updated"`
}

// openFolder makes what is missing at the first start, and only then.
func openFolder(root string, disk durable.Disk) (*folder, error) {
	f := &folder{path: filepath.Join(root, "keys"), disk: disk}
	if err := disk.MkdirAll(f.path, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of keys: %w", err)
	}
	if _, err := disk.Sweep(f.path); err != nil {
		return nil, fmt.Errorf("sweep the folder of keys: %w", err)
	}
	master, err := f.readMaster()
	if err != nil {
		return nil, fmt.Errorf("read the master key: %w", err)
	}
	defer clear(master)
	f.master, err = newAEAD(master)
	return f, err
}

func (f *folder) file(name string) string { return filepath.Join(f.path, name) }

// readMaster reads the master key, or makes one in a folder that has nothing yet.
func (f *folder) readMaster() ([]byte, error) {
	path := f.file(masterName)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return f.makeMaster()
	}
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("%w: %s has mode %04o. Run: chmod 600 %s", ErrExposed, path, mode, path)
	}
	master, err := os.ReadFile(path)
	if err == nil && len(master) != materialSize {
		return nil, fmt.Errorf("%w: %s has %d bytes, not %d", ErrNoMaster, path, len(master), materialSize)
	}
	return master, err
}

// makeMaster writes a new master key. One beside old keys would look like all of them being
// damaged.
func (f *folder) makeMaster() ([]byte, error) {
	ids, err := f.keyFiles()
	if err != nil {
		return nil, err
	}
	_, err = os.Stat(f.file(ownName))
	if len(ids) > 0 || !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s", ErrNoMaster, f.file(masterName))
	}
	master := random(materialSize)
	return master, f.disk.WriteFile(f.file(masterName), master, 0o600)
}

// readKey reads and opens a key. Whatever is wrong with the file is ErrDamaged.
func (f *folder) readKey(name string) (*key, error) {
	var k key
	if err := f.read(name, &k); err != nil {
		return nil, err
	}
	if err := k.open(f.master); err != nil {
		return nil, fmt.Errorf("%s: %w", f.file(name), err)
	}
	return &k, nil
}

// read decodes a file. fs.ErrNotExist stays visible; nonsense is ErrDamaged.
func (f *folder) read(name string, v any) error {
	text, err := os.ReadFile(f.file(name))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("%s: %w: %w", f.file(name), ErrDamaged, err)
	}
	return nil
}

// own reads the node's own key, or makes it where there are no other keys yet.
func (f *folder) own(others int, now time.Time) (*key, error) {
	k, err := f.readKey(ownName)
	switch {
	case errors.Is(err, ErrDamaged):
		return nil, fmt.Errorf("%w: %w", ErrNoMaster, err)
	case !errors.Is(err, fs.ErrNotExist):
		return k, err
	case others > 0:
		return nil, fmt.Errorf("%w: %w", ErrNoMaster, err)
	}
	k = &key{ID: newKeyID(false), Created: now, State: enabled}
	if err := k.grow(f.master, now); err != nil {
		return nil, err
	}
	return k, f.write(ownName, k)
}

// keyFiles are the ids that there are files of.
func (f *folder) keyFiles() ([]string, error) {
	entries, err := os.ReadDir(f.path)
	if err != nil {
		return nil, fmt.Errorf("list the keys: %w", err)
	}
	var ids []string
	for _, e := range entries {
		if id, ok := strings.CutSuffix(e.Name(), keySuffix); ok && isKeyID(id) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// readAliases reads the users' aliases.
func (f *folder) readAliases() (map[string]alias, error) {
	aliases := make(map[string]alias)
	if err := f.read(aliasesName, &aliases); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the aliases: %w", err)
	}
	return aliases, nil
}

// writeKey stores a key.
func (f *folder) writeKey(k *key) error { return f.write(k.ID+keySuffix, k) }

func (f *folder) writeAliases(aliases map[string]alias) error { return f.write(aliasesName, aliases) }

// removeKey destroys the material of a key.
func (f *folder) removeKey(id string) error {
	if err := f.disk.Remove(f.file(id + keySuffix)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove key %s: %w", id, err)
	}
	return nil
}

func (f *folder) write(name string, v any) error {
	text, err := json.Marshal(v, jsontext.WithIndent("\t"), json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	if err := f.disk.WriteFile(f.file(name), text, 0o600); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}
