//go:build hwsim

package station

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"manofwar/netmgr"
	"manofwar/netmgr/hwsimtest"
	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/nl80211"
)

func home(mhz int) Network { return Network{SSID: "Home", Password: password, MHz: mhz} }

func TestJoin5GHz(t *testing.T) {
	l := newLab(t, 1, nil)
	hwsimtest.Country(t, "DE")
	l.hostapd(0, wpa2("hw_mode=a", "channel=36", "country_code=DE", "ieee80211n=1")...)
	v := l.join(home(5180))
	if j := v.joined(); j.MHz != 5180 {
		t.Errorf("joined on %d MHz", j.MHz)
	}
	l.ping()
	v.leave()
}

// A network of which only the name is known is looked for everywhere.
func TestJoinAnywhere(t *testing.T) {
	l := newLab(t, 1, nil)
	l.hostapd(0, wpa2("channel=11")...)
	v := l.join(home(2412))
	v.joined()
	v.leave()
}

func TestGroupRekey(t *testing.T) {
	newLab(t, 1, nil).each(map[string][]string{
		"WPA2": wpa2("wpa_group_rekey=1"),
		"SAE":  wpa2("wpa_group_rekey=1", "wpa_key_mgmt=SAE", "ieee80211w=2"),
		"pair": wpa2("wpa_group_rekey=1", "wpa_ptk_rekey=1"),
	}, func(l *lab, n Network) {
		v := l.join(n)
		v.joined()
		l.ping()
		for range 6 { // each of the access point's begins with a broadcast, which the group key protects
			l.ap.Run("ip", "neigh", "flush", "all")
			l.ap.Run("ping", "-c", "2", "-i", "0.3", "-W", "2", "192.0.2.2")
		}
		v.leave()
	})
}

func TestPowerCut(t *testing.T) {
	for name, lines := range map[string][]string{
		"WPA2": wpa2(),
		"SAE":  wpa2("wpa_key_mgmt=SAE", "ieee80211w=2"),
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, 1, nil)
			ap, program := l.hostapd(0, lines...)
			v := l.join(home(2437))
			v.joined()
			program.Kill()
			v.began = time.Now()
			ap.Run("ip", "link", "set", l.radios[0].Interface, "down")
			v.failed(netmgr.Lost, busy)
			if name == "WPA2" {
				l.join(home(2437)).failed(netmgr.NoAnswer, busy) // the kernel has heard it a moment ago
			}
			ap.Run("ip", "link", "set", l.radios[0].Interface, "up")
			ap.Hostapd(l.radios[0], lines...)
			v = l.join(home(2437))
			v.joined()
			v.leave()
		})
	}
}

func TestThrownOut(t *testing.T) {
	l := newLab(t, 1, nil)
	_, program := l.hostapd(0, wpa2()...)
	v := l.join(home(2437))
	v.joined()
	v.began = time.Now()
	program.Stop()
	v.failed(netmgr.Lost, busy)
}

func TestNotFound(t *testing.T) {
	l := newLab(t, 1, nil)
	l.hostapd(0, wpa2()...)
	n := home(2437)
	n.SSID = "Elsewhere"
	l.join(n).failed(netmgr.NotFound, 30*time.Second)
}

// Somebody without the password calls himself by the network's name.
func TestOpenTwin(t *testing.T) {
	l := newLab(t, 1, nil)
	l.hostapd(0, "ssid=Home", "hw_mode=g", "channel=6")
	l.join(home(2437)).failed(netmgr.Unsupported, 30*time.Second)
}

