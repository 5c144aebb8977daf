package clients

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"hydrant/e2e/server"
)

// testTheSDKForGoIsRefused sends every refusal with the AWS SDK for Go. What its types
// cannot hold, such as null in a list, is sent by hand.
func testTheSDKForGoIsRefused(t *testing.T, w *world) {
	nodes := map[bool]*server.Server{false: w.server, true: w.full}
	for _, r := range refusals(w) {
		t.Run(r.Name, func(t *testing.T) {
			if r.Handmade {
				r.checkAnswer(t, w)
				return
			}
			r.checkError(t, operations(unchecked(nodes[r.Full]))[r.Operation](t.Context(), r.Input))
		})
	}
}

// unchecked is a client that leaves the judgement of requests to the server.
func unchecked(s *server.Server) *firehose.Client {
	return firehose.NewFromConfig(s.Config(), func(o *firehose.Options) {
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			const judge = "OperationInputValidation"
			if _, ok := stack.Initialize.Get(judge); !ok {
				return nil // the operation requires nothing
			}
			_, err := stack.Initialize.Remove(judge)
			return err
		})
	})
}

type operation func(context.Context, m) error

// operations are all that Firehose has, with the request as JSON.
func operations(c *firehose.Client) map[string]operation {
	return map[string]operation{
		"CreateDeliveryStream":          decoded(c.CreateDeliveryStream),
		"DeleteDeliveryStream":          decoded(c.DeleteDeliveryStream),
		"DescribeDeliveryStream":        decoded(c.DescribeDeliveryStream),
		"ListDeliveryStreams":           decoded(c.ListDeliveryStreams),
		"ListTagsForDeliveryStream":     decoded(c.ListTagsForDeliveryStream),
		"PutRecord":                     decoded(c.PutRecord),
		"PutRecordBatch":                decoded(c.PutRecordBatch),
		"StartDeliveryStreamEncryption": decoded(c.StartDeliveryStreamEncryption),
		"StopDeliveryStreamEncryption":  decoded(c.StopDeliveryStreamEncryption),
		"TagDeliveryStream":             decoded(c.TagDeliveryStream),
		"UntagDeliveryStream":           decoded(c.UntagDeliveryStream),
		"UpdateDestination":             decoded(c.UpdateDestination),
	}
}

// decoded makes the SDK's request out of JSON. A member that the SDK does not know is an
// error: it would be lost without a word.
func decoded[In, Out any](call func(context.Context, *In, ...func(*firehose.Options)) (*Out, error)) operation {
	return func(ctx context.Context, input m) error {
		text, err := json.Marshal(inBase64(input))
		if err != nil {
			return err
		}
		in := new(In)
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		if err := d.Decode(in); err != nil {
			return err
		}
		_, err = call(ctx, in)
		return err
	}
}

// inBase64 is a request with its blobs as JSON has them.
func inBase64(v any) any {
	switch v := v.(type) {
	case m:
		out := m{}
		for name, member := range v {
			if data, ok := member.(string); ok && name == "Data" {
				out[name] = base64.StdEncoding.EncodeToString([]byte(data))
			} else {
				out[name] = inBase64(member)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = inBase64(v[i])
		}
		return out
	}
	return v
}

// modelled are the errors that have a type of their own.
var modelled = map[string]func(error) bool{
	invalid:     is[*types.InvalidArgumentException],
	notFound:    is[*types.ResourceNotFoundException],
	inUse:       is[*types.ResourceInUseException],
	tooMany:     is[*types.LimitExceededException],
	conflict:    is[*types.ConcurrentModificationException],
	unavailable: is[*types.ServiceUnavailableException],
	badKey:      is[*types.InvalidKMSResourceException],
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// checkError holds an error of the SDK against what the refusal must be.
func (r refusal) checkError(t *testing.T, err error) {
	t.Helper()
	api, known := errors.AsType[smithy.APIError](err)
	response, answered := errors.AsType[*smithyhttp.ResponseError](err)
	if !known || !answered {
		t.Fatalf("got %v, want %s", err, r.Code)
	}
	if api.ErrorCode() != r.Code || api.ErrorMessage() != r.Message || response.HTTPStatusCode() != r.Status {
		t.Errorf("got %d %s %q\nwant %d %s %q", response.HTTPStatusCode(), api.ErrorCode(), api.ErrorMessage(), r.Status, r.Code, r.Message)
	}
	if is := modelled[r.Code]; is != nil && !is(err) {
		t.Errorf("%T is not the type of %s", err, r.Code)
	}
	if key, ok := errors.AsType[*types.InvalidKMSResourceException](err); ok && aws.ToString(key.Code) != r.Reason {
		t.Errorf("got reason %q, want %q", aws.ToString(key.Code), r.Reason)
	}
}

// checkAnswer sends the request by hand and holds the answer against the refusal.
func (r refusal) checkAnswer(t *testing.T, w *world) {
	t.Helper()
	status, answer := w.send(w.server, r.Operation, r.Input)
	var got struct {
		Code    string `json:"__type"`
		Message string `json:"message"`
	}
	if err := json.Unmarshal(answer, &got); err != nil {
		t.Fatalf("%v: %s", err, answer)
	}
	if got.Code != r.Code || got.Message != r.Message || status != r.Status {
		t.Errorf("got %d %s %q\nwant %d %s %q", status, got.Code, got.Message, r.Status, r.Code, r.Message)
	}
}
