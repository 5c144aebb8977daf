package column

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Kind is a Hive type without its parameters.
type Kind uint8

// The kinds.
const (
	Boolean Kind = iota
	TinyInt
	SmallInt
	Int
	BigInt
	Float
	Double
	Decimal
	String
	Varchar
	Char
	Binary
	Date
	Timestamp
	List
	Map
	Struct
)

var kindNames = [...]string{
	"boolean", "tinyint", "smallint", "int", "bigint", "float", "double", "decimal",
	"string", "varchar", "char", "binary", "date", "timestamp", "array", "map", "struct",
}

// String is Hive's word for the kind.
func (k Kind) String() string { return kindNames[k] }

// Type is a Hive type.
type Type struct {
	Kind      Kind
	Precision int     // of a decimal: digits, 1 to 38
	Scale     int     // of a decimal: digits behind the point, 0 to Precision
	Length    int     // of a varchar (1 to 65,535) or char (1 to 255), in characters
	Key       *Type   // of a map: a primitive type
	Elem      *Type   // of a list: its elements; of a map: its values
	Fields    []Field // of a struct
}

// Field is a field of a struct, or a column of a table. Names are in lower case.
type Field struct {
	Name string
	Type *Type
}

// MaxDepth is how deep types may be nested in each other.
const MaxDepth = 64

// Errors of ParseType, wrapped with what is wrong and where.
var (
	// ErrType: the text is no Hive type.
	ErrType = errors.New("not a Hive type")
	// ErrUnsupported: the type is one of Hive's that cannot be written: set, uniontype.
	ErrUnsupported = errors.New("type is not supported")
)

// ParseType reads a Hive type (spec neighbours.md section 3.3). Names and words are taken in
// any case, and white space and comments of fields are left out. Errors wrap ErrType or ErrUnsupported.
func ParseType(s string) (*Type, error) {
	p := &parser{text: s}
	t, err := p.typ(0)
	if err == nil {
		if p.space(); p.at < len(s) {
			err = p.fail("something stands behind the type")
		}
	}
	if err != nil {
		return nil, err
	}
	return t, nil
}

// String writes the type as Hive does: in lower case, without spaces.
func (t *Type) String() string {
	switch t.Kind {
	case Decimal:
		return fmt.Sprintf("decimal(%d,%d)", t.Precision, t.Scale)
	case Varchar, Char:
		return fmt.Sprintf("%s(%d)", t.Kind, t.Length)
	case List:
		return "array<" + t.Elem.String() + ">"
	case Map:
		return "map<" + t.Key.String() + "," + t.Elem.String() + ">"
	case Struct:
		var fields []string
		for _, f := range t.Fields {
			fields = append(fields, fieldName(f.Name)+":"+f.Type.String())
		}
		return "struct<" + strings.Join(fields, ",") + ">"
	}
	return t.Kind.String()
}

// fieldName quotes a name that is not plain.
func fieldName(s string) string {
	for i := range len(s) {
		if !nameByte(s[i]) {
			return "`" + s + "`"
		}
	}
	return s
}

// parser reads a type from left to right.
type parser struct {
	text string
	at   int
}

func (p *parser) fail(format string, args ...any) error {
	return fmt.Errorf("%w: %s, at character %d of %.100q", ErrType, fmt.Sprintf(format, args...), p.at+1, p.text)
}

func (p *parser) space() {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
}

// next reports whether the next character is c, and takes it.
func (p *parser) next(c byte) bool {
	p.space()
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *parser) want(c byte) error {
	if !p.next(c) {
		return p.fail("%q is missing", c)
	}
	return nil
}

// nameByte reports whether c may stand in a name without quotes. Bytes of UTF-8 may, as
// Glue's crawlers write names.
func nameByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// word takes the letters, digits and underscores that follow, in lower case.
func (p *parser) word() string {
	p.space()
	from := p.at
	for p.at < len(p.text) && nameByte(p.text[p.at]) {
		p.at++
	}
	return strings.ToLower(p.text[from:p.at])
}

// simple are the types without parameters.
var simple = map[string]Kind{
	"boolean": Boolean, "tinyint": TinyInt, "smallint": SmallInt, "int": Int, "integer": Int, "bigint": BigInt,
	"float": Float, "real": Float, "double": Double, "string": String, "binary": Binary, "date": Date, "timestamp": Timestamp,
}

