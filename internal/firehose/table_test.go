package firehose

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

// updateEnv makes the test write the table instead of comparing it.
const updateEnv = "HYDRANT_UPDATE_DOCS"

// firehoseRefusals are how Firehose itself refuses a probe, too (spec sections 2.13 and 3.3).
var firehoseRefusals = []string{
	"BufferingHints.IntervalInSeconds must be at least 60 for S3 backup.",
	"Changing the destination type",
	"Dynamic Partitioning can only be enabled",
	"Enabling source decompression is not supported for existing stream",
}

// state is what the API does with a probe.
func (w *world) state(operation string, p probe) string {
	status, body := w.call("ALICE", operation, "{"+p.body+"}")
	switch {
	case status == 200 && strings.Contains(p.path, unused):
		return "stored, and used by nothing"
	case status == 200:
		return "taken"
	}
	code, message := failure(w.t, body)
	switch {
	case code == "InvalidArgumentException" && strings.HasSuffix(message, "is not supported by this version of Hydrant."):
		return "refused: " + message
	case code == "InvalidArgumentException" && slices.ContainsFunc(firehoseRefusals, func(r string) bool { return strings.HasPrefix(message, r) }):
		return "refused, as Firehose does: " + message
	}
	w.t.Errorf("%s %s: %d %s", operation, p.body, status, body)
	return "missing"
}

// TestTheConformanceTableIsTrue makes docs/conformance.md: each row is a request that was made.
func TestTheConformanceTableIsTrue(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Conformance\n\nWhat this version does with each member of each operation of the Firehose API. The table is made by\n" +
		"the tests of `internal/firehose`: each row is a request that was made.\n")
	counts := map[string]int{}
	for operation := range strings.FieldsSeq("CreateDeliveryStream DeleteDeliveryStream DescribeDeliveryStream ListDeliveryStreams " +
		"ListTagsForDeliveryStream PutRecord PutRecordBatch StartDeliveryStreamEncryption StopDeliveryStreamEncryption " +
		"TagDeliveryStream UntagDeliveryStream UpdateDestination") {
		fmt.Fprintf(&b, "\n## %s\n\n| Member | State |\n|---|---|\n", operation)
		for _, p := range probesOf(operation) {
			w := newWorld(t)
			if operation == "UpdateDestination" && p.partitions() {
				w.made("s", `"ExtendedS3DestinationConfiguration":{`+bucket+`,`+partitioned("", extraction)+`}`)
			} else {
				w.active("s")
			}
			state := w.state(operation, p)
			kind, _, _ := strings.Cut(state, ":")
			counts[kind]++
			fmt.Fprintf(&b, "| `%s` | %s |\n", p.path, state)
		}
	}
	fmt.Fprintf(&b, "\n%d members are taken, %d stored without being used, %d refused by name, and %d refused because\nFirehose refuses them.\n",
		counts["taken"], counts["stored, and used by nothing"], counts["refused"], counts["refused, as Firehose does"])
	path := filepath.Join("..", "..", "docs", "conformance.md")
	if os.Getenv(updateEnv) != "" {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != b.String() {
		t.Errorf("docs/conformance.md is not what the API does (%v): run %s=1 go test ./internal/firehose", err, updateEnv)
	}
}

// A member without a row would be one that nobody has looked at.
func TestEachMemberHasARow(t *testing.T) {
	built := map[string]*shape{"CreateDeliveryStream": createInput, "UpdateDestination": updateInput}
	for operation, input := range modelInputs {
		if s := built[operation]; s != nil {
			input = s
		}
		tried := map[string]bool{}
		for _, p := range probesOf(operation) {
			var body any
			if err := json.Unmarshal([]byte("{"+p.body+"}"), &body); err != nil {
				t.Fatalf("%s: %v", p.body, err)
			}
			visit("", body, tried)
		}
		for _, leaf := range leaves("", input, func(string) string { return "" }) {
			if !tried[leaf.path] {
				t.Errorf("%s: no row tries %s", operation, leaf.path[1:])
			}
		}
	}
}

// visit notes the paths of all values, as leaves writes them.
func visit(path string, value any, seen map[string]bool) {
	seen[path] = true
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			visit(path+"."+name, member, seen)
		}
	case []any:
		for _, item := range v {
			visit(path, item, seen)
		}
	case string:
		seen[path+"="+v] = true
	}
}
