package serde

import (
	"bytes"
	"fmt"
	"unicode"
	"unicode/utf8"

	"hydrant/internal/column"
)

// node is a type of the schema with what it takes to read values of it. No two places of
// the schema share a node.
type node struct {
	typ  *column.Type
	kind column.Kind
	key  *node // of a map
	elem *node // of a list: the elements; of a map: the values

	members []member       // of a struct
	names   map[string]int // members by the key they are read from, as normal writes it

	head  slot // its next is the key that is guessed to come first
	slots map[string]*slot
}

// member is a field of a struct.
type member struct {
	*node
	seen uint64 // the stamp of the last object that had a value for it
	also int    // another member that is read from the same key, or none
}

// none stands for no field.
const none = -1

// slot is a key as some object had it, and the field it stands for.
type slot struct {
	raw   []byte // with its quotes and escapes
	field int    // or none, for a key without column
	next  *slot  // the key that followed the last time
}

// spareSlots is how many keys beyond twice its fields a node remembers. Objects with ever
// new keys would fill the memory otherwise.
const spareSlots = 64

// newNode plans the reading of a type.
func (r *Reader) newNode(t *column.Type, mappings map[string]string) *node {
	n := &node{typ: t, kind: t.Kind}
	switch t.Kind {
	case column.Map:
		n.key, n.elem = r.newNode(t.Key, mappings), r.newNode(t.Elem, mappings)
	case column.List:
		n.elem = r.newNode(t.Elem, mappings)
	case column.Struct:
		r.newFields(n, mappings)
	}
	return n
}

func (r *Reader) newFields(n *node, mappings map[string]string) {
	n.names, n.slots = map[string]int{}, map[string]*slot{}
	for i, f := range n.typ.Fields {
		key := f.Name
		if mapped, ok := mappings[key]; ok {
			key = mapped
		}
		key = string(r.normal([]byte(key)))
		other, taken := n.names[key]
		if !taken {
			other = none
		}
		n.names[key] = i
		n.members = append(n.members, member{node: r.newNode(f.Type, mappings), also: other})
	}
}

// normal is a key as it is compared: in lower case and without dots, if the options say so.
// What it returns is only lent.
func (r *Reader) normal(key []byte) []byte {
	if r.fold {
		key = r.lower(key)
	}
	if r.dots && bytes.IndexByte(key, '.') >= 0 {
		r.lowered = append(r.lowered[:0], key...)
		key = r.lowered
		for i, c := range key {
			if c == '.' {
				key[i] = '_'
			}
		}
	}
	return key
}

// lower is the key in lower case, character by character. It is only lent.
func (r *Reader) lower(key []byte) []byte {
	for i, c := range key {
		if c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			r.lowered = appendLower(append(r.lowered[:0], key[:i]...), key[i:])
			return r.lowered
		}
	}
	return key
}

func appendLower(dst, src []byte) []byte {
	for i := 0; i < len(src); {
		c := src[i]
		if c < utf8.RuneSelf {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			dst = append(dst, c)
			i++
			continue
		}
		char, size := utf8.DecodeRune(src[i:])
		dst = utf8.AppendRune(dst, unicode.ToLower(char))
		i += size
	}
	return dst
}

// textual reports whether the values are texts.
func (n *node) textual() bool {
	return n.kind == column.String || n.kind == column.Varchar || n.kind == column.Char
}

// hasKind reports whether the kind is anywhere in the type.
func hasKind(t *column.Type, k column.Kind) bool {
	if t == nil {
		return false
	}
	if t.Kind == k || hasKind(t.Key, k) || hasKind(t.Elem, k) {
		return true
	}
	for _, f := range t.Fields {
		if hasKind(f.Type, k) {
			return true
		}
	}
	return false
}

// maxName is the most characters of a column or key in a mapping (spec section 6.3).
const maxName = 1024

// CheckMappings reports what is wrong with ColumnToJsonKeyMappings of OpenXJsonSerDe, in the
// words the API answers with (spec section 6.7). Errors wrap ErrInvalidOptions.
func CheckMappings(mappings map[string]string) error {
	columns := map[string]string{}
	for c, key := range mappings {
		if !goodName(c) || !goodName(key) {
			return optionsError(fmt.Sprintf("%sthe mapping of column %.100q to key %.100q must have names of 1 to %d characters",
				textOpenX, c, key, maxName))
		}
		low := string(appendLower(nil, []byte(c)))
		if _, twice := columns[low]; twice {
			return optionsError(fmt.Sprintf("%scolumn %.100q is mapped twice", textOpenX, low))
		}
		columns[low] = key
	}
	return nil
}

func goodName(s string) bool {
	n := utf8.RuneCountInString(s)
	return n >= 1 && n <= maxName && utf8.ValidString(s)
}

// lowerKeys are the mappings with their columns in lower case, as catalogues keep columns.
func lowerKeys(mappings map[string]string) map[string]string {
	low := map[string]string{}
	for c, key := range mappings {
		low[string(appendLower(nil, []byte(c)))] = key
	}
	return low
}
