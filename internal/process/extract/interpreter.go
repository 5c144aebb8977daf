package extract

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/itchyny/gojq"
)

// maxMessage bounds what a query may say in the failure of a record.
const maxMessage = 256

// freshBytes is how much data a compiled query sees before it is compiled anew, each record
// counting recordBytes more. gojq keeps every regular expression that a query has used for as
// long as the compiled query lives, which would fill the memory where records bring patterns.
const (
	freshBytes  = 1 << 20
	recordBytes = 1 << 10
)

// interpreter runs a query. It may be used by many goroutines at once.
type interpreter struct {
	query *gojq.Query
	reads reads
	code  atomic.Pointer[gojq.Code]
	seen  atomic.Int64  // bytes since code was compiled
	time  time.Duration // MaxTime, and other in tests
}

// compile makes a query ready to run. Its errors wrap ErrQuery. Without options gojq has
// neither environment nor modules nor further inputs.
func compile(q *gojq.Query) (*interpreter, error) {
	code, err := gojq.Compile(q)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrQuery, err)
	}
	p := &interpreter{query: q, reads: readsOf(q), time: MaxTime}
	p.code.Store(code)
	return p, nil
}

// fresh is the compiled query for a record of n bytes.
func (p *interpreter) fresh(n int) *gojq.Code {
	if p.seen.Add(int64(n)+recordBytes) > freshBytes {
		p.seen.Store(0)
		if code, err := gojq.Compile(p.query); err == nil { // as it was before
			p.code.Store(code)
		}
	}
	return p.code.Load()
}

// keys are those that the query makes of data. The error is a refusal.
func (p *interpreter) keys(ctx context.Context, r *reader, data []byte) ([]key, error) {
	v, err := r.document(data, p.reads)
	if err != nil {
		return nil, notJSON
	}
	ctx, cancel := context.WithTimeout(ctx, p.time)
	defer cancel()
	object, err := run(ctx, p.fresh(len(data)), v)
	if err != nil {
		return nil, err
	}
	if len(object) > MaxKeys {
		return nil, manyKeys
	}
	keys := make([]key, 0, len(object))
	for name, v := range object {
		value, ok := text(v)
		if !ok {
			return nil, nullOrNone
		}
		keys = append(keys, key{name, value})
	}
	return keys, nil
}

// run is the one object that code makes of v. A panic of the interpreter is the failure
// of one record, not of the node.
func run(ctx context.Context, code *gojq.Code, v any) (object map[string]any, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = message(fmt.Errorf("%v", r))
		}
	}()
	outputs := code.RunWithContext(ctx, v)
	out, ok := outputs.Next()
	if !ok {
		return nil, nullOrNone
	}
	if err, ok := out.(error); ok {
		return nil, message(err)
	}
	if more, ok := outputs.Next(); ok {
		if err, ok := more.(error); ok {
			return nil, message(err)
		}
		return nil, manyOut
	}
	if object, ok = out.(map[string]any); !ok {
		return nil, manyOut
	}
	return object, nil
}

// message is the refusal of a record whose query failed.
func message(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return tookLong
	}
	s := err.Error()
	if len(s) > maxMessage {
		s = s[:maxMessage] + "…"
	}
	return refusal(queryError + strings.ToValidUTF8(s, "\ufffd"))
}
