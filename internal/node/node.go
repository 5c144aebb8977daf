package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"hydrant/internal/aws"
	"hydrant/internal/config"
	"hydrant/internal/deliver"
	"hydrant/internal/durable"
	"hydrant/internal/encode/compress"
	"hydrant/internal/encode/delimited"
	"hydrant/internal/encode/lines"
	"hydrant/internal/errorlog"
	"hydrant/internal/firehose"
	"hydrant/internal/identity"
	"hydrant/internal/ingest"
	"hydrant/internal/journal"
	"hydrant/internal/journal/pebble"
	"hydrant/internal/process/lambda"
	"hydrant/internal/registry"
	"hydrant/internal/service/glue"
	"hydrant/internal/service/kms"
	functions "hydrant/internal/service/lambda"
	"hydrant/internal/service/logs"
	s3store "hydrant/internal/service/s3"
	"hydrant/internal/stage"
	"hydrant/internal/stream"
	"hydrant/internal/telemetry"
	"hydrant/internal/vault"
)

// Options are what a node is built from. Config, Version and Logger are required.
type Options struct {
	Config  config.Config
	Version string
	Logger  *slog.Logger
	Now     func() time.Time // wall clock; nil: time.Now

	// The rest is for tests that own the disk and the network.
	JournalFS       vfs.FS            // nil: the real disk
	StoreTransport  http.RoundTripper // reaches the object store; nil: the network, or in process
	RemoteTransport http.RoundTripper // reaches other neighbours that are elsewhere; nil: the network
	PartBytes       int64             // of multipart uploads; 0: the default
}

// Node is the parts of one Hydrant.
type Node struct {
	opt         Options
	log         *slog.Logger
	credentials *identity.Store
	engine      *pebble.Engine
	store       *s3store.Store // nil when another server is used
	kms         *kms.Service
	keys        vault.Keys // that streams and objects name: those of kms, or of another KMS
	vault       *vault.Vault
	logs        *logs.Service // nil when another CloudWatch Logs is used
	errors      *errorlog.Log
	lambda      *functions.Service // nil when another Lambda is used
	functions   lambda.Invoker
	glue        *glue.Service // nil when another Glue Data Catalog is used
	tables      tables
	conversions *conversions
	stage       *stage.Manager
	registry    *registry.Registry
	ingest      *ingest.Ingest
	delivery    *deliver.Manager
	buffers     *aws.Buffers
	server      *aws.Server
	metrics     *telemetry.Metrics

	damages atomic.Uint64
	failure chan error // capacity 1: the journal failed
	ready   atomic.Bool
}