func (p *parser) typ(depth int) (*Type, error) {
	if depth > MaxDepth {
		return nil, p.fail("types are nested more than %d deep", MaxDepth)
	}
	word := p.word()
	if k, ok := simple[word]; ok {
		if k == Double {
			p.precision()
		}
		return &Type{Kind: k}, nil
	}
	switch word {
	case "decimal", "numeric":
		return p.decimal()
	case "varchar":
		return p.bounded(Varchar, 65535)
	case "char":
		return p.bounded(Char, 255)
	case "array":
		return p.list(depth)
	case "map":
		return p.mapping(depth)
	case "struct":
		return p.structure(depth)
	case "set", "uniontype":
		return nil, fmt.Errorf("%w: %s, in %.100q", ErrUnsupported, word, p.text)
	case "":
		return nil, p.fail("a type is missing")
	}
	return nil, p.fail("%.40q is unknown", word)
}

// precision takes the second word of "double precision".
func (p *parser) precision() {
	from := p.at
	if p.word() != "precision" {
		p.at = from
	}
}

// number takes an integer within the bounds.
func (p *parser) number(low, high int) (int, error) {
	word := p.word()
	n, err := strconv.Atoi(word)
	if err != nil || n < low || n > high {
		return 0, p.fail("%.20q is not a number from %d to %d", word, low, high)
	}
	return n, nil
}

// The precision of a decimal that gives none, and the largest one.
const (
	defaultPrecision = 10
	maxPrecision     = 38
)

func (p *parser) decimal() (*Type, error) {
	t := &Type{Kind: Decimal, Precision: defaultPrecision}
	if !p.next('(') {
		return t, nil
	}
	var err error
	if t.Precision, err = p.number(1, maxPrecision); err != nil {
		return nil, err
	}
	if p.next(',') {
		if t.Scale, err = p.number(0, t.Precision); err != nil {
			return nil, err
		}
	}
	return t, p.want(')')
}

// bounded reads the length of a varchar or char.
func (p *parser) bounded(k Kind, most int) (*Type, error) {
	if err := p.want('('); err != nil {
		return nil, err
	}
	n, err := p.number(1, most)
	if err != nil {
		return nil, err
	}
	return &Type{Kind: k, Length: n}, p.want(')')
}

func (p *parser) list(depth int) (*Type, error) {
	if err := p.want('<'); err != nil {
		return nil, err
	}
	elem, err := p.typ(depth + 1)
	if err != nil {
		return nil, err
	}
	return &Type{Kind: List, Elem: elem}, p.want('>')
}

func (p *parser) mapping(depth int) (*Type, error) {
	if err := p.want('<'); err != nil {
		return nil, err
	}
	key, err := p.typ(depth + 1)
	if err != nil {
		return nil, err
	}
	if key.Kind >= List {
		return nil, p.fail("the key of a map must be primitive")
	}
	if err := p.want(','); err != nil {
		return nil, err
	}
	elem, err := p.typ(depth + 1)
	if err != nil {
		return nil, err
	}
	return &Type{Kind: Map, Key: key, Elem: elem}, p.want('>')
}

func (p *parser) structure(depth int) (*Type, error) {
	if err := p.want('<'); err != nil {
		return nil, err
	}
	t, names := &Type{Kind: Struct}, map[string]bool{}
	for {
		f, err := p.field(depth)
		if err != nil {
			return nil, err
		}
		if names[f.Name] {
			return nil, p.fail("two fields are called %.60q", f.Name)
		}
		names[f.Name] = true
		t.Fields = append(t.Fields, f)
		if !p.next(',') {
			return t, p.want('>')
		}
	}
}

func (p *parser) field(depth int) (f Field, err error) {
	if f.Name, err = p.name(); err != nil {
		return f, err
	}
	if err := p.want(':'); err != nil {
		return f, err
	}
	if f.Type, err = p.typ(depth + 1); err != nil {
		return f, err
	}
	return f, p.comment()
}

// name takes the name of a field, in back quotes or without.
func (p *parser) name() (string, error) {
	if p.next('`') {
		inside, _, closed := strings.Cut(p.text[p.at:], "`")
		if !closed || inside == "" {
			return "", p.fail("a name in back quotes does not end, or is empty")
		}
		p.at += len(inside) + 1
		return strings.ToLower(inside), nil
	}
	if name := p.word(); name != "" {
		return name, nil
	}
	return "", p.fail("the name of a field is missing")
}

// comment passes over the comment of a field.
func (p *parser) comment() error {
	from := p.at
	if p.word() != "comment" {
		p.at = from
		return nil
	}
	if err := p.want('\''); err != nil {
		return err
	}
	for p.at < len(p.text) {
		c := p.text[p.at]
		p.at++
		switch c {
		case '\\':
			p.at = min(p.at+1, len(p.text))
		case '\'':
			return nil
		}
	}
	return p.fail("a comment does not end")
}
