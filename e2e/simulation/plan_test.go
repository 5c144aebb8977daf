package simulation

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// plan is what the seed decides of a run before it begins.
type plan struct {
	seed      uint64
	lives     []death // a calm one follows
	clients   int
	puts      int // of each client
	pace      time.Duration
	streams   int
	partBytes int64
	memory    int64
	gzipLevel int
	keys      int  // how many partition keys records have
	quota     int  // of open partitions; 0: none
	heavy     bool // much comes into few partitions, and their buffers shrink
	chance    chances
}

// chances are which troubles a run knows beside the deaths.
type chances struct {
	weather, outage, clock, consumer, deletion, space, damage, update, encryption, backup, processing, partitions, operation, conversion bool
}

// kind is how a life ends.
type kind int

const (
	calm          kind = iota // not at all, until the run is over
	atDiskBefore              // before the at-th change of the disk
	atDiskAfter               // after it
	atStoreBefore             // before the at-th request to the store
	atStoreAfter              // after the store did it, before the answer
	atTime                    // after some time
	cleanStop                 // in order, after some time
	failingSync               // some syncs from the at-th change on fail
	failingWrite              // some writes from the at-th change on fail
)

var kindNames = [...]string{
	"calm", "crash before a change of the disk", "crash after a change of the disk",
	"crash before a request to the store", "crash after a request to the store",
	"crash at some time", "clean stop", "disk: failing sync", "disk: failing write",
}

// death is how a life ends, and what is left of the disk.
type death struct {
	kind  kind
	at    int64
	fails int64         // how many syncs or writes fail
	after time.Duration // at the latest
	kept  int           // percent of what was not synced; 100 is a killed process, less a power cut
}

func (d death) String() string {
	return fmt.Sprintf("%s (at %d, within %s, keeping %d%% of what is not synced)", kindNames[d.kind], d.at, d.after, d.kept)
}

// newPlan draws a plan.
func newPlan(seed uint64) plan {
	r := dice(seed, "plan")
	p := plan{
		seed:      seed,
		clients:   1 + r.IntN(4),
		puts:      10 + r.IntN(40),
		pace:      time.Duration(1+r.IntN(30)) * 400 * time.Millisecond,
		streams:   1 + r.IntN(4),
		partBytes: []int64{128 << 10, 256 << 10, 1 << 20, 5 << 20}[r.IntN(4)],
		memory:    []int64{64 << 20, 128 << 20, 256 << 20}[r.IntN(3)],
		gzipLevel: []int{1, 1, 6}[r.IntN(3)],
	}
	p.chance = chances{
		weather: r.IntN(4) > 0, outage: r.IntN(8) == 0, clock: r.IntN(3) == 0, consumer: r.IntN(3) == 0,
		deletion: r.IntN(2) == 0, space: r.IntN(4) == 0, damage: r.IntN(8) == 0,
	}
	changes := dice(seed, "changes")
	p.chance.update = changes.IntN(2) == 0
	// Damage may take a data key, and with it more than the damaged bytes: not a story to tell here.
	p.chance.encryption = changes.IntN(3) == 0 && !p.chance.damage
	p.chance.backup = dice(seed, "backups").IntN(2) == 0
	p.chance.processing = dice(seed, "processing").IntN(2) == 0
	parts := dice(seed, "partitions")
	p.chance.partitions = parts.IntN(3) == 0
	p.keys, p.quota = []int{1, 3, 20, 200}[parts.IntN(4)], []int{0, 500, 20, 3}[parts.IntN(4)]
	if p.heavy = p.chance.partitions && parts.IntN(6) == 0; p.heavy {
		p.keys, p.chance.update = 1, true
	}
	// Damage may take a table, and nobody here makes it again.
	p.chance.conversion = dice(seed, "conversion").IntN(2) == 0 && !p.chance.damage
	p.chance.operation = dice(seed, "operation").IntN(2) == 0
	for range 1 + r.IntN(6) {
		p.lives = append(p.lives, newDeath(r))
	}
	return p
}

func newDeath(r *rand.Rand) death {
	d := death{after: time.Duration(1+r.IntN(600)) * time.Second, kept: []int{0, 0, 50, 100, r.IntN(101)}[r.IntN(5)]}
	switch n := r.IntN(20); {
	case n < 4:
		d.kind, d.at = atDiskBefore, spread(r, 600)
	case n < 8:
		d.kind, d.at = atDiskAfter, spread(r, 600)
	case n < 11:
		d.kind, d.at = atStoreBefore, spread(r, 60)
	case n < 14:
		d.kind, d.at = atStoreAfter, spread(r, 60)
	case n < 15:
		d.kind = atTime
	case n < 17:
		d.kind = cleanStop
	case n < 19:
		d.kind, d.at, d.fails = failingSync, spread(r, 600), spread(r, 12)
	default:
		d.kind, d.at, d.fails = failingWrite, spread(r, 600), spread(r, 12)
	}
	return d
}

// spread draws from 1 to most, small numbers as often as large ones by magnitude: the first
// steps of a life matter as much as its middle.
func spread(r *rand.Rand, most float64) int64 {
	return int64(math.Exp(r.Float64() * math.Log(most)))
}

// dice are those of one part of a run: each rolls its own, so that one more roll in one
// part changes nothing in another.
func dice(seed uint64, part string) *rand.Rand {
	h := uint64(14695981039346656037)
	for _, c := range []byte(part) {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return rand.New(rand.NewPCG(seed, h))
}
