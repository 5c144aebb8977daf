package clients

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hydrant/e2e/load/sigv4"
	"hydrant/e2e/server"
)

// world is where the refusals happen: two nodes with streams in every state that a client
// can bring about. A refusal changes nothing, so all clients use the same world. CREATING is
// left out: it ends within milliseconds.
type world struct {
	t      *testing.T
	server *server.Server
	// full has as many streams as its quota allows.
	full *server.Server
	// key is the ARN of the KMS key of the stream locked, which is disabled.
	key string
}

// newWorld makes these streams:
//
//   - ready: nothing is wrong with it; it has 50 tags.
//   - backed: has a backup of its records.
//   - keyed: is partitioned by the key k of its query.
//   - stillborn: CREATING_FAILED, for its KMS key is not there.
//   - leaving: DELETING, for an object of it is on its way to a store that never answers.
//   - metered: has taken more than its quota.
//   - locked: its KMS key is disabled.
//   - tired: its encryption was changed 25 times today.
func newWorld(t *testing.T) *world {
	t.Helper()
	var asked atomic.Bool
	store := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then is it noticed that the node is gone
		asked.Store(true)
		<-r.Context().Done()
	}))
	t.Cleanup(store.Close)
	w := &world{t: t}
	w.server = serve(t, fmt.Sprintf("endpoints: {s3: {url: %q, accessKey: key, secretKey: secret}}\n"+
		"quotas: {perStream: {metered: {bytes: 1}}}\n", store.URL))
	w.full = serve(t, "quotas: {streams: 2}\n")
	for _, name := range []string{"one", "two"} {
		w.must(w.full, "CreateDeliveryStream", with(created(nil), m{"DeliveryStreamName": name}))
	}
	quick := m{"BufferingHints": m{"IntervalInSeconds": 0}}
	for name, members := range map[string]m{
		"ready": nil, "leaving": quick, "metered": nil, "locked": nil, "tired": nil,
		"backed": {"S3BackupMode": "Enabled", "S3BackupConfiguration": lake(nil)}, "keyed": byKey(jq("{k:.k}")),
	} {
		w.must(w.server, "CreateDeliveryStream", with(created(members), m{"DeliveryStreamName": name}))
		w.await(name, "DeliveryStreamStatus", "ACTIVE")
	}
	w.must(w.server, "CreateDeliveryStream", with(created(nil), encrypted("stillborn", m{"KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": absentKey})))
	w.await("stillborn", "DeliveryStreamStatus", "CREATING_FAILED")
	var fifty []any
	for i := range 50 {
		fifty = append(fifty, m{"Key": fmt.Sprint("k", i)})
	}
	w.must(w.server, "TagDeliveryStream", on("ready", m{"Tags": fifty}))
	w.must(w.server, "PutRecord", put("metered", text(100_000, "A"))) // a second makes up for one byte of these
	w.leave(&asked)
	w.lock()
	w.tire()
	return w
}

// serve starts a node with a configuration file.
func serve(t *testing.T, config string) *server.Server {
	t.Helper()
	data := t.TempDir()
	path := filepath.Join(t.TempDir(), "hydrant.yaml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return server.Start(t, server.Options{Binary: server.Build(t), Data: data, Args: []string{"--config", path}})
}

// leave deletes a stream of which the store has been sent something.
func (w *world) leave(asked *atomic.Bool) {
	w.t.Helper()
	w.must(w.server, "PutRecord", put("leaving", "eA=="))
	eventually(w.t, "the store is asked", asked.Load)
	w.must(w.server, "DeleteDeliveryStream", on("leaving", nil))
}

// lock has a stream encrypted under a key and disables the key.
func (w *world) lock() {
	w.t.Helper()
	var made struct{ KeyMetadata struct{ Arn, KeyId string } }
	if err := json.Unmarshal(w.must(w.server, "kms CreateKey", m{}), &made); err != nil {
		w.t.Fatal(err)
	}
	w.key = made.KeyMetadata.Arn
	w.must(w.server, "StartDeliveryStreamEncryption", encrypted("locked", m{"KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": w.key}))
	w.await("locked", "Status", "ENABLED")
	w.must(w.server, "kms DisableKey", m{"KeyId": made.KeyMetadata.KeyId})
	eventually(w.t, "the disabled key is out of use", func() bool {
		status, _ := w.send(w.server, "PutRecord", put("locked", ""))
		return status != http.StatusOK
	})
}

// tire turns encryption on and off until nobody may any more.
func (w *world) tire() {
	w.t.Helper()
	for i := range 25 {
		operation, status := "StartDeliveryStreamEncryption", "ENABLED"
		if i%2 == 1 {
			operation, status = "StopDeliveryStreamEncryption", "DISABLED"
		}
		w.must(w.server, operation, on("tired", nil))
		w.await("tired", "Status", status)
	}
}

// await polls until a stream's description says so.
func (w *world) await(stream, member, value string) {
	w.t.Helper()
	want := fmt.Appendf(nil, "%q:%q", member, value)
	eventually(w.t, fmt.Sprintf("%s of %s is %s", member, stream, value), func() bool {
		return bytes.Contains(w.must(w.server, "DescribeDeliveryStream", on(stream, nil)), want)
	})
}

// must sends a request that has to succeed, and returns the answer.
func (w *world) must(s *server.Server, operation string, input m) []byte {
	w.t.Helper()
	status, answer := w.send(s, operation, input)
	if status != http.StatusOK {
		w.t.Fatalf("%s was answered %d %s", operation, status, answer)
	}
	return answer
}

// send sends a request that is made and signed by hand, so that it may be any. Operations
// of KMS have that in front of their name.
func (w *world) send(s *server.Server, operation string, input m) (status int, answer []byte) {
	w.t.Helper()
	body, err := json.Marshal(input)
	if err != nil {
		w.t.Fatal(err)
	}
	service, target := "firehose", "Firehose_20150804."+operation
	if name, ok := strings.CutPrefix(operation, "kms "); ok {
		service, target = "kms", "TrentService."+name
	}
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Address.URL()+"/", bytes.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	date := sigv4.Date(time.Now())
	signer := sigv4.New(s.Keys.AccessKeyID, string(s.Keys.Secret), s.Address.Region, service)
	r.Header.Set("Content-Type", sigv4.ContentType)
	r.Header.Set("X-Amz-Date", date)
	r.Header.Set("X-Amz-Target", target)
	r.Header.Set("Authorization", string(signer.Authorization(nil, date, r.URL.Host, target, sha256.Sum256(body))))
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, answer
}
