package simulation

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"hydrant/internal/config"
	"hydrant/internal/dest/s3/s3fake"
	"hydrant/internal/identity"
	"hydrant/internal/node"
)

// world is one run.
type world struct {
	t     *testing.T
	plan  plan
	story *story
	store *s3fake.Fake
	data  string // the part of the data directory that is not simulated: the root key
	fill  filler
	root  identity.Credentials

	offset atomic.Int64 // how far the node's clock is off, nanoseconds
	full   atomic.Bool  // the disk takes no more writes
	scarce atomic.Bool  // the disk says that it is nearly full
	sick   atomic.Bool  // the function does not do what it should

	mu      sync.Mutex
	current *life // nil while no node runs
	disk    *vfs.MemFS
	books   books
	streams []*streamLife
	damaged int // bytes flipped at rest
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{
		t: t, plan: newPlan(seed), story: newStory(), store: s3fake.New(bucket), data: t.TempDir(),
		fill: newFiller(dice(seed, "filler")), disk: vfs.NewCrashableMem(),
	}
	w.books.records = map[name]*note{}
	w.books.parts = map[name]*note{}
	w.books.ids = map[string]name{}
	keys, err := identity.Load(w.data)
	if err != nil {
		t.Fatal(err)
	}
	w.root = keys.Root()
	w.store.SetMinPart(int(w.plan.partBytes))
	gluing, rowing := dice(seed, "gluing"), dice(seed, "rowing")
	for i := range w.plan.streams {
		s := &streamLife{number: uint32(i), name: fmt.Sprintf("s%d", i), gluing: w.plan.drawGluing(gluing)}
		s.drawTable(&w.plan, rowing.IntN(5) < 2)
		w.streams = append(w.streams, s)
	}
	return w
}

// now is the clock of the node and its clients.
func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.offset.Load())) }

// sleep waits, and says false if ctx ended first.
func (w *world) sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return ctx.Err() == nil
	}
}

// life is one process.
type life struct {
	w        *world
	number   int
	death    death
	disk     *disk
	node     *node.Node
	done     chan error // of Run
	stop     context.CancelFunc
	failures atomic.Int64 // how often its disk was told to fail
	hurt     atomic.Bool  // its disk has failed it

	// Under w.mu.
	dead   bool
	left   *vfs.MemFS // of the disk, at the moment of death
	busy   int        // requests being answered
	closed bool       // takes no more requests
	idle   chan struct{}
	ended  chan struct{} // closed at death
}

// crash ends the life at this moment: what the disk holds now is what the next life finds,
// and no answer is heard from now on. The process itself does not notice and goes on for a
// while, as one does whose machine is cut off.
func (l *life) crash(what string) {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	l.die(kindNames[l.death.kind], what)
}

// die notes the death. w.mu is held.
func (l *life) die(how, what string) {
	if l.dead {
		return
	}
	l.dead = true
	cfg := vfs.CrashCloneCfg{UnsyncedDataPercent: l.death.kept}
	if cfg.UnsyncedDataPercent > 0 {
		cfg.RNG = dice(l.w.plan.seed, fmt.Sprint("cut", l.number))
	}
	l.left = l.disk.mem.CrashClone(cfg)
	l.w.story.happened(how, "%s, in life %d, after %d changes of the disk, keeping %d%%", what, l.number, l.disk.points.Load(), l.death.kept)
	close(l.ended)
}

func (l *life) isDead() bool {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	return l.dead
}

// begin opens a node on the disk. It returns nil if the life was over before it began.
func (w *world) begin(number int, d death) *life {
	l := &life{w: w, number: number, death: d, ended: make(chan struct{}), done: make(chan error, 1)}
	l.disk = &disk{FS: w.disk, mem: w.disk, life: l}
	w.story.tell("life %d begins: %s", number, d)
	n, err := node.Open(w.t.Context(), node.Options{
		Config: w.config(), Version: "simulation", Logger: w.story.logger(number), Now: w.now,
		JournalFS: l.disk, StoreTransport: &wire{life: l, store: w.store.Transport()}, PartBytes: w.plan.partBytes,
		RemoteTransport: w.functions(l),
	})
	if err != nil {
		l.failToOpen(err)
		return nil
	}
	l.node = n
	ctx, stop := context.WithCancel(context.Background())
	l.stop = stop
	go func() { l.done <- n.Run(ctx) }()
	w.mu.Lock()
	w.current = l
	w.mu.Unlock()
	return l
}

// failToOpen judges a node that did not come up: only a failing disk excuses it.
func (l *life) failToOpen(err error) {
	w := l.w
	w.mu.Lock()
	defer w.mu.Unlock()
	w.story.tell("life %d did not begin: %v", l.number, err)
	if !l.dead && !l.hurt.Load() {
		w.books.fault("life %d did not begin, although the disk was well: %v", l.number, err)
	}
	l.die("disk: node could not start", "opening")
	w.disk = l.left
}

func (w *world) config() config.Config {
	c := config.Defaults()
	c.Data = w.data
	c.Memory = config.Size(w.plan.memory)
	c.Delivery.GzipLevel = w.plan.gzipLevel
	c.Endpoints = map[string]config.Endpoint{"s3": {URL: "http://store", AccessKey: "AKIASIMULATION", SecretKey: "simulated secret"}}
	c.Delivery.SmallBuffers = w.plan.chance.partitions || w.plan.chance.conversion
	c.Quotas.Default.Partitions = w.plan.quota
	if w.plan.chance.processing {
		c.Endpoints["lambda"] = config.Endpoint{URL: "http://functions", AccessKey: "AKIASIMULATION", SecretKey: "simulated secret"}
	}
	return c
}

