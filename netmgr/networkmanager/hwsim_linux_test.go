//go:build hwsim

package networkmanager

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"manofwar/netmgr"
	"manofwar/netmgr/hwsimtest"
	"manofwar/netmgr/radiotest"
)

// TestBackend runs the suite of all backends against Debian's NetworkManager and wpa_supplicant.
func TestBackend(t *testing.T) {
	radios := hwsimtest.Radios(t, 5)
	hwsimtest.Country(t, "DE")
	air := radiotest.NewAir(t, radios[1:]...)
	manager := hwsimtest.Here(t).NetworkManager()
	radiotest.Backend(t, radiotest.Setup{
		Radios: New(Options{Address: manager.Address, Log: testLog(t)}),
		World:  air, ScanFirst: true,
		Limits: radiotest.Limits{
			Scan: 30 * time.Second, Join: 20 * time.Second, Wrong: 15 * time.Second, WrongSAE: 10 * time.Second,
			NotFound: 40 * time.Second, Lost: 5 * time.Second, Leave: 5 * time.Second, Up: 20 * time.Second,
		},
	})
}

func testLog(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// guest is a backend in a computer whose user has a connection of his own, which connects by itself.
type guest struct {
	t       *testing.T
	phy     int
	manager *hwsimtest.NetworkManager
	backend *Backend
	events  chan netmgr.Event
	leave   func() // ends the backend
}

// TestGuest sees to it that the user's own connections stay his.
func TestGuest(t *testing.T) {
	radios := hwsimtest.Radios(t, 4)
	hwsimtest.Country(t, "DE")
	air := radiotest.NewAir(t, radios[1:]...)
	office := radiotest.Network{SSID: "Office", Password: "nine to five", Security: radiotest.WPA2, Channel: 1}
	home := radiotest.Network{SSID: "Home", Password: "home sweet home", Security: radiotest.WPA2, Channel: 6}
	air.StartNetwork(t, office)
	air.StartNetwork(t, home)
	manager := hwsimtest.Here(t).NetworkManager()
	manager.Command("connection", "add", "type", "wifi", "con-name", "Office", "ssid", office.SSID,
		"wifi-sec.key-mgmt", "wpa-psk", "wifi-sec.psk", office.Password, "ipv4.method", "link-local", "ipv6.method", "disabled")
	g := &guest{t: t, manager: manager, events: make(chan netmgr.Event, 256)}
	g.start()
	defer func() { g.leave() }()

	until(t, "the user is in his network", func() bool { return g.active("Office") })
	g.join(1)
	await(g, "joined", func(e netmgr.Joined) bool { return e.Number == 1 })
	if !g.active("manofwar-p1") || g.active("Office") {
		t.Errorf("connections:\n%s", g.connections())
	}

	t.Log("the backend ends")
	g.leave()
	until(t, "the user is back in his network", func() bool { return g.active("Office") && !strings.Contains(g.connections(), "manofwar-") })

	t.Log("the user chooses another network, and leaves it again")
	g.start()
	g.join(2)
	await(g, "joined", func(e netmgr.Joined) bool { return e.Number == 2 })
	manager.Command("--wait", "0", "connection", "up", "Office")
	await(g, "lost", func(e netmgr.Unjoined) bool {
		return e.Number == 2 && e.Why == netmgr.Lost && strings.Contains(e.Reason, "chosen")
	})
	await(g, "given away", func(netmgr.RadioGone) bool { return true })
	if !g.active("Office") || strings.Contains(g.connections(), "manofwar-") {
		t.Errorf("connections:\n%s", g.connections())
	}
	manager.Command("--wait", "0", "connection", "down", "Office")
	await(g, "given back", func(netmgr.RadioChanged) bool { return true })

	t.Log("NetworkManager dies and comes back")
	g.join(3)
	await(g, "joined", func(e netmgr.Joined) bool { return e.Number == 3 })
	manager.Restart()
	await(g, "gone", func(netmgr.RadioGone) bool { return true })
	await(g, "back", func(netmgr.RadioChanged) bool { return true })
	g.join(4)
	await(g, "joined", func(e netmgr.Joined) bool { return e.Number == 4 })
}

// deniedAt is the environment's name of the bus for [TestDenied] as another user.
const deniedAt = "MANOFWAR_TEST_DENIED_AT"

// TestDenied is a user who may not change anything: he sees and hears all, and is told what to do.
func TestDenied(t *testing.T) {
	if address := os.Getenv(deniedAt); address != "" {
		testDenied(t, address)
		return
	}
	radios := hwsimtest.Radios(t, 3)
	hwsimtest.Country(t, "DE")
	air := radiotest.NewAir(t, radios[1:]...)
	air.StartNetwork(t, radiotest.Network{SSID: "Home", Password: "home sweet home", Security: radiotest.WPA2, Channel: 6})
	manager := hwsimtest.Here(t).NetworkManager("auth-polkit=root-only")
	program, err := os.ReadFile("/proc/self/exe") // which another user may not be able to reach
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "denied")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	bus := filepath.Dir(strings.TrimPrefix(manager.Address, "unix:path="))
	if err := errors.Join(os.Chmod(dir, 0o755), os.Chmod(bus, 0o755), os.Chmod(filepath.Dir(bus), 0o755), os.WriteFile(filepath.Join(dir, "test"), program, 0o755)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(dir, "test"), "-test.run=^TestDenied$", "-test.v", "-test.timeout=100s")
	cmd.Dir, cmd.Env = "/", append(os.Environ(), deniedAt+"="+manager.Address)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
}

