package extract

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"hydrant/internal/record"
)

// Refusals of parameters, the first in Firehose's words.
var (
	ErrEngine = errors.New("MetaDataExtraction JSON Parsing Engine has to be one of JQ-1.6")
	ErrQuery  = errors.New("invalid MetadataExtractionQuery")
)

// Extraction gives records their partition keys. It may be used by many goroutines at once.
type Extraction struct {
	jq    *interpreter
	plan  *plan // nil if only the interpreter can tell the keys
	names []string
	now   func() time.Time
}

// New returns the processor with the parameters MetadataExtractionQuery and JsonParsingEngine,
// and the clock that failures are dated by. Its errors wrap ErrEngine or ErrQuery.
func New(query, engine string, now func() time.Time) (*Extraction, error) {
	if engine != "JQ-1.6" {
		return nil, ErrEngine
	}
	q, err := parse(query)
	if err != nil {
		return nil, err
	}
	jq, err := compile(q)
	if err != nil {
		return nil, err
	}
	names := names(q)
	if len(names) > MaxKeys {
		return nil, fmt.Errorf("%w: it yields %d keys, more than %d", ErrQuery, len(names), MaxKeys)
	}
	return &Extraction{jq: jq, plan: planOf(q), names: names, now: now}, nil
}

// Keys returns the names of the keys in the order of the query; nil if only a record can tell
// them.
func (e *Extraction) Keys() []string { return slices.Clone(e.names) }

// Process sets the queried keys of each item, or its failure. The only error is that of ctx.
func (e *Extraction) Process(ctx context.Context, items []record.Item) ([]record.Item, error) {
	w := takeWalker()
	defer w.give()
	for i := range items {
		item := &items[i]
		if !item.Goes() {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("extract keys of %d records: %w", len(items), err)
		}
		keys, err := e.keys(ctx, w, item.Data)
		switch {
		case err == nil:
			item.Queried = mapped(keys)
		case ctx.Err() != nil: // not the record's fault
			return nil, fmt.Errorf("extract keys of %d records: %w", len(items), ctx.Err())
		default:
			item.Failure = failed(err.Error(), e.now())
		}
	}
	return items, nil
}

// keys are those of a record. The error is a refusal, or that of ctx.
func (e *Extraction) keys(ctx context.Context, w *walker, data []byte) ([]key, error) {
	if e.plan != nil {
		if keys, ok := w.walk(e.plan, data); ok {
			return keys, check(keys)
		}
	}
	keys, err := e.jq.keys(ctx, &w.reader, data)
	if err != nil {
		return nil, err
	}
	return keys, check(keys)
}

func mapped(keys []key) map[string]string {
	m := make(map[string]string, len(keys))
	for _, k := range keys {
		m[k.name] = k.value
	}
	return m
}
