package orc

import (
	"strings"

	"hydrant/internal/column"
)

// KnownBloomColumns tells names that can be given as BloomColumns from others. OrcSerDe
// ignores the others, while NewWriter refuses them (section 12).
func KnownBloomColumns(schema *column.Type, names []string) (known, unknown []string) {
	for _, name := range names {
		if _, _, ok := findColumn(schema, 0, strings.ToLower(name)); ok {
			known = append(known, name)
		} else {
			unknown = append(unknown, name)
		}
	}
	return known, unknown
}

// bloomNodes are the numbers of the nodes that get a bloom filter, and the names of columns
// that are not there.
func bloomNodes(schema *column.Type, names []string) (nodes map[int]bool, unknown []string) {
	nodes = map[int]bool{}
	known, unknown := KnownBloomColumns(schema, names)
	for _, name := range known {
		t, id, _ := findColumn(schema, 0, strings.ToLower(name))
		selectPrimitives(t, id, nodes)
	}
	return nodes, unknown
}

// findColumn is the type and the number of a column below the node of a number and a type,
// or of a member of a struct as in a.b.
func findColumn(t *column.Type, id int, name string) (*column.Type, int, bool) {
	id++
	for i := range t.Fields {
		field, typ := strings.ToLower(t.Fields[i].Name), t.Fields[i].Type
		if field == name {
			return typ, id, true
		}
		if rest, ok := strings.CutPrefix(name, field+"."); ok {
			if found, at, ok := findColumn(typ, id, rest); ok {
				return found, at, true
			}
		}
		id += countNodes(typ)
	}
	return nil, 0, false
}

// countNodes is how many nodes a type and those below it take.
func countNodes(t *column.Type) int {
	n := 1
	for _, child := range childTypes(t) {
		n += countNodes(child)
	}
	return n
}

// selectPrimitives adds the node of a type, or those below it, that a filter is of use for. It
// returns the number behind them.
func selectPrimitives(t *column.Type, id int, nodes map[int]bool) int {
	if t.Kind < column.List && t.Kind != column.Boolean {
		nodes[id] = true
	}
	id++
	for _, child := range childTypes(t) {
		id = selectPrimitives(child, id, nodes)
	}
	return id
}
