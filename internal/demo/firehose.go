package demo

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
)

// firehose is a client of the Firehose API (spec firehose.md sections 1 and 2).
type firehose struct {
	client
	url  string
	body []byte // of the last PutRecordBatch, used again; one goroutine puts
}

// call sends an operation and reads its answer into out, unless that is nil.
func (f *firehose) call(ctx context.Context, operation string, body []byte, out any) error {
	a, err := f.do(ctx, http.MethodPost, f.url, http.Header{
		"Content-Type": {"application/x-amz-json-1.1"},
		"X-Amz-Target": {"Firehose_20150804." + operation},
	}, body)
	if err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	answer, err := readAnswer(a)
	if err != nil {
		return fmt.Errorf("%s: read the answer: %w", operation, err)
	}
	if a.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %w", operation, jsonError(a.StatusCode, answer))
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("%s: understand the answer: %w", operation, err)
	}
	return nil
}

// jsonError reads an error in the JSON 1.1 form. An answer in another form keeps its status.
func jsonError(status int, body []byte) *apiError {
	var e struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &e, json.MatchCaseInsensitiveNames(true)) != nil {
		return &apiError{Status: status}
	}
	return &apiError{Status: status, Code: e.Type[strings.LastIndexByte(e.Type, '#')+1:], Message: e.Message}
}

// description is what the demo wants to know of a stream.
type description struct {
	Name         string        `json:"DeliveryStreamName"`
	Status       string        `json:"DeliveryStreamStatus"`
	Failure      *failure      `json:"FailureDescription"`
	Destinations []destination `json:"Destinations"`
}

type failure struct{ Type, Details string }

type destination struct {
	S3 s3Destination `json:"ExtendedS3DestinationDescription"`
}

type s3Destination struct {
	RoleARN           string
	BucketARN         string
	Prefix            string
	CompressionFormat string
	BufferingHints    bufferingHints
}

type bufferingHints struct {
	SizeInMBs         int
	IntervalInSeconds int
}

func (f *firehose) describe(ctx context.Context, name string) (description, error) {
	var out struct {
		Description description `json:"DeliveryStreamDescription"`
	}
	body, err := json.Marshal(map[string]string{"DeliveryStreamName": name})
	if err != nil {
		return description{}, err
	}
	err = f.call(ctx, "DescribeDeliveryStream", body, &out)
	return out.Description, err
}

func (f *firehose) create(ctx context.Context, name string, to s3Destination) error {
	body, err := json.Marshal(struct {
		Name string        `json:"DeliveryStreamName"`
		Type string        `json:"DeliveryStreamType"`
		S3   s3Destination `json:"ExtendedS3DestinationConfiguration"`
	}{name, "DirectPut", to})
	if err != nil {
		return err
	}
	return f.call(ctx, "CreateDeliveryStream", body, nil)
}

// refusal is one record of a batch that was not accepted.
type refusal struct {
	index   int
	code    string
	message string
}

// putRecordBatch puts records and returns which of them were refused.
func (f *firehose) putRecordBatch(ctx context.Context, name string, records [][]byte) ([]refusal, error) {
	b := append(f.body[:0], `{"DeliveryStreamName":`...)
	b = append(strconv.AppendQuote(b, name), `,"Records":[`...)
	for i, r := range records {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"Data":"`...)
		b = append(base64.StdEncoding.AppendEncode(b, r), `"}`...)
	}
	f.body = append(b, `]}`...)
	var out struct {
		FailedPutCount   int
		RequestResponses []struct{ RecordId, ErrorCode, ErrorMessage string }
	}
	if err := f.call(ctx, "PutRecordBatch", f.body, &out); err != nil {
		return nil, err
	}
	if len(out.RequestResponses) != len(records) {
		return nil, fmt.Errorf("PutRecordBatch: %d results for %d records", len(out.RequestResponses), len(records))
	}
	var refused []refusal
	for i, r := range out.RequestResponses {
		if r.ErrorCode != "" {
			refused = append(refused, refusal{i, r.ErrorCode, r.ErrorMessage})
		}
	}
	return refused, nil
}
