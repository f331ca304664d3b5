package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"manofwar/init/boot"
	"manofwar/internal/lab/guest"
)

// The guest's side of what [manofwar/internal/lab/peers] lays out.
const (
	ownDir   = "/lab"  // in the initramfs: the modules that the disk needs
	diskName = "peers" // the serial number of the disk with the Debian
	place    = guest.Outside
	dongle   = guest.Dongle
	address  = "10.0.2.15/24" // what QEMU's network expects the guest to have
)

// settle prepares the radios, and goes on as serve in the namespace of its own.
func settle() error {
	words, err := cmdline()
	if err != nil {
		return err
	}
	for _, step := range []func() error{
		func() error { return modprobe("virtio_net") },
		func() error {
			return runAll([]string{"ip", "netns", "add", place}, []string{"ip", "netns", "attach", dongle, "1"})
		},
		takeInterface,
		func() error { return loadModules(words) },
		func() error { return takeRadios(words) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	ip, err := exec.LookPath("ip")
	if err != nil {
		return err
	}
	return syscall.Exec(ip, []string{"ip", "netns", "exec", place, program, "serve"}, environment())
}

// environment is that of everything here.
func environment() []string {
	return []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8"}
}

// enterDebian makes the disk's file system, with memory above it, this process's root. It leaves the initramfs as PID 1
// needs it: the mount namespace is this process's own.
func enterDebian() error {
	for _, kv := range environment() {
		name, value, _ := strings.Cut(kv, "=")
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	if err := boot.MountAll(boot.EarlyMounts); err != nil {
		return err
	}
	modules, err := boot.OpenModules(ownDir)
	if err != nil {
		return err
	}
	for _, name := range []string{"virtio_pci", "virtio_blk", "squashfs", "overlay"} {
		if err := modules.Load(name); err != nil {
			return err
		}
	}
	disk, err := diskBySerial(diskName)
	if err != nil {
		return err
	}
	if err := boot.MountAll([]boot.Mount{
		{Source: disk, Target: ownDir + "/disk", FSType: "squashfs", Flags: unix.MS_RDONLY},
		{Source: "tmpfs", Target: ownDir + "/memory", FSType: "tmpfs", Data: "mode=755,size=60%"},
	}); err != nil {
		return err
	}
	for _, dir := range []string{"upper", "work"} {
		if err := os.Mkdir(filepath.Join(ownDir, "memory", dir), 0o755); err != nil {
			return err
		}
	}
	root := ownDir + "/root"
	if err := boot.MountAll([]boot.Mount{{
		Source: "overlay", Target: root, FSType: "overlay",
		Data: fmt.Sprintf("lowerdir=%[1]s/disk,upperdir=%[1]s/memory/upper,workdir=%[1]s/memory/work", ownDir),
	}}); err != nil {
		return err
	}
	if err := copyFile(filepath.Join(root, program), program); err != nil {
		return err
	}
	return changeRoot(root)
}

func diskBySerial(serial string) (string, error) {
	files, err := filepath.Glob("/sys/block/*/serial")
	if err != nil {
		return "", err
	}
	for _, file := range files {
		if got, err := os.ReadFile(file); err == nil && strings.TrimSpace(string(got)) == serial {
			return filepath.Join("/dev", filepath.Base(filepath.Dir(file))), nil
		}
	}
	return "", fmt.Errorf("no disk has the serial number %q", serial)
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// changeRoot moves what the kernel offers into root, and root over the initramfs, which must not be a mount point's parent
// when PID 1 deletes what is in it.
func changeRoot(root string) error {
	for _, dir := range boot.Moved {
		if err := unix.Mount(dir, filepath.Join(root, dir), "", unix.MS_MOVE, ""); err != nil {
			return fmt.Errorf("move %s: %w", dir, err)
		}
	}
	if err := os.Chdir(root); err != nil {
		return err
	}
	if err := unix.Mount(".", "/", "", unix.MS_MOVE, ""); err != nil {
		return fmt.Errorf("move %s to /: %w", root, err)
	}
	if err := unix.Chroot("."); err != nil {
		return err
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	return boot.MountAll([]boot.Mount{
		{Source: "tmpfs", Target: "/tmp", FSType: "tmpfs", Data: "mode=1777"},
		{Source: "devpts", Target: "/dev/pts", FSType: "devpts"},
	})
}

func modprobe(args ...string) error { return runAll(append([]string{"modprobe"}, args...)) }

// runAll runs commands one after the other.
func runAll(commands ...[]string) error {
	for _, c := range commands {
		if out, err := exec.Command(c[0], c[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", strings.Join(c, " "), err, out)
		}
	}
	return nil
}

// takeInterface takes the Ethernet that the lab asks questions over. The dongle may have another.
func takeInterface() error {
	files, err := filepath.Glob("/sys/class/net/*/address")
	if err != nil {
		return err
	}
	for _, file := range files {
		mac, err := os.ReadFile(file)
		if err != nil || strings.TrimSpace(string(mac)) != guest.MAC {
			continue
		}
		name := filepath.Base(filepath.Dir(file))
		in := []string{"ip", "-n", place}
		return runAll(
			[]string{"ip", "link", "set", name, "netns", place},
			append(in, "link", "set", "lo", "up"), append(in, "address", "add", address, "dev", name), append(in, "link", "set", name, "up"),
		)
	}
	return fmt.Errorf("no interface has the address %s", guest.MAC)
}

// loadModules makes simulated hardware that nobody takes away from the dongle.
func loadModules(words boot.Cmdline) error {
	for name := range strings.SplitSeq(words["outside.modules"], ",") {
		if name == "" {
			continue
		}
		if err := modprobe(name); err != nil {
			return err
		}
	}
	return nil
}

// takeRadios makes the radios and takes all but the dongle's. Those are the ones made first.
func takeRadios(words boot.Cmdline) error {
	total, err := strconv.Atoi(words["outside.radios"])
	if err != nil || total == 0 {
		return err
	}
	keep, err := strconv.Atoi(words["outside.dongle"])
	if err != nil {
		return err
	}
	// The ciphers would be asked for when a router is switched on, of the dongle, whose root may not be there yet.
	for _, name := range []string{"ccm", "ctr", "cmac", "gcm"} {
		if err := modprobe(name); err != nil {
			return err
		}
	}
	if err := modprobe("mac80211_hwsim", "radios="+strconv.Itoa(total)); err != nil {
		return err
	}
	for n := keep; n < total; n++ {
		if err := runAll([]string{"iw", "phy", "phy" + strconv.Itoa(n), "set", "netns", "name", place}); err != nil {
			return err
		}
	}
	return nil
}
