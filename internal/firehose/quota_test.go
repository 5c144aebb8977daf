package firehose

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Spec section 11.1: each operation has a quota of its own, and puts have none.
func TestEachControlOperationIsTakenFromItsOwnQuota(t *testing.T) {
	var used []string
	for operation, input := range modelInputs {
		w := newWorld(t)
		w.active("a") // the name in the least bodies
		left := 1
		w.allow = func(called string) bool {
			if called != operation {
				t.Errorf("%s was taken from the quota of %s", operation, called)
			}
			used = append(used, called)
			left--
			return left >= 0
		}
		body := least(input)
		const throttled = `{"__type":"ThrottlingException","message":"Rate exceeded"}`
		if _, answer := w.call("ALICE", operation, body); answer == throttled {
			t.Errorf("the first call of %s is throttled", operation)
		}
		status, answer := w.call("ALICE", operation, body)
		switch put := operation == singlePut.action || operation == batchPut.action; {
		case put && (status != 200 || left != 1):
			t.Errorf("%s has a quota: %d %s", operation, status, answer)
		case !put && (status != 400 || answer != throttled):
			t.Errorf("the second call of %s: %d %s, want %s", operation, status, answer, throttled)
		}
	}
	slices.Sort(used)
	want := []string{
		"CreateDeliveryStream", "DeleteDeliveryStream", "DescribeDeliveryStream", "ListDeliveryStreams", "ListTagsForDeliveryStream",
		"StartDeliveryStreamEncryption", "StopDeliveryStreamEncryption", "TagDeliveryStream", "UntagDeliveryStream", "UpdateDestination",
	}
	if d := cmp.Diff(want, slices.Compact(used)); d != "" {
		t.Error(d)
	}
}

// Spec section 1.6, rule 2.
func TestACallIsThrottledAfterItIsDecodedAndBeforeItIsAuthorised(t *testing.T) {
	w := newWorld(t)
	w.allow = func(string) bool { return false }
	for _, c := range []struct{ name, who, body, code string }{
		{"a body that cannot be read", "BOB", `{"DeliveryStreamName":`, "SerializationException"},
		{"a caller who may not", "BOB", `{"DeliveryStreamName":"s"}`, "ThrottlingException"},
		{"a member that is missing", "ALICE", `{}`, "ThrottlingException"},
		{"a stream that is not there", "ALICE", `{"DeliveryStreamName":"none"}`, "ThrottlingException"},
	} {
		_, answer := w.call(c.who, "DeleteDeliveryStream", c.body)
		if code, _ := failure(t, answer); code != c.code {
			t.Errorf("%s: %s, want %s", c.name, answer, c.code)
		}
	}
}
