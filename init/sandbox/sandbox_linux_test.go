package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestMain also is the shim and, with "probe", the program in the sandbox.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) == 2 && os.Args[1] == "exec":
		fmt.Fprintln(os.Stderr, Exec())
		os.Exit(111)
	case len(os.Args) == 3 && os.Args[1] == "probe":
		probe(os.Args[2])
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// attempts are what a sandboxed program may try; dir is the test's directory.
var attempts = map[string]func(dir string) error{
	"read state":         func(dir string) error { return readFile(dir + "/state/file") },
	"write state":        func(dir string) error { return os.WriteFile(dir+"/state/new", []byte("x"), 0o600) },
	"rename state":       func(dir string) error { return os.Rename(dir+"/state/new", dir+"/state/newer") },
	"remove state":       func(dir string) error { return os.Remove(dir + "/state/newer") },
	"list state":         func(dir string) error { return listDir(dir + "/state") },
	"make socket":        func(dir string) error { return listen(dir + "/state/sock") },
	"run from state":     func(dir string) error { return exec.Command(dir + "/state/program").Run() },
	"read media":         func(dir string) error { return readFile(dir + "/media/film.mkv") },
	"read private media": func(dir string) error { return readFile(dir + "/media/private.mkv") },
	"write media":        func(dir string) error { return os.WriteFile(dir+"/media/film.mkv", []byte("x"), 0o666) },
	"read other":         func(dir string) error { return readFile(dir + "/other/secret") },
	"list other":         func(dir string) error { return listDir(dir + "/other") },
	"write etc":          func(string) error { return os.WriteFile("/etc/manofwar-test", nil, 0o600) },
	"read etc":           func(string) error { return readFile("/etc/passwd") },
	"run bin":            func(string) error { return exec.Command("/bin/true").Run() },
	"write null":         func(string) error { return os.WriteFile("/dev/null", []byte("x"), 0) },
	"read random":        func(string) error { return readSome("/dev/urandom") },
	"list dev":           func(string) error { return listDir("/dev") },
	"list run":           func(string) error { return listDir("/run") },
	"dial":               dialLoopback,
	"dial abstract":      dialAbstract,
	"signal itself":      func(string) error { return unix.Kill(os.Getpid(), 0) },
	"signal others":      signalStranger,
	"mount":              func(dir string) error { return unix.Mount("none", dir+"/state", "tmpfs", 0, "") },
	"chroot":             func(dir string) error { return unix.Chroot(dir + "/state") },
	"ptrace":             func(string) error { return unix.PtraceAttach(os.Getppid()) },
	"bpf":                func(string) error { return raw(unix.SYS_BPF) },
	"keyctl":             func(string) error { return raw(unix.SYS_KEYCTL) },
	"name handle":        func(dir string) error { _, _, err := unix.NameToHandleAt(unix.AT_FDCWD, dir, 0); return err },
	"open handle":        openHandle,
	"userfaultfd":        func(string) error { return raw(unix.SYS_USERFAULTFD) },
	"perf":               func(string) error { return raw(unix.SYS_PERF_EVENT_OPEN) },
	"packet socket":      func(string) error { return socket(unix.AF_PACKET, unix.SOCK_DGRAM) },
	"crypto socket":      func(string) error { return socket(unix.AF_ALG, unix.SOCK_SEQPACKET) },
	"vsock socket":       func(string) error { return socket(unix.AF_VSOCK, unix.SOCK_STREAM) },
	"netlink socket":     func(string) error { return socket(unix.AF_NETLINK, unix.SOCK_RAW) },
	"io_uring":           func(string) error { return raw(unix.SYS_IO_URING_SETUP) },
	"load module":        func(string) error { return raw(unix.SYS_INIT_MODULE) },
	"new namespace":      func(string) error { return unix.Unshare(unix.CLONE_NEWUSER) },
	"clone namespace": func(string) error {
		return raw(unix.SYS_CLONE, unix.CLONE_NEWUSER|uintptr(syscall.SIGCHLD))
	},
	"clone3":    func(string) error { return raw(unix.SYS_CLONE3) },
	"set clock": func(string) error { return unix.Settimeofday(&unix.Timeval{Usec: -1}) }, // whoever may gets EINVAL
	"core size": func(string) error {
		var limit unix.Rlimit
		err := unix.Getrlimit(unix.RLIMIT_CORE, &limit)
		if limit.Max != 0 {
			err = fmt.Errorf("core dumps of up to %d bytes", limit.Max)
		}
		return err
	},
	"become root": func(string) error { return syscall.Setuid(0) },
}

