package lambda

import (
	"os"
	"path/filepath"
	"strings"
)

// What functions may read of the machine: its programs and libraries, what those need to
// look up names and check certificates, and what the kernel tells. Of other processes /proc
// shows nothing secret to who is in a cage.
var (
	systemPaths = []string{
		"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/usr", "/opt", "/nix/store",
		"/etc/alternatives", "/etc/ca-certificates", "/etc/ca-certificates.conf", "/etc/gai.conf", "/etc/group",
		"/etc/host.conf", "/etc/hosts", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d",
		"/etc/localtime", "/etc/mime.types", "/etc/nsswitch.conf", "/etc/os-release", "/etc/passwd", "/etc/pki",
		"/etc/protocols", "/etc/resolv.conf", "/etc/services", "/etc/ssl", "/etc/timezone",
		"/run/systemd/resolve", "/proc", "/sys",
	}
	devices = []string{"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}
)

// sharedScratch is where programs write that do not ask for their scratch folder.
const sharedScratch = "/tmp"

// readable returns the system's paths without the hidden ones: where one of those lies in a
// folder that is let in, the folder's other entries stand for it.
func readable(hidden []string) []string {
	var paths []string
	for _, path := range systemPaths {
		paths = append(paths, around(path, hidden)...)
	}
	return paths
}

// around returns the path, or what is left of it without the hidden paths.
func around(path string, hidden []string) []string {
	inside := false
	for _, h := range hidden {
		if within(path, h) {
			return nil
		}
		inside = inside || within(h, path)
	}
	if !inside {
		return []string{path}
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil // what cannot be read now cannot be let in by halves
	}
	var paths []string
	for _, e := range entries {
		paths = append(paths, around(filepath.Join(path, e.Name()), hidden)...)
	}
	return paths
}

// within says whether path is folder or lies below it.
func within(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, strings.TrimSuffix(folder, "/")+"/")
}

// writable are the paths that every function may write to.
func writable(hidden []string) []string {
	for _, h := range hidden {
		if within(h, sharedScratch) {
			return devices
		}
	}
	return append([]string{sharedScratch}, devices...)
}

// real returns paths without symbolic links, as the kernel compares them.
func real(paths []string) []string {
	var found []string
	for _, path := range paths {
		if absolute, err := filepath.Abs(path); err == nil {
			path = absolute
		}
		if resolved, err := filepath.EvalSymlinks(path); err == nil {
			path = resolved
		}
		found = append(found, path)
	}
	return found
}
