package schema

import (
	"slices"
	"unicode/utf8"

	"hydrant/internal/column"
)

// A draft is a proposal in the making.
type draft struct {
	columns []Column
	options OpenX
	notes   notes
	inner   map[string]bool // names of fields of structs, at any depth
	dots    bool            // the deserializer makes _ of dots in keys
	dotted  bool            // a key was found that needs that
}

// draft makes columns of what was seen. Whether the deserializer must convert dots shows only
// on the way, and it does so with all keys or none: then all is done again.
func (i *Inference) draft() *draft {
	d := &draft{notes: slices.Clone(i.notes), inner: map[string]bool{}}
	if d.addColumns(&i.root); !d.dotted {
		return d
	}
	d = &draft{notes: slices.Clone(i.notes), inner: map[string]bool{}, dots: true}
	d.options.ConvertDotsInJSONKeysToUnderscores = true
	d.addColumns(&i.root)
	return d
}

// addColumns makes a column of each key. Names come after types, since they depend on the
// names that are inside of types.
func (d *draft) addColumns(root *shape) {
	var fields []*shape
	for _, f := range d.merged(root, "") {
		if f.name == "" || utf8.RuneCountInString(f.name) > maxName {
			d.notes.add("the key %.60q can be no name of a column; it is left out", f.name)
			continue
		}
		fields = append(fields, f)
		d.columns = append(d.columns, Column{Type: d.typeOf(f, f.name).String()})
	}
	taken := map[string]bool{}
	for n, f := range fields {
		d.columns[n].Name = d.columnName(f.name, taken)
	}
}

// typeOf is the type that fits all that was seen at a place, whose path notes tell.
func (d *draft) typeOf(s *shape, path string) *column.Type {
	switch {
	case s.kinds() == 0:
		d.notes.add("%s is null in all documents: string may not be its type", path)
		return &column.Type{Kind: column.String}
	case s.kinds() > 1:
		d.notes.add("%s has values of different kinds (%s): it becomes string", path, s.describe())
		return &column.Type{Kind: column.String}
	case s.seen[boolean] > 0:
		return &column.Type{Kind: column.Boolean}
	case s.numbers() > 0:
		if s.seen[outsized] > 0 {
			d.notes.add("%s has numbers that no type holds: it becomes string", path)
		}
		return s.number()
	case s.texts() > 0:
		return s.written()
	case s.seen[list] > 0:
		return &column.Type{Kind: column.List, Elem: d.typeOf(s.elem, path+"[]")}
	case s.isMap():
		return d.mapOf(s, path)
	}
	return d.structOf(s, path)
}

func (d *draft) mapOf(s *shape, path string) *column.Type {
	all := &shape{}
	if s.elem != nil {
		all.merge(s.elem)
	}
	for _, f := range s.fields {
		all.merge(f)
	}
	if len(s.fields) > 0 || s.many {
		d.notes.add("%s has many different keys with values of one kind: it becomes map", path)
	}
	return &column.Type{Kind: column.Map, Key: &column.Type{Kind: column.String}, Elem: d.typeOf(all, path+"{}")}
}

func (d *draft) structOf(s *shape, path string) *column.Type {
	t := &column.Type{Kind: column.Struct}
	for _, f := range d.merged(s, " of "+path) {
		if name := d.fieldName(f.name, path); name != "" {
			t.Fields = append(t.Fields, column.Field{Name: name, Type: d.typeOf(f, path+"."+f.name)})
		}
	}
	if len(t.Fields) == 0 {
		return &column.Type{Kind: column.String}
	}
	return t
}
