package networkmanager

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	nm "github.com/Wifx/gonetworkmanager/v2"
	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"

	"manofwar/netmgr"
	"manofwar/netmgr/nl80211"
)

// within is how long anything may take here.
const within = 20 * time.Second

// deaf are ears that hear nothing, of a computer with one radio.
type deaf struct{}

func (deaf) clients(int) (int, error)             { return 0, nil }
func (deaf) heard(int) ([]netmgr.Sighting, error) { return nil, nil }
func (deaf) joined(int) (netmgr.Sighting, bool)   { return netmgr.Sighting{}, false }
func (deaf) events() <-chan nl80211.Event         { return nil }
func (deaf) close() error                         { return nil }
func (deaf) radio(name string) (netmgr.Radio, error) {
	if name != "wlan0" {
		return netmgr.Radio{}, errNoRadio
	}
	return netmgr.Radio{Phy: 7, Station: 3}, nil
}

// running is a backend that runs.
type running struct {
	*Backend
	t      *testing.T
	events chan netmgr.Event
	said   chan string // messages of the log
}

// run starts a backend at an address. It ends well with the test.
func run(t *testing.T, address string) *running {
	r := &running{t: t, events: make(chan netmgr.Event, 64), said: make(chan string, 64)}
	r.Backend = New(Options{Address: address, Log: slog.New(handlerFunc(func(m string) { r.said <- m }))})
	r.listen = func(context.Context) (ears, error) { return deaf{}, nil }
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx, func(ev netmgr.Event) { r.events <- ev }) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(within):
			t.Error("it does not end")
		}
	})
	return r
}

// handlerFunc gets the messages of a log.
type handlerFunc func(string)

func (handlerFunc) Enabled(context.Context, slog.Level) bool { return true }
func (f handlerFunc) Handle(_ context.Context, r slog.Record) error {
	f(r.Message)
	return nil
}
func (f handlerFunc) WithAttrs([]slog.Attr) slog.Handler { return f }
func (f handlerFunc) WithGroup(string) slog.Handler      { return f }

// says waits for a message of the log.
func (r *running) says(want string) {
	r.t.Helper()
	for over := time.After(within); ; {
		select {
		case got := <-r.said:
			if got == want {
				return
			}
		case <-over:
			r.t.Fatalf("%q was not said", want)
		}
	}
}

// tells waits for the next event.
func (r *running) tells(want string) {
	r.t.Helper()
	select {
	case ev := <-r.events:
		if got := strings.TrimPrefix(fmt.Sprintf("%T%+v", ev, ev), "netmgr."); got != want {
			r.t.Fatalf("told %s, not %s", got, want)
		}
	case <-time.After(within):
		r.t.Fatalf("%s was not told", want)
	}
}

// troubled checks why nothing can be carried out.
func (r *running) troubled(want error) {
	r.t.Helper()
	if err := r.CarryOut(r.t.Context(), nil, nil); !errors.Is(err, want) || want == nil && err != nil {
		r.t.Errorf("carrying out: %v, not %v", err, want)
	}
}

