package lambda

import (
	"encoding/base64"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"hydrant/internal/record"
)

// aroundRecord is what stands around a record's id and data in a request, at most.
const aroundRecord = 96

// tooLarge is why a record fails that no request can hold. Firehose knows no such records: here
// they may come out of decompression.
var tooLarge = words{"Lambda.FunctionError", "The record is too large for a request to the Lambda function, which may have 6 MiB with the data in base64."}

// sizeOf is what an item takes in a request, bytes, at most.
func sizeOf(i *record.Item) int {
	return base64.StdEncoding.EncodedLen(len(i.Data)) + len(i.ID) + aroundRecord
}

// fits says whether a request can hold an item. If not, the item fails: no further attempt
// could make it smaller.
func (p *Processor) fits(i *record.Item) bool {
	if sizeOf(i) <= maxPayload {
		return true
	}
	i.Failure = p.failure(tooLarge, 1, p.opt.Now())
	return false
}

// fitting is how many of the items, each of which fits, one request takes.
func fitting(items []*record.Item) int {
	size := 0
	for n, i := range items {
		if size += sizeOf(i); size > maxPayload {
			return n
		}
	}
	return len(items)
}

// request is the body of an invocation (spec section 5.3).
func (p *Processor) request(items []*record.Item) []byte {
	size := 512
	for _, i := range items {
		size += sizeOf(i)
	}
	b := make([]byte, 0, size)
	b = append(b, `{"invocationId":"`...)
	b = append(b, newInvocation()...)
	b = append(b, `","deliveryStreamArn":`...)
	b = appendQuoted(b, p.opt.Stream)
	b = append(b, `,"region":`...)
	b = appendQuoted(b, p.opt.Region)
	b = append(b, `,"records":[`...)
	for n, i := range items {
		if n > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"recordId":`...)
		b = appendQuoted(b, i.ID)
		b = append(b, `,"approximateArrivalTimestamp":`...)
		b = strconv.AppendInt(b, i.Arrival.UnixMilli(), 10)
		b = append(b, `,"data":"`...)
		b = base64.StdEncoding.AppendEncode(b, i.Data)
		b = append(b, `"}`...)
	}
	return append(b, `]}`...)
}

// appendQuoted appends a JSON string. What is no UTF-8 cannot be in ids, ARNs and regions.
func appendQuoted(b []byte, s string) []byte {
	out, err := jsontext.AppendQuote(b, s)
	if err != nil {
		return append(b, `""`...)
	}
	return out
}

// take makes of an answer what becomes of each item (spec section 5.5).
func (p *Processor) take(items []*record.Item, body []byte, attempt int) {
	a, ok := parse(body)
	switch {
	case !ok:
		p.fail(items, badAnswer, attempt)
		return
	case len(a.Records) == 0:
		p.fail(items, missingID, attempt)
		return
	}
	found := make(map[string]*outcome, len(a.Records))
	twice := map[string]bool{}
	for i := range a.Records {
		o := &a.Records[i]
		twice[o.ID] = twice[o.ID] || found[o.ID] != nil
		found[o.ID] = o
	}
	now := p.opt.Now()
	for _, i := range items {
		o := found[i.ID]
		switch {
		case o == nil:
			i.Failure = p.failure(missingID, attempt, now)
		case twice[i.ID]:
			i.Failure = p.failure(duplicateID, attempt, now)
		case o.Result == "Dropped":
			i.Dropped = true
		case o.Result == "ProcessingFailed":
			i.Failure = p.failure(failedStatus, attempt, now)
		case o.data == nil:
			i.Failure = p.failure(noData, attempt, now)
		default:
			i.Data, i.Keys = o.data, o.keys()
		}
	}
}
