package schema

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// DDL writes the CREATE TABLE statement of a table, with a line feed at its end. ParseDDL
// makes the same table of it. database may be empty.
func DDL(database string, t *Table) string {
	var b strings.Builder
	b.WriteString("CREATE ")
	if t.TableType == external {
		b.WriteString("EXTERNAL ")
	}
	b.WriteString("TABLE ")
	if database != "" {
		b.WriteString(quoteName(database) + ".")
	}
	b.WriteString(quoteName(t.Name))
	if len(t.Storage.Columns) > 0 {
		b.WriteString(" ")
		writeColumns(&b, t.Storage.Columns)
	}
	b.WriteString("\n")
	if t.Description != "" {
		b.WriteString("COMMENT " + quoteText(t.Description) + "\n")
	}
	if len(t.PartitionKeys) > 0 {
		b.WriteString("PARTITIONED BY ")
		writeColumns(&b, t.PartitionKeys)
		b.WriteString("\n")
	}
	writeFormat(&b, &t.Storage)
	if t.Storage.Location != "" {
		b.WriteString("LOCATION " + quoteText(t.Storage.Location) + "\n")
	}
	rest := maps.Clone(t.Parameters)
	if t.TableType == external {
		delete(rest, externalParameter)
	}
	if len(rest) > 0 {
		b.WriteString("TBLPROPERTIES " + propertyList(rest) + "\n")
	}
	return strings.TrimSuffix(b.String(), "\n") + ";\n"
}

func writeColumns(b *strings.Builder, all []Column) {
	b.WriteString("(\n")
	for i, c := range all {
		b.WriteString("  " + quoteName(c.Name) + " " + c.Type)
		if c.Comment != "" {
			b.WriteString(" COMMENT " + quoteText(c.Comment))
		}
		if i < len(all)-1 {
			b.WriteString(",")
		}
		b.WriteString("\n")
	}
	b.WriteString(")")
}

// writeFormat writes how the rows lie: by the word for it if there is one.
func writeFormat(b *strings.Builder, s *Storage) {
	serde := SerDe{}
	if s.SerDe != nil {
		serde = *s.SerDe
	}
	for _, f := range formats {
		if f.input == s.InputFormat && f.output == s.OutputFormat && f.serde == serde.SerializationLibrary && len(serde.Parameters) == 0 {
			b.WriteString("STORED AS " + f.word + "\n")
			return
		}
	}
	if serde.SerializationLibrary != "" {
		b.WriteString("ROW FORMAT SERDE " + quoteText(serde.SerializationLibrary) + "\n")
		if len(serde.Parameters) > 0 {
			b.WriteString("WITH SERDEPROPERTIES " + propertyList(serde.Parameters) + "\n")
		}
	}
	if s.InputFormat != "" || s.OutputFormat != "" {
		b.WriteString("STORED AS INPUTFORMAT " + quoteText(s.InputFormat) + "\n  OUTPUTFORMAT " + quoteText(s.OutputFormat) + "\n")
	}
}

func propertyList(all map[string]string) string {
	var b strings.Builder
	b.WriteString("(\n")
	for i, key := range slices.Sorted(maps.Keys(all)) {
		if i > 0 {
			b.WriteString(",\n")
		}
		fmt.Fprintf(&b, "  %s = %s", quoteText(key), quoteText(all[key]))
	}
	return b.String() + "\n)"
}

func quoteName(s string) string { return "`" + strings.ReplaceAll(s, "`", "``") + "`" }

// quoter writes what may not stand in a text as it is.
var quoter = strings.NewReplacer(`\`, `\\`, "'", `\'`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\x00", `\000`)

func quoteText(s string) string { return "'" + quoter.Replace(s) + "'" }
