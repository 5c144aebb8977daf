package extract

import "sync"

// walker walks through records. It belongs to one goroutine; pooled for its memory.
type walker struct {
	reader reader
	seen   []bool // nodes of the plan that the record has
	keys   []key  // lent until the next walk
}

var walkers = sync.Pool{New: func() any { return new(walker) }}

func takeWalker() *walker { return walkers.Get().(*walker) }

func (w *walker) give() {
	w.reader.reset(nil)
	clear(w.keys)
	walkers.Put(w)
}

// walk is the keys that p finds in data, after proving that data is JSON to its end; false
// if it leaves the record to the interpreter.
func (w *walker) walk(p *plan, data []byte) ([]key, bool) {
	w.reader.reset(data)
	w.seen = append(w.seen[:0], make([]bool, p.nodes)...)
	w.keys = w.keys[:0]
	for _, name := range p.names {
		w.keys = append(w.keys, key{name: name})
	}
	if !w.object(&p.root) || !w.reader.atEnd() {
		return nil, false
	}
	for _, seen := range w.seen {
		if !seen {
			return nil, false
		}
	}
	return w.keys, true
}

// object reads an object by the children of n.
func (w *walker) object(n *node) bool {
	dec := &w.reader.dec
	if t, err := dec.ReadToken(); err != nil || t.Kind() != '{' {
		return false
	}
	for dec.PeekKind() != '}' {
		name, err := dec.ReadValue()
		if err != nil {
			return false
		}
		if c := n.child(unquoted(name)); c == nil {
			if w.reader.skip() != nil {
				return false
			}
		} else if !w.member(c) {
			return false
		}
	}
	_, err := dec.ReadToken()
	return err == nil
}

// member reads what n looks up. Of members that come twice the last counts, which is the
// interpreter's to say.
func (w *walker) member(n *node) bool {
	if w.seen[n.id] {
		return false
	}
	w.seen[n.id] = true
	if len(n.keys) == 0 {
		return w.object(n)
	}
	t, err := w.reader.dec.ReadToken()
	if err != nil {
		return false
	}
	switch t.Kind() {
	case '"', '0', 't', 'f':
	default:
		return false
	}
	value := t.String()
	for _, i := range n.keys {
		w.keys[i].value = value
	}
	return value != ""
}
