package node

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/go-json-experiment/json"

	"hydrant/internal/config"
	"hydrant/internal/dest/s3/s3fake"
	"hydrant/internal/operate"
	"hydrant/internal/record"
)

// farm is a Lambda elsewhere with one function, f, which is called with the data of each
// record and says what becomes of it.
type farm struct {
	t     *testing.T
	mu    sync.Mutex
	calls int
	f     func(data string) (result, out string)
	fault func(call int) (status int, header http.Header, body string)
}

const functionARN = "arn:aws:lambda:us-east-1:000000000000:function:f"

func (f *farm) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	if strings.HasSuffix(r.URL.Path, ":function:mistyped/invocations") {
		return &http.Response{
			StatusCode: 404, Header: http.Header{"X-Amzn-Errortype": {"ResourceNotFoundException"}},
			Body: io.NopCloser(strings.NewReader(`{"Type":"User","Message":"Function not found"}`)),
		}, nil
	}
	if r.URL.Path != "/2015-03-31/functions/"+functionARN+"/invocations" || !strings.Contains(r.Header.Get("Authorization"), "/us-east-1/lambda/aws4_request") {
		f.t.Errorf("%s %s", r.URL, r.Header)
	}
	if f.fault != nil {
		if status, header, body := f.fault(f.calls); status != 0 {
			return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body))}, nil
		}
	}
	var in struct {
		Records []struct {
			ID   string `json:"recordId"`
			Data []byte `json:"data"`
		} `json:"records"`
	}
	if err := json.UnmarshalRead(r.Body, &in); err != nil {
		f.t.Error(err)
	}
	var out []string
	for _, record := range in.Records {
		result, data := f.f(string(record.Data))
		out = append(out, fmt.Sprintf(`{"recordId":%q,"result":%q,"data":%q}`, record.ID, result, base64.StdEncoding.EncodeToString([]byte(data))))
	}
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"records":[` + strings.Join(out, ",") + `]}`))}, nil
}

// plant is a node whose functions are a farm's.
type plant struct {
	pair
	farm *farm
}

func newPlant(t *testing.T, f func(data string) (result, out string)) *plant {
	p := &plant{pair: pair{t: t, store: s3fake.New(pairBucket), disk: vfs.NewMem(), config: testConfig(t)}, farm: &farm{t: t, f: f}}
	p.config.Endpoints = map[string]config.Endpoint{
		"lambda": {URL: "http://functions", AccessKey: "AKIAFARM", SecretKey: "not to be told"},
		"s3":     {URL: "http://store", AccessKey: "AKIAFARM", SecretKey: "not to be told"},
	}
	p.must(p.config.Validate())
	p.start()
	t.Cleanup(func() { p.end() })
	return p
}

func (p *plant) start() {
	n, err := Open(p.t.Context(), Options{
		Config: p.config, Version: "test", Logger: slog.New(slog.DiscardHandler), JournalFS: p.disk,
		StoreTransport: p.store.Transport(), RemoteTransport: p.farm,
	})
	p.must(err)
	p.Node = n
	ctx, stop := context.WithCancel(context.WithoutCancel(p.t.Context()))
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	p.end = func() {
		stop()
		if err := errors.Join(<-done, n.Close()); err != nil {
			p.t.Error(err)
		}
	}
}

// stream makes a stream that the function processes.
func (p *plant) stream(more object) {
	p.t.Helper()
	destination := object{
		"RoleARN": "arn:aws:iam::000000000000:role/r", "BucketARN": "arn:aws:s3:::" + pairBucket, "Prefix": "main/",
		"BufferingHints": object{"IntervalInSeconds": 5, "SizeInMBs": 1},
		"ProcessingConfiguration": object{"Enabled": true, "Processors": []object{{"Type": "Lambda", "Parameters": []object{
			{"ParameterName": "LambdaArn", "ParameterValue": functionARN},
			{"ParameterName": "BufferSizeInMBs", "ParameterValue": "1"}, {"ParameterName": "BufferIntervalInSeconds", "ParameterValue": "1"},
		}}}},
	}
	for k, v := range more {
		destination[k] = v
	}
	p.must(p.firehose("CreateDeliveryStream", object{"DeliveryStreamName": "s", "ExtendedS3DestinationConfiguration": destination}, nil))
	time.Sleep(time.Second)
	synctest.Wait()
}

// operator is a client of the operators' API.
func (p *plant) operator() *operate.Client {
	root := p.credentials.Root()
	return operate.NewClient(operate.ClientOptions{
		Endpoint: "http://hydrant", Region: p.config.Region, AccessKeyID: root.AccessKeyID, Secret: root.Secret,
		HTTP: &http.Client{Transport: &wire{to: p.Node}},
	})
}

// under returns the objects under a prefix, one after the other.
func (p *plant) under(prefix string) string {
	var all bytes.Buffer
	for _, o := range p.store.Objects(pairBucket) {
		if strings.HasPrefix(o.Key, prefix) {
			all.Write(o.Body)
		}
	}
	return all.String()
}

func TestAFunctionTransformsAStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlant(t, func(data string) (string, string) {
			switch data {
			case "drop\n":
				return "Dropped", ""
			case "fail\n":
				return "ProcessingFailed", ""
			}
			return "Ok", strings.ToUpper(data)
		})
		p.stream(object{"S3BackupMode": "Enabled", "S3BackupConfiguration": object{
			"RoleARN": "arn:aws:iam::000000000000:role/r", "BucketARN": "arn:aws:s3:::" + pairBucket, "Prefix": "raw/",
			"BufferingHints": object{"IntervalInSeconds": 60, "SizeInMBs": 1},
		}})
		for _, data := range []string{"a\n", "drop\n", "b\n", "fail\n", "c\n"} {
			p.must(p.put("s", data))
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if got := p.under("main/2"); got != "A\nB\nC\n" {
			t.Errorf("delivered %q", got)
		}
		if got := p.under("raw/"); got != "a\ndrop\nb\nfail\nc\n" {
			t.Errorf("backed up %q", got)
		}
		failed := p.under("main/processing-failed/")
		if !strings.HasPrefix(failed, `{"rawData":"ZmFpbAo=","errorCode":"Lambda.ProcessingFailedStatus","errorMessage":"ProcessingFailed status set for record","attemptsMade":1,`) ||
			strings.Count(failed, "\n") != 1 || !strings.HasSuffix(failed, `,"lambdaARN":"`+functionARN+"\"}\n") {
			t.Errorf("failure records %s", failed)
		}
		l := p.delivery.Statuses(t.Context())[0].Ledger
		if l.Received.Records != 5 || l.Delivered.Records != 3 || l.Dropped.Records != 1 || l.Failed.Records != 1 || l.Pending.Records != 0 {
			t.Errorf("ledger %+v", l)
		}
	})
}

