package schema

import "strings"

// clauseNames are the clauses behind the columns, by their first word.
var clauseNames = map[string]func(*parser) error{
	"COMMENT":       (*parser).comment,
	"PARTITIONED":   (*parser).partitioned,
	"ROW":           (*parser).rowFormat,
	"STORED":        (*parser).stored,
	"LOCATION":      (*parser).location,
	"TBLPROPERTIES": (*parser).tableProperties,
}

// allClauses reads the clauses, in any order and each once, to the end.
func (p *parser) allClauses() error {
	for p.kind != atEnd && !p.is(";") {
		name := strings.ToUpper(p.text)
		read, known := clauseNames[name]
		switch {
		case p.kind != word || !known:
			return p.failAt(p.begin, "%.40q begins no clause that is known here: COMMENT, PARTITIONED BY, "+
				"ROW FORMAT, STORED AS, LOCATION, TBLPROPERTIES", p.source[p.begin:p.at])
		case p.clauses[name]:
			return p.failAt(p.begin, "%s stands twice", name)
		}
		p.clauses[name] = true
		if err := p.next(); err != nil {
			return err
		}
		if err := read(p); err != nil {
			return err
		}
	}
	if p.is(";") {
		if err := p.next(); err != nil {
			return err
		}
	}
	if p.kind != atEnd {
		return p.failAt(p.begin, "more stands behind the statement: one is read at a time")
	}
	return nil
}

func (p *parser) comment() (err error) {
	p.table.Description, err = p.textOf("the comment")
	return err
}

func (p *parser) partitioned() error {
	if err := p.words("BY"); err != nil {
		return err
	}
	var err error
	p.table.PartitionKeys, err = p.columnList()
	return err
}

func (p *parser) location() (err error) {
	p.table.Storage.Location, err = p.textOf("the location")
	return err
}

// serde is the SerDe of the table, made when it is first spoken of.
func (p *parser) serde() *SerDe {
	if p.table.Storage.SerDe == nil {
		p.table.Storage.SerDe = &SerDe{}
	}
	return p.table.Storage.SerDe
}

// class takes the name of a class in quotes.
func (p *parser) class(what string) (string, error) {
	if p.kind == literal && p.text == "" {
		return "", p.wanted(what)
	}
	return p.textOf(what)
}

func (p *parser) rowFormat() error {
	if err := p.words("FORMAT"); err != nil {
		return err
	}
	if taken, err := p.take("DELIMITED"); err != nil || taken {
		return p.delimited(err)
	}
	if err := p.words("SERDE"); err != nil {
		return err
	}
	class, err := p.class("the class of the SerDe")
	if err != nil {
		return err
	}
	p.explicit, p.serde().SerializationLibrary = true, class
	if taken, err := p.take("WITH"); err != nil || !taken {
		return err
	}
	if err := p.words("SERDEPROPERTIES"); err != nil {
		return err
	}
	p.serde().Parameters, err = p.properties()
	return err
}

// delimiters are the parts of ROW FORMAT DELIMITED and the parameters that they stand for.
var delimiters = []struct {
	words     []string
	parameter string
}{
	{[]string{"FIELDS", "TERMINATED", "BY"}, "field.delim"},
	{[]string{"ESCAPED", "BY"}, "escape.delim"},
	{[]string{"COLLECTION", "ITEMS", "TERMINATED", "BY"}, "collection.delim"},
	{[]string{"MAP", "KEYS", "TERMINATED", "BY"}, "mapkey.delim"},
	{[]string{"LINES", "TERMINATED", "BY"}, "line.delim"},
	{[]string{"NULL", "DEFINED", "AS"}, "serialization.null.format"},
}

// delimited reads the rest of ROW FORMAT DELIMITED, unless its beginning failed.
func (p *parser) delimited(err error) error {
	if err != nil {
		return err
	}
	p.explicit, p.serde().SerializationLibrary = true, lazySerDe
	for _, d := range delimiters {
		if !p.isWord(d.words[0]) {
			continue
		}
		if err := p.words(d.words...); err != nil {
			return err
		}
		text, err := p.textOf("the delimiter")
		if err != nil {
			return err
		}
		if p.serde().Parameters == nil {
			p.serde().Parameters = map[string]string{}
		}
		p.serde().Parameters[d.parameter] = text
	}
	return nil
}

func (p *parser) stored() error {
	if err := p.words("AS"); err != nil {
		return err
	}
	if f, ok := formatOf(p.text); ok && p.kind == word {
		p.table.Storage.InputFormat, p.table.Storage.OutputFormat = f.input, f.output
		if !p.explicit {
			p.serde().SerializationLibrary = f.serde
		}
		return p.next()
	}
	if !p.isWord("INPUTFORMAT") {
		return p.failAt(p.begin, "%.40q is no format that is known here: PARQUET, ORC, TEXTFILE, JSONFILE, "+
			"or INPUTFORMAT 'class' OUTPUTFORMAT 'class'", p.source[p.begin:p.at])
	}
	err := p.next()
	if err == nil {
		p.table.Storage.InputFormat, err = p.class("the class of the input format")
	}
	if err == nil {
		err = p.words("OUTPUTFORMAT")
	}
	if err == nil {
		p.table.Storage.OutputFormat, err = p.class("the class of the output format")
	}
	return err
}

func (p *parser) tableProperties() error {
	all, err := p.properties()
	p.table.Parameters = all
	return err
}

// properties reads keys and values in parentheses.
func (p *parser) properties() (map[string]string, error) {
	if err := p.symbol("("); err != nil {
		return nil, err
	}
	all := map[string]string{}
	for {
		begin := p.begin
		key, err := p.textOf("the key of a property")
		if err != nil {
			return nil, err
		}
		if _, there := all[key]; there {
			return nil, p.failAt(begin, "the property %.60q stands twice", key)
		}
		if err := p.symbol("="); err != nil {
			return nil, err
		}
		if all[key], err = p.textOf("the value of the property"); err != nil {
			return nil, err
		}
		if !p.is(",") {
			return all, p.symbol(")")
		}
		if err := p.next(); err != nil {
			return nil, err
		}
	}
}

// finish fills in what a statement need not tell.
func (p *parser) finish() {
	t := p.table
	if t.Storage.InputFormat == "" && t.Storage.SerDe == nil {
		t.store(formats[2]) // what Hive takes if it is told nothing
	} else if t.Storage.InputFormat == "" {
		t.Storage.InputFormat, t.Storage.OutputFormat = textInput, textOutput
	}
	if t.TableType == external {
		t.set(externalParameter, "TRUE")
	}
	for _, f := range formats {
		if t.Storage.SerDe != nil && f.serde == t.Storage.SerDe.SerializationLibrary {
			t.classify(f.classification)
		}
	}
}