func raw(number uintptr, args ...uintptr) error {
	args = append(args, 0, 0, 0)
	if _, _, e := unix.RawSyscall(number, args[0], args[1], args[2]); e != 0 {
		return e
	}
	return nil
}

// openHandle opens a file by its number rather than its name, as programs have escaped from containers with
// dac_read_search: inode 2 is the root of an ext4 file system.
func openHandle(dir string) error {
	at, err := unix.Open(dir+"/media", unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer unix.Close(at)
	fd, err := unix.OpenByHandleAt(at, unix.NewFileHandle(1, []byte{2, 0, 0, 0, 0, 0, 0, 0}), unix.O_RDONLY)
	if err == nil {
		err = unix.Close(fd)
	}
	return err
}

func socket(family, kind int) error {
	fd, err := unix.Socket(family, kind, 0)
	if err == nil {
		err = unix.Close(fd)
	}
	return err
}

func readFile(name string) error {
	_, err := os.ReadFile(name)
	return err
}

func readSome(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	_, err = f.Read(make([]byte, 8))
	return errors.Join(err, f.Close())
}

func listDir(name string) error {
	_, err := os.ReadDir(name)
	return err
}

func listen(path string) error {
	ln, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	return ln.Close()
}

// dialAbstract connects to the test's own abstract socket, whose name is the directory's.
func dialAbstract(dir string) error {
	conn, err := net.Dial("unix", "@"+dir)
	if err != nil {
		return err
	}
	return conn.Close()
}

// signalStranger signals the process that media/stranger names.
func signalStranger(dir string) error {
	text, err := os.ReadFile(dir + "/media/stranger")
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(string(text))
	if err != nil {
		return err
	}
	return unix.Kill(pid, 0)
}

func dialLoopback(string) error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		return err
	}
	return errors.Join(conn.Close(), ln.Close())
}

// probe makes every attempt, in the order of their names, and prints the results as JSON.
func probe(dir string) {
	results := make(map[string]string)
	names := make([]string, 0, len(attempts))
	for name := range attempts {
		names = append(names, name)
	}
	slices.Sort(names)
	slices.SortStableFunc(names, func(a, b string) int { return order(a) - order(b) })
	for _, name := range names {
		err := attempts[name](dir)
		switch errno := syscall.Errno(0); {
		case err == nil:
			results[name] = ""
		case errors.As(err, &errno):
			results[name] = errno.Error()
		default:
			results[name] = err.Error()
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(results); err != nil {
		os.Exit(2)
	}
}

// order puts the attempts that build on each other in order.
func order(name string) int {
	return slices.Index([]string{"write state", "rename state", "remove state"}, name)
}

// enter runs the probe in a sandbox and returns what it could do.
func enter(t *testing.T, change func(*Spec)) map[string]string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: it becomes another user")
	}
	dir := scene(t)
	self := filepath.Join(dir, "bin", "self")
	s := Spec{
		Path: self, Args: []string{"probe-service", "probe", dir}, UID: testUID, GID: testUID,
		Read: []string{dir + "/media", dir + "/missing"}, Write: []string{dir + "/state"}, NoFile: 100,
	}
	if change != nil {
		change(&s)
	}
	env, err := s.Environ([]string{"PATH=/bin"})
	if err != nil {
		t.Fatal(err)
	}
	abstract, err := net.Listen("unix", "@"+dir)
	if err != nil {
		t.Fatal(err)
	}
	defer abstract.Close()
	stranger := exec.Command("/bin/sleep", "600") // of the same user, but outside of the sandbox
	stranger.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: testUID, Gid: testUID}}
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/media/stranger", []byte(strconv.Itoa(stranger.Process.Pid)), 0o644); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = stranger.Process.Kill()
		_ = stranger.Wait() // that it was killed
	}()
	cmd := exec.Command(self, "exec")
	cmd.Env = env
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	var results map[string]string
	if err := json.Unmarshal(out, &results); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return results
}

