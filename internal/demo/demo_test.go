package demo

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"hydrant/internal/config"
	"hydrant/internal/node"
)

// options are those of a demo in a folder of its own that writes to out.
func options(t *testing.T, out io.Writer) Options {
	t.Helper()
	c := config.Defaults()
	c.Data, c.Listen, c.Console = filepath.Join(t.TempDir(), "data"), "127.0.0.1:0", "127.0.0.1:0"
	c.Storage.MinFree = 0
	return Options{
		Config: c, Version: "test", Records: 1200, Bucket: BucketName, Out: out, Log: t.Output(),
		Serve: "hydrant serve", Env: `eval "$(hydrant env)"`,
	}
}

// summary runs the demo for its JSON.
func summary(t *testing.T, o Options) Summary {
	t.Helper()
	var out bytes.Buffer
	o.Out, o.JSON = &out, true
	if err := Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	var s Summary
	if err := json.Unmarshal(out.Bytes(), &s, json.RejectUnknownMembers(true)); err != nil {
		t.Fatalf("%v in:\n%s", err, &out)
	}
	return s
}

// delivered is what the summary's objects hold, read from the store's folders.
func delivered(t *testing.T, s Summary) string {
	t.Helper()
	var all strings.Builder
	for _, o := range s.Objects {
		f, err := os.Open(filepath.Join(s.Data, "buckets", s.Bucket, filepath.FromSlash(o.Key)))
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(&all, z); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return all.String()
}

// changing is what differs from run to run: addresses, names of objects, times and sizes.
var changing = []struct {
	is *regexp.Regexp
	as string
}{
	{regexp.MustCompile(`127\.0\.0\.1:[0-9]{5}`), "ADDRESS"},
	{regexp.MustCompile(`events/[0-9]{4}(/[0-9]{2}){3}/demo-1-[-0-9a-f]+\.gz`), "OBJECT"},
	{regexp.MustCompile(` *[0-9.]+ [KM]iB`), " SIZE"},
	{regexp.MustCompile(`( SIZE +[0-9,]+  OBJECT\n)+`), " SIZE RECORDS  OBJECT\n"},
	{regexp.MustCompile(`in [0-9]+ objects?`), "in OBJECTS"},
	{regexp.MustCompile(`after [0-9]+\.[0-9] s`), "after TIME s"},
	{regexp.MustCompile(`(?m)^  \{"time":.*$`), "  EVENT"},
	{regexp.MustCompile(`data in .*`), "data in DATA"},
}

func TestRecordsGoInAndObjectsComeOut(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := Run(t.Context(), options(t, &out)); err != nil {
		t.Fatal(err)
	}
	got := out.String()
	for _, c := range changing {
		got = c.is.ReplaceAllString(got, c.as)
	}
	want, err := os.ReadFile("testdata/demo.txt")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Fatal(d)
	}
}

func TestASecondDemoAddsToTheFirst(t *testing.T) {
	t.Parallel()
	o := options(t, nil)
	o.Records = 700
	first := summary(t, o)
	o.Records = 300
	second := summary(t, o)
	if first.Accepted.Records != 700 || second.Accepted.Records != 300 {
		t.Fatalf("accepted %d and %d", first.Accepted.Records, second.Accepted.Records)
	}
	if l := second.Ledger; l.Received.Records != 1000 || l.Delivered != l.Received || l.Pending.Records != 0 {
		t.Fatalf("ledger %+v", l)
	}
	if n := strings.Count(delivered(t, second), "\n"); n != 300 {
		t.Fatalf("the second demo's objects hold %d records", n)
	}
}

