package lambda

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// unprivilege takes from the calling thread, and with it from all processes it starts, what
// is more than an ordinary user may do: with root's rights a process could look around its
// cage through /proc. The thread must be locked.
func unprivilege() error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("give up privileges: %w", err)
	}
	err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
	if err != nil && !errors.Is(err, unix.EINVAL) { // kernels before 4.3 have none
		return fmt.Errorf("give up ambient capabilities: %w", err)
	}
	// A process of root gets at exec what is in this set. Others get nothing, and may not
	// change it.
	for capability := uintptr(0); ; capability++ {
		err := unix.Prctl(unix.PR_CAPBSET_DROP, capability, 0, 0, 0)
		switch {
		case errors.Is(err, unix.EINVAL), errors.Is(err, unix.EPERM): // there are no more; not root
			return nil
		case err != nil:
			return fmt.Errorf("give up capability %d: %w", capability, err)
		}
	}
}
