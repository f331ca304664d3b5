package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"manofwar/init/boot"
)

// program is where this program is in the initramfs.
const program = "/outside"

// first is what the kernel starts: it has its child settle, and becomes the dongle's init once that is done. It returns
// only with an error.
func first() error {
	if err := boot.MountAll([]boot.Mount{{Source: "proc", Target: "/proc", FSType: "proc"}}); err != nil {
		return err
	}
	words, err := cmdline()
	if err != nil {
		return err
	}
	if _, alone := words["outside.alone"]; alone {
		// The kernel looks for modprobe and for firmware in PID 1's root.
		if err := enterDebian(); err != nil {
			return err
		}
		if err := settled("settle"); err != nil {
			return err
		}
		return reap()
	}
	if err := settled("enter"); err != nil { // the dongle boots all the same: its console is where the lab looks
		fmt.Println("outside:", err)
	}
	if err := unix.Unmount("/proc", unix.MNT_DETACH); err != nil {
		return err
	}
	return syscall.Exec("/init", []string{"/init"}, os.Environ())
}

func cmdline() (boot.Cmdline, error) {
	text, err := os.ReadFile("/proc/cmdline")
	return boot.ParseCmdline(string(text)), err
}

// settled starts the child, in a mount namespace of its own, and waits until it says that it has settled.
func settled(part string) error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	cmd := exec.Command(program, part)
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = os.Stdout, os.Stderr, []*os.File{w}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS, Setsid: true}
	if err := errors.Join(cmd.Start(), w.Close()); err != nil {
		return err
	}
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if strings.TrimSpace(line) != settledWord {
		return errors.New("it did not settle")
	}
	return r.Close()
}

// settledWord is what the child writes to its descriptor 3.
const settledWord = "settled"

// reap is PID 1 of a machine without a dongle: it waits for orphans, for ever.
func reap() error {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGCHLD)
	for range ended {
		for {
			pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
			if pid <= 0 && !errors.Is(err, unix.EINTR) {
				break
			}
		}
	}
	return nil
}
