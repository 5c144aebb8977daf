package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"hydrant/internal/doctor"
)

// A data directory is made by the demo, examined, damaged, examined and repaired; the exit
// codes tell the story to scripts.
func TestTheDoctorsExitCodesTellHealthFromDamage(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	if _, err := execute(t, "doctor", "--data", data); !errors.Is(err, doctor.ErrNoData) {
		t.Fatalf("a directory that is not there: %v", err)
	}
	if out, err := execute(t, "demo", "--data", data, "--json", "--records", "2000"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := execute(t, "doctor", "--data", data)
	if err != nil || !strings.Contains(out, data+" is healthy") || !strings.Contains(out, "2,000 records") {
		t.Fatalf("%v\n%s", err, out)
	}
	spoilLog(t, data)
	out, err = execute(t, "doctor", "--data", data)
	if err != exitError(exitDamage) || !strings.Contains(out, "doctor --data "+data+" --repair") {
		t.Fatalf("damaged: %v\n%s", err, out)
	}
	out, err = execute(t, "doctor", "--data", data, "--repair", "--json")
	var r doctor.Report
	if jsonErr := json.Unmarshal([]byte(out), &r); jsonErr != nil {
		t.Fatalf("%v\n%s", jsonErr, out)
	}
	if len(r.Repaired) == 0 || len(r.Damage) > 0 || (err == nil) != r.Healthy {
		t.Fatalf("repaired: %v\n%s", err, out)
	}
}

// spoilLog overwrites the middle of the journal's log.
func spoilLog(t *testing.T, data string) {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(data, "journal", "*.log"))
	if err != nil || len(logs) == 0 {
		t.Fatalf("no log: %v", err)
	}
	b, err := os.ReadFile(logs[0])
	if err != nil {
		t.Fatal(err)
	}
	copy(b[len(b)/2:], strings.Repeat("spoilt", 500))
	if err := os.WriteFile(logs[0], b, 0o600); err != nil {
		t.Fatal(err)
	}
}
