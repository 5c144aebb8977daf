package s3

import (
	"encoding/xml"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// quickFolder is a folder in memory where the system has one: these tests sync often.
func quickFolder(t testing.TB) string {
	t.Helper()
	path, err := os.MkdirTemp("/dev/shm", "hydrant-s3-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(path); err != nil {
			t.Error(err)
		}
	})
	return path
}

// hardComponents are components that a file system, a URL or the escape could get wrong.
var hardComponents = []string{
	"a", "a!", "a%", "a0", "b", "", "", ".", "..", "%", "%2F", "%_", "a b", "+", "?x=y#", "ä", "日本", "a\nb",
	".hydrant-0000000000000000.tmp", "a%.json", "%bucket.json", strings.Repeat("l", 199), strings.Repeat("l", 200),
	strings.Repeat("l", 201), strings.Repeat("l", 200) + "!", strings.Repeat("l", 199) + "é",
	strings.Repeat("%", 90), strings.Repeat("l", 300), "A", "~",
}

func hardKey() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		key := strings.Join(rapid.SliceOfN(rapid.SampledFrom(hardComponents), 1, 4).Draw(t, "components"), "/")
		if key == "" || len(key) > maxKey {
			return "a"
		}
		return key
	})
}

// rolledUp is what a listing of the model gives: keys, and common prefixes with a mark.
func rolledUp(keys map[string]string, l listing) []string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if !strings.HasPrefix(key, l.prefix) {
			continue
		}
		item := key
		if common := l.common(key); common != "" {
			if l.after != "" && l.common(l.after) == common {
				continue
			}
			item = "prefix " + common
		} else if key <= l.after {
			continue
		}
		if l.after >= strings.TrimPrefix(item, "prefix ") || len(out) > 0 && out[len(out)-1] == item {
			continue
		}
		out = append(out, item)
	}
	return out
}

// TestTheStoreDoesWhatASortedMapDoes puts, deletes and lists at random.
func TestTheStoreDoesWhatASortedMapDoes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		root := quickFolder(t)
		s, err := Open(Options{Root: root})
		if err != nil {
			rt.Fatal(err)
		}
		if err := s.CreateBucket(t.Context(), "box"); err != nil {
			rt.Fatal(err)
		}
		s.frameNames = rapid.SampledFrom([]int{1, 2, 3, defaultFrameNames}).Draw(rt, "frame names")
		p, model := plain{t, s}, make(map[string]string)
		rt.Repeat(map[string]func(*rapid.T){
			"put": func(rt *rapid.T) {
				key := hardKey().Draw(rt, "key")
				value := fmt.Sprint(rapid.IntRange(0, 9).Draw(rt, "value"))
				p.must("PUT", target(key), value)
				model[key] = value
			},
			"delete": func(rt *rapid.T) {
				key := hardKey().Draw(rt, "key")
				if n := len(model); n > 0 && rapid.Bool().Draw(rt, "existing") {
					key = slices.Sorted(maps.Keys(model))[rapid.IntRange(0, n-1).Draw(rt, "which")]
				}
				p.must("DELETE", target(key), "")
				delete(model, key)
			},
			"list": func(rt *rapid.T) {
				l := listing{
					prefix:    rapid.SampledFrom([]string{"", "a", "a/", "/", "../", "l", strings.Repeat("l", 200), "zz/"}).Draw(rt, "prefix"),
					delimiter: rapid.SampledFrom([]string{"", "/", "a", "//", "%"}).Draw(rt, "delimiter"),
					after:     rapid.OneOf(rapid.Just(""), hardKey()).Draw(rt, "after"),
					max:       rapid.IntRange(1, 5).Draw(rt, "max"),
				}
				compareListing(rt, s, l, model)
			},
			"reopen": func(rt *rapid.T) {
				if s, err = Open(Options{Root: root}); err != nil {
					rt.Fatal(err)
				}
				p = plain{t, s}
			},
			"read": func(rt *rapid.T) {
				for key, value := range model {
					if got := p.must("GET", target(key), ""); string(got.body) != value {
						rt.Fatalf("%q holds %q, want %q", key, got.body, value)
					}
				}
			},
			"": func(rt *rapid.T) {
				if len(model) == 0 {
					noFoldersLeft(rt, root)
				}
			},
		})
	})
}

func target(key string) string { return (&url.URL{Path: "/box/" + key}).EscapedPath() }

