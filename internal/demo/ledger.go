package demo

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Figures are a number of records and of their bytes, before compression.
type Figures struct {
	Records int64 `json:"records"`
	Bytes   int64 `json:"bytes"`
}

// Ledger accounts for every record that the stream was ever given:
//
//	received = delivered + dropped + failed + discarded + pending
type Ledger struct {
	Received  Figures `json:"received"`
	Delivered Figures `json:"delivered"`
	Dropped   Figures `json:"dropped"`
	Failed    Figures `json:"failed"`
	Discarded Figures `json:"discarded"`
	Pending   Figures `json:"pending"`

	failures int64 // of delivery, in a row
}

// page is the metrics page of a node.
type page struct {
	http *http.Client
	url  string
}

// ledger reads the ledger of a stream. One that the page does not know has nothing in it.
func (p page) ledger(ctx context.Context, stream string) (Ledger, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url, nil)
	if err != nil {
		return Ledger{}, err
	}
	a, err := p.http.Do(r)
	if err != nil {
		return Ledger{}, fmt.Errorf("read the metrics: %w", err)
	}
	body, err := readAnswer(a)
	if err != nil {
		return Ledger{}, fmt.Errorf("read the metrics: %w", err)
	}
	if a.StatusCode != http.StatusOK {
		return Ledger{}, fmt.Errorf("read the metrics: HTTP status %d", a.StatusCode)
	}
	return parseLedger(body, stream)
}

// parseLedger finds a stream's figures in a page of the Prometheus text format.
func parseLedger(body []byte, stream string) (Ledger, error) {
	var l Ledger
	places := l.places()
	in := bufio.NewScanner(bytes.NewReader(body))
	in.Buffer(nil, maxAnswer)
	for in.Scan() {
		name, labels, value, ok := sample(in.Text())
		if !ok || labels["stream"] != stream {
			continue
		}
		place := places[name+" "+labels["outcome"]]
		if place == nil {
			continue
		}
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return Ledger{}, fmt.Errorf("read the metrics: %s: %w", name, err)
		}
		*place = int64(v)
	}
	return l, in.Err()
}

// places says where the value of which metric goes.
func (l *Ledger) places() map[string]*int64 {
	m := map[string]*int64{
		"hydrant_pending_records ":            &l.Pending.Records,
		"hydrant_pending_bytes ":              &l.Pending.Bytes,
		"hydrant_delivery_failures_in_a_row ": &l.failures,
	}
	for outcome, f := range map[string]*Figures{
		"received": &l.Received, "delivered": &l.Delivered, "dropped": &l.Dropped,
		"failed": &l.Failed, "discarded": &l.Discarded,
	} {
		m["hydrant_records_total "+outcome] = &f.Records
		m["hydrant_record_bytes_total "+outcome] = &f.Bytes
	}
	return m
}

// sample takes a line of the Prometheus text format apart. It is false for comments and for
// samples without labels. (Names of streams need no escapes.)
func sample(line string) (name string, labels map[string]string, value string, ok bool) {
	name, rest, ok := strings.Cut(line, "{")
	if !ok || strings.HasPrefix(name, "#") {
		return "", nil, "", false
	}
	pairs, value, ok := strings.Cut(rest, "} ")
	labels = map[string]string{}
	for pair := range strings.SplitSeq(pairs, ",") {
		if key, quoted, found := strings.Cut(pair, "="); found {
			labels[key] = strings.Trim(quoted, `"`)
		}
	}
	return name, labels, value, ok
}
