//go:build !linux

package lambda

import (
	"os/exec"
	"syscall"
)

// inOwnGroup makes a child the leader of a group, so that it can be killed with all that it
// starts.
func inOwnGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// reap waits for the end of a process, then ends its group.
func reap(p *process, cmd *exec.Cmd) error {
	err := cmd.Wait()
	p.last()
	return err
}

// killFamily kills a process and its group. Who has left the group is not found: only Linux
// tells of other processes' environments.
func killFamily(pid int) { killGroup(pid) }

func endMarked(string) int { return 0 }

// killGroup kills a process and those of its group.
func killGroup(pid int) {
	// It fails when they have ended already, which is what is wanted.
	_ = syscall.Kill(-pid, syscall.SIGKILL)
}

// Only Linux can limit another process, and hide the disk from it.

func (c *cage) limit(int) error { return nil }

func (p *process) limitCPU(uint64) error { return nil }

func landlock() int { return 0 }

func confine(*cage) error { return nil }

func resident(int) (uint64, error) { return 0, nil }

func family(int) (uint64, error) { return 0, nil }
