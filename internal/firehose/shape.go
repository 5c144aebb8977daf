package firehose

import "math"

// kind is what JSON a shape takes.
type kind uint8

const (
	structure kind = iota
	list
	mapping // string to string
	text
	blob
	integer
	double
	boolean
)

// shape describes a member of the API: what JSON it is and which constraints it has (spec
// appendix A). Bounds are on the number of characters, bytes, items or on the value,
// depending on the kind.
type shape struct {
	kind      kind
	low, high int64
	pattern   string            // as it is printed in violations
	fits      func(string) bool // whether a text matches the pattern
	enum      []string          // in the order they are printed (spec section 1.7)
	members   []member          // of a structure, in the order that violations are told
	of        *shape            // element of a list, value of a mapping
	key       *shape            // of a mapping
}

// member is a named part of a structure.
type member struct {
	name     string
	shape    *shape
	required bool
	// notNull: an explicit null is refused, although null means absent elsewhere.
	notNull bool
}

const unbounded = math.MaxInt64

func stringOf(low, high int64) *shape { return &shape{kind: text, low: low, high: high} }

// patternOf is a string that matches a regular expression as a whole.
func patternOf(low, high int64, pattern string) *shape {
	return matchOf(low, high, pattern, fitsWhole(pattern))
}

// matchOf is patternOf for a pattern that Go's regular expressions cannot say.
func matchOf(low, high int64, pattern string, fits func(string) bool) *shape {
	return &shape{kind: text, low: low, high: high, pattern: pattern, fits: fits}
}

func enumOf(values ...string) *shape {
	return &shape{kind: text, high: unbounded, enum: values}
}

func blobOf(low, high int64) *shape { return &shape{kind: blob, low: low, high: high} }

func integerOf(low, high int64) *shape { return &shape{kind: integer, low: low, high: high} }

func fraction() *shape { return &shape{kind: double, low: 0, high: 1} }

// moment is a timestamp: seconds since 1970, which may have a fraction.
func moment() *shape { return &shape{kind: double, low: -unbounded, high: unbounded} }

func flag() *shape { return &shape{kind: boolean} }

func listOf(low, high int64, of *shape) *shape {
	return &shape{kind: list, low: low, high: high, of: of}
}

func mapOf(key, value *shape) *shape { return &shape{kind: mapping, key: key, of: value} }

func structureOf(members ...member) *shape { return &shape{kind: structure, members: members} }

func required(name string, s *shape) member { return member{name: name, shape: s, required: true} }

func optional(name string, s *shape) member { return member{name: name, shape: s} }

// notNullable is a member that may be absent, but is refused where it is null.
func notNullable(name string, s *shape) member { return member{name: name, shape: s, notNull: true} }
