package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/go-json-experiment/json"

	"hydrant/e2e/load/sigv4"
)

const (
	streamName = "bench"
	bucketName = "bench"
)

// A node is a running hydrant, as node or as the store of another.
type node struct {
	*process `json:"-"`
	Listen   string `json:"listen"`
	Console  string `json:"console"`
	Region   string `json:"region"`
	keys     `json:"-"`
}

// keys are credentials, as in the node's file.
type keys struct {
	AccessKey string `json:"accessKeyId"`
	Secret    string `json:"secretAccessKey"`
}

// env is how the keys are handed to other programs.
func (k keys) env() []string {
	return []string{"AWS_ACCESS_KEY_ID=" + k.AccessKey, "AWS_SECRET_ACCESS_KEY=" + k.Secret}
}

// startNode starts a hydrant in a folder of the run. With a store, it delivers there.
func (b *bench) startNode(ctx context.Context, name string, store *node, env ...string) (*node, error) {
	dir, err := b.folder(name)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	args := []string{"serve", "--data", data, "--listen", "127.0.0.1:0", "--console", "127.0.0.1:0"}
	if store != nil {
		args = append(args, "--endpoint", "s3=http://"+store.Listen)
		env = append(env, store.env()...)
	}
	n := &node{}
	if n.process, err = startProcess(ctx, name, dir, env, filepath.Join(b.bin, "hydrant"), args...); err != nil {
		return nil, err
	}
	if err := readJSON(filepath.Join(data, "node.json"), n); err != nil {
		return nil, err
	}
	return n, readJSON(filepath.Join(data, "credentials.json"), &n.keys)
}

func readJSON(path string, into any) error {
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return nil
}

// createBucket makes the bucket that objects go to.
func (n *node) createBucket(ctx context.Context) error {
	client := s3.New(s3.Options{
		BaseEndpoint: aws.String("http://" + n.Listen), Region: n.Region, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(n.AccessKey, n.Secret, ""),
	})
	if _, err := client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(bucketName)}); err != nil {
		return fmt.Errorf("creating the bucket: %w", err)
	}
	return nil
}

// createStream makes the stream and waits until it takes records.
func (n *node) createStream(ctx context.Context, interval int) error {
	create := fmt.Sprintf(`{"DeliveryStreamName":%q,"DeliveryStreamType":"DirectPut","ExtendedS3DestinationConfiguration":{`+
		`"RoleARN":"arn:aws:iam::000000000000:role/bench","BucketARN":"arn:aws:s3:::%s","CompressionFormat":"GZIP",`+
		`"BufferingHints":{"SizeInMBs":5,"IntervalInSeconds":%d}}}`, streamName, bucketName, interval)
	if _, err := n.call(ctx, "CreateDeliveryStream", create); err != nil {
		return err
	}
	for {
		text, err := n.call(ctx, "DescribeDeliveryStream", fmt.Sprintf(`{"DeliveryStreamName":%q}`, streamName))
		if err != nil {
			return err
		}
		var answer struct {
			DeliveryStreamDescription struct{ DeliveryStreamStatus string }
		}
		if err := json.Unmarshal(text, &answer); err != nil {
			return fmt.Errorf("DescribeDeliveryStream: %w", err)
		}
		switch status := answer.DeliveryStreamDescription.DeliveryStreamStatus; status {
		case "ACTIVE":
			return nil
		case "CREATING":
			if err := pause(ctx, 50*time.Millisecond); err != nil {
				return err
			}
		default:
			return fmt.Errorf("the stream became %s", status)
		}
	}
}

// call makes one signed request of the Firehose API.
func (n *node) call(ctx context.Context, operation, body string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+n.Listen+"/", strings.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", operation, err)
	}
	date, target := sigv4.Date(time.Now()), "Firehose_20150804."+operation
	signer := sigv4.New(n.AccessKey, n.Secret, n.Region, "firehose")
	r.Header.Set("Content-Type", sigv4.ContentType)
	r.Header.Set("X-Amz-Date", date)
	r.Header.Set("X-Amz-Target", target)
	r.Header.Set("Authorization", string(signer.Authorization(nil, date, r.Host, target, sha256.Sum256([]byte(body)))))
	return fetch(operation, r)
}

// fetch makes a request and returns the body of an answer that went well.
func fetch(what string, r *http.Request) ([]byte, error) {
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s: %s", what, answer.Status, text)
	}
	return text, nil
}

// metrics is a metrics page: values by series, labels included.
type metrics map[string]float64

func (n *node) metrics(ctx context.Context) (metrics, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.Console+"/metrics", nil)
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	text, err := fetch("metrics", r)
	if err != nil {
		return nil, err
	}
	return parseMetrics(string(text)), nil
}

// parseMetrics reads the lines of Prometheus' text format; those of other forms are no values.
func parseMetrics(text string) metrics {
	m := metrics{}
	for line := range strings.Lines(text) {
		at := strings.LastIndexByte(strings.TrimSpace(line), ' ')
		if line[0] == '#' || at < 0 {
			continue
		}
		if v, err := strconv.ParseFloat(strings.TrimSpace(line[at:]), 64); err == nil {
			m[line[:at]] = v
		}
	}
	return m
}

// sum adds up the series of a name that carry all the labels, each as name="value".
func (m metrics) sum(name string, labels ...string) float64 {
	var total float64
series:
	for series, v := range m {
		base, rest, _ := strings.Cut(series, "{")
		if base != name {
			continue
		}
		for _, label := range labels {
			if !strings.Contains(rest, label) {
				continue series
			}
		}
		total += v
	}
	return total
}

// delivered waits until the stream has received so many records and holds none of them any more.
func (n *node) delivered(ctx context.Context, records int64) error {
	stream := `stream="` + streamName + `"`
	for {
		m, err := n.metrics(ctx)
		if err != nil {
			return err
		}
		received := m.sum("hydrant_records_total", stream, `outcome="received"`)
		done := m.sum("hydrant_records_total", stream, `outcome="delivered"`)
		switch {
		case received < float64(records):
			return fmt.Errorf("%d records were acknowledged and %.0f counted", records, received)
		case done == received && m.sum("hydrant_pending_records", stream) == 0:
			return nil
		}
		if err := pause(ctx, 500*time.Millisecond); err != nil {
			return fmt.Errorf("%.0f of %.0f records delivered: %w", done, received, err)
		}
	}
}

// pause waits, or returns why it may not.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
