package record

import (
	"time"

	"github.com/go-json-experiment/json"
)

// Failure is what the error output holds of a record that could not be processed or
// delivered: one line of JSON (spec firehose.md sections 5.5.1, 6.6 and 9.9).
type Failure struct {
	Output   Output    // where it goes: ProcessingFailed and its like
	Code     string    // Lambda.ProcessingFailedStatus
	Message  string    // for people
	Attempts int       // how often it was tried
	Ended    time.Time // the last attempt
	Function string    // ARN of the function that failed it; empty for any other step
	// Table is the one that the record was to be a row of; nil for any other step.
	Table *CatalogTable
	// Sequence and Part tell where a record that was to be a row came from.
	Sequence string
	Part     int
}

// CatalogTable names a table as failure records do (spec firehose.md section 6.6).
type CatalogTable struct {
	CatalogID    string `json:"catalogId"`
	DatabaseName string `json:"databaseName"`
	TableName    string `json:"tableName"`
	Region       string `json:"region"`
	VersionID    string `json:"versionId"`
	RoleARN      string `json:"roleArn"`
}

// AppendLine appends the line of a record that failed: source is the record as it came,
// arrival when. Each kind of failure has its own members, in an order that readers of the
// files have come to rely on.
func (f *Failure) AppendLine(dst, source []byte, arrival time.Time) ([]byte, error) {
	var v any
	switch {
	case f.Table != nil:
		v = struct {
			AttemptsMade           int           `json:"attemptsMade"`
			ArrivalTimestamp       int64         `json:"arrivalTimestamp"`
			LastErrorCode          string        `json:"lastErrorCode"`
			LastErrorMessage       string        `json:"lastErrorMessage"`
			AttemptEndingTimestamp int64         `json:"attemptEndingTimestamp"`
			RawData                []byte        `json:"rawData"`
			SequenceNumber         string        `json:"sequenceNumber"`
			SubSequenceNumber      int           `json:"subSequenceNumber"`
			DataCatalogTable       *CatalogTable `json:"dataCatalogTable"`
		}{f.Attempts, arrival.UnixMilli(), f.Code, f.Message, f.Ended.UnixMilli(), source, f.Sequence, f.Part, f.Table}
	case f.Function != "":
		v = struct {
			RawData                []byte `json:"rawData"`
			ErrorCode              string `json:"errorCode"`
			ErrorMessage           string `json:"errorMessage"`
			AttemptsMade           int    `json:"attemptsMade"`
			ArrivalTimestamp       int64  `json:"arrivalTimestamp"`
			AttemptEndingTimestamp int64  `json:"attemptEndingTimestamp"`
			LambdaARN              string `json:"lambdaARN"`
		}{source, f.Code, f.Message, f.Attempts, arrival.UnixMilli(), f.Ended.UnixMilli(), f.Function}
	default:
		v = struct {
			AttemptsMade           int    `json:"attemptsMade"`
			ArrivalTimestamp       int64  `json:"arrivalTimestamp"`
			ErrorCode              string `json:"errorCode"`
			ErrorMessage           string `json:"errorMessage"`
			AttemptEndingTimestamp int64  `json:"attemptEndingTimestamp"`
			RawData                []byte `json:"rawData"`
		}{f.Attempts, arrival.UnixMilli(), f.Code, f.Message, f.Ended.UnixMilli(), source}
	}
	b, err := json.Marshal(v)
	if err != nil {
		return dst, err
	}
	return append(append(dst, b...), '\n'), nil // a line each (spec section 4.6)
}
