package node

import (
	"context"
	"sync"
	"testing"
	"time"

	"hydrant/internal/deliver"
	"hydrant/internal/record"
	"hydrant/internal/service/glue"
	"hydrant/internal/stream"
)

// growing is a catalogue whose table has another column each time it is asked.
type growing struct{ columns []glue.Column }

func (g *growing) Table(context.Context, glue.Ref) (*glue.TableVersion, error) {
	g.columns = append(g.columns, glue.Column{Name: string(rune('a' + len(g.columns))), Type: "int"})
	return &glue.TableVersion{Columns: g.columns}, nil
}

// converted is a stream that converts to Parquet.
func converted() *stream.Definition {
	return &stream.Definition{S3: &stream.S3Destination{Conversion: &stream.ConversionConfiguration{
		SchemaConfiguration: &stream.SchemaConfiguration{},
		InputFormat:         &stream.InputFormat{Deserializer: &stream.Deserializer{OpenXJSON: &stream.OpenXJSON{}}},
		OutputFormat:        &stream.OutputFormat{Serializer: &stream.Serializer{Parquet: &stream.Parquet{}}},
	}}}
}

// A table is taken for what it was as long as that is fresh, and not while the clock stands
// before the last look at it.
func TestATableIsLookedAtAgainWhenTheClockIsSetBack(t *testing.T) {
	now := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	for _, fresh := range []time.Duration{0, 5 * time.Minute} {
		at := now
		c := &conversions{tables: &growing{}, fresh: fresh, now: func() time.Time { return at }, known: map[record.StreamID]*conversion{}}
		d := converted()
		columns := 0
		for _, step := range []struct {
			at    time.Duration
			fresh int // columns, where tables stay fresh
		}{{0, 1}, {time.Minute, 1}, {5 * time.Minute, 2}, {-time.Hour, 3}, {-time.Hour + time.Second, 3}} {
			at = now.Add(step.at)
			made, err := c.of(t.Context(), d)
			if err != nil {
				t.Fatal(err)
			}
			columns++
			want := columns
			if fresh > 0 {
				want = step.fresh
			}
			if len(made.Columns) != want {
				t.Errorf("fresh for %s, at %s: %d columns, want %d", fresh, step.at, len(made.Columns), want)
			}
		}
	}
}

// Partitions of a stream that begin to be delivered together have their encoding made once.
func TestAnEncodingIsMadeOnce(t *testing.T) {
	c := &conversions{tables: still{}, now: time.Now, known: map[record.StreamID]*conversion{}}
	d := converted()
	all := make([]*deliver.Conversion, 20)
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() {
			made, err := c.of(t.Context(), d)
			if err != nil {
				t.Error(err)
			}
			all[i] = made
		})
	}
	wg.Wait()
	for _, made := range all {
		if made != all[0] || made == nil {
			t.Fatalf("%p is not %p", made, all[0])
		}
	}
}

// still is a catalogue whose table never changes.
type still struct{}

func (still) Table(context.Context, glue.Ref) (*glue.TableVersion, error) {
	return &glue.TableVersion{Columns: []glue.Column{{Name: "a", Type: "int"}}}, nil
}
