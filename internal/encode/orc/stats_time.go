package orc

import "hydrant/internal/column"

// moment is a point in time: whole seconds since 1970-01-01 UTC, rounded down, and what is
// behind them.
type moment struct {
	seconds int64
	nanos   int32
}

func (m moment) before(other moment) bool {
	return m.seconds < other.seconds || m.seconds == other.seconds && m.nanos < other.nanos
}

// millis are whole milliseconds since 1970-01-01 UTC, rounded down.
func (m moment) millis() int64 { return m.seconds*1000 + int64(m.nanos/1e6) }

// timeStats are those of timestamps.
type timeStats struct {
	some      bool
	low, high moment
}

func (s *timeStats) widen(low, high moment) {
	if !s.some {
		s.some, s.low, s.high = true, low, high
		return
	}
	if low.before(s.low) {
		s.low = low
	}
	if s.high.before(high) {
		s.high = high
	}
}

func (s *timeStats) merge(more statistics) {
	if other := more.(*timeStats); other.some {
		s.widen(other.low, other.high)
	}
}

func (s *timeStats) reset()            { *s = timeStats{} }
func (s *timeStats) fresh() statistics { return &timeStats{} }

// message tells milliseconds, and the digits behind them where they are not those that a
// reader assumes.
func (s *timeStats) message(m message) message {
	var body message
	if s.some {
		body = body.sint(3, s.low.millis()).sint(4, s.high.millis())
		if rest := s.low.nanos % 1e6; rest != 0 {
			body = body.uint(5, uint64(rest)+1)
		}
		if rest := s.high.nanos % 1e6; rest != 1e6-1 {
			body = body.uint(6, uint64(rest)+1)
		}
	}
	return m.bytes(9, body)
}

// decimalStats are those of decimals of one scale.
type decimalStats struct {
	scale     int
	some      bool
	low, high column.Int128
	sum       column.Int128
	overflown bool // the sum is not known, or has more than 38 digits
}

func (s *decimalStats) see(v column.Int128) {
	s.widen(v, v)
	s.addSum(v)
}

func (s *decimalStats) widen(low, high column.Int128) {
	if !s.some {
		s.some, s.low, s.high = true, low, high
		return
	}
	if less(low, s.low) {
		s.low = low
	}
	if less(s.high, high) {
		s.high = high
	}
}

func (s *decimalStats) addSum(v column.Int128) {
	sum, ok := add128(s.sum, v)
	s.sum, s.overflown = sum, s.overflown || !ok
}

func (s *decimalStats) merge(more statistics) {
	other := more.(*decimalStats)
	if !other.some {
		return
	}
	s.widen(other.low, other.high)
	s.addSum(other.sum)
	s.overflown = s.overflown || other.overflown || tooLong(other.sum)
}

func (s *decimalStats) reset()            { *s = decimalStats{scale: s.scale} }
func (s *decimalStats) fresh() statistics { return &decimalStats{scale: s.scale} }

func (s *decimalStats) message(m message) message {
	var room [3 * maxDecimal]byte
	var text [maxDecimal]byte
	body := message(room[:0])
	if s.some {
		body = body.bytes(1, appendDecimal(text[:0], s.low, s.scale))
		body = body.bytes(2, appendDecimal(text[:0], s.high, s.scale))
	}
	if !s.overflown && !tooLong(s.sum) {
		body = body.bytes(3, appendDecimal(text[:0], s.sum, s.scale))
	}
	return m.bytes(6, body)
}
