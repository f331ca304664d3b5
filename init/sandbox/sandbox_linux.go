// Package sandbox turns a fresh child of PID 1 into a service's process: limits, groups, capabilities, user,
// no_new_privs, Landlock and seccomp, and then the program itself.
//
// Go runs nothing between fork and exec, so PID 1 executes itself as "init exec" with a [Spec] in its environment, and
// [Exec] does the work. Everything that it sets belongs to a thread (capabilities(7), landlock(7), seccomp(2)): one
// locked thread sets it and executes the program, which ends the other threads.
//
// It leaves out namespaces: services share the network, and files are kept apart by Landlock and by their owners.
package sandbox

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Spec is what to become. Everything not named is denied.
type Spec struct {
	Path   string   `json:"path"`          // the program
	Args   []string `json:"args"`          // with the program's own name first
	Dir    string   `json:"dir,omitempty"` // to start in; empty: as inherited
	UID    int      `json:"uid"`
	GID    int      `json:"gid"`
	Groups []int    `json:"groups,omitempty"` // supplementary
	Caps   []string `json:"caps,omitempty"`   // kept, in capabilities(7)'s lower-case names without cap_
	Read   []string `json:"read,omitempty"`   // files and directories it may read, beyond [RootDirs] of the root
	Write  []string `json:"write,omitempty"`  // and those that it may also write
	Device []string `json:"device,omitempty"` // device nodes, or directories of them, it may use if their mode lets it
	NoFile uint64   `json:"nofile,omitempty"` // RLIMIT_NOFILE; 0: as inherited
	Listen bool     `json:"listen,omitempty"` // descriptor 3 is a listening socket: say so as sd_listen_fds(3) has it
}

// envKey is the variable that carries the Spec. The program does not get it.
const envKey = "MANOFWAR_SANDBOX"

// Environ returns env with the Spec added, for the process that calls [Exec]. One that is in env already would win, being
// the first: it is left out.
func (s Spec) Environ(env []string) ([]string, error) {
	data, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return append(withoutSpec(env), envKey+"="+string(data)), nil
}

func withoutSpec(env []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(v string) bool { return strings.HasPrefix(v, envKey+"=") })
}

// Exec becomes what the environment's Spec says. It returns only with an error, which names the step.
func Exec() error {
	var s Spec
	if err := json.Unmarshal([]byte(os.Getenv(envKey)), &s); err != nil {
		return fmt.Errorf("sandbox: %s: %w", envKey, err)
	}
	runtime.LockOSThread()
	if err := s.enter(); err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	return fmt.Errorf("sandbox: execute %s: %w", s.Path, syscall.Exec(s.Path, s.Args, s.environ()))
}

// environ is the program's environment.
func (s Spec) environ() []string {
	env := withoutSpec(os.Environ())
	if s.Listen {
		env = append(env, "LISTEN_FDS=1", "LISTEN_PID="+strconv.Itoa(os.Getpid()))
	}
	return env
}

// enter takes the steps in the only order that works: what needs root first, and the filters last.
func (s Spec) enter() error {
	keep, err := capabilitySet(bounded(s.Caps, LandlockABI()))
	if err != nil {
		return err
	}
	rules, err := newRuleset(s)
	if err != nil {
		return fmt.Errorf("landlock: %w", err)
	}
	defer rules.close()
	filter := seccompFilter(runtime.GOARCH, s.Caps)
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"limits", s.setLimits},
		{"bounding set", keep.bound},
		{"user", func() error { return become(s.UID, s.GID, s.Groups) }},
		{"capabilities", keep.apply},
		{"no_new_privs", func() error { return unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }},
		{"directory", s.enterDir},
		{"landlock", rules.restrict},
		{"seccomp", func() error { return install(filter) }},
	} {
		if err := step.do(); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}

// bounded leaves out the capabilities that override file permissions where the kernel has no Landlock to confine them:
// without it they would open every other service's state.
func bounded(caps []string, abi int) []string {
	if abi > 0 {
		return caps
	}
	return slices.DeleteFunc(slices.Clone(caps), func(c string) bool { return strings.HasPrefix(c, "dac_") })
}

// enterDir is done as the program's user: it may not start where it could not go.
func (s Spec) enterDir() error {
	if s.Dir == "" {
		return nil
	}
	return unix.Chdir(s.Dir)
}

// setLimits forbids core dumps, which could carry secrets to disk, and bounds open files.
func (s Spec) setLimits() error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return err
	}
	if s.NoFile == 0 {
		return nil
	}
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: s.NoFile, Max: s.NoFile})
}

// become changes this thread's user for good, keeping its permitted capabilities until they are set. The raw system
// calls are meant: package syscall's change every thread, and the others are about to end.
func become(uid, gid int, groups []int) error {
	if uid <= 0 || gid <= 0 {
		return fmt.Errorf("user %d, group %d: only PID 1 is root", uid, gid)
	}
	if err := unix.Prctl(unix.PR_SET_SECUREBITS, secbitKeepCaps, 0, 0, 0); err != nil {
		return err
	}
	list := make([]uint32, len(groups), len(groups)+1)
	for i, g := range groups {
		list[i] = uint32(g)
	}
	if err := setgroups(list); err != nil {
		return err
	}
	if _, _, e := unix.RawSyscall(unix.SYS_SETRESGID, uintptr(gid), uintptr(gid), uintptr(gid)); e != 0 {
		return e
	}
	if _, _, e := unix.RawSyscall(unix.SYS_SETRESUID, uintptr(uid), uintptr(uid), uintptr(uid)); e != 0 {
		return e
	}
	return nil
}
