package node

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	parquetgo "github.com/parquet-go/parquet-go"

	"hydrant/internal/operate"
)

// mill is a plant with a table, db.t, and a stream that converts by it.
type mill struct{ *plant }

func newMill(t *testing.T, columns string) mill {
	m := mill{newPlant(t, func(data string) (string, string) { return "Ok", data })}
	m.must(m.glueCall("CreateDatabase", object{"DatabaseInput": object{"Name": "db"}}))
	m.define("CreateTable", columns)
	return m
}

func (m mill) glueCall(operation string, in object) error {
	return clientOf(m.Node, "glue", glueTarget).Call(m.t.Context(), operation, in, nil)
}

// define makes the table, or another version of it, of columns like "a:int b:string".
func (m mill) define(operation, columns string) {
	m.t.Helper()
	var list []object
	for c := range strings.FieldsSeq(columns) {
		name, kind, _ := strings.Cut(c, ":")
		list = append(list, object{"Name": name, "Type": kind})
	}
	m.must(m.glueCall(operation, object{"DatabaseName": "db", "TableInput": object{"Name": "t", "StorageDescriptor": object{"Columns": list}}}))
}

// converting are the members of a destination that converts, and keeps no function.
func converting() object {
	return object{
		"ProcessingConfiguration": object{"Enabled": false},
		"BufferingHints":          object{"IntervalInSeconds": 5, "SizeInMBs": 64},
		"DataFormatConversionConfiguration": object{
			"SchemaConfiguration":       object{"RoleARN": "arn:aws:iam::000000000000:role/r", "DatabaseName": "db", "TableName": "t"},
			"InputFormatConfiguration":  object{"Deserializer": object{"OpenXJsonSerDe": object{}}},
			"OutputFormatConfiguration": object{"Serializer": object{"ParquetSerDe": object{}}},
		},
	}
}

// rows are those of all Parquet objects, each as "column=value …", and the columns of each object.
func (m mill) rows() (rows, schemas []string) {
	m.t.Helper()
	for _, o := range m.store.Objects(pairBucket) {
		if !strings.HasSuffix(o.Key, ".parquet") {
			continue
		}
		f, err := parquetgo.OpenFile(bytes.NewReader(o.Body), int64(len(o.Body)))
		m.must(err)
		var names []string
		for _, c := range f.Schema().Columns() {
			names = append(names, strings.Join(c, "."))
		}
		schemas = append(schemas, strings.Join(names, " "))
		for _, g := range f.RowGroups() {
			r := g.Rows()
			buf := make([]parquetgo.Row, 10)
			for {
				n, err := r.ReadRows(buf)
				for _, row := range buf[:n] {
					var cells []string
					for i, v := range row {
						cells = append(cells, fmt.Sprintf("%s=%v", names[i], v))
					}
					rows = append(rows, strings.Join(cells, " "))
				}
				if err != nil || n == 0 {
					break
				}
			}
			m.must(r.Close())
		}
	}
	return rows, schemas
}

func (m mill) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// A table that changes while its stream runs takes effect; each object has the columns of one
// version, and no record is lost on the way.
func TestATableChangesWhileItsStreamRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMill(t, "a:int")
		m.stream(converting())
		m.must(m.put("s", `{"a":1,"b":"x"}`))
		m.wait(10 * time.Second)
		m.define("UpdateTable", "a:bigint b:string")
		m.must(m.put("s", `{"a":2,"b":"y"}{"a":3}`))
		m.wait(10 * time.Second)
		rows, schemas := m.rows()
		if fmt.Sprint(rows) != "[a=1 a=2 b=y a=3 b=<null>]" || fmt.Sprint(schemas) != "[a a b]" {
			t.Fatalf("%q, %q", rows, schemas)
		}
	})
}

