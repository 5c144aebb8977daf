package firehose

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"hydrant/internal/aws"
	"hydrant/internal/registry"
	"hydrant/internal/stream"
)

// destinationID is the id of every stream's one destination (spec section 2.1).
const destinationID = "destinationId-000000000001"

// describeOutput is the answer of DescribeDeliveryStream.
type describeOutput struct {
	Description description `json:"DeliveryStreamDescription"`
}

// description is DeliveryStreamDescription (spec section 2.4).
type description struct {
	Name       string          `json:"DeliveryStreamName"`
	ARN        string          `json:"DeliveryStreamARN"`
	Status     stream.Status   `json:"DeliveryStreamStatus"`
	Failure    *stream.Failure `json:"FailureDescription,omitzero"`
	Encryption *encryption     `json:"DeliveryStreamEncryptionConfiguration,omitzero"`
	Type       stream.Type     `json:"DeliveryStreamType"`
	VersionID  string          `json:"VersionId"`
	Created    timestamp       `json:"CreateTimestamp"`
	Updated    timestamp       `json:"LastUpdateTimestamp,omitzero"`
	Source     *source         `json:"Source,omitzero"`

	Destinations        []destination `json:"Destinations"`
	HasMoreDestinations bool          `json:"HasMoreDestinations"`
}

// encryption is the state of the stream's own encryption.
type encryption struct {
	KeyARN  string                  `json:"KeyARN,omitzero"` // of a customer's key
	KeyType string                  `json:"KeyType,omitzero"`
	Status  stream.EncryptionStatus `json:"Status"`
	Failure *stream.Failure         `json:"FailureDescription,omitzero"`
}

// showEncryption shows the key that was asked for last, and how that went.
func showEncryption(e stream.Encryption) *encryption {
	shown := &encryption{Status: e.Status, Failure: e.Failure}
	if shown.Status == "" {
		shown.Status = stream.EncryptionDisabled
	}
	if e.Key != nil {
		shown.KeyARN, shown.KeyType = e.Key.ARN, e.Key.Type
	}
	return shown
}

// source says where the records of a stream come from; a plain DirectPut stream has none.
type source struct {
	DirectPut *directPut `json:"DirectPutSourceDescription,omitzero"`
}

type directPut struct {
	ThroughputHintInMBs int `json:"ThroughputHintInMBs"`
}

// destination is a DestinationDescription. A stream made with either S3 shape shows both.
type destination struct {
	ID         string                `json:"DestinationId"`
	S3         *stream.S3Destination `json:"S3DestinationDescription,omitzero"`
	ExtendedS3 *stream.S3Destination `json:"ExtendedS3DestinationDescription,omitzero"`
}

// timestamp is written as a number of seconds with milliseconds.
type timestamp struct{ time.Time }

// MarshalJSON writes the number.
func (t timestamp) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(t.UnixMilli())/1000, 'f', 3, 64), nil
}

// describeDeliveryStream shows a stream, in whatever status. Limit and cursor have nothing
// to choose from.
func (s *Service) describeDeliveryStream(ctx context.Context, c *aws.Call) error {
	_, name, err := s.open(ctx, c, describeInput)
	if err != nil {
		return err
	}
	d, ok := s.opt.Streams.Get(name)
	if !ok {
		return s.explain(name, registry.ErrNotFound)
	}
	if c.Out, err = appendJSON(c.Out, describeOutput{describe(d)}); err != nil {
		return fmt.Errorf("write the description of stream %s: %w", name, err)
	}
	return nil
}

// describe shows a definition as the API does.
func describe(d *stream.Definition) description {
	shown := description{
		Name:         d.Name,
		ARN:          d.ARN,
		Status:       d.Status,
		Failure:      d.Failure,
		Encryption:   showEncryption(d.Encryption),
		Type:         d.Type,
		VersionID:    strconv.Itoa(d.Version),
		Created:      timestamp{d.Created},
		Updated:      timestamp{d.Updated},
		Destinations: []destination{{ID: destinationID, S3: d.S3.Legacy(), ExtendedS3: d.S3}},
	}
	if d.ThroughputHint > 0 {
		shown.Source = &source{&directPut{d.ThroughputHint}}
	}
	return shown
}
