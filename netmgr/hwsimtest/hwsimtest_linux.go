// Package hwsimtest lets tests use WiFi without air: radios simulated by the kernel (mac80211_hwsim), and real programs
// as peers on them, each in a network namespace of its own. All radios hear each other.
//
// It is for tests with the build tag hwsim only, which run as root in a virtual machine: the radios are those of the whole
// kernel. It needs kmod, iproute2 and iw, and whatever programs a test starts.
package hwsimtest

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Radio is one simulated radio, with one interface in the namespace of the test.
type Radio struct {
	Phy       int
	Name      string // "phy0"
	Interface string // "wlan0"
}

// Radios makes n radios, and only these. They are gone when the test ends.
func Radios(t *testing.T, n int) []Radio {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to make WiFi radios")
	}
	Run(t, "modprobe", "-r", "mac80211_hwsim")
	Run(t, "modprobe", "mac80211_hwsim", "radios="+strconv.Itoa(n))
	t.Cleanup(func() { Run(t, "modprobe", "-r", "mac80211_hwsim") })
	dirs, err := filepath.Glob("/sys/class/ieee80211/*")
	if err != nil {
		t.Fatal(err)
	}
	var radios []Radio
	for _, dir := range dirs {
		radios = append(radios, radioAt(t, dir))
	}
	slices.SortFunc(radios, func(a, b Radio) int { return a.Phy - b.Phy })
	if len(radios) != n {
		t.Fatalf("%d radios instead of %d", len(radios), n)
	}
	return radios
}

func radioAt(t *testing.T, dir string) Radio {
	t.Helper()
	number, err := os.ReadFile(filepath.Join(dir, "index"))
	if err != nil {
		t.Fatal(err)
	}
	r := Radio{Name: filepath.Base(dir)}
	if r.Phy, err = strconv.Atoi(strings.TrimSpace(string(number))); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(dir, "device/net/*"))
	if err != nil || len(names) != 1 {
		t.Fatalf("interfaces of %s: %v, %v", r.Name, names, err)
	}
	r.Interface = filepath.Base(names[0])
	return r
}

// limit is how long a program that is waited for may take.
const limit = 20 * time.Second

// Run runs a program to its end in the test's own namespace, and returns what it wrote.
func Run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := try(args...)
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return out
}

func try(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit) // cleanups run after the test's own context
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Country sets the rules of a country for all radios, as "DE", for as long as the test runs.
func Country(t *testing.T, country string) {
	t.Helper()
	Run(t, "iw", "reg", "set", country)
	t.Cleanup(func() { Run(t, "iw", "reg", "set", "00") })
	for deadline := time.Now().Add(limit); !strings.Contains(Run(t, "iw", "reg", "get"), "country "+country); {
		if time.Now().After(deadline) {
			t.Fatalf("the country is not %s:\n%s", country, Run(t, "iw", "reg", "get"))
		}
		<-time.After(20 * time.Millisecond) // the kernel reads its database on its own time
	}
}

// Place is a network namespace: a peer's, or the test's own ([Here]).
type Place struct {
	t    *testing.T
	name string
	dir  string
}

// NewPlace makes a place. It and the programs in it are gone when the test ends; its radios are the test's again.
func NewPlace(t *testing.T, name string) *Place {
	t.Helper()
	p := &Place{t: t, name: name, dir: t.TempDir()}
	Run(t, "ip", "netns", "add", name)
	t.Cleanup(func() { Run(t, "ip", "netns", "del", name) })
	p.Run("ip", "link", "set", "lo", "up")
	return p
}

// Take moves a radio to the place.
func (p *Place) Take(r Radio) {
	p.t.Helper()
	Run(p.t, "iw", "phy", r.Name, "set", "netns", "name", p.name)
}

// Address gives an interface in the place an address, as in "192.0.2.1/24".
func (p *Place) Address(name, prefix string) {
	p.t.Helper()
	p.Run("ip", "address", "replace", prefix, "dev", name)
}

