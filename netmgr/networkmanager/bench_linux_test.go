package networkmanager

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	nm "github.com/Wifx/gonetworkmanager/v2"
	"github.com/godbus/dbus/v5"

	"manofwar/netmgr"
)

// bench is one radio without a bus: what it asks for is taken down, what is told is given by the test.
type bench struct {
	t *testing.T
	*radio
	clock time.Time
	calls []*fakeCall
	told  []netmgr.Event

	at      netmgr.Sighting // where the kernel says the station is; the zero Sighting: nowhere
	air     []netmgr.Sighting
	inPoint int
}

// fakeCall is one request.
type fakeCall struct {
	path   dbus.ObjectPath
	method string
	args   []any
	then   func([]any, error)
}

// The objects of the bench.
const (
	wlan0   = dbus.ObjectPath("/Devices/3")
	home    = dbus.ObjectPath("/AccessPoint/1")
	homeTwo = dbus.ObjectPath("/AccessPoint/2")
	ours    = dbus.ObjectPath("/ActiveConnection/1")
	theirs  = dbus.ObjectPath("/ActiveConnection/2")
)

var homeMAC = netmgr.MAC{2, 0, 0, 0, 1, 0}

func newBench(t *testing.T) *bench {
	b := &bench{t: t, clock: time.Unix(1000, 0)}
	m := newMirror()
	m.set(wlan0, nm.DeviceInterface, map[string]dbus.Variant{
		"DeviceType": variant(uint32(nm.NmDeviceTypeWifi)), "Interface": variant("wlan0"), "ActiveConnection": variant(dbus.ObjectPath("/")),
		"StateReason": variant([]any{uint32(30), uint32(0)}), "InterfaceFlags": variant(uint32(1)),
	})
	for path, mac := range map[dbus.ObjectPath]string{home: "02:00:00:00:01:00", homeTwo: "02:00:00:00:02:00"} {
		m.set(path, nm.AccessPointInterface, map[string]dbus.Variant{
			"Ssid": variant([]byte("Home")), "HwAddress": variant(mac), "Frequency": variant(uint32(2437)), "Strength": variant(byte(90)),
		})
	}
	m.set(wlan0, nm.DeviceWirelessInterface, map[string]dbus.Variant{
		"AccessPoints": variant([]dbus.ObjectPath{home, homeTwo}), "WirelessCapabilities": variant(uint32(canBeAccessPoint)),
	})
	b.radio = &radio{
		Radio: netmgr.Radio{Phy: 7, Station: 3, AccessPoint: true}, path: wlan0, name: "wlan0",
		host: host{
			mirror: m, caller: b, senses: b, tell: func(ev netmgr.Event) { b.told = append(b.told, ev) },
			now: func() time.Time { return b.clock }, log: slog.New(slog.DiscardHandler),
		},
	}
	return b
}

func variant(v any) dbus.Variant { return dbus.MakeVariant(v) }

func (b *bench) call(path dbus.ObjectPath, method string, then func([]any, error), args ...any) {
	b.calls = append(b.calls, &fakeCall{path, method, args, then})
}

func (b *bench) clients(int) (int, error)             { return b.inPoint, nil }
func (b *bench) heard(int) ([]netmgr.Sighting, error) { return b.air, nil }
func (b *bench) joined(int) (netmgr.Sighting, bool)   { return b.at, b.at.MHz != 0 }
func (b *bench) pass(d time.Duration)                 { b.clock = b.clock.Add(d); b.look() }

func (b *bench) device(properties map[string]dbus.Variant) {
	b.set(wlan0, nm.DeviceInterface, properties)
	b.look()
}

// state makes the device's state another one, with its reason.
func (b *bench) state(s nm.NmDeviceState, reason nm.NmDeviceStateReason) {
	b.device(map[string]dbus.Variant{"StateReason": variant([]any{uint32(s), uint32(reason)})})
}

