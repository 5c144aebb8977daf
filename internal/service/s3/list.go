package s3

import (
	"fmt"
	"strings"
)

// listing is a question to a bucket: which keys, in which pages.
type listing struct {
	prefix    string
	delimiter string
	after     string // the last key or common prefix of the page before; empty at the start
	max       int    // keys and common prefixes in one page
}

// page is the answer.
type page struct {
	objects   []listedObject
	prefixes  []string
	truncated bool
	last      string // the last key or common prefix, where the next page goes on
}

// listedObject is one object of a page.
type listedObject struct {
	key string
	Info
}

// list returns a page of a bucket's keys in byte order. Keys that hold the delimiter
// behind the prefix are rolled up into one common prefix each.
func (s *Store) list(bucket string, l listing) (page, error) {
	if err := s.requireBucket(bucket); err != nil {
		return page{}, err
	}
	var p page
	if l.max == 0 {
		return p, nil
	}
	w, err := s.newWalk(bucket, l.prefix, l.start())
	if err != nil {
		return page{}, fmt.Errorf("list %s: %w", bucket, err)
	}
	for {
		key, ok, err := w.next()
		if err != nil {
			return page{}, fmt.Errorf("list %s: %w", bucket, err)
		}
		if !ok || !strings.HasPrefix(key, l.prefix) {
			return p, nil
		}
		if len(p.objects)+len(p.prefixes) == l.max {
			p.truncated = true
			return p, nil
		}
		if common := l.common(key); common != "" {
			p.prefixes, p.last = append(p.prefixes, common), common
			w.advance(behind(common))
			continue
		}
		info, err := s.statObject(bucket, key)
		if is(err, errNoSuchKey) {
			continue
		}
		if err != nil {
			return page{}, err
		}
		p.objects, p.last = append(p.objects, listedObject{key, info}), key
	}
}

// start is the smallest key that the page may begin with. Where the page before ended
// inside a common prefix, that one is done with.
func (l *listing) start() string {
	if l.after == "" {
		return ""
	}
	if common := l.common(l.after); common != "" {
		return behind(common)
	}
	return l.after + "\x00"
}

// common is the common prefix that key is rolled up into, or empty.
func (l *listing) common(key string) string {
	rest, ok := strings.CutPrefix(key, l.prefix)
	if !ok || l.delimiter == "" {
		return ""
	}
	i := strings.Index(rest, l.delimiter)
	if i < 0 {
		return ""
	}
	return key[:len(l.prefix)+i+len(l.delimiter)]
}

// behind is the smallest string that is greater than all that begin with prefix. Keys are
// UTF-8, so the last byte is never 0xff.
func behind(prefix string) string {
	n := len(prefix) - 1
	return prefix[:n] + string([]byte{prefix[n] + 1})
}
