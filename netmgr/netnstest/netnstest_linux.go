// Package netnstest runs a test in a network of its own: a fresh network namespace that holds the test, and others
// beside it that hold its peers, joined by virtual cables (network_namespaces(7), veth(4)). Nothing in there reaches the
// host's network.
//
// It is for tests only. It needs root and iproute2.
package netnstest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// inside marks the process that runs in the namespace.
const inside = "MANOFWAR_NETNSTEST"

// limit is how long one test may take in its namespace.
const limit = 90 * time.Second

// Run runs f in a fresh network namespace, in a process of its own: goroutines cannot be kept to a namespace. It skips the
// test where that is not possible and says why. programs are those that f starts.
func Run(t *testing.T, f func(*testing.T), programs ...string) {
	t.Helper()
	if os.Getenv(inside) == t.Name() {
		IP(t, "link set lo up")
		f(t)
		return
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root, to make network namespaces")
	}
	for _, p := range append(programs, "ip") {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("needs the program %s", p)
		}
	}
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout="+limit.String())
	cmd.Env = append(os.Environ(), inside+"="+t.Name())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET, Pdeathsig: unix.SIGKILL}
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatalf("in the namespace: %v", err)
	}
}

// IP runs ip(8) in the test's own namespace.
func IP(t *testing.T, args string) {
	t.Helper()
	run(t, exec.Command("ip", strings.Fields(args)...))
}

func run(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
}

// Peer is another host on the network: a namespace of its own.
type Peer struct {
	t    *testing.T
	name string
}

// NewPeer makes a peer. It and the programs it runs are gone when the test ends.
func NewPeer(t *testing.T, name string) *Peer {
	t.Helper()
	p := &Peer{t: t, name: fmt.Sprintf("mow-%s-%d", name, os.Getpid())}
	run(t, exec.Command("ip", "netns", "add", p.name))
	t.Cleanup(func() { run(t, exec.Command("ip", "netns", "del", p.name)) })
	p.IP("link set lo up")
	return p
}

// Cable joins the test's interface here with the peer's interface there. Only the peer's end is switched on.
func (p *Peer) Cable(here, there string) {
	p.t.Helper()
	IP(p.t, fmt.Sprintf("link add %s type veth peer name %s netns %s", here, there, p.name))
	p.IP("link set " + there + " up")
}

// CableTo joins an interface of the peer with one of another peer. Both ends are switched on.
func (p *Peer) CableTo(o *Peer, here, there string) {
	p.t.Helper()
	p.IP(fmt.Sprintf("link add %s type veth peer name %s netns %s", here, there, o.name))
	p.IP("link set " + here + " up")
	o.IP("link set " + there + " up")
}

// IP runs ip(8) in the peer's namespace.
func (p *Peer) IP(args string) {
	p.t.Helper()
	run(p.t, exec.Command("ip", append([]string{"-n", p.name}, strings.Fields(args)...)...))
}

// Command returns a command that runs in the peer's namespace.
func (p *Peer) Command(args ...string) *exec.Cmd {
	return exec.Command("ip", append([]string{"netns", "exec", p.name}, args...)...)
}

// Do runs f in the peer's namespace. Sockets that f opens stay there.
func (p *Peer) Do(f func() error) {
	p.t.Helper()
	done := make(chan error)
	go func() { done <- inNamespace("/run/netns/"+p.name, f) }()
	if err := <-done; err != nil {
		p.t.Fatalf("in %s: %v", p.name, err)
	}
}

// inNamespace runs f on a thread that is in a namespace meanwhile. Should it not find back, it ends with its goroutine.
func inNamespace(path string, f func() error) error {
	runtime.LockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return err
	}
	defer home.Close()
	away, err := os.Open(path)
	if err != nil {
		return err
	}
	defer away.Close()
	if err := unix.Setns(int(away.Fd()), unix.CLONE_NEWNET); err != nil {
		return err
	}
	if err := errors.Join(f(), unix.Setns(int(home.Fd()), unix.CLONE_NEWNET)); err != nil {
		return err
	}
	runtime.UnlockOSThread()
	return nil
}

// Start starts a program in the peer's namespace and returns what it writes and how to end it; it ends with the test at
// the latest.
func (p *Peer) Start(args ...string) (output *Output, stop func()) {
	p.t.Helper()
	cmd := p.Command(args...)
	output = &Output{news: make(chan struct{}, 1)}
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL}
	if err := cmd.Start(); err != nil {
		p.t.Fatalf("%v: %v", args, err)
	}
	stop = sync.OnceFunc(func() {
		_ = cmd.Process.Kill() // it may have ended by itself
		_ = cmd.Wait()
	})
	p.t.Cleanup(stop)
	return output, stop
}

// Output is what a program has written so far.
type Output struct {
	mu   sync.Mutex // guards text
	text strings.Builder
	news chan struct{}
}

var _ io.Writer = (*Output)(nil)

// Write takes what the program writes.
func (o *Output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.news <- struct{}{}:
	default:
	}
	return o.text.Write(b)
}

// String returns what the program has written.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// Await waits until the program has written n times what is wanted, or fails the test after a while.
func (o *Output) Await(t *testing.T, want string, n int, within time.Duration) {
	t.Helper()
	over := time.After(within)
	for strings.Count(o.String(), want) < n {
		select {
		case <-o.news:
		case <-over:
			t.Fatalf("%q was not written %d times within %v:\n%s", want, n, within, o)
		}
	}
}
