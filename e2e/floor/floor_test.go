package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/klauspost/compress/gzip"
	"golang.org/x/sync/semaphore"

	"hydrant/e2e/load/sigv4"
	"hydrant/internal/record"
)

// A yardstick that loses or invents records measures nothing: all that is put comes out,
// in order, in objects of the size asked for.
func TestTheFloorDoesTheWholeWork(t *testing.T) {
	var mu sync.Mutex
	stored := map[string][]byte{}
	put := func(name string, data []byte) error {
		mu.Lock()
		defer mu.Unlock()
		stored[name] = bytes.Clone(data)
		return nil
	}
	fail := func(err error) { t.Error(err) }
	budget := semaphore.NewWeighted(memory)
	objects := newObjects(put, 1000, 1, budget, fail)
	log, err := openLog(filepath.Join(t.TempDir(), "log"), objects.in, fail)
	if err != nil {
		t.Fatal(err)
	}
	go objects.run()
	go log.run()
	server := httptest.NewServer(newHandler("us-east-1", "key", "secret", budget, log))

	var want strings.Builder
	for i := range 100 {
		first, second := fmt.Sprintf("record %d\n", i), fmt.Sprintf("record %d and a half\n", i)
		want.WriteString(first + second)
		batch := fmt.Sprintf(`{"DeliveryStreamName":"s","Records":[{"Data":"%s"}, {"Data":"%s"}]}`,
			base64.StdEncoding.EncodeToString([]byte(first)), base64.StdEncoding.EncodeToString([]byte(second)))
		var answer struct {
			FailedPutCount   int
			Encrypted        bool
			RequestResponses []struct{ RecordId string }
		}
		status, text := post(t, server.URL, "PutRecordBatch", batch, "secret")
		if err := json.Unmarshal(text, &answer, json.RejectUnknownMembers(true)); err != nil || status != 200 || len(answer.RequestResponses) != 2 {
			t.Fatalf("%d %s: %v", status, text, err)
		}
		if _, p, err := record.ParseID(answer.RequestResponses[1].RecordId); err != nil || p != (record.Position{Entry: uint64(i + 1), Index: 1}) {
			t.Fatalf("record id leads to %v, %v", p, err)
		}
	}
	want.WriteString("single\n")
	single := fmt.Sprintf(`{"DeliveryStreamName":"s","Record":{"Data":"%s"}}`, base64.StdEncoding.EncodeToString([]byte("single\n")))
	if status, text := post(t, server.URL, "PutRecord", single, "secret"); status != 200 || !strings.HasPrefix(string(text), `{"Encrypted":false,"RecordId":"`) {
		t.Fatalf("%d %s", status, text)
	}
	server.Close()
	objects.settle()
	if o := objects.count.Load(); o != int64(len(stored)) || o == 0 {
		t.Errorf("settled with %d of %d objects stored", len(stored), o)
	}
	log.close()
	objects.close()

	var got bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(stored)) {
		unzip, err := gzip.NewReader(bytes.NewReader(stored[name]))
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(&got, unzip)
		if err != nil || n > 1000 {
			t.Fatalf("%s holds %d bytes: %v", name, n, err)
		}
	}
	if got.String() != want.String() {
		t.Errorf("got %d bytes, want %d", got.Len(), want.Len())
	}
	if log.requests.Load() != 101 || log.bytes.Load() != int64(want.Len()) || objects.count.Load() != int64(len(stored)) {
		t.Errorf("counted %d requests, %d bytes, %d objects", log.requests.Load(), log.bytes.Load(), objects.count.Load())
	}
	if !budget.TryAcquire(memory) {
		t.Error("memory was not given back")
	}
}

func TestTheFloorTakesNoWrongSignatureAndNoBadRecord(t *testing.T) {
	budget := semaphore.NewWeighted(memory)
	server := httptest.NewServer(newHandler("us-east-1", "key", "secret", budget, nil))
	defer server.Close()
	good := `{"DeliveryStreamName":"s","Record":{"Data":"aGk="}}`
	for name, tt := range map[string]struct{ body, secret, want string }{
		"another secret":     {good, "guess", "InvalidSignatureException"},
		"no base64":          {`{"Record":{"Data":"a?"}}`, "secret", "SerializationException"},
		"cut short":          {`{"Record":{"Data":"aGk`, "secret", "SerializationException"},
		"no record anywhere": {`{}`, "secret", "SerializationException"},
	} {
		if status, text := post(t, server.URL, "PutRecord", tt.body, tt.secret); status != 400 || !strings.Contains(string(text), tt.want) {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	if !budget.TryAcquire(memory) {
		t.Error("memory was not given back")
	}
}

// post sends a signed request and returns the answer.
func post(t *testing.T, url, operation, body, secret string) (int, []byte) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, url+"/", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	date, target := sigv4.Date(time.Now()), "Firehose_20150804."+operation
	signer := sigv4.New("key", secret, "us-east-1", "firehose")
	r.Header.Set("Content-Type", sigv4.ContentType)
	r.Header.Set("X-Amz-Date", date)
	r.Header.Set("X-Amz-Target", target)
	r.Header.Set("Authorization", string(signer.Authorization(nil, date, r.Host, target, sha256.Sum256([]byte(body)))))
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, text
}

func TestFilesAreWholeWhenTheyHaveTheirName(t *testing.T) {
	folder := t.TempDir()
	if err := writeFile(folder, "a", []byte("hello")); err != nil {
		t.Fatal(err)
	}
	names, err := os.ReadDir(folder)
	if err != nil || len(names) != 1 || names[0].Name() != "a" {
		t.Fatalf("%v, %v", names, err)
	}
}
