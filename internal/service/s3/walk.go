package s3

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
)

// A walk visits the keys of a bucket in the order of their bytes, from a bound on. It
// holds one frame per folder on the way to where it is, and of each folder only the next
// few names, so that its memory does not grow with the bucket. The tree may change
// meanwhile: what is put or deleted during a walk may be seen or not, all else is.
type walk struct {
	s      *Store
	bucket string
	bound  string // no key below it is wanted any more
	frames []*frame
}

// frame is a folder that the walk is in.
type frame struct {
	prefix string  // of all keys in it: empty, or ending in a slash
	path   string  // of the folder
	names  []entry // the next names in order
	next   int     // index in names
	more   bool    // the folder holds names behind these
}

// entry is a component in a folder. A folder's name ends in a slash, which sorts it as all
// keys below it do.
type entry struct {
	name string
	path string // below the frame's folder
}

func (e entry) isFolder() bool { return strings.HasSuffix(e.name, "/") }

// defaultFrameNames is how many names of a folder a walk keeps in memory; reading collects
// up to twice as many.
const defaultFrameNames = 4096

// newWalk starts a walk of the keys that begin with prefix. It starts at from.
func (s *Store) newWalk(bucket, prefix, from string) (*walk, error) {
	w := &walk{s: s, bucket: bucket, bound: max(prefix, from)}
	folder, base := "", s.bucketPath(bucket)
	if i := strings.LastIndexByte(prefix, '/'); i >= 0 {
		folder, base = prefix[:i+1], s.objectPath(bucket, prefix[:i])
	}
	return w, w.enter(folder, base)
}

// advance asks for keys from bound on only. It never goes back.
func (w *walk) advance(bound string) { w.bound = max(w.bound, bound) }

// next returns the next key from the bound on, and moves the bound behind it. It is false
// at the end.
func (w *walk) next() (key string, ok bool, err error) {
	for len(w.frames) > 0 {
		f := w.frames[len(w.frames)-1]
		e, ok, err := w.nextEntry(f)
		if err != nil {
			return "", false, err
		}
		if !ok {
			w.frames = w.frames[:len(w.frames)-1]
			continue
		}
		f.next++
		name := f.prefix + e.name
		if !e.isFolder() {
			w.bound = name + "\x00"
			return name, true, nil
		}
		if err := w.enter(name, filepath.Join(f.path, e.path)); err != nil {
			return "", false, err
		}
	}
	return "", false, nil
}

// nextEntry returns the first entry of f, from where it stands, that may hold keys from
// the bound on.
func (w *walk) nextEntry(f *frame) (entry, bool, error) {
	for {
		f.next += sort.Search(len(f.names)-f.next, func(i int) bool {
			return w.wants(f.prefix, f.names[f.next+i].name)
		})
		if f.next < len(f.names) {
			return f.names[f.next], true, nil
		}
		if !f.more || w.bound > f.prefix && !strings.HasPrefix(w.bound, f.prefix) {
			return entry{}, false, nil
		}
		if err := w.fill(f); err != nil {
			return entry{}, false, err
		}
	}
}

// wants reports whether a name may hold keys from the bound on. The names before the
// first wanted one are all unwanted.
func (w *walk) wants(prefix, name string) bool {
	full := prefix + name
	return full >= w.bound || strings.HasSuffix(name, "/") && strings.HasPrefix(w.bound, full)
}

// enter adds a frame. A folder that is not there (any more) holds nothing.
func (w *walk) enter(prefix, path string) error {
	f := &frame{prefix: prefix, path: path}
	if err := w.fill(f); err != nil {
		return err
	}
	w.frames = append(w.frames, f)
	return nil
}

// fill reads the next names of a folder, those wanted only.
func (w *walk) fill(f *frame) error {
	r := reader{walk: w, frame: f, again: f.more}
	if f.more {
		r.after = f.names[len(f.names)-1].name
	}
	f.names, f.next, f.more = nil, 0, false
	if err := r.read("", ""); err != nil {
		return err
	}
	r.sort()
	if f.more {
		// Names left out before may stand between those that came after.
		r.keepSmallest()
	}
	return nil
}

// reader collects the smallest names of a folder, long ones assembled.
type reader struct {
	walk  *walk
	frame *frame
	again bool   // the frame had names before
	after string // names up to this one are known then
}

// read reads the folder at path below the frame's. chunk is the text that its path stands
// for, where it is one that holds the rest of a long component.
func (r *reader) read(path, chunk string) error {
	folder, err := os.Open(filepath.Join(r.frame.path, path))
	if isAbsent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	for {
		entries, err := folder.ReadDir(1024)
		for _, e := range entries {
			if err := r.add(path, chunk, e); err != nil {
				return errors.Join(err, folder.Close())
			}
		}
		if errors.Is(err, io.EOF) || isAbsent(err) {
			return folder.Close()
		}
		if err != nil {
			return errors.Join(err, folder.Close())
		}
	}
}

// add adds what stands for a component, and skips files that are not ours.
func (r *reader) add(path, chunk string, e os.DirEntry) error {
	text, kind, ok := readName(e.Name())
	if !ok || e.IsDir() && kind == displacedName || !e.IsDir() && (kind == chunkName || !e.Type().IsRegular()) {
		return nil
	}
	text = chunk + text
	below := filepath.Join(path, e.Name())
	if e.IsDir() && kind == chunkName {
		return r.read(below, text)
	}
	if keyPath(text) != filepath.ToSlash(strings.TrimSuffix(below, displacedSuffix(kind))) {
		return nil
	}
	if e.IsDir() {
		text += "/"
	}
	if r.again && text <= r.after || !r.walk.wants(r.frame.prefix, text) {
		return nil
	}
	r.frame.names = append(r.frame.names, entry{text, below})
	if len(r.frame.names) >= 2*r.walk.s.frameNames {
		r.sort()
		r.keepSmallest()
	}
	return nil
}

// keepSmallest leaves a frame's worth of the sorted names. The smallest of all names of
// the folder are among them, in whatever order the folder told them.
func (r *reader) keepSmallest() {
	keep := r.walk.s.frameNames
	if len(r.frame.names) <= keep {
		return
	}
	clear(r.frame.names[keep:])
	r.frame.names = r.frame.names[:keep]
	r.frame.more = true
}

func displacedSuffix(kind nameKind) string {
	if kind == displacedName {
		return displacedMark
	}
	return ""
}

// sort brings the names in order, each once: a file copied in by hand may stand before a
// displaced one.
func (r *reader) sort() {
	slices.SortFunc(r.frame.names, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	r.frame.names = slices.CompactFunc(r.frame.names, func(a, b entry) bool { return a.name == b.name })
}
