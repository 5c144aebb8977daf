package pebble

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable/block"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Sizes and limits of the store. A log that is appended and soon trimmed wants few, large
// tables, and compactions that rarely move what will be gone in a minute.
const (
	tableBytes    = 16 << 20
	indexBytes    = 1 << 20 // one index block per table
	manifestBytes = 1 << 20 // a short manifest opens fast
	openFiles     = 256
	trimFlush     = 5 * time.Second // how soon trimmed entries free their room

	// l0Depth is how many flushes lie on each other before they are compacted. Most data is
	// delivered and trimmed before: at 4, Pebble's own choice, a cycle of append, read and
	// trim costs half as much processor time again.
	l0Depth = 12

	// l0Stop is out of reach: a table that cannot be compacted until it is treated must not
	// stop writes, since a rebuild waits for them.
	l0Stop = 1000
)

// pebbleOptions says how Pebble is run.
func (e *Engine) pebbleOptions(fs vfs.FS, lock *pebble.Lock) *pebble.Options {
	o := &pebble.Options{
		FS:                          fs,
		Lock:                        lock,
		FormatMajorVersion:          pebble.FormatNewest,
		CacheSize:                   e.opt.CacheBytes,
		MemTableSize:                e.opt.MemTableBytes,
		MemTableStopWritesThreshold: 3,
		L0CompactionThreshold:       l0Depth,
		L0StopWritesThreshold:       l0Stop,
		LBaseMaxBytes:               256 << 20,
		MaxManifestFileSize:         manifestBytes,
		MaxOpenFiles:                openFiles,
		FlushDelayDeleteRange:       trimFlush,
		CompactionConcurrencyRange:  func() (int, int) { return 1, 2 }, // the second when behind
		Logger:                      pebbleLog{e.log, e.broken},
		EventListener: &pebble.EventListener{
			BackgroundError: e.backgroundError,
			DataCorruption:  func(i pebble.DataCorruptionInfo) { e.medic.admit(i.Path) },
		},
	}
	o.Experimental.FileCacheShards = 2
	o.Experimental.ReadSamplingMultiplier = -1 // no compactions because of reads
	for i := range o.TargetFileSizes {
		o.TargetFileSizes[i] = tableBytes
	}
	for i := range o.Levels {
		o.Levels[i].Compression = func() *block.CompressionProfile { return block.NoCompression }
		o.Levels[i].IndexBlockSize = indexBytes
	}
	o.EnsureDefaults()
	return o
}

// backgroundError is told of flushes and compactions that failed; Pebble tries them again.
// It may be called with Pebble's locks held.
func (e *Engine) backgroundError(err error) {
	if pebble.IsCorruptionError(err) {
		return // DataCorruption has the details
	}
	e.log.Warn("journal could not tidy up; it will try again", "error", err)
}

// broken is called for a broken assumption in Pebble. It does not return.
func (e *Engine) broken(err error) {
	e.disk.freeze("use", e.opt.Dir, err)
	e.log.Error("the journal cannot go on", "error", err)
	e.opt.OnBroken(err)
	panic(err)
}

// pebbleLog is Pebble's logger.
type pebbleLog struct {
	log    *slog.Logger
	broken func(error)
}

func (l pebbleLog) Infof(format string, args ...any) {
	l.log.Debug("journal", "pebble", fmt.Sprintf(format, args...))
}

func (l pebbleLog) Errorf(format string, args ...any) {
	l.log.Warn("journal", "pebble", fmt.Sprintf(format, args...))
}

func (l pebbleLog) Fatalf(format string, args ...any) {
	l.broken(fmt.Errorf("pebble: "+format, args...))
}
