package supervise

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/init/api"
	"manofwar/init/sandbox"
	"manofwar/internal/service"
)

// TestMain also is what the tests start: the sandbox's shim, and the test services.
func TestMain(m *testing.M) {
	switch name := os.Getenv("MANOFWAR_NAME"); {
	case len(os.Args) == 2 && os.Args[1] == "exec":
		fmt.Fprintln(os.Stderr, sandbox.Exec())
		os.Exit(1)
	case name != "":
		os.Exit(serve(name))
	}
	os.Exit(m.Run())
}

// serve is a service's process, as cmd/manofwar is one.
func serve(name string) int {
	env := service.Env{
		Name: name, StateDir: os.Getenv("STATE_DIRECTORY"), RunDir: os.Getenv("RUNTIME_DIRECTORY"),
		Log:     slog.New(slog.NewTextHandler(os.Stderr, nil)),
		Ready:   func() { notify("READY=1\n") },
		Healthy: func(err error) { notify(HealthKey + "=" + text(err)) },
	}
	if os.Getenv("LISTEN_PID") == strconv.Itoa(os.Getpid()) && os.Getenv("LISTEN_FDS") == "1" {
		ln, err := net.FileListener(os.NewFile(3, "socket"))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		env.Listener = ln
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	svc := testServices[name]
	if svc == nil {
		svc = processServices[name]
	}
	err := svc.Run(ctx, env)
	switch {
	case errors.Is(err, service.ErrFinal):
		return FinalExit
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func notify(state string) {
	conn, err := net.Dial("unixgram", os.Getenv("NOTIFY_SOCKET"))
	if err == nil {
		_, err = io.WriteString(conn, state)
		err = errors.Join(err, conn.Close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "notify:", err)
	}
}

// processServices are those that only make sense as processes.
var processServices = map[string]service.Service{
	// looks prints what it can do.
	"looks": service.Func(func(_ context.Context, env service.Env) error {
		status, err := os.ReadFile("/proc/self/status")
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(status)) {
			key, value, _ := strings.Cut(line, ":")
			switch key {
			case "Uid", "Gid", "Groups", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp":
				fmt.Println(key, strings.Join(strings.Fields(value), " "))
			}
		}
		for _, key := range []string{"GOMEMLIMIT", "MANOFWAR_CALLERS", "MANOFWAR_CALLER_UIDS", "EXTRA", "PATH", "MANOFWAR_SANDBOX"} {
			fmt.Printf("env %s=%s\n", key, os.Getenv(key))
		}
		_, err = unix.Open("/", unix.O_RDONLY|unix.O_DIRECTORY, 0)
		fmt.Println("root", err)
		fmt.Println("mount", unix.Mount("none", env.StateDir, "tmpfs", 0, ""))
		fmt.Println("unshare", unix.Unshare(unix.CLONE_NEWUSER))
		fmt.Println("reboot", unix.Reboot(unix.LINUX_REBOOT_CMD_CAD_OFF))
		fmt.Println("clock", unix.Settimeofday(&unix.Timeval{Sec: 1}))
		dir, err := os.Getwd()
		fmt.Println("dir", dir == env.StateDir, err)
		return nil
	}),
	// orphans leaves a grandchild behind that holds its output open.
	"orphans": service.Func(func(_ context.Context, env service.Env) error {
		pid, err := syscall.ForkExec("/bin/sleep", []string{"sleep", "600"}, &syscall.ProcAttr{Files: []uintptr{0, 1, 2}, Sys: &syscall.SysProcAttr{Setsid: true}})
		fmt.Println("orphan", pid, err)
		return nil
	}),
}

// Users that no machine has.
const (
	testUID  = 61001
	mediaGID = 61500
)

// newProcess returns a Process over the test services and a Reaper under it, until the test ends.
func newProcess(t *testing.T, change func(*ProcessConfig)) runner {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: services run as users of their own")
	}
	self, dir := copySelf(t), openTemp(t)
	r := runner{stateDir: filepath.Join(dir, "data"), runDir: filepath.Join(dir, "run")}
	cfg := ProcessConfig{
		Reaper: new(Reaper), Shim: []string{self, "exec"}, StateDir: r.stateDir, RunDir: r.runDir, Grace: grace,
		Media: "/media", MediaGID: mediaGID,
		Accounts: func(string) (Account, error) { return Account{UID: testUID, GID: testUID}, nil },
	}
	env := []string{"GORACE=atexit_sleep_ms=0"} // the race detector would outlast the grace
	for name := range testServices {
		cfg.Units = append(cfg.Units, service.Unit{Spec: service.Spec{Name: name}, Path: self, Notify: true, Socket: true, Env: env})
	}
	for name := range processServices {
		cfg.Units = append(cfg.Units, service.Unit{Spec: service.Spec{Name: name}, Path: self, Notify: true, Env: env})
	}
	if change != nil {
		change(&cfg)
	}
	for _, dir := range []string{r.stateDir, r.runDir} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		cfg.Reaper.Run(ctx)
	}()
	p, err := NewProcess(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Close()
		cancel()
		<-done
	})
	r.Runner = p
	return r
}

