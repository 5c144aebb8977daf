package walls

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// A source is what the walls care about in one Go file.
type source struct {
	name    string // relative to the module
	pkg     string // the package clause
	comment string // the package comment
	test    bool
	imports []importLine
}

type importLine struct {
	path string
	line int
}

// load parses the head of every Go file of a module, whatever its build constraints, and
// groups the files by folder. As the go tool does, it passes by testdata and folders that
// start with a dot or an underscore.
func load(tree fs.FS) (map[string][]source, error) {
	packages := map[string][]source{}
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := path.Base(name)
		if d.IsDir() {
			if name != "." && (base == "testdata" || base[0] == '.' || base[0] == '_') {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(base, ".go") {
			return nil
		}
		f, err := parse(tree, name)
		if err != nil {
			return err
		}
		packages[path.Dir(name)] = append(packages[path.Dir(name)], f)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the source tree: %w", err)
	}
	return packages, nil
}

// parse reads one file down to the end of its imports.
func parse(tree fs.FS, name string) (source, error) {
	text, err := fs.ReadFile(tree, name)
	if err != nil {
		return source{}, err
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, text, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		return source{}, err
	}
	f := source{name: name, pkg: file.Name.Name, comment: file.Doc.Text(), test: strings.HasSuffix(name, "_test.go")}
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return source{}, fmt.Errorf("%s: import %s: %w", name, spec.Path.Value, err)
		}
		f.imports = append(f.imports, importLine{imported, files.Position(spec.Pos()).Line})
	}
	return f, nil
}
