package operate

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"hydrant/internal/aws"
	"hydrant/internal/record"
	"hydrant/internal/schema"
	"hydrant/internal/stream"
)

// sampler shows records of its own, and notes what it was asked for.
type sampler struct {
	all   [][]byte
	err   error
	asked string
}

func (s *sampler) Sample(_ context.Context, d *stream.Definition, records, bytes int) ([][]byte, error) {
	s.asked = fmt.Sprintf("%s %d %d", d.Name, records, bytes)
	return s.all, s.err
}

// newSampleWorld is a world of the stream clicks whose node has only SampleStream.
func newSampleWorld(t *testing.T) (*world, *sampler) {
	t.Helper()
	w, from := newWorld(t, "clicks"), &sampler{all: [][]byte{[]byte("a"), {}, []byte("\x00\xff")}}
	s := New(Options{Partition: "aws", Region: region, Account: account, Streams: w.streams, Delivery: w.delivery, Trial: fakeTrial{}, Now: time.Now})
	server := aws.NewServer(aws.Options{
		Partition: "aws", Region: region, Account: account, Credentials: keyring{}, Authorizer: judge{w},
		Buffers: aws.NewBuffers(64<<20, time.Minute), Logger: slog.New(slog.DiscardHandler), Now: time.Now,
	})
	server.Handle(ServiceName, aws.NewJSON(ServiceName, target, map[string]aws.Operation{"SampleStream": s.sampleStream(from)}, nil))
	w.options.HTTP = &http.Client{Transport: inProcess{server}}
	w.Client = NewClient(w.options)
	return w, from
}

func TestAStreamShowsItsNewestRecordsToWhoMaySeeThem(t *testing.T) {
	w, from := newSampleWorld(t)
	for records, want := range map[int]string{0: "clicks 200 1048576", 7: "clicks 7 1048576", MaxSampleRecords: "clicks 1000 1048576"} {
		got, err := w.Sample(t.Context(), "clicks", records)
		if err != nil || !slices.EqualFunc(got, from.all, bytes.Equal) || from.asked != want {
			t.Errorf("%d: %q %v, asked for %s", records, got, err, from.asked)
		}
	}
	if want := "hydrant:SampleStream arn:aws:firehose:us-east-1:123456789012:deliverystream/clicks"; !slices.Contains(w.asked, want) {
		t.Errorf("judged by %q", w.asked)
	}
	w.options.AccessKeyID, from.asked = guestID, ""
	_, err := NewClient(w.options).Sample(t.Context(), "clicks", 1)
	if err == nil || !strings.Contains(err.Error(), "hydrant:SampleStream") || from.asked != "" {
		t.Errorf("a guest is shown records: %v", err)
	}
}

func TestSamplesThatCannotBeHadAreRefusedInWords(t *testing.T) {
	w, from := newSampleWorld(t)
	if _, err := w.Sample(t.Context(), "none", 1); !errors.Is(err, ErrNoStream) {
		t.Errorf("%v", err)
	}
	for name, records := range map[string]int{"a b": 1, "clicks": MaxSampleRecords + 1, "orders": -1} {
		_, err := w.Sample(t.Context(), name, records)
		var told *aws.RemoteError
		if !errors.As(err, &told) || told.Code != validation {
			t.Errorf("%s, %d: %v", name, records, err)
		}
	}
	from.err = fmt.Errorf("open: %w", &record.KeyError{Code: "DisabledException", Message: "k is disabled"})
	if _, err := w.Sample(t.Context(), "clicks", 1); !errors.Is(err, ErrSealed) || !strings.Contains(err.Error(), "clicks cannot be decrypted: DisabledException: k is disabled") {
		t.Errorf("%v", err)
	}
	from.err = errors.New("the disk burns")
	if _, err := w.Sample(t.Context(), "clicks", 1); err == nil || errors.Is(err, ErrSealed) || strings.Contains(err.Error(), "burns") {
		t.Errorf("%v", err)
	}
	from.err, from.all = nil, nil
	if _, err := w.Sample(t.Context(), "clicks", 1); !errors.Is(err, ErrNoSample) || !strings.Contains(err.Error(), "clicks") {
		t.Errorf("%v", err)
	}
}

func TestATableIsProposedForRecordsAndOddOnesAreLeftOut(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(`{"c":true}`)); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	records := [][]byte{[]byte(`{"a":1}{"a":3000000000}`), []byte(`{"b":1}oops`), []byte("[1]"), packed.Bytes(), []byte(`{"a":2}` + "\n")}
	p, err := ProposeOf(records, ProposalOptions{Name: "t"})
	if err != nil {
		t.Fatal(err)
	}
	var columns []schema.Column
	for _, c := range p.Table.Storage.Columns {
		columns = append(columns, schema.Column{Name: c.Name, Type: c.Type})
	}
	if fmt.Sprint(columns) != fmt.Sprint([]schema.Column{{Name: "a", Type: "bigint"}, {Name: "c", Type: "boolean"}}) || p.Documents != 4 {
		t.Errorf("%+v of %d documents", columns, p.Documents)
	}
	if n := strings.Join(p.Notes, "\n"); !strings.Contains(n, "2 of 5 records were left out, the first for this: record 2 of 5: ") {
		t.Errorf("notes %s", n)
	}
	if _, err := ProposeOf(records[1:3], ProposalOptions{Name: "t"}); !errors.Is(err, schema.ErrSample) || !strings.Contains(err.Error(), "record 1 of 2") {
		t.Errorf("%v", err)
	}
}