// A function whose name is a blueprint's runs in the node: the Lambda elsewhere is not asked.
func TestABlueprintTransformsAStream(t *testing.T) {
	const arn = "arn:aws:lambda:us-east-1:000000000000:function:kinesis-firehose-apachelog-to-csv"
	synctest.Test(t, func(t *testing.T) {
		p := newPlant(t, nil)
		p.stream(object{"ProcessingConfiguration": object{"Enabled": true, "Processors": []object{
			{"Type": "Lambda", "Parameters": []object{{"ParameterName": "LambdaArn", "ParameterValue": arn}}},
		}}})
		for _, line := range []string{
			`192.0.2.7 - frank [10/Oct/2000:13:55:36 -0700] "GET /a.gif HTTP/1.0" 200 2326` + "\n",
			"no access log\n",
			`192.0.2.8 - - [10/Oct/2000:13:55:37 -0700] "GET /b.gif HTTP/1.0" 404 0` + "\n",
		} {
			p.must(p.put("s", line))
		}
		time.Sleep(20 * time.Second) // a function's batches would wait a minute
		synctest.Wait()
		if got := p.under("main/2"); got != "192.0.2.7,-,frank,10/Oct/2000:13:55:36 -0700,GET /a.gif HTTP/1.0,200,2326\n"+
			"192.0.2.8,-,-,10/Oct/2000:13:55:37 -0700,GET /b.gif HTTP/1.0,404,0\n" {
			t.Errorf("delivered %q", got)
		}
		time.Sleep(10 * time.Minute) // failure records have a buffer of their own
		synctest.Wait()
		failed := p.under("main/processing-failed/")
		if !strings.HasPrefix(failed, `{"rawData":"bm8gYWNjZXNzIGxvZwo=","errorCode":"Lambda.ProcessingFailedStatus","errorMessage":"ProcessingFailed status set for record","attemptsMade":1,`) ||
			strings.Count(failed, "\n") != 1 || !strings.HasSuffix(failed, `,"lambdaARN":"`+arn+"\"}\n") {
			t.Errorf("failure records %s", failed)
		}
		if p.farm.calls > 0 {
			t.Errorf("the Lambda elsewhere was called %d times", p.farm.calls)
		}
	})
}

