//go:build hwsim

package station

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"manofwar/netmgr"
	"manofwar/netmgr/hwsimtest"
	"manofwar/netmgr/nl80211"
)

// A radio that has an access point of its own joins networks on that one's channel only.
func TestBesideAccessPoint(t *testing.T) {
	l := newLab(t, 2, nil)
	l.hostapd(0, wpa2("channel=6")...)
	l.hostapd(1, wpa2("channel=11", "ssid=Far")...)
	hwsimtest.Run(t, "iw", "dev", l.own.Interface, "interface", "add", "own0", "type", "__ap")
	own := hwsimtest.Here(t).Hostapd(hwsimtest.Radio{Interface: "own0"}, "ssid=Own", "hw_mode=g", "channel=6")
	v := l.join(home(2437))
	v.joined()
	l.ping()
	v.leave()
	far := home(2462)
	far.SSID = "Far"
	l.join(far).failed(netmgr.Broken, 30*time.Second)
	v = l.join(home(2437))
	v.joined()
	v.leave()
	own.Stop()
	v = l.join(far)
	v.joined()
	v.leave()
}

// An attempt that is given up does not hold the radio on the network's channel.
func TestGivenUp(t *testing.T) {
	l := newLab(t, 1, nil)
	l.hostapd(0, wpa2("wpa_key_mgmt=SAE", "ieee80211w=2")...)
	for _, n := range []Network{home(2437), {SSID: "Home", Password: "battery staple", MHz: 2437}} {
		events := l.conn.Listen(l.station.index)
		v := l.join(n)
		for ev := range events.Events() {
			if _, ok := ev.(nl80211.Authenticated); ok {
				break
			}
		}
		events.Close()
		v.cancel(nil)
		if err := v.ended(busy); err != nil {
			t.Error(err)
		}
		if info := hwsimtest.Run(t, "iw", "dev", l.own.Interface, "info"); strings.Contains(info, "channel") {
			t.Errorf("still on a channel: %s", info)
		}
	}
}

// Somebody flips the switch of the radio.
func TestSwitchedOff(t *testing.T) {
	l := newLab(t, 1, nil)
	l.hostapd(0, wpa2()...)
	flip := func(state string) {
		t.Helper()
		files, err := filepath.Glob("/sys/class/ieee80211/" + l.own.Name + "/rfkill*/soft")
		if err != nil || len(files) != 1 {
			t.Fatalf("%v, %v", files, err)
		}
		if err := os.WriteFile(files[0], []byte(state), 0); err != nil {
			t.Fatal(err)
		}
	}
	v := l.join(home(2437))
	v.joined()
	flip("1")
	v.failed(netmgr.Broken, busy)
	l.join(home(2437)).failed(netmgr.Broken, busy)
	flip("0")
	v = l.join(home(2437))
	v.joined()
	l.ping()
	v.leave()
}

// The radio is taken out, as a stick can be.
func TestTakenOut(t *testing.T) {
	l := newLab(t, 1, nil)
	l.hostapd(0, wpa2()...)
	v := l.join(home(2437))
	v.joined()
	hwsimtest.Run(t, "iw", "dev", l.own.Interface, "del")
	v.failed(netmgr.Broken, busy)
	l.join(home(2437)).failed(netmgr.Broken, busy)
}
