package batch

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// pattern is a compiled pattern of Java's DateTimeFormatter (java.time, as of Java 17 with
// Locale.US, which is what the service evaluates: spec section 4.4).
type pattern []field

// field is one printed item: literal text, or count times a pattern letter.
type field struct {
	letter byte // 0 for a literal
	count  int
	pad    int // width to fill with spaces on the left; 0 for none
	text   string
}

// errPattern says that Java would not compile the pattern.
var errPattern = errors.New("not a pattern of Java's DateTimeFormatter")

// errPadding says that a padded field can be wider than its padding. Java compiles such a
// pattern and fails when it prints the wide value.
var errPadding = fmt.Errorf("%w: field does not always fit into its padding", errPattern)

// errUnbuilt says that Java knows the pattern and Hydrant does not.
var errUnbuilt = errors.New("is not supported by Hydrant")

// limit says how often a letter may be repeated: up to max times, and then only as often as
// the bits of only say if that is not zero.
type limit struct {
	max  int
	only uint // bit n: n repetitions are allowed
}

// anyCount is for letters that Java pads to any width.
const anyCount = 1 << 16

// letters are the pattern letters that Java 17 compiles. Those bounded by 19 are the widths
// of its number printers.
var letters = map[byte]limit{
	'G': {max: 5}, 'y': {max: 19}, 'u': {max: 19}, 'Y': {max: anyCount}, 'D': {max: 3},
	'M': {max: 5}, 'L': {max: 5}, 'd': {max: 2}, 'Q': {max: 5}, 'q': {max: 5},
	'w': {max: 2}, 'W': {max: 1}, 'E': {max: 5}, 'e': {max: 5},
	'c': {max: 5, only: 1<<1 | 1<<3 | 1<<4 | 1<<5},
	'F': {max: 1}, 'a': {max: 1}, 'B': {max: 5, only: 1<<1 | 1<<4 | 1<<5},
	'h': {max: 2}, 'K': {max: 2}, 'k': {max: 2}, 'H': {max: 2}, 'm': {max: 2}, 's': {max: 2},
	'S': {max: 9}, 'A': {max: 19}, 'n': {max: 19}, 'N': {max: 19}, 'g': {max: 19},
	'V': {max: 2, only: 1 << 2}, 'v': {max: 4, only: 1<<1 | 1<<4}, 'z': {max: 4},
	'O': {max: 4, only: 1<<1 | 1<<4}, 'X': {max: 5}, 'x': {max: 5}, 'Z': {max: 5},
}

func (l limit) allows(count int) bool {
	return count <= l.max && (l.only == 0 || l.only>>count&1 != 0)
}

// compilePattern reads a pattern as DateTimeFormatterBuilder.appendPattern does. zone is
// where it will be printed: the names of zones are built for UTC only.
func compilePattern(s string, zone *time.Location) (pattern, error) {
	var p pattern
	open := 0 // optional sections; they print what is in them, and nothing themselves
	for s != "" {
		switch c := s[0]; {
		case isLetter(c):
			f, rest, err := compileField(s, zone)
			if err != nil {
				return nil, err
			}
			p, s = append(p, f), rest
			continue
		case c == '\'':
			text, rest, err := quoted(s[1:])
			if err != nil {
				return nil, err
			}
			p, s = p.literal(text), rest
			continue
		case c == '[':
			open++
		case c == ']':
			if open--; open < 0 {
				return nil, fmt.Errorf("%w: ] without [", errPattern)
			}
		case c == '{' || c == '}' || c == '#':
			return nil, fmt.Errorf("%w: reserved character %q", errPattern, c)
		default:
			p = p.literal(s[:1])
		}
		s = s[1:]
	}
	return p, nil
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// literal appends text, to the literal before it if there is one.
func (p pattern) literal(text string) pattern {
	if k := len(p) - 1; k >= 0 && p[k].letter == 0 {
		p[k].text += text
		return p
	}
	return append(p, field{text: text})
}

// quoted reads a quoted literal up to its closing quote; two quotes stand for one.
func quoted(s string) (text, rest string, err error) {
	for i := 0; i < len(s); i++ {
		if s[i] != '\'' {
			continue
		}
		if i+1 < len(s) && s[i+1] == '\'' {
			i++
			continue
		}
		if i == 0 {
			return "'", s[1:], nil
		}
		return strings.ReplaceAll(s[:i], "''", "'"), s[i+1:], nil
	}
	return "", "", fmt.Errorf("%w: a quote is not closed", errPattern)
}

// run splits the leading repetitions of one letter from s.
func run(s string) (letter byte, count int, rest string) {
	count = len(s) - len(strings.TrimLeft(s, s[:1]))
	return s[0], count, s[count:]
}

// compileField reads one letter field with the padding before it.
func compileField(s string, zone *time.Location) (field, string, error) {
	c, count, rest := run(s)
	pad := 0
	if c == 'p' {
		if rest == "" || !isLetter(rest[0]) {
			return field{}, "", fmt.Errorf("%w: p without a field to pad", errPattern)
		}
		pad = count
		c, count, rest = run(rest)
	}
	if l, ok := letters[c]; !ok || !l.allows(count) {
		return field{}, "", fmt.Errorf("%w: %s", errPattern, strings.Repeat(string(c), min(count, 20)))
	}
	if (c == 'z' || c == 'v') && zone != time.UTC {
		return field{}, "", fmt.Errorf("%w: the zone name %q of a CustomTimeZone other than UTC (use VV or xxx)",
			errUnbuilt, strings.Repeat(string(c), count))
	}
	f := field{letter: c, count: count, pad: pad}
	for _, m := range widest(zone) {
		if pad > 0 && len(f.append(nil, m)) > pad {
			return field{}, "", errPadding
		}
	}
	return f, rest, nil
}
