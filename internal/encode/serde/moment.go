package serde

import (
	"bytes"
	"math/bits"

	"hydrant/internal/column"
)

// The seconds of the years 1 to 9999.
const (
	firstSecond = -62135596800
	lastSecond  = 253402300799
)

const secondsOfDay = 24 * 60 * 60

// instant is a moment in UTC.
type instant struct {
	seconds int64
	nanos   int32
}

// moment reads into a column of dates or timestamps.
func (r *Reader) moment(n *node, v *column.Vector, at int) int {
	c := r.data[at]
	if c == '"' {
		return r.converted(n, v, at)
	}
	if n.kind == column.Date || c != '-' && c-'0' > 9 {
		return r.notPrimitive(n, at)
	}
	var num number
	next := r.number(&num, at)
	if next < 0 || !r.convertMoment(n, v, num.text) {
		return -1
	}
	return next
}

// convertMoment reads a text, or a number as it is written.
func (r *Reader) convertMoment(n *node, v *column.Vector, text []byte) bool {
	if n.kind == column.Date {
		if days, ok := dateText(text, r.hive); ok {
			v.Int(days)
			return true
		}
	} else if t, ok := r.timestamp(text); ok && t.seconds >= firstSecond && t.seconds <= lastSecond {
		v.Time(t.seconds, t.nanos)
		return true
	}
	if r.hive {
		r.misfitsWhole(textRoot)
	} else {
		r.noInput(text)
	}
	return false
}

func (r *Reader) timestamp(text []byte) (instant, bool) {
	switch {
	case len(r.formats) > 0:
		return r.byFormats(text)
	case r.hive:
		return plainTimestamp(text, true)
	case len(text) > 10 && text[10] == 'T':
		return strictTimestamp(text)
	case bytes.IndexByte(text, ':') > 0:
		return plainTimestamp(text, false)
	}
	return epoch(text)
}

// few takes up to most digits.
func few(text []byte, at, most int) (value, next int, ok bool) {
	from := at
	for at < len(text) && at-from < most && text[at]-'0' <= 9 {
		value = value*10 + int(text[at]-'0')
		at++
	}
	return value, at, at > from
}

// after takes a character and one or two digits.
func after(c byte, text []byte, at int) (value, next int, ok bool) {
	if at >= len(text) || text[at] != c {
		return 0, at, false
	}
	return few(text, at+1, 2)
}

// plainDate takes yyyy-[M]M-[d]d.
func plainDate(text []byte) (year, month, day, next int, ok bool) {
	if year, next, ok = few(text, 0, 4); !ok || next != 4 {
		return 0, 0, 0, 0, false
	}
	if month, next, ok = after('-', text, next); !ok {
		return 0, 0, 0, 0, false
	}
	day, next, ok = after('-', text, next)
	return year, month, day, next, ok
}

// dateText is a date in days. Months and days beyond their last roll over into what follows;
// java.sql.Date, which Hive takes, does so only with days up to 31.
func dateText(text []byte, sql bool) (int64, bool) {
	year, month, day, next, ok := plainDate(text)
	if !ok || next != len(text) || sql && !calendar(month, day) {
		return 0, false
	}
	seconds := midnight(year, month, day)
	return seconds / secondsOfDay, seconds >= firstSecond && seconds <= lastSecond
}

// calendar are the months and days that java.sql has.
func calendar(month, day int) bool { return month >= 1 && month <= 12 && day >= 1 && day <= 31 }

// midnight is the second a day begins. Months and days may be out of their range.
func midnight(year, month, day int) int64 {
	months := year*12 + month - 1
	// Years begin in March here, so that leap days are their last.
	y, m := (months-2)/12, (months-2)%12
	if months < 2 {
		y, m = -1, months+10 // the last of them before March of the year 0
	}
	days := y*365 + floor(y, 4) - floor(y, 100) + floor(y, 400) + (m*153+2)/5 + day - 1
	return int64(days-719468) * secondsOfDay
}

// floor is a / b, rounded down.
func floor(a, b int) int {
	if a < 0 {
		return -((-a + b - 1) / b)
	}
	return a / b
}

