package batch

import "time"

// Limits are the hints of one buffer. Bytes counts record bytes before compression; an Age
// of zero delivers as soon as the former delivery is done (spec section 3.3).
type Limits struct {
	Bytes uint64
	Age   time.Duration
}

// Due reports whether a buffer of that many pending bytes, whose oldest record arrived at
// oldest, is to be delivered now (spec section 3.1). If not, wait says after how long it
// will be without further records. It is asked only of buffers that have a record; one of
// empty records only is due at its age too, though it makes no object.
//
// Clocks jump. A record from a little in the future makes the buffer wait its age from
// now; from further ahead than the age it is due, so that no jump delays records by more
// than the age once more.
func (l Limits) Due(pending uint64, oldest, now time.Time) (due bool, wait time.Duration) {
	age := now.Sub(oldest)
	if pending >= l.Bytes || age >= l.Age || -age > l.Age {
		return true, 0
	}
	return false, min(l.Age-age, l.Age)
}

// backlogFactor is how many times the size hint may wait before objects grow.
const backlogFactor = 4

// Grow returns the limits to use while that many sealed bytes wait to be delivered: above
// four times the hint, objects of the destination's maximum size (spec section 3.4).
func Grow(l Limits, sealed, maximum uint64) Limits {
	if sealed > backlogFactor*l.Bytes {
		l.Bytes = max(l.Bytes, maximum)
	}
	return l
}

// Cutter fills one buffer by the size rule of spec section 3.1: a record
// joins the open buffer if the sum stays within the limit, else the buffer is sealed; a
// single larger record is an object of its own. Where it cuts depends on the lengths only,
// not on how they are split over calls.
type Cutter struct {
	limit uint64
	size  uint64
	full  bool
}

// NewCutter returns a cutter with an empty open buffer.
func NewCutter(limit uint64) Cutter { return Cutter{limit: limit} }

// Take puts records into the open buffer, beginning with the one of index from. It returns
// the index of the first record that it did not take, and whether the buffer is sealed:
// then it takes nothing more.
func (c *Cutter) Take(lengths []uint32, from uint32) (to uint32, full bool) {
	for to = from; !c.full && uint64(to) < uint64(len(lengths)); to++ {
		n := uint64(lengths[to])
		if c.size > 0 && c.size+n > c.limit {
			c.full = true
			break
		}
		c.size += n
		c.full = c.size >= c.limit
	}
	return to, c.full
}
