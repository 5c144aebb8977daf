package schema

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ErrDDL says that a text is not a CREATE TABLE statement that can be used. A *SyntaxError
// says where.
var ErrDDL = errors.New("not a usable CREATE TABLE statement")

// SyntaxError is an ErrDDL with its place. Columns count characters from 1.
type SyntaxError struct {
	Line, Column int
	Message      string
	Err          error // what a type is refused for; may be nil
}

// Error begins with line and column.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
}

// Unwrap makes it an ErrDDL.
func (e *SyntaxError) Unwrap() []error { return []error{ErrDDL, e.Err} }

// MaxStatement is how long a statement may be, in bytes.
const MaxStatement = 1 << 20

type kind uint8

const (
	atEnd   kind = iota
	word         // a keyword or a name
	quoted       // a name in back quotes
	literal      // a text in quotes
	symbol       // one character
)

// lexer cuts a statement into tokens and holds the one that is next.
type lexer struct {
	source string
	last   int // end of the token before
	begin  int // of the token
	at     int // behind it
	kind   kind
	text   string // without quotes
}

// failAt makes an error at an offset.
func (l *lexer) failAt(offset int, format string, args ...any) error {
	before := l.source[:offset]
	begin := strings.LastIndexByte(before, '\n') + 1
	return &SyntaxError{
		Line: strings.Count(before, "\n") + 1, Column: utf8.RuneCountInString(before[begin:]) + 1,
		Message: fmt.Sprintf(format, args...),
	}
}

// wanted says what should stand where the token is.
func (l *lexer) wanted(what string) error {
	if l.kind == atEnd {
		return l.failAt(l.begin, "%s is missing, and the statement ends", what)
	}
	return l.failAt(l.begin, "%s is missing before %.40q", what, l.source[l.begin:l.at])
}

func isWord(c byte) bool {
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// next goes on to the next token.
func (l *lexer) next() error {
	l.last = l.at
	if err := l.space(); err != nil {
		return err
	}
	l.begin = l.at
	if l.at == len(l.source) {
		l.kind, l.text = atEnd, ""
		return nil
	}
	switch c := l.source[l.at]; {
	case c == '`':
		return l.name()
	case c == '\'' || c == '"':
		return l.literal(c)
	case isWord(c):
		for l.at < len(l.source) && isWord(l.source[l.at]) {
			l.at++
		}
		l.kind = word
	default:
		l.at++
		l.kind = symbol
	}
	l.text = l.source[l.begin:l.at]
	return nil
}

// space passes over white space and comments.
func (l *lexer) space() error {
	for l.at < len(l.source) {
		rest := l.source[l.at:]
		switch {
		case strings.IndexByte(" \t\r\n", rest[0]) >= 0:
			l.at++
		case strings.HasPrefix(rest, "--"):
			end := strings.IndexByte(rest, '\n')
			if end < 0 {
				end = len(rest)
			}
			l.at += end
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest, "*/")
			if end < 0 {
				return l.failAt(l.at, "a comment does not end")
			}
			l.at += end + 2
		default:
			return nil
		}
	}
	return nil
}

// name takes a name in back quotes, which stand twice where they are meant.
func (l *lexer) name() error {
	var b strings.Builder
	for l.at++; l.at < len(l.source); l.at++ {
		if l.source[l.at] == '`' {
			if l.at++; l.at == len(l.source) || l.source[l.at] != '`' {
				l.kind, l.text = quoted, b.String()
				return nil
			}
		}
		b.WriteByte(l.source[l.at])
	}
	return l.failAt(l.begin, "a name in back quotes does not end")
}

// escapes are the characters that Hive writes with a backslash, besides those that stand for
// themselves.
var escapes = map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', 'b': '\b', '0': 0, 'Z': 26}

// literal takes a text in quotes.
func (l *lexer) literal(quote byte) error {
	var b strings.Builder
	for l.at++; l.at < len(l.source); l.at++ {
		c := l.source[l.at]
		switch {
		case c == quote && l.at+1 < len(l.source) && l.source[l.at+1] == quote:
			l.at++
		case c == quote:
			l.at++
			l.kind, l.text = literal, b.String()
			return nil
		case c == '\\' && l.at+1 < len(l.source):
			l.at++
			c = l.escaped()
		}
		b.WriteByte(c)
	}
	return l.failAt(l.begin, "a text in quotes does not end")
}

// escaped reads what follows a backslash: a character, or three octal digits.
func (l *lexer) escaped() byte {
	rest := l.source[l.at:]
	if len(rest) >= 3 && rest[0] >= '0' && rest[0] <= '1' && isOctal(rest[1]) && isOctal(rest[2]) {
		l.at += 2
		return (rest[0]-'0')<<6 | (rest[1]-'0')<<3 | rest[2] - '0'
	}
	if c, ok := escapes[rest[0]]; ok {
		return c
	}
	return rest[0]
}

func isOctal(c byte) bool { return c >= '0' && c <= '7' }