// What would become of records is told without storing them, for a stream that is there and
// for one that is proposed.
func TestRecordsAreTriedWithoutBeingDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlant(t, func(data string) (string, string) {
			switch data {
			case "drop":
				return "Dropped", ""
			case "fail":
				return "ProcessingFailed", ""
			}
			return "Ok", strings.ToUpper(data)
		})
		p.stream(nil)
		client := p.operator()
		proposed := `{"DeliveryStreamName":"p","ExtendedS3DestinationConfiguration":{"RoleARN":"arn:aws:iam::000000000000:role/r","BucketARN":"arn:aws:s3:::elsewhere",` +
			`"ProcessingConfiguration":{"Enabled":true,"Processors":[{"Type":"Lambda","Parameters":[{"ParameterName":"LambdaArn","ParameterValue":"` + functionARN + `"}]}]}}}`
		for bucket, configuration := range map[string][]byte{pairBucket: nil, "elsewhere": []byte(proposed)} {
			fates, err := client.Try(t.Context(), "s", configuration, [][]byte{[]byte("a"), []byte("drop"), []byte("fail")})
			p.must(err)
			if len(fates) != 3 || string(fates[0].Data) != "A" || fates[0].Result != operate.Delivered || fates[0].Bucket != bucket ||
				fates[1].Result != operate.Dropped || fates[2].Code != "Lambda.ProcessingFailedStatus" || !strings.Contains(fates[2].Key, "processing-failed/2000/") {
				t.Errorf("%s: %+v", bucket, fates)
			}
		}
		if _, err := client.Try(t.Context(), "", []byte(`{"DeliveryStreamName":"p"}`), [][]byte{{}}); err == nil || !strings.Contains(err.Error(), "Exactly one destination") {
			t.Errorf("%v", err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if l := p.delivery.Statuses(t.Context())[0].Ledger; l.Received.Records != 0 || p.under("") != "" {
			t.Errorf("ledger %+v", l)
		}
	})
}

// What CloudWatch Logs sends is opened, and what it did not send has an error output of its own.
func TestRecordsOfCloudWatchLogsAreOpened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlant(t, nil)
		p.stream(object{"ProcessingConfiguration": object{"Enabled": true, "Processors": []object{
			{"Type": "Decompression", "Parameters": []object{{"ParameterName": "CompressionFormat", "ParameterValue": "GZIP"}}},
			{"Type": "CloudWatchLogProcessing", "Parameters": []object{{"ParameterName": "DataMessageExtraction", "ParameterValue": "true"}}},
		}}})
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, err := z.Write([]byte(`{"messageType":"DATA_MESSAGE","owner":"0","logGroup":"g","logStream":"s","subscriptionFilters":["f"],` +
			`"logEvents":[{"id":"1","timestamp":1,"message":"line 1"},{"id":"2","timestamp":2,"message":"line 2"}]}`))
		p.must(errors.Join(err, z.Close()))
		p.must(p.put("s", b.String()))
		p.must(p.put("s", "plain"))
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := p.under("main/2"); got != "line 1\nline 2\n" {
			t.Errorf("delivered %q", got)
		}
		if got := p.under("main/decompression-failed/"); !strings.Contains(got, `"errorCode":"Decompression failed."`) || !strings.HasSuffix(got, `"rawData":"cGxhaW4="}`+"\n") {
			t.Errorf("failure records %s", got)
		}
	})
}

