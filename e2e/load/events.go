package main

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strconv"
)

// Limits of the Firehose API, in bytes before base64.
const (
	maxSize     = 1_024_000      // one record
	maxBatch    = 4 << 20        // the records of one PutRecordBatch
	largestSize = maxBatch / 500 // records that fill the largest batch
	minSize     = 400            // the fields of an event alone
)

// An event starts with its id, at a multiple of three bytes and as long as one, so that in
// base64 the id is a run of whole groups and can be replaced without touching the rest.
const (
	eventStart = `{"uuid":"`
	idLength   = 21 // LABEL-CONNECTION-SEQUENCE: 5, 4 and 10 characters
	idAt       = len(eventStart)
	idBase64At = idAt / 3 * 4
	idBase64   = idLength / 3 * 4
)

// appendID appends the id of a connection's record.
func appendID(dst []byte, label string, connection, sequence int) []byte {
	dst = append(append(dst, label...), '-')
	dst = append(appendDigits(dst, connection, 4), '-')
	return appendDigits(dst, sequence, 10)
}

func appendDigits(dst []byte, n, width int) []byte {
	start := len(dst)
	for range width {
		dst = append(dst, '0')
	}
	for i := start + width - 1; i >= start && n > 0; i-- {
		dst[i] = byte('0' + n%10)
		n /= 10
	}
	return dst
}

// The words of events are few and their numbers many, as in the click streams that people
// send: gzip at level 1 makes them three to five times smaller.
var (
	agents = []string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.1 Safari/605.1.15",
		"Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
		"ShopApp/8.4.1 (iPhone; iOS 18.1; Scale/3.00)",
	}
	pages     = []string{"/product", "/search", "/basket", "/account/orders", "/help/returns"}
	actions   = []string{"view", "click", "add_to_cart", "purchase", "scroll"}
	countries = []string{"DE", "US", "JP", "BR", "IN", "FR", "NG"}
	words     = []string{"blue", "cotton", "summer", "large", "sale", "wireless", "garden", "kitchen", "travel", "classic", "mini", "pro"}
)

// appendEvent appends one event of exactly size bytes, a line of JSON.
func appendEvent(dst []byte, r *rand.Rand, size int) []byte {
	start := len(dst)
	dst = append(dst, eventStart...)
	dst = appendID(dst, "00000", r.IntN(10000), r.IntN(1<<31))
	dst = fmt.Appendf(dst, `","ts":"2026-01-15T10:%02d:%02d.%03dZ","user_id":%d,"session":"%08x","action":"%s",`,
		r.IntN(60), r.IntN(60), r.IntN(1000), 100000+r.IntN(900000), r.Uint32(), pick(r, actions))
	dst = fmt.Appendf(dst, `"url":"https://shop.example.com%s/%d?ref=%s","agent":"%s",`,
		pick(r, pages), r.IntN(100000), pick(r, words), pick(r, agents))
	dst = fmt.Appendf(dst, `"geo":{"country":"%s","lat":%.4f,"lon":%.4f},"price":%.2f,"load_ms":%d,"text":"`,
		pick(r, countries), r.Float64()*180-90, r.Float64()*360-180, r.Float64()*500, r.IntN(3000))
	const end = "\"}\n"
	for room := size - len(end) - (len(dst) - start); room > 0; room = size - len(end) - (len(dst) - start) {
		word := pick(r, words) + " "
		dst = append(dst, word[:min(len(word), room)]...)
	}
	return append(dst, end...)
}

func pick(r *rand.Rand, from []string) string { return from[r.IntN(len(from))] }

// A template is the body of a put from behind the stream's name on.
type template struct {
	tail []byte
	ids  []int // where the ids of the records start in tail, in base64
}

// newTemplate makes the body of a put with n records of the given size; one record makes
// a PutRecord.
func newTemplate(r *rand.Rand, n, size int) template {
	t := template{tail: make([]byte, 0, n*(base64.StdEncoding.EncodedLen(size)+12)+32)}
	if n == 1 {
		t.tail = append(t.tail, `"Record":`...)
	} else {
		t.tail = append(t.tail, `"Records":[`...)
	}
	event := make([]byte, 0, size)
	for i := range n {
		if i > 0 {
			t.tail = append(t.tail, ',')
		}
		event = appendEvent(event[:0], r, size)
		t.tail = append(t.tail, `{"Data":"`...)
		t.ids = append(t.ids, len(t.tail)+idBase64At)
		t.tail = base64.StdEncoding.AppendEncode(t.tail, event)
		t.tail = append(t.tail, `"}`...)
	}
	if n > 1 {
		t.tail = append(t.tail, ']')
	}
	t.tail = append(t.tail, '}')
	return t
}

// stamp gives the records of the body their ids, counting from the sequence given.
func (t template) stamp(label string, connection, sequence int) {
	var id [idLength]byte
	for i, at := range t.ids {
		base64.StdEncoding.Encode(t.tail[at:at+idBase64], appendID(id[:0], label, connection, sequence+i))
	}
}

// streamHead is the body up to the template: the opening brace and the stream's name.
func streamHead(name string) []byte {
	return []byte(`{"DeliveryStreamName":` + strconv.Quote(name) + `,`)
}
