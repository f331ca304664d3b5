package disks

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// options are how a kind of file system is mounted.
type options struct {
	fstype string
	data   []string // option strings to try, in order
}

// flags of every media mount: a stranger's disk runs nothing, opens no devices and is not written to, but for the
// journal of a disk that was pulled out of a computer: the kernel replays it even here.
const flags = unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC | unix.MS_NOATIME

// optionsFor returns how to mount the type, readable by the group; false for types that are never mounted. File systems
// without owners are given one. On those with owners, what everyone may read can be read.
func optionsFor(fstype string, gid int) (options, bool) {
	owner := fmt.Sprintf("uid=0,gid=%d,", gid)
	masks := owner + "fmask=0137,dmask=0027"
	switch fstype {
	case "vfat":
		return options{fstype, []string{masks + ",utf8=1,shortname=mixed"}}, true
	case "exfat":
		return options{fstype, []string{masks + ",iocharset=utf8"}}, true
	case "ntfs3":
		return options{fstype, []string{masks + ",iocharset=utf8", masks}}, true
	case "iso9660":
		return options{fstype, []string{owner + "mode=0440,dmode=0550,utf8", owner + "mode=0440,dmode=0550"}}, true
	case "udf":
		return options{fstype, []string{owner + "mode=0440,dmode=0550,utf8", owner + "mode=0440,dmode=0550"}}, true
	case "hfsplus":
		return options{fstype, []string{owner + "umask=0027"}}, true
	case "ext4":
		// The disk itself may ask for a panic at its first error. One that is write-protected cannot replay its journal.
		return options{fstype, []string{"errors=continue", "errors=continue,noload"}}, true
	case "xfs":
		return options{fstype, []string{"", "norecovery"}}, true
	case "btrfs", "f2fs":
		return options{fstype, []string{""}}, true
	}
	return options{}, false
}

// mount tries the options in order and returns the first one's error: the later ones are for special cases.
func mount(dev, dir string, how options) error {
	var first error
	for _, data := range how.data {
		err := unix.Mount(dev, dir, how.fstype, flags, data)
		if err == nil {
			return nil
		}
		if first == nil {
			first = fmt.Errorf("mount %s: %w", dev, err)
		}
		if errors.Is(err, unix.ENODEV) {
			break
		}
	}
	return first
}

// unmount detaches the file system at once, even if something is still reading from it, and removes the directory.
func unmount(dir string) error {
	if err := unix.Unmount(dir, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); err != nil {
		return fmt.Errorf("unmount %s: %w", dir, err)
	}
	return os.Remove(dir)
}