// An LF stands between the records of an object, alone or behind a function, and not in the
// backup.
func TestADelimiterStandsBetweenRecords(t *testing.T) {
	delimiter := object{"Type": "AppendDelimiterToRecord", "Parameters": []object{}}
	lambda := object{"Type": "Lambda", "Parameters": []object{{"ParameterName": "LambdaArn", "ParameterValue": functionARN}}}
	for want, processors := range map[string][]object{"a\nb\nc": {delimiter}, "A\nB\nC": {delimiter, lambda}} {
		for _, compression := range []string{"UNCOMPRESSED", "GZIP"} {
			t.Run(fmt.Sprintf("%q %s", want, compression), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p := newPlant(t, func(data string) (string, string) { return "Ok", strings.ToUpper(data) })
					p.stream(object{
						"CompressionFormat": compression, "BufferingHints": object{"IntervalInSeconds": 60, "SizeInMBs": 1},
						"ProcessingConfiguration": object{"Enabled": true, "Processors": processors},
						"S3BackupMode":            "Enabled", "S3BackupConfiguration": object{
							"RoleARN": "arn:aws:iam::000000000000:role/r", "BucketARN": "arn:aws:s3:::" + pairBucket, "Prefix": "raw/",
						},
					})
					for _, data := range []string{"a", "b", "c"} {
						p.must(p.put("s", data))
					}
					time.Sleep(10 * time.Minute)
					synctest.Wait()
					got := p.under("main/2")
					if compression == "GZIP" {
						z, err := gzip.NewReader(strings.NewReader(got))
						p.must(err)
						plain, err := io.ReadAll(z)
						p.must(err)
						got = string(plain)
					}
					if got != want || p.under("raw/") != "abc" {
						t.Errorf("delivered %q, backed up %q", got, p.under("raw/"))
					}
				})
			})
		}
	}
}

// What the Invoke API refuses, and what becomes of the records.
func TestAFunctionThatCannotBeCalledFailsItsRecords(t *testing.T) {
	for want, answer := range map[string]struct {
		status int
		header http.Header
		body   string
	}{
		"Lambda.ResourceNotFound":    {404, http.Header{"X-Amzn-Errortype": {"ResourceNotFoundException"}}, `{"Type":"User","Message":"Function not found"}`},
		"Lambda.InvokeAccessDenied":  {403, http.Header{"X-Amzn-Errortype": {"AccessDeniedException"}}, `{"Message":"no"}`},
		"Lambda.InvokeLimitExceeded": {429, http.Header{"X-Amzn-Errortype": {"TooManyRequestsException"}}, `{"Reason":"ConcurrentInvocationLimitExceeded"}`},
		"Lambda.FunctionError":       {200, http.Header{"X-Amz-Function-Error": {"Unhandled"}}, `{"errorMessage":"x"}`},
	} {
		t.Run(want, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPlant(t, nil)
				p.farm.fault = func(int) (int, http.Header, string) { return answer.status, answer.header, answer.body }
				p.stream(nil)
				p.must(p.put("s", "a"))
				time.Sleep(time.Minute)
				synctest.Wait()
				if got := p.under("main/processing-failed/"); !strings.Contains(got, `"errorCode":"`+want+`"`) || !strings.Contains(got, `"attemptsMade":4`) {
					t.Errorf("failure records %s", got)
				}
			})
		})
	}
}

