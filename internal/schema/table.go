package schema

import (
	"fmt"
	"strings"

	"hydrant/internal/column"
)

// Column is a column of a table.
type Column struct {
	Name    string
	Type    string
	Comment string `json:",omitempty"`
}

// SerDe says what reads and writes the rows of a table.
type SerDe struct {
	SerializationLibrary string            `json:",omitempty"`
	Parameters           map[string]string `json:",omitempty"`
}

// Storage says what the rows are, and where and how they lie.
type Storage struct {
	Columns      []Column `json:",omitempty"`
	Location     string   `json:",omitempty"`
	InputFormat  string   `json:",omitempty"`
	OutputFormat string   `json:",omitempty"`
	SerDe        *SerDe   `json:"SerdeInfo,omitempty"`
}

// Table is a TableInput of Glue.
type Table struct {
	Name          string
	Description   string            `json:",omitempty"`
	Storage       Storage           `json:"StorageDescriptor"`
	PartitionKeys []Column          `json:",omitempty"`
	TableType     string            `json:",omitempty"`
	Parameters    map[string]string `json:",omitempty"`
}

// The kinds of tables that statements make.
const (
	external = "EXTERNAL_TABLE"
	managed  = "MANAGED_TABLE"
)

// Parameters that are told in other words by a statement, or are needed beside it.
const (
	externalParameter = "EXTERNAL"
	classification    = "classification"
)

// format is a way in which rows lie, with its word in STORED AS.
type format struct {
	word           string
	input, output  string
	serde          string
	classification string
}

const (
	textInput  = "org.apache.hadoop.mapred.TextInputFormat"
	textOutput = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
	lazySerDe  = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
)

// formats are those of spec neighbours.md section 3.1.
var formats = []format{
	{"PARQUET", "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
		"org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
		"org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe", "parquet"},
	{"ORC", "org.apache.hadoop.hive.ql.io.orc.OrcInputFormat", "org.apache.hadoop.hive.ql.io.orc.OrcOutputFormat",
		"org.apache.hadoop.hive.ql.io.orc.OrcSerde", "orc"},
	{"TEXTFILE", textInput, textOutput, lazySerDe, ""},
	{"JSONFILE", textInput, textOutput, "org.apache.hive.hcatalog.data.JsonSerDe", "json"},
}

// formatOf finds a format by its word.
func formatOf(word string) (format, bool) {
	for _, f := range formats {
		if strings.EqualFold(f.word, word) {
			return f, true
		}
	}
	return format{}, false
}

// Parquet and ORC name the formats that streams convert to.
const (
	Parquet = "parquet"
	ORC     = "orc"
)

// store fills in what a format asks for.
func (t *Table) store(f format) {
	t.Storage.InputFormat, t.Storage.OutputFormat = f.input, f.output
	t.Storage.SerDe = &SerDe{SerializationLibrary: f.serde}
}

// classify adds the parameter by which query engines tell formats apart, unless it is there.
func (t *Table) classify(of string) {
	if _, there := t.Parameters[classification]; there || of == "" {
		return
	}
	t.set(classification, of)
}

func (t *Table) set(key, value string) {
	if t.Parameters == nil {
		t.Parameters = map[string]string{}
	}
	t.Parameters[key] = value
}

// Unusable says what keeps streams from converting to the table: that it has no columns, or of
// a column that it has no name, or another's, or a type that none can be converted to. Such a
// table can be kept all the same: Glue takes any text for a type, and does not compare names.
func (t *Table) Unusable() (faults []string) {
	if len(t.Storage.Columns) == 0 {
		return []string{"a table without columns"}
	}
	places := map[string]int{}
	for n, c := range t.Storage.Columns {
		name := fold(c.Name)
		if first, twice := places[name]; c.Name == "" {
			faults = append(faults, fmt.Sprintf("column %d: it has no name", n+1))
		} else if twice {
			faults = append(faults, fmt.Sprintf("column %.60q: columns %d and %d have this name", c.Name, first, n+1))
		} else {
			places[name] = n + 1
		}
		if _, err := column.ParseType(c.Type); err != nil {
			faults = append(faults, fmt.Sprintf("column %.60q: %v", c.Name, err))
		}
	}
	return faults
}
