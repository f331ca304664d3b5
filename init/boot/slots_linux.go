package boot

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/board"
	"manofwar/init/disks"
	"manofwar/internal/slot"
	"manofwar/internal/uevent"
)

// Key is a public key that may sign slots.
type Key struct {
	Name   string // its file's, without .pub
	Public ed25519.PublicKey
}

// Developer reports whether the key is one that a developer made for themselves: its name says so.
func (k Key) Developer() bool { return strings.HasPrefix(k.Name, "developer") }

// ReadKeys reads every key in dir. Its error names the file that is not one.
func ReadKeys(dir string) (keys []Key, err error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.pub"))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
		if err != nil || len(raw) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("%s is not an ed25519 public key in base64", name)
		}
		keys = append(keys, Key{Name: strings.TrimSuffix(filepath.Base(name), ".pub"), Public: raw})
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%s holds no key: nothing can be verified", dir)
	}
	return keys, nil
}

// Verified is a mounted slot whose every byte is what its signature promises.
type Verified struct {
	Partition int
	Manifest  slot.Manifest
	Key       Key
	Root      *os.File      // root.squashfs: the very file that was hashed
	Took      time.Duration // to hash
}

// VerifySlot mounts the partition read-only at dir and verifies it. After an error nothing is mounted; the error wraps a
// [*slot.VerifyError] if a file is bad.
func VerifySlot(dev string, partition int, dir string, keys []Key) (*Verified, error) {
	if err := (Mount{Source: dev, Target: dir, FSType: "vfat", Flags: unix.MS_RDONLY | noExec}).mount(); err != nil {
		return nil, err
	}
	v, err := verifyDir(dir, keys)
	if err != nil {
		return nil, errors.Join(err, unmount(dir))
	}
	v.Partition = partition
	return v, nil
}

// verifyDir verifies a mounted slot. After an error no file of it is open.
func verifyDir(dir string, keys []Key) (*Verified, error) {
	public := make([]ed25519.PublicKey, len(keys))
	for i, k := range keys {
		public[i] = k.Public
	}
	pinned := &pinnedFS{FS: os.DirFS(dir)}
	start := time.Now()
	manifest, signer, err := slot.Verify(pinned, public)
	if err == nil && pinned.root == nil {
		err = &slot.VerifyError{File: slot.RootName, Reason: "is not in the manifest"}
	}
	if err != nil {
		pinned.close()
		return nil, err
	}
	i := slices.IndexFunc(keys, func(k Key) bool { return k.Public.Equal(signer) })
	return &Verified{Manifest: manifest, Key: keys[i], Root: pinned.root, Took: time.Since(start)}, nil
}

func unmount(dir string) error {
	if err := unix.Unmount(dir, 0); err != nil {
		return fmt.Errorf("unmount %s: %w", dir, err)
	}
	return nil
}

// Release closes and unmounts the slot.
func (v *Verified) Release(dir string) error { return errors.Join(v.Root.Close(), unmount(dir)) }

// pinnedFS keeps the root's file open when the verifier closes it: what is mounted is what was hashed, even if the
// directory came to name another file in between.
type pinnedFS struct {
	fs.FS
	root *os.File
}

type pinnedFile struct{ *os.File }

func (pinnedFile) Close() error { return nil }

func (p *pinnedFS) Open(name string) (fs.File, error) {
	f, err := p.FS.Open(name)
	if err != nil {
		return nil, err
	}
	file, ok := f.(*os.File)
	if !ok {
		return f, nil
	}
	_ = unix.Fadvise(int(file.Fd()), 0, 0, unix.FADV_SEQUENTIAL) // only faster
	if name != slot.RootName {
		return f, nil
	}
	p.root = file
	return pinnedFile{file}, nil
}

func (p *pinnedFS) close() {
	if p.root != nil {
		_ = p.root.Close() // read-only
	}
}