// Open opens the data directory and builds the node on it. Nothing runs yet.
func Open(ctx context.Context, opt Options) (_ *Node, err error) {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	n := &Node{opt: opt, log: opt.Logger, metrics: telemetry.New(opt.Version), failure: make(chan error, 1)}
	defer func() {
		if err != nil {
			err = errors.Join(err, n.Close())
		}
	}()
	for _, step := range []func(context.Context) error{
		n.openData, n.openJournal, n.openKeys, n.openStore, n.openLogs, n.openTables, n.openStage, n.openDelivery, n.openStreams, n.openAPI,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// Close gives everything back. The node must not run any more.
func (n *Node) Close() error {
	var errs []error
	if n.lambda != nil { // its last lines go to the log groups
		if err := n.lambda.Close(); err != nil {
			errs = append(errs, fmt.Errorf("close the functions: %w", err))
		}
	}
	if n.logs != nil {
		if err := n.logs.Close(); err != nil {
			errs = append(errs, fmt.Errorf("close the log groups: %w", err))
		}
	}
	if n.engine != nil {
		if err := n.engine.Close(); err != nil {
			errs = append(errs, fmt.Errorf("close the journal: %w", err))
		}
	}
	return errors.Join(errs...)
}

func (n *Node) path(elem ...string) string {
	return filepath.Join(append([]string{n.opt.Config.Data}, elem...)...)
}

func (n *Node) openData(context.Context) error {
	if err := durable.MkdirAll(n.opt.Config.Data, 0o700); err != nil {
		return fmt.Errorf("make the data directory: %w", err)
	}
	return nil
}

// openJournal comes first of what is kept: its lock keeps a second process out of the
// whole data directory.
func (n *Node) openJournal(ctx context.Context) (err error) {
	c, share := n.opt.Config, sharesOf(n.opt.Config.Memory)
	n.engine, err = pebble.Open(ctx, pebble.Options{
		Dir:           n.path("journal"),
		FS:            n.opt.JournalFS,
		MemTableBytes: share.memTable,
		CacheBytes:    share.cache,
		MaxBytes:      uint64(c.Storage.MaxBytes),
		MinFree:       uint64(c.Storage.MinFree),
		DamagedDir:    n.path("damaged"),
		Logger:        n.log.With("room", "journal"),
		OnDamage:      n.noteDamage,
		OnFailure:     n.fail,
	})
	if errors.Is(err, pebble.ErrLocked) {
		return fmt.Errorf("another process uses the data directory %s: stop it, or choose another one with --data: %w", c.Data, err)
	}
	if err != nil {
		return fmt.Errorf("open the journal in %s: %w", n.path("journal"), err)
	}
	n.credentials, err = identity.Load(c.Data)
	return err
}

func (n *Node) noteDamage(d journal.Damage) {
	n.damages.Add(1)
	n.log.Error("part of the journal cannot be read; it was set aside and the rest is served",
		"file", d.File, "copy", d.Copy, "reason", d.Reason, "salvaged_batches", d.Salvaged,
		"next", "stop the node and run hydrant doctor --data "+n.opt.Config.Data)
}

// fail ends the node: the journal cannot be written any more.
func (n *Node) fail(err error) {
	select {
	case n.failure <- err:
	default:
	}
}

// formats finds encodings for delivery.
type formats struct {
	pool  *compress.Pool
	files *conversions
}

// Encoding implements deliver.Encodings.
func (f formats) Encoding(of deliver.Format) (deliver.Encoding, error) {
	if of.Conversion != nil {
		return f.files.encoding(of.Conversion)
	}
	e, err := f.compressed(of)
	if of.Delimited && err == nil {
		return delimited.New(e), nil
	}
	return e, err
}

func (f formats) compressed(of deliver.Format) (deliver.Encoding, error) {
	switch of.Compression {
	case stream.Gzip:
		return compress.Gzip(f.pool, of.Level), nil
	case stream.Zip:
		return compress.Zip(f.pool, of.Level), nil
	case stream.Snappy:
		return compress.Snappy(f.pool), nil
	case stream.HadoopSnappy:
		return compress.HadoopSnappy(f.pool), nil
	case stream.Uncompressed:
		return lines.New(), nil
	}
	return nil, fmt.Errorf("compression format %s is not supported", of.Compression)
}

// uploadSlots is how many calls to the object store run at once, over all streams.
const uploadSlots = 32

func (n *Node) openDelivery(ctx context.Context) error {
	share := sharesOf(n.opt.Config.Memory)
	dest, err := n.destination(ctx)
	if err != nil {
		return fmt.Errorf("set up the object store: %w", err)
	}
	pool := compress.NewPool(runtime.GOMAXPROCS(0))
	n.conversions = n.newConversions(share.delivery)
	n.delivery = deliver.NewManager(deliver.Options{
		Log:         opened{n.engine, n.vault},
		Stage:       staged{n.stage},
		Destination: dest,
		Encodings:   formats{pool, n.conversions},
		Conversion:  n.conversions.of,
		Pieces:      n.pieces,
		GzipLevel:   n.opt.Config.Delivery.GzipLevel,
		Partitions:  func(stream string) int { return n.opt.Config.Quotas.Of(stream).Partitions },
		Memory:      deliver.NewMemory(share.delivery),
		PartBytes:   n.opt.PartBytes,
		Uploads:     deliver.NewSlots(uploadSlots),
		Now:         n.opt.Now,
		Logger:      n.log.With("room", "deliver"),
		OnObject:    n.metrics.Object,
		OnFailure:   n.failed,
	})
	n.ingest = ingest.New(ingest.Options{
		Log:        n.engine,
		Packer:     compress.NewPacker(pool),
		Now:        n.opt.Now,
		GzipLevel:  n.opt.Config.Delivery.GzipLevel,
		OnAppend:   n.delivery.Wake,
		Sealer:     n.sealer,
		Quota:      n.quota(),
		OnThrottle: n.metrics.Throttled,
	})
	return n.delivery.Load(ctx)
}

// quota finds the quotas of streams for the door; nil if there are none.
func (n *Node) quota() func(string) ingest.Quota {
	all := n.opt.Config.Quotas
	if all.Default == (config.Quota{}) && len(all.PerStream) == 0 {
		return nil
	}
	return func(name string) ingest.Quota {
		q := all.Of(name)
		return ingest.Quota{Records: float64(q.Records), Requests: float64(q.Requests), Bytes: float64(q.Bytes)}
	}
}

// openStreams reads the definitions and prepares the delivery of every stream that has data.
func (n *Node) openStreams(ctx context.Context) (err error) {
	n.registry, err = registry.Open(ctx, n.engine, registry.Options{
		Partition: partition, Region: n.opt.Config.Region, Account: n.opt.Config.Account, Quota: n.opt.Config.Quotas.Streams,
		Logger: n.log.With("room", "registry"), Now: n.opt.Now, OnChange: n.changed,
	})
	if err != nil {
		return fmt.Errorf("read the stream definitions: %w", err)
	}
	for _, d := range n.registry.All() {
		if d.Status != stream.Active {
			continue // the registry's hooks see to the others
		}
		if err := n.begin(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

// begin prepares processing and delivery of a stream.
func (n *Node) begin(ctx context.Context, d *stream.Definition) error {
	if err := n.stage.Start(ctx, d); err != nil {
		return err
	}
	return n.delivery.Start(ctx, d)
}

// changed has delivery follow a change of a stream.
func (n *Node) changed(ctx context.Context, d *stream.Definition) {
	if d.Status != stream.Active {
		return
	}
	// Processors first: who is handed over to them must meet the new ones.
	if err := errors.Join(n.stage.Update(d), n.delivery.Update(ctx, d)); err != nil {
		n.log.Error("the stream goes on delivering by its former configuration", "stream", d.Name, "error", err,
			"next", "update the stream once more")
	}
}

// hooks are what happens when streams come and go.
func (n *Node) hooks() registry.Hooks {
	return registry.Hooks{
		Create: n.begin,
		Delete: func(ctx context.Context, d *stream.Definition) error {
			n.ingest.Close(d)
			if err := n.endProcessing(ctx, d); err != nil {
				return err
			}
			if err := n.delivery.Discard(ctx, d); err != nil {
				return err
			}
			n.stage.Forgotten(d.ID)
			n.conversions.forget(d.ID)
			return n.vault.Forget(ctx, d.ID)
		},
		Encrypt: n.encrypt,
	}
}

// partition is the first part of ARNs.
const partition = "aws"

// bodyWait is how long a request waits for memory before it is told to slow down.
const bodyWait = 10 * time.Second

func (n *Node) openAPI(context.Context) error {
	c := n.opt.Config
	n.buffers = aws.NewBuffers(sharesOf(c.Memory).bodies, bodyWait)
	n.server = aws.NewServer(aws.Options{
		Partition: partition, Region: c.Region, Account: c.Account,
		Credentials: n.credentials, Authorizer: n.credentials, Buffers: n.buffers,
		Logger: n.log.With("room", "aws"), Now: n.opt.Now,
	})
	api := firehose.New(firehose.Options{
		Partition: partition, Region: c.Region, Account: c.Account,
		Streams: n.registry, Door: n.ingest, Rules: n.rules, Metrics: n.metrics, Now: n.opt.Now,
		AllowControl: n.control(),
	})
	n.server.Handle("firehose", api.JSON())
	n.server.Handle("hydrant", n.operators())
	if n.keys == n.kms { // another KMS is asked where it is
		n.server.Handle("kms", n.kms.JSON())
	}
	if n.logs != nil {
		n.server.Handle("logs", n.logs.JSON())
	}
	if n.lambda != nil {
		n.server.Handle("lambda", n.lambda.REST())
	}
	if n.glue != nil {
		n.server.Handle("glue", n.glue.JSON())
	}
	if n.store != nil {
		n.server.Handle("s3", &aws.S3{Handler: n.store, Refuse: n.store.Refuse})
	}
	return n.observe()
}

// observe shows the node's figures on the metrics page.
func (n *Node) observe() error {
	return n.metrics.Observe(n.samples, telemetry.Gauges{
		JournalSyncs:  n.engine.Syncs,
		JournalBytes:  func() uint64 { return n.engine.Space().Stored },
		JournalFree:   func() uint64 { return n.engine.Space().Free },
		Damages:       n.damages.Load,
		BodyBytesUsed: n.buffers.Budget().Used,
	})
}

func (n *Node) samples() []telemetry.Sample {
	all := n.delivery.Statuses(context.Background())
	out := make([]telemetry.Sample, len(all))
	for i, s := range all {
		out[i] = telemetry.Sample{
			Stream: s.Name, Pending: telemetry.Figures(s.Pending), Fails: s.Fails,
			Paused: s.Paused, Oldest: n.age(s.Oldest), Backup: backupOf(s), Partitions: partitionsOf(s),
			Objects: s.Objects, ObjectBytes: s.ObjectBytes,
			Outcomes: map[string]telemetry.Figures{
				telemetry.Received:  telemetry.Figures(s.Received),
				telemetry.Delivered: telemetry.Figures(s.Delivered),
				telemetry.Dropped:   telemetry.Figures(s.Dropped),
				telemetry.Failed:    telemetry.Figures(s.Failed),
				telemetry.Discarded: telemetry.Figures(s.Discarded),
			},
		}
	}
	return out
}