// compareListing reads all pages from a bound on.
func compareListing(rt *rapid.T, s *Store, l listing, model map[string]string) {
	want := rolledUp(model, l)
	var got []string
	for {
		page, err := s.list("box", l)
		if err != nil {
			rt.Fatal(err)
		}
		if len(page.objects)+len(page.prefixes) > l.max {
			rt.Fatalf("page of %d", len(page.objects)+len(page.prefixes))
		}
		var items []string
		for _, o := range page.objects {
			items = append(items, o.key)
		}
		for _, p := range page.prefixes {
			items = append(items, "prefix "+p)
		}
		slices.SortFunc(items, func(a, b string) int {
			return strings.Compare(strings.TrimPrefix(a, "prefix "), strings.TrimPrefix(b, "prefix "))
		})
		got = append(got, items...)
		if !page.truncated {
			break
		}
		l.after = page.last
	}
	if !slices.Equal(got, want) {
		rt.Fatalf("listing %+v\ngot  %q\nwant %q", l, got, want)
	}
}

// noFoldersLeft looks for what deletions should have taken with them.
func noFoldersLeft(rt *rapid.T, root string) {
	for _, tree := range []string{"buckets", "meta"} {
		entries, err := os.ReadDir(filepath.Join(root, tree, "box"))
		if err != nil {
			rt.Fatal(err)
		}
		for _, e := range entries {
			if e.Name() != bucketFile {
				rt.Fatalf("%s/box still has %s", tree, e.Name())
			}
		}
	}
}

func TestAFolderWithMoreNamesThanAFrameIsListedInFull(t *testing.T) {
	s := openStore(t)
	if err := s.CreateBucket(t.Context(), "box"); err != nil {
		t.Fatal(err)
	}
	// Files copied in by hand, which is quicker than putting them.
	s.frameNames = 16
	const n = 5*16 + 7
	for _, folder := range []string{"d", "e"} {
		path := filepath.Join(s.bucketPath("box"), folder)
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			if err := os.WriteFile(filepath.Join(path, fmt.Sprintf("%06d", i*31%n)), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, size := range []int{10, 3 * n} { // less than a frame, and more than all
		var got []string
		for l, more := (listing{max: size}), true; more; {
			page, err := s.list("box", l)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range page.objects {
				got = append(got, o.key)
			}
			l.after, more = page.last, page.truncated
		}
		for i := range 2 * n {
			if want := fmt.Sprintf("%c/%06d", 'd'+i/n, i%n); i >= len(got) || got[i] != want {
				t.Fatalf("pages of %d: key %d of %d is not %s", size, i, len(got), want)
			}
		}
	}
	page, err := s.list("box", listing{delimiter: "/", max: 10})
	if err != nil || !slices.Equal(page.prefixes, []string{"d/", "e/"}) {
		t.Fatalf("%q, %v", page.prefixes, err)
	}
}

func TestFilesCopiedInByHandAreServed(t *testing.T) {
	s, p := bucketed(t)
	path := filepath.Join(s.bucketPath("box"), "by", "hand.txt")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/hostname", filepath.Join(s.bucketPath("box"), "link")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".hydrant-0000000000000000.tmp", "no%escape", "%41", "\xff"} {
		if err := os.WriteFile(filepath.Join(s.bucketPath("box"), name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got := p.must("GET", "/box/by/hand.txt", "")
	if string(got.body) != "hello" || got.header.Get("Content-Type") != "binary/octet-stream" || !strings.HasSuffix(got.header.Get("Etag"), `-0"`) {
		t.Errorf("%q %v", got.body, got.header)
	}
	var list struct {
		Contents []struct{ Key, ETag string }
	}
	if err := xml.Unmarshal(p.must("GET", "/box?list-type=2", "").body, &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Contents) != 1 || list.Contents[0].Key != "by/hand.txt" || list.Contents[0].ETag != got.header.Get("Etag") {
		t.Errorf("listed %+v", list.Contents)
	}
	if got := p.do("GET", "/box/link", ""); got.code != "NoSuchKey" {
		t.Errorf("a link led to %q", got.body)
	}
	// An object that a person edits is served as it is now, not as it was described.
	p.must("PUT", "/box/edited", "one", "Content-Type", "text/x")
	if err := os.WriteFile(filepath.Join(s.bucketPath("box"), "edited"), []byte("three"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := p.must("GET", "/box/edited", ""); string(got.body) != "three" || got.header.Get("Content-Type") == "text/x" {
		t.Errorf("%q %v", got.body, got.header)
	}
	// What is in the way of nothing is not deleted with the bucket.
	if got := p.do("DELETE", "/box", ""); got.code != "BucketNotEmpty" {
		t.Errorf("a bucket with files was deleted: %d", got.status)
	}
}
