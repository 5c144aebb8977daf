package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A process is one that serves, from its line with "ready" to its end.
type process struct {
	name  string
	cmd   *exec.Cmd
	log   string        // file of its standard error
	ready string        // the line
	rest  chan []byte   // standard output after that line, once it has ended
	idle  time.Duration // CPU time that it uses per second of idling
	start time.Duration // CPU time when the load began
}

// startProcess runs a program and waits until it says that it is ready.
func startProcess(ctx context.Context, name, dir string, env []string, program string, args ...string) (*process, error) {
	p := &process{name: name, log: filepath.Join(dir, "stderr.log"), rest: make(chan []byte, 1)}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, fmt.Errorf("log of %s: %w", name, err)
	}
	p.cmd = exec.CommandContext(ctx, program, args...)
	p.cmd.Env, p.cmd.Stderr = append(os.Environ(), env...), log
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err := errors.Join(err, log.Close()); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	lines := bufio.NewReader(out)
	for !strings.Contains(p.ready, "ready") {
		if p.ready, err = lines.ReadString('\n'); err != nil {
			return nil, errors.Join(fmt.Errorf("%s ended before it was ready; its last words:\n%s", name, p.lastWords()), p.cmd.Wait())
		}
	}
	go func() {
		// What is left is read even if it is cut off; the caller finds out when it looks.
		rest, _ := io.ReadAll(lines)
		p.rest <- rest
	}()
	return p, nil
}

// lastWords returns the end of the process's log.
func (p *process) lastWords() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-2000):])
}

// stop asks the process to end, waits for it, and returns what it printed after it was ready.
func (p *process) stop() ([]byte, error) {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return nil, fmt.Errorf("stopping %s: %w", p.name, err)
	}
	rest := <-p.rest
	if err := p.cmd.Wait(); err != nil {
		return nil, fmt.Errorf("%s: %w; its last words:\n%s", p.name, err, p.lastWords())
	}
	return rest, nil
}

// userHZ is the unit of CPU times in /proc: hundredths of a second on every Linux.
const userHZ = 100

// cpu returns the user and system time that the process has used.
func (p *process) cpu() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("CPU time of %s: %w", p.name, err)
	}
	return parseStat(string(text))
}

// parseStat reads fields 14 and 15 of /proc/PID/stat. The second field is the program's
// name in parentheses and may hold anything, so counting starts behind it.
func parseStat(text string) (time.Duration, error) {
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 13 {
		return 0, errors.New("/proc/PID/stat is cut short")
	}
	var ticks int64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("/proc/PID/stat: %w", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / userHZ, nil
}

// peakBytes returns the most memory that the process ever held (VmHWM).
func (p *process) peakBytes() (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("memory of %s: %w", p.name, err)
	}
	for line := range strings.Lines(string(text)) {
		var kib int64
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kib); n == 1 {
			return kib << 10, nil
		}
	}
	return 0, fmt.Errorf("memory of %s: no VmHWM", p.name)
}
