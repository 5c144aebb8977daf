package extract

import "github.com/itchyny/gojq"

// A plan is the tree of names that a path query looks up. Each name of a key stands at one
// leaf, and each leaf holds at least one.
type plan struct {
	root  node
	nodes int      // below the root
	names []string // of the keys, in the order of the query
}

// A node is a member to look up. It is either a leaf or has children.
type node struct {
	name     string
	id       int // below plan.nodes
	keys     []int
	children []*node
}

// planOf is the plan of q, or nil if q is not a path query. What a walk would have to leave
// to the interpreter in any case has no plan either.
func planOf(q *gojq.Query) *plan {
	if q.Term == nil || q.Term.Type != gojq.TermTypeObject || len(q.Term.SuffixList) > 0 || len(q.FuncDefs) > 0 {
		return nil
	}
	members := q.Term.Object.KeyVals
	p := &plan{names: namesOf(q.Term.Object)}
	if len(members) == 0 || len(p.names) != len(members) {
		return nil // a name has to be computed, or comes twice
	}
	for i, kv := range members {
		path := pathOf(kv, p.names[i])
		if path == nil || !p.add(path, i) {
			return nil
		}
	}
	return p
}

// add puts key i at the end of path; false if a leaf would have children.
func (p *plan) add(path []string, i int) bool {
	at := &p.root
	for _, name := range path {
		if len(at.keys) > 0 {
			return false
		}
		next := at.child([]byte(name))
		if next == nil {
			next = &node{name: name, id: p.nodes}
			p.nodes++
			at.children = append(at.children, next)
		}
		at = next
	}
	at.keys = append(at.keys, i)
	return len(at.children) == 0
}

// child is the child of that name, or nil. There are too few for a map.
func (n *node) child(name []byte) *node {
	for _, c := range n.children {
		if c.name == string(name) {
			return c
		}
	}
	return nil
}

// pathOf is the path that a member named name takes its value from; nil if it does not pick
// one: {a}, {a:.b.c}, {a:.b["c"]?}.
func pathOf(kv *gojq.ObjectKeyVal, name string) []string {
	if kv.Val == nil {
		if kv.KeyQuery != nil || kv.Key != "" && kv.Key[0] == '$' {
			return nil
		}
		return []string{name}
	}
	t := kv.Val.Term
	if t == nil || len(kv.Val.FuncDefs) > 0 {
		return nil
	}
	var path []string
	switch t.Type {
	case gojq.TermTypeIndex:
		if path = appendStep(nil, t.Index); path == nil {
			return nil
		}
	case gojq.TermTypeIdentity:
	default:
		return nil
	}
	for _, s := range t.SuffixList {
		if s.Optional {
			continue // it says what becomes of a failure; a walk has none
		}
		if path = appendStep(path, s.Index); path == nil {
			return nil
		}
	}
	return path
}

// appendStep appends the name that i looks up; nil if it looks up none, or computes it.
func appendStep(path []string, i *gojq.Index) []string {
	switch {
	case i == nil || i.IsSlice:
		return nil
	case i.Name != "":
		return append(path, i.Name)
	}
	s := i.Str
	if s == nil && i.Start != nil && i.Start.Term != nil && len(i.Start.Term.SuffixList) == 0 {
		s = i.Start.Term.Str
	}
	if name, ok := literal(s); ok {
		return append(path, name)
	}
	return nil
}
