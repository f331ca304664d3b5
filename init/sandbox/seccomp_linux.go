package sandbox

import (
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// denied are system calls that no service needs and that kernels have most often been broken through, or that only
// PID 1 may make. They fail with EPERM, so that a program which merely tries goes on. The list is one of denials because
// Go's and ffmpeg's needs are broad and change with their versions; the other walls do not depend on it.
var denied = []uint32{
	unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_PIVOT_ROOT, unix.SYS_CHROOT, unix.SYS_MOVE_MOUNT, unix.SYS_OPEN_TREE,
	unix.SYS_OPEN_TREE_ATTR, unix.SYS_FSOPEN, unix.SYS_FSCONFIG, unix.SYS_FSMOUNT, unix.SYS_FSPICK, unix.SYS_MOUNT_SETATTR,
	unix.SYS_SETNS, unix.SYS_UNSHARE,
	unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_KCMP, unix.SYS_PIDFD_GETFD,
	unix.SYS_PROCESS_MADVISE, unix.SYS_MIGRATE_PAGES, unix.SYS_MOVE_PAGES,
	unix.SYS_KEXEC_LOAD, unix.SYS_KEXEC_FILE_LOAD, unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_DELETE_MODULE, unix.SYS_REBOOT,
	unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_USERFAULTFD,
	unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER,
	unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_KEYCTL,
	unix.SYS_SWAPON, unix.SYS_SWAPOFF, unix.SYS_ACCT, unix.SYS_QUOTACTL, unix.SYS_QUOTACTL_FD, unix.SYS_SYSLOG,
	unix.SYS_VHANGUP, unix.SYS_LOOKUP_DCOOKIE, unix.SYS_PERSONALITY,
	unix.SYS_NAME_TO_HANDLE_AT, unix.SYS_OPEN_BY_HANDLE_AT, // with dac_read_search they open files past Landlock's paths
	unix.SYS_SETHOSTNAME, unix.SYS_SETDOMAINNAME, unix.SYS_FANOTIFY_INIT, unix.SYS_FANOTIFY_MARK,
}

// clocks are denied to those without sys_time.
var clocks = []uint32{unix.SYS_SETTIMEOFDAY, unix.SYS_CLOCK_SETTIME, unix.SYS_ADJTIMEX, unix.SYS_CLOCK_ADJTIME}

// families are the kinds of sockets that everyone may make, and rawFamilies those for net_raw besides. Each of the others
// is a protocol that nothing here speaks, whose module the kernel would load for whoever asks.
var (
	families    = []uint32{unix.AF_UNIX, unix.AF_INET, unix.AF_INET6, unix.AF_NETLINK}
	rawFamilies = []uint32{unix.AF_PACKET, unix.AF_BLUETOOTH}
)

// newNamespaces are the flags of clone(2) that make namespaces, which open much of the kernel to the unprivileged.
const newNamespaces = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC |
	unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET

// Offsets in struct seccomp_data (include/uapi/linux/seccomp.h). The first argument's low half is first on the
// little-endian machines that there are tables for.
const (
	offNumber = 0
	offArch   = 4
	offArg0   = 16
)

// seccompFilter assembles the BPF program (seccomp(2)): calls of another architecture than the machine's own fail, as do
// the denied ones; clone3, whose flags a filter cannot see, does not exist, and programs fall back to clone. The
// capabilities are those that the program keeps.
func seccompFilter(goarch string, caps []string) []unix.SockFilter {
	calls, sockets := slices.Concat(denied, extraDenied[goarch]), families
	if !slices.Contains(caps, "sys_time") {
		calls = append(calls, clocks...)
	}
	if slices.Contains(caps, "net_raw") {
		sockets = slices.Concat(families, rawFamilies)
	}
	prog := []unix.SockFilter{
		load(offArch),
		jump(unix.BPF_JEQ, auditArch[goarch], 1, 0),
		fail(unix.EPERM),
		load(offNumber),
		jump(unix.BPF_JGE, 0x40000000, 0, 1), // amd64's x32 numbers
		fail(unix.EPERM),
		jump(unix.BPF_JEQ, unix.SYS_CLONE3, 0, 1),
		fail(unix.ENOSYS),
	}
	for _, n := range calls {
		prog = append(prog, jump(unix.BPF_JEQ, n, 0, 1), fail(unix.EPERM))
	}
	prog = append(prog,
		jump(unix.BPF_JEQ, unix.SYS_CLONE, 0, 4),
		load(offArg0),
		jump(unix.BPF_JSET, newNamespaces, 0, 1),
		fail(unix.EPERM),
		allow,
		jump(unix.BPF_JEQ, unix.SYS_SOCKET, 1, 0),
		allow,
		load(offArg0),
	)
	for _, family := range sockets {
		prog = append(prog, jump(unix.BPF_JEQ, family, 0, 1), allow)
	}
	return append(prog, fail(unix.EAFNOSUPPORT))
}

// allow lets the call pass.
var allow = stmt(unix.BPF_RET|unix.BPF_K, unix.SECCOMP_RET_ALLOW)

func fail(e unix.Errno) unix.SockFilter {
	return stmt(unix.BPF_RET|unix.BPF_K, unix.SECCOMP_RET_ERRNO|uint32(e))
}

// auditArch names the architectures as the kernel does (include/uapi/linux/audit.h).
var auditArch = map[string]uint32{"amd64": unix.AUDIT_ARCH_X86_64, "arm64": unix.AUDIT_ARCH_AARCH64}

func stmt(code uint16, k uint32) unix.SockFilter { return unix.SockFilter{Code: code, K: k} }

func load(offset uint32) unix.SockFilter { return stmt(unix.BPF_LD|unix.BPF_W|unix.BPF_ABS, offset) }

// jump skips yes instructions if the comparison holds, else no instructions.
func jump(op uint16, k uint32, yes, no uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | op | unix.BPF_K, K: k, Jt: yes, Jf: no}
}

// install puts the filter on this thread for good.
func install(filter []unix.SockFilter) error {
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	_, _, e := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&prog)))
	if e != 0 {
		return e
	}
	return nil
}