// Run runs a program in the place to its end, and returns what it wrote.
func (p *Place) Run(args ...string) string {
	p.t.Helper()
	return Run(p.t, p.inside(args)...)
}

// inside makes a command one that runs in the place.
func (p *Place) inside(command []string) []string {
	if p.name == "" { // the test's own
		return command
	}
	return append([]string{"ip", "netns", "exec", p.name}, command...)
}

// Hostapd starts an access point with the lines of hostapd.conf, and waits until it is up.
func (p *Place) Hostapd(r Radio, lines ...string) *Program {
	p.t.Helper()
	lines = append([]string{"interface=" + r.Interface, "driver=nl80211", "ctrl_interface=" + p.dir + "/hostapd"}, lines...)
	program := p.Start("hostapd", p.File("hostapd.conf", lines...))
	program.Await("AP-ENABLED", 1)
	return program
}

// Supplicant starts wpa_supplicant with the lines of its configuration.
func (p *Place) Supplicant(r Radio, lines ...string) *Program {
	p.t.Helper()
	lines = append([]string{"ctrl_interface=" + p.dir + "/wpa_supplicant"}, lines...)
	return p.Start("wpa_supplicant", "-i", r.Interface, "-c", p.File("wpa_supplicant.conf", lines...))
}

// Dnsmasq starts dnsmasq with the lines of its configuration.
func (p *Place) Dnsmasq(lines ...string) *Program {
	p.t.Helper()
	lines = append([]string{"keep-in-foreground", "log-facility=-", "leasefile-ro", "user=root", "pid-file="}, lines...)
	program := p.Start("dnsmasq", "-C", p.File("dnsmasq.conf", lines...))
	program.Await("started", 1)
	return program
}

// File writes a file for a program of the place and returns its path.
func (p *Place) File(name string, lines ...string) string {
	p.t.Helper()
	path := filepath.Join(p.dir, name)
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		p.t.Fatal(err)
	}
	return path
}

// Start starts a program in the place; it ends with the test at the latest.
func (p *Place) Start(args ...string) *Program {
	p.t.Helper()
	r := &Program{t: p.t, name: args[0], news: make(chan struct{}, 1)}
	args = p.inside(args)
	r.cmd = exec.Command(args[0], args[1:]...)
	r.cmd.Stdout, r.cmd.Stderr = r, r
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL}
	r.cmd.WaitDelay = time.Second
	if err := r.cmd.Start(); err != nil {
		p.t.Fatalf("%v: %v", args, err)
	}
	p.t.Cleanup(func() {
		r.Kill()
		if p.t.Failed() {
			p.t.Logf("%v wrote:\n%s", args, r)
		}
	})
	return r
}

// Program is a program that runs.
type Program struct {
	t    *testing.T
	name string
	cmd  *exec.Cmd
	over sync.Once

	mu   sync.Mutex // guards text
	text bytes.Buffer
	news chan struct{}
}

// Kill ends the program as a power cut would.
func (r *Program) Kill() { r.end(unix.SIGKILL) }

// Stop asks the program to end and waits until it has.
func (r *Program) Stop() { r.end(unix.SIGTERM) }

func (r *Program) end(s syscall.Signal) {
	r.over.Do(func() {
		_ = r.cmd.Process.Signal(s) // it may have ended by itself
		timer := time.AfterFunc(limit, func() { _ = r.cmd.Process.Kill() })
		defer timer.Stop()
		_ = r.cmd.Wait()
	})
}

// Write takes what the program writes.
func (r *Program) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case r.news <- struct{}{}:
	default:
	}
	return r.text.Write(b)
}

// String returns what the program has written.
func (r *Program) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// Await waits until the program has written a text n times.
func (r *Program) Await(text string, n int) {
	r.t.Helper()
	for over := time.After(limit); strings.Count(r.String(), text) < n; {
		select {
		case <-r.news:
		case <-over:
			r.t.Fatalf("%s did not write %q %d times within %v", r.name, text, n, limit)
		}
	}
}
