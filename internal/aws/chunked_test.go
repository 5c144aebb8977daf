package aws

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
)

// chunkWriter frames data as aws-chunked: what the reader undoes, written independently of it.
type chunkWriter struct {
	bytes.Buffer
	seed *seed
}

// chunk writes one chunk; one without data is the last.
func (w *chunkWriter) chunk(data string) {
	fmt.Fprintf(w, "%x", len(data))
	if w.seed != nil {
		text := strings.Join([]string{"AWS4-HMAC-SHA256-PAYLOAD", w.seed.date, w.seed.scope, w.seed.signature, hashOf(""), hashOf(data)}, "\n")
		w.sign(text)
		fmt.Fprintf(w, ";chunk-signature=%s", w.seed.signature)
	}
	w.WriteString("\r\n")
	if data != "" {
		w.WriteString(data + "\r\n")
	}
}

func (w *chunkWriter) sign(text string) {
	signature := w.seed.key.sign([]byte(text))
	w.seed.signature = string(signature[:])
}

// end writes the trailer, if name is not empty, and the last line.
func (w *chunkWriter) end(name, value string) {
	if name != "" {
		fmt.Fprintf(w, "%s:%s\r\n", name, value)
		if w.seed != nil {
			w.sign(strings.Join([]string{"AWS4-HMAC-SHA256-TRAILER", w.seed.date, w.seed.scope, w.seed.signature, hashOf(name + ":" + value + "\n")}, "\n"))
			fmt.Fprintf(w, "x-amz-trailer-signature:%s\r\n", w.seed.signature)
		}
	}
	w.WriteString("\r\n")
}

func testSeed() *seed {
	return &seed{
		key:       newSigningKey(testSecret, "20260115", testRegion, "s3"),
		signature: strings.Repeat("0", 64), date: "20260115T101500Z", scope: "20260115/us-east-1/s3/aws4_request",
	}
}

func checksumOf(algorithm, data string) string {
	h := NewChecksum(algorithm)
	io.WriteString(h, data)
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// framed returns data in chunks of the given sizes (the last one repeats), signed or not.
func framed(data string, signed bool, trailer string, sizes ...int) string {
	w := &chunkWriter{}
	if signed {
		w.seed = testSeed()
	}
	value := ""
	if trailer != "" {
		value = checksumOf(trailer, data)
		trailer = "x-amz-checksum-" + trailer
	}
	for i := 0; data != ""; i++ {
		n := min(sizes[min(i, len(sizes)-1)], len(data))
		w.chunk(data[:n])
		data = data[n:]
	}
	w.chunk("")
	w.end(trailer, value)
	return w.String()
}

// unframe reads a framed body to its end.
func unframe(body io.Reader, length int, signed bool, trailer string) (string, http.Header, error) {
	var s *seed
	if signed {
		s = testSeed()
	}
	if trailer != "" {
		trailer = "x-amz-checksum-" + trailer
	}
	trailers := make(http.Header)
	c, err := newChunkReader(io.NopCloser(body), int64(length), s, trailer, trailers)
	if err != nil {
		return "", nil, err
	}
	got, err := io.ReadAll(c)
	if _, again := c.Read(make([]byte, 1)); again == nil || err != nil && again != err {
		return "", nil, fmt.Errorf("after %v a read gave %v", err, again)
	}
	return string(got), trailers, err
}

func randomText(n int) string {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(1, uint64(n)))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return string(b)
}

func TestChunkedBodiesComeOutWhole(t *testing.T) {
	for _, n := range []int{0, 1, 17, 4095, 4096, 4097, 100_000} {
		data := randomText(n)
		for _, sizes := range [][]int{{1 << 20}, {1, 2, 3, 1000}, {4096}, {65536}} {
			for _, signed := range []bool{false, true} {
				for _, trailer := range []string{"", "crc32", "crc32c", "crc64nvme", "sha1", "sha256"} {
					body := framed(data, signed, trailer, sizes...)
					for _, wrap := range []func(io.Reader) io.Reader{plain, iotest.HalfReader, iotest.DataErrReader} {
						got, trailers, err := unframe(wrap(strings.NewReader(body)), n, signed, trailer)
						if err != nil || got != data {
							t.Fatalf("%d bytes in %v, signed %v, %q: %v", n, sizes, signed, trailer, err)
						}
						if trailer != "" && trailers.Get("x-amz-checksum-"+trailer) != checksumOf(trailer, data) {
							t.Fatalf("trailer %v", trailers)
						}
					}
				}
			}
		}
	}
}

