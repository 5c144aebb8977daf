package conversion

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"
)

// wideTable are 20 columns of mixed types, as an event of a shop has them.
const wideTable = `event_id string, user_id bigint, session string, at timestamp, day date, kind string, page string, referrer string,
  ms int, status smallint, bytes bigint, price decimal(12,2), quantity int, ratio double, mobile boolean, country char(2),
  tags array<string>, attributes map<string,string>, device struct<os:string,version:string,width:int>, note string`

// load puts rows of the wide table of some 450 bytes, a record each, from several clients.
type load struct {
	t       *testing.T
	client  *firehose.Client
	streams []string
	bytes   atomic.Int64 // put so far
	rows    atomic.Int64
}

const (
	loaders = 4
	// batches are made before and put again and again: making them takes as long as putting
	// them. No codec and no row group looks back so far.
	batches = 80
)

// batch is the records of a call.
type batch struct {
	records []types.Record
	size    int64
}

func newBatch(r *rand.Rand) (b batch) {
	for range 500 {
		row := wideRow(r)
		b.records, b.size = append(b.records, types.Record{Data: row}), b.size+int64(len(row))
	}
	return b
}

// run returns when at least so many bytes were put into each stream.
func (l *load) run(most int64) {
	var all []batch
	for r := rand.New(rand.NewPCG(1, 1)); len(all) < batches; {
		all = append(all, newBatch(r))
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range loaders {
		wg.Go(func() {
			for l.bytes.Load() < most*int64(len(l.streams)) && !l.t.Failed() {
				b := all[int(next.Add(1))%batches]
				for _, name := range l.streams {
					l.put(name, b.records)
				}
				l.bytes.Add(b.size * int64(len(l.streams)))
				l.rows.Add(int64(len(b.records) * len(l.streams)))
			}
		})
	}
	wg.Wait()
}

// put puts records again and again until all of them were taken.
func (l *load) put(stream string, records []types.Record) {
	for len(records) > 0 && !l.t.Failed() {
		out, err := l.client.PutRecordBatch(l.t.Context(), &firehose.PutRecordBatchInput{DeliveryStreamName: &stream, Records: records})
		if err != nil {
			var slow *types.ServiceUnavailableException
			if !errors.As(err, &slow) {
				l.t.Errorf("put: %v", err)
			}
			time.Sleep(50 * time.Millisecond)
			continue
		}
		var refused []types.Record
		for i, answer := range out.RequestResponses {
			if answer.ErrorCode != nil {
				refused = append(refused, records[i])
			}
		}
		records = refused
	}
}

// wideRow is a document of the wide table; ids and texts repeat as those of real events do.
func wideRow(r *rand.Rand) []byte {
	pick := func(words string) string {
		all := strings.Fields(words)
		return all[r.IntN(len(all))]
	}
	return fmt.Appendf(nil, `{"event_id":"%016x","user_id":%d,"session":"s-%08x","at":"2026-01-%02dT%02d:%02d:%02d.%03dZ","day":"2026-01-%02d",`+
		`"kind":"%s","page":"/%s/%s/%d","referrer":"https://www.%s.example/","ms":%d,"status":%d,"bytes":%d,"price":%d.%02d,"quantity":%d,`+
		`"ratio":%.6f,"mobile":%t,"country":"%s","tags":["%s","%s"],"attributes":{"campaign":"%s","test":"%c"},`+
		`"device":{"os":"%s","version":"%d.%d","width":%d},"note":"%s %s"}`+"\n",
		r.Uint64(), r.IntN(5_000_000), r.Uint32(), 1+r.IntN(28), r.IntN(24), r.IntN(60), r.IntN(60), r.IntN(1000), 1+r.IntN(28),
		pick("view click buy search leave"), pick("shoes shirts hats bags"), pick("red green blue black white"), r.IntN(10_000), pick("search news shop mail"),
		r.IntN(2000), 200+r.IntN(4)*100, r.IntN(1<<20), r.IntN(500), r.IntN(100), 1+r.IntN(9),
		r.Float64(), r.IntN(2) == 0, pick("DE FR US JP BR"), pick("new sale top old"), pick("a b c d"), pick("spring summer autumn winter"), 'a'+rune(r.IntN(3)),
		pick("ios android linux windows"), r.IntN(20), r.IntN(9), 320+r.IntN(1600), pick("lorem ipsum dolor sit amet"), pick("consectetur adipiscing elit sed"))
}