func TestMove(t *testing.T) {
	for name, lines := range map[string][]string{
		"open": {"ssid=Home", "hw_mode=g"},
		"WPA2": wpa2(),
		"SAE":  wpa2("wpa_key_mgmt=SAE", "ieee80211w=2"),
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, 2, nil)
			l.hostapd(0, append(lines, "channel=6")...)
			l.hostapd(1, append(lines, "channel=11")...)
			n := home(2437)
			if name == "open" {
				n.Password = ""
			}
			heard, err := l.conn.Scan(t.Context(), nl80211.Scan{Index: l.station.index, MHz: []int{2437, 2462}})
			if err != nil || len(heard) != 2 {
				t.Fatalf("%v, %v", heard, err)
			}
			for _, b := range heard {
				if b.MHz == 2437 {
					n.BSSID = b.BSSID
				}
			}
			v := l.join(n)
			first := v.joined()
			for _, b := range heard {
				if b.BSSID != ieee80211.MAC(first.BSSID) {
					n.BSSID, n.MHz = b.BSSID, b.MHz
				}
			}
			v.cancel(ErrMove)
			if err := v.ended(busy); err != nil {
				t.Fatal(err)
			}
			v = l.join(n)
			if second := v.joined(); second.MHz != 2462 || second.BSSID == first.BSSID {
				t.Errorf("moved to %+v", second)
			}
			l.ping()
			for _, ssid := range []ieee80211.SSID{"Home", "Elsewhere"} { // where there is nothing to move to
				v.cancel(ErrMove)
				if err := v.ended(busy); err != nil {
					t.Fatal(err)
				}
				n.SSID = ssid
				v = l.join(n)
				if ssid == "Home" {
					v.joined()
				}
			}
			v.failed(netmgr.NotFound, 30*time.Second)
			if info := hwsimtest.Run(t, "iw", "dev", l.own.Interface, "link"); !strings.Contains(info, "Not connected") {
				t.Errorf("still in a network: %s", info)
			}
		})
	}
}

// A driver that joins by itself, and has no way for 802.1X but the packet socket, as FullMAC has.
func TestConnect(t *testing.T) {
	for name, lines := range map[string][]string{
		"open": {"ssid=Home", "hw_mode=g", "channel=6"},
		"WPA2": wpa2(),
		"PMF":  wpa2("ieee80211w=2", "wpa_key_mgmt=WPA-PSK-SHA256", "wpa_group_rekey=1"),
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, 1, func(c *Config) { c.Radio.Commands.Authenticate, c.Radio.Features.ControlPort = false, false })
			_, program := l.hostapd(0, lines...)
			n := home(2437)
			if name == "open" {
				n.Password = ""
			} else {
				wrong := n
				wrong.Password = "battery staple"
				l.join(wrong).failed(netmgr.WrongPassword, busy)
			}
			v := l.join(n)
			v.joined()
			l.ping()
			v.leave()
			v = l.join(n)
			v.joined()
			l.ping()
			v.began = time.Now()
			program.Stop()
			v.failed(netmgr.Lost, busy)
		})
	}
}

// inChild marks the process that joins and is killed.
const inChild = "MANOFWAR_STATION_CHILD"

func TestKilled(t *testing.T) {
	if os.Getenv(inChild) != "" {
		joinAsChild(t)
	}
	l := newLab(t, 1, nil)
	l.hostapd(0, wpa2()...)
	for range 3 {
		cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^TestKilled$")
		cmd.Env = append(os.Environ(), inChild+"="+l.own.Interface)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 1)
		if _, err := out.Read(buf); err != nil || buf[0] != 'J' {
			t.Fatalf("the child did not join: %q, %v", buf, err)
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		v := l.join(home(2437))
		v.joined()
		l.ping()
		v.leave()
	}
}