func plain(r io.Reader) io.Reader { return r }

// The examples of AWS's documentation, "Signature Calculations for the Authorization Header:
// Transferring Payload in Multiple Chunks" and "… with trailing headers".
func TestTheDocumentedExamplesAreAccepted(t *testing.T) {
	a := strings.Repeat("a", 65536)
	key := newSigningKey("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "20130524", "us-east-1", "s3")
	for _, c := range []struct{ seed, first, second, last, trailer, end string }{
		{"4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
			"ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
			"0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
			"b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9", "", "\r\n"},
		{"106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
			"b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
			"1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
			"2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992", "x-amz-checksum-crc32c",
			"x-amz-checksum-crc32c:sOO8/Q==\n\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n"},
	} {
		body := "10000;chunk-signature=" + c.first + "\r\n" + a + "\r\n" +
			"400;chunk-signature=" + c.second + "\r\n" + a[:1024] + "\r\n0;chunk-signature=" + c.last + "\r\n" + c.end
		s := &seed{key, c.seed, "20130524T000000Z", "20130524/us-east-1/s3/aws4_request"}
		r, err := newChunkReader(io.NopCloser(strings.NewReader(body)), 66560, s, c.trailer, http.Header{})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || len(got) != 66560 {
			t.Errorf("%q: %d bytes, %v", c.trailer, len(got), err)
		}
	}
}

func TestDamagedChunksAreRefusedBeforeTheLastByte(t *testing.T) {
	data := "some data to send"
	signed := framed(data, true, "crc32", 10)
	unsigned := framed(data, false, "crc32", 10)
	for _, c := range []struct {
		name   string
		signed bool
		length int
		body   string
		want   error
	}{
		{"data", true, 17, strings.Replace(signed, "some", "Some", 1), errSignature},
		{"last data", true, 17, strings.Replace(signed, "send", "Send", 1), errSignature},
		{"signature", true, 17, strings.Replace(signed, "chunk-signature=", "chunk-signature=0", 1), errSignature},
		{"no signature", true, 17, unsigned, errFraming},
		{"trailer signature", true, 17, strings.Replace(signed, "trailer-signature:", "trailer-signature:0", 1), errSignature},
		{"trailer value, signed", true, 17, strings.Replace(signed, "crc32:", "crc32:A", 1), errSignature},
		{"checksum", false, 17, strings.Replace(unsigned, "some", "Some", 1), errChecksum},
		{"trailer value", false, 17, strings.Replace(unsigned, "crc32:", "crc32:A", 1), errTrailer},
		{"other trailer", false, 17, strings.Replace(unsigned, "crc32:", "sha1:", 1), errTrailer},
		{"no trailer", false, 17, framed(data, false, "", 10), errTrailer},
		{"too many lines", false, 17, strings.Replace(unsigned, "x-amz-ch", strings.Repeat("x-amz-checksum-crc32:AAAA\r\n", 20)+"x-amz-ch", 1), errTrailer},
		{"declared too short", false, 16, unsigned, errLong},
		{"declared too long", false, 18, unsigned, errShort},
		{"cut in data", false, 17, unsigned[:8], errShort},
		{"cut before the end", false, 17, unsigned[:len(unsigned)-2], errShort},
		{"cut last chunk", false, 17, unsigned[:strings.Index(unsigned, "\r\n0\r\n")+2], errShort},
		{"goes on", false, 17, unsigned + "x", errLong},
		{"size", false, 17, "x" + unsigned, errFraming},
		{"negative size", false, 17, "-" + unsigned, errFraming},
		{"huge size", false, 17, "fffffffffffffff" + unsigned, errFraming},
		{"no size", false, 17, "\r\n" + unsigned, errFraming},
		{"extension", false, 17, strings.Replace(unsigned, "a\r\n", "a;b=c\r\n", 1), errFraming},
		{"long line", false, 17, "a;" + strings.Repeat("x", maxChunkLine) + "\r\n", errFraming},
		{"no line end", false, 17, strings.Replace(unsigned, "send\r\n", "sendxx\r\n", 1), errFraming},
		{"empty with data", false, 0, unsigned, errLong},
	} {
		got, _, err := unframe(iotest.OneByteReader(strings.NewReader(c.body)), c.length, c.signed, "crc32")
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
		if len(got) >= c.length && c.length > 0 {
			t.Errorf("%s: all %d bytes came out", c.name, len(got))
		}
	}
	if _, _, err := unframe(strings.NewReader(""), 1, false, "md5"); !errors.Is(err, errTrailer) {
		t.Errorf("unknown checksum: %v", err)
	}
	gone := errors.New("gone")
	if _, _, err := unframe(iotest.ErrReader(gone), 1, false, "crc32"); !errors.Is(err, gone) {
		t.Errorf("lost connection: %v", err)
	}
}

func TestChecksumsHaveTheirCheckValues(t *testing.T) {
	for algorithm, want := range map[string]string{
		"crc32": "cbf43926", "crc32c": "e3069283", "crc64nvme": "ae8b14860a799888",
		"sha1":   "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
		"sha256": "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
	} {
		h := NewChecksum(algorithm)
		io.WriteString(h, "123456789")
		if got := fmt.Sprintf("%x", h.Sum(nil)); got != want {
			t.Errorf("%s: %s", algorithm, got)
		}
	}
	if NewChecksum("md5") != nil {
		t.Error("md5 is no S3 checksum header")
	}
}

// Whatever arrives, the reader ends without panic, gives out no more than was declared, and
// accepts only what frames exactly those bytes.
func FuzzChunkReader(f *testing.F) {
	f.Add([]byte(framed("hello, world", false, "crc32", 5)), 12, false, true)
	f.Add([]byte(framed("hello, world", true, "crc32", 5)), 12, true, true)
	f.Add([]byte(framed("hello, world", true, "", 5)), 12, true, false)
	f.Add([]byte(framed("", false, "", 5)), 0, false, false)
	f.Add([]byte("ffffffffffffff;chunk-signature=\r\n"), 3, true, false)
	f.Fuzz(func(t *testing.T, body []byte, length int, signed, withTrailer bool) {
		if length < 0 || length > 1<<20 {
			return
		}
		trailer := ""
		if withTrailer {
			trailer = "crc32"
		}
		got, _, err := unframe(bytes.NewReader(body), length, signed, trailer)
		if len(got) > length {
			t.Fatalf("%d of %d bytes", len(got), length)
		}
		if err == nil && (len(got) != length || withTrailer && !bytes.Contains(body, []byte(checksumOf("crc32", got)))) {
			t.Fatalf("%d of %d bytes were accepted", len(got), length)
		}
		again, _, errAgain := unframe(iotest.OneByteReader(bytes.NewReader(body)), length, signed, trailer)
		if (err == nil) != (errAgain == nil) || err == nil && again != got {
			t.Fatalf("in one read %v, byte by byte %v", err, errAgain)
		}
	})
}

func BenchmarkChunkReader(b *testing.B) {
	data := randomText(1 << 20)
	for _, signed := range []bool{false, true} {
		trailer := "crc32"
		if signed {
			trailer = ""
		}
		body := framed(data, signed, trailer, 64<<10)
		buf := make([]byte, 128<<10)
		b.Run(fmt.Sprintf("signed=%v", signed), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(1 << 20)
			for b.Loop() {
				var s *seed
				name := "x-amz-checksum-crc32"
				if signed {
					s, name = testSeed(), ""
				}
				r, err := newChunkReader(io.NopCloser(strings.NewReader(body)), 1<<20, s, name, http.Header{})
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, r, buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
