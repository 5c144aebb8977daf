package s3

import (
	"path"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestKeysAreReadableAndStayInTheirBucket(t *testing.T) {
	long := strings.Repeat("x", 450)
	tests := []struct{ key, path string }{
		{"2026/01/15/10/events-1.gz", "2026/01/15/10/events-1.gz"},
		{"a", "a"},
		{"a/", "a/%_"},
		{"/a", "%_/a"},
		{"a//b", "a/%_/b"},
		{"//", "%_/%_/%_"},
		{".", "%2E"},
		{"../../etc/passwd", "%2E%2E/%2E%2E/etc/passwd"},
		{"...", "..."},
		{"100%", "100%25"},
		{"%_", "%25_"},
		{"a%2Fb", "a%252Fb"},
		{"line\nbreak\x00", "line%0Abreak%00"},
		{"Grüße/日本語", "Grüße/日本語"},
		{".hydrant-0011223344556677.tmp", "%2Ehydrant-0011223344556677.tmp"},
		{".hydrant-x/y.tmp", ".hydrant-x/y.tmp"},
		{"d/" + long, "d/" + long[:200] + "%+/" + long[:200] + "%+/" + long[:50]},
		{long[:200] + "..", long[:200] + "%+/%2E%2E"},
		{long[:199] + "é", long[:199] + "%+/é"},
		{long[:199] + "%", long[:199] + "%+/%25"},
	}
	for _, tt := range tests {
		if got := keyPath(tt.key); got != tt.path {
			t.Errorf("%q lies at %q, want %q", tt.key, got, tt.path)
		}
	}
}

// readPath reads a path back, as listing does folder by folder.
func readPath(p string) (string, bool) {
	var key strings.Builder
	names := strings.Split(p, "/")
	for i, name := range names {
		text, kind, ok := readName(name)
		if !ok || kind == displacedName {
			return "", false
		}
		key.WriteString(text)
		if kind != chunkName && i < len(names)-1 {
			key.WriteByte('/')
		}
	}
	return key.String(), true
}

func FuzzPathsLeadBackToTheirKeys(f *testing.F) {
	for _, key := range []string{"a", "a/b", "//", "..", "%", "%_/", "a%", "\x00", strings.Repeat("é", 512)} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		if !utf8.ValidString(key) || len(key) > maxKey || key == "" {
			return
		}
		p := keyPath(key)
		if got, ok := readPath(p); !ok || got != key {
			t.Fatalf("%q lies at %q, which reads as %q, %v", key, p, got, ok)
		}
		if path.Clean(p) != p || path.IsAbs(p) {
			t.Fatalf("%q lies at %q, which is not a plain path", key, p)
		}
		for name := range strings.SplitSeq(p, "/") {
			if len(name) > maxName+8 || strings.ContainsAny(name, "\x00\n") {
				t.Fatalf("%q has the file name %q", key, name)
			}
		}
	})
}

func FuzzReadName(f *testing.F) {
	for _, name := range []string{"a", "a%", "a%+", "%_", "%_%", "%2E", "%2e", "%", "%+", "%4", "a%.json"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		text, kind, ok := readName(name)
		if !ok || kind != plainName || strings.Contains(text, "/") {
			return
		}
		if p := keyPath(text); p == name {
			if again, _, ok := readName(p); !ok || again != text {
				t.Fatalf("%q reads as %q, then %q", name, text, again)
			}
		}
	})
}