// joinAsChild joins, says so and waits to be killed.
func joinAsChild(t *testing.T) {
	conn, err := nl80211.Dial()
	if err != nil {
		t.Fatal(err)
	}
	radios, err := conn.Radios(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	interfaces, err := conn.Interfaces(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{T: t}
	if l.station, err = New(Config{Radio: radios[0], Interface: interfaces[0], Log: discard()}); err != nil {
		t.Fatal(err)
	}
	_ = l.station.Run(context.Background(), home(2437), func(ev netmgr.Event) {
		if _, ok := ev.(netmgr.Joined); ok {
			_, _ = os.Stdout.WriteString("J")
		}
	})
}

func TestNothingLeaks(t *testing.T) {
	l := newLab(t, 1, func(c *Config) { c.Log = discard() })
	l.hostapd(0, wpa2()...)
	cycle := func() {
		v := l.join(home(2437))
		v.joined()
		v.leave()
		v = l.join(home(2437))
		v.cancel(nil) // anywhere on the way
		_ = v.ended(busy)
	}
	cycle()
	goroutines, files := runtime.NumGoroutine(), openFiles(t)
	for range 30 {
		cycle()
	}
	if g, f := runtime.NumGoroutine(), openFiles(t); g > goroutines || f > files {
		t.Errorf("%d goroutines and %d files before, %d and %d after", goroutines, files, g, f)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// A look at all channels does not end the link.
func TestScanWhileJoined(t *testing.T) {
	l := newLab(t, 1, nil)
	l.hostapd(0, wpa2()...)
	v := l.join(home(2437))
	v.joined()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	heard, err := l.conn.Scan(ctx, nl80211.Scan{Index: l.station.index, MHz: l.station.radio.Everywhere()})
	if err != nil || len(heard) != 1 || !heard[0].Associated {
		t.Errorf("heard %+v, %v", heard, err)
	}
	l.ping()
	info := hwsimtest.Run(t, "iw", "dev", l.own.Interface, "get", "power_save")
	if !strings.Contains(info, "off") {
		t.Errorf("power save: %s", info)
	}
	v.leave()
}

// An access point that restarts before its silence is noticed knows no keys any more, and what it says is not
// protected.
func TestForgotten(t *testing.T) {
	for name, lines := range map[string][]string{
		"WPA2": wpa2(),
		"SAE":  wpa2("wpa_key_mgmt=SAE", "ieee80211w=2"),
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, 1, nil)
			ap, program := l.hostapd(0, lines...)
			v := l.join(home(2437))
			v.joined()
			l.ping()
			program.Kill()
			v.began = time.Now()
			ap.Hostapd(l.radios[0], lines...)
			v.failed(netmgr.Lost, busy)
			v = l.join(home(2437))
			v.joined()
			l.ping()
			v.leave()
		})
	}
}

// A look that has just begun does not hold up a network to be joined.
func TestJoinWhileScanning(t *testing.T) {
	l := newLab(t, 1, nil)
	l.hostapd(0, wpa2()...)
	v := l.join(home(2437))
	v.joined()
	v.leave()
	scan := make(chan error, 1)
	go func() {
		_, err := l.conn.Scan(t.Context(), nl80211.Scan{Index: l.station.index})
		scan <- err
	}()
	events := l.conn.Listen(l.station.index)
	defer events.Close()
	for ev := range events.Events() {
		if _, ok := ev.(nl80211.ScanStarted); ok {
			break
		}
	}
	v = l.join(home(2437))
	v.joined()
	if took := time.Since(v.began); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
	t.Log(<-scan)
	l.ping()
	v.leave()
}

// The owner changes the router's settings: what was heard a moment ago is not true any more.
func TestChangedSettings(t *testing.T) {
	l := newLab(t, 1, nil)
	ap, program := l.hostapd(0, wpa2()...)
	for _, lines := range [][]string{
		wpa2("wpa_key_mgmt=WPA-PSK SAE", "ieee80211w=1"),
		wpa2("wpa_key_mgmt=SAE", "ieee80211w=2"),
		wpa2(),
	} {
		v := l.join(home(2437))
		v.joined()
		v.leave()
		program.Stop()
		program = ap.Hostapd(l.radios[0], lines...)
		v = l.join(home(2437))
		v.joined()
		l.ping()
		v.leave()
	}
}
