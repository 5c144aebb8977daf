package blueprint

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"hydrant/internal/record"
)

// workload is a batch of records as a blueprint likes them: no two alike, and none fails.
func workload(t testing.TB, b Blueprint) [][]byte {
	t.Helper()
	var records [][]byte
	for i := range 500 {
		var line string
		switch {
		case b.Example.Gzipped:
			events := make([]string, 40)
			for j := range events {
				events[j] = fmt.Sprintf(`{"id":"319531066069669833788090250798042111432896154242982%05d","timestamp":%d,"message":"%s"}`,
					j, 1432826855000+i, `2024-04-05T06:07:08Z INFO request served path=\"/api/v1/orders/`+fmt.Sprint(i*j)+`\" status=200 bytes=5120`)
			}
			if i%25 > 0 {
				continue // some documents are enough
			}
			records = append(records, gz(t, `{"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":"/app","logStream":"s1","subscriptionFilters":["f1"],"logEvents":[`+
				strings.Join(events, ",")+"]}"))
			continue
		case logOf(b.Name) == "access.log":
			line = fmt.Sprintf(`192.0.2.%d - - [17/May/2015:10:%02d:03 +0200] "GET /presentations/%d/images/kibana-search.png HTTP/1.1" 200 %d `+
				`"http://example.com/presentations/logstash-monitorama-2013/" "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_9_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/32.0.1700.77 Safari/537.36"`+"\n",
				i%256, i%60, i, i*407)
		case strings.HasPrefix(b.Name, "hydrant"):
			line = fmt.Sprintf(`<165>1 2003-10-11T22:14:15.%03dZ mymachine.example.com evntslog %d ID47 [exampleSDID@32473 iut="3" eventSource="Application" eventID="%d"] An application event log entry of usual length`+"\n",
				i, i, 1000+i)
		default:
			line = fmt.Sprintf("Oct 10 02:04:13 web-%02d postfix/smtpd[%d]: connect from mail.example.com[192.0.2.%d], as real lines say\n", i%100, 9000+i, i%256)
		}
		records = append(records, []byte(line))
	}
	return records
}

// processorTime is what this process has had of the processors, which tells how much one core
// could do even when others keep it busy.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkProcess reports the bytes of input, of documents for CloudWatch Logs, that a core
// does in a second of its time, with the collector's share, and the allocations of a batch.
func BenchmarkProcess(b *testing.B) {
	for _, print := range All() {
		b.Run(print.Name, func(b *testing.B) {
			p := processor(b, print.Name)
			records := workload(b, print)
			size := 0
			for _, r := range records {
				if out, result, reason := print.Transform(nil, r); result != Ok || len(out) == 0 {
					b.Fatal(reason)
				}
				if size += len(r); print.Example.Gzipped {
					o := new(opener)
					if reason := o.open(r); reason != "" {
						b.Fatal(reason)
					}
					size += len(o.document) - len(r)
				}
			}
			items := make([]record.Item, len(records))
			b.ReportAllocs()
			start := processorTime(b)
			for b.Loop() {
				for i := range items {
					items[i] = record.Item{Data: records[i]}
				}
				if _, err := p.Process(context.Background(), items); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(size)/1e6*float64(b.N)/(processorTime(b)-start).Seconds(), "MB/core-s")
		})
	}
}
