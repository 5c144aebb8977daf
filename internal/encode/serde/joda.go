package serde

import (
	"fmt"
	"strings"
	"time"
)

// joda is a compiled pattern of Joda-Time's DateTimeFormat.
type joda struct {
	millis bool // the word millis, no pattern: milliseconds since 1970
	parts  []jodaPart
	pivot  int // the middle of the hundred years that two digits stand for
}

// jodaPart is one thing to read: literal text, or a field.
type jodaPart struct {
	letter  byte // 0 for a literal
	count   int  // how often the letter is repeated
	most    int  // digits to take at most
	two     bool // a year that may be given by two digits
	lenient bool // and by another number of them
	number  bool // digits are read
	text    []byte
}

// Bounds of what users configure, since each value may be tried with each pattern.
const (
	maxFormats = 100
	maxPattern = 1000
)

// jodaDigits are the letters of numbers, and how many digits Joda takes of each. 0 stands for
// as many as the letter is repeated, 9 for years, which take fewer if a number follows.
var jodaDigits = map[byte]int{
	'C': 9, 'x': 9, 'y': 9, 'Y': 9, 'w': 2, 'e': 1, 'D': 3, 'd': 2,
	'h': 2, 'H': 2, 'k': 2, 'K': 2, 'm': 2, 's': 2, 'S': 0,
}

// CheckTimestampFormats reports what is wrong with the TimestampFormats of HiveJsonSerDe, in
// the words the API answers with (spec section 6.3). Errors wrap ErrInvalidOptions.
func CheckTimestampFormats(formats []string) error {
	_, err := compileFormats(formats)
	return err
}

func compileFormats(formats []string) ([]*joda, error) {
	if len(formats) > maxFormats {
		return nil, badFormat(fmt.Sprintf("%d formats", len(formats)), fmt.Sprintf("there may be up to %d", maxFormats))
	}
	var all []*joda
	pivot := time.Now().UTC().Year() - 30 // as Joda chooses it
	for _, f := range formats {
		j, err := compileJoda(f, pivot)
		if err != nil {
			return nil, err
		}
		all = append(all, j)
	}
	return all, nil
}

func badFormat(value, why string) error {
	return optionsError(fmt.Sprintf("%s[Key: timestamp.formats, Value: %.200s, Reason: %s]", textHive, value, why))
}

// compileJoda reads a pattern as DateTimeFormat.forPattern does. Two digits of a year mean
// one from 50 years before the pivot to 49 after it.
func compileJoda(pattern string, pivot int) (*joda, error) {
	if pattern == "millis" {
		return &joda{millis: true}, nil
	}
	if pattern == "" || len(pattern) > maxPattern {
		return nil, badFormat(pattern, "Invalid pattern specification")
	}
	j := &joda{pivot: pivot}
	for at := 0; at < len(pattern); {
		part, next := jodaToken(pattern, at)
		at = next
		if part.letter != 0 && strings.IndexByte("GCxYyMwEeDdahHkKmsSzZ", part.letter) < 0 {
			return nil, badFormat(pattern, fmt.Sprintf("Illegal pattern component: %s", strings.Repeat(string(part.letter), part.count)))
		}
		if part.letter != 0 || len(part.text) > 0 {
			j.parts = append(j.parts, part)
		}
	}
	for i := range j.parts {
		j.parts[i].number = j.parts[i].numeric()
	}
	for i := range j.parts {
		j.bound(i)
	}
	return j, nil
}

// bound sets how many digits a part takes.
func (j *joda) bound(i int) {
	p := &j.parts[i]
	if p.letter == 'M' && p.count < 3 {
		p.most = 2
		return
	}
	p.most = jodaDigits[p.letter]
	if p.letter == 'S' {
		p.most = p.count
	}
	if p.letter != 'x' && p.letter != 'y' && p.letter != 'Y' {
		return
	}
	numberNext := i+1 < len(j.parts) && j.parts[i+1].number
	if p.two = p.count == 2; p.two {
		p.lenient = !numberNext
	}
	if numberNext {
		p.most = p.count
	}
}

// numeric reports whether the part is a number.
func (p *jodaPart) numeric() bool {
	_, digits := jodaDigits[p.letter]
	return digits || p.letter == 'M' && p.count < 3
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// jodaToken takes the letters or the literal text at at. A quote that is not closed is
// literal to the end, as in Joda.
func jodaToken(pattern string, at int) (p jodaPart, next int) {
	if c := pattern[at]; isLetter(c) {
		next = at
		for next < len(pattern) && pattern[next] == c {
			next++
		}
		return jodaPart{letter: c, count: next - at}, next
	}
	var text []byte
	quoted := false
	for at < len(pattern) {
		c := pattern[at]
		switch {
		case c == '\'' && at+1 < len(pattern) && pattern[at+1] == '\'':
			text = append(text, c)
			at++
		case c == '\'':
			quoted = !quoted
		case isLetter(c) && !quoted:
			return jodaPart{text: text}, at
		default:
			text = append(text, c)
		}
		at++
	}
	return jodaPart{text: text}, at
}

// byFormats reads a text by the first pattern that takes all of it.
func (r *Reader) byFormats(text []byte) (instant, bool) {
	for _, j := range r.formats {
		if j.millis {
			if t, ok := millisText(text); ok {
				return t, true
			}
			continue
		}
		if t, ok := j.parse(&r.zones, text); ok {
			return t, true
		}
	}
	return instant{}, false
}

// millisText reads milliseconds since 1970.
func millisText(text []byte) (t instant, ok bool) {
	var n number
	if n.parse(text, false) != len(text) {
		return t, false
	}
	units, rest, ok := n.billionths()
	if !ok {
		return t, false
	}
	return millis(units, rest).signed(n.negative), true
}