// startBus starts a message bus at a socket. stop ends it.
func startBus(t *testing.T, socket string) (stop func()) {
	t.Helper()
	if _, err := exec.LookPath("dbus-daemon"); err != nil {
		t.Skip("needs the program dbus-daemon")
	}
	config := filepath.Join(t.TempDir(), "bus.conf")
	if err := os.WriteFile(config, []byte(`<busconfig><listen>unix:path=`+socket+`</listen><auth>EXTERNAL</auth><policy context="default">`+
		`<allow user="*"/><allow own="*"/><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/></policy></busconfig>`), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("dbus-daemon", "--nofork", "--nopidfile", "--print-address=1", "--config-file="+config)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	t.Cleanup(stop)
	if _, err := out.Read(make([]byte, 1)); err != nil { // it prints its address when it can be reached
		t.Fatal(err)
	}
	return stop
}

// fakeManager answers like NetworkManager on a bus.
type fakeManager struct {
	conn *dbus.Conn

	mu      sync.Mutex // guards deleted
	deleted []dbus.ObjectPath
}

func startManager(t *testing.T, address string) *fakeManager {
	t.Helper()
	conn, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	m := &fakeManager{conn: conn}
	export := func(path dbus.ObjectPath, of string, methods map[string]any) {
		if err := conn.ExportMethodTable(methods, path, of); err != nil {
			t.Fatal(err)
		}
	}
	export(objectsPath, objectManager, map[string]any{"GetManagedObjects": m.objects})
	for path, id := range map[dbus.ObjectPath]string{"/Settings/1": "manofwar-p1", "/Settings/2": "Hotspot", "/Settings/3": "manofwar-mine"} {
		export(path, nm.ConnectionInterface, map[string]any{
			"GetSettings": func() (map[string]map[string]dbus.Variant, *dbus.Error) {
				return map[string]map[string]dbus.Variant{"connection": {"id": dbus.MakeVariant(id)}}, nil
			},
			"Delete": func() *dbus.Error {
				m.mu.Lock()
				defer m.mu.Unlock()
				m.deleted = append(m.deleted, path)
				return nil
			},
		})
	}
	if _, err := conn.RequestName(nm.NetworkManagerInterface, dbus.NameFlagDoNotQueue); err != nil {
		t.Fatal(err)
	}
	return m
}

// objects are one radio, one cable, and connections: one that a predecessor left, one of the user's that is as passing, and one
// of his with a name like ours that stays.
func (*fakeManager) objects() (map[dbus.ObjectPath]interfaces, *dbus.Error) {
	device := func(name string, kind nm.NmDeviceType) interfaces {
		return interfaces{nm.DeviceInterface: {
			"DeviceType": variant(uint32(kind)), "Interface": variant(name), "ActiveConnection": variant(dbus.ObjectPath("/")),
			"StateReason": variant(struct{ State, Reason uint32 }{30, 0}),
		}, nm.DeviceWirelessInterface: {"WirelessCapabilities": variant(uint32(canBeAccessPoint))}}
	}
	connection := func(flags uint32) interfaces {
		return interfaces{nm.ConnectionInterface: {"Flags": variant(flags)}}
	}
	return map[dbus.ObjectPath]interfaces{
		"/Devices/2": device("eth0", nm.NmDeviceTypeEthernet), wlan0: device("wlan0", nm.NmDeviceTypeWifi), "/Devices/4": device("wlan9", nm.NmDeviceTypeWifi),
		"/Settings/1": connection(volatile), "/Settings/2": connection(volatile), "/Settings/3": connection(0),
	}, nil
}

// TestComings lets NetworkManager and the bus come and go.
func TestComings(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "bus")
	address := "unix:path=" + socket
	stop := startBus(t, socket)
	r := run(t, address)
	r.says("NetworkManager does not run")
	r.troubled(ErrAbsent)

	m := startManager(t, address)
	r.says("NetworkManager found")
	r.troubled(nil)
	const found = "RadioChanged{Radio:{Phy:7 Station:3 AccessPoint:true Together:false Follows:false Channels:[]}}"
	r.tells(found)
	m.mu.Lock()
	if !slices.Equal(m.deleted, []dbus.ObjectPath{"/Settings/1"}) {
		t.Errorf("deleted %v", m.deleted)
	}
	m.mu.Unlock()

	if _, err := m.conn.ReleaseName(nm.NetworkManagerInterface); err != nil {
		t.Fatal(err)
	}
	r.says("NetworkManager does not run")
	r.tells("RadioGone{Phy:7}")
	r.troubled(ErrAbsent)
	startManager(t, address)
	r.tells(found)

	stop()
	r.says("NetworkManager not reached")
	r.tells("RadioGone{Phy:7}")
	if err := r.CarryOut(t.Context(), nil, nil); err == nil {
		t.Error("carried out without a bus")
	}
	if err := os.Remove(socket); err != nil {
		t.Fatal(err)
	}
	startBus(t, socket)
	r.says("NetworkManager does not run")
}

// TestStrangers takes nothing from signals of others than NetworkManager.
func TestStrangers(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "bus")
	address := "unix:path=" + socket
	startBus(t, socket)
	m := startManager(t, address)
	r := run(t, address)
	r.says("NetworkManager found")
	<-r.events
	stranger, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stranger.Close() })
	gone := func(c *dbus.Conn) {
		if err := c.Emit(objectsPath, objectManager+".InterfacesRemoved", wlan0, []string{nm.DeviceInterface}); err != nil {
			t.Fatal(err)
		}
	}
	gone(stranger)
	for range 100 { // and nothing from what is malformed
		if err := m.conn.Emit(objectsPath, objectManager+".InterfacesAdded", "rubbish", uint32(7)); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case ev := <-r.events:
		t.Fatalf("told %+v", ev)
	case <-time.After(100 * time.Millisecond):
	}
	gone(m.conn)
	r.tells("RadioGone{Phy:7}")
}

// TestHostileBus survives whatever answers at the bus's address.
func TestHostileBus(t *testing.T) {
	for name, serve := range map[string]func(net.Conn){
		"silent":    func(c net.Conn) { _, _ = c.Read(make([]byte, 1)); select {} },
		"closing":   func(c net.Conn) { _ = c.Close() },
		"rubbish":   func(c net.Conn) { b := make([]byte, 1<<16); _, _ = rand.Read(b); _, _ = c.Write(b); _ = c.Close() },
		"rejecting": func(c net.Conn) { _, _ = c.Write([]byte(strings.Repeat("REJECTED EXTERNAL\r\n", 9))); _ = c.Close() },
		"accepting": func(c net.Conn) {
			_, _ = c.Write([]byte("OK 0123456789abcdef0123456789abcdef\r\nAGREE_UNIX_FD\r\nl\x02"))
			_ = c.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("unix", filepath.Join(t.TempDir(), "bus"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = l.Close() })
			accepted := make(chan struct{}, 64)
			go func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					accepted <- struct{}{}
					go serve(c)
				}
			}()
			r := run(t, "unix:path="+l.Addr().String())
			<-accepted
			if name != "silent" {
				r.says("NetworkManager not reached")
				r.troubled(ErrNoBus)
				<-accepted // and it is tried again
			}
		})
	}
}
