package registry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"hydrant/internal/journal"
	"hydrant/internal/record"
	"hydrant/internal/stream"
)

// fakeLog is a journal's state in memory. Like the real one it makes a write wholly or not
// at all; fail decides about the n-th write, counted from 1.
type fakeLog struct {
	mu     sync.Mutex
	states map[string]record.State
	writes int
	fail   func(n int) fate
}

type fate int

const (
	stored  fate = iota
	refused      // nothing stored, an error
	lied         // stored, an error nevertheless
)

var errBroken = errors.New("the disk is gone")

var _ Log = journal.Engine(nil) // what it stands for

func newFakeLog() *fakeLog { return &fakeLog{states: map[string]record.State{}} }

// restart returns the log as the next process finds it.
func (l *fakeLog) restart() *fakeLog { return &fakeLog{states: l.states} }

func (l *fakeLog) Apply(_ context.Context, tx *record.Tx) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.writes++
	var f fate
	if l.fail != nil {
		f = l.fail(l.writes)
	}
	if f == refused {
		return fmt.Errorf("%w: %w", record.ErrUncertain, errBroken)
	}
	for _, w := range tx.States {
		if l.states[w.Key].Version != w.Old {
			return record.ErrConflict
		}
	}
	for _, w := range tx.States {
		if w.Value == nil {
			delete(l.states, w.Key)
			continue
		}
		l.states[w.Key] = record.State{Key: w.Key, Value: slices.Clone(w.Value), Version: w.Old + 1}
	}
	if f == lied {
		return fmt.Errorf("%w: %w", record.ErrUncertain, errBroken)
	}
	return nil
}

func (l *fakeLog) State(_ context.Context, key string) (record.State, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	st := l.states[key]
	st.Key = key
	return st, nil
}

