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
}

// Grant gives the users whose rules match the node name, such as "snd/pcmC0D0p", read and write access by an access
// control list: nodes stay root's, and several services may share one. A node that no rule matches is left alone.
func Grant(dev, name string, rules []NodeRule) error {
	var uids []int
	for _, r := range rules {
		if ok, err := path.Match(r.Pattern, name); err == nil && ok && !slices.Contains(uids, r.UID) {
			uids = append(uids, r.UID)
		}
	}
	if len(uids) == 0 {
		return nil
	}
	file := filepath.Join(dev, name)
	if err := unix.Setxattr(file, "system.posix_acl_access", accessList(uids), 0); err != nil {
		return fmt.Errorf("grant %s: %w", file, err)
	}
	return nil
}

// GrantAll is [Grant] for every node there is.
func GrantAll(dev string, rules []NodeRule) error {
	if len(rules) == 0 {
		return nil
	}
	return filepath.WalkDir(dev, func(file string, e fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // gone meanwhile
		case err != nil:
			return err
		case e.IsDir() && (e.Name() == "pts" || e.Name() == "shm"):
			return fs.SkipDir
		case e.Type()&fs.ModeDevice == 0:
			return nil
		}
		err = Grant(dev, strings.TrimPrefix(file, dev+"/"), rules)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
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
