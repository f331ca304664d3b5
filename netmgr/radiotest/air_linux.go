package radiotest

import (
	"encoding/hex"
	"fmt"
	"net"
	"strings"
	"testing"

	"manofwar/netmgr"
	"manofwar/netmgr/hwsimtest"
)

// Air is a world of simulated radios, on which hostapd makes networks, and dnsmasq lends addresses in them. It implements
// [World].
type Air struct {
	free []*spot // radios without a network
	by   map[string]*spot
	ears hwsimtest.Radio
	at   *hwsimtest.Place
}

// spot is a place with one radio.
type spot struct {
	place   *hwsimtest.Place
	radio   hwsimtest.Radio
	subnet  string // but for the last byte of its addresses
	hostapd *hwsimtest.Program
}

var _ World = (*Air)(nil)

// NewAir makes a world of radios that are the test's: the first one listens, each other one can be a network at a time.
func NewAir(t *testing.T, radios ...hwsimtest.Radio) *Air {
	t.Helper()
	a := &Air{by: make(map[string]*spot), ears: radios[0], at: hwsimtest.NewPlace(t, "ears")}
	a.at.Take(a.ears)
	a.at.Run("ip", "link", "set", a.ears.Interface, "up")
	for i, r := range radios[1:] {
		s := &spot{place: hwsimtest.NewPlace(t, fmt.Sprintf("spot%d", i)), radio: r, subnet: fmt.Sprintf("198.18.%d.", i)}
		s.place.Take(r)
		s.place.Address(r.Interface, s.subnet+"1/24")
		s.place.Dnsmasq("port=0", "interface="+r.Interface, "bind-interfaces", "no-ping", "dhcp-authoritative",
			"dhcp-range="+s.subnet+"10,"+s.subnet+"99,1h")
		a.free = append(a.free, s)
	}
	return a
}

// StartNetwork starts hostapd on a free radio.
func (a *Air) StartNetwork(t *testing.T, n Network) netmgr.MAC {
	t.Helper()
	if len(a.free) == 0 {
		t.Fatalf("no radio is free for %s", n.SSID)
	}
	s := a.free[0]
	a.free = a.free[1:]
	lines := []string{
		"ssid2=" + hex.EncodeToString([]byte(n.SSID)), "hw_mode=g", fmt.Sprintf("channel=%d", n.Channel), "ieee80211n=1",
	}
	if n.Hidden {
		lines = append(lines, "ignore_broadcast_ssid=1")
	}
	s.hostapd = s.place.Hostapd(s.radio, append(lines, n.security()...)...)
	a.by[n.SSID] = s
	return s.address(t)
}

// address is that of the radio.
func (s *spot) address(t *testing.T) netmgr.MAC {
	t.Helper()
	text := s.place.Run("cat", "/sys/class/net/"+s.radio.Interface+"/address")
	mac, err := net.ParseMAC(strings.TrimSpace(text))
	if err != nil {
		t.Fatal(err)
	}
	return netmgr.MAC(mac)
}

// security are the lines of hostapd.conf for it.
func (n Network) security() []string {
	switch n.Security {
	case WPA2:
		return []string{"wpa=2", "rsn_pairwise=CCMP", "wpa_key_mgmt=WPA-PSK", "wpa_passphrase=" + n.Password}
	case WPA3:
		return []string{"wpa=2", "rsn_pairwise=CCMP", "wpa_key_mgmt=SAE", "ieee80211w=2", "sae_password=" + n.Password}
	case Mixed:
		return []string{"wpa=2", "rsn_pairwise=CCMP", "wpa_key_mgmt=WPA-PSK SAE", "ieee80211w=1", "wpa_passphrase=" + n.Password}
	}
	return nil
}

// CutPower kills hostapd and switches its radio off, so that it has no time for a farewell.
func (a *Air) CutPower(t *testing.T, ssid string) {
	t.Helper()
	s := a.by[ssid]
	if s == nil {
		return
	}
	s.place.Run("ip", "link", "set", s.radio.Interface, "down")
	s.hostapd.Kill()
	delete(a.by, ssid)
	a.free = append(a.free, s)
}

// Stations asks the kernel, which hostapd tells.
func (a *Air) Stations(t *testing.T, ssid string) int {
	t.Helper()
	s := a.by[ssid]
	if s == nil {
		return 0
	}
	return strings.Count(s.place.Run("iw", "dev", s.radio.Interface, "station", "dump"), "authorized:\tyes")
}

// Joins counts what hostapd wrote.
func (a *Air) Joins(t *testing.T, ssid string) int {
	t.Helper()
	s := a.by[ssid]
	if s == nil {
		return 0
	}
	return strings.Count(s.hostapd.String(), "AP-STA-CONNECTED")
}

// Visit lets a real wpa_supplicant join.
func (a *Air) Visit(t *testing.T, ssid, password string) (leave func()) {
	t.Helper()
	phone := a.at.Supplicant(a.ears, "network={", fmt.Sprintf("ssid=%q", ssid), fmt.Sprintf("psk=%q", password), "}")
	phone.Await("CTRL-EVENT-CONNECTED", 1)
	return phone.Stop
}

// Hears looks at all channels of 2.4 GHz where access points of ours may be.
func (a *Air) Hears(t *testing.T, ssid string) bool {
	t.Helper()
	found := a.at.Run("iw", "dev", a.ears.Interface, "scan", "flush", "freq", "2412", "2437", "2462")
	return strings.Contains(found, "SSID: "+ssid+"\n")
}
