package boot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/init/disks"
	"manofwar/internal/mbr"
	"manofwar/internal/slot"
)

// Data is the file system of /data: on the card's fourth partition, which is made to fill the card at the first boot.
//
// The order at the first boot is such that a power cut at any time leads to another first boot: the kernel is told of
// the partition, it is formatted, and only then is it entered in the partition table. Removing the entry again, one
// write, is all that a factory reset does.
type Data struct {
	Disk string // kernel name of the card, such as "mmcblk0"
	Dir  string // where to mount it
	Log  *slog.Logger

	// Command runs a program and returns its exit code and its output.
	Command func(ctx context.Context, argv ...string) (code int, output string, err error)
}

// Flags of /data: nothing on it is a program, a device or privileged.
const dataFlags = noExec | unix.MS_NOATIME

// Limits of time.
const (
	formatLimit = 10 * time.Minute // of a slow card of a terabyte
	checkLimit  = 30 * time.Minute
)

// Device returns the partition's node.
func (d Data) Device() string { return DevicePath(d.Disk, slot.Data.Number) }

// Mount checks, or at the first boot makes, the file system, and mounts it. repaired tells that the check changed
// something. An error says what is wrong in words for a person; then nothing is mounted and nothing was lost.
func (d Data) Mount(ctx context.Context) (repaired bool, err error) {
	disk, err := os.OpenFile(filepath.Join("/dev", d.Disk), os.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return false, err
	}
	defer disk.Close()
	if ro, err := unix.IoctlGetInt(int(disk.Fd()), unix.BLKROGET); err == nil && ro != 0 {
		return false, errors.New("the card takes no changes: it is write-protected, or worn out")
	}
	table, err := readTable(disk)
	if err != nil {
		return false, err
	}
	virgin, err := blank(disk, table.Entries[dataEntry])
	if err != nil {
		return false, fmt.Errorf("the card cannot be read where /data is: %w", err)
	}
	if virgin {
		if err := d.create(ctx, disk, table); err != nil {
			return false, err
		}
	} else if repaired, err = d.check(ctx); err != nil {
		return false, err
	}
	m := Mount{Source: d.Device(), Target: d.Dir, FSType: "ext4", Flags: dataFlags, Data: "errors=remount-ro"}
	if err := m.mount(); err != nil {
		return repaired, err
	}
	return repaired, nil
}

// dataEntry is the index of /data's entry in the partition table.
var dataEntry = slot.Data.Number - 1

// blank reports whether the partition is missing or has never been formatted: it is as small as in a fresh image, and
// nothing but zeros. A larger one was entered after it had been formatted: if it reads as zeros, the card has lost them.
// It reads on only while it finds zeros.
func blank(disk io.ReaderAt, e mbr.Entry) (bool, error) {
	if e.Type == 0 {
		return true, nil
	}
	start, size := int64(e.Start)*mbr.SectorSize, int64(e.Count)*mbr.SectorSize
	if size > slot.MinData {
		return false, nil
	}
	chunk, zeros := make([]byte, slot.MiB), make([]byte, slot.MiB)
	for at := int64(0); at < size; at += slot.MiB {
		n := min(slot.MiB, size-at)
		if _, err := disk.ReadAt(chunk[:n], start+at); err != nil {
			return false, err
		}
		if !bytes.Equal(chunk[:n], zeros[:n]) {
			return false, nil
		}
	}
	return true, nil
}

// create makes the partition and its file system, and enters it in the table last. An entry that is there, as in a
// fresh image, is taken out first: it must never describe a partition that is not what was formatted.
func (d Data) create(ctx context.Context, disk *os.File, table mbr.Table) error {
	size, err := diskSize(disk)
	if err != nil {
		return err
	}
	whole, err := mbr.ForDisk(size, table.Signature)
	if err != nil {
		return err
	}
	entry := whole.Entries[dataEntry]
	if table.Entries[dataEntry].Type != 0 {
		table.Entries[dataEntry] = mbr.Entry{}
		if err := writeTable(disk, table); err != nil {
			return err
		}
	}
	if err := tellKernel(disk, slot.Data.Number, entry); err != nil {
		return err
	}
	d.Log.Info("formatting /data", "device", d.Device(), "mib", entry.Count/(slot.MiB/mbr.SectorSize))
	if err := d.format(ctx); err != nil {
		return err
	}
	table.Entries[dataEntry] = entry
	return writeTable(disk, table)
}

