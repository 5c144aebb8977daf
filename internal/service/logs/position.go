package logs

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
)

// position is where an event stands among those of a group. Positions are in the order in
// which events are told. One that no event has stands between others.
type position struct {
	time   int64
	stream uint64 // from the stream's name, so that equal times have an order
	number uint64 // in the stream, in order of arrival
}

func (p position) compare(q position) int {
	return cmp.Or(cmp.Compare(p.time, q.time), cmp.Compare(p.stream, q.stream), cmp.Compare(p.number, q.number))
}

// next is the first position behind p.
func (p position) next() position {
	p.number++
	return p
}

// at is the first position of a time.
func at(time int64) position { return position{time: time} }

// maxTime is the latest time of a position: tokens have 16 digits for it. No event is that
// late, for puts drop what lies hours ahead.
const maxTime = 9_999_999_999_999_999

// last is behind all events.
var last = position{math.MaxInt64, math.MaxUint64, math.MaxUint64}

// String writes the 56 digits that tokens and ids are made of: 16 of the time and 20 each of
// stream and number.
func (p position) String() string { return fmt.Sprintf("%016d%020d%020d", p.time, p.stream, p.number) }

// parsePosition reads what String wrote.
func parsePosition(text string) (p position, ok bool) {
	if len(text) != 56 {
		return p, false
	}
	time, err1 := strconv.ParseUint(text[:16], 10, 63)
	stream, err2 := strconv.ParseUint(text[16:36], 10, 64)
	number, err3 := strconv.ParseUint(text[36:], 10, 64)
	return position{int64(time), stream, number}, err1 == nil && err2 == nil && err3 == nil
}
