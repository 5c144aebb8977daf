// Command upper is an AWS Lambda function for delivery streams, as it would run on AWS: it upper-cases the
// "name" of each record, drops tests and fails what is no such event.
package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

func main() { lambda.Start(handle) }

func handle(event events.KinesisFirehoseEvent) (events.KinesisFirehoseResponse, error) {
	fmt.Println("records:", len(event.Records))
	var out events.KinesisFirehoseResponse
	for _, r := range event.Records {
		out.Records = append(out.Records, transform(r))
	}
	return out, nil
}

func transform(r events.KinesisFirehoseEventRecord) events.KinesisFirehoseResponseRecord {
	out := events.KinesisFirehoseResponseRecord{RecordID: r.RecordID, Result: events.KinesisFirehoseTransformedStateProcessingFailed, Data: r.Data}
	var e map[string]any
	if json.Unmarshal(r.Data, &e) != nil {
		return out
	}
	name, ok := e["name"].(string)
	if !ok {
		return out
	}
	if e["test"] == true {
		out.Result, out.Data = events.KinesisFirehoseTransformedStateDropped, nil
		return out
	}
	e["name"] = strings.ToUpper(name)
	line, err := json.Marshal(e)
	if err != nil {
		return out
	}
	out.Result, out.Data = events.KinesisFirehoseTransformedStateOk, append(line, '\n')
	return out
}
