package node

import (
	"net/http"
	"testing"

	"hydrant/internal/config"
	"hydrant/internal/dest/s3/s3fake"
	"hydrant/internal/record"
)

// listening keeps the headers of the requests that pass it.
type listening struct {
	http.RoundTripper
	heard []http.Header
}

func (l *listening) RoundTrip(r *http.Request) (*http.Response, error) {
	l.heard = append(l.heard, r.Header.Clone())
	return l.RoundTripper.RoundTrip(r)
}

func TestAStoreIsAskedForTheEncryptionOfTheConfiguration(t *testing.T) {
	for _, want := range []string{"", "AES256"} {
		wire := &listening{RoundTripper: s3fake.New("b").Transport()}
		c := testConfig(t)
		c.Endpoints = map[string]config.Endpoint{"s3": {URL: "http://store", AccessKey: "a", SecretKey: "s", ServerSideEncryption: want}}
		n := &Node{opt: Options{Config: c, StoreTransport: wire}}
		store, err := n.destination(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.Begin(t.Context(), record.Object{Bucket: "b", Key: "k"}); err != nil {
			t.Fatal(err)
		}
		if got := wire.heard[0].Get("X-Amz-Server-Side-Encryption"); len(wire.heard) != 1 || got != want {
			t.Errorf("of %d requests the first asks for %q, want %q", len(wire.heard), got, want)
		}
	}
}
