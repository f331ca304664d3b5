package boot

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Setting is one sysctl(8) key and its value.
type Setting struct{ Key, Value string }

// Settings close what no service needs. A key that the kernel does not have is skipped.
var Settings = []Setting{
	{"kernel.dmesg_restrict", "1"},
	{"kernel.kptr_restrict", "2"},
	{"kernel.unprivileged_bpf_disabled", "1"},
	{"kernel.perf_event_paranoid", "3"},
	{"kernel.sysrq", "0"},
	{"user.max_user_namespaces", "0"},
	{"fs.protected_symlinks", "1"},
	{"fs.protected_hardlinks", "1"},
	{"fs.protected_fifos", "2"},
	{"fs.protected_regular", "2"},
	{"fs.suid_dumpable", "0"},
	{"vm.panic_on_oom", "0"},
	{"kernel.panic_on_oops", "1"},
	{"vm.dirty_background_ratio", "5"}, // a card is slow: begin to write early, so that a sync at a commit is short
	{"vm.dirty_ratio", "10"},
	{"net.ipv4.conf.all.arp_ignore", "1"},   // two links into one network: each answers for its own address only,
	{"net.ipv4.conf.all.arp_announce", "2"}, // and asks with it, so that each can be judged by itself
}

// hugePages is where the kernel is told who gets pages of 2 MB unasked. With them the heap of each small service grows
// in such steps, a third of its memory, on a board that has 512 MB.
const hugePages = "/sys/kernel/mm/transparent_hugepage/enabled"

// WriteSettings writes the table, and leaves huge pages to those who ask for them. It tries all: the error joins those of
// what could not be written.
func WriteSettings(table []Setting) error {
	errs := []error{writeSetting(hugePages, "madvise")}
	for _, s := range table {
		errs = append(errs, writeSetting(filepath.Join("/proc/sys", strings.ReplaceAll(s.Key, ".", "/")), s.Value))
	}
	return errors.Join(errs...)
}

// writeSetting writes a file that the kernel may not have.
func writeSetting(path, value string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		_, err = f.WriteString(value)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return fmt.Errorf("setting %s: %w", path, err)
	}
	return nil
}

// LoopbackUp brings up the loopback interface (netdevice(7)). Every other one is netmgr's.
func LoopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	defer unix.Close(fd)
	req, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	req.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	_, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCSIFFLAGS, uintptr(unsafe.Pointer(req)))
	if e != 0 {
		return fmt.Errorf("loopback: %w", e)
	}
	return nil
}
