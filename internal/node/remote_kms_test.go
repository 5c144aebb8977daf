package node

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"hydrant/internal/aws"
	"hydrant/internal/config"
	"hydrant/internal/dest/s3/s3fake"
	"hydrant/internal/record"
	"hydrant/internal/service/kms"
)

// wire reaches a node in this process, unless it is cut.
type wire struct {
	to  *Node
	cut atomic.Bool
}

var errCut = errors.New("the line is cut")

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if w.cut.Load() {
		return nil, errCut
	}
	got := httptest.NewRequest(r.Method, r.URL.RequestURI(), r.Body).WithContext(r.Context())
	got.Header, got.Host = r.Header.Clone(), r.URL.Host
	rec := httptest.NewRecorder()
	w.to.AWS().ServeHTTP(rec, got)
	return rec.Result(), nil
}

// clientOf calls a service of a node, as root.
func clientOf(n *Node, service, target string) *aws.Client {
	root := n.credentials.Root()
	return &aws.Client{
		Endpoint: "http://hydrant", Service: service, Target: target, Region: n.opt.Config.Region,
		Credentials: func(context.Context) (aws.KeyPair, error) {
			return aws.KeyPair{AccessKeyID: root.AccessKeyID, Secret: root.Secret}, nil
		},
		HTTP: &http.Client{Transport: &wire{to: n}}, Now: n.opt.Now,
	}
}

// pair is two nodes: one keeps the keys of the other.
type pair struct {
	t      *testing.T
	keeper *Node
	line   *wire // to the keeper
	store  *s3fake.Fake
	disk   vfs.FS
	config config.Config // of the other
	key    string        // ARN

	*Node        // the other
	end   func() // of its life
}

const pairBucket = "bucket-of-the-pair"

func newPair(t *testing.T) *pair {
	p := &pair{t: t, store: s3fake.New(pairBucket), disk: vfs.NewMem(), config: testConfig(t)}
	p.keeper = p.open(Options{Config: testConfig(t), JournalFS: vfs.NewMem()})
	t.Cleanup(func() { p.must(p.keeper.Close()) })
	p.line = &wire{to: p.keeper}
	var made struct{ KeyMetadata struct{ Arn string } }
	p.must(p.keys("CreateKey", nil, &made))
	p.key = made.KeyMetadata.Arn
	root := p.keeper.credentials.Root()
	p.config.Endpoints = map[string]config.Endpoint{
		"kms": {URL: "http://localhost", AccessKey: root.AccessKeyID, SecretKey: config.Secret(root.Secret)},
		"s3":  {URL: "http://store", AccessKey: "a", SecretKey: "s"},
	}
	p.must(p.config.Validate())
	p.begin()
	t.Cleanup(func() { p.end() })
	return p
}

func (p *pair) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *pair) open(opt Options) *Node {
	p.t.Helper()
	opt.Version, opt.Logger = "test", slog.New(slog.DiscardHandler)
	n, err := Open(p.t.Context(), opt)
	p.must(err)
	return n
}

// begin starts the node on its disk.
func (p *pair) begin() {
	p.Node = p.open(Options{Config: p.config, JournalFS: p.disk, StoreTransport: p.store.Transport(), RemoteTransport: p.line})
	ctx, stop := context.WithCancel(context.WithoutCancel(p.t.Context()))
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	p.end = func() {
		stop()
		if err := errors.Join(<-done, p.Close()); err != nil {
			p.t.Error(err)
		}
	}
}

func (p *pair) restart() {
	p.end()
	p.begin()
}

// keys calls the KMS of the keeper.
func (p *pair) keys(operation string, in, out any) error {
	return clientOf(p.keeper, "kms", kmsTarget).Call(p.t.Context(), operation, in, out)
}

func (p *pair) firehose(operation string, in, out any) error {
	return clientOf(p.Node, "firehose", "Firehose_20150804").Call(p.t.Context(), operation, in, out)
}

type object = map[string]any

