package batch

import (
	"errors"
	"slices"
	"sync/atomic"
	"time"
	"unicode"
)

// Errors of Partitioner.Append: a record's keys do not make a prefix. The texts are those of
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
// 7.4). Its methods may be called at once.
type Partitioner struct {
	names *Names
	last  atomic.Pointer[dated] // most records arrive in the second of the one before
}

// dated is the moment that a second is in the names' time zone.
type dated struct {
	second int64
	moment moment
}

// Partitioner returns a new one. The names must be those of a partitioned stream.
func (n *Names) Partitioner() *Partitioner { return &Partitioner{names: n} }

// Append appends to dst the prefix of a record that arrived at the given time and has these
// keys, from the query and from a function. Records with the same one are of one partition.
func (p *Partitioner) Append(dst []byte, arrival time.Time, queried, keys map[string]string) ([]byte, error) {
	at, start := p.moment(arrival), len(dst)
	for i := range p.names.data {
		s := &p.names.data[i]
		var err error
		switch s.namespace {
		case nsFromQuery:
			dst, err = appendKey(dst, queried[s.value])
		case nsFromLambda:
			dst, err = appendKey(dst, keys[s.value])
		case nsTimestamp:
			dst = s.pattern.append(dst, at)
		case nsFirehose:
			dst = append(dst, randomMark)
		default:
			dst = append(dst, s.value...)
		}
		if err != nil {
			return dst, err
		}
	}
	return dst, checkPartition(dst[start:])
}

func (p *Partitioner) moment(t time.Time) moment {
	last := p.last.Load()
	if last == nil || last.second != t.Unix() {
		last = &dated{t.Unix(), newMoment(t.In(p.names.zone))}
		p.last.Store(last)
	}
	return last.moment
}

func appendKey(dst []byte, value string) ([]byte, error) {
	if value == "" {
		return dst, ErrNoKey
	}
	for _, r := range value {
		if unicode.IsControl(r) {
			return dst, ErrControlKey
		}
	}
	return append(dst, value...), nil
}

// checkPartition refuses a prefix that keys have made too long. Each random-string adds ten
// characters to its mark.
func checkPartition(prefix []byte) error {
	marks := 0
	for _, b := range prefix {
		if b == randomMark {
			marks++
		}
	}
	if more := marks * (randomChars - 1); len(prefix)+more > MaxEvaluated { // else it is short enough in any alphabet
		if checkLength(append(slices.Clone(prefix), make([]byte, more)...), "prefix") != nil {
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
