// Package boot holds the steps by which PID 1 brings the machine up, in both of its phases: mounts, kernel modules,
// uevents, the watchdog, finding and verifying a slot, switching to its root, and preparing /data.
//
// They are tables and functions that return errors. The order in which they are called, and what to do when one fails,
// is package main's. What differs between machines is in [manofwar/board].
package boot

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Mount is one row of a table of mounts.
type Mount struct {
	Source, Target, FSType string
	Flags                  uintptr
	Data                   string
	Optional               bool // a kernel may lack the file system
}

const noExec = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC

// EarlyMounts are stage 1's. /dev is first, because the watchdog is in it.
var EarlyMounts = []Mount{
	{Source: "devtmpfs", Target: "/dev", FSType: "devtmpfs", Flags: unix.MS_NOSUID | unix.MS_NOEXEC},
	{Source: "proc", Target: "/proc", FSType: "proc", Flags: noExec},
	{Source: "sysfs", Target: "/sys", FSType: "sysfs", Flags: noExec},
	{Source: "tmpfs", Target: "/run", FSType: "tmpfs", Flags: unix.MS_NOSUID | unix.MS_NODEV, Data: "mode=755,size=25%"},
}

// Moved are the mounts that stage 1 hands to phase 2.
var Moved = []string{"/dev", "/proc", "/sys", "/run"}

// RootMounts are phase 2's, beside those that it was handed.
var RootMounts = []Mount{
	{Source: "proc", Target: "/proc", Flags: unix.MS_REMOUNT | noExec, Data: "hidepid=invisible"},
	{Source: "devpts", Target: "/dev/pts", FSType: "devpts", Flags: unix.MS_NOSUID | unix.MS_NOEXEC, Data: "mode=620,ptmxmode=666"},
	{Source: "tmpfs", Target: "/dev/shm", FSType: "tmpfs", Flags: unix.MS_NOSUID | unix.MS_NODEV, Data: "mode=1777,size=10%"},
	{Source: "tmpfs", Target: "/tmp", FSType: "tmpfs", Flags: unix.MS_NOSUID | unix.MS_NODEV, Data: "mode=1777,size=10%"},
	{Source: "tmpfs", Target: "/media", FSType: "tmpfs", Flags: noExec, Data: "mode=755,size=1m"},
	{Source: "cgroup2", Target: "/sys/fs/cgroup", FSType: "cgroup2", Flags: noExec, Optional: true},
}

// MountAll mounts the rows in order. It tries them all: the error joins those of the rows that failed. What the kernel
// has mounted there already is no error.
func MountAll(table []Mount) error {
	var errs []error
	for _, m := range table {
		if err := m.mount(); err != nil && !errors.Is(err, unix.EBUSY) && !m.Optional {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (m Mount) mount() error {
	if m.Flags&unix.MS_REMOUNT == 0 {
		if err := os.Mkdir(m.Target, 0o755); err != nil && !errors.Is(err, fs.ErrExist) && !errors.Is(err, unix.EROFS) {
			return fmt.Errorf("mount %s: %w", m.Target, err)
		}
	}
	if err := unix.Mount(m.Source, m.Target, m.FSType, m.Flags, m.Data); err != nil {
		return fmt.Errorf("mount %s: %w", m.Target, err)
	}
	return nil
}

// SwitchRoot makes newRoot the root: it moves the named mounts there, frees the initramfs's files, and changes to it.
// After an error the machine cannot go on. Only PID 1 may: it deletes what is in the present root.
func SwitchRoot(newRoot string, moved []string) error {
	if os.Getpid() != 1 {
		return errors.New("switch root: this is not PID 1")
	}
	for _, dir := range moved {
		if err := unix.Mount(dir, filepath.Join(newRoot, dir), "", unix.MS_MOVE, ""); err != nil {
			return fmt.Errorf("move %s: %w", dir, err)
		}
	}
	if err := os.Chdir(newRoot); err != nil {
		return err
	}
	if err := freeInitramfs(); err != nil {
		return err
	}
	if err := unix.Mount(".", "/", "", unix.MS_MOVE, ""); err != nil {
		return fmt.Errorf("move %s to /: %w", newRoot, err)
	}
	if err := unix.Chroot("."); err != nil {
		return fmt.Errorf("chroot %s: %w", newRoot, err)
	}
	return os.Chdir("/")
}

// freeInitramfs deletes what is in the initramfs, which would occupy memory for ever, but never crosses into a mount.
func freeInitramfs() error {
	var self unix.Stat_t
	if err := unix.Stat("/", &self); err != nil {
		return fmt.Errorf("stat /: %w", err)
	}
	var kind unix.Statfs_t
	if err := unix.Statfs("/", &kind); err != nil {
		return fmt.Errorf("statfs /: %w", err)
	}
	if kind.Type != unix.RAMFS_MAGIC && kind.Type != unix.TMPFS_MAGIC {
		return fmt.Errorf("the root is no initramfs (file system type %#x): not deleting it", kind.Type)
	}
	return removeOnDevice("/", self.Dev)
}

// removeOnDevice deletes everything below dir that is on the file system dev.
func removeOnDevice(dir string, dev uint64) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		var st unix.Stat_t
		if err := unix.Lstat(path, &st); err != nil || st.Dev != dev {
			continue
		}
		if e.IsDir() {
			if err := removeOnDevice(path, dev); err != nil {
				return err
			}
		}
		_ = os.Remove(path) // a directory that still holds a mount point stays
	}
	return nil
}
