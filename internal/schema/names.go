package schema

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxName is how many characters the name of a column may have (spec neighbours.md section 3.1).
const maxName = 255

// formNames are the words for forms in notes.
var formNames = [forms]string{"booleans", "integers", "integers", "integers", "numbers", "numbers", "texts", "texts", "texts", "objects", "arrays"}

// describe lists what was seen.
func (s *shape) describe() string {
	var words []string
	for i, n := range s.seen {
		if n > 0 && (len(words) == 0 || words[len(words)-1] != formNames[i]) {
			words = append(words, formNames[i])
		}
	}
	return strings.Join(words, ", ")
}

// merged are the fields of an object as the deserializer tells their keys apart: when dots
// become _, keys may become one that were several.
func (d *draft) merged(s *shape, path string) []*shape {
	if !d.dots {
		return s.fields
	}
	var all []*shape
	places, shared := map[string]int{}, map[string]bool{}
	for _, f := range s.fields {
		name := d.seenAs(f.name)
		at, there := places[name]
		if !there {
			places[name], all = len(all), append(all, f)
			continue
		}
		if !shared[name] { // what was seen stays as it is: it may be asked for again
			shared[name] = true
			first := all[at]
			all[at] = &shape{name: first.name}
			all[at].merge(first)
		}
		all[at].merge(f)
		d.notes.add("the keys %.60q and %.60q%s become one, since dots become _: the last of them counts in each object",
			all[at].name, f.name, path)
	}
	return all
}

// seenAs is a key as the deserializer compares it.
func (d *draft) seenAs(key string) string {
	if d.dots {
		return undotted(fold(key))
	}
	return fold(key)
}

func undotted(key string) string { return strings.ReplaceAll(key, ".", "_") }

// plain is a key with _ for all that Hive does not allow in names of columns.
func plain(key string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' {
			return r
		}
		return '_'
	}, key)
}

// columnName is the name of the column of a key: in lower case, and with _ where Hive allows
// nothing else. What the deserializer cannot find out by itself becomes one of its options.
// Its mappings hold for fields of structs too, so none has the name of such a field.
func (d *draft) columnName(key string, taken map[string]bool) string {
	own := d.seenAs(key)
	wanted := plain(own)
	if own != wanted && undotted(own) == wanted {
		d.dotted = true
	}
	name := wanted
	for n := 2; taken[name] || name != own && d.inner[name]; n++ {
		name = fmt.Sprintf("%.240s_%d", strings.TrimSuffix(name, fmt.Sprintf("_%d", n-1)), n)
	}
	taken[name] = true
	if name == own {
		return name
	}
	if d.inner[wanted] && wanted != own {
		d.notes.add("the column of the key %.60q is %.60s: a mapping of %.60s would hold for the field of that name as well", key, name, wanted)
	}
	if d.options.ColumnToJSONKeyMappings == nil {
		d.options.ColumnToJSONKeyMappings = map[string]string{}
	}
	d.options.ColumnToJSONKeyMappings[name] = key
	return name
}

// fieldName is the name of the field of a key in a struct. Other characters than letters,
// digits and _ are allowed there, in back quotes. Empty: the key can have no field.
func (d *draft) fieldName(key, path string) string {
	name := d.seenAs(key)
	if strings.Contains(name, ".") {
		d.dotted = true
	}
	if key == "" || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == '`' || r == utf8.RuneError }) {
		d.notes.add("the key %.60q of %s can be no name of a field; it is left out", key, path)
		return ""
	}
	d.inner[name] = true
	return name
}
