package sigv4

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// The same request signed by Amazon's own signer gives the same header, also on the next day.
func TestTheSDKSignsTheSame(t *testing.T) {
	const target = "Firehose_20150804.PutRecordBatch"
	body := `{"DeliveryStreamName":"s"}`
	digest := sha256.Sum256([]byte(body))
	signer := New("AKIDEXAMPLE", "secret", "eu-west-1", "firehose")
	for _, now := range []time.Time{time.Unix(1768471200, 0), time.Unix(1768557600, 0)} {
		r, err := http.NewRequest(http.MethodPost, "http://127.0.0.1:4573/", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = 0 // signed when known; the fixed shape leaves it out
		r.Header.Set("Content-Type", ContentType)
		r.Header.Set("X-Amz-Target", target)
		keys := aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret"}
		err = v4.NewSigner().SignHTTP(context.Background(), keys, r, hex.EncodeToString(digest[:]), "firehose", "eu-west-1", now)
		if err != nil {
			t.Fatal(err)
		}
		got := string(signer.Authorization(nil, Date(now), "127.0.0.1:4573", target, digest))
		if want := r.Header.Get("Authorization"); got != want {
			t.Errorf("\n got %s\nwant %s", got, want)
		}
	}
}

func BenchmarkAuthorization(b *testing.B) {
	signer := New("AKIDEXAMPLE", "secret", "us-east-1", "firehose")
	var digest [sha256.Size]byte
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = signer.Authorization(dst[:0], "20260115T100000Z", "127.0.0.1:4573", "Firehose_20150804.PutRecord", digest)
	}
}