func TestLinesOfAFileArriveAsTheyAre(t *testing.T) {
	t.Parallel()
	o := options(t, nil)
	input := "one\n\n{\"two\":2}\r\nthr\x00ee\nlast, without its newline"
	o.Input = filepath.Join(t.TempDir(), "input.txt")
	if err := os.WriteFile(o.Input, []byte(input), 0o600); err != nil {
		t.Fatal(err)
	}
	s := summary(t, o)
	if got := delivered(t, s); got != input {
		t.Fatalf("delivered %q", got)
	}
	if s.Accepted != (Figures{5, int64(len(input))}) || s.Objects[0].Records != 5 {
		t.Fatalf("accepted %+v, objects %+v", s.Accepted, s.Objects)
	}
}

func TestStandardInputIsPutToo(t *testing.T) {
	t.Parallel()
	o := options(t, nil)
	var input strings.Builder
	for i := range 1234 {
		fmt.Fprintf(&input, "line %d\n", i)
	}
	o.Input, o.Stdin = "-", strings.NewReader(input.String())
	if got := delivered(t, summary(t, o)); got != input.String() {
		t.Fatalf("delivered %d bytes of %d", len(got), input.Len())
	}
}

func TestAFileWithATooLongLineIsRefusedBeforeAnythingIsPut(t *testing.T) {
	o := options(t, io.Discard)
	o.Input = filepath.Join(t.TempDir(), "input.txt")
	fits, over := strings.Repeat("x", maxRecord-1)+"\n", strings.Repeat("x", maxRecord)+"\n"
	if err := os.WriteFile(o.Input, []byte("a\n"+fits+over), 0o600); err != nil {
		t.Fatal(err)
	}
	err := Run(t.Context(), o)
	if !errors.Is(err, ErrLineTooLong) || !strings.Contains(err.Error(), "line 3 of "+o.Input) || !strings.Contains(err.Error(), "nothing was put") {
		t.Fatal(err)
	}
	if _, err := os.Stat(o.Config.Data); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("the data directory was made: %v", err)
	}
}

func TestWhatCameBeforeATooLongLineIsKept(t *testing.T) {
	t.Parallel()
	o := options(t, io.Discard)
	o.Input, o.Stdin = "-", strings.NewReader("a\nb\n"+strings.Repeat("x", maxRecord+1))
	err := Run(t.Context(), o)
	if !errors.Is(err, ErrLineTooLong) {
		t.Fatal(err)
	}
	for _, part := range []string{"line 3 of standard input", "2 records", "kept in " + o.Config.Data, "hydrant serve"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not say %q: %v", part, err)
		}
	}
	o.Stdin = strings.NewReader("c\n")
	if l := summary(t, o).Ledger; l.Received.Records != 3 || l.Delivered.Records != 3 {
		t.Fatalf("ledger of the next demo: %+v", l)
	}
}

func TestInputThatIsNotThereIsNamed(t *testing.T) {
	o := options(t, io.Discard)
	for input, says := range map[string]string{
		filepath.Join(t.TempDir(), "absent"): "no such file",
		t.TempDir():                          "is a directory",
	} {
		o.Input = input
		if err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), input) {
			t.Errorf("%s: %v", input, err)
		}
	}
	o.Input, o.Stdin = "-", strings.NewReader("")
	if err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "the input is empty") {
		t.Errorf("empty input: %v", err)
	}
}

// watched is a writer that tells when it has seen a text.
type watched struct {
	mu   sync.Mutex
	all  bytes.Buffer
	text string
	seen chan struct{}
	once sync.Once
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all.Write(p)
	if strings.Contains(w.all.String(), w.text) {
		w.once.Do(func() { close(w.seen) })
	}
	return len(p), nil
}

