//go:build hwsim

package station

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"manofwar/netmgr"
	"manofwar/netmgr/hwsimtest"
	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/nl80211"
)

// lab is a station, and access points of hostapd.
type lab struct {
	*testing.T
	station *Station
	radios  []hwsimtest.Radio // of the access points
	own     hwsimtest.Radio
	conn    *nl80211.Conn
	ap      *hwsimtest.Place // of the first access point
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func newLab(t *testing.T, accessPoints int, change func(*Config)) *lab {
	t.Helper()
	radios := hwsimtest.Radios(t, accessPoints+1)
	l := &lab{T: t, own: radios[0], radios: radios[1:]}
	conn, err := nl80211.Dial(nl80211.GroupScan, nl80211.GroupMLME)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	l.conn = conn
	hwsimtest.Run(t, "ip", "link", "set", l.own.Interface, "up")
	c := Config{Radio: l.radio(), Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	interfaces, err := conn.Interfaces(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range interfaces {
		if i.Name == l.own.Interface {
			c.Interface = i
		}
	}
	if change != nil {
		change(&c)
	}
	if l.station, err = New(c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.station.Close() })
	return l
}

func (l *lab) radio() nl80211.Radio {
	l.Helper()
	all, err := l.conn.Radios(l.Context())
	if err != nil {
		l.Fatal(err)
	}
	for _, r := range all {
		if r.Phy == l.own.Phy {
			return r
		}
	}
	l.Fatal("no radio")
	return nl80211.Radio{}
}

// place gives an access point a place of its own.
func (l *lab) place(i int) *hwsimtest.Place {
	l.Helper()
	p := hwsimtest.NewPlace(l.T, fmt.Sprintf("ap%d", i))
	p.Take(l.radios[i])
	p.Address(l.radios[i].Interface, "192.0.2.1/24")
	return p
}

// hostapd starts an access point in a place of its own.
func (l *lab) hostapd(i int, lines ...string) (*hwsimtest.Place, *hwsimtest.Program) {
	l.Helper()
	p := l.place(i)
	return p, p.Hostapd(l.radios[i], lines...)
}

// each runs a test for each of some access points, whose network is called as the test. The lab is the same for all.
func (l *lab) each(accessPoints map[string][]string, test func(l *lab, n Network)) {
	l.Helper()
	l.ap = l.place(0)
	for name, lines := range accessPoints {
		l.Run(name, func(t *testing.T) {
			program := l.ap.Hostapd(l.radios[0], append(lines, "ssid="+name)...)
			defer program.Stop()
			inner := *l
			inner.T = t
			test(&inner, Network{Number: 7, SSID: ieee80211.SSID(name), Password: password, MHz: 2437})
		})
	}
}

// busy is how long anything may take that takes three seconds at most on a machine with nothing else to do.
const busy = 10 * time.Second

// visit is a network joined.
type visit struct {
	t      *testing.T
	cancel context.CancelCauseFunc
	events chan netmgr.Event
	over   chan error
	began  time.Time
}

func (l *lab) join(n Network) *visit {
	ctx, cancel := context.WithCancelCause(l.Context())
	l.Helper()
	v := &visit{t: l.T, cancel: cancel, events: make(chan netmgr.Event, 100), over: make(chan error, 1), began: time.Now()}
	go func() { v.over <- l.station.Run(ctx, n, func(ev netmgr.Event) { v.events <- ev }) }()
	l.Cleanup(func() { cancel(nil) })
	return v
}

// joined waits until the network is joined.
func (v *visit) joined() netmgr.Joined {
	v.t.Helper()
	for limit := time.After(20 * time.Second); ; {
		select {
		case ev := <-v.events:
			if j, ok := ev.(netmgr.Joined); ok {
				v.t.Logf("joined after %v", time.Since(v.began))
				return j
			}
		case err := <-v.over:
			v.t.Fatalf("not joined: %v", err)
		case <-limit:
			v.t.Fatal("not joined")
		}
	}
}

// ended waits until it is over, and returns how it ended.
func (v *visit) ended(within time.Duration) error {
	v.t.Helper()
	select {
	case err := <-v.over:
		return err
	case <-time.After(within):
		v.t.Fatalf("not ended within %v", within)
		return nil
	}
}

func (v *visit) leave() {
	v.t.Helper()
	v.cancel(nil)
	if err := v.ended(busy); err != nil {
		v.t.Errorf("left with %v", err)
	}
}

// failed waits until it has failed for a reason.
func (v *visit) failed(want netmgr.Failure, within time.Duration) {
	v.t.Helper()
	err := v.ended(within)
	v.t.Logf("after %v: %v", time.Since(v.began), err)
	if e := (*Error)(nil); !errors.As(err, &e) || e.Failure != want {
		v.t.Fatalf("ended with %v, want %s", err, want)
	}
}

func (l *lab) ping() {
	l.Helper()
	hwsimtest.Run(l.T, "ip", "address", "replace", "192.0.2.2/24", "dev", l.own.Interface)
	hwsimtest.Run(l.T, "ping", "-c", "2", "-i", "0.2", "-W", "2", "192.0.2.1")
}

func wpa2(lines ...string) []string {
	return append([]string{"ssid=Home", "hw_mode=g", "channel=6", "wpa=2", "wpa_key_mgmt=WPA-PSK", "rsn_pairwise=CCMP", "wpa_passphrase=" + password}, lines...)
}

func TestJoin(t *testing.T) {
	sae := func(lines ...string) []string {
		return append([]string{"ssid=Home", "hw_mode=g", "channel=6", "wpa=2", "wpa_key_mgmt=SAE", "rsn_pairwise=CCMP", "ieee80211w=2", "wpa_passphrase=" + password}, lines...)
	}
	newLab(t, 1, nil).each(map[string][]string{
		"open":                {"ssid=Home", "hw_mode=g", "channel=6"},
		"WPA2":                wpa2(),
		"WPA2 TKIP group":     wpa2("rsn_pairwise=CCMP TKIP"),
		"WPA2 PMF":            wpa2("ieee80211w=2", "wpa_key_mgmt=WPA-PSK-SHA256"),
		"WPA2 PMF optional":   wpa2("ieee80211w=1", "wpa_key_mgmt=WPA-PSK WPA-PSK-SHA256"),
		"WPA2 802.11n":        wpa2("ieee80211n=1", "wmm_enabled=1"),
		"hidden":              wpa2("ignore_broadcast_ssid=1"),
		"SAE hunting":         sae("sae_pwe=0"),
		"SAE hash to element": sae("sae_pwe=1"),
		"SAE both":            sae("sae_pwe=2"),
		"SAE anti-clogging":   sae("sae_pwe=2", "sae_anti_clogging_threshold=0"),
		"SAE hidden":          sae("sae_pwe=2", "ignore_broadcast_ssid=1"),
		"mixed":               wpa2("wpa_key_mgmt=WPA-PSK SAE", "ieee80211w=1"),
	}, func(l *lab, n Network) {
		if n.SSID == "open" {
			n.Password = ""
		}
		v := l.join(n)
		if j := v.joined(); j.MHz != 2437 || j.Number != 7 || j.BSSID == (netmgr.MAC{}) {
			l.Errorf("%+v", j)
		}
		l.ping()
		v.leave()
		v = l.join(n) // which the kernel still knows
		v.joined()
		l.ping()
		v.leave()
	})
}

func TestWrongPassword(t *testing.T) {
	newLab(t, 1, nil).each(map[string][]string{
		"WPA2":     wpa2(),
		"WPA2 PMF": wpa2("ieee80211w=2", "wpa_key_mgmt=WPA-PSK-SHA256"),
		"SAE":      wpa2("wpa_key_mgmt=SAE", "ieee80211w=2", "sae_pwe=0"),
		"SAE H2E":  wpa2("wpa_key_mgmt=SAE", "ieee80211w=2", "sae_pwe=1"),
		"mixed":    wpa2("wpa_key_mgmt=WPA-PSK SAE", "ieee80211w=1"),
	}, func(l *lab, n Network) {
		wrong := n
		wrong.Password = "battery staple"
		l.join(wrong).failed(netmgr.WrongPassword, busy) // 2.2 s, with SAE 0.2 s
		v := l.join(n)
		v.joined()
		v.leave()
	})
}
