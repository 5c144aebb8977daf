package node

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-json-experiment/json"

	"hydrant/internal/config"
)

// A stream whose bucket is not there says so in the log stream that it names, here or at
// another CloudWatch Logs.
func TestDeliveryErrorsReachTheLogStreamOfTheirStream(t *testing.T) {
	for _, elsewhere := range []bool{false, true} {
		t.Run(fmt.Sprintf("elsewhere=%v", elsewhere), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPair(t)
				keeper := p.Node
				if elsewhere {
					p.config.Endpoints["logs"] = p.config.Endpoints["kms"]
					p.restart()
					keeper = p.keeper
				}
				client := clientOf(keeper, "logs", logsTarget)
				place := object{"logGroupName": "/firehose/s", "logStreamName": "DestinationDelivery"}
				p.must(client.Call(t.Context(), "CreateLogGroup", object{"logGroupName": "/firehose/s"}, nil))
				p.must(client.Call(t.Context(), "CreateLogStream", place, nil))
				p.must(p.firehose("CreateDeliveryStream", object{"DeliveryStreamName": "s", "ExtendedS3DestinationConfiguration": object{
					"RoleARN": "arn:aws:iam::000000000000:role/firehose", "BucketARN": "arn:aws:s3:::not-there",
					"BufferingHints":           object{"IntervalInSeconds": 1, "SizeInMBs": 1},
					"CloudWatchLoggingOptions": object{"Enabled": true, "LogGroupName": "/firehose/s", "LogStreamName": "DestinationDelivery"},
				}}, nil))
				time.Sleep(time.Second)
				p.must(p.put("s", "record"))
				time.Sleep(10 * time.Second)
				synctest.Wait()
				var out struct {
					Events []struct {
						Message string `json:"message"`
					} `json:"events"`
				}
				p.must(client.Call(t.Context(), "GetLogEvents", place, &out))
				if len(out.Events) == 0 {
					t.Fatal("nothing was logged")
				}
				var entry struct {
					DeliveryStreamARN, Destination, ErrorCode, Message string
					DeliveryStreamVersionId                            int
				}
				p.must(json.Unmarshal([]byte(out.Events[0].Message), &entry, json.MatchCaseInsensitiveNames(true)))
				if entry.ErrorCode != "S3.NoSuchBucket" || entry.Destination != "arn:aws:s3:::not-there" || entry.DeliveryStreamVersionId != 1 ||
					entry.Message != "The specified bucket does not exist. Create the bucket or use a different bucket that does exist." {
					t.Fatalf("%s", out.Events[0].Message)
				}
			})
		})
	}
}

func TestANodeWhoseLogsAreElsewhereServesNone(t *testing.T) {
	c := testConfig(t)
	c.Endpoints = map[string]config.Endpoint{"logs": {URL: "http://localhost", AccessKey: "a", SecretKey: "s"}}
	n := open(t, c)
	if err := clientOf(n, "logs", logsTarget).Call(t.Context(), "DescribeLogGroups", nil, nil); err == nil {
		t.Fatal("log groups are served")
	}
}
