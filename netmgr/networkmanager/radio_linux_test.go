package networkmanager

import (
	"fmt"
	"slices"
	"testing"
	"time"

	nm "github.com/Wifx/gonetworkmanager/v2"
	"github.com/godbus/dbus/v5"

	"manofwar/netmgr"
)

func TestJoin(t *testing.T) {
	for _, c := range []struct {
		name string
		run  func(b *bench)
	}{
		{"joined, roamed, heard, left", func(b *bench) {
			b.isJoined(1)
			b.state(nm.NmDeviceStateActivated, 0)
			b.expect("")
			b.at.Signal = -60
			b.set(home, nm.AccessPointInterface, map[string]dbus.Variant{"Strength": variant(byte(60))})
			b.look()
			b.expect("", "Heard{Phy:7 Number:1 Signal:-60}")
			b.at = netmgr.Sighting{BSSID: netmgr.MAC{2, 0, 0, 0, 2, 0}, MHz: 2462, Signal: -60}
			b.set(wlan0, nm.DeviceWirelessInterface, map[string]dbus.Variant{"ActiveAccessPoint": variant(homeTwo)})
			b.look()
			b.expect("", "Roamed{Phy:7 Number:1 BSSID:02:00:00:00:02:00 MHz:2462}")
			b.follow(plan{RadioPlan: netmgr.RadioPlan{Phy: 7}})
			b.ends()
			b.expect("DeactivateConnection /ActiveConnection/1")
		}},
		{"the same plan again", func(b *bench) {
			b.isJoined(1)
			for range 3 {
				b.follow(b.plan)
			}
			b.expect("")
		}},
		{"another attempt at the same network", func(b *bench) {
			b.isJoined(1)
			p := b.plan
			p.Join.Number = 2
			b.follow(p)
			b.expect("", "Joined{Phy:7 Number:2 BSSID:02:00:00:00:01:00 MHz:2437}")
		}},
		{"another password", func(b *bench) {
			b.isJoined(1)
			p := b.plan
			p.Join.Number, p.password = 2, "changed of late"
			b.follow(p)
			b.expect("DeactivateConnection /ActiveConnection/1, AddAndActivateConnection2")
		}},
		{"carrier lost for a moment", func(b *bench) {
			b.isJoined(1)
			b.device(map[string]dbus.Variant{"InterfaceFlags": variant(uint32(1))})
			b.pass(silence / 2)
			b.device(map[string]dbus.Variant{"InterfaceFlags": variant(uint32(3 | interfaceCarrier))})
			b.pass(silence)
			b.expect("")
		}},
		{"carrier lost", func(b *bench) {
			b.isJoined(1)
			b.device(map[string]dbus.Variant{"InterfaceFlags": variant(uint32(1))})
			b.pass(silence)
			b.expect("DeactivateConnection /ActiveConnection/1", "Unjoined{Phy:7 Number:1 Why:lost Reason:Home fell silent.}")
			b.ends()
			b.follow(b.plan)
			b.expect("") // its number is over
		}},
		{"wrong password", func(b *bench) {
			b.joining(1)
			b.state(nm.NmDeviceStateConfig, 0)
			b.state(nm.NmDeviceStateNeedAuth, nm.NmDeviceStateReasonSupplicantDisconnect)
			b.state(nm.NmDeviceStateFailed, nm.NmDeviceStateReasonNoSecrets)
			b.ends()
			b.expect("AddAndActivateConnection2, DeactivateConnection /ActiveConnection/1", "Unjoined{Phy:7 Number:1 Why:wrong-password Reason:Wrong password for Home.}")
		}},
		{"wrong password of WPA3", func(b *bench) {
			b.joining(1)
			b.refusePassword()
			b.expect("AddAndActivateConnection2, DeactivateConnection /ActiveConnection/1", "Unjoined{Phy:7 Number:1 Why:wrong-password Reason:Wrong password for Home.}")
		}},
		{"no password", func(b *bench) {
			b.follow(plan{unknown: true, RadioPlan: netmgr.RadioPlan{Join: netmgr.Join{Number: 1, SSID: "Home"}}})
			b.expect("", "Unjoined{Phy:7 Number:1 Why:wrong-password Reason:No password is known for Home.}")
		}},
		{"not found by scans", func(b *bench) {
			b.joining(1)
			b.scanDone()
			b.air = []netmgr.Sighting{{SSID: "Home", At: b.clock.Add(-time.Second)}, {SSID: "Other", At: b.clock.Add(time.Second)}}
			b.scanDone()
			b.expect("AddAndActivateConnection2, DeactivateConnection /ActiveConnection/1", "Unjoined{Phy:7 Number:1 Why:not-found Reason:Home is not in reach.}")
		}},
		{"missed by one scan", func(b *bench) {
			b.joining(1)
			b.scanDone()
			b.air = []netmgr.Sighting{{SSID: "Home", At: b.clock.Add(time.Second)}}
			b.scanDone()
			b.expect("AddAndActivateConnection2")
		}},
		{"ended before it was seen", func(b *bench) {
			b.follow(plan{RadioPlan: netmgr.RadioPlan{Join: netmgr.Join{Number: 1, SSID: "Home", Open: true}}})
			b.answer("AddAndActivateConnection2", []any{dbus.ObjectPath("/Settings/1"), ours, nil}, nil)
			b.expect("AddAndActivateConnection2, DeactivateConnection /ActiveConnection/1",
				"Unjoined{Phy:7 Number:1 Why:broken Reason:NetworkManager could not join Home and does not say why; its log may (journalctl -u NetworkManager).}")
		}},
		{"nothing happens", func(b *bench) {
			b.joining(1)
			b.pass(joinLimit)
			b.expect("AddAndActivateConnection2, DeactivateConnection /ActiveConnection/1", "Unjoined{Phy:7 Number:1 Why:no-answer Reason:Home does not answer.}")
		}},
		{"refused by polkit", func(b *bench) {
			b.follow(plan{RadioPlan: netmgr.RadioPlan{Join: netmgr.Join{Number: 1, SSID: "Home", Open: true}}})
			b.answer("AddAndActivateConnection2", nil, dbus.Error{Name: nm.NetworkManagerInterface + ".PermissionDenied"})
			b.expect("AddAndActivateConnection2", "Unjoined{Phy:7 Number:1 Why:broken Reason:This user may not change WiFi. Start manofwar from the desktop session or as root, "+
				"or allow org.freedesktop.NetworkManager.network-control and .settings.modify.own by a polkit rule.}")
		}},
		{"answered when not wanted any more", func(b *bench) {
			b.follow(plan{RadioPlan: netmgr.RadioPlan{Join: netmgr.Join{Number: 1, SSID: "Home", Open: true}}})
			b.follow(plan{})
			b.expect("AddAndActivateConnection2")
			b.follow(plan{RadioPlan: netmgr.RadioPlan{Join: netmgr.Join{Number: 1, SSID: "Home", Open: true}}})
			b.asked()
			b.follow(plan{})
			b.expect("")
		}},
	} {
		t.Run(c.name, func(t *testing.T) { b := newBench(t); c.run(b) })
	}
}

