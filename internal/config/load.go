package config

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxFileBytes is far more than any file of settings, and keeps a wrong path from filling
// the memory.
const maxFileBytes = 1 << 20

// ErrBadFile is wrapped by every refusal of a file's content. The text around it names the
// file, the line and the key.
var ErrBadFile = errors.New("configuration is not valid")

// Load reads the file at path over the defaults. Settings that the file does not name keep
// them. Keys that Hydrant does not know, keys given twice and values of the wrong kind are
// refused. The result is not validated: flags may still change it.
func Load(path string) (Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return Config{}, fmt.Errorf("configuration file: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return Config{}, fmt.Errorf("configuration file: %w", err)
	}
	if len(text) > maxFileBytes {
		return Config{}, fmt.Errorf("%s: %w: larger than 1 MiB", path, ErrBadFile)
	}
	return parse(path, text)
}

// parse reads the text of a file; name stands in errors.
func parse(name string, text []byte) (Config, error) {
	c := Defaults()
	in := yaml.NewDecoder(bytes.NewReader(text))
	var document, second yaml.Node
	if err := in.Decode(&document); errors.Is(err, io.EOF) {
		return c, nil // nothing but comments
	} else if err != nil {
		return Config{}, fmt.Errorf("%s: %w: %s", name, ErrBadFile, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := in.Decode(&second); !errors.Is(err, io.EOF) {
		return Config{}, fmt.Errorf("%s: %w: only one YAML document is read", name, ErrBadFile)
	}
	r := reader{file: name}
	r.value(document.Content[0], reflect.ValueOf(&c).Elem(), "")
	if err := errors.Join(r.faults...); err != nil {
		return Config{}, err
	}
	return c, nil
}

// A reader sets Go values from YAML nodes. It is used rather than the YAML library's own
// decoding because that cannot name the key of a bad value, and it goes on after a fault,
// so that a person sees all of them at once.
type reader struct {
	file   string
	faults []error
}

func (r *reader) fault(at *yaml.Node, key, format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	if key != "" {
		what = key + ": " + what
	}
	r.faults = append(r.faults, fmt.Errorf("%s:%d: %w: %s", r.file, at.Line, ErrBadFile, what))
}

// value sets v from a node. An empty value ("region:") leaves the default.
func (r *reader) value(n *yaml.Node, v reflect.Value, key string) {
	if n.Kind == yaml.AliasNode {
		r.fault(n, key, "aliases are not followed; write the value out")
		return
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return
	}
	if text, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		r.text(n, text, key)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		r.fields(n, v, key)
	case reflect.Map:
		r.entries(n, v, key)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		r.value(n, v.Elem(), key)
	default:
		r.scalar(n, v, key)
	}
}

// text hands a plain value to a type that reads itself. Its error may quote the value, so
// types that hold secrets must have none.
func (r *reader) text(n *yaml.Node, into encoding.TextUnmarshaler, key string) {
	if n.Kind != yaml.ScalarNode {
		r.fault(n, key, "a single value is wanted here")
		return
	}
	if err := into.UnmarshalText([]byte(n.Value)); err != nil {
		r.fault(n, key, "%v", err)
	}
}

// scalar sets a string, a bool or an int. Strings take any plain value as it is written, so
// that account: 000000000000 keeps its zeros.
func (r *reader) scalar(n *yaml.Node, v reflect.Value, key string) {
	if n.Kind != yaml.ScalarNode {
		r.fault(n, key, "a single value is wanted here")
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(n.Value)
	case reflect.Bool:
		b, err := strconv.ParseBool(n.Value)
		if err != nil || n.Tag != "!!bool" {
			r.fault(n, key, "true or false is wanted here, not %q", n.Value)
			return
		}
		v.SetBool(b)
	case reflect.Int:
		i, err := strconv.Atoi(n.Value)
		if err != nil {
			r.fault(n, key, "a whole number is wanted here, not %q", n.Value)
			return
		}
		v.SetInt(int64(i))
	default:
		panic("config: a field of Config has the unforeseen type " + v.Type().String())
	}
}

// fields sets the fields of a struct from a mapping.
func (r *reader) fields(n *yaml.Node, v reflect.Value, key string) {
	r.pairs(n, key, func(name, value *yaml.Node, at string) {
		known := settings(v.Type())
		i := slices.Index(known, name.Value)
		if i < 0 {
			r.fault(name, at, "no such setting; known here: %s", strings.Join(known, ", "))
			return
		}
		r.value(value, v.Field(i), at)
	})
}

// entries sets a map with string keys from a mapping.
func (r *reader) entries(n *yaml.Node, v reflect.Value, key string) {
	v.Set(reflect.MakeMap(v.Type()))
	r.pairs(n, key, func(name, value *yaml.Node, at string) {
		element := reflect.New(v.Type().Elem()).Elem()
		r.value(value, element, at)
		v.SetMapIndex(reflect.ValueOf(name.Value), element)
	})
}

// pairs calls fn with each key and value of a mapping and the full name of the key.
func (r *reader) pairs(n *yaml.Node, key string, fn func(name, value *yaml.Node, at string)) {
	if n.Kind != yaml.MappingNode {
		r.fault(n, key, "settings are wanted here, each as name: value")
		return
	}
	seen := map[string]int{}
	for i := 0; i < len(n.Content); i += 2 {
		name := n.Content[i]
		at := strings.TrimPrefix(key+"."+name.Value, ".")
		if line, twice := seen[name.Value]; twice {
			r.fault(name, at, "given before, in line %d", line)
			continue
		}
		seen[name.Value] = name.Line
		fn(name, n.Content[i+1], at)
	}
}

// settings lists the keys of a struct in the order of its fields.
func settings(t reflect.Type) []string {
	names := make([]string, t.NumField())
	for i := range names {
		names[i] = t.Field(i).Tag.Get("yaml")
	}
	return names
}
