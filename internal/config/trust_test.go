package config

import (
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

func TestAnEndpointIsTrustedByItsAuthorities(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that must fail
	server.StartTLS()
	defer server.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		endpoint Endpoint
		trusted  bool
	}{{Endpoint{}, false}, {Endpoint{CAFile: file}, true}, {Endpoint{InsecureSkipVerify: true}, true}} {
		c, err := tt.endpoint.ClientTLS()
		if err != nil {
			t.Fatal(err)
		}
		transport := &http.Transport{TLSClientConfig: c}
		res, err := (&http.Client{Transport: transport}).Get(server.URL)
		if err == nil {
			_ = res.Body.Close()
		}
		if (err == nil) != tt.trusted {
			t.Errorf("%+v: %v", tt.endpoint, err)
		}
		transport.CloseIdleConnections()
	}
}

func TestAuthoritiesThatAreNoneAreRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ca.pem")
	if _, err := (Endpoint{CAFile: file}).ClientTLS(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("absent: %v", err)
	}
	if err := os.WriteFile(file, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (Endpoint{CAFile: file}).ClientTLS(); !errors.Is(err, ErrBadFile) {
		t.Errorf("another file: %v", err)
	}
}
