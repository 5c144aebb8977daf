package blueprint

import "time"

// clock is what a clock shows in some time zone.
type clock struct{ year, month, day, hour, minute, second int }

// accessClock reads the time of an access log, 10/Oct/2000:13:55:36. Day and hour may have
// one digit, and the month any case, as in the parsers of Amazon's blueprints.
func accessClock(s []byte) (c clock, ok bool) {
	if c.day, s, ok = oneOrTwo(s, '/'); !ok || len(s) < 4 || s[3] != '/' {
		return c, false
	}
	c.month, s = monthOf(s), s[4:]
	if c.year, ok = decimal(s, 4); !ok || len(s) < 5 || s[4] != ':' {
		return c, false
	}
	if c.hour, s, ok = oneOrTwo(s[5:], ':'); !ok || len(s) != 5 || s[2] != ':' {
		return c, false
	}
	var minute, second bool
	c.minute, minute = decimal(s, 2)
	c.second, second = decimal(s[3:], 2)
	return c, minute && second && c.valid()
}

// oneOrTwo takes a number of one or two digits and what ends it.
func oneOrTwo(s []byte, end byte) (n int, rest []byte, ok bool) {
	digits := 1
	if len(s) > 1 && is(s[1], digit) {
		digits = 2
	}
	n, ok = decimal(s, digits)
	if !ok || len(s) == digits || s[digits] != end {
		return 0, s, false
	}
	return n, s[digits+1:], true
}

// decimal is the number that the first digits of s are.
func decimal(s []byte, digits int) (n int, ok bool) {
	if len(s) < digits {
		return 0, false
	}
	for _, b := range s[:digits] {
		if !is(b, digit) {
			return 0, false
		}
		n = 10*n + int(b-'0')
	}
	return n, true
}

// monthOf is the month that the first three bytes of s abbreviate, or 0.
func monthOf(s []byte) int {
	switch string([]byte{s[0] | 0x20, s[1] | 0x20, s[2] | 0x20}) {
	case "jan":
		return 1
	case "feb":
		return 2
	case "mar":
		return 3
	case "apr":
		return 4
	case "may":
		return 5
	case "jun":
		return 6
	case "jul":
		return 7
	case "aug":
		return 8
	case "sep":
		return 9
	case "oct":
		return 10
	case "nov":
		return 11
	case "dec":
		return 12
	}
	return 0
}

// valid reports whether there is such a day, and such a time on it.
func (c clock) valid() bool {
	return c.month >= 1 && c.month <= 12 && c.day >= 1 && c.day <= daysIn(c.year, c.month) &&
		c.hour < 24 && c.minute < 60 && c.second < 60
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// offset is the minutes that a zone such as -0700 is ahead of UTC.
func offset(zone []byte) (minutes int, ok bool) {
	hh, ok1 := decimal(zone[1:], 2)
	mm, ok2 := decimal(zone[3:], 2)
	if !ok1 || !ok2 || hh > 23 || mm > 59 {
		return 0, false
	}
	if minutes = 60*hh + mm; zone[0] == '-' {
		minutes = -minutes
	}
	return minutes, true
}

// utc is the clock in Greenwich when c shows a time in a zone so many minutes ahead. It is
// not ok where the year gets five digits or less than none.
func (c clock) utc(minutes int) (clock, bool) {
	if minutes == 0 {
		return c, true
	}
	t := time.Date(c.year, time.Month(c.month), c.day, c.hour, c.minute-minutes, c.second, 0, time.UTC)
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	return clock{year, int(month), day, hour, minute, second}, year >= 0 && year <= 9999
}

// append appends 2000-10-10T13:55:36.
func (c clock) append(dst []byte) []byte {
	dst = append(dst, byte('0'+c.year/1000), byte('0'+c.year/100%10))
	dst = append2(dst, c.year%100)
	dst = append2(append(dst, '-'), c.month)
	dst = append2(append(dst, '-'), c.day)
	dst = append2(append(dst, 'T'), c.hour)
	dst = append2(append(dst, ':'), c.minute)
	return append2(append(dst, ':'), c.second)
}

func append2(dst []byte, n int) []byte { return append(dst, byte('0'+n/10), byte('0'+n%10)) }
