package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"

	"hydrant/internal/column"
	"hydrant/internal/operate"
	"hydrant/internal/record"
	"hydrant/internal/stage"
	"hydrant/internal/stream"
)

// trial processes records without storing or delivering them.
type trial struct{ node *Node }

// Propose implements operate.Trial.
func (t trial) Propose(configuration []byte) (*stream.Definition, error) {
	var c stream.Configuration
	if err := json.Unmarshal(configuration, &c); err != nil {
		return nil, fmt.Errorf("%w: %w", operate.ErrConfiguration, err)
	}
	if err := c.Check(t.node.rules(context.Background())); err != nil {
		return nil, fmt.Errorf("%w: %w", operate.ErrConfiguration, err)
	}
	d := c.Definition()
	d.Version, d.ARN = 1, stream.ARN(partition, t.node.opt.Config.Region, t.node.opt.Config.Account, d.Name)
	return d, nil
}

// Try implements operate.Trial. A function that fails is not called again: whoever tries
// wants to know.
func (t trial) Try(ctx context.Context, d *stream.Definition, records [][]byte) ([]operate.Fate, error) {
	p, err := t.node.pipeline(withoutRetries(d))
	if err != nil {
		return nil, err
	}
	now := t.node.opt.Now()
	items := make([]record.Item, len(records))
	for i, r := range records {
		items[i] = record.Item{ID: trialID(i), Arrival: now, Source: r, Data: r}
	}
	for _, step := range p.Steps {
		if items, err = step.Process(ctx, items); err != nil {
			return nil, err
		}
	}
	fit, err := t.fitting(ctx, d)
	if err != nil {
		return nil, err
	}
	fates := make([]operate.Fate, len(items))
	for i := range items {
		if items[i].Goes() {
			items[i].Failure = fit(&items[i])
		}
		if fates[i], err = t.fate(d, &p, &items[i]); err != nil {
			return nil, err
		}
	}
	return fates, nil
}

// fitting returns what says whether an item makes a row of the stream's table; nil if it does.
// Where nothing is converted all do.
func (t trial) fitting(ctx context.Context, d *stream.Definition) (func(*record.Item) *record.Failure, error) {
	if !d.S3.Converts() {
		return func(*record.Item) *record.Failure { return nil }, nil
	}
	c, err := t.node.conversions.ask(ctx, d.S3.Conversion)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", operate.ErrConfiguration, err)
	}
	schema, err := schemaOf(c.Columns)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", operate.ErrConfiguration, invalidSchema(err))
	}
	reader, err := newReader(schema, c.Input)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", operate.ErrConfiguration, invalidSchema(err))
	}
	rows := column.NewBatch(schema)
	return func(i *record.Item) (failure *record.Failure) {
		full := func() bool { return rows.Rows > 0 }
		for rest := i.Data; ; {
			rows.Reset()
			rest = reader.Append(rows, rest, full, func(_ []byte, code, message string) {
				failure = &record.Failure{
					Output: record.Unconverted, Code: code, Message: message, Attempts: 1, Ended: t.node.opt.Now(), Table: &c.Table, Sequence: "0",
				}
			})
			if len(rest) == 0 {
				return failure
			}
		}
	}, nil
}

// trialDigits is how long the id of a tried record is, so that those of its parts begin with
// it and with no other.
const trialDigits = 6

func trialID(i int) string { return fmt.Sprintf("%0*d", trialDigits, i) }

// fate tells what would become of an item.
func (t trial) fate(d *stream.Definition, p *stage.Pipeline, i *record.Item) (f operate.Fate, err error) {
	if f.Record, err = strconv.Atoi(i.ID[:min(trialDigits, len(i.ID))]); err != nil {
		return f, errors.New("a processor has lost the id of a record")
	}
	f.Keys, f.Queried = i.Keys, i.Queried
	output := record.Data
	var prefix *string
	if p.Prefix != nil && i.Goes() {
		var text []byte
		text, i.Failure = p.Prefix(nil, i)
		prefix = new(string(text))
	}
	switch {
	case i.Dropped:
		f.Result = operate.Dropped
		return f, nil
	case i.Failure != nil:
		output = i.Failure.Output
		f.Result, f.Code, f.Message = operate.Failed, i.Failure.Code, i.Failure.Message
		f.Data, err = i.Failure.AppendLine(nil, i.Source, i.Arrival)
	default:
		f.Result, f.Data = operate.Delivered, i.Data
	}
	if err != nil {
		return f, err
	}
	o, err := t.node.delivery.Example(d, output, i.Arrival, prefix)
	f.Bucket, f.Key = o.Bucket, o.Key
	return f, err
}

// withoutRetries is the stream with a function that is called once.
func withoutRetries(d *stream.Definition) *stream.Definition {
	if d.S3.Find(stream.LambdaProcessor) == nil {
		return d
	}
	once, s3, processing := *d, *d.S3, *d.S3.Processing
	processing.Processors = slices.Clone(processing.Processors)
	for i := range processing.Processors {
		p := &processing.Processors[i]
		p.Parameters = slices.Clone(p.Parameters)
		for j := range p.Parameters {
			if p.Parameters[j].ParameterName == "NumberOfRetries" {
				p.Parameters[j].ParameterValue = "0"
			}
		}
	}
	s3.Processing, once.S3 = &processing, &s3
	return &once
}
