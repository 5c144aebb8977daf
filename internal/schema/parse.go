package schema

import (
	"strings"

	"hydrant/internal/column"
)

// Statement is a CREATE TABLE statement.
type Statement struct {
	Database    string // empty: the statement names none
	IfNotExists bool
	Table       Table
}

// parser reads a statement from left to right.
type parser struct {
	lexer
	table    *Table
	columns  map[string]bool // names in use
	clauses  map[string]bool // that there were
	explicit bool            // ROW FORMAT has named the SerDe
}

// ParseDDL reads a CREATE TABLE statement of Hive:
//
//	CREATE [EXTERNAL] TABLE [IF NOT EXISTS] [db.]name [( column type [COMMENT 'text'], … )]
//	  [COMMENT 'text'] [PARTITIONED BY ( column type [COMMENT 'text'], … )]
//	  [ROW FORMAT SERDE 'class' [WITH SERDEPROPERTIES ( 'key' = 'value', … )] | ROW FORMAT DELIMITED …]
//	  [STORED AS PARQUET | ORC | TEXTFILE | JSONFILE | INPUTFORMAT 'class' OUTPUTFORMAT 'class']
//	  [LOCATION 'uri'] [TBLPROPERTIES ( 'key' = 'value', … )] [;]
//
// Names are folded to lower case, and types written as Hive does. Errors are a *SyntaxError,
// which wraps ErrDDL.
func ParseDDL(text string) (*Statement, error) {
	p := &parser{lexer: lexer{source: text}, columns: map[string]bool{}, clauses: map[string]bool{}}
	if len(text) > MaxStatement {
		return nil, p.failAt(0, "the statement is longer than %d bytes", MaxStatement)
	}
	s := &Statement{}
	p.table = &s.Table
	if err := p.next(); err != nil {
		return nil, err
	}
	if err := p.heading(s); err != nil {
		return nil, err
	}
	if p.is("(") {
		var err error
		if s.Table.Storage.Columns, err = p.columnList(); err != nil {
			return nil, err
		}
	}
	if err := p.allClauses(); err != nil {
		return nil, err
	}
	p.finish()
	return s, nil
}

// heading reads up to the name of the table.
func (p *parser) heading(s *Statement) error {
	if err := p.words("CREATE"); err != nil {
		return err
	}
	s.Table.TableType = managed
	if taken, err := p.take("EXTERNAL"); err != nil {
		return err
	} else if taken {
		s.Table.TableType = external
	}
	if err := p.words("TABLE"); err != nil {
		return err
	}
	if taken, err := p.take("IF"); err != nil {
		return err
	} else if taken {
		s.IfNotExists = true
		if err := p.words("NOT", "EXISTS"); err != nil {
			return err
		}
	}
	name, err := p.identifier("the name of the table")
	if err != nil {
		return err
	}
	if s.Table.Name = name; !p.is(".") {
		return nil
	}
	if err := p.next(); err != nil {
		return err
	}
	s.Database = name
	s.Table.Name, err = p.identifier("the name of the table")
	return err
}

// is reports whether a symbol is next.
func (p *parser) is(s string) bool { return p.kind == symbol && p.text == s }

// symbol goes on behind a symbol.
func (p *parser) symbol(s string) error {
	if !p.is(s) {
		return p.wanted(`"` + s + `"`)
	}
	return p.next()
}

// isWord reports whether a keyword is next.
func (p *parser) isWord(w string) bool { return p.kind == word && strings.EqualFold(p.text, w) }

// take goes on if a keyword is next.
func (p *parser) take(w string) (bool, error) {
	if !p.isWord(w) {
		return false, nil
	}
	return true, p.next()
}

// words goes on behind keywords.
func (p *parser) words(all ...string) error {
	for _, w := range all {
		if !p.isWord(w) {
			return p.wanted(w)
		}
		if err := p.next(); err != nil {
			return err
		}
	}
	return nil
}

// identifier takes a name.
func (p *parser) identifier(what string) (string, error) {
	name := strings.ToLower(p.text)
	if p.kind != word && p.kind != quoted || name == "" {
		return "", p.wanted(what)
	}
	return name, p.next()
}

// textOf takes a text in quotes.
func (p *parser) textOf(what string) (string, error) {
	if p.kind != literal {
		return "", p.wanted(what + " in quotes")
	}
	text := p.text
	return text, p.next()
}

// columnList reads columns in parentheses.
func (p *parser) columnList() (all []Column, err error) {
	if err := p.symbol("("); err != nil {
		return nil, err
	}
	for {
		c, err := p.column()
		if err != nil {
			return nil, err
		}
		all = append(all, c)
		if !p.is(",") {
			return all, p.symbol(")")
		}
		if err := p.next(); err != nil {
			return nil, err
		}
	}
}

func (p *parser) column() (c Column, err error) {
	begin := p.begin
	if c.Name, err = p.identifier("the name of a column"); err != nil {
		return c, err
	}
	if p.columns[c.Name] {
		return c, p.failAt(begin, "two columns are called %.60q", c.Name)
	}
	p.columns[c.Name] = true
	if c.Type, err = p.columnType(c.Name); err != nil {
		return c, err
	}
	taken, err := p.take("COMMENT")
	if err == nil && taken {
		c.Comment, err = p.textOf("the comment")
	}
	return c, err
}

// columnType takes the tokens of a type, up to what ends a column, and has them read.
func (p *parser) columnType(name string) (string, error) {
	begin, depth := p.begin, 0
	for p.kind != atEnd {
		if depth == 0 && (p.is(",") || p.is(")") || p.isWord("COMMENT")) {
			break
		}
		switch {
		case p.is("<"), p.is("("):
			depth++
		case p.is(">"), p.is(")"):
			depth--
		}
		if err := p.next(); err != nil {
			return "", err
		}
	}
	if begin == p.begin {
		return "", p.wanted("the type of column " + name)
	}
	t, err := column.ParseType(p.source[begin:p.last])
	if err != nil {
		failed := p.failAt(begin, "the type of column %.60s: %v", name, err).(*SyntaxError)
		failed.Err = err
		return "", failed
	}
	return t.String(), nil
}
