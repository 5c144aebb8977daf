package orc

import "hydrant/internal/column"

// decimalEncoder writes decimals, each with the scale of the column.
type decimalEncoder struct {
	base
	data     *stream
	scales   integers
	scale    int
	decimals decimalStats
}

func newDecimalEncoder(b base, data *stream, scale int) *decimalEncoder {
	second := newStream(kindSecondary, &b.shared.codec)
	e := &decimalEncoder{base: b, data: data, scale: scale, decimals: decimalStats{scale: scale}}
	e.scales = newIntegers(second, true, b.shared.version)
	e.out = append(e.out, second)
	e.runs, e.kind = []run{data, e.scales}, b.shared.directInts()
	return e
}

func (e *decimalEncoder) stats() statistics { return &e.decimals }

func (e *decimalEncoder) write(v *column.Vector, from, to int) {
	vals := v.Decimals[from:to]
	e.scales.repeat(int64(e.scale), len(vals))
	e.filter(vals)
	for len(vals) > 0 {
		n := min(len(vals), batchValues)
		buf := e.shared.bytes[:0]
		for _, v := range vals[:n] {
			e.decimals.see(v)
			buf = appendVarint128(buf, v)
		}
		e.data.write(buf)
		e.shared.bytes, vals = buf, vals[n:]
	}
}

// filter adds the values' texts to the bloom filter, if there is one.
func (e *decimalEncoder) filter(vals []column.Int128) {
	if e.bloom == nil {
		return
	}
	var room [maxDecimal]byte
	for _, v := range vals {
		e.bloom.add(murmur(appendDecimal(room[:0], v, e.scale)))
	}
}

// epoch is what seconds of timestamps are counted from: 2015-01-01 UTC.
const epoch = 1_420_070_400

// timeEncoder writes timestamps: seconds and nanoseconds.
type timeEncoder struct {
	base
	seconds, nanos integers
	times          timeStats
}

func newTimeEncoder(b base, data *stream) *timeEncoder {
	second := newStream(kindSecondary, &b.shared.codec)
	e := &timeEncoder{base: b}
	e.seconds = newIntegers(data, true, b.shared.version)
	e.nanos = newIntegers(second, false, b.shared.version)
	e.out = append(e.out, second)
	e.runs, e.kind = []run{e.seconds, e.nanos}, b.shared.directInts()
	return e
}

func (e *timeEncoder) stats() statistics { return &e.times }

func (e *timeEncoder) write(v *column.Vector, from, to int) {
	for from < to {
		n := min(to-from, batchValues)
		e.batch(v.Ints[from:from+n], v.Nanos[from:from+n])
		e.seconds.write(e.shared.ints[:n])
		e.nanos.write(e.shared.nanos[:n])
		from += n
	}
}

// batch converts values into the shared slices, and takes in what is told of them.
func (e *timeEncoder) batch(seconds []int64, nanos []int32) {
	ints, fractions := e.shared.ints[:len(seconds)], e.shared.nanos[:len(seconds)]
	nanos = nanos[:len(seconds)]
	times := e.times
	for i, s := range seconds {
		m := moment{s, nanos[i]}
		if s >= 0 {
			ints[i] = s - epoch
		} else {
			m.nanos -= m.nanos % 1e6
			ints[i] = beforeEpoch(m) - epoch
			times.readBack(m)
		}
		times.widen(m, m)
		fractions[i] = scaledNanos(m.nanos)
		e.filter(m)
	}
	e.times = times
}

// beforeEpoch is how the seconds of a value before 1970 are written. Readers take 1 from a
// negative number if there are milliseconds, because Java rounds towards zero (section 6).
func beforeEpoch(m moment) int64 {
	if m.nanos > 999_999 {
		return m.seconds + 1
	}
	return m.seconds
}

// readBack takes in the value that readers will see for m if it is in the last second before
// 1970, which the format cannot tell from the first one after (section 6).
func (s *timeStats) readBack(m moment) {
	if m.seconds == -1 && m.nanos > 999_999 {
		seen := moment{0, m.nanos}
		s.widen(seen, seen)
	}
}

// filter adds a value to the bloom filter, if there is one, and what readers will see for it.
func (e *timeEncoder) filter(m moment) {
	if e.bloom == nil {
		return
	}
	e.bloom.add(wang(m.millis()))
	if m.seconds == -1 && m.nanos > 999_999 {
		e.bloom.add(wang(moment{0, m.nanos}.millis()))
	}
}

// scaledNanos is how nanoseconds are written: without zeros at the end, whose number less one
// is in the low three bits if there are two or more.
func scaledNanos(n int32) int64 {
	if n == 0 {
		return 0
	}
	if n%100 != 0 {
		return int64(n) << 3
	}
	z := int32(1)
	if n%1e6 == 0 {
		n, z = n/1e6, 5
	} else {
		n /= 100
	}
	for n%10 == 0 && z < 7 {
		n /= 10
		z++
	}
	return int64(n)<<3 | int64(z)
}
