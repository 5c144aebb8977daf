package aws

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheBudgetServesThoseWhoWaitInTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(10)
		if n, ok := b.TryAcquire(8); !ok || n != 8 {
			t.Fatal(n, ok)
		}
		var mu sync.Mutex
		var order []int64
		for _, n := range []int64{5, 2, 3} {
			go func() {
				if _, err := b.Acquire(context.Background(), n); err != nil {
					t.Error(err)
				}
				mu.Lock()
				order = append(order, n)
				mu.Unlock()
			}()
			synctest.Wait()
		}
		// Two bytes are free, but the one who wants five was first.
		if len(order) != 0 || b.Waiting() != 3 {
			t.Fatalf("served %v, waiting %d", order, b.Waiting())
		}
		if _, ok := b.TryAcquire(1); ok {
			t.Fatal("somebody passed the line")
		}
		b.Release(3)
		synctest.Wait()
		if len(order) != 1 || order[0] != 5 {
			t.Fatalf("served %v", order)
		}
		b.Release(5)
		synctest.Wait()
		if len(order) != 3 || b.Used() > 10 {
			t.Fatalf("served %v, used %d", order, b.Used())
		}
	})
}

func TestWhoWantsMoreThanAllGetsAll(t *testing.T) {
	b := NewBudget(10)
	n, ok := b.TryAcquire(1000)
	if !ok || n != 10 {
		t.Fatal(n, ok)
	}
	b.Release(n)
	if b.Used() != 0 {
		t.Fatal(b.Used())
	}
}

func TestWhoGivesUpLetsTheNextOnesIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(10)
		b.TryAcquire(8)
		ctx, cancel := context.WithCancel(context.Background())
		var gaveUp error
		go func() { _, gaveUp = b.Acquire(ctx, 5) }()
		synctest.Wait()
		served := false
		go func() { _, err := b.Acquire(context.Background(), 2); served = err == nil }()
		synctest.Wait()
		cancel()
		synctest.Wait()
		if !errors.Is(gaveUp, context.Canceled) || !served || b.Used() != 10 {
			t.Fatalf("%v, served %v, used %d", gaveUp, served, b.Used())
		}
	})
}

func TestTheBudgetAddsUpUnderLoad(t *testing.T) {
	b := NewBudget(100)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for j := range 200 {
				ctx, cancel := context.WithCancel(context.Background())
				if (i+j)%5 == 0 {
					cancel()
				}
				n, err := b.Acquire(ctx, int64(1+(i*j)%120))
				cancel()
				if err == nil {
					b.Release(n)
				}
			}
		})
	}
	wg.Wait()
	if b.Used() != 0 || b.Waiting() != 0 {
		t.Fatalf("used %d, waiting %d", b.Used(), b.Waiting())
	}
}

func get(t *testing.T, b *Buffers, n int) Buffer {
	t.Helper()
	buffer, err := b.Get(context.Background(), n)
	if err != nil {
		t.Fatal(err)
	}
	return buffer
}

func TestBuffersComeInClassesAndAreUsedAgain(t *testing.T) {
	b := NewBuffers(1<<20, time.Second)
	for _, c := range []struct{ want, class int }{{0, 4096}, {4096, 4096}, {4097, 6144}, {350_000, 384 << 10}} {
		buffer := get(t, b, c.want)
		if len(buffer.Bytes) != c.class || b.Budget().Used() != int64(c.class) {
			t.Errorf("%d: %d bytes, %d of the budget", c.want, len(buffer.Bytes), b.Budget().Used())
		}
		first := &buffer.Bytes[0]
		buffer.Release()
		buffer.Release() // does nothing
		again := get(t, b, c.want)
		if &again.Bytes[0] != first {
			t.Errorf("%d: another buffer", c.want)
		}
		again.Release()
	}
	if b.Budget().Used() != 0 {
		t.Errorf("used %d", b.Budget().Used())
	}
	if _, err := b.Get(context.Background(), classes[len(classes)-1]+1); !errors.Is(err, ErrNoMemory) {
		t.Errorf("a buffer of any size: %v", err)
	}
	if classes[len(classes)-1] < Headroom+MaxBody+1 {
		t.Error("the largest body has no class")
	}
}

func TestLentAndKeptBuffersStayWithinTheBudget(t *testing.T) {
	b := NewBuffers(1<<20, time.Second)
	for _, n := range []int{512 << 10, 256 << 10, 128 << 10, 1 << 20, 4096, 768 << 10} {
		buffer := get(t, b, n)
		if sum := b.Budget().Used() + b.idle; sum > 1<<20 {
			t.Errorf("%d lent and %d kept", b.Budget().Used(), b.idle)
		}
		buffer.Release()
	}
}

func TestWhoFindsNoMemoryInTimeIsToldSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBuffers(1<<20, 10*time.Second)
		all := get(t, b, 1<<20)
		began := time.Now()
		_, err := b.Get(context.Background(), 1)
		if !errors.Is(err, ErrNoMemory) || time.Since(began) != 10*time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if _, err := b.Get(ctx, 1); errors.Is(err, ErrNoMemory) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the client went away: %v", err)
		}
		time.AfterFunc(5*time.Second, all.Release)
		one := get(t, b, 1)
		one.Release()
	})
}

func TestBuffersThatNobodyNeedsAreGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBuffers(1<<20, time.Second)
		one, two := get(t, b, 256<<10), get(t, b, 256<<10)
		one.Release()
		two.Release()
		kept := func() int64 {
			synctest.Wait()
			b.mu.Lock()
			defer b.mu.Unlock()
			return b.idle
		}
		<-time.After(idlePeriod + 1)
		if kept() != 512<<10 {
			t.Errorf("%d kept after the first period", kept())
		}
		used := get(t, b, 256<<10)
		used.Release()
		<-time.After(idlePeriod)
		if kept() != 256<<10 {
			t.Errorf("%d kept while one is in use", kept())
		}
		<-time.After(idlePeriod)
		if kept() != 0 {
			t.Errorf("%d kept when idle", kept())
		}
	})
}

func BenchmarkBuffers(b *testing.B) {
	buffers := NewBuffers(64<<20, time.Second)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			buffer, err := buffers.Get(context.Background(), 350_000)
			if err != nil {
				b.Fatal(err)
			}
			buffer.Release()
		}
	})
}
