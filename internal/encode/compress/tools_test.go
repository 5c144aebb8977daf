package compress

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// tool is a reader of objects that is not ours. It writes what all objects named behind the
// command hold to its output.
type tool struct {
	name    string
	form    string                    // of forms
	command func(*testing.T) []string // skips where the tool is missing
}

// tools are run with what the machine has; CI installs what .ci/clients names.
var tools = []tool{
	{"Python's zipfile", "zip", python("unzip.py", "zipfile")},
	{"unzip -p", "zip", func(t *testing.T) []string {
		return []string{"sh", "-c", `for object; do "$0" -p "$object" || exit; done`, program(t, "unzip")}
	}},
	{"java.util.zip", "zip", java("Unzip.java", nil)},
	{"python-snappy", "snappy-java", python("unxerial.py", "snappy")},
	{"snappy-java", "snappy-java", java("Read.java", snappyJava)},
	{"python-snappy", "hadoop-snappy", python("unhadoop.py", "snappy")},
}

func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	return path
}

// python runs a script of testdata that imports module.
func python(script, module string) func(*testing.T) []string {
	return func(t *testing.T) []string {
		path := program(t, "python3")
		if out, err := exec.CommandContext(t.Context(), path, "-c", "import "+module).CombinedOutput(); err != nil {
			t.Skipf("python3 cannot import %s: %s", module, bytes.TrimSpace(out))
		}
		return []string{path, filepath.Join("testdata", script)}
	}
}

// java runs a source file of testdata, which takes a JDK, beside the jar that find finds.
func java(source string, find func(*testing.T) string) func(*testing.T) []string {
	return func(t *testing.T) []string {
		program(t, "javac")
		args := []string{program(t, "java"), "-Dorg.xerial.snappy.tempdir=" + t.TempDir()}
		if find != nil {
			args = append(args, "-cp", find(t))
		}
		return append(args, filepath.Join("testdata", source))
	}
}

// snappyJava finds the jar by SNAPPY_JAVA_JAR, or among what Maven downloaded for others.
func snappyJava(t *testing.T) string {
	t.Helper()
	if jar := os.Getenv("SNAPPY_JAVA_JAR"); jar != "" {
		return jar
	}
	home, err := os.UserHomeDir()
	if err != nil {
		t.Skipf("SNAPPY_JAVA_JAR is not set, and there is no home to look into: %v", err)
	}
	jars, err := filepath.Glob(filepath.Join(home, ".m2/repository/org/xerial/snappy/snappy-java/*/snappy-java-*[0-9].jar"))
	if err != nil {
		t.Fatal(err)
	}
	if len(jars) == 0 {
		t.Skip("SNAPPY_JAVA_JAR does not name the jar of snappy-java, and Maven has none either")
	}
	return jars[len(jars)-1]
}

// One start of a tool reads all objects, the edges among them: a JVM takes seconds to start.
func TestToolsOfOthersReadEveryForm(t *testing.T) {
	pool := NewPool(2)
	packer := NewPacker(pool)
	all, want := entriesOfAllSizes(packer)
	raw, lengths := events(rand.New(rand.NewPCG(5, 5)), 500)
	objects := [][]part{
		all,
		{whole(entryOf(packer, nil, []uint32{0}, 0, 1))},
		{whole(entryOf(packer, raw, lengths, 0, 1))},
	}
	want = append(want, raw...)
	for _, tool := range tools {
		t.Run(tool.form+"/"+tool.name, func(t *testing.T) {
			var paths []string
			for i, parts := range objects {
				paths = append(paths, filepath.Join(t.TempDir(), strconv.Itoa(i)))
				if err := os.WriteFile(paths[i], encodeBy(t, forms(pool)[tool.form], parts...), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			args := append(tool.command(t), paths...)
			cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
			var complaint bytes.Buffer
			cmd.Stderr = &complaint
			got, err := cmd.Output()
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%v: %d bytes of %d were read: %s", err, len(got), len(want), complaint.String())
			}
		})
	}
}

// unzip -t looks at what -p passes over: whether the archive is whole and every CRC fits.
func TestUnzipFindsNoFaultWithTheArchive(t *testing.T) {
	pool := NewPool(2)
	parts, _ := entriesOfAllSizes(NewPacker(pool))
	path := filepath.Join(t.TempDir(), "object.zip")
	if err := os.WriteFile(path, encodeBy(t, Zip(pool, 1), parts...), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), program(t, "unzip"), "-t", path).CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("No errors detected")) {
		t.Errorf("%v: %s", err, out)
	}
}
