package vault

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestTheOwnKeyOutlivesTheProcessAndIsNobodyElses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "own.key")
	first, err := OpenOwn(path)
	if err != nil {
		t.Fatal(err)
	}
	about := map[string]string{"a": "1", "b": "2"}
	k, err := first.GenerateDataKey(t.Context(), "", about)
	if err != nil {
		t.Fatal(err)
	}
	again, err := OpenOwn(path)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := again.Decrypt(t.Context(), "", k.Blob, about); err != nil || string(plain) != string(k.Plaintext) {
		t.Errorf("after reopening: %v", err)
	}
	if _, err := again.Decrypt(t.Context(), "", k.Blob, map[string]string{"a": "12", "b": ""}); !errors.Is(err, errOtherKey) {
		t.Errorf("another context: %v", err)
	}
	other, err := OpenOwn(filepath.Join(t.TempDir(), "own.key"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Decrypt(t.Context(), "", k.Blob, about); !errors.Is(err, errOtherKey) {
		t.Errorf("another node: %v", err)
	}
	if _, err := other.Decrypt(t.Context(), "", nil, about); !errors.Is(err, errOtherKey) {
		t.Errorf("nothing: %v", err)
	}
}

func TestADoubtfulKeyFileIsRefusedAndKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "own.key")
	for _, c := range []struct {
		size int
		mode os.FileMode
		want error
	}{{32, 0o644, ErrExposed}, {31, 0o600, ErrDamaged}, {0, 0o600, ErrDamaged}} {
		if err := os.WriteFile(path, make([]byte, c.size), c.mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, c.mode); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenOwn(path); !errors.Is(err, c.want) {
			t.Errorf("%d bytes of mode %o: %v", c.size, c.mode, err)
		}
		if info, err := os.Stat(path); err != nil || info.Size() != int64(c.size) {
			t.Errorf("the file was touched: %v", err)
		}
	}
}