const testUID = 61001

// scene makes a state directory, somebody else's, media, and a copy of this program that everyone may run.
func scene(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	program, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{"state", "other", "media", "bin"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, perm := range map[string]os.FileMode{
		"state/file": 0o644, "state/program": 0o755, "other/secret": 0o644, "media/film.mkv": 0o666, "media/private.mkv": 0o600, "bin/self": 0o755,
	} {
		data := []byte("#!/bin/true\n")
		if name == "bin/self" {
			data = program
		}
		file := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(file, data, perm), os.Chmod(file, perm)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Chown(filepath.Join(dir, "state"), testUID, testUID),
		os.Chmod(dir, 0o755), os.Chmod(filepath.Dir(dir), 0o755)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestSandbox(t *testing.T) {
	const denied, refused, noFamily = "permission denied", "operation not permitted", "address family not supported by protocol"
	got := enter(t, nil)
	for name, want := range map[string]string{
		"read state": "", "write state": "", "rename state": "", "remove state": "", "list state": "", "make socket": "",
		"read media": "", "read etc": "", "run bin": "", "write null": "", "read random": "", "dial": "", "core size": "",
		"write etc": denied, "mount": refused, "chroot": refused, "ptrace": refused, "bpf": refused, "keyctl": refused,
		"io_uring": refused, "load module": refused, "new namespace": refused, "clone namespace": refused,
		"name handle": refused, "open handle": refused, "userfaultfd": refused, "perf": refused, "netlink socket": "",
		"packet socket": noFamily, "crypto socket": noFamily, "vsock socket": noFamily,
		"clone3": syscall.ENOSYS.Error(), "set clock": refused, "become root": refused,
	} {
		if got[name] != want {
			t.Errorf("%s: %q; want %q", name, got[name], want)
		}
	}
	if LandlockABI() == 0 {
		t.Log("this kernel has no Landlock: what follows is tested in the virtual machine")
		return
	}
	for _, name := range []string{"run from state", "write media", "read other", "list other", "list dev", "list run"} {
		if got[name] != denied {
			t.Errorf("%s: %q; want %q", name, got[name], denied)
		}
	}
	if LandlockABI() < scopedABI {
		t.Logf("this kernel's Landlock has ABI %d: scopes are tested in the virtual machine", LandlockABI())
		return
	}
	if got["signal itself"] != "" {
		t.Errorf("signal itself: %q", got["signal itself"])
	}
	for _, name := range []string{"dial abstract", "signal others"} {
		if got[name] != refused {
			t.Errorf("%s: %q; want %q", name, got[name], refused)
		}
	}
}

// TestSandboxOfOneWhoReadsEverything: the capability overrides modes and owners, but not Landlock's paths, and handles
// would go past those.
func TestSandboxOfOneWhoReadsEverything(t *testing.T) {
	if LandlockABI() == 0 {
		t.Skip("needs Landlock in the kernel: without it nobody gets the capability")
	}
	got := enter(t, func(s *Spec) { s.Caps = []string{"dac_read_search"} })
	for name, want := range map[string]error{
		"read private media": nil, "read other": unix.EACCES, "list run": unix.EACCES, "name handle": unix.EPERM, "open handle": unix.EPERM,
	} {
		if want == nil && got[name] != "" || want != nil && got[name] != want.Error() {
			t.Errorf("%s: %q; want %v", name, got[name], want)
		}
	}
}

func TestSandboxOfOneWhoSeesPackets(t *testing.T) {
	got := enter(t, func(s *Spec) { s.Caps = []string{"net_raw"} })
	if got["packet socket"] != "" || got["crypto socket"] != syscall.EAFNOSUPPORT.Error() {
		t.Errorf("packet socket %q, crypto socket %q", got["packet socket"], got["crypto socket"])
	}
}

func TestSandboxOfOneWhoEndsOthers(t *testing.T) {
	if got := enter(t, func(s *Spec) { s.Caps = []string{"kill"} }); got["signal others"] != "" {
		t.Errorf("signal others: %q", got["signal others"])
	}
}

func TestSandboxWithTheClock(t *testing.T) {
	got := enter(t, func(s *Spec) { s.Caps = []string{"sys_time"} })
	if got["set clock"] != syscall.EINVAL.Error() {
		t.Errorf("netmgr cannot set the clock: %q", got["set clock"])
	}
	if got["mount"] != syscall.EPERM.Error() {
		t.Errorf("mount: %q", got["mount"])
	}
}

func TestSandboxRefuses(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: it becomes another user")
	}
	dir := scene(t)
	self := filepath.Join(dir, "bin", "self")
	for name, tt := range map[string]struct {
		spec Spec
		want string
	}{
		"root":                  {Spec{Path: self, Args: []string{"x"}}, "only PID 1 is root"},
		"an unknown capability": {Spec{Path: self, Args: []string{"x"}, UID: 1, GID: 1, Caps: []string{"fly"}}, `capability "fly" does not exist`},
		"a missing program":     {Spec{Path: dir + "/missing", Args: []string{"x"}, UID: 1, GID: 1}, "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			env, err := tt.spec.Environ(nil)
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(self, "exec")
			cmd.Env = env
			out, err := cmd.CombinedOutput()
			if cmd.ProcessState.ExitCode() != 111 || !strings.Contains(string(out), tt.want) {
				t.Errorf("%v: %s; want %q", err, out, tt.want)
			}
		})
	}
}

func TestSeccompFilterFitsTheKernel(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64"} {
		if auditArch[arch] == 0 {
			t.Errorf("no architecture number for %s", arch)
		}
	}
	filter := seccompFilter(runtime.GOARCH, nil)
	if len(filter) > 4096 { // BPF_MAXINSNS
		t.Errorf("%d instructions", len(filter))
	}
	for i, ins := range filter {
		if ins.Code&0x07 == unix.BPF_JMP && i+1+int(max(ins.Jt, ins.Jf)) >= len(filter) {
			t.Errorf("instruction %d jumps out of the program", i)
		}
	}
}

