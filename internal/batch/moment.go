package batch

import (
	"strconv"
	"time"
)

// widest returns two moments in a zone at which every text is as long as it gets: a
// Wednesday in September, with two digits in day, hour, minute and second and three in day
// of year, late in the evening and "in the afternoon".
func widest(zone *time.Location) [2]moment {
	late := time.Date(2026, time.September, 30, 23, 59, 59, 0, zone)
	return [2]moment{newMoment(late), newMoment(late.Add(-6 * time.Hour))}
}

// moment is an instant taken apart in its zone, cut to the second.
type moment struct {
	zone                 string // as configured; UTC if nothing is
	year                 int
	month                time.Month
	day, yday            int
	hour, minute, second int
	weekday              time.Weekday
	offset               int // seconds east of UTC
	days                 int // of the local date, since 1970-01-01
}

func newMoment(t time.Time) moment {
	m := moment{zone: t.Location().String(), yday: t.YearDay(), weekday: t.Weekday()}
	m.year, m.month, m.day = t.Date()
	m.hour, m.minute, m.second = t.Clock()
	_, m.offset = t.Zone()
	m.days = int((t.Unix() + int64(m.offset) - int64(m.secondOfDay())) / 86400)
	return m
}

func (m moment) secondOfDay() int { return m.hour*3600 + m.minute*60 + m.second }

// Weeks begin on Sunday and week 1 contains January 1 (Java's WeekFields for the US).

// week counts the weeks of a period whose first day is so many days (counted from 1) back.
func (m moment) week(dayOfPeriod int) int {
	first := (int(m.weekday) - (dayOfPeriod - 1)) % 7 // weekday of the period's first day
	if first < 0 {
		first += 7
	}
	return (dayOfPeriod-1+first)/7 + 1
}

// weekOfYear returns the week and the year it belongs to: the week of December that
// contains January 1 is week 1 of the next year.
func (m moment) weekOfYear() (week, year int) {
	left := daysIn(m.year) - m.yday // days after this one in the year
	if left < 6-int(m.weekday) {
		return 1, m.year + 1
	}
	return m.week(m.yday), m.year
}

func daysIn(year int) int { return time.Date(year, time.December, 31, 0, 0, 0, 0, time.UTC).YearDay() }

// append prints the pattern for m as DateTimeFormatter.format does.
func (p pattern) append(dst []byte, m moment) []byte {
	for i := range p {
		if f := &p[i]; f.letter == 0 {
			dst = append(dst, f.text...)
		} else {
			dst = f.append(dst, m)
		}
	}
	return dst
}

func (f *field) append(dst []byte, m moment) []byte {
	start := len(dst)
	dst = f.appendUnpadded(dst, m)
	missing := f.pad - (len(dst) - start)
	for range missing {
		dst = append(dst, ' ')
	}
	if missing > 0 {
		copy(dst[start+missing:], dst[start:])
		for i := range missing {
			dst[start+i] = ' '
		}
	}
	return dst
}

func (f *field) appendUnpadded(dst []byte, m moment) []byte {
	switch f.letter {
	case 'y', 'u':
		return appendYear(dst, m.year, f.count)
	case 'Y':
		_, year := m.weekOfYear()
		return appendYear(dst, year, f.count)
	case 'M', 'L', 'Q', 'q', 'E', 'e', 'c', 'G', 'a', 'B':
		return f.appendText(dst, m)
	case 'V':
		return append(dst, m.zone...)
	case 'v', 'z':
		if f.count == 4 {
			return append(dst, "Coordinated Universal Time"...)
		}
		return append(dst, "UTC"...)
	case 'O', 'X', 'x', 'Z':
		return f.appendOffset(dst, m.offset)
	default:
		return appendNumber(dst, f.number(m), f.count)
	}
}

// number is the value of a field that is always printed in digits.
func (f *field) number(m moment) int {
	switch f.letter {
	case 'd':
		return m.day
	case 'D':
		return m.yday
	case 'w':
		week, _ := m.weekOfYear()
		return week
	case 'W':
		return m.week(m.day)
	case 'F':
		return (m.day-1)%7 + 1
	case 'H':
		return m.hour
	case 'k':
		return (m.hour+23)%24 + 1
	case 'K':
		return m.hour % 12
	case 'h':
		return (m.hour+11)%12 + 1
	case 'm':
		return m.minute
	case 's':
		return m.second
	case 'A':
		return m.secondOfDay() * 1000
	case 'N':
		return m.secondOfDay() * 1_000_000_000
	case 'g':
		return m.days + 40587 // the modified Julian day of 1970-01-01
	default: // S and n: instants are cut to the second
		return 0
	}
}

// appendNumber appends n with zeros up to the width.
func appendNumber(dst []byte, n, width int) []byte {
	var digits [20]byte
	b := strconv.AppendInt(digits[:0], int64(n), 10)
	for range width - len(b) {
		dst = append(dst, '0')
	}
	return append(dst, b...)
}