// plainTimestamp reads yyyy-[M]M-[d]d [H]H:[m]m:[s]s[.f…]. What is too large rolls over.
func plainTimestamp(text []byte, sql bool) (t instant, ok bool) {
	year, month, day, at, ok := plainDate(text)
	if !ok || sql && !calendar(month, day) {
		return t, false
	}
	var hour, minute, second int
	if hour, at, ok = after(' ', text, at); !ok {
		return t, false
	}
	if minute, at, ok = after(':', text, at); !ok {
		return t, false
	}
	if second, at, ok = after(':', text, at); !ok {
		return t, false
	}
	t.seconds = midnight(year, month, day) + int64(hour)*3600 + int64(minute)*60 + int64(second)
	t.nanos, at, ok = nanos(text, at)
	return t, ok && at == len(text)
}

// nanos takes a point and one to nine digits, if there is a point.
func nanos(text []byte, at int) (n int32, next int, ok bool) {
	if at >= len(text) || text[at] != '.' {
		return 0, at, true
	}
	value, next, ok := few(text, at+1, 9)
	for range 9 - (next - at - 1) {
		value *= 10
	}
	return int32(value), next, ok
}

// strictTimestamp reads yyyy-MM-ddTHH:mm:ss[.f…][Z], each part within its range.
func strictTimestamp(text []byte) (t instant, ok bool) {
	if len(text) < len("2006-01-02T15:04:05") {
		return t, false
	}
	const layout = "0000-00-00T00:00:00"
	for i := range len(layout) {
		if layout[i] == '0' && text[i]-'0' > 9 || layout[i] != '0' && text[i] != layout[i] {
			return t, false
		}
	}
	year, _, _ := few(text, 0, 4)
	month, day := two(text, 5), two(text, 8)
	hour, minute, second := two(text, 11), two(text, 14), two(text, 17)
	if month < 1 || month > 12 || day < 1 || day > daysOf(year, month) || hour > 23 || minute > 59 || second > 59 {
		return t, false
	}
	t.seconds = midnight(year, month, day) + int64(hour)*3600 + int64(minute)*60 + int64(second)
	var at int
	t.nanos, at, ok = nanos(text, len(layout))
	if ok && at < len(text) && text[at] == 'Z' {
		at++
	}
	return t, ok && at == len(text)
}

// two is a number of two digits.
func two(text []byte, at int) int { return int(text[at]-'0')*10 + int(text[at+1]-'0') }

func daysOf(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// fromMillis is from where on numbers are milliseconds.
const fromMillis = 1e12

// epoch reads a number of seconds or milliseconds since 1970, with or without a fraction.
func epoch(text []byte) (t instant, ok bool) {
	var n number
	if n.parse(text, false) != len(text) {
		return t, false
	}
	if n.whole && !n.long && n.mantissa < fromMillis {
		t.seconds = int64(n.mantissa)
		return t.signed(n.negative), true
	}
	units, rest, ok := n.billionths()
	if !ok {
		return t, false
	}
	if units >= fromMillis {
		return millis(units, rest).signed(n.negative), true
	}
	return instant{int64(units), int32(rest)}.signed(n.negative), true
}

// millis is the instant of milliseconds and billionths of one. Further digits are dropped.
func millis(units, rest uint64) instant {
	return instant{int64(units / 1000), int32(units%1000*1e6 + rest/1000)}
}

// billionths is the magnitude in whole units and billionths of one.
func (n *number) billionths() (units, rest uint64, ok bool) {
	w, ok := n.unscaled(9)
	if !ok || w.hi >= 1e9 {
		return 0, 0, false
	}
	units, rest = bits.Div64(w.hi, w.lo, 1e9)
	return units, rest, true
}

// signed is the instant as long before 1970 as it is after, if negative. Nanoseconds count up.
func (t instant) signed(negative bool) instant {
	if !negative {
		return t
	}
	t.seconds = -t.seconds
	if t.nanos > 0 {
		t.seconds--
		t.nanos = 1e9 - t.nanos
	}
	return t
}