func TestItStaysUpUntilTheUserHasSeenEnough(t *testing.T) {
	t.Parallel()
	w := &watched{text: "/metrics\n", seen: make(chan struct{})}
	o := options(t, w)
	o.Stay, o.Width = true, func() int { return 100 }
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, o) }()
	select {
	case <-w.seen:
	case err := <-ended:
		t.Fatalf("ended by itself: %v", err)
	}
	a, _, err := node.ReadAddress(o.Config.Data)
	if err != nil {
		t.Fatal(err)
	}
	h, err := nodeHTTP(o.Config.TLS)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (page{h, a.ConsoleURL() + "/metrics"}).ledger(t.Context(), StreamName); err != nil {
		t.Fatalf("the node is not up: %v", err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

func TestAnInterruptedDemoSaysWhatItKeeps(t *testing.T) {
	t.Parallel()
	in, feed := io.Pipe()
	w := &watched{text: "accepted", seen: make(chan struct{})}
	o := options(t, w)
	o.Input, o.Stdin, o.Width = "-", in, func() int { return 80 }
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, o) }()
	go func() {
		defer cancel()
		for {
			select {
			case <-w.seen:
				return
			default:
			}
			if _, err := feed.Write([]byte("line\n")); err != nil {
				return
			}
		}
	}()
	err := <-ended
	if !errors.Is(err, ErrInterrupted) || !strings.Contains(err.Error(), "is kept in "+o.Config.Data) {
		t.Fatal(err)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestPlacesThatAreTakenAreNamed(t *testing.T) {
	o := options(t, io.Discard)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	o.Config.Listen = l.Addr().String()
	if err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), o.Config.Listen) {
		t.Errorf("address in use: %v", err)
	}
	n, err := node.Open(t.Context(), node.Options{Config: o.Config, Version: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "another process uses the data directory "+o.Config.Data) {
		t.Errorf("data directory in use: %v", err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestObjectsOfAnotherStoreAreListedThere(t *testing.T) {
	t.Parallel()
	other := options(t, nil).Config
	n, err := node.Open(t.Context(), node.Options{Config: other, Version: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	err = live(t.Context(), n, func(ctx context.Context, a node.Address) error {
		_, keys, err := node.ReadAddress(other.Data)
		if err != nil {
			return err
		}
		var out bytes.Buffer
		o := options(t, &out)
		o.Bucket = "elsewhere"
		o.Config.Endpoints = map[string]config.Endpoint{"s3": {URL: a.URL(), AccessKey: keys.AccessKeyID, SecretKey: config.Secret(keys.Secret)}}
		if err := Run(ctx, o); err != nil {
			return err
		}
		for _, part := range []string{"objects in s3://elsewhere", "aws --endpoint-url " + a.URL() + " s3 ls"} {
			if !strings.Contains(out.String(), part) {
				t.Errorf("the output lacks %q:\n%s", part, &out)
			}
		}
		found, err := filepath.Glob(filepath.Join(other.Data, "buckets/elsewhere/events/*/*/*/*/*.gz"))
		if err != nil || len(found) == 0 {
			t.Errorf("objects in the other store: %v, %v", found, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAStoreWithoutKeysIsAskedForThem(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	_, err := newStore(config.Defaults(), config.Endpoint{URL: "http://store:9000"})
	if !errors.Is(err, errNoKeys) || !strings.Contains(err.Error(), "AWS_ACCESS_KEY_ID") {
		t.Fatal(err)
	}
}

func TestItSpeaksTLSWithItsOwnNode(t *testing.T) {
	t.Parallel()
	o := options(t, nil)
	o.Config.TLS = certificate(t)
	if s := summary(t, o); !strings.HasPrefix(s.Node, "https://") || s.Ledger.Delivered.Records != 1200 {
		t.Fatalf("%+v", s)
	}
}

// certificate makes one for a name that is not the loopback's.
func certificate(t *testing.T) config.TLS {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"hydrant.example.com"}, NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	files := config.TLS{Cert: filepath.Join(t.TempDir(), "cert.pem"), Key: filepath.Join(t.TempDir(), "key.pem")}
	for name, block := range map[string]*pem.Block{files.Cert: {Type: "CERTIFICATE", Bytes: cert}, files.Key: {Type: "PRIVATE KEY", Bytes: der}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return files
}
