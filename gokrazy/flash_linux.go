package gokrazy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"manofwar/internal/mbr"
)

// exclusive makes the kernel refuse a disk that is mounted or otherwise in use (open(2), O_EXCL on block devices).
const exclusive = unix.O_EXCL

// flushSome writes what the page cache holds every 16 MiB.
func (t *targetFile) flushSome() error {
	if t.unflushed += flashBlock; t.unflushed < 16<<20 {
		return nil
	}
	t.unflushed = 0
	return unix.Fdatasync(int(t.Fd()))
}

// dropCache makes the next read come from the disk.
func (t *targetFile) dropCache() error {
	if t.disk {
		return unix.IoctlSetInt(int(t.Fd()), unix.BLKFLSBUF, 0)
	}
	return unix.Fadvise(int(t.Fd()), 0, 0, unix.FADV_DONTNEED)
}

// done has the kernel read the new partition table, so that the card can be looked at. A kernel that cannot is no error:
// it reads the table when the card is plugged in again.
func (t *targetFile) done() error {
	if t.disk {
		_ = unix.IoctlSetInt(int(t.Fd()), unix.BLKRRPART, 0)
	}
	return nil
}

// inspectTarget looks at a target without opening it for writing. The error is a [*TargetError].
func inspectTarget(name string) (Target, error) {
	bad := func(hint, format string, args ...any) (Target, error) {
		return Target{}, &TargetError{Path: name, Err: fmt.Errorf(format, args...), Hint: hint}
	}
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return bad("", "there is no such disk or file")
	case err != nil:
		return Target{}, &TargetError{Path: name, Err: err}
	case info.Mode().IsRegular():
		return Target{Path: name, Size: info.Size(), File: true, Partitions: tabled(name)}, nil
	case info.Mode().Type() != fs.ModeDevice:
		return bad("", "neither a disk nor a file")
	}
	dir, err := filepath.EvalSymlinks("/sys/dev/block/" + deviceNumber(name))
	if err != nil {
		return Target{}, &TargetError{Path: name, Err: err}
	}
	if _, err := os.Stat(filepath.Join(dir, "partition")); err == nil {
		disk := "/dev/" + filepath.Base(filepath.Dir(dir))
		return bad("Give the whole disk: "+disk, "a partition, not a disk")
	}
	t := Target{Path: name, Size: sysInt(dir, "size") * 512, Removable: removable(dir)}
	t.Model = strings.Join(strings.Fields(sysString(dir, "device/vendor")+" "+sysString(dir, "device/model")+" "+sysString(dir, "device/name")), " ")
	if t.Partitions = partitions(dir); len(t.Partitions) == 0 {
		t.Partitions = tabled(name)
	}
	switch {
	case t.Size == 0:
		return bad("", "there is no card in it")
	case sysInt(dir, "ro") == 1:
		return bad("Slide the switch on the card's side, or use another card.", "write-protected")
	}
	return t, checkUse(name, dir)
}

// removable tells cards and sticks from built-in disks: what the kernel calls removable, USB disks, SD cards (a laptop's
// eMMC is of type MMC) and loop devices.
func removable(dir string) bool {
	return sysInt(dir, "removable") == 1 || strings.Contains(dir, "/usb") || sysString(dir, "device/type") == "SD" ||
		strings.HasPrefix(filepath.Base(dir), "loop")
}

func sysString(dir, name string) string {
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

func sysInt(dir, name string) int64 {
	n, _ := strconv.ParseInt(sysString(dir, name), 10, 64)
	return n
}

// partitions lists what is on a disk, as far as a look at it tells.
func partitions(dir string) (list []TargetPartition) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		sub := filepath.Join(dir, e.Name())
		if _, err := os.Stat(filepath.Join(sub, "partition")); err != nil {
			continue
		}
		p := TargetPartition{Name: e.Name(), Size: sysInt(sub, "size") * 512}
		if f, err := os.Open("/dev/" + e.Name()); err == nil {
			p.Type, p.Label = probe(f)
			f.Close()
		}
		list = append(list, p)
	}
	return list
}

