package simulation

import (
	"slices"
	"strconv"
	"strings"
)

// layout is that of the version of a stream that an object's key begins with; nil: none.
func (w *world) layout(key string) *layout {
	name, rest, _ := strings.Cut(key, "/")
	tag, _, _ := strings.Cut(rest, "/")
	for _, s := range w.streams {
		if s.name != name {
			continue
		}
		i := slices.IndexFunc(s.layouts, func(l *layout) bool { return l.tag == name+"/"+tag+"/" })
		if i >= 0 {
			return s.layouts[i]
		}
	}
	return nil
}

// judgePlace says whether a record may lie in an object of a layout, and returns which
// partition it is in; nothing where there are none.
func (w *world) judgePlace(f *found, l *layout, key string, n name, know *note) string {
	stream := w.streams[n.stream].name
	if know.epoch > l.epoch {
		w.books.fault("%s holds record %+v, which was put when its stream had been deleted", key, n)
	}
	if !l.partitioned() || f.backup {
		return ""
	}
	prefix, rest, err := l.match(key, know)
	if err != nil {
		w.books.fault("%s holds record %+v: %v", key, n, err)
		return ""
	}
	number, _, _ := strings.Cut(strings.TrimPrefix(rest, stream+"-"), "-")
	if version, err := strconv.Atoi(number); err != nil || !strings.HasPrefix(rest, stream+"-") || version <= l.after {
		w.books.fault("%s: behind its prefix stands %q, which should be %s and a version above %d", key, rest, stream, l.after)
	}
	return prefix
}

// judgeName holds the version in an object's name against its prefix, which only one version
// of the stream ever had.
func (w *world) judgeName(versions map[string]string, key string) {
	folders := strings.SplitN(key, "/", 3) // the stream's name, the version's tag
	prefix := folders[0] + "/" + folders[1]
	base := key[strings.LastIndexByte(key, '/')+1:]
	parts := strings.SplitN(base, "-", 3)
	if len(parts) < 3 {
		w.books.fault("%s has no version in its name", key)
		return
	}
	if known, ok := versions[prefix]; ok && known != parts[1] {
		w.books.fault("%s carries version %s, but its prefix is that of version %s", key, parts[1], known)
	}
	versions[prefix] = parts[1]
}