// A stream names a function that is not there, and would call it for hours. Operators see
// that its records wait and why; an update that names another has them processed at once.
func TestAnUpdateNamesTheFunctionThatWasMeant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlant(t, func(data string) (string, string) { return "Ok", strings.ToUpper(data) })
		calling := func(arn string) object {
			return object{"Enabled": true, "Processors": []object{{"Type": "Lambda", "Parameters": []object{
				{"ParameterName": "LambdaArn", "ParameterValue": arn}, {"ParameterName": "NumberOfRetries", "ParameterValue": "300"},
				{"ParameterName": "BufferSizeInMBs", "ParameterValue": "1"}, {"ParameterName": "BufferIntervalInSeconds", "ParameterValue": "1"},
			}}}}
		}
		p.stream(object{"ProcessingConfiguration": calling(strings.TrimSuffix(functionARN, "f") + "mistyped")})
		p.must(p.put("s", "a\n"))
		time.Sleep(10 * time.Minute)
		s, err := p.operator().Stream(t.Context(), "s")
		p.must(err)
		if s.Data.AgeSeconds != 600 || s.Fails < 16 || !strings.Contains(s.LastError, ":function:mistyped") {
			t.Errorf("the oldest record is %v s old, %d failures, the last %q", s.Data.AgeSeconds, s.Fails, s.LastError)
		}
		if m := p.samples()[0]; m.Oldest != 10*time.Minute || m.Fails != s.Fails {
			t.Errorf("metrics %+v", m)
		}
		p.must(p.firehose("UpdateDestination", object{
			"DeliveryStreamName": "s", "CurrentDeliveryStreamVersionId": "1", "DestinationId": "destinationId-000000000001",
			"ExtendedS3DestinationUpdate": object{"ProcessingConfiguration": calling(functionARN)},
		}, nil))
		time.Sleep(7 * time.Second) // the hints of the stream, and some
		synctest.Wait()
		if got := p.under("main/"); got != "A\n" {
			t.Errorf("delivered %q", got)
		}
		s, err = p.operator().Stream(t.Context(), "s")
		p.must(err)
		if s.Data.Pending.Records != 0 || s.Data.AgeSeconds != 0 || s.Fails != 0 || s.LastError != "" {
			t.Errorf("the stream is %+v", s)
		}
	})
}

// A node that is restarted goes on, and the function gets no record for good twice.
func TestARestartGoesOnProcessing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlant(t, func(data string) (string, string) { return "Ok", strings.ToUpper(data) })
		p.stream(nil)
		var want []string
		for i := range 30 {
			data := fmt.Sprintf("record %02d\n", i)
			want = append(want, strings.ToUpper(data))
			p.must(p.put("s", data))
			time.Sleep(300 * time.Millisecond)
			if i%7 == 6 {
				p.end()
				p.start()
			}
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := p.under("main/2"); got != strings.Join(want, "") {
			t.Errorf("delivered %q", got)
		}
	})
}

// Switched off, processors are passed by; deleted, the stream leaves nothing behind.
func TestAProcessedStreamIsUpdatedAndDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlant(t, func(data string) (string, string) { return "Ok", strings.ToUpper(data) })
		p.stream(nil)
		p.must(p.put("s", "a\n"))
		time.Sleep(10 * time.Second)
		p.must(p.firehose("UpdateDestination", object{
			"DeliveryStreamName": "s", "CurrentDeliveryStreamVersionId": "1", "DestinationId": "destinationId-000000000001",
			"ExtendedS3DestinationUpdate": object{"ProcessingConfiguration": object{"Enabled": false}},
		}, nil))
		p.must(p.put("s", "b\n"))
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if got := p.under("main/2"); got != "A\nb\n" {
			t.Errorf("delivered %q", got)
		}
		p.must(p.firehose("DeleteDeliveryStream", object{"DeliveryStreamName": "s"}, nil))
		time.Sleep(10 * time.Second)
		synctest.Wait()
		var left []string
		p.must(p.engine.States(t.Context(), "", func(s record.State) error { left = append(left, s.Key); return nil }))
		if !slices.Equal(left, []string{"ledger/s"}) {
			t.Errorf("left are %q", left)
		}
	})
}
