package demo

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"hydrant/internal/config"
)

// Summary is the story in figures.
type Summary struct {
	Node    string `json:"node"`    // URL of the AWS APIs
	Metrics string `json:"metrics"` // URL of the metrics page
	Data    string `json:"data"`    // data directory
	Stream  string `json:"stream"`
	Bucket  string `json:"bucket"`
	// Accepted is what was put and answered with a RecordId.
	Accepted Figures `json:"accepted"`
	// Retried counts the records that were put again because the node told to slow down.
	Retried         int64   `json:"retried"`
	PutSeconds      float64 `json:"putSeconds"`
	DeliverySeconds float64 `json:"deliverySeconds"` // from the last put to the last delivery
	// Objects are those that were not there before, by key.
	Objects []Object `json:"objects"`
	// Ledger is the stream's whole life, earlier runs included.
	Ledger Ledger `json:"ledger"`
}

// Object is one delivered object.
type Object struct {
	Key     string `json:"key"`
	Size    int64  `json:"size"`    // bytes as stored
	Records int64  `json:"records"` // lines, decompressed
}

const (
	sampleLines  = 3  // of the first object that are shown
	maxRows      = 20 // of the table of objects
	shortenedTop = 12 // rows that are shown when there are more
)

// report shows what came out.
func (s *story) report() error {
	if s.opt.JSON {
		b, err := json.Marshal(s.sum, jsontext.Multiline(true))
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.opt.Out, "%s\n", b)
		return err
	}
	s.reportObjects()
	s.reportSample()
	l := s.sum.Ledger
	s.show.printf("\nThe ledger of stream %s: %s received = %s delivered + %s dropped + %s failed + %s discarded + %s pending\n",
		StreamName, thousands(l.Received.Records), thousands(l.Delivered.Records), thousands(l.Dropped.Records),
		thousands(l.Failed.Records), thousands(l.Discarded.Records), thousands(l.Pending.Records))
	s.reportNext()
	return nil
}

func (s *story) reportObjects() {
	rows := s.sum.Objects
	s.show.printf("\n%12s %12s  objects in s3://%s", "SIZE", "RECORDS", s.bucket)
	shown := rows
	if len(rows) > maxRows {
		shown = rows[:shortenedTop]
	}
	var bytes, records int64
	for _, o := range rows {
		bytes += o.Size
		records += o.Records
	}
	for _, o := range shown {
		s.show.printf("%12s %12s  %s", size(o.Size), thousands(o.Records), printable(o.Key))
	}
	if n := len(rows) - len(shown); n > 0 {
		s.show.printf("%12s %12s  and %s more", "…", "…", thousands(int64(n)))
	}
	s.show.printf("%12s %12s  in all, from %s of records", size(bytes), thousands(records), size(s.sum.Accepted.Bytes))
}

func (s *story) reportSample() {
	if len(s.sample) == 0 {
		return
	}
	s.show.printf("\nThe first of them begins with:")
	for _, line := range s.sample {
		s.show.printf("  %s", cut(printable(line), s.show.columns()-3))
	}
}

// reportNext says how to go on.
func (s *story) reportNext() {
	metrics := s.sum.Metrics
	if s.opt.Stay {
		s.show.printf("The node stays up until Ctrl-C. In another shell, in this folder:")
	} else {
		console := s.opt.Config.Console
		if strings.HasSuffix(console, ":0") {
			console = config.Defaults().Console
		}
		scheme, _, _ := strings.Cut(metrics, "://")
		metrics = scheme + "://" + console + "/metrics"
		s.show.printf("The node stops now. To explore what is there, in this folder:")
		s.show.printf("  %s &", s.opt.Serve)
	}
	key := "KEY"
	if len(s.sum.Objects) > 0 {
		key = s.sum.Objects[0].Key
	}
	unzip := ""
	if s.to.CompressionFormat == "GZIP" {
		unzip = "gunzip | "
	}
	env, s3 := "  "+s.opt.Env, "aws s3"
	e, other := s.opt.Config.Endpoints["s3"]
	if other { // its own credentials are in the environment until env replaces them
		s3 = "aws --endpoint-url " + e.URL + " s3"
	}
	if !other {
		s.show.printf("%s", env)
	}
	s.show.printf("  %s ls --recursive s3://%s", s3, s.bucket)
	s.show.printf("  %s cp s3://%s/%s - | %shead", s3, s.bucket, printable(key), unzip)
	if other {
		s.show.printf("%s", env)
	}
	s.show.printf("  aws firehose put-record --delivery-stream-name %s --record Data=aGVsbG8K", StreamName)
	s.show.printf("  curl %s", metrics)
}

// thousands writes a number with commas between its thousands.
func thousands(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// counted writes a number of things.
func counted(n int64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return thousands(n) + " " + thing + "s"
}

// size writes a number of bytes with a unit of 1,024s.
func size(n int64) string {
	const units = "KMGTPE"
	if n < 1<<10 {
		return strconv.FormatInt(n, 10) + " B"
	}
	f, i := float64(n)/1024, 0
	for f >= 1023.95 && i < len(units)-1 {
		f, i = f/1024, i+1
	}
	return fmt.Sprintf("%.1f %ciB", f, units[i])
}
