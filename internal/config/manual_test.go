package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The file that docs/configuration.md shows has every setting, at its default.
func TestTheManualShowsTheDefaults(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "configuration.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(text), "```yaml\n")
	if len(blocks) != 3 {
		t.Fatalf("%d blocks of YAML, want the whole file and an endpoint", len(blocks)-1)
	}
	whole, _, _ := strings.Cut(blocks[1], "```")
	got, err := parse("docs/configuration.md", []byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	want := Defaults()
	want.Endpoints = map[string]Endpoint{}
	want.Quotas.PerStream = map[string]Quota{}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for _, key := range keysOf(reflect.TypeFor[Config]()) {
		if !strings.Contains(whole, key+":") {
			t.Errorf("%s is missing", key)
		}
	}
	endpoint, _, _ := strings.Cut(blocks[2], "```")
	if c, err := parse("docs/configuration.md", []byte(endpoint)); err != nil {
		t.Error(err)
	} else if err := c.Validate(); err != nil {
		t.Error(err)
	}
	for _, key := range keysOf(reflect.TypeFor[Endpoint]()) {
		if !strings.Contains(endpoint, key+":") {
			t.Errorf("endpoints.s3.%s is missing", key)
		}
	}
}

// keysOf lists the keys of a struct and of the structs in it.
func keysOf(t reflect.Type) []string {
	var keys []string
	for i := range t.NumField() {
		f := t.Field(i)
		keys = append(keys, f.Tag.Get("yaml"))
		if f.Type.Kind() == reflect.Struct {
			keys = append(keys, keysOf(f.Type)...)
		}
	}
	return keys
}
