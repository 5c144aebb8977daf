package lambda

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"
)

// errEntry says that there is nothing to run.
var errEntry = errors.New("no entry point")

// searchPath is the PATH of functions, as on AWS.
const searchPath = "/usr/local/bin:/usr/bin/:/bin:/opt/bin"

// command returns what runs a function: its own bootstrap, or for Python and Node the
// runtime interface client that has to be on this machine or in the code (spec neighbours.md
// 2.4).
func command(c *Configuration, code string) (path string, args []string, err error) {
	switch {
	case c.provided():
		path, err = bootstrap(code)
		return path, nil, err
	case strings.HasPrefix(c.Runtime, "python"):
		python, err := find("python3")
		if err != nil {
			return "", nil, fmt.Errorf("%w: runtime %s needs python3 and its package awslambdaric on this machine", errEntry, c.Runtime)
		}
		return python, []string{"-m", "awslambdaric", c.Handler}, nil
	case strings.HasPrefix(c.Runtime, "nodejs"):
		own := filepath.Join(code, "node_modules", ".bin", "aws-lambda-ric")
		if executable(own) {
			return own, []string{c.Handler}, nil
		}
		ric, err := find("aws-lambda-ric")
		if err != nil {
			return "", nil, fmt.Errorf("%w: runtime %s needs Node and its package aws-lambda-ric on this machine", errEntry, c.Runtime)
		}
		return ric, []string{c.Handler}, nil
	}
	return "", nil, fmt.Errorf("%w: runtime %q cannot be run here; provided runtimes can", errEntry, c.Runtime)
}

// bootstrap finds the executable of a provided runtime.
func bootstrap(code string) (string, error) {
	for _, path := range [...]string{filepath.Join(code, "bootstrap"), "/opt/bootstrap"} {
		if executable(path) {
			return path, nil
		}
	}
	return "", fmt.Errorf("%w: Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]", errEntry)
}

// find looks for a program where functions would.
func find(program string) (string, error) {
	for _, folder := range filepath.SplitList(searchPath) {
		if path := filepath.Join(folder, program); executable(path) {
			return path, nil
		}
	}
	return "", fmt.Errorf("%w: %s is not in %s", errEntry, program, searchPath)
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}

// place is where a worker runs.
type place struct {
	code, scratch string
	api           string // address of its Runtime API
	region        string
	stream        string // of its log
	mark          string // what its processes are known by, see newMark
}

// reserved are the variables that users cannot set (spec neighbours.md 2.4).
var reserved = map[string]bool{
	"_HANDLER": true, "AWS_LAMBDA_RUNTIME_API": true, "LAMBDA_TASK_ROOT": true, "LAMBDA_RUNTIME_DIR": true,
	"AWS_REGION": true, "AWS_DEFAULT_REGION": true, "AWS_LAMBDA_FUNCTION_NAME": true,
	"AWS_LAMBDA_FUNCTION_VERSION": true, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": true,
	"AWS_LAMBDA_LOG_GROUP_NAME": true, "AWS_LAMBDA_LOG_STREAM_NAME": true,
	"AWS_LAMBDA_INITIALIZATION_TYPE": true, "AWS_EXECUTION_ENV": true, "AWS_ACCESS_KEY": true,
	markName: true, "AWS_ACCESS_KEY_ID": true, "AWS_SECRET_ACCESS_KEY": true, "AWS_SESSION_TOKEN": true,
}

// environment is all that a process finds in its environment. Nothing of ours is in it.
func environment(c *Configuration, p place, session map[string]string) []string {
	vars := map[string]string{
		"PATH": searchPath, "LANG": "en_US.UTF-8", "TZ": ":UTC", "TMPDIR": p.scratch, "HOME": p.scratch,
		"LD_LIBRARY_PATH": p.code + ":" + filepath.Join(p.code, "lib") + ":/opt/lib",
	}
	if c.Environment != nil {
		for name, value := range c.Environment.Variables {
			vars[name] = value
		}
	}
	for name, value := range session {
		vars[name] = value
	}
	for name, value := range map[string]string{
		"AWS_LAMBDA_RUNTIME_API": p.api, "_HANDLER": c.Handler,
		"LAMBDA_TASK_ROOT": p.code, "LAMBDA_RUNTIME_DIR": "/var/runtime",
		"AWS_REGION": p.region, "AWS_DEFAULT_REGION": p.region,
		"AWS_LAMBDA_FUNCTION_NAME": c.FunctionName, "AWS_LAMBDA_FUNCTION_VERSION": c.Version,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": fmt.Sprint(c.MemorySize),
		"AWS_LAMBDA_LOG_GROUP_NAME":       c.LoggingConfig.LogGroup, "AWS_LAMBDA_LOG_STREAM_NAME": p.stream,
		"AWS_LAMBDA_LOG_FORMAT":          c.LoggingConfig.LogFormat,
		"AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
	} {
		vars[name] = value
	}
	if !c.provided() {
		vars["AWS_EXECUTION_ENV"] = "AWS_Lambda_" + c.Runtime
	}
	env := make([]string, 0, len(vars)+1)
	env = append(env, p.mark)
	for name, value := range vars {
		env = append(env, name+"="+value)
	}
	sort.Strings(env)
	return env
}

// streamName names a new worker's log stream.
func streamName(now time.Time, version string) string {
	return now.UTC().Format("2006/01/02/[") + version + "]" + nonce() + nonce()
}
