package schema

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"hydrant/internal/column"
)

// maxName is how many characters the name of a column may have (spec neighbours.md section 3.1).
const maxName = 255

// formNames are the words for forms in notes.
var formNames = [forms]string{"booleans", "integers", "integers", "integers", "numbers", "texts", "texts", "texts", "objects", "arrays"}

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

// columnName is the name of the column of a key: in lower case, and with _ where Hive allows
// nothing else. What the deserializer cannot find out by itself becomes one of its options.
// Empty: the key can have no column.
func (i *Inference) columnName(key string, taken map[string]bool) string {
	if key == "" || utf8.RuneCountInString(key) > maxName {
		i.note("the key %.60q can be no name of a column; it is left out", key)
		return ""
	}
	dotted := strings.ReplaceAll(fold(key), ".", "_")
	name := strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' {
			return r
		}
		return '_'
	}, dotted)
	for n := 2; taken[name]; n++ {
		name = fmt.Sprintf("%.240s_%d", strings.TrimSuffix(name, fmt.Sprintf("_%d", n-1)), n)
	}
	taken[name] = true
	switch {
	case name == fold(key):
	case name == dotted:
		i.options.ConvertDotsInJSONKeysToUnderscores = true
	default:
		if i.options.ColumnToJSONKeyMappings == nil {
			i.options.ColumnToJSONKeyMappings = map[string]string{}
		}
		i.options.ColumnToJSONKeyMappings[name] = key
	}
	return name
}

// fieldName is the name of the field of a key in a struct. Other characters than letters,
// digits and _ are allowed there, in back quotes. Empty: the key can have no field.
func (i *Inference) fieldName(key, path string, taken map[string]bool) string {
	name := fold(key)
	if strings.Contains(name, ".") {
		i.options.ConvertDotsInJSONKeysToUnderscores = true
		name = strings.ReplaceAll(name, ".", "_")
	}
	unusable := key == "" || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == '`' || r == utf8.RuneError })
	if unusable || taken[name] {
		i.note("the key %.60q of %s can be no name of a field; it is left out", key, path)
		return ""
	}
	taken[name] = true
	return name
}

func (i *Inference) mapOf(s *shape, path string) *column.Type {
	all := &shape{}
	if s.elem != nil {
		all.merge(s.elem)
	}
	for _, f := range s.fields {
		all.merge(f)
	}
	if len(s.fields) > 0 || s.many {
		i.note("%s has many different keys with values of one kind: it becomes map", path)
	}
	return &column.Type{Kind: column.Map, Key: &column.Type{Kind: column.String}, Elem: i.typeOf(all, path+"{}")}
}

func (i *Inference) structOf(s *shape, path string) *column.Type {
	t, taken := &column.Type{Kind: column.Struct}, map[string]bool{}
	for _, f := range s.fields {
		if name := i.fieldName(f.name, path, taken); name != "" {
			t.Fields = append(t.Fields, column.Field{Name: name, Type: i.typeOf(f, path+"."+f.name)})
		}
	}
	if len(t.Fields) == 0 {
		return &column.Type{Kind: column.String}
	}
	return t
}