// TestLateAnswer deactivates what was asked for and is not wanted any more when the answer comes.
func TestLateAnswer(t *testing.T) {
	b := newBench(t)
	b.follow(plan{RadioPlan: netmgr.RadioPlan{Join: netmgr.Join{Number: 1, SSID: "Home", Open: true}}})
	request := b.calls[0]
	b.follow(plan{})
	b.asked()
	request.then([]any{dbus.ObjectPath("/Settings/1"), ours, nil}, nil)
	b.expect("DeactivateConnection /ActiveConnection/1")
}

// TestTaken leaves the radio to a connection that the user has chosen, until he leaves it.
func TestTaken(t *testing.T) {
	b := newBench(t)
	b.isJoined(1)
	b.state(nm.NmDeviceStateActivated, 0)
	b.set(theirs, nm.ActiveConnectionInterface, map[string]dbus.Variant{"Id": variant("Office"), "State": variant(uint32(1))})
	b.state(nm.NmDeviceStateDeactivating, nm.NmDeviceStateReasonNewActivation)
	b.expect("")
	b.set(ours, nm.ActiveConnectionInterface, map[string]dbus.Variant{"State": variant(uint32(4))})
	b.look()
	b.active("/")
	b.active(theirs)
	b.expect("DeactivateConnection /ActiveConnection/1", "Unjoined{Phy:7 Number:1 Why:lost Reason:Another network was chosen on this computer.}", "RadioGone{Phy:7}")
	b.pass(time.Hour)
	b.follow(plan{RadioPlan: netmgr.RadioPlan{Join: netmgr.Join{Number: 2, SSID: "Home", Open: true}}})
	b.expect("")
	b.active("/")
	b.pass(takenLimit)
	b.expect("", "RadioChanged{Radio:{Phy:7 Station:3 AccessPoint:true Together:false Follows:false Channels:[]}}")
}