// active makes the device a connection's.
func (b *bench) active(path dbus.ObjectPath) {
	b.device(map[string]dbus.Variant{"ActiveConnection": variant(path)})
}

// answer answers the last request of a method.
func (b *bench) answer(method string, answer []any, err error) {
	b.t.Helper()
	i := len(b.calls) - 1
	for ; i >= 0 && !strings.HasSuffix(b.calls[i].method, "."+method); i-- {
	}
	if i < 0 {
		b.t.Fatalf("%s was not asked for", method)
	}
	if b.calls[i].then != nil {
		b.calls[i].then(answer, err)
	}
	b.look()
}

// asked returns the methods that were asked for since the last time.
func (b *bench) asked() string {
	var names []string
	for _, c := range b.calls {
		name := c.method[strings.LastIndex(c.method, ".")+1:]
		if name == "DeactivateConnection" {
			name += fmt.Sprint(" ", c.args[0])
		}
		names = append(names, name)
	}
	b.calls = nil
	return strings.Join(names, ", ")
}

// heardSaying returns what was told since the last time.
func (b *bench) saying() string {
	var out []string
	for _, ev := range b.told {
		out = append(out, strings.TrimPrefix(fmt.Sprintf("%T%+v", ev, ev), "netmgr."))
	}
	b.told = nil
	return strings.Join(out, "\n")
}

// expect checks what was asked for and told since the last time.
func (b *bench) expect(asked string, told ...string) {
	b.t.Helper()
	if got := b.asked(); got != asked {
		b.t.Errorf("asked for %q, not %q", got, asked)
	}
	if got, want := b.saying(), strings.Join(told, "\n"); got != want {
		b.t.Errorf("told\n%s\nnot\n%s", got, want)
	}
}

// joining plans to be in the network Home, up to NetworkManager's answer.
func (b *bench) joining(number int) {
	b.t.Helper()
	b.follow(plan{password: "home sweet home", RadioPlan: netmgr.RadioPlan{
		Phy: 7, Join: netmgr.Join{Number: number, Profile: "p1", SSID: "Home", BSSID: homeMAC, MHz: 2437},
	}})
	b.activates()
}

// activates lets NetworkManager take our request.
func (b *bench) activates() {
	b.t.Helper()
	b.set(ours, nm.ActiveConnectionInterface, map[string]dbus.Variant{"Id": variant("manofwar-p1"), "State": variant(uint32(1))})
	b.answer("AddAndActivateConnection2", []any{dbus.ObjectPath("/Settings/1"), ours, map[string]dbus.Variant{}}, nil)
	b.active(ours)
}

// isJoined brings the radio into the network.
func (b *bench) isJoined(number int) {
	b.t.Helper()
	b.joining(number)
	b.linkUp()
	b.expect("AddAndActivateConnection2", fmt.Sprintf("Joined{Phy:7 Number:%d BSSID:02:00:00:00:01:00 MHz:2437}", number),
		fmt.Sprintf("Heard{Phy:7 Number:%d Signal:-46}", number))
}

func (b *bench) linkUp() {
	b.at = netmgr.Sighting{SSID: "Home", BSSID: homeMAC, MHz: 2437, Signal: -46}
	b.set(wlan0, nm.DeviceWirelessInterface, map[string]dbus.Variant{"ActiveAccessPoint": variant(home)})
	b.device(map[string]dbus.Variant{"InterfaceFlags": variant(uint32(3 | interfaceCarrier))})
	b.state(nm.NmDeviceStateConfig, 0)
	b.state(nm.NmDeviceStateIpConfig, 0)
}

// ends lets the active connection of ours be gone.
func (b *bench) ends() {
	b.set(ours, nm.ActiveConnectionInterface, map[string]dbus.Variant{"State": variant(uint32(4))})
	b.look()
	b.active("/")
	b.remove(ours, []string{nm.ActiveConnectionInterface})
	b.look()
}
