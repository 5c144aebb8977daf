package operate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"hydrant/internal/aws"
	"hydrant/internal/record"
	"hydrant/internal/stream"
)

// fakeTrial delivers everything under the name of the stream.
type fakeTrial struct{}

func (fakeTrial) Try(_ context.Context, d *stream.Definition, records [][]byte) (fates []Fate, _ error) {
	for i, r := range records {
		fates = append(fates, Fate{Record: i, Result: Delivered, Data: r, Key: d.Name})
	}
	return fates, nil
}

func (fakeTrial) Propose(configuration []byte) (*stream.Definition, error) {
	if strings.Contains(string(configuration), "bad") {
		return nil, fmt.Errorf("%w: bad", ErrConfiguration)
	}
	return &stream.Definition{Name: "proposed"}, nil
}

func TestRecordsAreTriedOnAStreamOrOnAProposal(t *testing.T) {
	w := newWorld(t, "clicks")
	for name, configuration := range map[string][]byte{"clicks": nil, "proposed": []byte(`{"DeliveryStreamName":"proposed"}`)} {
		got, err := w.Try(t.Context(), "clicks", configuration, [][]byte{[]byte("a"), {}})
		if err != nil || len(got) != 2 || got[0].Key != name || string(got[0].Data) != "a" || got[1].Record != 1 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if want := "hydrant:TryStream arn:aws:firehose:us-east-1:123456789012:deliverystream/"; !slices.Contains(w.asked, want+"clicks") || !slices.Contains(w.asked, want+"*") {
		t.Errorf("judged by %q", w.asked)
	}
}

func TestATrialRefusesWhatItMust(t *testing.T) {
	w := newWorld(t, "clicks")
	one := [][]byte{[]byte("a")}
	if _, err := w.Try(t.Context(), "none", nil, one); !errors.Is(err, ErrNoStream) {
		t.Errorf("%v", err)
	}
	if _, err := w.Try(t.Context(), "clicks", []byte("{"), one); !errors.Is(err, ErrConfiguration) {
		t.Errorf("%v", err)
	}
	for want, c := range map[string]struct {
		name          string
		configuration []byte
		records       [][]byte
	}{
		"bad":              {"clicks", []byte(`{"bad":1}`), one},
		"name of a stream": {"a b", nil, one},
		"1 to 500 records": {"clicks", nil, nil},
		"501 records":      {"clicks", nil, make([][]byte, MaxTrialRecords+1)},
		"one may have":     {"clicks", nil, [][]byte{make([]byte, record.MaxRecordBytes+1)}},
	} {
		_, err := w.Try(t.Context(), c.name, c.configuration, c.records)
		var told *aws.RemoteError
		if !errors.As(err, &told) || told.Code != validation || !strings.Contains(told.Message, want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