// TestUsersOwn lets the user's connection come back by itself after ours has ended.
func TestUsersOwn(t *testing.T) {
	b := newBench(t)
	b.isJoined(1)
	b.device(map[string]dbus.Variant{"InterfaceFlags": variant(uint32(1))})
	b.pass(silence)
	b.ends()
	b.set(theirs, nm.ActiveConnectionInterface, map[string]dbus.Variant{"Id": variant("Office"), "State": variant(uint32(1))})
	b.active(theirs)
	b.expect("DeactivateConnection /ActiveConnection/1", "Unjoined{Phy:7 Number:1 Why:lost Reason:Home fell silent.}")
}

func TestScan(t *testing.T) {
	scan := func(n int, ssids ...string) plan {
		return plan{RadioPlan: netmgr.RadioPlan{Phy: 7, Scan: netmgr.Scan{Number: n, SSIDs: ssids}}}
	}
	refusal := dbus.Error{Name: errorNotAllowed}
	found := netmgr.Sighting{SSID: "Home", MHz: 2437}
	done := func(n int, err string) string {
		return fmt.Sprintf("Scanned{Phy:7 Number:%d More:false MHz:[] Networks:%v Err:%s}", n, fmt.Sprintf("%+v", []netmgr.Sighting{found}), err)
	}
	for _, c := range []struct {
		name string
		run  func(b *bench)
	}{
		{"done", func(b *bench) {
			b.follow(scan(1, "Cloak"))
			if got := fmt.Sprint(b.calls[0].args); got != fmt.Sprint([]any{map[string]dbus.Variant{"ssids": variant([][]byte{[]byte("Cloak")})}}) {
				b.t.Errorf("asked with %v", got)
			}
			b.answer("RequestScan", nil, nil)
			b.scanStarted()
			b.scanDone()
			b.follow(b.plan)
			b.expect("RequestScan", done(1, "<nil>"))
		}},
		{"another scan ends", func(b *bench) {
			b.follow(scan(1))
			b.scanDone()
			b.expect("RequestScan")
			b.scanStarted()
			b.scanDone()
			b.expect("", done(1, "<nil>"))
		}},
		{"ignored", func(b *bench) {
			b.follow(scan(1))
			b.answer("RequestScan", nil, nil)
			b.pass(scanIgnored)
			b.expect("RequestScan, RequestScan")
		}},
		{"refused for a while", func(b *bench) {
			b.follow(scan(1))
			b.answer("RequestScan", nil, refusal)
			b.scanStarted() // somebody else's
			b.scanDone()
			b.expect("RequestScan")
			b.pass(scanRefused)
			b.expect("RequestScan")
			for range 60 {
				if len(b.calls) > 0 {
					b.answer("RequestScan", nil, refusal)
					b.asked()
				}
				b.pass(scanRefused)
			}
			b.asked()
			b.expect("", done(1, "the scan did not end in time\n"+refusal.Error()))
		}},
		{"denied", func(b *bench) {
			denial := dbus.Error{Name: "org.freedesktop.DBus.Error.AccessDenied"}
			b.follow(scan(1))
			b.answer("RequestScan", nil, denial)
			b.expect("RequestScan", done(1, denial.Error()))
		}},
		{"while there is no address", func(b *bench) {
			b.isJoined(1)
			p := b.plan
			p.Scan = netmgr.Scan{Number: 1}
			b.follow(p)
			for range 5 {
				b.pass(scanIgnored)
			}
			b.expect("RequestScan, RequestScan, RequestScan", done(1, errScanWaiting.Error()))
		}},
		{"not planned any more", func(b *bench) {
			b.follow(scan(1))
			b.follow(scan(0))
			b.scanStarted()
			b.scanDone()
			b.expect("RequestScan")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			b.air = []netmgr.Sighting{found}
			c.run(b)
		})
	}
}

