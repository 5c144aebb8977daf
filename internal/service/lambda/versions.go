package lambda

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxVersions is how many published versions a function may have.
const maxVersions = 1000

// storedVersion is the content of versions/N.json.
type storedVersion struct {
	Configuration Configuration
	Code          string // folder below code
}

// version is a published version: a configuration and code under a number. Neither changes.
type version struct {
	storedVersion
	number int
	pool   *pool
}

// newVersion has a version that is on disk take calls.
func (s *Service) newVersion(f *function, st storedVersion) *version {
	number, _ := strconv.Atoi(st.Configuration.Version) // what was read or made has a number
	pool := newPool(s, s.revision(&st.Configuration, st.Code), f.shelf, f.share)
	return &version{storedVersion: st, number: number, pool: pool}
}

// version returns a published version; nil if there is none of this number.
func (f *function) version(number string) *version {
	for _, v := range f.versions {
		if v.Configuration.Version == number {
			return v
		}
	}
	return nil
}

// deployment is what a qualifier stands for: code, and where it runs.
type deployment struct {
	function *function
	config   Configuration // FunctionArn has the qualifier if there was one
	code     string
	pool     *pool
}

// resolve finds what a target runs. An alias that splits its calls gives one or the other
// version each time.
func (s *Service) resolve(t target) (*deployment, error) {
	f, err := s.find(t)
	if err != nil {
		return nil, err
	}
	return s.deployed(f, t, rand.Float64())
}

// deployed is resolve for a function that was found. luck, from 0 to below 1, decides where
// an alias splits.
func (s *Service) deployed(f *function, t target, luck float64) (*deployment, error) {
	d := &deployment{function: f, config: f.Configuration, code: f.Code, pool: f.pool}
	number := t.qualifier
	if a, ok := f.Aliases[number]; ok {
		number = a.choose(luck)
	}
	if number != "" && number != latest {
		v := f.version(number)
		if v == nil {
			return nil, fmt.Errorf("%w: %s", ErrNotFound, s.arnOf(t))
		}
		d.config, d.code, d.pool = v.Configuration, v.Code, v.pool
	}
	d.config.FunctionArn = s.arnOf(t)
	return d, nil
}

// versionPath is where a version is kept.
func (f *folder) versionPath(name, number string) string {
	return filepath.Join(f.path, name, versionsName, number+".json")
}

// writeVersion makes a version durable. It is published once function.json says so.
func (f *folder) writeVersion(name string, v *storedVersion) error {
	text, err := json.Marshal(v, jsontext.WithIndent("\t"), json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("encode version %s of %s: %w", v.Configuration.Version, name, err)
	}
	if err := f.disk.MkdirAll(filepath.Join(f.path, name, versionsName), 0o700); err != nil {
		return err
	}
	if err := f.disk.WriteFile(f.versionPath(name, v.Configuration.Version), text, 0o600); err != nil {
		return fmt.Errorf("write version %s of %s: %w", v.Configuration.Version, name, err)
	}
	return nil
}

// removeVersion forgets a version.
func (f *folder) removeVersion(name, number string) error {
	err := f.disk.Remove(f.versionPath(name, number))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove version %s of %s: %w", number, name, err)
	}
	return nil
}

// readVersions returns the versions of a function by number. What a crash kept from being
// published, or left half written, is removed.
func (f *folder) readVersions(name string, published int) ([]storedVersion, error) {
	path := filepath.Join(f.path, name, versionsName)
	entries, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if _, err := f.disk.Sweep(path); err != nil {
		return nil, err
	}
	var numbers []int
	for _, e := range entries {
		var n int
		if _, err := fmt.Sscanf(e.Name(), "%d.json", &n); err != nil || strconv.Itoa(n)+".json" != e.Name() {
			continue
		}
		if n > published {
			if err := f.removeVersion(name, strconv.Itoa(n)); err != nil {
				return nil, err
			}
			continue
		}
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	return f.readNumbers(name, numbers)
}

func (f *folder) readNumbers(name string, numbers []int) ([]storedVersion, error) {
	all := make([]storedVersion, len(numbers))
	for i, n := range numbers {
		path := f.versionPath(name, strconv.Itoa(n))
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &all[i]); err != nil || all[i].Configuration.Version != strconv.Itoa(n) {
			return nil, fmt.Errorf("%s is damaged: %w", path, err)
		}
	}
	return all, nil
}
