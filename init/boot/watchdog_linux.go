package boot

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/board"
)

// Watchdog is an open, armed hardware watchdog. It is never closed in the way that disarms it (the "magic close" of
// Documentation/watchdog/watchdog-api.rst): if PID 1 dies, the board resets.
type Watchdog struct {
	f       *os.File
	Timeout time.Duration // as the driver has it
}

// ErrNoWatchdog says that the machine has none of the watchdogs in its board's table.
var ErrNoWatchdog = errors.New("no watchdog")

// OpenWatchdog arms the board's watchdog. sysfs must be mounted.
func OpenWatchdog(w board.Watchdog) (*Watchdog, error) {
	dirs, err := filepath.Glob("/sys/class/watchdog/watchdog*")
	if err != nil {
		return nil, err
	}
	for _, want := range w.Identities {
		for _, dir := range dirs {
			identity, err := os.ReadFile(filepath.Join(dir, "identity"))
			if err == nil && strings.TrimSpace(string(identity)) == want {
				return armWatchdog(filepath.Join("/dev", filepath.Base(dir)), w.Timeout)
			}
		}
	}
	return nil, ErrNoWatchdog
}

func armWatchdog(dev string, timeout time.Duration) (*Watchdog, error) {
	f, err := os.OpenFile(dev, os.O_WRONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("watchdog: %w", err)
	}
	return (&Watchdog{f: f}).setTimeout(timeout), nil
}

// setTimeout asks for the timeout and notes what the driver made of it: it may know better.
func (w *Watchdog) setTimeout(timeout time.Duration) *Watchdog {
	fd := int(w.f.Fd())
	_ = unix.IoctlSetPointerInt(fd, unix.WDIOC_SETTIMEOUT, int(timeout/time.Second))
	w.Timeout = timeout
	if s, err := unix.IoctlGetInt(fd, unix.WDIOC_GETTIMEOUT); err == nil && s > 0 {
		w.Timeout = time.Duration(s) * time.Second
	}
	return w
}

// InheritWatchdog is the watchdog that the program which executed this one had open as fd.
func InheritWatchdog(fd int, timeout time.Duration) (*Watchdog, error) {
	unix.CloseOnExec(fd)
	f := os.NewFile(uintptr(fd), "watchdog")
	if f == nil {
		return nil, fmt.Errorf("watchdog: %d: %w", fd, fs.ErrInvalid)
	}
	w := &Watchdog{f: f, Timeout: timeout}
	return w, w.Ping()
}

// Ping feeds it.
func (w *Watchdog) Ping() error { return unix.IoctlWatchdogKeepalive(int(w.f.Fd())) }

// Inherit makes the descriptor survive the next exec and returns its number.
func (w *Watchdog) Inherit() (fd int, err error) {
	fd = int(w.f.Fd())
	_, err = unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0)
	return fd, err
}

// Feeding returns how often it must be fed.
func (w *Watchdog) Feeding() time.Duration { return max(w.Timeout/4, time.Second) }
