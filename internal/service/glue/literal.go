package glue

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// kind is what a token of an expression is.
type kind uint8

const (
	atEnd   kind = iota
	aWord        // a name or keyword
	aName        // a name in back quotes
	aText        // a literal in quotes
	aNumber      // a literal without
	aSymbol      // an operator, a parenthesis or a comma
)

// lexer cuts an expression into tokens and holds the one that is next.
type lexer struct {
	text  string
	at    int // behind the token
	begin int // of the token
	kind  kind
	token string // without quotes
}

func (l *lexer) fail(format string, args ...any) error {
	return refuse(Invalid, "Expression cannot be used: %s, at character %d.", fmt.Sprintf(format, args...), l.begin+1)
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// next goes on to the next token.
func (l *lexer) next() error {
	for l.at < len(l.text) && strings.IndexByte(" \t\r\n", l.text[l.at]) >= 0 {
		l.at++
	}
	l.begin = l.at
	if l.at == len(l.text) {
		l.kind, l.token = atEnd, ""
		return nil
	}
	c := l.text[l.at]
	switch {
	case c == '\'' || c == '"' || c == '`':
		return l.quoted(c)
	case isDigit(c) || c == '-' || c == '.':
		l.take(aNumber, func(c byte) bool { return isDigit(c) || strings.IndexByte("+-.eE", c) >= 0 })
	case isWord(c):
		l.take(aWord, isWord)
	case strings.IndexByte("<>!=", c) >= 0:
		l.take(aSymbol, func(c byte) bool { return strings.IndexByte("<>!=", c) >= 0 })
	case strings.IndexByte("(),", c) >= 0:
		l.at++
		l.kind, l.token = aSymbol, l.text[l.begin:l.at]
	default:
		return l.fail("there is a character that means nothing")
	}
	return nil
}

// take makes a token of the bytes that belong to it.
func (l *lexer) take(of kind, belongs func(byte) bool) {
	for l.at < len(l.text) && belongs(l.text[l.at]) {
		l.at++
	}
	l.kind, l.token = of, l.text[l.begin:l.at]
}

// quoted takes a text in quotes, which stand twice where they are meant.
func (l *lexer) quoted(quote byte) error {
	var b strings.Builder
	for l.at++; l.at < len(l.text); l.at++ {
		c := l.text[l.at]
		if c == quote {
			if l.at++; l.at == len(l.text) || l.text[l.at] != quote {
				l.kind, l.token = aText, b.String()
				if quote == '`' {
					l.kind = aName
				}
				return nil
			}
		}
		b.WriteByte(c)
	}
	return l.fail("a text does not end")
}

// takeWord goes on if the next token is a word.
func (l *lexer) takeWord(word string) (bool, error) {
	if l.kind != aWord || !strings.EqualFold(l.token, word) {
		return false, nil
	}
	return true, l.next()
}

// want goes on behind a symbol.
func (l *lexer) want(symbol string) error {
	if l.kind != aSymbol || l.token != symbol {
		return l.fail("%s was expected", symbol)
	}
	return l.next()
}

// literal takes what a column is compared with.
func (p *predicate) literal(c operand) (string, error) {
	text := p.token
	switch {
	case p.kind != aText && p.kind != aNumber:
		return "", p.fail("a text in quotes or a number was expected")
	case c.numeric || p.kind == aNumber:
		if _, ok := compareNumbers(text, "0"); !ok {
			return "", p.fail("a number was expected")
		}
	}
	return text, p.next()
}

// compared compares the column with a literal.
func (c operand) compared(literal string, wanted func(sign int) bool) matcher {
	return func(values []string) bool {
		if c.index >= len(values) {
			return false
		}
		if !c.numeric {
			return wanted(strings.Compare(values[c.index], literal))
		}
		sign, ok := compareNumbers(values[c.index], literal)
		return ok && wanted(sign)
	}
}

// compareNumbers compares integers exactly, and other numbers as well as floats can.
func compareNumbers(a, b string) (sign int, ok bool) {
	m, errM := strconv.ParseInt(a, 10, 64)
	n, errN := strconv.ParseInt(b, 10, 64)
	if errM == nil && errN == nil {
		return cmp.Compare(m, n), true
	}
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	return cmp.Compare(x, y), errX == nil && errY == nil
}