func (l *fakeLog) States(_ context.Context, prefix string, fn func(record.State) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var keys []string
	for k := range l.states {
		if strings.HasPrefix(k, prefix) {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	for _, k := range keys {
		if err := fn(l.states[k]); err != nil {
			return err
		}
	}
	return nil
}

func options(quota int) Options {
	return Options{
		Region: "eu-west-1", Account: "123456789012", Quota: quota,
		Logger: slog.New(slog.DiscardHandler),
		Now:    func() time.Time { return time.UnixMilli(1768471200123) },
	}
}

func open(t *testing.T, log Log) *Registry {
	t.Helper()
	r, err := Open(t.Context(), log, options(0))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func wanted(name string) *stream.Definition {
	return &stream.Definition{Name: name, Type: stream.DirectPut, S3: &stream.S3Destination{BucketARN: "arn:aws:s3:::b"}}
}

func create(t *testing.T, r *Registry, name string) *stream.Definition {
	t.Helper()
	d, err := r.Create(t.Context(), wanted(name))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func createActive(t *testing.T, r *Registry, name string) *stream.Definition {
	t.Helper()
	d := create(t, r, name)
	if err := r.Activate(t.Context(), name, d.ID); err != nil {
		t.Fatal(err)
	}
	d, _ = r.Get(name)
	return d
}

func status(r *Registry, name string) stream.Status {
	d, ok := r.Get(name)
	if !ok {
		return "gone"
	}
	return d.Status
}

func TestANewStreamHasAnIdentityAndOutlivesTheProcess(t *testing.T) {
	log := newFakeLog()
	r := open(t, log)
	d := create(t, r, "clicks")
	if d.Status != stream.Creating || d.Version != 1 || d.Shards != 1 || d.ID == (record.StreamID{}) ||
		d.ARN != "arn:aws:firehose:eu-west-1:123456789012:deliverystream/clicks" || d.Created.UnixMilli() != 1768471200123 {
		t.Fatalf("created %+v", d)
	}
	got, ok := open(t, log.restart()).Find([]byte("clicks"))
	if !ok {
		t.Fatal("the stream is gone after a restart")
	}
	if diff := cmp.Diff(d, got); diff != "" {
		t.Fatal(diff)
	}
}

func TestANameIsTakenOnce(t *testing.T) {
	r := open(t, newFakeLog())
	first := create(t, r, "s")
	if _, err := r.Create(t.Context(), wanted("s")); !errors.Is(err, ErrExists) {
		t.Fatalf("second creation: %v", err)
	}
	if err := r.Room("s"); !errors.Is(err, ErrExists) {
		t.Fatalf("Room: %v", err)
	}
	if d, _ := r.Get("s"); d.ID != first.ID {
		t.Fatal("the second creation replaced the first")
	}
}

func TestADefinitionThatWasHandedOutNeverChanges(t *testing.T) {
	r := open(t, newFakeLog())
	before := create(t, r, "s")
	listed := r.All()
	if err := r.Activate(t.Context(), "s", before.ID); err != nil {
		t.Fatal(err)
	}
	if before.Status != stream.Creating || listed[0].Status != stream.Creating {
		t.Fatal("the old definition changed in its reader's hands")
	}
	if status(r, "s") != stream.Active {
		t.Fatal("the new definition does not show")
	}
}

func TestTheQuotaNamesWhoUsesItUp(t *testing.T) {
	r, err := Open(t.Context(), newFakeLog(), options(2))
	if err != nil {
		t.Fatal(err)
	}
	create(t, r, "b")
	create(t, r, "a")
	_, err = r.Create(t.Context(), wanted("c"))
	var quota *QuotaError
	if !errors.Is(err, ErrQuota) || !errors.As(err, &quota) || quota.Quota != 2 || !slices.Equal(quota.Names, []string{"a", "b"}) {
		t.Fatalf("third creation: %v", err)
	}
}

func TestListGoesOnBehindTheCursorWhetherItExistsOrNot(t *testing.T) {
	r := open(t, newFakeLog())
	for _, name := range []string{"b", "B", "a-1", "a", "a.1", "_"} {
		create(t, r, name)
	}
	for _, c := range []struct {
		after string
		limit int
		of    stream.Type
		want  []string
		more  bool
	}{
		{"", 10, "", []string{"B", "_", "a", "a-1", "a.1", "b"}, false},
		{"", 6, stream.DirectPut, []string{"B", "_", "a", "a-1", "a.1", "b"}, false},
		{"", 2, "", []string{"B", "_"}, true},
		{"_", 2, "", []string{"a", "a-1"}, true},
		{"a-", 10, "", []string{"a-1", "a.1", "b"}, false},
		{"b", 10, "", nil, false},
		{"", 10, stream.Kinesis, nil, false},
	} {
		names, more := r.List(c.after, c.limit, c.of)
		if !slices.Equal(names, c.want) || more != c.more {
			t.Errorf("List(%q, %d, %q) = %v, %v", c.after, c.limit, c.of, names, more)
		}
	}
}

// The column of Delete in the state table of spec section 2.2.
func TestDeleteFollowsTheStateTable(t *testing.T) {
	for _, c := range []struct {
		from, to stream.Status
		inUse    bool
	}{
		{stream.Creating, stream.Creating, true},
		{stream.Active, stream.Deleting, false},
		{stream.CreatingFailed, stream.Deleting, false},
		{stream.Deleting, stream.Deleting, false},
		{stream.DeletingFailed, stream.Deleting, false},
	} {
		r := open(t, newFakeLog())
		d := create(t, r, "s")
		err := r.change(t.Context(), "s", d.ID, func(d *stream.Definition) (bool, error) {
			d.Status, d.Failure = c.from, &stream.Failure{Type: "UNKNOWN_ERROR", Details: "x"}
			return true, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		err = r.Delete(t.Context(), "s")
		var in *StatusError
		if errors.As(err, &in) != c.inUse || errors.Is(err, ErrInUse) != c.inUse || err != nil != c.inUse {
			t.Errorf("delete while %s: %v", c.from, err)
		}
		if got := status(r, "s"); got != c.to {
			t.Errorf("delete while %s left it %s", c.from, got)
		}
	}
	if err := open(t, newFakeLog()).Delete(t.Context(), "s"); !errors.Is(err, ErrNotFound) {
		t.Errorf("delete of nothing: %v", err)
	}
}

func TestAnIncarnationIsNotTakenForItsSuccessor(t *testing.T) {
	r := open(t, newFakeLog())
	first := createActive(t, r, "s")
	if err := r.Remove(t.Context(), "s", first.ID); !errors.Is(err, ErrInUse) {
		t.Fatalf("an active stream was removed: %v", err)
	}
	if err := r.Delete(t.Context(), "s"); err != nil {
		t.Fatal(err)
	}
	if err := r.Remove(t.Context(), "s", first.ID); err != nil {
		t.Fatal(err)
	}
	second := create(t, r, "s")
	if second.ID == first.ID {
		t.Fatal("the same incarnation again")
	}
	if err := r.Activate(t.Context(), "s", first.ID); !errors.Is(err, ErrNotFound) {
		t.Fatalf("Activate of the first: %v", err)
	}
	if err := r.Remove(t.Context(), "s", first.ID); !errors.Is(err, ErrNotFound) {
		t.Fatalf("Remove of the first: %v", err)
	}
}

// Both outcomes of a write that failed: memory shows no more than was acknowledged, and a
// restart shows what the disk has.
func TestAFailedWriteChangesNothingInMemory(t *testing.T) {
	for _, c := range []struct {
		fate         fate
		afterRestart stream.Status
	}{{refused, "gone"}, {lied, stream.Creating}} {
		log := newFakeLog()
		log.fail = func(int) fate { return c.fate }
		r := open(t, log)
		if _, err := r.Create(t.Context(), wanted("s")); !errors.Is(err, record.ErrUncertain) {
			t.Fatalf("create: %v", err)
		}
		if got := status(r, "s"); got != "gone" {
			t.Errorf("unacknowledged stream is %s", got)
		}
		if got := status(open(t, log.restart()), "s"); got != c.afterRestart {
			t.Errorf("after the restart it is %s, want %s", got, c.afterRestart)
		}
	}
}

func TestAnotherWritersStreamIsSeenAfterTheConflict(t *testing.T) {
	log := newFakeLog()
	ours, theirs := open(t, log), open(t, log)
	d := createActive(t, theirs, "s")
	if _, err := ours.Create(t.Context(), wanted("s")); !errors.Is(err, ErrExists) {
		t.Fatalf("create: %v", err)
	}
	if err := theirs.Delete(t.Context(), "s"); err != nil {
		t.Fatal(err)
	}
	if err := ours.Delete(t.Context(), "s"); !errors.Is(err, record.ErrConflict) {
		t.Fatalf("delete with an old version: %v", err)
	}
	if err := theirs.Remove(t.Context(), "s", d.ID); err != nil {
		t.Fatal(err)
	}
	if err := ours.Remove(t.Context(), "s", d.ID); !errors.Is(err, record.ErrConflict) {
		t.Fatalf("remove with an old version: %v", err)
	}
	if got := status(ours, "s"); got != "gone" {
		t.Fatalf("the removed stream is %s", got)
	}
}

func TestADefinitionThatCannotBeReadIsNotDropped(t *testing.T) {
	for _, value := range []string{`{"name":"s"`, `{"name":"other"}`, `{"name":"s","fromTheFuture":1}`} {
		log := newFakeLog()
		log.states["stream/s"] = record.State{Key: "stream/s", Value: []byte(value), Version: 3}
		if _, err := Open(t.Context(), log, options(0)); err == nil || !strings.Contains(err.Error(), "stream/s") {
			t.Errorf("%s: %v", value, err)
		}
		if len(log.states) != 1 {
			t.Errorf("%s: the state is gone", value)
		}
	}
}

// world counts what the hooks were asked to do.
type world struct {
	mu     sync.Mutex
	calls  []string
	answer func(call string, n int) error // n counts that call, from 1
}

func (w *world) hook(what string) func(context.Context, *stream.Definition) error {
	return func(_ context.Context, d *stream.Definition) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		call := what + " " + d.Name
		w.calls = append(w.calls, call)
		n := 0
		for _, c := range w.calls {
			if c == call {
				n++
			}
		}
		if w.answer == nil {
			return nil
		}
		return w.answer(call, n)
	}
}

func (w *world) hooks() Hooks { return Hooks{Create: w.hook("create"), Delete: w.hook("delete")} }

// run runs r until the returned function is called, which waits for its end.
func run(t *testing.T, r *Registry, hooks Hooks) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx, hooks) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestAStreamLivesAndDies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := open(t, newFakeLog()), &world{}
		defer run(t, r, w.hooks())()
		create(t, r, "s")
		synctest.Wait()
		if got := status(r, "s"); got != stream.Active {
			t.Fatalf("after creation: %s", got)
		}
		if err := r.Delete(t.Context(), "s"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := status(r, "s"); got != "gone" {
			t.Fatalf("after deletion: %s", got)
		}
		if want := []string{"create s", "delete s"}; !slices.Equal(w.calls, want) {
			t.Fatalf("hooks: %v", w.calls)
		}
	})
}

func TestAStreamFoundAfterAnUncertainWriteBecomesActive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newFakeLog()
		log.fail = func(n int) fate {
			if n == 1 {
				return lied
			}
			return stored
		}
		r, w := open(t, log), &world{}
		defer run(t, r, w.hooks())()
		synctest.Wait()
		if _, err := r.Create(t.Context(), wanted("s")); !errors.Is(err, record.ErrUncertain) {
			t.Fatalf("create: %v", err)
		}
		if _, err := r.Create(t.Context(), wanted("s")); !errors.Is(err, ErrExists) {
			t.Fatalf("create again: %v", err)
		}
		synctest.Wait()
		if got := status(r, "s"); got != stream.Active {
			t.Fatalf("the stream that was there is %s", got)
		}
	})
}

func TestATransitionIsTriedUntilItSucceeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{answer: func(_ string, n int) error {
			if n < 20 {
				return errors.New("store is away")
			}
			return nil
		}}
		r := open(t, newFakeLog())
		defer run(t, r, w.hooks())()
		create(t, r, "s")
		time.Sleep(time.Minute)
		if got := status(r, "s"); got != stream.Creating {
			t.Fatalf("after a minute: %s", got)
		}
		time.Sleep(10 * time.Minute)
		if got := status(r, "s"); got != stream.Active {
			t.Fatalf("after eleven minutes: %s", got)
		}
	})
}

func TestAFailureForGoodIsKeptAndTheStreamCanBeDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failure := &stream.Failure{Type: "UNKNOWN_ERROR", Details: "no such thing"}
		w := &world{answer: func(call string, n int) error {
			if n == 1 {
				return fmt.Errorf("%s: %w", call, failure)
			}
			return nil
		}}
		r := open(t, newFakeLog())
		defer run(t, r, w.hooks())()
		create(t, r, "s")
		synctest.Wait()
		d, _ := r.Get("s")
		if d.Status != stream.CreatingFailed || *d.Failure != *failure {
			t.Fatalf("%s, %v", d.Status, d.Failure)
		}
		for _, want := range []stream.Status{stream.DeletingFailed, "gone"} {
			if err := r.Delete(t.Context(), "s"); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if got := status(r, "s"); got != want {
				t.Fatalf("%s, want %s", got, want)
			}
		}
	})
}

func TestASlowDeletionHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, newFakeLog())
		createActive(t, r, "slow")
		hooks := (&world{}).hooks()
		hooks.Delete = func(ctx context.Context, _ *stream.Definition) error {
			<-ctx.Done()
			return ctx.Err()
		}
		defer run(t, r, hooks)()
		if err := r.Delete(t.Context(), "slow"); err != nil {
			t.Fatal(err)
		}
		create(t, r, "quick")
		synctest.Wait()
		if status(r, "slow") != stream.Deleting || status(r, "quick") != stream.Active {
			t.Fatalf("slow is %s, quick is %s", status(r, "slow"), status(r, "quick"))
		}
	})
}

// The process dies at each write, with the write done and with it not done; the next one
// takes every stream to where it was going, and repeats no more than the hook.
func TestARestartGoesOnWhereACrashStopped(t *testing.T) {
	for n := 1; n <= 4; n++ {
		for _, how := range []fate{refused, lied} {
			t.Run(fmt.Sprintf("write %d %v", n, map[fate]string{refused: "lost", lied: "done"}[how]), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { crashAt(t, n, how) })
			})
		}
	}
}

// crashAt plays create, activate, delete, remove: one write each. From the n-th on nothing
// is answered any more.
func crashAt(t *testing.T, n int, how fate) {
	log := newFakeLog()
	log.fail = func(i int) fate {
		switch {
		case i < n:
			return stored
		case i == n:
			return how
		}
		return refused
	}
	r, w := open(t, log), &world{}
	stop := run(t, r, w.hooks())
	_, createErr := r.Create(t.Context(), wanted("s"))
	synctest.Wait()
	deleteErr := r.Delete(t.Context(), "s")
	synctest.Wait()
	stop()

	next, again := open(t, log.restart()), &world{}
	defer run(t, next, again.hooks())()
	synctest.Wait()
	want := map[int]map[fate]stream.Status{
		1: {refused: "gone", lied: stream.Active},
		2: {refused: stream.Active, lied: stream.Active},
		3: {refused: stream.Active, lied: "gone"},
		4: {refused: "gone", lied: "gone"},
	}[n][how]
	if got := status(next, "s"); got != want {
		t.Fatalf("it is %s, want %s; hooks before %v, after %v", got, want, w.calls, again.calls)
	}
	if createErr == nil && deleteErr == nil && want != "gone" {
		t.Fatal("an acknowledged deletion was forgotten")
	}
	if len(again.calls) > 1 {
		t.Fatalf("hooks after the restart: %v", again.calls)
	}
}

func TestManyClientsCreateAndDeleteAtOnce(t *testing.T) {
	r := open(t, newFakeLog())
	defer run(t, r, (&world{}).hooks())()
	var clients sync.WaitGroup
	for i := range 8 {
		clients.Go(func() {
			for j := range 20 {
				name := fmt.Sprintf("s-%d-%d", i, j)
				if _, err := r.Create(t.Context(), wanted(name)); err != nil {
					t.Error(err)
				}
				if _, ok := r.Get(name); !ok {
					t.Errorf("%s cannot be seen by its maker", name)
				}
				if err := r.Delete(t.Context(), name); err != nil && !errors.Is(err, ErrInUse) {
					t.Error(err)
				}
			}
		})
	}
	clients.Wait()
}

func BenchmarkFind(b *testing.B) {
	log := newFakeLog()
	r, err := Open(b.Context(), log, options(0))
	if err != nil {
		b.Fatal(err)
	}
	for i := range 1000 {
		if _, err := r.Create(b.Context(), wanted(fmt.Sprintf("stream-%d", i))); err != nil {
			b.Fatal(err)
		}
	}
	name := []byte("stream-500")
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := r.Find(name); !ok {
			b.Fatal("not found")
		}
	}
}
