package extract

import (
	"slices"

	"github.com/itchyny/gojq"
)

// reads are the members of a record that a query can see, if it looks at records only by
// naming members of them: {a:.b, c:.d|strftime("%Y")} sees b and d. The interpreter then gets
// a record of these members alone. All else that a query may do with its input counts as
// seeing all of it.
type reads struct {
	all   bool
	names []string
}

// readsOf are the members that q can see of its input.
func readsOf(q *gojq.Query) reads {
	var r reads
	r.query(q)
	return r
}

func (r *reads) name(name string) {
	if !slices.Contains(r.names, name) {
		r.names = append(r.names, name)
	}
}

// has reports whether the query sees the member of that name.
func (r *reads) has(name []byte) bool {
	return slices.ContainsFunc(r.names, func(n string) bool { return n == string(name) })
}

// query adds what q sees. q may be nil, for a part that a construct does without.
func (r *reads) query(q *gojq.Query) {
	switch {
	case q == nil:
		return
	case len(q.FuncDefs) > 0 || q.Patterns != nil: // names could mean anything
		r.all = true
		return
	case q.Term != nil:
		r.term(q.Term)
		return
	}
	switch q.Op {
	case gojq.OpPipe:
		r.query(q.Left) // what comes behind sees only what this makes
	case gojq.OpComma, gojq.OpAdd, gojq.OpSub, gojq.OpMul, gojq.OpDiv, gojq.OpMod, gojq.OpEq, gojq.OpNe,
		gojq.OpGt, gojq.OpLt, gojq.OpGe, gojq.OpLe, gojq.OpAnd, gojq.OpOr, gojq.OpAlt:
		r.query(q.Left)
		r.query(q.Right)
	default: // assignments hand on the whole
		r.all = true
	}
}

func (r *reads) term(t *gojq.Term) {
	suffixes := t.SuffixList
	switch t.Type {
	case gojq.TermTypeIdentity:
		if len(suffixes) == 0 {
			r.all = true
			return
		}
		r.index(suffixes[0].Index)
		suffixes = suffixes[1:]
	case gojq.TermTypeIndex:
		r.index(t.Index)
	case gojq.TermTypeNull, gojq.TermTypeTrue, gojq.TermTypeFalse, gojq.TermTypeNumber:
	case gojq.TermTypeString, gojq.TermTypeFormat:
		if t.Str == nil {
			r.all = true // @base64 alone
			return
		}
		r.string(t.Str)
	case gojq.TermTypeFunc:
		r.all = r.all || t.Func.Name != "now" || len(t.Func.Args) > 0
	case gojq.TermTypeUnary:
		r.term(t.Unary.Term)
	case gojq.TermTypeQuery:
		r.query(t.Query)
	case gojq.TermTypeArray:
		r.query(t.Array.Query)
	case gojq.TermTypeObject:
		r.object(t.Object)
	case gojq.TermTypeIf:
		r.branches(t.If)
	default:
		r.all = true
	}
	for _, s := range suffixes { // of what is read; but .a[.b] looks for b in the record
		if s.Index != nil {
			r.query(s.Index.Start)
			r.query(s.Index.End)
			r.string(s.Index.Str)
		}
	}
}

// index adds the name that i looks up in the record.
func (r *reads) index(i *gojq.Index) {
	if step := appendStep(nil, i); step != nil {
		r.name(step[0])
	} else {
		r.all = true
	}
}

func (r *reads) string(s *gojq.String) {
	if s != nil {
		for _, q := range s.Queries {
			r.query(q)
		}
	}
}

func (r *reads) object(o *gojq.Object) {
	for _, kv := range o.KeyVals {
		r.string(kv.KeyString)
		r.query(kv.KeyQuery)
		if kv.Val != nil {
			r.query(kv.Val)
		} else if name, ok := nameOf(kv); ok { // {a} is {a:.a}
			r.name(name)
		} else {
			r.all = true
		}
	}
}

func (r *reads) branches(i *gojq.If) {
	r.query(i.Cond)
	r.query(i.Then)
	for _, e := range i.Elif {
		r.query(e.Cond)
		r.query(e.Then)
	}
	if i.Else == nil {
		r.all = true // the input as it is
	}
	r.query(i.Else)
}
