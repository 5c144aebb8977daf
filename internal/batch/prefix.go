package batch

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Namespaces of the expressions (spec section 4.3).
const (
	nsTimestamp  = "timestamp"
	nsFirehose   = "firehose"
	nsFromQuery  = "partitionKeyFromQuery"
	nsFromLambda = "partitionKeyFromLambda"
)

// Values of the firehose namespace.
const (
	randomString    = "random-string"
	errorOutputType = "error-output-type"
)

// randomChars is how long a random-string is.
const randomChars = 11

// segment is a piece of a prefix: literal text, or an expression.
type segment struct {
	expression bool
	namespace  string // of an expression
	value      string // what stands behind the colon, or the literal
	pattern    pattern
}

// prefix is a parsed prefix.
type prefix []segment

// split reads the expressions of a prefix without looking at what they say. "!{" must
// always begin a complete "!{namespace:value}"; the value runs to the first "}".
func split(s string) (prefix, error) {
	var p prefix
	for s != "" {
		i := strings.Index(s, "!{")
		if i < 0 {
			return append(p, segment{value: s}), nil
		}
		if i > 0 {
			p = append(p, segment{value: s[:i]})
		}
		inside, rest, closed := strings.Cut(s[i+2:], "}")
		ns, value, colon := strings.Cut(inside, ":")
		if !closed || !colon || value == "" || strings.Contains(inside, "!{") {
			return nil, prefixError("Invalid expression usage")
		}
		p, s = append(p, segment{expression: true, namespace: ns, value: value}), rest
	}
	return p, nil
}

// checkNamespaces refuses namespaces that Firehose does not have.
func (p prefix) checkNamespaces() error {
	for _, s := range p {
		if !s.expression {
			continue
		}
		switch s.namespace {
		case nsTimestamp, nsFirehose, nsFromQuery, nsFromLambda:
		default:
			return prefixError("Namespace to the left of colon (%s) is an invalid keyword!", s.namespace)
		}
	}
	return nil
}

// compile checks the values of the expressions and prepares their patterns. member is
// what the prefix is called in messages.
func (p prefix) compile(member string, zone *time.Location) error {
	for i := range p {
		s := &p[i]
		var err error
		switch s.namespace {
		case nsTimestamp:
			s.pattern, err = compilePattern(s.value, zone)
		case nsFirehose:
			if s.value != randomString && s.value != errorOutputType {
				err = errPattern
			}
		}
		if errors.Is(err, errUnbuilt) {
			return prefixError("The timestamp expression %s in %s %s", s.value, member, err)
		}
		if err != nil {
			return prefixError("Invalid conversion character used in the value of the expression in %s", member)
		}
	}
	return nil
}

// parse is split, checkNamespaces and compile.
func parse(s, member string, zone *time.Location) (prefix, error) {
	p, err := split(s)
	if err != nil {
		return nil, err
	}
	if err := p.checkNamespaces(); err != nil {
		return nil, err
	}
	return p, p.compile(member, zone)
}

// expressions reports whether p has any.
func (p prefix) expressions() bool {
	for _, s := range p {
		if s.expression {
			return true
		}
	}
	return false
}

// has reports whether p contains the expression !{namespace:value}; an empty value stands
// for any.
func (p prefix) has(namespace, value string) bool {
	for _, s := range p {
		if s.namespace == namespace && (value == "" || s.value == value) {
			return true
		}
	}
	return false
}

func (p prefix) partitioned() bool { return p.has(nsFromQuery, "") || p.has(nsFromLambda, "") }

// append evaluates p. Partition expressions print nothing: Partitioner evaluates those.
func (p prefix) append(dst []byte, m moment, errorType string, id [16]byte) []byte {
	occurrence := uint32(0)
	for i := range p {
		switch s := &p[i]; {
		case !s.expression:
			dst = append(dst, s.value...)
		case s.namespace == nsTimestamp:
			dst = s.pattern.append(dst, m)
		case s.value == errorOutputType:
			dst = append(dst, errorType...)
		case s.value == randomString:
			dst = appendRandom(dst, id, occurrence)
			occurrence++
		}
	}
	return dst
}

// appendRandom appends 11 hexadecimal digits that look random but follow from the object's
// id and the number of random strings before this one, so that a name can be made again.
func appendRandom(dst []byte, id [16]byte, occurrence uint32) []byte {
	var seed [20]byte
	copy(seed[:], id[:])
	binary.BigEndian.PutUint32(seed[16:], occurrence)
	sum := sha256.Sum256(seed[:])
	return hex.AppendEncode(dst, sum[:(randomChars+1)/2])[:len(dst)+randomChars]
}

// PrefixError is a refusal of a prefix in the words of AWS, for an InvalidArgumentException.
type PrefixError struct{ Message string }

// Error returns the message.
func (e *PrefixError) Error() string { return e.Message }

func prefixError(format string, args ...any) error {
	return &PrefixError{fmt.Sprintf(format, args...)}
}