// appendYear appends a year, two letters giving its last two digits.
func appendYear(dst []byte, year, count int) []byte {
	if count == 2 {
		year %= 100
	}
	return appendNumber(dst, year, count)
}

var (
	quarters = [4]string{"1st quarter", "2nd quarter", "3rd quarter", "4th quarter"}
	eras     = [6]string{1: "AD", 2: "AD", 3: "AD", 4: "Anno Domini", 5: "A"}
)

// appendText prints the fields that turn from digits to words as the letter is repeated:
// three letters give a short text, four the full one, five a single character.
func (f *field) appendText(dst []byte, m moment) []byte {
	switch f.letter {
	case 'G':
		return append(dst, eras[f.count]...)
	case 'a':
		if m.hour < 12 {
			return append(dst, "AM"...)
		}
		return append(dst, "PM"...)
	case 'B':
		return append(dst, dayPeriod(m, f.count == 5)...)
	case 'M', 'L':
		return appendName(dst, int(m.month), f.count, m.month.String())
	case 'E':
		return appendName(dst, 0, max(f.count, 3), m.weekday.String())
	case 'e', 'c':
		return appendName(dst, int(m.weekday)+1, f.count, m.weekday.String())
	default: // Q and q
		quarter := (int(m.month)-1)/3 + 1
		switch f.count {
		case 3:
			return append(dst, 'Q', byte('0'+quarter))
		case 5:
			return append(dst, byte('0'+quarter))
		}
		return appendName(dst, quarter, f.count, quarters[quarter-1])
	}
}

// appendName appends the number or the name, shortened as the count wants it.
func appendName(dst []byte, number, count int, name string) []byte {
	switch count {
	case 3:
		return append(dst, name[:3]...)
	case 4:
		return append(dst, name...)
	case 5:
		return append(dst, name[0])
	default:
		return appendNumber(dst, number, count)
	}
}

// dayPeriod is English for a time of day (Unicode CLDR, dayPeriods of "en").
func dayPeriod(m moment, narrow bool) string {
	switch {
	case m.hour == 0 && m.minute == 0:
		if narrow {
			return "mi"
		}
		return "midnight"
	case m.hour == 12 && m.minute == 0:
		if narrow {
			return "n"
		}
		return "noon"
	case m.hour < 6 || m.hour >= 21:
		return "at night"
	case m.hour < 12:
		return "in the morning"
	case m.hour < 18:
		return "in the afternoon"
	default:
		return "in the evening"
	}
}

// appendOffset prints a zone's offset from UTC in digits. Seconds, which only offsets of
// long ago have, are shown where Java shows them.
func (f *field) appendOffset(dst []byte, offset int) []byte {
	if f.letter == 'O' || f.letter == 'Z' && f.count == 4 {
		return appendGMT(dst, offset, f.count == 4)
	}
	zero, colon := "Z", f.count == 3 || f.count == 5
	switch {
	case f.letter == 'x':
		zero = [6]string{1: "+00", 2: "+0000", 3: "+00:00", 4: "+0000", 5: "+00:00"}[f.count]
	case f.letter == 'Z' && f.count < 4:
		zero, colon = "+0000", false
	}
	if offset == 0 {
		return append(dst, zero...)
	}
	dst, offset = appendSign(dst, offset)
	dst = appendNumber(dst, offset/3600, 2)
	if minutes := offset / 60 % 60; f.letter == 'Z' || f.count > 1 || minutes != 0 {
		dst = appendUnit(dst, colon, minutes)
	}
	if seconds := offset % 60; f.count > 3 && seconds != 0 {
		dst = appendUnit(dst, colon, seconds)
	}
	return dst
}

// appendGMT prints the localised offset: GMT+9 or GMT+09:00.
func appendGMT(dst []byte, offset int, full bool) []byte {
	dst = append(dst, "GMT"...)
	if offset == 0 {
		return dst
	}
	dst, offset = appendSign(dst, offset)
	width := 1
	if full {
		width = 2
	}
	dst = appendNumber(dst, offset/3600, width)
	minutes, seconds := offset/60%60, offset%60
	if full || minutes != 0 || seconds != 0 {
		dst = appendUnit(dst, true, minutes)
	}
	if seconds != 0 {
		dst = appendUnit(dst, true, seconds)
	}
	return dst
}

// appendUnit appends two digits, behind a colon where wanted.
func appendUnit(dst []byte, colon bool, n int) []byte {
	if colon {
		dst = append(dst, ':')
	}
	return appendNumber(dst, n, 2)
}

func appendSign(dst []byte, offset int) ([]byte, int) {
	if offset < 0 {
		return append(dst, '-'), -offset
	}
	return append(dst, '+'), offset
}