// create makes a stream and waits until it has been made, or has not. It returns what became
// of it.
func (p *pair) create(name string, encryption object) (status, failure string) {
	p.t.Helper()
	p.must(p.firehose("CreateDeliveryStream", object{
		"DeliveryStreamName": name, "DeliveryStreamEncryptionConfigurationInput": encryption,
		"ExtendedS3DestinationConfiguration": object{
			"RoleARN": "arn:aws:iam::000000000000:role/r", "BucketARN": "arn:aws:s3:::" + pairBucket,
			"BufferingHints": object{"IntervalInSeconds": 60},
		},
	}, nil))
	for {
		synctest.Wait()
		var out struct {
			DeliveryStreamDescription struct {
				DeliveryStreamStatus string
				FailureDescription   struct{ Type string }
			}
		}
		p.must(p.firehose("DescribeDeliveryStream", object{"DeliveryStreamName": name}, &out))
		if d := out.DeliveryStreamDescription; d.DeliveryStreamStatus != "CREATING" {
			return d.DeliveryStreamStatus, d.FailureDescription.Type
		}
		time.Sleep(time.Second)
	}
}

func (p *pair) put(stream, data string) error {
	return p.firehose("PutRecord", object{"DeliveryStreamName": stream, "Record": object{"Data": []byte(data)}}, nil)
}

// delivered is all that arrived, in the order of its names.
func (p *pair) delivered() string {
	var all strings.Builder
	for _, o := range p.store.Objects(pairBucket) {
		all.Write(o.Body)
	}
	return all.String()
}

// refusal is the code of an answer.
func refusal(err error) string {
	var told *aws.RemoteError
	if errors.As(err, &told) {
		return told.Code
	}
	return ""
}

func TestAStreamUnderAKeyOfAnotherNodeGoesOnAsLongAsTheKeyDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		if status, _ := p.create("s", object{"KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": p.key}); status != "ACTIVE" {
			t.Fatalf("the stream is %s", status)
		}
		p.must(p.put("s", "one "))
		p.restart()
		time.Sleep(2 * time.Minute)
		if got := p.delivered(); got != "one " {
			t.Fatalf("delivered %q", got)
		}

		p.must(p.put("s", "two "))
		p.must(p.keys("DisableKey", object{"KeyId": p.key}, nil))
		p.restart() // no data key is known in plain any more
		time.Sleep(10 * time.Minute)
		if got := p.delivered(); got != "one " {
			t.Fatalf("delivered %q under a disabled key", got)
		}
		if err := p.put("s", "never "); refusal(err) != "InvalidKMSResourceException" || !strings.Contains(err.Error(), p.key+" is disabled.") {
			t.Errorf("put under a disabled key: %v", err)
		}

		p.must(p.keys("EnableKey", object{"KeyId": p.key}, nil))
		p.must(p.put("s", "three "))
		time.Sleep(10 * time.Minute)
		if got := p.delivered(); got != "one two three " {
			t.Fatalf("delivered %q after the key was enabled", got)
		}
	})
}

func TestADisabledKeyElsewhereIsOutOfUseWithinAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		p.create("s", object{"KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": p.key})
		p.must(p.put("s", "one "))
		p.must(p.keys("DisableKey", object{"KeyId": p.key}, nil))
		time.Sleep(freshRemoteKey)
		if err := p.put("s", "two "); refusal(err) != "InvalidKMSResourceException" {
			t.Errorf("put: %v", err)
		}
	})
}

func TestAKMSThatDoesNotAnswerLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		p.create("own", object{"KeyType": "AWS_OWNED_CMK"})
		p.create("customer", object{"KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": p.key})
		p.must(p.put("customer", "one "))
		p.line.cut.Store(true)
		p.restart()
		p.must(p.put("own", "own "))
		if err := p.put("customer", "two "); refusal(err) != "InternalFailure" {
			t.Errorf("put without the KMS: %v", err)
		}
		time.Sleep(10 * time.Minute)
		if got := p.delivered(); got != "own " {
			t.Errorf("delivered %q without the KMS", got)
		}
		p.line.cut.Store(false)
		time.Sleep(10 * time.Minute)
		if got := p.delivered(); !strings.Contains(got, "one ") || len(got) != len("one own ") {
			t.Errorf("delivered %q", got)
		}
	})
}

