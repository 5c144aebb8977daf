package walls

// A Room is a folder with a purpose. Packages in folders below it belong to it too, unless
// the table gives them a room of their own.
type Room struct {
	Path string   // folder, relative to the module
	May  []string // rooms it may import, without "internal/"; Everything lifts the wall
}

// Everything, as the only entry of Room.May, lets a room import all others.
const Everything = "*"

// Rooms returns the table: every room that Hydrant has or will have, so that a new package
// knows its walls before its first line. docs/ARCHITECTURE.md says what each is for, and
// docs/decisions/0005-walls.md why the table is as it is.
//
// Plug-ins (service/*, source/*, process/*, encode/*, dest/*) are a room each and never
// meet. The suites that judge them (…test) are imported by tests only, which are not
// checked: a test may import what it needs.
func Rooms() []Room {
	rooms := []Room{
		{"cmd/hydrant", []string{"node", "agent", "doctor", "demo", "operate", "process/blueprint", "config"}},
		{"internal/node", []string{Everything}},
		{"internal/config", nil},
		{"internal/aws", []string{"record"}},
		{"internal/firehose", []string{"aws", "registry", "ingest", "stream", "record", "telemetry"}},
		{"internal/operate", []string{"aws", "registry", "stream", "record", "schema"}},
		{"internal/console", []string{"registry", "stream", "record", "telemetry"}},
		{"internal/identity", []string{"aws", "journal", "durable", "record"}},
		{"internal/durable", nil},
		{"internal/registry", []string{"stream", "journal", "record"}},
		{"internal/ingest", []string{"record", "stream", "telemetry"}},
		{"internal/vault", []string{"record", "stream"}},
		{"internal/journal", []string{"record", "telemetry"}},
		{"internal/journal/journaltest", []string{"journal", "record"}},
		{"internal/stage", []string{"record", "stream"}},
		{"internal/deliver", []string{"record", "stream", "batch", "telemetry"}},
		{"internal/batch", []string{"record", "stream"}},
		{"internal/errorlog", []string{"record", "stream"}},
		{"internal/encode", []string{"record"}},
		{"internal/column", nil},
		{"internal/schema", []string{"column"}},
		{"internal/agent", []string{"aws"}},
		{"internal/demo", []string{"node", "config", "aws"}},
		{"internal/doctor", []string{"journal", "journal/pebble", "registry", "stream", "stage", "deliver", "record"}},
		{"internal/stream", []string{"record"}},
		{"internal/record", nil},
		{"internal/telemetry", nil},
		{"internal/walls", nil},
		{"examples/functions", nil},
		{"e2e", []string{Everything}},
	}
	for _, family := range plugIns() {
		for _, name := range family.names {
			rooms = append(rooms, Room{"internal/" + family.folder + "/" + name, family.may})
		}
	}
	return rooms
}

// A family is a folder of plug-ins with the same walls.
type family struct {
	folder string
	may    []string
	names  []string
}

// plugIns names every plug-in. A new one earns its line here.
func plugIns() []family {
	return []family{
		{"service", []string{"aws", "record", "durable"}, []string{
			"s3", "lambda", "kms", "iam", "cloudwatch", "logs", "events", "iot", "apigateway", "cloudformation",
		}},
		{"service", []string{"aws", "record", "durable", "column"}, []string{"glue"}},
		{"journal", []string{"journal", "record", "telemetry"}, []string{"pebble", "kafka"}},
		{"source", []string{"aws", "record"}, []string{"kinesis", "kafka"}},
		{"process", []string{"aws", "record"}, []string{
			"lambda", "blueprint", "unpack", "deaggregate", "extract", "processtest",
		}},
		{"encode", []string{"encode", "record"}, []string{"lines", "delimited", "compress"}},
		{"encode", []string{"encode", "record", "column"}, []string{"serde", "parquet", "orc", "convert"}},
		{"dest", []string{"aws", "record"}, []string{
			"s3", "http", "opensearch", "splunk", "redshift", "snowflake", "iceberg", "desttest",
		}},
	}
}

// A Guest is a module from outside, or a folder of one, and the rooms that may know it. An
// SDK stays inside its plug-in, and Pebble inside its engine. Guests of a guest (what a
// module itself imports) are not listed.
type Guest struct {
	Path  string   // import path; packages below it are covered too
	Rooms []string // as in Room.May; tests and e2e may import every guest
}

// Guests returns the modules that non-test code may import, and where. A new one earns a
// row here and a line in docs/decisions/0004-libraries.md.
func Guests() []Guest {
	return []Guest{
		{"github.com/spf13/cobra", []string{"cmd/hydrant"}},
		{"golang.org/x/term", []string{"cmd/hydrant", "node"}},
		{"go.yaml.in/yaml/v3", []string{"config", "service/cloudformation"}},
		{"github.com/cockroachdb/pebble/v2", []string{"journal/pebble"}},
		// The simulation hands the whole node a disk that crashes, through Pebble's vfs.
		{"github.com/cockroachdb/pebble/v2/vfs", []string{"journal/pebble", "node"}},
		{"github.com/prometheus/client_golang", []string{"telemetry", "firehose"}},
		{"github.com/go-json-experiment/json", []string{Everything}},
		{"github.com/segmentio/asm", []string{"firehose", "ingest"}},
		{"github.com/cespare/xxhash/v2", []string{"service/s3"}},
		{"github.com/klauspost/compress", []string{
			"encode", "encode/compress", "encode/orc", "encode/parquet", "process/unpack", "process/blueprint",
		}},
		{"github.com/parquet-go/parquet-go", []string{"encode/parquet"}},
		{"google.golang.org/protobuf/encoding/protowire", []string{"encode/orc"}},
		{"github.com/itchyny/gojq", []string{"process/extract"}},
		{"github.com/aws/aws-sdk-go-v2", []string{"dest/s3", "node"}},
		{"github.com/aws/smithy-go", []string{"dest/s3", "node"}},
		{"github.com/aws/aws-lambda-go", []string{"examples/functions"}},
		{"github.com/google/go-cmp", []string{"journal/journaltest", "dest/desttest"}}, // the suites
		{"golang.org/x/sync", []string{Everything}},
		{"golang.org/x/sys", []string{"durable", "journal/pebble", "node", "telemetry", "service/s3", "service/lambda"}},
	}
}