// tabled lists the partitions of which the kernel does not know, by the table of a disk or file.
func tabled(name string) (list []TargetPartition) {
	f, err := os.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	table, err := readTable(f)
	if err != nil {
		return nil
	}
	for i, e := range table.Entries {
		start, size := int64(e.Start)*mbr.SectorSize, int64(e.Count)*mbr.SectorSize
		if e.Type == 0 || size == 0 {
			continue
		}
		p := TargetPartition{Name: fmt.Sprintf("partition %d", i+1), Size: size}
		p.Type, p.Label = probe(io.NewSectionReader(f, start, size))
		list = append(list, p)
	}
	return list
}

// probe recognises the file systems that a card may have, and their labels.
func probe(f io.ReaderAt) (kind, label string) {
	b := make([]byte, 4096)
	if _, err := f.ReadAt(b, 0); err != nil {
		return "", ""
	}
	text := func(b []byte) string {
		s, _, _ := strings.Cut(string(b), "\x00")
		return strings.TrimSpace(s)
	}
	switch {
	case b[1080] == 0x53 && b[1081] == 0xef: // the superblock is at 1024
		return "ext4", text(b[1024+120 : 1024+136])
	case string(b[3:11]) == "EXFAT   ":
		return "exFAT", ""
	case string(b[3:11]) == "NTFS    ":
		return "NTFS", ""
	case string(b[82:87]) == "FAT32":
		return "FAT32", text(b[71:82])
	case string(b[54:59]) == "FAT16":
		return "FAT16", text(b[43:54])
	case string(b[:4]) == "hsqs":
		return "squashfs", ""
	}
	return "", ""
}

// checkUse refuses a disk of which something is mounted or in use, directly or through what is built on it (LUKS, LVM,
// RAID: sysfs calls them holders).
func checkUse(name, dir string) error {
	numbers := map[string]bool{}
	collect(dir, numbers, 0)
	mounts, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return &TargetError{Path: name, Err: err}
	}
	defer mounts.Close()
	var at []string
	for s := bufio.NewScanner(mounts); s.Scan(); {
		// proc_pid_mountinfo(5): mount ID, parent, major:minor, root, mount point … - type, source …
		f := strings.Fields(s.Text())
		dash := slices.Index(f, "-")
		if len(f) < 5 || dash < 0 || dash+2 >= len(f) {
			continue
		}
		// Btrfs has a number of its own there, but names one of its disks.
		if numbers[f[2]] || numbers[deviceNumber(f[dash+2])] {
			at = append(at, unescape(f[4]))
		}
	}
	switch {
	case slices.ContainsFunc(at, func(p string) bool { return p == "/" || p == "/boot" || p == "/usr" || p == "/boot/firmware" }):
		return &TargetError{Path: name, Err: errors.New("this computer runs from this disk"), Hint: "Choose another: lsblk lists them."}
	case len(at) > 0:
		return &TargetError{Path: name, Err: fmt.Errorf("in use: mounted at %s", strings.Join(at, ", ")), Hint: "Unmount it first: umount " + strings.Join(at, " ")}
	}
	return checkSwap(name, numbers)
}

func checkSwap(name string, numbers map[string]bool) error {
	data, err := os.ReadFile("/proc/swaps")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return &TargetError{Path: name, Err: err}
	}
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		if len(f) > 0 && numbers[deviceNumber(f[0])] {
			return &TargetError{Path: name, Err: fmt.Errorf("in use: %s is this computer's swap space", f[0]), Hint: "Choose another disk: lsblk lists them."}
		}
	}
	return nil
}

// deviceNumber returns the major:minor of a block device's node, and "" for everything else.
func deviceNumber(name string) string {
	var st unix.Stat_t
	if unix.Stat(name, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFBLK {
		return ""
	}
	return fmt.Sprintf("%d:%d", unix.Major(st.Rdev), unix.Minor(st.Rdev))
}

// collect notes the device numbers of a disk, its partitions, and what is built on them.
func collect(dir string, numbers map[string]bool, depth int) {
	n := sysString(dir, "dev")
	if n == "" || numbers[n] || depth > 8 {
		return
	}
	numbers[n] = true
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if _, err := os.Stat(filepath.Join(dir, e.Name(), "partition")); err == nil {
			collect(filepath.Join(dir, e.Name()), numbers, depth+1)
		}
	}
	holders, _ := os.ReadDir(filepath.Join(dir, "holders"))
	for _, h := range holders {
		if real, err := filepath.EvalSymlinks(filepath.Join(dir, "holders", h.Name())); err == nil {
			collect(real, numbers, depth+1)
		}
	}
}

// unescape undoes mountinfo's octal escapes of blanks.
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}
