package boot

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// NodeRule lets a user have the device nodes whose name below /dev matches the pattern ([path.Match]).
type NodeRule struct {
	Pattern string
	UID     int
	Handed  string // a directory that gets a second node for each that lies in /dev itself; empty: there is no need
}

func (r NodeRule) matches(name string) bool {
	ok, err := path.Match(r.Pattern, name)
	return err == nil && ok
}

// hands tells whether the rule's directory gets a node of that name.
func (r NodeRule) hands(name string) bool {
	return r.Handed != "" && !strings.Contains(name, "/") && r.matches(name)
}

// Grant gives the users whose rules match the node name, such as "snd/pcmC0D0p", read and write access by an access
// control list: nodes stay root's, and several services may share one. A node that no rule matches is left alone.
func Grant(dev, name string, rules []NodeRule) error {
	var uids []int
	for _, r := range rules {
		if r.matches(name) && !slices.Contains(uids, r.UID) {
			uids = append(uids, r.UID)
		}
	}
	if len(uids) == 0 {
		return nil
	}
	file := filepath.Join(dev, name)
	if err := allowNode(file, uids); err != nil {
		return err
	}
	for _, r := range rules {
		if r.hands(name) {
			if err := hand(file, filepath.Join(r.Handed, name), r.UID); err != nil {
				return err
			}
		}
	}
	return nil
}

func allowNode(file string, uids []int) error {
	if err := unix.Setxattr(file, "system.posix_acl_access", accessList(uids), 0); err != nil {
		return fmt.Errorf("grant %s: %w", file, err)
	}
	return nil
}

// videoMajor is the number of all devices of video4linux (include/media/v4l2-dev.h, VIDEO_MAJOR). CEC has none of its own.
const videoMajor = 81

// hand makes a node of the same device at to. Disks are not handed on: whoever has such a directory reads all files.
func hand(file, to string, uid int) error {
	var st unix.Stat_t
	if err := unix.Lstat(file, &st); err != nil {
		return fmt.Errorf("hand on %s: %w", file, err)
	}
	video := strings.HasPrefix(filepath.Base(file), "video")
	if st.Mode&unix.S_IFMT != unix.S_IFCHR || video && unix.Major(st.Rdev) != videoMajor {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return fmt.Errorf("hand on %s: %w", file, err)
	}
	_ = os.Remove(to) // of a device that had the name before
	if err := unix.Mknod(to, unix.S_IFCHR|0o600, int(st.Rdev)); err != nil {
		return fmt.Errorf("hand on %s: %w", file, err)
	}
	return allowNode(to, []int{uid})
}

// Withdraw takes back the second nodes of a device that has gone.
func Withdraw(name string, rules []NodeRule) error {
	var errs []error
	for _, r := range rules {
		if r.hands(name) {
			if err := os.Remove(filepath.Join(r.Handed, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

// withdrawAll takes back those of devices that are no more.
func withdrawAll(dev string, rules []NodeRule) error {
	var errs []error
	for _, r := range rules {
		if r.Handed == "" {
			continue
		}
		nodes, err := os.ReadDir(r.Handed)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
		for _, n := range nodes {
			if _, err := os.Lstat(filepath.Join(dev, n.Name())); errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, Withdraw(n.Name(), []NodeRule{r}))
			}
		}
	}
	return errors.Join(errs...)
}

// GrantAll is [Grant] for every node there is, and [Withdraw] for every other.
func GrantAll(dev string, rules []NodeRule) error {
	if len(rules) == 0 {
		return nil
	}
	withdrawn := withdrawAll(dev, rules)
	return errors.Join(withdrawn, filepath.WalkDir(dev, func(file string, e fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // gone meanwhile
		case err != nil:
			return err
		case e.IsDir() && (e.Name() == "pts" || e.Name() == "shm" || e.Name() == "handed"):
			return fs.SkipDir
		case e.Type()&fs.ModeDevice == 0:
			return nil
		}
		err = Grant(dev, strings.TrimPrefix(file, dev+"/"), rules)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}))
}

// Tags of the entries of an access control list (include/uapi/linux/posix_acl.h).
const (
	aclVersion   = 2
	aclUserObj   = 0x01
	aclUser      = 0x02
	aclGroupObj  = 0x04
	aclMask      = 0x10
	aclOther     = 0x20
	aclReadWrite = 6
	aclNobody    = 0xffffffff
)

// accessList encodes an access control list (include/uapi/linux/posix_acl_xattr.h): the owner and the users may read
// and write, others nothing.
func accessList(uids []int) []byte {
	b := binary.LittleEndian.AppendUint32(nil, aclVersion)
	entry := func(tag, perm uint16, id uint32) {
		b = binary.LittleEndian.AppendUint16(b, tag)
		b = binary.LittleEndian.AppendUint16(b, perm)
		b = binary.LittleEndian.AppendUint32(b, id)
	}
	slices.Sort(uids)
	entry(aclUserObj, aclReadWrite, aclNobody)
	for _, uid := range uids {
		entry(aclUser, aclReadWrite, uint32(uid))
	}
	entry(aclGroupObj, 0, aclNobody)
	entry(aclMask, aclReadWrite, aclNobody)
	entry(aclOther, 0, aclNobody)
	return b
}

// Coldplug calls load with the alias of every device that was there before anyone listened.
func Coldplug(sys string, load func(alias string)) error {
	seen := make(map[string]bool)
	return filepath.WalkDir(sys, func(file string, e fs.DirEntry, err error) error {
		if err != nil || e.Name() != "modalias" {
			return nil // devices come and go
		}
		data, err := os.ReadFile(file)
		if alias := strings.TrimSpace(string(data)); err == nil && alias != "" && !seen[alias] {
			seen[alias] = true
			load(alias)
		}
		return nil
	})
}
