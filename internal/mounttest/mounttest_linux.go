// Package mounttest keeps what tests mount to themselves.
package mounttest

import (
	"errors"
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"
)

// inside says to the second process that it is the one.
const inside = "MANOFWAR_TEST_MOUNTS"

// Run runs the tests of a package that mounts file systems as root, in a mount namespace of their own (mount_namespaces(7)), and
// returns the exit code. Other packages' tests run at the same time, and those that unshare theirs would otherwise take copies of
// these mounts with them: what is unmounted here stayed mounted there, and its device busy. Where a namespace cannot be had,
// the tests run without.
func Run(m *testing.M) int {
	if os.Geteuid() != 0 || os.Getenv(inside) != "" {
		return m.Run()
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &unix.SysProcAttr{Unshareflags: unix.CLONE_NEWNS, Pdeathsig: unix.SIGKILL} // which makes every mount private
	if err := cmd.Start(); err != nil {
		return m.Run()
	}
	err := cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() > 0 {
		return exit.ExitCode()
	}
	if err != nil {
		return 1
	}
	return 0
}