// live waits for the life's death, helps it along, and leaves the disk for the next life.
func (l *life) live() {
	t := time.NewTimer(l.death.after)
	defer t.Stop()
	var failure error
	select {
	case <-l.ended:
	case failure = <-l.done:
		l.done <- failure
	case <-t.C:
	}
	switch {
	case l.death.kind == cleanStop && failure == nil && !l.isDead():
		l.stopInOrder()
		return
	case failure != nil:
		l.stoppedItself(failure)
	default:
		l.crash("its time was over")
	}
	l.bury()
}

// stoppedItself notes that the node gave up, which only a failing disk excuses.
func (l *life) stoppedItself(err error) {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	l.w.story.tell("life %d stopped by itself: %v", l.number, err)
	if !l.dead && !l.hurt.Load() {
		l.w.books.fault("life %d stopped by itself, although its disk was well: %v", l.number, err)
	}
	l.die("node stopped by itself", "its disk failed")
}

// bury ends what still runs of a dead life.
func (l *life) bury() {
	w := l.w
	w.mu.Lock()
	w.current = nil
	w.disk = l.left
	w.mu.Unlock()
	l.stop()
	if err := <-l.done; err != nil {
		w.story.tell("life %d ran into: %v", l.number, err)
	}
	if err := l.node.Close(); err != nil {
		w.story.tell("life %d closed with: %v", l.number, err)
	}
}

// stopInOrder does what the process does on SIGTERM: it answers what it was asked, ends
// delivery, closes the journal.
func (l *life) stopInOrder() {
	w := l.w
	w.mu.Lock()
	l.closed = true
	var idle chan struct{}
	if l.busy > 0 {
		idle = make(chan struct{})
		l.idle = idle
	}
	w.mu.Unlock()
	if idle != nil {
		select {
		case <-idle:
		case <-time.After(10 * time.Second): // as long as the real one waits
		}
	}
	l.stop()
	err := <-l.done
	err = errors.Join(err, l.node.Close())
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil && !l.dead && !l.hurt.Load() {
		w.books.fault("life %d did not stop in order: %v", l.number, err)
	}
	l.die(kindNames[cleanStop], "as asked")
	w.current, w.disk = nil, l.left
}

// enter lets a request in; nil: nobody answers.
func (w *world) enter() *life {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := w.current
	if l == nil || l.closed || l.dead {
		return nil
	}
	l.busy++
	return l
}

// leave ends a request and has note called if its answer was heard.
func (l *life) leave(note func(heard bool)) {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	note(!l.dead)
	l.busy--
	if l.busy == 0 && l.idle != nil {
		close(l.idle)
		l.idle = nil
	}
}

// run is the whole story.
func (w *world) run() {
	w.story.tell("seed %d: %d clients of %d puts, %d streams, parts of %d, %+v", w.plan.seed,
		w.plan.clients, w.plan.puts, w.plan.streams, w.plan.partBytes, w.plan.chance)
	calmed := make(chan struct{})
	go func() {
		defer close(calmed)
		w.trouble()
	}()
	number := 0
	for _, d := range w.plan.lives {
		number++
		if l := w.begin(number, d); l != nil {
			l.live()
			w.damage(number)
		}
	}
	for !w.finish(number, calmed) {
		number++
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.judgeJournal()
}

// trouble runs the clients and everything that makes their lives hard, until they are done.
func (w *world) trouble() {
	ctx, calmDown := context.WithCancel(context.Background())
	var clients, others sync.WaitGroup
	made := make(chan struct{})
	others.Go(func() { w.rule(ctx, made) })
	for i := range w.plan.clients {
		clients.Go(func() { <-made; w.produce(uint32(i)) })
	}
	others.Go(func() { w.operate(ctx, made) })
	others.Go(func() { w.widen(ctx, made) })
	others.Go(func() { w.climate(ctx) })
	others.Go(func() { w.troubleClock(ctx) })
	others.Go(func() { w.troubleDisk(ctx) })
	others.Go(func() { w.troubleFunctions(ctx) })
	if w.plan.chance.consumer {
		others.Go(func() { w.consume(ctx) })
	}
	clients.Wait()
	calmDown()
	others.Wait()
	w.story.tell("all is calm")
}

// finish lives a calm life to the verdict. It says false if the life was cut short by a
// full disk.
func (w *world) finish(number int, calmed <-chan struct{}) bool {
	l := w.begin(number+1, death{kind: calm, kept: 100})
	if l == nil {
		time.Sleep(30 * time.Second)
		return number > len(w.plan.lives)+1000
	}
	select {
	case err := <-l.done:
		l.done <- err
		l.stoppedItself(err)
		l.bury()
		return false
	case <-calmed:
	}
	w.settle(l)
	l.stopInOrder()
	return true
}

// troubleClock makes the node's clock jump.
func (w *world) troubleClock(ctx context.Context) {
	r := dice(w.plan.seed, "clock")
	for w.plan.chance.clock && w.sleep(ctx, time.Duration(10+r.IntN(300))*time.Second) {
		to := time.Duration(r.IntN(14401)-7200) * time.Second
		w.offset.Store(int64(to))
		w.story.happened("clock: jump", "to %s off", to)
	}
}

// troubleDisk makes room on the disk scarce, or none at all, for a while.
func (w *world) troubleDisk(ctx context.Context) {
	r := dice(w.plan.seed, "space")
	for w.plan.chance.space && w.sleep(ctx, time.Duration(10+r.IntN(300))*time.Second) {
		which, what := &w.scarce, "disk: nearly full"
		if r.IntN(3) == 0 {
			which, what = &w.full, "disk: full"
		}
		which.Store(true)
		w.story.happened(what, "for a while")
		w.sleep(ctx, time.Duration(1+r.IntN(120))*time.Second)
		which.Store(false)
		w.story.tell("there is room again")
	}
}