func TestAKeyThatIsNotThereFailsTheStreamThatNamesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		absent := p.key[:len(p.key)-36] + "00000000-0000-4000-8000-000000000000"
		status, failure := p.create("s", object{"KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": absent})
		if status != "CREATING_FAILED" || failure != "KMS_KEY_NOT_FOUND" {
			t.Errorf("the stream is %s for %s", status, failure)
		}
	})
}

func TestANodeWhoseKeysAreElsewhereServesNoKMS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		err := clientOf(p.Node, "kms", kmsTarget).Call(t.Context(), "ListKeys", nil, nil)
		if err == nil || !strings.Contains(err.Error(), "Credential should be scoped to a service of this server (") || !strings.HasSuffix(err.Error(), "), not 'kms'. (status 400)") {
			t.Error(err)
		}
	})
}

func TestTheErrorsOfAnotherKMSAreThoseOfTheBuiltInOne(t *testing.T) {
	for code, want := range map[string]error{
		"InvalidCiphertextException": kms.ErrCiphertext,
		"IncorrectKeyException":      kms.ErrWrongKey,
	} {
		told := &aws.RemoteError{Code: code, Status: 400}
		if err := explainKMS(told); !errors.Is(err, want) || !errors.Is(err, told) {
			t.Errorf("%s became %v", code, err)
		}
	}
	for code, certain := range map[string]bool{
		"NotFoundException": true, "DisabledException": true, "KMSInvalidStateException": true,
		"AccessDeniedException": true, "InvalidKeyUsageException": true, "InvalidArnException": true,
		"KeyUnavailableException": false, "ThrottlingException": false, "KMSInternalException": false,
		"ExpiredTokenException": false, "InvalidSignatureException": false, "": false,
	} {
		var key *record.KeyError
		if err := explainKMS(&aws.RemoteError{Code: code, Message: "m"}); errors.As(err, &key) != certain {
			t.Errorf("%s became %v", code, err)
		}
		if _, listed := keyFailures[code]; listed != certain {
			t.Errorf("%s in the failures of streams: %v", code, listed)
		}
	}
}

func TestAnswersOfAKMSThatAreNoKeysAreRefused(t *testing.T) {
	for _, body := range []string{
		`{}`, `{"Plaintext":"","CiphertextBlob":"YmxvYg==","KeyId":"k"}`,
		`{"Plaintext":"c2hvcnQ=","CiphertextBlob":"YmxvYg==","KeyId":"k"}`,
		`{"Plaintext":"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=","KeyId":"k"}`,
		`{"Plaintext":"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=","CiphertextBlob":"YmxvYg=="}`,
	} {
		if _, err := answering(body).GenerateDataKey(t.Context(), "k", nil); !errors.Is(err, errBadDataKey) {
			t.Errorf("%s: %v", body, err)
		}
	}
	for _, body := range []string{`{}`, `{"Plaintext":""}`, `{"Plaintext":null}`} {
		if _, err := answering(body).Decrypt(t.Context(), "k", []byte("blob"), nil); !errors.Is(err, aws.ErrBadAnswer) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// answering is a KMS that always answers the same.
func answering(body string) remoteKMS {
	return remoteKMS{&aws.Client{
		Endpoint: "http://kms", Service: "kms", Target: kmsTarget, Region: "us-east-1",
		Credentials: func(context.Context) (aws.KeyPair, error) { return aws.KeyPair{}, nil },
		HTTP:        &http.Client{Transport: always(body)},
	}}
}

type always string

func (a always) RoundTrip(*http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	_, _ = rec.WriteString(string(a)) // a recorder takes all
	return rec.Result(), nil
}
