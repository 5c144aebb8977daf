package s3

import (
	"strings"
	"unicode/utf8"

	"hydrant/internal/durable"
)

// A key becomes a path component by component. A component is its own file name, except:
//
//	a%b    a%25b    the escape character itself; control characters likewise (%0A)
//	.      %2E      names that the file system or this package gives a meaning
//	..     %2E%2E   (a name like that of a temporary file gets a leading %2E)
//	(none) %_       an empty component: two slashes in a row, or one at the start or end
//	long   …%+/…    longer than maxName: folders whose names end in %+, then the rest
//
// A name that ends in a bare % is a displaced object. So no two keys share a path, no path
// leaves the bucket, and a file name that no key leads to is not an object.
const (
	maxName       = 200 // bytes of a file name, before any mark of ours
	emptyName     = "%_"
	chunkMark     = "%+"
	displacedMark = "%"
	sidecarMark   = "%.json"
)

// maxKey is the largest key in bytes of UTF-8.
const maxKey = 1024

// keyPath returns the path of a key below its bucket, with slashes.
func keyPath(key string) string {
	var b strings.Builder
	b.Grow(len(key) + 8)
	for i, component := range strings.Split(key, "/") {
		if i > 0 {
			b.WriteByte('/')
		}
		writeComponent(&b, component)
	}
	return b.String()
}

// writeComponent writes the file name of a component, or the path of a long one.
func writeComponent(b *strings.Builder, component string) {
	if component == "" {
		b.WriteString(emptyName)
		return
	}
	name := make([]byte, 0, min(len(component)+8, maxName+8))
	for len(component) > 0 {
		n := characterLength(component)
		escaped := n
		if needsEscape(component[0]) {
			escaped = 3
		}
		if len(name)+escaped > maxName {
			b.Write(name)
			b.WriteString(chunkMark + "/")
			name = name[:0]
		}
		if escaped == n {
			name = append(name, component[:n]...)
		} else {
			name = appendEscape(name, component[0])
		}
		component = component[n:]
	}
	switch s := string(name); {
	case s == ".":
		b.WriteString("%2E")
	case s == "..":
		b.WriteString("%2E%2E")
	case durable.IsTemporary(s):
		b.WriteString("%2E" + s[1:])
	default:
		b.WriteString(s)
	}
}

// characterLength is the length of the first character of s; names are cut between
// characters so that they stay valid UTF-8.
func characterLength(s string) int {
	_, n := utf8.DecodeRuneInString(s)
	return n
}

func needsEscape(c byte) bool { return c == '%' || c < 0x20 || c == 0x7f }

func appendEscape(dst []byte, c byte) []byte {
	const hex = "0123456789ABCDEF"
	return append(dst, '%', hex[c>>4], hex[c&15])
}

// nameKind is what the marks at the end of a file name say.
type nameKind uint8

const (
	plainName     nameKind = iota
	chunkName              // a folder that holds the rest of a long component
	displacedName          // a file that stands beside a folder of the same name
)

// readName undoes writeComponent for one file name. It is false for names that no key
// has. A name may still not be the one its key leads to: keyPath tells.
func readName(name string) (text string, kind nameKind, ok bool) {
	if rest, found := strings.CutSuffix(name, chunkMark); found {
		name, kind = rest, chunkName
	} else if rest, found := strings.CutSuffix(name, displacedMark); found {
		name, kind = rest, displacedName
	}
	if name == emptyName && kind != chunkName {
		return "", kind, true
	}
	if name == "" || !utf8.ValidString(name) {
		return "", kind, false
	}
	text, ok = unescape(name)
	return text, kind, ok
}

// unescape replaces every %XX.
func unescape(s string) (string, bool) {
	if !strings.Contains(s, "%") {
		return s, true
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			out = append(out, s[i])
			continue
		}
		if i+2 >= len(s) {
			return "", false
		}
		high, low := hexDigit(s[i+1]), hexDigit(s[i+2])
		if high < 0 || low < 0 {
			return "", false
		}
		out = append(out, byte(high<<4|low))
		i += 2
	}
	return string(out), true
}

// hexDigit is the value of an upper-case hex digit, or -1.
func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
