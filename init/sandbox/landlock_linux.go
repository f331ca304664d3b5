package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Sets of Landlock access rights (landlock(7)). Rights that the kernel's ABI lacks are masked out.
const (
	accessRead  = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	accessExec  = unix.LANDLOCK_ACCESS_FS_EXECUTE
	accessWrite = unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_REMOVE_DIR |
		unix.LANDLOCK_ACCESS_FS_REMOVE_FILE | unix.LANDLOCK_ACCESS_FS_MAKE_DIR | unix.LANDLOCK_ACCESS_FS_MAKE_REG |
		unix.LANDLOCK_ACCESS_FS_MAKE_SOCK | unix.LANDLOCK_ACCESS_FS_MAKE_FIFO | unix.LANDLOCK_ACCESS_FS_MAKE_SYM |
		unix.LANDLOCK_ACCESS_FS_REFER | unix.LANDLOCK_ACCESS_FS_TRUNCATE
	accessDevice = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR |
		unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	accessFile = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_READ_FILE |
		unix.LANDLOCK_ACCESS_FS_TRUNCATE | unix.LANDLOCK_ACCESS_FS_IOCTL_DEV // what a rule on a file may name
)

// accessByABI is how many of the access rights each ABI knows, as a mask: 1 is Linux 5.13; 2 added REFER, 3 TRUNCATE,
// 4 the network, 5 IOCTL_DEV.
var accessByABI = []uint64{0, 1<<13 - 1, 1<<14 - 1, 1<<15 - 1, 1<<15 - 1, 1<<16 - 1}

// scoped keeps a program from abstract Unix sockets and signals of processes outside of its sandbox: no file mode guards
// the former. Linux 6.12 has it.
const (
	scoped    = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL
	scopedABI = 6
)

// rulesetAttr is struct landlock_ruleset_attr (include/uapi/linux/landlock.h), which grew from ABI to ABI.
type rulesetAttr struct{ fs, net, scoped uint64 }

// attrFor returns what an ABI can handle, and how much of it that ABI reads. Who is to end others may signal them.
func attrFor(abi int, caps []string) (attr rulesetAttr, size uintptr) {
	attr.fs, size = accessByABI[min(abi, len(accessByABI)-1)], unsafe.Sizeof(attr.fs)
	if abi >= scopedABI {
		attr.scoped, size = scoped, unsafe.Sizeof(attr)
	}
	if slices.Contains(caps, "kill") {
		attr.scoped &^= unix.LANDLOCK_SCOPE_SIGNAL
	}
	return attr, size
}

// rootDirs are the directories of the root file system that every service may read and run programs from. Others, such
// as /data and /media, hold what is somebody's.
var rootDirs = []string{"/bin", "/sbin", "/usr", "/lib", "/lib64", "/etc", "/user", "/manofwar", "/init"}

// commonRead is what programs look up about the machine. /run is not in it: PID 1 mounts there what is not for all.
var commonRead = []string{"/proc", "/sys"}

// commonDevices are what every program expects.
var commonDevices = []string{"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}

// LandlockABI returns the kernel's Landlock ABI, or 0 if it has none or it is not enabled.
func LandlockABI() int {
	abi, _, e := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if e != 0 {
		return 0
	}
	return int(abi)
}

// ruleset is a Landlock ruleset under construction. The nil ruleset, on a kernel without, restricts nothing.
type ruleset struct {
	fd      int
	handled uint64
}

// newRuleset makes the Spec's. Paths that do not exist are left out: nothing can be reached by them.
func newRuleset(s Spec) (*ruleset, error) {
	abi := LandlockABI()
	if abi == 0 {
		return nil, nil
	}
	attr, size := attrFor(abi, s.Caps)
	fd, _, e := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), size, 0)
	if e != 0 {
		return nil, e
	}
	r := &ruleset{fd: int(fd), handled: attr.fs}
	for _, group := range []struct {
		paths  []string
		access uint64
	}{
		{rootDirs, accessRead | accessExec},
		{slices.Concat(commonRead, s.Read), accessRead},
		{s.Write, accessRead | accessWrite},
		{slices.Concat(commonDevices, s.Device), accessDevice},
		{[]string{s.Path}, accessRead | accessExec},
	} {
		for _, path := range group.paths {
			if err := r.allow(path, group.access); err != nil {
				r.close()
				return nil, fmt.Errorf("%s: %w", path, err)
			}
		}
	}
	return r, nil
}

// allow adds a rule for the file or the hierarchy at path.
func (r *ruleset) allow(path string, access uint64) error {
	f, err := unix.Open(filepath.Clean(path), unix.O_PATH|unix.O_CLOEXEC, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unix.Close(f)
	var st unix.Stat_t
	if err := unix.Fstat(f, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		access &= accessFile
	}
	rule := unix.LandlockPathBeneathAttr{Allowed_access: access & r.handled, Parent_fd: int32(f)}
	_, _, e := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(r.fd), unix.LANDLOCK_RULE_PATH_BENEATH,
		uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	if e != 0 {
		return e
	}
	return nil
}

// restrict applies the ruleset to this thread for good.
func (r *ruleset) restrict() error {
	if r == nil {
		return nil
	}
	if _, _, e := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(r.fd), 0, 0); e != 0 {
		return e
	}
	return nil
}

func (r *ruleset) close() {
	if r != nil {
		_ = unix.Close(r.fd) // nothing to lose: the ruleset lives on in the thread
	}
}
