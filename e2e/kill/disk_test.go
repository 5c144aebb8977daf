package kill

import (
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hydrant/e2e/server"
	"hydrant/internal/dest/s3/s3fake"
)

// smallDisk is the data directory of o on a file system of so many MiB, if this process may
// mount one.
func smallDisk(t *testing.T, o *server.Options, mebibytes string) {
	t.Helper()
	err := unix.Mount("tmpfs", o.Data, "tmpfs", 0, "size="+mebibytes+"m")
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.ENODEV) {
		t.Skipf("a small file system cannot be mounted here (%v); the simulation fills its disk all the same", err)
	}
	if err != nil {
		t.Fatalf("mount: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(o.Data, unix.MNT_DETACH); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	file := filepath.Join(t.TempDir(), "hydrant.yaml")
	if err := os.WriteFile(file, []byte("memory: 128MiB\nstorage:\n  minFree: 16MiB\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	o.Args = append(o.Args, "--config", file)
}

// outOfOrder makes the store refuse everything.
func (o store) outOfOrder() {
	o.SetFault(func(s3fake.Op) s3fake.Fault { return s3fake.Refuse(http.StatusServiceUnavailable, "SlowDown") })
}

// A store that is down fills the disk: producers are refused, and nothing is lost.
func TestAFullDiskRefusesProducersUntilThereIsRoom(t *testing.T) {
	store := newStore(t)
	o := store.options(t)
	smallDisk(t, &o, "128")
	s := server.Start(t, o)
	makeStreams(t, s)
	store.outOfOrder()
	book := newNotebook()
	l := &load{t: t, book: book, streams: streams, label: "before", size: 4000, noise: newNoise()}
	l.start(s, clients, 1<<40)
	eventually(t, "producers are refused", func() bool { return book.refusals() > 50 })
	l.end()
	for code := range book.refused {
		if code != "ServiceUnavailableException" && code != "in a batch" {
			t.Errorf("refused with %s", code)
		}
	}
	s.Kill()
	s = server.Start(t, s.Again())
	store.SetFault(nil)
	awaitDelivery(t, s)
	l = &load{t: t, book: book, streams: streams, label: "after", size: 2000}
	eventually(t, "producers are heard again", func() bool {
		l.start(s, 1, 1)
		defer l.end()
		select {
		case <-l.hit:
			return true
		case <-time.After(time.Second):
			return false
		}
	})
	awaitDelivery(t, s)
	verdict(t, s, book, countStore(t, store.config(), bucket), false)
}

// Somebody else takes the last byte of the disk while the node is busy. It may have to
// stop; what it acknowledged is there once there is room again.
func TestADiskFilledByOthersLosesNothing(t *testing.T) {
	store := newStore(t)
	o := store.options(t)
	smallDisk(t, &o, "128")
	s := server.Start(t, o)
	makeStreams(t, s)
	store.outOfOrder()
	book := newNotebook()
	l := &load{t: t, book: book, streams: streams, label: "before", size: 2000, noise: newNoise()}
	l.start(s, clients, 100)
	<-l.hit
	hog := filepath.Join(o.Data, "hog")
	filled := fillDisk(t, hog)
	eventually(t, "the node refuses, or stops", func() bool {
		select {
		case <-s.Ended():
			return true
		default:
			return book.refusals() > 50
		}
	})
	l.end()
	t.Logf("another took %d bytes; refused %v", filled, book.refused)
	s.Kill()
	if err := os.Remove(hog); err != nil {
		t.Fatal(err)
	}
	s = server.Start(t, s.Again())
	store.SetFault(nil)
	awaitDelivery(t, s)
	verdict(t, s, book, countStore(t, store.config(), bucket), false)
}

// fillDisk writes a file until nothing more fits.
func fillDisk(t *testing.T, path string) (n int64) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for b := make([]byte, 1<<20); len(b) > 0; {
		k, err := f.Write(b)
		n += int64(k)
		if err != nil {
			b = b[:len(b)/2]
		}
	}
	return n
}

// Bytes of the journal go bad while no node runs. The next one starts, says what is lost,
// and delivers the rest.
func TestFlippedBytesInTheJournalCostOnlyWhatTheyHit(t *testing.T) {
	store := newStore(t)
	s := server.Start(t, store.options(t))
	data := s.Again().Data
	makeStreams(t, s)
	store.outOfOrder()
	book := newNotebook()
	noise := newNoise()
	for i := range 2 {
		l := &load{t: t, book: book, streams: streams, label: string(rune('a' + i)), size: 4000, noise: noise}
		l.start(s, clients, 200)
		<-l.hit
		s.Kill()
		l.end()
		for range 3 {
			flipOne(t, filepath.Join(data, "journal"))
		}
		s = server.Start(t, s.Again())
	}
	store.SetFault(nil)
	awaitDelivery(t, s)
	var damages float64
	if err := s.Metrics(t.Context(), func(name string, _ map[string]string, value float64) {
		if name == "hydrant_journal_damages_total" {
			damages = value
		}
	}); err != nil {
		t.Fatal(err)
	}
	t.Logf("%g damages reported by the last process", damages)
	verdict(t, s, book, countStore(t, store.config(), bucket), true)
}

// flipOne changes one byte of one log or table of the journal.
func flipOne(t *testing.T, dir string) {
	t.Helper()
	var files []string
	for _, pattern := range []string{"*.log", "*.sst"} {
		some, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, some...)
	}
	name := files[rand.IntN(len(files))]
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		t.Fatal(err)
	}
	if size == 0 {
		return
	}
	at, b := rand.Int64N(size), []byte{0}
	if _, err := f.ReadAt(b, at); err != nil {
		t.Fatal(err)
	}
	b[0] ^= byte(1 + rand.IntN(255))
	if _, err := f.WriteAt(b, at); err != nil {
		t.Fatal(err)
	}
	t.Logf("byte %d of %d in %s flipped", at, size, filepath.Base(name))
}