// copySelf copies this program to where every user can run it.
func copySelf(t *testing.T) string {
	t.Helper()
	name := filepath.Join(openTemp(t), "self")
	data, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o755); err != nil {
		t.Fatal(err)
	}
	return name
}

// openTemp is t.TempDir that every user can enter.
func openTemp(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestProcess(t *testing.T) {
	testRunner(t, func(t *testing.T) runner { return newProcess(t, nil) })
}

// look runs "looks" and returns what it printed, by the first word.
func look(t *testing.T, r runner) map[string]string {
	t.Helper()
	h := &history{ready: make(chan struct{})}
	if err := r.Run(t.Context(), service.Spec{Name: "looks"}, h.report()); err != nil {
		t.Fatalf("%v; log %v", err, texts(h.log.After(0)))
	}
	seen := make(map[string]string)
	for _, line := range texts(h.log.After(0)) {
		if rest, ok := strings.CutPrefix(line, "env "); ok {
			key, value, _ := strings.Cut(rest, "=")
			seen[key] = value
			continue
		}
		key, value, _ := strings.Cut(line, " ")
		seen[key] = value
	}
	return seen
}

func TestProcessIsConfined(t *testing.T) {
	got := look(t, newProcess(t, func(cfg *ProcessConfig) {
		for i, u := range cfg.Units {
			if u.Name == "looks" {
				cfg.Units[i].Memory = 100 << 20
				cfg.Units[i].Callers = []string{"serves", "not-in-this-image"}
				cfg.Units[i].Env = []string{"EXTRA=1", "PATH=/own"}
			}
		}
	}))
	want := map[string]string{
		"Uid": "61001 61001 61001 61001", "Gid": "61001 61001 61001 61001", "Groups": "",
		"CapEff": "0000000000000000", "CapBnd": "0000000000000000", "CapAmb": "0000000000000000",
		"dir": "true <nil>", "NoNewPrivs": "1", "Seccomp": "2",
		"mount": "operation not permitted", "unshare": "operation not permitted", "reboot": "operation not permitted",
		"clock": "operation not permitted", "MANOFWAR_SANDBOX": "",
		"GOMEMLIMIT": "83886080", "MANOFWAR_CALLERS": "serves", "MANOFWAR_CALLER_UIDS": "61001", "EXTRA": "1", "PATH": "/own",
	}
	for key, value := range want {
		if got[key] != value {
			t.Errorf("%s is %q; want %q", key, got[key], value)
		}
	}
	if sandbox.LandlockABI() == 0 {
		t.Log("this kernel has no Landlock: that part of the sandbox is tested in the virtual machine only")
	} else if got["root"] != "permission denied" {
		t.Errorf("the root directory can be listed: %q", got["root"])
	}
}

func TestProcessKeepsWhatItsRowNames(t *testing.T) {
	got := look(t, newProcess(t, func(cfg *ProcessConfig) {
		for i, u := range cfg.Units {
			if u.Name == "looks" {
				cfg.Units[i].Caps = []string{"net_bind_service", "net_raw"}
				cfg.Units[i].Read = []string{"/media/x"}
			}
		}
	}))
	const bindAndRaw = "0000000000002400"
	if got["CapEff"] != bindAndRaw || got["CapBnd"] != bindAndRaw || got["CapAmb"] != bindAndRaw {
		t.Errorf("capabilities %s, bounding %s, ambient %s; want %s", got["CapEff"], got["CapBnd"], got["CapAmb"], bindAndRaw)
	}
	if got["Groups"] != strconv.Itoa(mediaGID) {
		t.Errorf("groups %q; want the media group", got["Groups"])
	}
}

func TestProcessKillsOrphans(t *testing.T) {
	root, err := cgroupForTest(t)
	if err != nil {
		t.Skip("needs a cgroup2 file system: ", err)
	}
	r := newProcess(t, func(cfg *ProcessConfig) { cfg.Cgroups = root })
	h := &history{ready: make(chan struct{})}
	begin := time.Now()
	if err := r.Run(t.Context(), service.Spec{Name: "orphans"}, h.report()); err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Sscanf(strings.Join(texts(h.log.After(0)), "\n"), "orphan %d <nil>", &pid); err != nil {
		t.Fatalf("log %v", texts(h.log.After(0)))
	}
	if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil && !strings.Contains(string(stat), ") Z ") {
		t.Errorf("the orphan lives: %s", stat)
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
}

// cgroupForTest makes a parent group in whichever cgroup2 file system this machine has.
func cgroupForTest(t *testing.T) (*Cgroup, error) {
	t.Helper()
	var errs []error
	for _, mount := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		root, _, err := CgroupRoot(mount, fmt.Sprintf("manofwar-test-%d", os.Getpid()))
		if err != nil {
			errs = append(errs, err)
			continue
		}
		t.Cleanup(func() {
			dirs, _ := filepath.Glob(filepath.Join(root.dir, "*", "cgroup.procs"))
			for _, d := range dirs {
				if err := syscall.Rmdir(filepath.Dir(d)); err != nil {
					t.Error(err)
				}
			}
			if err := syscall.Rmdir(root.dir); err != nil {
				t.Error(err)
			}
		})
		return root, nil
	}
	return nil, errors.Join(errs...)
}

// TestKilledServiceComesBack is the promise of the whole: kill -9, and within two seconds it serves again, on the
// same socket, without a refused connection in between.
func TestKilledServiceComesBack(t *testing.T) {
	r := newProcess(t, nil)
	pids := make(chan int, 16)
	super, err := New(Config{
		Specs: []service.Spec{{Name: "serves"}}, Runner: r,
		Change: func(s api.Service) {
			if s.Ready {
				pids <- s.PID
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		super.Run(ctx)
	}()
	defer func() {
		cancel()
		<-done
	}()
	for range 3 {
		pid := <-pids
		if got := ask(t, r.runDir, "serves"); got != "hello" {
			t.Fatalf("got %q", got)
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		for got := ""; got != "hello"; { // the first answers may still be the end of the old process
			got = ask(t, r.runDir, "serves")
			if strings.Contains(got, "refused") || time.Since(begin) > 2*time.Second {
				t.Fatalf("after %v: %s", time.Since(begin), got)
			}
		}
	}
	if got := super.Status()[0]; !strings.Contains(got.Error, "killed") || got.Restarts == 0 {
		t.Errorf("%+v", got)
	}
}

func TestNewProcessRefuses(t *testing.T) {
	account := func(name string) (Account, error) {
		if name == "ghost" {
			return Account{}, errors.New("unknown user ghost")
		}
		if name == "root" {
			return Account{}, nil
		}
		return Account{UID: testUID, GID: testUID}, nil
	}
	tests := []struct {
		name string
		unit service.Unit
		want string
	}{
		{"root", service.Unit{Spec: service.Spec{Name: "a", User: "root"}}, "only PID 1 is"},
		{"PID 1's name", service.Unit{Spec: service.Spec{Name: "init"}}, "PID 1's own"},
		{"no name", service.Unit{Spec: service.Spec{Name: "A b"}}, "a name is"},
		{"a capability that is none", service.Unit{Spec: service.Spec{Name: "a", User: "user", Caps: []string{"fly"}}}, `capability "fly"`},
		{"a way out of /dev", service.Unit{Spec: service.Spec{Name: "a", User: "user", Devices: []string{"../etc/*"}}, Path: "/x"}, "no pattern"},
		{"a bad pattern", service.Unit{Spec: service.Spec{Name: "a", User: "user", Devices: []string{"[a"}}, Path: "/x"}, "no pattern"},
		{"the key to all disks", service.Unit{Spec: service.Spec{Name: "a", User: "user", Devices: []string{"sg*"}, Caps: []string{"dac_read_search"}}, Path: "/x"}, "every disk"},
		{"no program", service.Unit{Spec: service.Spec{Name: "a", User: "user"}}, "not absolute"},
		{"a relative path", service.Unit{Spec: service.Spec{Name: "a", User: "user", Write: []string{"x"}}, Path: "/x"}, "not absolute"},
		{"an unknown user", service.Unit{Spec: service.Spec{Name: "a", User: "ghost"}}, `service "a": user: unknown user ghost`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := NewProcess(ProcessConfig{Units: []service.Unit{tt.unit}, Accounts: account, RunDir: t.TempDir()})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v; want %q", err, tt.want)
			}
		})
	}
}

func TestOwnDir(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: it changes owners")
	}
	dir := filepath.Join(t.TempDir(), "state")
	outside := filepath.Join(t.TempDir(), "outside")
	if err := errors.Join(os.Mkdir(dir, 0o755), os.WriteFile(filepath.Join(dir, "f"), nil, 0o600),
		os.WriteFile(outside, nil, 0o600), os.Symlink(outside, filepath.Join(dir, "link"))); err != nil {
		t.Fatal(err)
	}
	for _, uid := range []int{61001, 61002} { // an image may number its users anew
		if err := ownDir(dir, 0o700, Account{UID: uid, GID: uid}); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]int{dir: uid, filepath.Join(dir, "f"): uid, outside: 0} {
			info, err := os.Stat(name)
			if err != nil {
				t.Fatal(err)
			}
			if got := int(info.Sys().(*syscall.Stat_t).Uid); got != want {
				t.Errorf("%s belongs to %d; want %d", name, got, want)
			}
		}
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := ownDir(outside, 0o700, Account{UID: 1, GID: 1}); err == nil {
		t.Error("a file was accepted as a directory")
	}
}

func FuzzParseNotify(f *testing.F) {
	f.Add("READY=1\nSTATUS=well\nX_MANOFWAR_HEALTH=bad")
	f.Fuzz(func(t *testing.T, message string) {
		parseNotify(message, Report{Ready: func() {}, Healthy: func(err error) {
			if err != nil && err.Error() == "" {
				t.Error("ill without a reason")
			}
		}})
	})
}

func TestReaperCommand(t *testing.T) {
	r := new(Reaper)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.Run(ctx)
	}()
	defer func() {
		cancel()
		<-done
	}()
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	code, err := r.Command(t.Context(), out, "/bin/sh", "-c", "echo said; exit 4")
	if text, _ := os.ReadFile(out.Name()); code != 4 || err != nil || string(text) != "said\n" {
		t.Errorf("code %d, %v, output %q", code, err, text)
	}
	if _, err := r.Command(t.Context(), out, "/bin/missing"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
	limited, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	if _, err := r.Command(limited, out, "/bin/sleep", "600"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	r.Signal(os.Getpid(), syscall.SIGKILL) // no child of the reaper's: not signalled
}