func TestAccessPoint(t *testing.T) {
	up := plan{ownSecret: "come on board", RadioPlan: netmgr.RadioPlan{
		Phy: 7, AccessPoint: netmgr.AccessPointPlan{Up: true, SSID: "manofwar", MHz: 2412},
	}}
	b := newBench(t)
	b.follow(up)
	b.activates()
	b.state(nm.NmDeviceStateIpConfig, 0)
	b.expect("AddAndActivateConnection2")
	b.state(nm.NmDeviceStateActivated, 0)
	b.expect("", "AccessPointUp{Phy:7 Index:3 MHz:2412}")
	b.inPoint = 2
	b.countClients()
	b.countClients()
	b.expect("", "AccessPointClients{Phy:7 Count:2}")
	up.AccessPoint.Capture, up.AccessPoint.Uplinks = netmgr.CaptureAll, true
	b.follow(up)
	b.expect("")

	b.state(nm.NmDeviceStateFailed, nm.NmDeviceStateReasonSharedFailed)
	b.ends()
	b.expect("DeactivateConnection /ActiveConnection/1", "AccessPointDown{Phy:7 Reason:NetworkManager could not give addresses to clients of the access point. Install dnsmasq (Debian: dnsmasq-base).}")
	b.state(nm.NmDeviceStateDisconnected, 0)
	b.pass(ownAgain / 2)
	b.expect("")
	b.pass(ownAgain / 2)
	b.expect("AddAndActivateConnection2")

	both := up
	both.Join = netmgr.Join{Number: 1, SSID: "Home", Open: true}
	b.follow(both)
	b.expect("AddAndActivateConnection2", "AccessPointDown{Phy:7 Reason:"+together+"}")
	b.follow(both)
	b.expect("")
	b.follow(up)
	b.expect("AddAndActivateConnection2")
	b.follow(plan{})
	b.expect("")

	b = newBench(t)
	b.Radio.AccessPoint = false
	b.follow(up)
	b.follow(up)
	b.expect("", "AccessPointDown{Phy:7 Reason:This WiFi adapter cannot be an access point.}")
}

// TestGone takes nothing from answers that come when the radio is not there any more.
func TestGone(t *testing.T) {
	b := newBench(t)
	b.follow(plan{RadioPlan: netmgr.RadioPlan{Join: netmgr.Join{Number: 1, SSID: "Home", Open: true}, Scan: netmgr.Scan{Number: 1}}})
	requests := slices.Clone(b.calls)
	b.gone()
	for _, c := range requests {
		c.then(nil, dbus.Error{Name: "org.freedesktop.DBus.Error.NoReply"})
	}
	b.asked()
	b.expect("", "RadioGone{Phy:7}")
}

func TestSAEOnly(t *testing.T) {
	two := netmgr.Sighting{SSID: "Home", Security: "WPA2", Join: true}
	three := netmgr.Sighting{SSID: "Home", Security: "WPA3", Join: true}
	mixed := netmgr.Sighting{SSID: "Home", Security: "WPA2/WPA3", Join: true}
	office := netmgr.Sighting{SSID: "Home", Security: "enterprise"}
	other := netmgr.Sighting{SSID: "Other", Security: "WPA3", Join: true}
	for _, c := range []struct {
		heard []netmgr.Sighting
		want  bool
	}{
		{nil, false},
		{[]netmgr.Sighting{other}, false},
		{[]netmgr.Sighting{two}, false},
		{[]netmgr.Sighting{mixed}, false},
		{[]netmgr.Sighting{three, office}, true},
		{[]netmgr.Sighting{three, two}, false},
		{[]netmgr.Sighting{three, mixed}, false},
	} {
		if got := saeOnly(c.heard, "Home"); got != c.want {
			t.Errorf("%+v: %v", c.heard, got)
		}
	}
}
