package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"hydrant/internal/aws"
)

// The store is what the API server asks of identity.
var (
	_ aws.Credentials = (*Store)(nil)
	_ aws.Authorizer  = (*Store)(nil)
)

func load(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTheFirstStartMakesAKeyAndLaterOnesKeepIt(t *testing.T) {
	dir := t.TempDir()
	root := load(t, dir).Root()
	if !regexp.MustCompile(`^HYDR[A-Z2-7]{16}$`).MatchString(root.AccessKeyID) {
		t.Errorf("access key id %q", root.AccessKeyID)
	}
	if !regexp.MustCompile(`^[A-Za-z0-9+/]{40}$`).MatchString(string(root.Secret)) {
		t.Error("the secret is not 40 characters of base64")
	}
	info, err := os.Stat(filepath.Join(dir, FileName))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info.Mode(), err)
	}
	if again := load(t, dir).Root(); again != root {
		t.Error("the second start made another key")
	}
	if other := load(t, t.TempDir()).Root(); other == root {
		t.Error("two directories got the same key")
	}
}

func TestTheFileHasTheMembersThatClientsRead(t *testing.T) {
	dir := t.TempDir()
	root := load(t, dir).Root()
	data, err := os.ReadFile(filepath.Join(dir, FileName))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]string
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got["accessKeyId"] != root.AccessKeyID || got["secretAccessKey"] != string(root.Secret) {
		t.Errorf("file holds other members: %d", len(got))
	}
}

func TestAFileThatOthersMayReadIsRefused(t *testing.T) {
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o601} {
		dir := t.TempDir()
		load(t, dir)
		path := filepath.Join(dir, FileName)
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := Load(dir)
		if !errors.Is(err, ErrExposed) || !strings.Contains(err.Error(), "chmod 600 "+path) {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
}

func TestADamagedFileIsRefusedAndLeftAlone(t *testing.T) {
	secret := strings.Repeat("s", 41)
	for _, content := range []string{
		"", "{", "[]", `{"accessKeyId":"HYDR"}`,
		`{"accessKeyId":"HYDRAAAAAAAAAAAAAAAA","secretAccessKey":"` + secret + `"}`,
		`{"accessKeyId":"HYDRAAAAAAAAAAAAAAAA","secretAccessKey":` + secret + `}`,
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, FileName)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Load(dir)
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("%q: %v", content, err)
		}
		if err != nil && strings.Contains(err.Error(), "sss") {
			t.Errorf("the error tells the secret: %v", err)
		}
		if left, err := os.ReadFile(path); err != nil || string(left) != content {
			t.Errorf("%q became %q, %v", content, left, err)
		}
	}
}

func TestADirectoryThatIsMissingIsAnError(t *testing.T) {
	if _, err := Load(filepath.Join(t.TempDir(), "no")); err == nil {
		t.Fatal("loaded from nowhere")
	}
}

func TestOnlyTheRootKeyIsKnownAndMayDoEverything(t *testing.T) {
	s := load(t, t.TempDir())
	key, ok := s.Lookup(s.Root().AccessKeyID)
	if !ok || key.Secret != s.Root().Secret || key.Owner != Root || key.Token != "" || !key.Expires.IsZero() {
		t.Errorf("root key: %v, owner %q", ok, key.Owner)
	}
	for _, id := range []string{"", "HYDR", s.Root().AccessKeyID + "A", strings.ToLower(s.Root().AccessKeyID)} {
		if _, ok := s.Lookup(id); ok {
			t.Errorf("%q is known", id)
		}
	}
	ctx := context.Background()
	if err := s.Allow(ctx, aws.Principal{Owner: Root}, "firehose:PutRecord", "*"); err != nil {
		t.Errorf("root: %v", err)
	}
	err := s.Allow(ctx, aws.Principal{Owner: "user/alice"}, "firehose:PutRecord", "*")
	if err == nil || err.Error() != "no identity-based policy allows the firehose:PutRecord action" {
		t.Errorf("alice: %v", err)
	}
}

func TestCredentialsDoNotPrintTheirSecret(t *testing.T) {
	s := load(t, t.TempDir())
	root := s.Root()
	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "root", root, "secret", root.Secret)
	encoded, err := json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		fmt.Sprint(root), fmt.Sprintf("%+v", root), fmt.Sprintf("%#v", root), fmt.Sprintf("%q %x %s", root, root.Secret, root),
		fmt.Sprintf("%v %+v %#v", s, s, *s), logged.String(), string(encoded),
	} {
		if strings.Contains(text, string(root.Secret)) || strings.Contains(text, fmt.Sprintf("%x", string(root.Secret))) {
			t.Errorf("the secret is in: %.200s", text)
		}
	}
}
