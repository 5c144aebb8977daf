package orc

// statistics are what is told of the values of a node, in words of its type (section 9). The
// nulls are counted apart.
type statistics interface {
	// merge takes in what is told of more values by statistics of the same type.
	merge(more statistics)
	// reset forgets all values.
	reset()
	// fresh returns statistics of the same type, of no values.
	fresh() statistics
	// message appends the typed message.
	message(m message) message
}

// level is what is told of a row group, a stripe or a file of a node.
type level struct {
	count uint64 // entries that are not null
	nulls bool
	typed statistics // nil for structs
}

func (l *level) merge(more *level) {
	l.count += more.count
	l.nulls = l.nulls || more.nulls
	if l.typed != nil {
		l.typed.merge(more.typed)
	}
}

func (l *level) reset() {
	l.count, l.nulls = 0, false
	if l.typed != nil {
		l.typed.reset()
	}
}

// message appends a ColumnStatistics but for bytes_on_disk, which only stripes and files have.
func (l *level) message(m message) message {
	m = m.uint(1, l.count)
	if l.typed != nil {
		m = l.typed.message(m)
	}
	return m.bool(10, l.nulls)
}

// intStats are those of whole numbers.
type intStats struct {
	some      bool // there are values
	low, high int64
	sum       int64
	overflown bool // the sum is not known
}

// add takes in values.
func (s *intStats) add(vals []int64) {
	if len(vals) == 0 {
		return
	}
	low, high, sum := vals[0], vals[0], int64(0)
	for _, v := range vals {
		low, high = min(low, v), max(high, v)
		sum += v
	}
	s.widen(low, high)
	const most = 1 << 40 // so much, so many times, does not overflow
	if low > -most && high < most && len(vals) < 1<<22 {
		s.addSum(sum)
		return
	}
	// In two halves no sum overflows.
	upper, lower := int64(0), int64(0)
	for _, v := range vals {
		upper += v >> 32
		lower += v & (1<<32 - 1)
	}
	if upper += lower >> 32; upper != int64(int32(upper)) {
		s.overflown = true
	}
	s.addSum(upper<<32 | lower&(1<<32-1))
}

func (s *intStats) widen(low, high int64) {
	if !s.some {
		s.some, s.low, s.high = true, low, high
		return
	}
	s.low, s.high = min(s.low, low), max(s.high, high)
}

func (s *intStats) addSum(v int64) {
	sum := s.sum + v
	if (s.sum^sum)&(v^sum) < 0 {
		s.overflown = true
	}
	s.sum = sum
}

func (s *intStats) merge(more statistics) {
	other := more.(*intStats)
	if other.some {
		s.widen(other.low, other.high)
	}
	s.overflown = s.overflown || other.overflown
	s.addSum(other.sum)
}

func (s *intStats) reset()            { *s = intStats{} }
func (s *intStats) fresh() statistics { return &intStats{} }

func (s *intStats) message(m message) message {
	var room [40]byte
	body := message(room[:0])
	if s.some {
		body = body.sint(1, s.low).sint(2, s.high)
	}
	if !s.overflown {
		body = body.sint(3, s.sum)
	}
	return m.bytes(2, body)
}

// dateStats are those of days.
type dateStats struct{ days intStats }

func (s *dateStats) merge(more statistics) {
	if other := more.(*dateStats); other.days.some {
		s.days.widen(other.days.low, other.days.high)
	}
}

func (s *dateStats) reset()            { *s = dateStats{} }
func (s *dateStats) fresh() statistics { return &dateStats{} }

func (s *dateStats) message(m message) message {
	var room [24]byte
	body := message(room[:0])
	if s.days.some {
		body = body.sint(1, s.days.low).sint(2, s.days.high)
	}
	return m.bytes(7, body)
}

// floatStats are those of numbers with a point. A NaN makes the sum NaN, by which readers
// know that the bounds say nothing.
type floatStats struct {
	some           bool
	low, high, sum float64
}

func (s *floatStats) add(vals []float64) {
	if len(vals) == 0 {
		return
	}
	if !s.some {
		s.some, s.low, s.high = true, vals[0], vals[0]
	}
	low, high, sum := s.low, s.high, s.sum
	for _, v := range vals {
		if v < low {
			low = v
		}
		if v > high {
			high = v
		}
		sum += v
	}
	s.low, s.high, s.sum = low, high, sum
}

func (s *floatStats) merge(more statistics) {
	other := more.(*floatStats)
	if !other.some {
		return
	}
	sum := s.sum + other.sum
	s.add([]float64{other.low, other.high})
	s.sum = sum
}

func (s *floatStats) reset()            { *s = floatStats{} }
func (s *floatStats) fresh() statistics { return &floatStats{} }

func (s *floatStats) message(m message) message {
	var room [32]byte
	body := message(room[:0])
	if s.some {
		body = body.double(1, canonical(s.low)).double(2, canonical(s.high))
	}
	return m.bytes(3, body.double(3, canonical(s.sum)))
}

// boolStats count what is true.
type boolStats struct{ trues uint64 }

func (s *boolStats) merge(more statistics) { s.trues += more.(*boolStats).trues }
func (s *boolStats) reset()                { s.trues = 0 }
func (s *boolStats) fresh() statistics     { return &boolStats{} }

func (s *boolStats) message(m message) message {
	return m.bytes(5, message(nil).packed(1, []uint64{s.trues}, nil))
}

// sizeStats count the bytes of binaries.
type sizeStats struct{ bytes int64 }

func (s *sizeStats) merge(more statistics)     { s.bytes += more.(*sizeStats).bytes }
func (s *sizeStats) reset()                    { s.bytes = 0 }
func (s *sizeStats) fresh() statistics         { return &sizeStats{} }
func (s *sizeStats) message(m message) message { return m.bytes(8, message(nil).sint(1, s.bytes)) }

// listStats are those of the lengths of lists and maps.
type listStats struct {
	some             bool
	low, high, total uint64
}

func (s *listStats) add(lengths []uint32) {
	for _, n := range lengths {
		s.widen(uint64(n), uint64(n))
		s.total += uint64(n)
	}
}

func (s *listStats) widen(low, high uint64) {
	if !s.some {
		s.some, s.low, s.high = true, low, high
		return
	}
	s.low, s.high = min(s.low, low), max(s.high, high)
}

func (s *listStats) merge(more statistics) {
	if other := more.(*listStats); other.some {
		s.widen(other.low, other.high)
		s.total += other.total
	}
}

func (s *listStats) reset()            { *s = listStats{} }
func (s *listStats) fresh() statistics { return &listStats{} }

func (s *listStats) message(m message) message {
	var body message
	if s.some {
		body = body.uint(1, s.low).uint(2, s.high)
	}
	if s.total > 0 {
		body = body.uint(3, s.total)
	}
	return m.bytes(12, body)
}
