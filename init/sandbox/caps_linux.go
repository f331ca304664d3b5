package sandbox

import (
	"fmt"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// secbitKeepCaps keeps the permitted set when the user changes; exec clears it (include/uapi/linux/securebits.h).
const secbitKeepCaps = 1 << 4

// capNames are the capabilities by number (include/uapi/linux/capability.h).
var capNames = []string{
	"chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap",
	"linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner",
	"sys_module", "sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice",
	"sys_resource", "sys_time", "sys_tty_config", "mknod", "lease", "audit_write", "audit_control", "setfcap",
	"mac_override", "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf",
	"checkpoint_restore",
}

// capSet is a set of capabilities, one bit each.
type capSet uint64

func capabilitySet(names []string) (capSet, error) {
	var set capSet
	for _, name := range names {
		i := slices.Index(capNames, name)
		if i < 0 {
			return 0, fmt.Errorf("capability %q does not exist", name)
		}
		set |= 1 << i
	}
	return set, nil
}

// ValidCaps returns an error that names the first capability that does not exist.
func ValidCaps(names []string) error {
	_, err := capabilitySet(names)
	return err
}

// bound drops everything else from the bounding set, up to the last capability that the kernel knows.
func (c capSet) bound() error {
	for i := range 64 {
		if c&(1<<i) != 0 {
			continue
		}
		err := unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(i), 0, 0, 0)
		if err == unix.EINVAL && i > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// apply makes the set permitted, effective, inheritable and, so that the program has it after exec, ambient.
func (c capSet) apply() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	for i := range data {
		half := uint32(c >> (32 * i))
		data[i] = unix.CapUserData{Effective: half, Permitted: half, Inheritable: half}
	}
	if err := unix.Capset(&header, &data[0]); err != nil {
		return err
	}
	for i := range capNames {
		if c&(1<<i) == 0 {
			continue
		}
		if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, uintptr(i), 0, 0); err != nil {
			return fmt.Errorf("%s: %w", capNames[i], err)
		}
	}
	return nil
}

// setgroups is setgroups(2) for this thread alone.
func setgroups(list []uint32) error {
	_, _, e := unix.RawSyscall(unix.SYS_SETGROUPS, uintptr(len(list)), uintptr(unsafe.Pointer(unsafe.SliceData(list))), 0)
	if e != 0 {
		return e
	}
	return nil
}
