// Command misbehave is a function that passes records through, but for those that say how it shall
// misbehave on them.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
)

// record is one of an event, or of an answer.
type record struct {
	ID     string  `json:"recordId"`
	Result string  `json:"result,omitempty"`
	Data   *[]byte `json:"data"`
}

func main() { lambda.Start(handle) }

func handle(ctx context.Context, event struct {
	Records []record `json:"records"`
}) (any, error) {
	out := []record{}
	for _, r := range event.Records {
		how, _, _ := strings.Cut(string(*r.Data), " ")
		switch how {
		case "fail":
			return nil, errors.New("this one makes me fail")
		case "crash":
			os.Exit(3)
		case "hang":
			<-ctx.Done()
			select {}
		case "nonsense":
			return json.RawMessage(`{"records":"none"}`), nil
		case "forget":
			continue
		}
		r.Result = "Ok"
		switch how {
		case "refuse":
			r.Result = "ProcessingFailed"
		case "repeat":
			out = append(out, r)
		case "empty":
			r.Data = nil
		}
		out = append(out, r)
	}
	return map[string]any{"records": out}, nil
}
