package firehose

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode"
)

// The matchers of this file stand for patterns that Go's regular expressions cannot say. The
// patterns are Java's, so Java's idea of white space and of lines holds, not Unicode's.

const (
	javaSpaces     = " \t\n\v\f\r"            // \s
	javaLineBreaks = "\n\r\u0085\u2028\u2029" // what a dot does not match, in order
)

// fitsWhole matches a regular expression, whose dots are Java's, as a whole.
func fitsWhole(pattern string) func(string) bool {
	parsed, err := syntax.Parse(`^(?:`+pattern+`)$`, syntax.Perl)
	if err != nil {
		panic(fmt.Sprintf("pattern %s: %v", pattern, err))
	}
	narrowDots(parsed)
	return regexp.MustCompile(parsed.String()).MatchString
}

// narrowDots takes from the dots of an expression the line breaks that Go lets them match.
func narrowDots(of *syntax.Regexp) {
	if of.Op == syntax.OpAnyCharNotNL {
		of.Op, of.Rune = syntax.OpCharClass, nil
		next := rune(0)
		for _, r := range javaLineBreaks {
			if r > next {
				of.Rune = append(of.Rune, next, r-1)
			}
			next = r + 1
		}
		of.Rune = append(of.Rune, next, unicode.MaxRune)
	}
	for _, part := range of.Sub {
		narrowDots(part)
	}
}

var fitsTagCharacters = fitsWhole(`[\p{L}\p{Z}\p{N}_.:/=+\-@%]*`)

// fitsTagKey takes any key but those that AWS keeps for itself.
func fitsTagKey(s string) bool { return !strings.HasPrefix(s, "aws:") && fitsTagCharacters(s) }

// fitsNotBlank takes one line that is not all white space.
func fitsNotBlank(s string) bool {
	return strings.Trim(s, javaSpaces) != "" && !strings.ContainsAny(s, javaLineBreaks)
}

// fitsNotSpaced takes what has no white space.
func fitsNotSpaced(s string) bool { return s != "" && !strings.ContainsAny(s, javaSpaces) }

// fitsJDBCURL takes the address of a Redshift database. The labels of its host neither
// begin nor end with a hyphen.
var fitsJDBCURL = fitsWhole(`jdbc:(redshift|postgresql)://([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+` +
	`(redshift(-serverless)?)\.([a-zA-Z0-9\.\-]+):\d{1,5}/[a-zA-Z0-9_$-]+`)
