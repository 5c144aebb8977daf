package node

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hydrant/internal/config"
)

func testConfig(t *testing.T) config.Config {
	c := config.Defaults()
	c.Data = filepath.Join(t.TempDir(), "data")
	c.Listen, c.Console = "127.0.0.1:0", "127.0.0.1:0"
	return c
}

func open(t *testing.T, c config.Config) *Node {
	t.Helper()
	n, err := Open(t.Context(), Options{Config: c, Version: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// start serves until the returned function is called, which gives Serve's error.
func start(t *testing.T, n *Node) (Address, func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ready, done := make(chan Address, 1), make(chan error, 1)
	go func() { done <- n.Serve(ctx, func(a Address) { ready <- a }) }()
	stop := func() error { cancel(); return errors.Join(<-done, n.Close()) }
	select {
	case a := <-ready:
		return a, stop
	case err := <-done:
		t.Fatal(err)
		return Address{}, nil
	}
}

func get(t *testing.T, client *http.Client, url string) (int, string) {
	t.Helper()
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func TestANodeAnswersAndLeavesItsAddress(t *testing.T) {
	c := testConfig(t)
	a, stop := start(t, open(t, c))
	for path, want := range map[string]string{
		"/healthz": "ok", "/readyz": "ready", "/metrics": "hydrant_journal_syncs_total",
	} {
		if status, body := get(t, http.DefaultClient, a.ConsoleURL()+path); status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s answered %d %q", path, status, body)
		}
	}
	// Without a signature nothing is served, metrics neither.
	for _, path := range []string{"/", "/metrics", "/bucket/key"} {
		if status, _ := get(t, http.DefaultClient, a.URL()+path); status < 400 {
			t.Errorf("%s was served without a signature: %d", path, status)
		}
	}
	left, keys, err := ReadAddress(c.Data)
	if err != nil || left != a || keys.AccessKeyID == "" {
		t.Fatalf("left %+v %v", left, err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := ReadAddress(t.TempDir()); !errors.Is(err, ErrNoNode) {
		t.Fatalf("err %v", err)
	}
}

func TestOneNodeForEachDataDirectory(t *testing.T) {
	c := testConfig(t)
	n := open(t, c)
	_, err := Open(t.Context(), Options{Config: c, Logger: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "another process uses the data directory") {
		t.Fatalf("err %v", err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n = open(t, c)
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAnAddressInUseIsExplained(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	c := testConfig(t)
	c.Listen = taken.Addr().String()
	n := open(t, c)
	defer n.Close()
	if err := n.Serve(t.Context(), func(Address) {}); err == nil || !strings.Contains(err.Error(), "--listen") {
		t.Fatalf("err %v", err)
	}
}

// The journal fails: the node stops by itself and says why, so that it is started again.
func TestAFailedJournalStopsTheNode(t *testing.T) {
	n := open(t, testConfig(t))
	defer n.Close()
	broken := errors.New("the disk is gone")
	if err := n.Serve(t.Context(), func(Address) { n.fail(broken) }); !errors.Is(err, broken) {
		t.Fatalf("err %v", err)
	}
}

func TestServingOverTLS(t *testing.T) {
	c := testConfig(t)
	pool := x509.NewCertPool()
	c.TLS.Cert, c.TLS.Key = selfSigned(t, pool)
	a, stop := start(t, open(t, c))
	defer func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	}()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	defer client.CloseIdleConnections()
	if status, _ := get(t, client, a.ConsoleURL()+"/healthz"); status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	if !strings.HasPrefix(a.URL(), "https://") {
		t.Fatalf("address %s", a.URL())
	}
}

// selfSigned writes a certificate for 127.0.0.1 that pool trusts.
func selfSigned(t *testing.T, pool *x509.CertPool) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	pool.AppendCertsFromPEM(certPEM)
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, b := range map[string][]byte{cert: certPEM, key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})} {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}
