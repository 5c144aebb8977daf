package node

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"hydrant/internal/aws"
)

// Spec section 11.1: each operation has a quota of its own, and puts have none.
func TestControlCallsBeyondTheirQuotaAreThrottled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		p.config.Quotas.ControlPerSecond = 2
		p.restart()
		nobody := object{"DeliveryStreamName": "nobody"}
		calls := func(operation string, in object, want ...string) {
			t.Helper()
			for i, code := range want {
				var refused *aws.RemoteError
				err := p.firehose(operation, in, nil)
				if errors.As(err, &refused); code != "" && (refused == nil || refused.Code != code) || code == "" && err != nil {
					t.Errorf("call %d of %s: %v, want %q", i+1, operation, err, code)
				}
				if refused != nil && refused.Code == "ThrottlingException" && refused.Message != "Rate exceeded" {
					t.Errorf("call %d of %s: %v", i+1, operation, err)
				}
			}
		}
		calls("ListDeliveryStreams", nil, "", "", "ThrottlingException", "ThrottlingException")
		calls("DescribeDeliveryStream", nobody, "ResourceNotFoundException", "ResourceNotFoundException", "ThrottlingException")
		put := object{"DeliveryStreamName": "nobody", "Record": object{"Data": ""}}
		calls("PutRecord", put, "ResourceNotFoundException", "ResourceNotFoundException", "ResourceNotFoundException")
		time.Sleep(500 * time.Millisecond)
		calls("ListDeliveryStreams", nil, "", "ThrottlingException")
	})
}

func TestControlCallsHaveNoQuotaUnlessOneIsSet(t *testing.T) {
	n := open(t, testConfig(t))
	defer n.Close()
	if n.control() != nil {
		t.Error("there is a quota")
	}
}

// Each step makes as many calls as it takes to be refused, some time after the step before.
func TestAQuotaOfCallsFillsWithTime(t *testing.T) {
	now := time.Unix(0, 0)
	c := &calls{perSecond: 5, now: func() time.Time { return now }, left: map[string]*bucket{}}
	for i, step := range []struct {
		after time.Duration
		want  int
	}{
		{0, 5}, {0, 0}, {199 * time.Millisecond, 0}, {time.Millisecond, 1}, {500 * time.Millisecond, 2},
		{100 * time.Millisecond, 1}, {time.Hour, 5}, {-time.Hour, 0}, {time.Second, 5},
	} {
		now = now.Add(step.after)
		got := 0
		for c.take("ListDeliveryStreams") {
			got++
		}
		if got != step.want {
			t.Errorf("step %d: %d calls, want %d", i, got, step.want)
		}
	}
}
