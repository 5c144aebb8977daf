package glue

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"hydrant/internal/record"
)

// The bodies of errors, byte by byte: Glue writes Message where others write message.
func TestErrorsHaveTheFormOfGlue(t *testing.T) {
	w := newWorld(t)
	w.make(table("t", "c"), fields{"Name": "p", "PartitionKeys": array{fields{"Name": "day"}}})
	for _, c := range []struct {
		name, operation, body string
		status                int
		want                  string
	}{
		{"database", "GetDatabase", `{"Name":"nobody"}`, 400,
			`{"__type":"EntityNotFoundException","Message":"Database nobody not found."}`},
		{"database of a table", "GetTable", `{"DatabaseName":"nobody","Name":"t"}`, 400,
			`{"__type":"EntityNotFoundException","Message":"Database nobody not found."}`},
		{"table", "GetTable", `{"DatabaseName":"db","Name":"nobody"}`, 400,
			`{"__type":"EntityNotFoundException","Message":"Table nobody not found."}`},
		{"version", "GetTableVersion", `{"DatabaseName":"db","TableName":"t","VersionId":"7"}`, 400,
			`{"__type":"EntityNotFoundException","Message":"Version not found."}`},
		{"version that is no number", "GetTableVersion", `{"DatabaseName":"db","TableName":"t","VersionId":"x"}`, 400,
			`{"__type":"InvalidInputException","Message":"Version ids are decimal numbers."}`},
		{"catalogue", "GetDatabase", `{"CatalogId":"123456789012","Name":"db"}`, 400,
			`{"__type":"EntityNotFoundException","Message":"Catalog 123456789012 not found."}`},
		{"partition", "GetPartition", `{"DatabaseName":"db","TableName":"p","PartitionValues":["a"]}`, 400,
			`{"__type":"EntityNotFoundException","Message":"Cannot find partition."}`},
		{"database that is there", "CreateDatabase", `{"DatabaseInput":{"Name":"DB"}}`, 400,
			`{"__type":"AlreadyExistsException","Message":"Database already exists."}`},
		{"table that is there", "CreateTable", `{"DatabaseName":"db","TableInput":{"Name":"T"}}`, 400,
			`{"__type":"AlreadyExistsException","Message":"Table already exists."}`},
		{"rename", "UpdateDatabase", `{"Name":"db","DatabaseInput":{"Name":"x"}}`, 400,
			`{"__type":"InvalidInputException","Message":"Databases cannot be renamed."}`},
		{"current version", "DeleteTableVersion", `{"DatabaseName":"db","TableName":"t","VersionId":"0"}`, 400,
			`{"__type":"InvalidInputException","Message":"The current version of a table cannot be deleted."}`},
		{"values", "CreatePartition", `{"DatabaseName":"db","TableName":"p","PartitionInput":{"Values":["a","b"]}}`, 400,
			`{"__type":"InvalidInputException","Message":"The number of partition keys do not match the number of partition values"}`},
		{"regular expression", "GetTables", `{"DatabaseName":"db","Expression":"("}`, 400,
			`{"__type":"InvalidInputException","Message":"Expression is not a regular expression."}`},
		{"half a regular expression", "GetTables", `{"DatabaseName":"db","Expression":"a)|(b"}`, 400,
			`{"__type":"InvalidInputException","Message":"Expression is not a regular expression."}`},
		{"token", "GetTables", `{"DatabaseName":"db","NextToken":"*"}`, 400,
			`{"__type":"InvalidInputException","Message":"The token is not one that was given out."}`},
		{"one violation", "GetTable", `{"DatabaseName":"db"}`, 400,
			`{"__type":"InvalidInputException","Message":"1 validation error detected: Value at 'name' failed to satisfy constraint: Member must not be null"}`},
		{"two violations", "GetTables", `{"MaxResults":101}`, 400,
			`{"__type":"InvalidInputException","Message":"2 validation errors detected: ` +
				`Value at 'databaseName' failed to satisfy constraint: Member must not be null; ` +
				`Value at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 100"}`},
		{"no JSON", "GetTable", `{"DatabaseName":1}`, 400, `{"__type":"SerializationException"}`},
		{"operation", "Fly", `{}`, 400, `{"__type":"UnknownOperationException"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.t = t
			status, got := w.send(c.operation, c.body)
			if status != c.status || got != c.want {
				t.Errorf("status %d, want %d:\n%s\n%s", status, c.status, got, c.want)
			}
		})
	}
}

func TestDefinitionsAreHeldToTheirLimits(t *testing.T) {
	w := newWorld(t)
	w.make()
	long := func(n int) string { return strings.Repeat("é", n) }
	descriptor := func(d fields) fields { return fields{"Name": "t", "StorageDescriptor": d} }
	columns := func(c fields) fields { return descriptor(fields{"Columns": array{c}}) }
	for _, c := range []struct {
		path string
		in   fields
	}{
		{"tableInput.name", fields{}},
		{"tableInput.name", fields{"Name": long(256)}},
		{"tableInput.name", fields{"Name": "a\nb"}},
		{"tableInput.description", fields{"Name": "t", "Description": long(2049)}},
		{"tableInput.owner", fields{"Name": "t", "Owner": long(256)}},
		{"tableInput.retention", fields{"Name": "t", "Retention": -1}},
		{"tableInput.tableType", fields{"Name": "t", "TableType": long(256)}},
		{"tableInput.parameters", fields{"Name": "t", "Parameters": fields{"": "x"}}},
		{"tableInput.parameters.k.member", fields{"Name": "t", "Parameters": fields{"k": long(512001)}}},
		{"tableInput.partitionKeys.1.member.name", fields{"Name": "t", "PartitionKeys": array{fields{}}}},
		{"tableInput.targetTable.name", fields{"Name": "t", "TargetTable": fields{"Name": long(256)}}},
		{"tableInput.viewDefinition", fields{"Name": "t", "ViewDefinition": fields{}}},
		{"tableInput.storageDescriptor.columns.1.member.name", columns(fields{"Type": "int"})},
		{"tableInput.storageDescriptor.columns.1.member.type", columns(fields{"Name": "c", "Type": long(131073)})},
		{"tableInput.storageDescriptor.columns.1.member.comment", columns(fields{"Name": "c", "Comment": long(256)})},
		{"tableInput.storageDescriptor.location", descriptor(fields{"Location": long(2057)})},
		{"tableInput.storageDescriptor.inputFormat", descriptor(fields{"InputFormat": long(129)})},
		{"tableInput.storageDescriptor.outputFormat", descriptor(fields{"OutputFormat": long(129)})},
		{"tableInput.storageDescriptor.serdeInfo.name", descriptor(fields{"SerdeInfo": fields{"Name": long(256)}})},
		{"tableInput.storageDescriptor.sortColumns.1.member.sortOrder", descriptor(fields{"SortColumns": array{fields{"Column": "c", "SortOrder": 2}}})},
	} {
		message := w.refused(Invalid, "CreateTable", fields{"DatabaseName": "db", "TableInput": c.in})
		if !strings.Contains(message, "Value at '"+c.path+"' failed") {
			t.Errorf("%s is not told: %s", c.path, message)
		}
	}
	// What is just within them is taken, and told as it came.
	whole := fields{
		"Name": strings.Repeat("n", 255), "Description": long(2048), "Owner": long(255), "TableType": long(255), "Retention": 1,
		"StorageDescriptor": fields{
			"Columns": array{fields{"Name": long(255), "Type": "whatever <", "Comment": long(255)}}, "Location": long(2056),
			"InputFormat": long(128), "Compressed": true, "NumberOfBuckets": 4, "StoredAsSubDirectories": true,
			"SkewedInfo":      fields{"SkewedColumnNames": array{"c"}, "SkewedColumnValues": array{"v"}, "SkewedColumnValueLocationMaps": fields{"v": "s3://x"}},
			"SchemaReference": fields{"SchemaId": fields{"SchemaName": "s", "RegistryName": "r"}, "SchemaVersionNumber": 3},
		},
	}
	w.must("CreateTable", fields{"DatabaseName": "db", "TableInput": whole})
	got := w.must("GetTable", fields{"DatabaseName": "db", "Name": whole["Name"]})["Table"].(fields)
	for key, want := range whole {
		a, _ := json.Marshal(want, json.Deterministic(true))
		b, _ := json.Marshal(got[key], json.Deterministic(true))
		if string(a) != string(b) {
			t.Errorf("%s: %s became %s", key, a, b)
		}
	}
}

func TestWhatIsTooLargeToKeepIsRefused(t *testing.T) {
	w := newWorld(t)
	w.make(table("t", "c"))
	heavy := func(n int) fields { return fields{"Name": "t", "Parameters": fields{"k": strings.Repeat("x", n)}} }
	w.refused(LimitExceeded, "UpdateTable", fields{"DatabaseName": "db", "TableInput": heavy(maxVersionBytes)})
	w.refused(LimitExceeded, "CreateDatabase", fields{"DatabaseInput": fields{"Name": "x", "Parameters": fields{"k": strings.Repeat("x", maxDatabaseBytes)}}})
	for range 6 {
		w.must("UpdateTable", fields{"DatabaseName": "db", "TableInput": heavy(maxVersionBytes - 500)})
	}
	w.alterHead("t", func(h *head) { h.Bytes += maxTableBytes - 7*maxVersionBytes }) // as if there had been many more
	w.must("UpdateTable", fields{"DatabaseName": "db", "TableInput": heavy(maxVersionBytes - 500)})
	w.refused(LimitExceeded, "UpdateTable", fields{"DatabaseName": "db", "TableInput": heavy(maxVersionBytes - 500)})
	// Without the archive, and after old versions are gone, there is room again.
	w.must("UpdateTable", fields{"DatabaseName": "db", "TableInput": heavy(maxVersionBytes - 500), "SkipArchive": true})
	w.must("DeleteTableVersion", fields{"DatabaseName": "db", "TableName": "t", "VersionId": "1"})
	w.must("UpdateTable", fields{"DatabaseName": "db", "TableInput": heavy(maxVersionBytes - 500)})

	// Pages of large items are short, and together they have all.
	count, pages := 0, 0
	for in := (fields{"DatabaseName": "db", "TableName": "t"}); ; pages++ {
		out := w.must("GetTableVersions", in)
		count += len(out["TableVersions"].([]any))
		if in["NextToken"] = out["NextToken"]; in["NextToken"] == nil {
			break
		}
	}
	if want := len(w.headOf("t").Archived) + 1; count != want || pages < want/3 {
		t.Errorf("%d versions on %d pages, want %d", count, pages, want)
	}
	w.full = true
	w.refused(LimitExceeded, "UpdateTable", fields{"DatabaseName": "db", "TableInput": table("t")})
	w.must("DeleteTable", fields{"DatabaseName": "db", "Name": "t"})
}

// alterHead changes what is stored of a table beside its versions.
func (w *world) alterHead(name string, fn func(*head)) {
	w.t.Helper()
	err := w.alter(w.t.Context(), func(to *writes) error {
		d, h, err := w.head(w.t.Context(), "", "db", name)
		if err != nil {
			return err
		}
		fn(h)
		_, err = to.put(tableKey(d, name), h.state, h)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) headOf(name string) *head {
	w.t.Helper()
	_, h, err := w.head(w.t.Context(), "", "db", name)
	if err != nil {
		w.t.Fatal(err)
	}
	return h
}

func TestTheCatalogueOutlivesARestart(t *testing.T) {
	w := newWorld(t)
	w.make(fields{"Name": "t", "PartitionKeys": array{fields{"Name": "day"}}}, table("a/b c%", "c"))
	w.must("UpdateTable", fields{"DatabaseName": "db", "TableInput": fields{"Name": "t", "Description": "new", "PartitionKeys": array{fields{"Name": "day"}}}})
	w.must("CreatePartition", fields{"DatabaseName": "db", "TableName": "t", "PartitionInput": fields{"Values": array{"a/b"}}})
	look := func() (all []fields) {
		for _, q := range []struct {
			operation string
			in        fields
		}{
			{"GetDatabases", fields{}},
			{"GetTables", fields{"DatabaseName": "db"}},
			{"GetTableVersions", fields{"DatabaseName": "db", "TableName": "t"}},
			{"GetPartitions", fields{"DatabaseName": "db", "TableName": "t"}},
		} {
			all = append(all, w.must(q.operation, q.in))
		}
		return all
	}
	before := look()
	w.restart()
	if d := cmp.Diff(before, look()); d != "" {
		t.Error(d)
	}
	if n := len(before[2]["TableVersions"].([]any)); n != 2 {
		t.Errorf("%d versions", n)
	}
}

func TestAnUpdateWithoutArchiveForgetsTheFormerVersion(t *testing.T) {
	w := newWorld(t)
	w.make(table("t", "a"))
	update := func(in fields) {
		w.must("UpdateTable", fields{"DatabaseName": "db", "TableInput": table("t", "b"), "SkipArchive": in["s"]})
	}
	update(fields{"s": true})
	update(fields{"s": false})
	update(fields{"s": nil})
	out := w.must("GetTableVersions", fields{"DatabaseName": "db", "TableName": "t"})
	var ids []string
	for _, v := range out["TableVersions"].([]any) {
		ids = append(ids, v.(fields)["VersionId"].(string))
	}
	if !slices.Equal(ids, []string{"3", "2", "1"}) {
		t.Errorf("versions %v", ids)
	}
}

func TestADeletionTakesWhatBelongsToIt(t *testing.T) {
	w := newWorld(t)
	w.make()
	empty := w.stored()
	for i := range 5 {
		name := fmt.Sprintf("t%d", i)
		w.must("CreateTable", fields{"DatabaseName": "db", "TableInput": fields{"Name": name, "PartitionKeys": array{fields{"Name": "k"}}}})
		w.must("UpdateTable", fields{"DatabaseName": "db", "TableInput": fields{"Name": name, "PartitionKeys": array{fields{"Name": "k"}}}})
		for j := range 4 {
			var all array
			for k := range 100 {
				all = append(all, fields{"Values": array{fmt.Sprint(j, k)}})
			}
			w.must("BatchCreatePartition", fields{"DatabaseName": "db", "TableName": name, "PartitionInputList": all})
		}
	}
	w.must("DeleteTable", fields{"DatabaseName": "db", "Name": "t0"})
	if n := w.stored(); n != empty+4*(1+2+400) {
		t.Errorf("%d keys are left", n)
	}
	w.must("CreateTable", fields{"DatabaseName": "db", "TableInput": table("t0", "new")})
	if out := w.must("GetTableVersions", fields{"DatabaseName": "db", "TableName": "t0"}); len(out["TableVersions"].([]any)) != 1 {
		t.Errorf("a new table has the versions of a former one: %v", out)
	}
	w.must("DeleteDatabase", fields{"Name": "db"})
	if n := w.stored(); n != 0 {
		t.Errorf("%d keys are left", n)
	}
}

// failing is a log whose writes fail from one on.
type failing struct {
	Log
	mu    sync.Mutex
	after int
}

func (f *failing) Apply(ctx context.Context, tx *record.Tx) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.after--; f.after < 0 {
		return record.ErrNoSpace
	}
	return f.Log.Apply(ctx, tx)
}

func TestADeletionThatWasInterruptedIsEndedByTheNextStart(t *testing.T) {
	for after := range 8 {
		w := newWorld(t)
		w.make(table("t", "c"), table("u", "c"))
		w.must("UpdateTable", fields{"DatabaseName": "db", "TableInput": table("t", "d")})
		w.log = &failing{Log: w.engine, after: after}
		w.serve()
		_, code, _ := w.call("DeleteDatabase", fields{"Name": "db"})
		if want := map[bool]string{true: internal, false: ""}[after == 0]; code != want {
			t.Errorf("with %d writes the deletion ended with %q", after, code)
		}
		w.restart()
		left := w.stored()
		if after == 0 && left != 1+2+3 || after > 0 && left != 0 {
			t.Errorf("with %d writes %d keys are left", after, left)
		}
		if after > 0 {
			w.make(table("t", "c"))
		}
	}
}

// other is a node that shares the journal and gets in between: it writes before each write.
type other struct {
	Log
	before func()
}

func (o *other) Apply(ctx context.Context, tx *record.Tx) error {
	if o.before != nil {
		o.before()
	}
	return o.Log.Apply(ctx, tx)
}

func TestChangesOfOtherNodesAreSeen(t *testing.T) {
	w := newWorld(t)
	w.make(table("t", "c"))
	there, between := w.server, &other{Log: w.engine}
	w.log = between
	w.serve()
	here := w.server
	meet := func(operation string, in fields) {
		calls := 0
		between.before = func() {
			if calls++; calls == 1 {
				w.server = there
				w.must(operation, in)
				w.server = here
			}
		}
	}
	meet("UpdateTable", fields{"DatabaseName": "db", "TableInput": table("t", "theirs")})
	w.must("UpdateTable", fields{"DatabaseName": "db", "TableInput": table("t", "ours")})
	if got := w.must("GetTable", fields{"DatabaseName": "db", "Name": "t"})["Table"].(fields)["VersionId"]; got != "2" {
		t.Errorf("version %v after two updates", got)
	}
	meet("UpdateTable", fields{"DatabaseName": "db", "TableInput": table("t", "theirs")})
	w.refused(Modified, "UpdateTable", fields{"DatabaseName": "db", "TableInput": table("t", "ours"), "VersionId": "2"})
	meet("DeleteDatabase", fields{"Name": "db"})
	w.refused(NotFound, "CreateTable", fields{"DatabaseName": "db", "TableInput": table("new")})
	if n := w.stored(); n != 0 {
		t.Errorf("%d keys of a deleted database", n)
	}
}

func TestManyClientsUpdateAtOnce(t *testing.T) {
	w := newWorld(t)
	w.make(table("t", "c"))
	var clients sync.WaitGroup
	for i := range 8 {
		clients.Go(func() {
			for j := range 10 {
				w.must("UpdateTable", fields{"DatabaseName": "db", "TableInput": table("t", fmt.Sprintf("c%d-%d", i, j))})
				w.must("CreateTable", fields{"DatabaseName": "db", "TableInput": table(fmt.Sprintf("t%d-%d", i, j))})
				w.must("GetTable", fields{"DatabaseName": "db", "Name": "t"})
			}
		})
	}
	clients.Wait()
	if h := w.headOf("t"); h.Current != 80 || len(h.Archived) != 80 {
		t.Errorf("80 updates made %+v", h)
	}
	d, err := w.database(t.Context(), "", "db")
	if err != nil || d.Tables != 81 {
		t.Errorf("%+v %v", d, err)
	}
}

func TestPermissionIsAskedForAllThatIsOnTheWay(t *testing.T) {
	w := newWorld(t)
	w.make(table("t", "c"))
	w.asked = nil
	w.must("GetTable", fields{"DatabaseName": "DB", "Name": "T"})
	const arn = "arn:aws:glue:us-east-1:000000000000:"
	want := []string{"glue:GetTable " + arn + "catalog", "glue:GetTable " + arn + "database/db", "glue:GetTable " + arn + "table/db/t"}
	if d := cmp.Diff(want, w.asked); d != "" {
		t.Error(d)
	}
	for _, w.denied = range want {
		if _, answer := w.send("GetTable", `{"DatabaseName":"db","Name":"t"}`); !strings.HasPrefix(answer, `{"__type":"AccessDeniedException","Message":"User: arn:aws:iam::000000000000:root is not authorized to perform: glue:GetTable on resource: arn:`) {
			t.Error(answer)
		}
	}
}

func TestAStateThatCannotBeReadIsNotWrittenOver(t *testing.T) {
	w := newWorld(t)
	w.make(table("t", "c"))
	d, err := w.database(t.Context(), "", "db")
	if err != nil {
		t.Fatal(err)
	}
	key := tableKey(d, "t")
	st, err := w.engine.State(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	newer := &record.Tx{States: []record.StateWrite{{Key: key, Old: st.Version, Value: []byte(`{"newer":1}`)}}}
	if err := w.engine.Apply(t.Context(), newer); err != nil {
		t.Fatal(err)
	}
	w.refused(internal, "UpdateTable", fields{"DatabaseName": "db", "TableInput": table("t")})
	if !strings.Contains(w.logged.String(), "perhaps written by a newer version") {
		t.Error(w.logged.String())
	}
}
