package node

import (
	"context"
	"errors"
	"time"

	"hydrant/internal/deliver"
	"hydrant/internal/encode"
	"hydrant/internal/errorlog"
	"hydrant/internal/process/blueprint"
	"hydrant/internal/process/deaggregate"
	"hydrant/internal/process/extract"
	"hydrant/internal/process/lambda"
	"hydrant/internal/process/unpack"
	"hydrant/internal/record"
	"hydrant/internal/stage"
	"hydrant/internal/stream"
)

const (
	// For each 64 MiB of the memory budget there is a slot for the first batch of a stream, and
	// one for what streams have in their pipelines beside. A batch of the usual 1 MiB takes some
	// 6 MiB, for a request, an answer and what is made of them.
	batchMemory = 64 << 20
	leastSlots  = 4
	// batchBytes is the size of batches that no function gets.
	batchBytes = 1 << 20
	// packedBytes is the size of batches that are decompressed first: logs become ten to twenty
	// times as large, and bombs a thousand times, which is about what unpack.MaxBatchBytes allows.
	packedBytes = 256 << 10
	// functionCalls is how many batches of a stream a function gets at once, and stepCalls
	// how many are processed here (spec firehose.md section 5.3).
	functionCalls = 5
	stepCalls     = 2
)

// openStage prepares the processing of records.
func (n *Node) openStage(ctx context.Context) error {
	if err := n.openFunctions(ctx); err != nil {
		return err
	}
	slots := max(int(n.opt.Config.Memory/batchMemory), leastSlots)
	n.stage = stage.NewManager(stage.Options{
		Log:        opened{n.engine, n.vault},
		Pipelines:  n.pipeline,
		Pieces:     n.pieces,
		Decoder:    new(encode.Decoder),
		Slots:      stage.NewSlots(slots, slots),
		Partitions: placer{n},
		Join:       func(q record.Queue, wake func()) stage.Reader { return n.delivery.Join(q, wake) },
		Now:        n.opt.Now,
		Logger:     n.log.With("room", "stage"),
		OnAppend:   func(q record.Queue) { n.delivery.Wake(q) },
		OnFailure: func(d *stream.Definition, f *record.Failure) {
			n.errors.Report(errorlog.Failure{
				Stream: d, Output: f.Output, Processor: f.Function, At: f.Ended,
				Err: &record.Complaint{Code: f.Code, Message: f.Message, Err: errors.New(f.Message)},
			})
		},
	})
	return nil
}

// pieces packs records for the queues of a stream, as its ingest log is packed.
func (n *Node) pieces(ctx context.Context, d *stream.Definition, b record.Batch) ([]record.Piece, error) {
	return n.ingest.Pieces(ctx, d, b)
}

// endProcessing stops the processing of a stream that is being deleted, also of one whose
// deletion a former process began.
func (n *Node) endProcessing(ctx context.Context, d *stream.Definition) error {
	if err := n.stage.Start(ctx, d); err != nil {
		return err
	}
	return n.stage.Halt(ctx, d.ID)
}

// staged is the stage as delivery knows it.
type staged struct{ *stage.Manager }

// Account implements deliver.Stage.
func (s staged) Account(q record.Queue) (deliver.Account, bool) {
	a, ok := s.Manager.Account(q)
	return deliver.Account(a), ok
}

// Waiting implements deliver.Stage.
func (s staged) Waiting(ctx context.Context, q record.Queue) deliver.Waiting {
	return deliver.Waiting(s.Manager.Waiting(ctx, q))
}

// pipeline puts the processors of a stream in their order (spec firehose.md section 5.1).
func (n *Node) pipeline(d *stream.Definition) (stage.Pipeline, error) {
	p := stage.Pipeline{Bytes: batchBytes, Parallel: stepCalls}
	for _, one := range []struct {
		kind string
		step func(*stream.Processor) (stage.Processor, error)
	}{
		{stream.DeAggregationProcessor, n.deaggregation},
		{stream.DecompressionProcessor, n.decompression},
		{stream.LogProcessor, n.logProcessing},
		{stream.LambdaProcessor, func(f *stream.Processor) (stage.Processor, error) { return n.function(&p, d, f.Lambda()), nil }},
		{stream.ExtractionProcessor, n.extraction},
	} {
		found := d.S3.Find(one.kind)
		if found == nil {
			continue
		}
		step, err := one.step(found)
		if err != nil {
			return p, err
		}
		p.Steps = append(p.Steps, step)
	}
	if d.S3.Find(stream.DecompressionProcessor) != nil {
		p.Bytes = min(p.Bytes, packedBytes)
	}
	if !d.S3.Partitions() {
		return p, nil
	}
	var err error
	p.Prefix, err = n.partitions(d)
	return p, err
}

func (n *Node) deaggregation(p *stream.Processor) (stage.Processor, error) {
	kind, _ := p.Parameter("SubRecordType")
	delimiter, _ := p.Parameter("Delimiter")
	return deaggregate.New(kind, delimiter, n.opt.Now)
}

func (n *Node) decompression(p *stream.Processor) (stage.Processor, error) {
	format, _ := p.Parameter("CompressionFormat")
	return unpack.NewDecompression(format, n.opt.Now)
}

func (n *Node) logProcessing(p *stream.Processor) (stage.Processor, error) {
	extract, _ := p.Parameter("DataMessageExtraction")
	return unpack.NewLogProcessing(extract, n.opt.Now)
}

func (n *Node) extraction(p *stream.Processor) (stage.Processor, error) {
	query, _ := p.Parameter("MetadataExtractionQuery")
	engine, _ := p.Parameter("JsonParsingEngine")
	return extract.New(query, engine, n.opt.Now)
}

// partitions evaluates the prefixes of a stream's partitions (spec firehose.md section 7.4).
func (n *Node) partitions(d *stream.Definition) (func([]byte, *record.Item) ([]byte, *record.Failure), error) {
	prefixes, err := n.delivery.Partitioner(d)
	if err != nil {
		return nil, err
	}
	return func(dst []byte, i *record.Item) ([]byte, *record.Failure) {
		dst, err := prefixes.Append(dst, i.Arrival, i.Queried, i.Keys)
		if err != nil {
			return dst, &record.Failure{
				Output: record.ProcessingFailed, Code: "DynamicPartitioning.MetadataExtractionFailed",
				Message: err.Error(), Attempts: 1, Ended: n.opt.Now(),
			}
		}
		return dst, nil
	}, nil
}

// placer finds the queues of partitions once delivery is there.
type placer struct{ n *Node }

// Place implements stage.Partitions.
func (p placer) Place(q record.Queue, shares []record.Share) (record.Placement, error) {
	return p.n.delivery.Place(q, shares)
}

// function is the step of the Lambda processor. A function that is compiled in takes the
// records as they come: its buffer would save no calls, and only cost time.
func (n *Node) function(p *stage.Pipeline, d *stream.Definition, l stream.Lambda) stage.Processor {
	if b, ok := blueprint.Find(l.ARN); ok {
		return blueprint.NewProcessor(b, l.ARN, n.opt.Now)
	}
	p.Bytes, p.Age, p.Parallel = int(l.MBs*(1<<20)), time.Duration(l.Interval)*time.Second, functionCalls
	return lambda.New(lambda.Options{
		Function: l.ARN, Retries: l.Retries, Stream: d.ARN, Region: n.opt.Config.Region,
		Invoker: n.functions, Now: n.opt.Now,
		Logger: n.log.With("room", "stage", "stream", d.Name),
	})
}