func testDenied(t *testing.T, address string) {
	g := &guest{t: t, manager: &hwsimtest.NetworkManager{Address: address}, events: make(chan netmgr.Event, 256)}
	g.start()
	defer func() { g.leave() }()
	g.join(1)
	await(g, "refused", func(e netmgr.Unjoined) bool {
		return e.Why == netmgr.Broken && strings.Contains(e.Reason, "may not change WiFi")
	})
	plan := []netmgr.RadioPlan{{Phy: g.phy, Scan: netmgr.Scan{Number: 2}}}
	if err := g.backend.CarryOut(t.Context(), plan, nil); err != nil {
		t.Fatal(err)
	}
	await(g, "scan refused", func(e netmgr.Scanned) bool {
		t.Logf("%d networks, %v", len(e.Networks), e.Err)
		return e.Number == 2 && e.Err != nil
	})
}

// start starts a backend.
func (g *guest) start() {
	g.backend = New(Options{Address: g.manager.Address, Log: testLog(g.t)})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- g.backend.Run(ctx, func(ev netmgr.Event) { g.events <- ev }) }()
	g.leave = func() {
		cancel()
		if err := <-ended; err != nil {
			g.t.Error(err)
		}
		g.leave = func() {}
	}
	await(g, "a radio", func(e netmgr.RadioChanged) bool { g.phy = e.Radio.Phy; return true })
}

func (g *guest) join(number int) {
	g.t.Helper()
	plan := []netmgr.RadioPlan{{Phy: g.phy, Join: netmgr.Join{Number: number, Profile: "p1", SSID: "Home", MHz: 2437}}}
	if err := g.backend.CarryOut(g.t.Context(), plan, func(string) (string, bool) { return "home sweet home", true }); err != nil {
		g.t.Fatal(err)
	}
}

// active reports whether a connection is active, or about to be.
func (g *guest) active(name string) bool {
	active := g.manager.Command("-f", "NAME", "connection", "show", "--active")
	return slices.Contains(strings.Split(active, "\n"), name)
}

func (g *guest) connections() string { return g.manager.Command("connection", "show") }

// await waits for an event.
func await[E netmgr.Event](g *guest, what string, is func(E) bool) {
	g.t.Helper()
	for over := time.After(30 * time.Second); ; {
		select {
		case ev := <-g.events:
			if e, ok := ev.(E); ok && is(e) {
				return
			}
			g.t.Logf("told %T", ev)
		case <-over:
			g.t.Fatalf("%s: not told", what)
		}
	}
}

// until waits for something that is not told.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for over := time.Now().Add(30 * time.Second); !is(); {
		if time.Now().After(over) {
			t.Fatalf("not so: %s", what)
		}
		<-time.After(200 * time.Millisecond)
	}
}
