package serde

import (
	"bytes"
	"strings"
	"time"
)

// fields are what a pattern has read, before they are put together. Those that were not
// given are unset.
type fields struct {
	era, century, year, month, day, dayOfYear int
	weekYear, week, dayOfWeek                 int
	half, hour, halfHour                      int // hour of the day, and of its half
	minute, second, milli                     int
	offset                                    int // seconds east of UTC
	zone                                      *time.Location
}

// unset is no value of any field.
const unset = -1 << 31

var noFields = fields{
	era: unset, century: unset, year: unset, month: unset, day: unset, dayOfYear: unset,
	weekYear: unset, week: unset, dayOfWeek: unset, half: unset, hour: unset, halfHour: unset, offset: unset,
}

// parse reads a text by the pattern.
func (j *joda) parse(z *zones, text []byte) (instant, bool) {
	f := noFields
	for i := range j.parts {
		p := &j.parts[i]
		var ok bool
		switch {
		case p.letter == 0:
			text, ok = p.literal(text)
		case p.number:
			text, ok = j.number(p, &f, text)
		case p.letter == 'z' || p.letter == 'Z':
			text, ok = f.takeZone(p, z, text)
		default:
			text, ok = f.name(p.letter, text)
		}
		if !ok {
			return instant{}, false
		}
	}
	if len(text) > 0 {
		return instant{}, false
	}
	return f.instant()
}

// literal takes a literal, in any case as Joda does.
func (p *jodaPart) literal(text []byte) ([]byte, bool) {
	if bytes.HasPrefix(text, p.text) {
		return text[len(p.text):], true
	}
	if len(text) < len(p.text) || !bytes.EqualFold(text[:len(p.text)], p.text) {
		return text, false
	}
	return text[len(p.text):], true
}

// number takes the digits of a part.
func (j *joda) number(p *jodaPart, f *fields, text []byte) ([]byte, bool) {
	at, sign := 0, 1
	if len(text) > 1 && (text[0] == '-' || text[0] == '+') && strings.IndexByte("CxyY", p.letter) >= 0 {
		if text[0] == '-' {
			sign = -1
		}
		at++
	}
	value, next, ok := few(text, at, min(p.most, 9))
	if !ok {
		return text, false
	}
	digits := next - at
	value *= sign
	if p.two && digits == 2 && at == 0 {
		value = j.century(value)
	} else if p.two && !p.lenient {
		return text, false
	}
	if p.letter == 'S' {
		for next < len(text) && next-at < p.most && text[next]-'0' <= 9 {
			next++ // digits that no milliseconds have
		}
		value = toMillis(value, digits)
	}
	return text[next:], f.set(p.letter, value)
}

// century is the year that two digits stand for.
func (j *joda) century(two int) int {
	low := j.pivot - 50
	year := low - low%100 + two
	if year < low {
		year += 100
	}
	return year
}

// toMillis is a fraction of a second given by its digits.
func toMillis(value, digits int) int {
	for ; digits < 3; digits++ {
		value *= 10
	}
	for ; digits > 3; digits-- {
		value /= 10
	}
	return value
}

// set keeps the number of a letter, if it is in its range. Days are looked at later.
func (f *fields) set(letter byte, value int) bool {
	within := func(field *int, low, high int) bool {
		*field = value
		return value >= low && value <= high
	}
	switch letter {
	case 'C':
		return within(&f.century, 0, 99)
	case 'x':
		return within(&f.weekYear, 1, 9999)
	case 'y', 'Y':
		return within(&f.year, -9999, 9999)
	case 'M':
		return within(&f.month, 1, 12)
	case 'w':
		return within(&f.week, 1, 53)
	case 'e':
		return within(&f.dayOfWeek, 1, 7)
	case 'D':
		return within(&f.dayOfYear, 1, 366)
	case 'd':
		return within(&f.day, 1, 31)
	case 'H':
		return within(&f.hour, 0, 23)
	case 'K':
		return within(&f.halfHour, 0, 11)
	case 'm':
		return within(&f.minute, 0, 59)
	case 's':
		return within(&f.second, 0, 59)
	case 'S':
		return within(&f.milli, 0, 999)
	}
	return f.setClock(letter, value)
}

// setClock keeps hours that are counted from 1, as on the face of a clock.
func (f *fields) setClock(letter byte, value int) bool {
	if letter == 'k' {
		f.hour = value % 24
		return value >= 1 && value <= 24
	}
	f.halfHour = value % 12
	return value >= 1 && value <= 12
}

var (
	monthNames = []string{
		"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
	}
	dayNames  = []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}
	halfNames = []string{"AM", "PM"}
	eraNames  = []string{"BCE", "CE", "BC", "AD"}
)

// name takes a word of English, in any case. Months and days may be cut to three letters.
func (f *fields) name(letter byte, text []byte) (rest []byte, ok bool) {
	switch letter {
	case 'M':
		f.month, rest = oneOf(monthNames, text, true)
		f.month++
		return rest, f.month > 0
	case 'E':
		f.dayOfWeek, rest = oneOf(dayNames, text, true)
		f.dayOfWeek++
		return rest, f.dayOfWeek > 0
	case 'a':
		f.half, rest = oneOf(halfNames, text, false)
		return rest, f.half >= 0
	}
	f.era, rest = oneOf(eraNames, text, false)
	return rest, f.era >= 0
}

// oneOf takes one of the names, or its first three letters, and returns which, or -1.
func oneOf(names []string, text []byte, short bool) (int, []byte) {
	for i, name := range names {
		if len(text) >= len(name) && bytes.EqualFold(text[:len(name)], []byte(name)) {
			return i, text[len(name):]
		}
	}
	if short && len(text) >= 3 {
		for i, name := range names {
			if bytes.EqualFold(text[:3], []byte(name[:3])) {
				return i, text[3:]
			}
		}
	}
	return -1, text
}
