package operate

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hydrant/internal/stream"
)

func TestTheTableShowsWhatWaitsAndWhy(t *testing.T) {
	when := time.Date(2026, 1, 15, 10, 15, 0, 0, time.UTC)
	var b strings.Builder
	err := Print(&b, []Stream{
		{Name: "clicks", Status: stream.Active, Version: 1},
		{
			Name: "orders", Status: stream.Active, Version: 12, Paused: true, LastError: "no\nbucket \x1b[2J",
			Data:   Output{Pending: counts(1204, 3<<20), Oldest: when, AgeSeconds: 7800},
			Backup: &Output{Pending: counts(1, 10), Oldest: when, AgeSeconds: 59.9}, Failures: &Output{}, Partitions: new(10_000),
		},
		{Name: "stillborn", Status: stream.CreatingFailed, Version: 1, Failure: "DISABLED_KMS_KEY: the key is off"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `STREAM        STATUS           VERSION  BACKLOG                 OLDEST  LAST ERROR
clicks        ACTIVE           1        none                    -       -
orders        ACTIVE, paused   12       1,204 records, 3.0 MiB  2h 10m  no bucket ` + "\ufffd" + `[2J
  partitions                            10,000 open                     
  backup                                1 record, 10 B          59s     
stillborn     CREATING_FAILED  1        none                    -       DISABLED_KMS_KEY: the key is off
`
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
}

func TestFiguresAreShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 59*time.Second + 999*time.Millisecond: "59s", 61 * time.Second: "1m 1s",
		25 * time.Hour: "1d 1h",
	} {
		if got := brief(d); got != want {
			t.Errorf("%s: %s", d, got)
		}
	}
	for n, want := range map[uint64]string{
		0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1<<20 - 1: "1.0 MiB", 1 << 60: "1.0 EiB",
	} {
		if got := size(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
	for n, want := range map[uint64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
}
