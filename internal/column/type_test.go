package column

import (
	"errors"
	"strings"
	"testing"
)

// Each type of the grammar, however it is written, is one of Hive's own spelling.
func TestTypesAreReadAndWritten(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"boolean", ""}, {"tinyint", ""}, {"smallint", ""}, {"int", ""}, {"bigint", ""}, {"float", ""}, {"double", ""},
		{"string", ""}, {"binary", ""}, {"date", ""}, {"timestamp", ""}, {"varchar(65535)", ""}, {"char(1)", ""},
		{"INTEGER", "int"}, {"real", "float"}, {"double  precision", "double"}, {"decimal", "decimal(10,0)"},
		{"numeric ( 5 )", "decimal(5,0)"}, {"Decimal(38,38)", "decimal(38,38)"},
		{" array < map<string , array<int>> > ", "array<map<string,array<int>>>"},
		{"struct<A:int comment 'it\\'s, >', `b.c`:struct<ü:date>>", "struct<a:int,`b.c`:struct<ü:date>>"},
		{"struct<double:double,precision:double precision,comment:int>", "struct<double:double,precision:double,comment:int>"},
	} {
		if tt.want == "" {
			tt.want = tt.text
		}
		got, err := ParseType(tt.text)
		if err != nil || got.String() != tt.want {
			t.Errorf("%q: %v, %v; want %s", tt.text, got, err, tt.want)
		}
	}
}

func TestWhatIsNoTypeIsRefused(t *testing.T) {
	for _, text := range []string{
		"", " ", "text", "int int", "decimal(39)", "decimal(0)", "decimal(5,6)", "decimal(5,)", "decimal(5", "varchar", "varchar(0)",
		"varchar(65536)", "char(256)", "array", "array<>", "array<int", "map<int>", "map<array<int>,int>", "struct<>", "struct<a>",
		"struct<a:int,a:int>", "struct<a:int,>", "struct<``:int>", "struct<`a:int>", "struct<a:int comment 'x>",
		strings.Repeat("array<", 100) + "int" + strings.Repeat(">", 100),
	} {
		if got, err := ParseType(text); !errors.Is(err, ErrType) {
			t.Errorf("%q was read as %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"set<int>", "struct<a:uniontype<int,string>>"} {
		if got, err := ParseType(text); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%q was read as %v, %v", text, got, err)
		}
	}
}

// Whatever is read is read the same from its own spelling.
func FuzzParseType(f *testing.F) {
	for _, s := range []string{"int", "array<map<string,struct<a:decimal(5,2),`b c`:char(3)>>>", "struct<a:int comment 'x'>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		typ, err := ParseType(s)
		if err != nil {
			return
		}
		again, err := ParseType(typ.String())
		if err != nil || again.String() != typ.String() {
			t.Fatalf("%q is %s, and that is %v, %v", s, typ, again, err)
		}
	})
}
