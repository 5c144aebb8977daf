package s3

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// cpuSeconds is the processor time that this process used so far.
func cpuSeconds(b *testing.B) float64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// perGB runs the loop and reports its processor time for each GB of payload.
func perGB(b *testing.B, size int, loop func()) {
	b.Helper()
	b.ReportAllocs()
	b.SetBytes(int64(size))
	start := cpuSeconds(b)
	for b.Loop() {
		loop()
	}
	b.ReportMetric((cpuSeconds(b)-start)/(float64(size)*float64(b.N)/1e9), "cpu-s/GB")
}

func benchData(size int) []byte {
	data, random := make([]byte, size), rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(data) // never fails
	return data
}

func benchSend(b *testing.B, tr http.RoundTripper, method, target string, body io.Reader) {
	r, err := http.NewRequestWithContext(b.Context(), method, "http://store"+target, body)
	if err != nil {
		b.Fatal(err)
	}
	resp, err := tr.RoundTrip(r)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode >= 300 {
		b.Fatal(resp.Status, err)
	}
	if err := resp.Body.Close(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkPut puts objects through the transport, synced, with either kind of ETag.
func BenchmarkPut(b *testing.B) {
	for _, size := range []int{1 << 10, 5 << 20} {
		for _, quick := range []bool{false, true} {
			name, options := "md5", []TransportOption(nil)
			if quick {
				name, options = "quick", append(options, WithQuickETags())
			}
			b.Run(fmt.Sprintf("%s/%dKiB", name, size>>10), func(b *testing.B) {
				s, _ := bucketed(b)
				tr, data, i := NewTransport(s, options...), benchData(size), 0
				perGB(b, size, func() {
					i++
					benchSend(b, tr, "PUT", fmt.Sprintf("/box/2026/01/%d", i%100), bytes.NewReader(data))
				})
			})
		}
	}
}

// BenchmarkMultipart uploads and completes objects of four parts.
func BenchmarkMultipart(b *testing.B) {
	const size, count = 8 << 20, 4
	s, p := bucketed(b)
	tr, data := NewTransport(s, WithQuickETags()), benchData(size)
	perGB(b, size*count, func() {
		u := &pendingUpload{}
		u.begin(p, "big")
		for n := range count {
			r, err := http.NewRequestWithContext(b.Context(), "PUT", fmt.Sprintf("http://store/box/big?partNumber=%d&uploadId=%s", n+1, u.id), bytes.NewReader(data))
			if err != nil {
				b.Fatal(err)
			}
			resp, err := tr.RoundTrip(r)
			if err != nil {
				b.Fatal(err)
			}
			u.list += fmt.Sprintf("<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", n+1, resp.Header.Get("Etag"))
			if err := resp.Body.Close(); err != nil {
				b.Fatal(err)
			}
		}
		if got := u.complete(p); got.status != 200 {
			b.Fatalf("%s", got.body)
		}
	})
}

// BenchmarkGet reads an object through the transport.
func BenchmarkGet(b *testing.B) {
	const size = 16 << 20
	s, p := bucketed(b)
	p.must("PUT", "/box/k", strings.Repeat("0123456789abcdef", size/16))
	tr := NewTransport(s)
	perGB(b, size, func() { benchSend(b, tr, "GET", "/box/k", nil) })
}

// BenchmarkList reads a page of 1,000 keys out of a folder of 20,000.
func BenchmarkList(b *testing.B) {
	s, p := bucketed(b, func(o *Options) { o.Root = quickFolder(b) })
	for i := range 20_000 {
		if i < 1000 {
			p.must("PUT", fmt.Sprintf("/box/d/%06d", i), "")
			continue
		}
		if err := os.WriteFile(filepath.Join(s.bucketPath("box"), "d", fmt.Sprintf("%06d", i)), nil, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if page, err := s.list("box", listing{max: 1000}); err != nil || len(page.objects) != 1000 {
			b.Fatal(len(page.objects), err)
		}
	}
}
