// Command floor is the yardstick that Hydrant's speed is held against. It does only the
// work that nobody can avoid between a signed PutRecord or PutRecordBatch and an object in
// a store, with the fastest libraries there are: read the body, hash it and check the
// signature, find and decode the records, append them to a file that is synced once for
// all requests that wait, compress them into objects, upload the objects.
//
// It is for measuring only. Its log is written round and round over the same stretch of
// disk and read by nobody; it knows one stream, refuses nothing politely, survives no
// crash and ends at the first thing that goes wrong.
//
//   - Arena: the decoded records of one request, back to back.
//   - Group: the requests that one synced write serves.
//
// Credentials come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: requests must be
// signed with them, and objects are uploaded with them. GET /settle delivers what is held
// and answers with what all of it cost, as JSON; SIGTERM does the same, prints it and ends.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/go-json-experiment/json"
	"golang.org/x/sync/semaphore"
)

type options struct {
	listen, dir, store, bucket, region string
	bufferMiB, level                   int
	unsigned                           bool
}

func parseFlags() options {
	var o options
	flag.StringVar(&o.listen, "listen", "127.0.0.1:0", "address to serve on")
	flag.StringVar(&o.dir, "dir", ".", "folder for the log, and for objects without -s3")
	flag.StringVar(&o.store, "s3", "", "URL of the object store; empty writes objects as synced files into -dir")
	flag.StringVar(&o.bucket, "bucket", "bench", "bucket to upload to")
	flag.StringVar(&o.region, "region", "us-east-1", "region of both sides")
	flag.IntVar(&o.bufferMiB, "buffer-mib", 5, "MiB of records in an object, before compression")
	flag.IntVar(&o.level, "level", 1, "gzip level")
	flag.BoolVar(&o.unsigned, "unsigned", false, "leave the payload out of the signature of uploads")
	flag.Parse()
	return o
}

// memory bounds the bytes of requests and arenas that are held at once, as a server must.
const memory = 64 << 20

func main() {
	o := parseFlags()
	if err := run(o, os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY")); err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
}

// run serves until SIGTERM, delivers the rest and prints the costs.
func run(o options, accessKey, secret string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	failed := make(chan error, 1) // the first failure; it voids the measurement
	fail := func(err error) {
		select {
		case failed <- err:
		default:
		}
	}
	budget := semaphore.NewWeighted(memory)
	put, err := newStore(o, accessKey, secret)
	if err != nil {
		return err
	}
	objects := newObjects(put, o.bufferMiB<<20, o.level, budget, fail)
	log, err := openLog(filepath.Join(o.dir, "floor.log"), objects.in, fail)
	if err != nil {
		return err
	}
	routes := http.NewServeMux()
	routes.Handle("POST /", newHandler(o.region, accessKey, secret, budget, log))
	routes.HandleFunc("GET /settle", func(w http.ResponseWriter, _ *http.Request) {
		objects.settle()
		if err := writeCosts(w, log, objects); err != nil {
			fail(err)
		}
	})
	server := &http.Server{Handler: routes, ReadHeaderTimeout: 10 * time.Second}
	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return fmt.Errorf("listening on %s: %w", o.listen, err)
	}
	go objects.run()
	go log.run()
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			fail(fmt.Errorf("serving: %w", err))
		}
	}()
	fmt.Println("ready http://" + listener.Addr().String())
	select {
	case <-ctx.Done():
	case err := <-failed:
		return err
	}
	// In the order that records flow: no more requests, no more appends, no more objects.
	if err := server.Shutdown(context.Background()); err != nil {
		return fmt.Errorf("shutting down: %w", err)
	}
	log.close()
	objects.close()
	select {
	case err := <-failed:
		return err
	default:
		return writeCosts(os.Stdout, log, objects)
	}
}

// costs is what is told in the end; e2e/bench reads it.
type costs struct {
	CPUSeconds  float64 `json:"cpuSeconds"` // user and system
	PeakBytes   int64   `json:"peakBytes"`  // VmHWM
	Syncs       int64   `json:"syncs"`
	Requests    int64   `json:"requests"`
	RecordBytes int64   `json:"recordBytes"`
	Objects     int64   `json:"objects"`
	ObjectBytes int64   `json:"objectBytes"`
}

func writeCosts(to io.Writer, log *groupLog, objects *objects) error {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return fmt.Errorf("asking for the CPU time: %w", err)
	}
	peak, err := peakBytes()
	if err != nil {
		return err
	}
	cpu := time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	return json.MarshalWrite(to, costs{
		cpu.Seconds(), peak, log.syncs.Load(), log.requests.Load(), log.bytes.Load(), objects.count.Load(), objects.bytes.Load(),
	})
}

// peakBytes reads the most memory that the process ever held.
func peakBytes() (int64, error) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, fmt.Errorf("asking for the peak memory: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		var kib int64
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kib); n == 1 {
			return kib << 10, nil
		}
	}
	return 0, errors.New("asking for the peak memory: no VmHWM in /proc/self/status")
}
