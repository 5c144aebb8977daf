package orc

// Bounds of RLEv2 (section 5.4).
const (
	maxScope       = 512 // values of a run
	maxShortRepeat = 10  // values of the kind for few equal ones
)

// runs2 is RLEv2 (section 5.4). What is pending is either equal values, or others of which no
// three in a row are the same: those end the run before them.
type runs2 struct {
	out      *stream
	signed   bool
	equal    bool // all pending values are lit[0]
	n        int  // values that are pending
	lit      [maxScope]int64
	assembly []byte
}

func (r *runs2) write(vals []int64) {
	for len(vals) > 0 {
		switch {
		case r.n == 0:
			r.lit[0], r.n, r.equal = vals[0], 1, true
			vals = vals[1:]
		case r.equal:
			vals = r.same(vals)
		default:
			vals = r.vary(vals)
		}
	}
}

// same takes values that go on with those that are pending, all of them equal, and perhaps
// the first that does not. It returns the others.
func (r *runs2) same(vals []int64) []int64 {
	most, first, i := min(len(vals), maxScope-r.n), r.lit[0], 0
	for i < most && vals[i] == first {
		i++
	}
	r.n += i
	r.lit[1] = first
	switch {
	case r.n == maxScope:
		r.flush()
	case i == len(vals):
	case r.n >= minRepeat:
		r.flush()
	default: // too few to be a repeat
		r.lit[r.n] = vals[i]
		r.n++
		i++
		r.equal = false
	}
	return vals[i:]
}

// vary takes values until three are the same, or the run is full. It returns the others.
func (r *runs2) vary(vals []int64) []int64 {
	vals, rest := vals[:min(len(vals), maxScope-r.n)], vals
	a, b := r.lit[r.n-2], r.lit[r.n-1]
	for i, v := range vals {
		if v == b && a == b {
			r.n += copy(r.lit[r.n:], vals[:i])
			r.variable(r.lit[:r.n-2])
			r.lit[0], r.n, r.equal = v, minRepeat, true
			return rest[i+1:]
		}
		a, b = b, v
	}
	if r.n += copy(r.lit[r.n:], vals); r.n == maxScope {
		r.flush()
	}
	return rest[len(vals):]
}

func (r *runs2) repeat(v int64, n int) {
	one := [1]int64{v}
	for n > 0 && !(r.n > 0 && r.equal && r.lit[0] == v) {
		r.write(one[:])
		n--
	}
	for n > 0 {
		k := min(n, maxScope-r.n)
		r.lit[0], r.lit[1], r.equal = v, v, true
		r.n += k
		n -= k
		if r.n == maxScope {
			r.flush()
		}
	}
}

// flush writes what is pending as one run.
func (r *runs2) flush() {
	switch {
	case r.n == 0:
	case !r.equal || r.n < minRepeat:
		r.variable(r.lit[:r.n])
	case r.n <= maxShortRepeat:
		r.shortRepeat()
	default:
		r.fixedDelta(r.lit[0], 0, r.n)
	}
	r.n = 0
}

func (r *runs2) position(at []uint64) []uint64 { return append(r.out.position(at), uint64(r.n)) }

// variable writes a run of any values, in the kind that suits them. It spoils vals.
func (r *runs2) variable(vals []int64) {
	if len(vals) <= minRepeat {
		r.direct(vals, r.widest(vals))
		return
	}
	if rising, falling := order(vals); rising || falling {
		r.monotonic(vals)
		return
	}
	low, high := bounds(vals)
	r.unordered(vals, low, high)
}

// order tells whether no value is less than the one before it, or none is more.
func order(vals []int64) (rising, falling bool) {
	i := 1
	for i < len(vals) && vals[i] == vals[i-1] {
		i++
	}
	if i == len(vals) {
		return true, true
	}
	if vals[i] > vals[i-1] {
		for i < len(vals) && vals[i] >= vals[i-1] {
			i++
		}
		return i == len(vals), false
	}
	for i < len(vals) && vals[i] <= vals[i-1] {
		i++
	}
	return false, i == len(vals)
}

// bounds are the least and the largest of the values.
func bounds(vals []int64) (low, high int64) {
	low, high = vals[0], vals[0]
	for _, v := range vals[1:] {
		low, high = min(low, v), max(high, v)
	}
	return low, high
}

// widest is the width that all values fit, as they are written.
func (r *runs2) widest(vals []int64) int {
	low, high := bounds(vals)
	return r.widthOf(low, high)
}

// widthOf is the width for values between the bounds, as they are written.
func (r *runs2) widthOf(low, high int64) int {
	if r.signed {
		return widthOf(max(zigzag(low), zigzag(high)))
	}
	return widthOf(max(uint64(low), uint64(high)))
}

// even reports whether the values are too much alike in width for patches to be worth it: the
// width that nine in ten fit is at most 1 less than that of all.
func (r *runs2) even(vals []int64, width int) bool {
	if width <= 2 {
		return true
	}
	few := share(len(vals), 0.9)
	shift := below(width - 1)
	for _, v := range vals {
		wide := uint64(v)
		if r.signed {
			wide = zigzag(v)
		}
		if wide>>shift != 0 {
			if few--; few < 0 {
				return true
			}
		}
	}
	return false
}

// share is how many of n values may be wider than the width that a share q of them fit. It
// is computed in floating point, as other writers do.
func share(n int, q float64) int { return int(float64(n) * (1.0 - q)) }

// below is the next narrower width than the given one, 0 if there is none.
func below(width int) int {
	switch {
	case width <= 25:
		return max(width-1, 0)
	case width <= 32:
		return (width - 1) &^ 1
	case width <= 40:
		return 32
	}
	return (width - 1) &^ 7
}