// format makes an ext4 file system with 1% in reserve for root: what PID 1 keeps there still fits when services have
// filled it. Inode tables are zeroed by the kernel later, so that a large card does not make the first start long.
func (d Data) format(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, formatLimit)
	defer cancel()
	code, out, err := d.Command(ctx, "/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-L", slot.Data.Label, "-b", "4096", "-m", "1",
		"-E", "lazy_itable_init=1,lazy_journal_init=1,discard", d.Device())
	if err != nil {
		return fmt.Errorf("format /data: %w", err)
	}
	if code != 0 {
		return fmt.Errorf("format /data: mke2fs: exit code %d: %s", code, firstLine(out))
	}
	return nil
}

// Bits of e2fsck(8)'s exit code.
const (
	fsckFixed  = 1
	fsckReboot = 2
)

// check runs e2fsck in two steps. "-p" repairs what is safe to repair without asking, and on a clean file system only
// replays the journal. What it leaves, "-y" repairs by its best guess: files whose names are lost come to lost+found. A
// dongle has nobody at a console to ask, and the alternative is to refuse all of the data.
func (d Data) check(ctx context.Context) (repaired bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	if err := d.foreign(); err != nil {
		return false, err
	}
	code, out, err := d.Command(ctx, "/sbin/e2fsck", "-p", d.Device())
	if err == nil && code&^(fsckFixed|fsckReboot) == 0 {
		return code != 0, nil
	}
	d.Log.Warn("/data needs repair", "code", code, "err", err, "output", firstLine(out))
	code, out, err = d.Command(ctx, "/sbin/e2fsck", "-f", "-y", d.Device())
	switch {
	case err != nil:
		return false, fmt.Errorf("check /data: %w", err)
	case code&^(fsckFixed|fsckReboot) != 0:
		return false, fmt.Errorf("its file system is damaged beyond repair (e2fsck: exit code %d: %s)", code, firstLine(out))
	}
	return true, nil
}

// foreign returns an error if the partition holds something that is not /data's file system.
func (d Data) foreign() error {
	f, err := os.Open(d.Device())
	if err != nil {
		return err
	}
	defer f.Close()
	if fs, ok := disks.Probe(f); ok && fs.Type != "ext4" {
		return fmt.Errorf("partition %d holds a file system of type %s, not /data", slot.Data.Number, fs.Type)
	}
	return nil
}

// firstLine is the first thing that a program of e2fsprogs complained of, after the banner with its version.
func firstLine(output string) string {
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "e2fsck 1.") && !strings.HasPrefix(line, "mke2fs 1.") {
			return line
		}
	}
	return "no message"
}

// MountRescue mounts memory at /data, so that the rest can work and say what is wrong.
func (d Data) MountRescue() error {
	return Mount{Source: "tmpfs", Target: d.Dir, FSType: "tmpfs", Flags: noExec, Data: "mode=755,size=25%"}.mount()
}

// Forget removes /data's partition from the table: the next boot is a first boot. The file system must not be mounted.
func (d Data) Forget() (err error) {
	disk, err := os.OpenFile(filepath.Join("/dev", d.Disk), os.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, disk.Close()) }()
	table, err := readTable(disk)
	if err != nil {
		return err
	}
	table.Entries[dataEntry] = mbr.Entry{}
	return writeTable(disk, table)
}

// Retry checks and repairs the file system without mounting it: success means that the next boot will.
func (d Data) Retry(ctx context.Context) error {
	_, err := d.check(ctx)
	return err
}

// DataState looks at the mounted file system: full, or turned read-only by the kernel after an error.
func DataState(dir string) (full, readOnly bool, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return false, false, fmt.Errorf("statfs %s: %w", dir, err)
	}
	free := int64(st.Bavail) * st.Bsize
	total := int64(st.Blocks) * st.Bsize
	return free < total/100 || free < 8*slot.MiB, st.Flags&unix.ST_RDONLY != 0, nil
}

// UnmountData unmounts dir. Where something still uses it, everything but this process is killed; where even that does
// not help, the file system is at least made read-only, which writes out all that there is to write.
func UnmountData(dir string) error {
	unix.Sync()
	err := unix.Unmount(dir, 0)
	if !errors.Is(err, unix.EBUSY) {
		return wrapUnmount(dir, err)
	}
	if os.Getpid() == 1 {
		_ = unix.Kill(-1, unix.SIGKILL) // ESRCH: there is nobody
	}
	for range 50 {
		if err = unix.Unmount(dir, 0); !errors.Is(err, unix.EBUSY) {
			return wrapUnmount(dir, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		return fmt.Errorf("%s is busy, and cannot be made read-only: %w", dir, err)
	}
	return nil
}

func wrapUnmount(dir string, err error) error {
	if err != nil {
		return fmt.Errorf("unmount %s: %w", dir, err)
	}
	return nil
}
