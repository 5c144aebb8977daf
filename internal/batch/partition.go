package batch

import (
	"errors"
	"slices"
	"time"
	"unicode"
)

// Errors of Partitioner.Prefix: a record's keys do not make a prefix. The texts are those of
// the record's failure (spec sections 7.2, 7.4).
var (
	ErrNoKey      = errors.New("partitionKeys values must not be null or empty")
	ErrControlKey = errors.New("partitionKeys values must not contain control characters")
	ErrLongPrefix = prefixError("Length of evaluated prefix cannot be greater than %d", MaxEvaluated)
)

// randomMark stands for a random-string in the prefix of a partition. It is different in
// each object and does not tell partitions apart. No key can hold one.
const randomMark = 0

// Partitioner evaluates the prefix of a partitioned stream for single records (spec section
// 7.4). It belongs to one goroutine.
type Partitioner struct {
	names  *Names
	buf    []byte
	second int64 // of the moment below
	moment moment
}

// Partitioner returns a new one. The names must be those of a partitioned stream.
func (n *Names) Partitioner() *Partitioner { return &Partitioner{names: n, second: -1 << 62} }

// Prefix is the prefix of a record that arrived at the given time and has these keys, from
// the query and from a function. Records with the same one are of one partition. It is lent
// until the next call.
func (p *Partitioner) Prefix(arrival time.Time, queried, keys map[string]string) ([]byte, error) {
	if s := arrival.Unix(); s != p.second {
		p.second, p.moment = s, newMoment(arrival.In(p.names.zone))
	}
	p.buf = p.buf[:0]
	for i := range p.names.data {
		s := &p.names.data[i]
		var err error
		switch s.namespace {
		case nsFromQuery:
			err = p.key(queried[s.value])
		case nsFromLambda:
			err = p.key(keys[s.value])
		case nsTimestamp:
			p.buf = s.pattern.append(p.buf, p.moment)
		case nsFirehose:
			p.buf = append(p.buf, randomMark)
		default:
			p.buf = append(p.buf, s.value...)
		}
		if err != nil {
			return nil, err
		}
	}
	return p.buf, p.checkLength()
}

func (p *Partitioner) key(value string) error {
	if value == "" {
		return ErrNoKey
	}
	for _, r := range value {
		if unicode.IsControl(r) {
			return ErrControlKey
		}
	}
	p.buf = append(p.buf, value...)
	return nil
}

// checkLength refuses a prefix that keys have made too long. Each random-string adds ten
// characters to its mark.
func (p *Partitioner) checkLength() error {
	marks := 0
	for _, b := range p.buf {
		if b == randomMark {
			marks++
		}
	}
	if more := marks * (randomChars - 1); len(p.buf)+more > MaxEvaluated { // else it is short enough in any alphabet
		if checkLength(append(slices.Clone(p.buf), make([]byte, more)...), "prefix") != nil {
			return ErrLongPrefix
		}
	}
	return nil
}

// InPartition returns the key of a data object in the partition of a prefix that Partitioner
// has made; otherwise it is like Data.
func (n *Names) InPartition(prefix string, oldest time.Time, id [16]byte) string {
	key := n.unmarked(make([]byte, 0, keyBytes), prefix, id)
	return string(append(n.appendSuffix(key, newMoment(oldest.In(n.zone)), id), n.extension...))
}

// unmarked appends the prefix of a partition with the random strings of an object.
func (n *Names) unmarked(dst []byte, prefix string, id [16]byte) []byte {
	occurrence := uint32(0)
	for i := range len(prefix) {
		if prefix[i] != randomMark {
			dst = append(dst, prefix[i])
			continue
		}
		dst = appendRandom(dst, id, occurrence)
		occurrence++
	}
	return dst
}

// Keys are the partition keys that a prefix names, from the query and from a function, each
// once and in the order of the prefix. The prefix has passed CheckPrefixes.
func Keys(s string) (queried, function []string) {
	p, err := split(s)
	if err != nil {
		return nil, nil
	}
	for _, s := range p {
		switch {
		case s.namespace == nsFromQuery && !slices.Contains(queried, s.value):
			queried = append(queried, s.value)
		case s.namespace == nsFromLambda && !slices.Contains(function, s.value):
			function = append(function, s.value)
		}
	}
	return queried, function
}
