package unpack

import (
	"bytes"
	stdgzip "compress/gzip"
	stdjson "encoding/json"
	"io"
	"strings"
	"testing"
)

// What the standard library opens, we open to the same bytes; never to more than the limit.
func FuzzInflate(f *testing.F) {
	packed := gz(f, document(`"line 1"`))
	for _, s := range []string{"", packed, packed + packed, packed + "garbage", packed[:40], gz(f, strings.Repeat("a", 5000))} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		const limit = 4096
		before := bytes.Clone(b)
		inflater := takeInflater()
		defer inflater.give()
		got, err := inflater.inflate(b, limit)
		if len(got) > limit {
			t.Fatalf("%d bytes", len(got))
		}
		if !bytes.Equal(b, before) {
			t.Fatal("the record was changed")
		}
		z, zerr := stdgzip.NewReader(bytes.NewReader(b))
		if zerr != nil {
			return
		}
		want, zerr := io.ReadAll(io.LimitReader(z, 1<<20))
		switch {
		case zerr != nil: // or garbage behind
		case len(want) > limit && err == nil:
			t.Fatalf("%d bytes were taken", len(want))
		case len(want) <= limit && (err != nil || !bytes.Equal(got, want)):
			t.Fatalf("%d bytes instead of %d: %v", len(got), len(want), err)
		}
	})
}

// Two ways through a document agree, and what they take is JSON from which the standard
// library reads the same messages.
func FuzzDocument(f *testing.F) {
	for _, s := range []string{document(), document(`"a"`, `"\u00e4\ud83d\ude00"`, "\"\xff\""), controlMessage, `{"logEvents":[{"message":"a"}],"messageType":"DATA_MESSAGE"}`, `{"messageType":1}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		r := takeReader()
		defer r.give()
		checked, cerr := r.check(b)
		got, k, err := r.messages([]byte("x"), b)
		if !bytes.Equal(b, before) {
			t.Fatal("the document was changed")
		}
		if err != nil {
			return
		}
		if cerr != nil || checked != k {
			t.Fatalf("extraction finds kind %d, the check %d: %v", k, checked, cerr)
		}
		if !stdjson.Valid(b) {
			t.Fatal("not JSON")
		}
		if bytes.Count(b, []byte("essage")) > 2 || bytes.Contains(b, []byte(`\u00`)) || bytes.Contains(bytes.ToLower(b), []byte("logevents\":")) && bytes.Count(bytes.ToLower(b), []byte("logevents")) > 1 {
			return // names that come twice, or in other letters: the standard library sees them otherwise
		}
		var doc struct {
			LogEvents []struct {
				Message string `json:"message"`
			} `json:"logEvents"`
		}
		if err := stdjson.Unmarshal(b, &doc); err != nil {
			return // another member has another type there
		}
		want := "x"
		for _, e := range doc.LogEvents {
			want += e.Message + "\n"
		}
		// The libraries put as many U+FFFD as they please in place of broken UTF-8.
		if strings.ReplaceAll(string(got), "\ufffd", "") != strings.ReplaceAll(want, "\ufffd", "") {
			t.Fatalf("%q instead of %q", got, want)
		}
	})
}