func TestRulesetFitsTheABI(t *testing.T) {
	for _, tt := range []struct {
		abi    int
		caps   []string
		size   uintptr
		fs     uint64
		scoped uint64
	}{
		{1, nil, 8, 1<<13 - 1, 0},
		{5, nil, 8, 1<<16 - 1, 0},
		{6, nil, 24, 1<<16 - 1, scoped},
		{99, nil, 24, 1<<16 - 1, scoped},
		{6, []string{"kill"}, 24, 1<<16 - 1, unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET},
	} {
		if attr, size := attrFor(tt.abi, tt.caps); attr != (rulesetAttr{fs: tt.fs, scoped: tt.scoped}) || size != tt.size {
			t.Errorf("ABI %d, %q: %+v of %d bytes", tt.abi, tt.caps, attr, size)
		}
	}
}

func TestEnvironHasOneSpec(t *testing.T) {
	env, err := Spec{UID: 7}.Environ([]string{envKey + `={"uid":8}`, "A=b"})
	if err != nil || len(env) != 2 || env[0] != "A=b" || !strings.Contains(env[1], `"uid":7`) {
		t.Errorf("%q, %v", env, err)
	}
}

func TestCapabilitySet(t *testing.T) {
	set, err := capabilitySet([]string{"net_bind_service", "net_raw"})
	if err != nil || set != 1<<unix.CAP_NET_BIND_SERVICE|1<<unix.CAP_NET_RAW {
		t.Errorf("%#x, %v", set, err)
	}
	if len(capNames) != unix.CAP_LAST_CAP+1 {
		t.Errorf("%d names; the kernel's headers have %d capabilities", len(capNames), unix.CAP_LAST_CAP+1)
	}
	if err := ValidCaps([]string{"CAP_SYS_ADMIN"}); err == nil {
		t.Error("accepted a name that is not in the table's form")
	}
}

func TestCapabilitiesOverFilesNeedLandlock(t *testing.T) {
	caps := []string{"dac_read_search", "net_admin"}
	if got := bounded(caps, 1); !slices.Equal(got, caps) {
		t.Errorf("with Landlock: %q", got)
	}
	if got := bounded(caps, 0); !slices.Equal(got, []string{"net_admin"}) {
		t.Errorf("without Landlock: %q", got)
	}
}
