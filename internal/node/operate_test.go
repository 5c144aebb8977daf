package node

import (
	"errors"
	"testing"

	"hydrant/internal/operate"
	"hydrant/internal/record"
)

func TestANodeAnswersThoseWhoRunIt(t *testing.T) {
	c := testConfig(t)
	a, stop := start(t, open(t, c))
	_, keys, err := ReadAddress(c.Data)
	if err != nil {
		t.Fatal(err)
	}
	client := operate.NewClient(operate.ClientOptions{
		Endpoint: a.URL(), Region: a.Region, AccessKeyID: keys.AccessKeyID, Secret: keys.Secret,
	})
	if all, err := client.Streams(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("%v %v", all, err)
	}
	if _, err := client.Flush(t.Context(), "nobody"); !errors.Is(err, operate.ErrNoStream) {
		t.Errorf("a flush of no stream: %v", err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Streams(t.Context()); !errors.Is(err, operate.ErrNoAnswer) {
		t.Errorf("a node that has stopped: %v", err)
	}
}

// Between the look into the registry and the order a stream may go.
func TestAStreamThatIsNotDeliveredCannotBeFlushed(t *testing.T) {
	n := open(t, testConfig(t))
	defer n.Close()
	o := operated{n.delivery}
	if _, err := o.Flush(t.Context(), record.StreamID{1}); !errors.Is(err, operate.ErrNotActive) {
		t.Error(err)
	}
	if s, ok := o.Status(t.Context(), record.StreamID{1}); ok {
		t.Errorf("it has a status: %+v", s)
	}
}
