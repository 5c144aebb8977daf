package kms

import (
	"bytes"
	"errors"
	"testing"
)

const anID = "01234567-89ab-4cde-8f01-23456789abcd"

// FuzzBlobsAreTakenApartAndPutTogether holds the parser to its drawing: what it takes is
// what blobHead writes, and no blob that was changed opens.
func FuzzBlobsAreTakenApartAndPutTogether(f *testing.F) {
	master, err := newAEAD(make([]byte, materialSize))
	if err != nil {
		f.Fatal(err)
	}
	k := &key{ID: anID}
	if err := k.grow(master, testTime); err != nil {
		f.Fatal(err)
	}
	genuine := k.encrypt([]byte("plaintext"), map[string]string{"a": "b"})
	f.Add(genuine)
	f.Add(genuine[:60])
	f.Add(append(blobHead("mrk-0123456789abcdef0123456789abcdef", 7, make([]byte, nonceSize)), make([]byte, tagSize)...))
	f.Add([]byte{blobVersion, 255})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := parseBlob(text)
		if err != nil {
			if !errors.Is(err, ErrCiphertext) {
				t.Error(err)
			}
			return
		}
		if again := append(blobHead(b.key, b.generation, b.nonce), b.sealed...); !bytes.Equal(again, text) {
			t.Errorf("%x became %x", text, again)
		}
		if got, err := k.decrypt(b, map[string]string{"a": "b"}); err == nil && !bytes.Equal(text, genuine) {
			t.Errorf("%x was opened: %q", text, got)
		}
	})
}

func TestEveryChangedByteOfABlobIsNoticed(t *testing.T) {
	w := newWorld(t)
	k, err := w.GenerateDataKey(t.Context(), w.newKey(nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range k.Blob {
		changed := bytes.Clone(k.Blob)
		changed[i] ^= 1
		if _, err := w.Decrypt(t.Context(), "", changed, nil); err == nil {
			t.Errorf("byte %d may be changed", i)
		}
	}
}

func TestOnlyEqualContextsHaveEqualForms(t *testing.T) {
	contexts := []map[string]string{
		nil, {"": ""}, {"a": ""}, {"": "a"}, {"a": "b"}, {"b": "a"}, {"ab": ""}, {"a": "b", "c": "d"}, {"a": "bc", "": "d"}, {"a": "d", "c": "b"},
	}
	for i, a := range contexts {
		for j, b := range contexts {
			if (i == j) != bytes.Equal(canonical(a), canonical(b)) {
				t.Errorf("%v and %v", a, b)
			}
		}
	}
	const want = "\x00\x00\x00\x01a\x00\x00\x00\x01b\x00\x00\x00\x01c\x00\x00\x00\x00"
	if got := canonical(map[string]string{"c": "", "a": "b"}); string(got) != want {
		t.Errorf("the form of contexts has changed: %q", got)
	}
}
