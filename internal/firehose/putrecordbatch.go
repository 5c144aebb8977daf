package firehose

import (
	"context"
	"strconv"

	"hydrant/internal/aws"
	"hydrant/internal/ingest"
	"hydrant/internal/record"
)

// putRecordBatch stores up to 500 records. A beginning of the batch may be stored and the
// rest refused, each with its own error, in 200 (spec section 2.9).
func (s *Service) putRecordBatch(ctx context.Context, c *aws.Call) error {
	p := newPut()
	defer p.free()
	d, err := s.store(ctx, c, p, batchPut)
	if err != nil {
		return err
	}
	c.Out = appendBatchAnswer(c.Out, &p.receipt, len(p.batch.Lengths), encryptedNow(d))
	return nil
}

// refusedEntry stands in RequestResponses for a record that there was no room for.
const refusedEntry = `{"ErrorCode":"` + serviceUnavailable + `","ErrorMessage":"` + slowDown + `"},`

// appendBatchAnswer writes PutRecordBatchOutput for a batch of n records: an entry each, in
// their order. Clients resend by position.
func appendBatchAnswer(out []byte, got *ingest.Receipt, n int, encrypted bool) []byte {
	accepted := got.Accepted()
	out = append(out, `{"FailedPutCount":`...)
	out = strconv.AppendInt(out, int64(n-accepted), 10)
	out = strconv.AppendBool(append(out, `,"Encrypted":`...), encrypted)
	out = append(out, `,"RequestResponses":[`...)
	for _, run := range got.Runs {
		ids := record.NewIDs(got.Queue, run.First.Entry)
		for i := range uint32(run.Records) {
			out = append(out, `{"RecordId":"`...)
			out = ids.Append(out, run.First.Index+i)
			out = append(out, `"},`...)
		}
	}
	for range n - accepted {
		out = append(out, refusedEntry...)
	}
	out[len(out)-1] = ']' // in place of the last comma
	return append(out, '}')
}
