package glue

import (
	"regexp"
	"strings"
)

// matcher says whether the values of a partition satisfy an expression.
type matcher func(values []string) bool

// maxNesting is how deep an expression may be nested.
const maxNesting = 100

// predicate reads an expression of GetPartitions from left to right:
//
//	either     := both { OR both }
//	both       := single { AND single }
//	single     := NOT single | ( either ) | comparison
//	comparison := column operator literal | column [NOT] IN ( literal {, literal} )
//	            | column [NOT] BETWEEN literal AND literal | column [NOT] LIKE literal
//
// Operators are = <> != < <= > >=. Words are taken in any case. Columns of numeric types are
// compared as numbers and all others as texts, which is right for dates too. A value that is
// no number where one is wanted satisfies no comparison.
type predicate struct {
	lexer
	keys  []Column
	depth int
}

// parsePredicate reads an expression over partition keys; an empty one is always true.
func parsePredicate(text string, keys []Column) (matcher, error) {
	p := &predicate{lexer: lexer{text: text}, keys: keys}
	if err := p.next(); err != nil {
		return nil, err
	}
	if p.kind == atEnd {
		return func([]string) bool { return true }, nil
	}
	m, err := p.either()
	if err != nil {
		return nil, err
	}
	if p.kind != atEnd {
		return nil, p.fail("nothing more was expected")
	}
	return m, nil
}

// series reads what stands between occurrences of a word.
func (p *predicate) series(word string, single func() (matcher, error)) ([]matcher, error) {
	var all []matcher
	for {
		m, err := single()
		if err != nil {
			return nil, err
		}
		all = append(all, m)
		if taken, err := p.takeWord(word); err != nil || !taken {
			return all, err
		}
	}
}

func (p *predicate) either() (matcher, error) {
	all, err := p.series("or", p.both)
	if err != nil || len(all) == 1 {
		return first(all), err
	}
	return func(values []string) bool {
		for _, m := range all {
			if m(values) {
				return true
			}
		}
		return false
	}, nil
}

func first(all []matcher) matcher {
	if len(all) == 0 {
		return nil
	}
	return all[0]
}

func (p *predicate) both() (matcher, error) {
	all, err := p.series("and", p.single)
	if err != nil || len(all) == 1 {
		return first(all), err
	}
	return func(values []string) bool {
		for _, m := range all {
			if !m(values) {
				return false
			}
		}
		return true
	}, nil
}

func (p *predicate) single() (matcher, error) {
	if p.depth++; p.depth > maxNesting {
		return nil, p.fail("it is nested more than %d deep", maxNesting)
	}
	defer func() { p.depth-- }()
	if taken, err := p.takeWord("not"); err != nil {
		return nil, err
	} else if taken {
		m, err := p.single()
		return not(m), err
	}
	if p.kind != aSymbol || p.token != "(" {
		return p.comparison()
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	m, err := p.either()
	if err != nil {
		return nil, err
	}
	return m, p.want(")")
}

func not(m matcher) matcher { return func(values []string) bool { return !m(values) } }

func (p *predicate) comparison() (matcher, error) {
	c, err := p.column()
	if err != nil {
		return nil, err
	}
	if p.kind == aSymbol {
		return p.operator(c)
	}
	inverted, err := p.takeWord("not")
	if err != nil {
		return nil, err
	}
	var m matcher
	switch word := strings.ToLower(p.token); {
	case p.kind == aWord && word == "in":
		m, err = p.in(c)
	case p.kind == aWord && word == "between":
		m, err = p.between(c)
	case p.kind == aWord && word == "like":
		m, err = p.like(c)
	default:
		err = p.fail("an operator was expected")
	}
	if inverted {
		m = not(m)
	}
	return m, err
}

// operand is a column of a comparison.
type operand struct {
	index   int // among the values of a partition
	numeric bool
}

// numericTypes begin the names of types that are compared as numbers.
var numericTypes = regexp.MustCompile(`(?i)^\s*(tinyint|smallint|int|integer|bigint|float|double|decimal|numeric|long|short|byte)\b`)

func (p *predicate) column() (operand, error) {
	if p.kind != aWord && p.kind != aName {
		return operand{}, p.fail("the name of a partition key was expected")
	}
	for i, k := range p.keys {
		if fold(k.Name) == fold(p.token) {
			return operand{i, numericTypes.MatchString(k.Type)}, p.next()
		}
	}
	return operand{}, p.fail("there is no such partition key")
}

// operators say of the sign of a comparison whether it is the wanted one.
var operators = map[string]func(sign int) bool{
	"=":  func(sign int) bool { return sign == 0 },
	"<>": func(sign int) bool { return sign != 0 },
	"!=": func(sign int) bool { return sign != 0 },
	"<":  func(sign int) bool { return sign < 0 },
	"<=": func(sign int) bool { return sign <= 0 },
	">":  func(sign int) bool { return sign > 0 },
	">=": func(sign int) bool { return sign >= 0 },
}

func (p *predicate) operator(c operand) (matcher, error) {
	wanted, ok := operators[p.token]
	if !ok {
		return nil, p.fail("an operator was expected")
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	l, err := p.literal(c)
	return c.compared(l, wanted), err
}

// in reads a list; the column satisfies it if it equals a member.
func (p *predicate) in(c operand) (matcher, error) {
	if err := p.next(); err != nil {
		return nil, err
	}
	if err := p.want("("); err != nil {
		return nil, err
	}
	var members []matcher
	for {
		l, err := p.literal(c)
		if err != nil {
			return nil, err
		}
		members = append(members, c.compared(l, operators["="]))
		if p.kind != aSymbol || p.token != "," {
			break
		}
		if err := p.next(); err != nil {
			return nil, err
		}
	}
	return func(values []string) bool {
		for _, m := range members {
			if m(values) {
				return true
			}
		}
		return false
	}, p.want(")")
}

func (p *predicate) between(c operand) (matcher, error) {
	if err := p.next(); err != nil {
		return nil, err
	}
	low, err := p.literal(c)
	if err != nil {
		return nil, err
	}
	if taken, err := p.takeWord("and"); err != nil {
		return nil, err
	} else if !taken {
		return nil, p.fail("AND was expected")
	}
	high, err := p.literal(c)
	if err != nil {
		return nil, err
	}
	above, below := c.compared(low, operators[">="]), c.compared(high, operators["<="])
	return func(values []string) bool { return above(values) && below(values) }, nil
}

// like reads a pattern, in which % is any text and _ any character.
func (p *predicate) like(c operand) (matcher, error) {
	if err := p.next(); err != nil {
		return nil, err
	}
	if p.kind != aText {
		return nil, p.fail("a pattern in quotes was expected")
	}
	pattern := regexp.QuoteMeta(p.token)
	pattern = strings.NewReplacer("%", ".*", "_", ".").Replace(pattern)
	form, err := regexp.Compile("(?s)^" + pattern + "$")
	if err != nil {
		return nil, p.fail("the pattern is too large")
	}
	return func(values []string) bool {
		return c.index < len(values) && form.MatchString(values[c.index])
	}, p.next()
}