// Without its table a stream waits and says why; a day later its records fail, with the reason
// and as they came.
func TestATableThatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMill(t, "a:int")
		m.stream(converting())
		m.must(m.glueCall("DeleteTable", object{"DatabaseName": "db", "Name": "t"}))
		m.must(m.put("s", `{"a":1}`))
		m.wait(time.Hour)
		s := m.delivery.Statuses(t.Context())[0]
		if s.Pending.Records != 1 || !strings.Contains(s.LastError, "Table t not found") || len(m.store.Objects(pairBucket)) != 0 {
			t.Fatalf("status %+v", s)
		}
		m.define("CreateTable", "a:string")
		m.wait(time.Minute)
		if rows, _ := m.rows(); fmt.Sprint(rows) != "[a=1]" {
			t.Fatalf("rows %q", rows)
		}
		m.must(m.glueCall("DeleteTable", object{"DatabaseName": "db", "Name": "t"}))
		m.must(m.put("s", `{"a":2}`))
		m.wait(25 * time.Hour)
		line := m.under("main/format-conversion-failed/")
		if !strings.Contains(line, `"lastErrorCode":"DataFormatConversion.EntityNotFound"`) ||
			!strings.Contains(line, base64.StdEncoding.EncodeToString([]byte(`{"a":2}`))) {
			t.Fatalf("failure %q", line)
		}
		if l := m.delivery.Statuses(t.Context())[0].Ledger; l.Failed.Records != 1 || l.Delivered.Records != 1 || l.Pending.Records != 0 {
			t.Fatalf("ledger %+v", l)
		}
	})
}

// The checks of create know the catalogue, and a trial the columns and the keys.
func TestConversionIsCheckedAndTried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMill(t, "a:int")
		destination := converting()
		destination["DataFormatConversionConfiguration"].(object)["SchemaConfiguration"].(object)["TableName"] = "other"
		err := m.firehose("CreateDeliveryStream", object{"DeliveryStreamName": "s", "ExtendedS3DestinationConfiguration": merged(destination)}, nil)
		if err == nil || !strings.Contains(err.Error(), "Table other not found. (Service: AWSGlue; Status Code: 400; Error Code: EntityNotFoundException)") {
			t.Fatal(err)
		}
		destination = converting()
		destination["DataFormatConversionConfiguration"].(object)["InputFormatConfiguration"] = object{
			"Deserializer": object{"OpenXJsonSerDe": object{"ColumnToJsonKeyMappings": object{"ts": "a", "TS": "b"}}},
		}
		err = m.firehose("CreateDeliveryStream", object{"DeliveryStreamName": "s", "ExtendedS3DestinationConfiguration": merged(destination)}, nil)
		if err == nil || !strings.Contains(err.Error(), "Invalid deserializer option(s): column \"ts\" is mapped twice") {
			t.Fatal(err)
		}
		destination = converting()
		destination["Prefix"], destination["ErrorOutputPrefix"] = "k=!{partitionKeyFromQuery:k}/", "e/!{firehose:error-output-type}/"
		destination["BufferingHints"] = object{"IntervalInSeconds": 60, "SizeInMBs": 64}
		destination["DynamicPartitioningConfiguration"] = object{"Enabled": true}
		destination["ProcessingConfiguration"] = object{"Enabled": true, "Processors": []object{{"Type": "MetadataExtraction", "Parameters": []object{
			{"ParameterName": "MetadataExtractionQuery", "ParameterValue": "{k:.k}"}, {"ParameterName": "JsonParsingEngine", "ParameterValue": "JQ-1.6"},
		}}}}
		m.must(m.firehose("CreateDeliveryStream", object{"DeliveryStreamName": "s", "ExtendedS3DestinationConfiguration": merged(destination)}, nil))
		m.wait(time.Second)
		fates, err := m.operator().Try(t.Context(), "s", nil, [][]byte{[]byte(`{"a":1,"k":"x"}`), []byte(`{"a":"oops","k":"x"}`), []byte(`{"a":1}`)})
		m.must(err)
		if f := fates[0]; f.Result != operate.Delivered || !strings.HasPrefix(f.Key, "k=x/s-1-") || !strings.HasSuffix(f.Key, ".parquet") || f.Queried["k"] != "x" {
			t.Errorf("%+v", f)
		}
		if f := fates[1]; f.Code != "DataFormatConversion.MalformedData" || !strings.HasPrefix(f.Key, "e/format-conversion-failed/") {
			t.Errorf("%+v", f)
		}
		if f := fates[2]; f.Code != "DynamicPartitioning.MetadataExtractionFailed" || !strings.HasPrefix(f.Key, "e/processing-failed/") {
			t.Errorf("%+v", f)
		}
		m.must(m.put("s", `{"a":1,"k":"x"}`))
		m.must(m.put("s", `{"a":2,"k":"y"}`))
		m.restart()
		m.wait(2 * time.Minute)
		if rows, _ := m.rows(); len(rows) != 2 || m.under("k=y/") == "" {
			t.Fatalf("rows %q", rows)
		}
	})
}

// merged is the destination with what every one has.
func merged(more object) object {
	d := object{"RoleARN": "arn:aws:iam::000000000000:role/r", "BucketARN": "arn:aws:s3:::" + pairBucket}
	for k, v := range more {
		d[k] = v
	}
	return d
}