// MountRoot loop-mounts the verified root read-only at dir.
func (v *Verified) MountRoot(dir string) error {
	loop, err := AttachLoop(v.Root)
	if err != nil {
		return err
	}
	defer loop.Close()
	m := Mount{Source: loop.Name(), Target: dir, FSType: "squashfs", Flags: unix.MS_RDONLY | unix.MS_NODEV | unix.MS_NOSUID}
	return m.mount()
}

// firstDiskGrace is how long a likelier disk may still come after a less likely one was found.
const firstDiskGrace = time.Second

// FindDisk waits until one of the board's disks with manofwar's partitions is there, and returns its kernel name: the
// likeliest by the board's table. The limit is ctx's; the error says what was seen until then.
func FindDisk(ctx context.Context, names []string) (string, error) {
	events, err := uevent.Open()
	if err != nil {
		return "", err
	}
	defer events.Close()
	wait, cancel := context.WithCancel(ctx)
	defer cancel()
	best := ""
	for {
		for _, name := range names {
			if isOurs(name) {
				if name == names[0] {
					return name, nil
				}
				if best == "" {
					defer time.AfterFunc(firstDiskGrace, cancel).Stop()
				}
				best = name
				break
			}
		}
		for {
			ev, err := events.Next(wait)
			if err == nil && ev.Subsystem != "block" {
				continue
			}
			if err == nil || errors.Is(err, uevent.ErrMissed) {
				break
			}
			if best != "" {
				return best, nil
			}
			return "", fmt.Errorf("none of the disks %v appeared with a slot; seen: %s", names, seenDisks())
		}
	}
}

// isOurs reports whether the disk's second and third partitions are labelled as slots.
func isOurs(disk string) bool {
	for _, p := range []slot.Partition{slot.A, slot.B} {
		if label(DevicePath(disk, p.Number)) == p.Label {
			return true
		}
	}
	return false
}

// label returns a partition's file system's label; empty if it cannot be read, or has none.
func label(dev string) string {
	f, err := os.Open(dev)
	if err != nil {
		return ""
	}
	defer f.Close()
	found, _ := disks.Probe(f)
	return found.Label
}

// DevicePath returns the device node of a partition.
func DevicePath(disk string, partition int) string {
	return filepath.Join("/dev", board.Partition(disk, partition))
}

func seenDisks() string {
	entries, err := os.ReadDir("/sys/class/block")
	if err != nil {
		return err.Error()
	}
	var names []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "loop") && !strings.HasPrefix(e.Name(), "ram") {
			names = append(names, e.Name())
		}
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, " ")
}

// CurrentSlot returns the slot that the kernel came from: the firmware's word, else the command line's manofwar.slot=,
// else autoboot.txt's default.
func CurrentSlot(booted board.Boot, cmdline Cmdline, autoboot func() (slot.Autoboot, error)) (int, error) {
	n := booted.Partition
	if s, ok := cmdline["manofwar.slot"]; n == 0 && ok {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			return 0, fmt.Errorf("manofwar.slot=%s is no partition number", s)
		}
	}
	if n == 0 {
		a, err := autoboot()
		if err != nil {
			return 0, err
		}
		n = a.Default
	}
	_, err := slot.Other(n)
	return n, err
}

// FallBack says what autoboot.txt must be so that a restart leads from the current slot, which is bad, to the other one,
// which is good. A slot on trial is left by any restart. The error says that the firmware did not start what the file
// names, so that changing the file would not help.
func FallBack(current int, trial bool, a slot.Autoboot) (slot.Autoboot, error) {
	other, err := slot.Other(current)
	switch {
	case err != nil:
		return a, err
	case a.Default == current:
		return slot.Autoboot{Default: other, Try: other}, nil
	case trial:
		return a, nil
	}
	return a, fmt.Errorf("%s names partition %d, but the firmware started %d: not restarting", slot.AutobootName, a.Default, current)
}
