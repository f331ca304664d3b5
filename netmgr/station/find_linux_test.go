package station

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"manofwar/netmgr"
	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/nl80211"
	"manofwar/netmgr/wpa"
	"manofwar/netmgr/wpa/sae"
)

// heard returns an access point as the kernel tells of it.
func heard(last byte, ssid string, signal int, rsn *ieee80211.RSN) nl80211.BSS {
	es := ieee80211.Element{ID: ieee80211.ElementSSID, Data: []byte(ssid)}.Append(nil)
	if rsn != nil {
		es = rsn.Element().Append(es)
	}
	return nl80211.BSS{BSS: ieee80211.ParseBSS(es), BSSID: ieee80211.MAC{2, 0, 0, 0, 0, last}, MHz: 2437, Signal: signal}
}

func offers(akms ...ieee80211.Suite) *ieee80211.RSN {
	return &ieee80211.RSN{
		Group: ieee80211.CipherCCMP, Pairwise: []ieee80211.Suite{ieee80211.CipherCCMP}, AKMs: akms,
		Capabilities: ieee80211.MFPCapable,
	}
}

func TestPick(t *testing.T) {
	psk, wpa3 := offers(ieee80211.AKMPSK), offers(ieee80211.AKMSAE)
	old := heard(1, "Home", -40, psk)
	old.Age = time.Minute
	for _, c := range []struct {
		name  string
		radio nl80211.Radio
		n     Network
		heard []nl80211.BSS
		want  byte
		why   netmgr.Failure
	}{
		{name: "none", n: network(), heard: []nl80211.BSS{heard(1, "Other", -40, psk)}, why: netmgr.NotFound},
		{name: "long ago", n: network(), heard: []nl80211.BSS{old}, why: netmgr.NotFound},
		{name: "the strongest", n: network(), heard: []nl80211.BSS{heard(1, "Home", -70, psk), heard(2, "Home", -50, psk)}, want: 2},
		{
			name: "the wanted", n: Network{SSID: "Home", Password: password, BSSID: ieee80211.MAC{2, 0, 0, 0, 0, 1}},
			heard: []nl80211.BSS{heard(1, "Home", -70, psk), heard(2, "Home", -50, psk)}, want: 1,
		},
		{
			name: "another than the wanted", n: Network{SSID: "Home", Password: password, BSSID: ieee80211.MAC{2, 0, 0, 0, 0, 9}},
			heard: []nl80211.BSS{heard(1, "Home", -70, psk)}, want: 1,
		},
		{name: "an open twin is stronger", n: network(), heard: []nl80211.BSS{heard(1, "Home", -70, psk), heard(2, "Home", -20, nil)}, want: 1},
		{name: "only an open twin", n: network(), heard: []nl80211.BSS{heard(2, "Home", -20, nil)}, why: netmgr.Unsupported},
		{name: "an open network", n: Network{SSID: "Home"}, heard: []nl80211.BSS{heard(1, "Home", -70, nil)}, want: 1},
		{name: "password not known", n: Network{SSID: "Home"}, heard: []nl80211.BSS{heard(1, "Home", -70, psk)}, why: netmgr.Unsupported},
		{name: "WPA3 that the radio cannot do", n: network(), heard: []nl80211.BSS{heard(1, "Home", -70, wpa3)}, why: netmgr.Unsupported},
		{
			name: "WPA3", n: network(), heard: []nl80211.BSS{heard(1, "Home", -70, wpa3)}, want: 1,
			radio: nl80211.Radio{Commands: nl80211.Commands{Authenticate: true}, Features: nl80211.Features{SAE: true}},
		},
		{
			name: "WPA3 with a key", n: Network{SSID: "Home", Password: fmt.Sprintf("%064x", 1)},
			heard: []nl80211.BSS{heard(1, "Home", -70, wpa3)}, why: netmgr.Unsupported,
			radio: nl80211.Radio{Commands: nl80211.Commands{Authenticate: true}, Features: nl80211.Features{SAE: true}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &Station{radio: c.radio}
			got, err := s.pick(c.n, c.heard)
			if e := (*Error)(nil); c.why != "" && (!errors.As(err, &e) || e.Failure != c.why) {
				t.Errorf("error %v, want %s", err, c.why)
			}
			if c.why == "" && (err != nil || got.BSSID[5] != c.want) {
				t.Errorf("picked %v, %v, want %d", got.BSSID, err, c.want)
			}
		})
	}
}

func TestSight(t *testing.T) {
	now := time.Unix(1000, 0)
	b := heard(1, "Home", -50, offers(ieee80211.AKMSAE))
	b.Age = 3 * time.Second
	want := netmgr.Sighting{
		SSID: "Home", BSSID: netmgr.MAC(b.BSSID), MHz: 2437, Signal: -50, Security: "WPA3", Reason: reasonIncapable, At: now.Add(-3 * time.Second),
	}
	if got := Sight(nl80211.Radio{}, b, now); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	want.Join, want.Reason = true, ""
	radio := nl80211.Radio{Commands: nl80211.Commands{Connect: true}, Features: nl80211.Features{SAEOffload: true}}
	if got := Sight(radio, b, now); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	hidden := Sight(radio, heard(1, "\x00\x00", -50, nil), now)
	if hidden.SSID != "" || !hidden.Open || !hidden.Join || hidden.Security != "open" {
		t.Errorf("%+v", hidden)
	}
}

// A radio without BIP joins without protected management frames, where the network allows that.
func TestChooseWithoutBIP(t *testing.T) {
	radio := nl80211.Radio{Ciphers: []ieee80211.Suite{ieee80211.CipherTKIP, ieee80211.CipherCCMP}}
	b := heard(1, "Home", -50, offers(ieee80211.AKMPSK))
	c, err := choose(radio, b.BSS, false)
	if err != nil || c.MFP || b.RSN.Capabilities&ieee80211.MFPCapable == 0 {
		t.Errorf("%+v, %v", c, err)
	}
	radio.Ciphers = append(radio.Ciphers, ieee80211.CipherBIP)
	if c, err = choose(radio, b.BSS, false); err != nil || !c.MFP {
		t.Errorf("%+v, %v", c, err)
	}
	required := offers(ieee80211.AKMSAE, ieee80211.AKMPSK)
	required.Capabilities |= ieee80211.MFPRequired
	if _, err := choose(nl80211.Radio{Ciphers: radio.Ciphers[:2]}, heard(1, "Home", -50, required).BSS, true); err == nil {
		t.Error("chosen although management frames have to be protected")
	}
}

func TestFailures(t *testing.T) {
	n := Network{SSID: "Bob’s iPhone"}
	refused := fmt.Errorf("sae: %w: refused", sae.ErrRefused)
	for _, c := range []struct {
		err    *Error
		want   netmgr.Failure
		reason string
	}{
		{n.handshake(fmt.Errorf("%w (timeout)", wpa.ErrWrongPassword)), netmgr.WrongPassword, "Wrong password for Bob’s iPhone."},
		{n.handshake(wpa.ErrPassphrase), netmgr.WrongPassword, "The password of Bob’s iPhone cannot be one: a WiFi password has 8 to 63 characters, or is a key of 64 hexadecimal digits."},
		{n.handshake(errors.New("other")), netmgr.Refused, "Bob’s iPhone does not let this device in."},
		{n.handshake(sae.ErrGroup), netmgr.Unsupported, "Bob’s iPhone cannot be joined: it does not know the group of SAE that every WPA3 device has to know."},
		{n.unproved(ieee80211.Auth{Transaction: 2, Status: ieee80211.StatusUnspecified}, refused), netmgr.WrongPassword, "Wrong password for Bob’s iPhone."},
		{n.unproved(ieee80211.Auth{Transaction: 1, Status: ieee80211.StatusUnspecified}, refused), netmgr.Refused, "Bob’s iPhone does not let this device in (refused)."},
		{n.unproved(ieee80211.Auth{Transaction: 2}, wpa.ErrWrongPassword), netmgr.WrongPassword, "Wrong password for Bob’s iPhone."},
		{n.refusal(ieee80211.StatusFull), netmgr.Refused, "Bob’s iPhone has no room for another device."},
		{n.refusal(ieee80211.StatusChallenge), netmgr.WrongPassword, "Wrong password for Bob’s iPhone."},
		{n.thrownOut(ieee80211.ReasonFull), netmgr.Lost, "Bob’s iPhone ended the connection (" + ieee80211.ReasonFull.String() + ")."},
		{n.notFound(), netmgr.NotFound, "Bob’s iPhone is not in reach."},
	} {
		if c.err.Failure != c.want || c.err.Reason != c.reason {
			t.Errorf("%s: %q, want %s: %q", c.err.Failure, c.err.Reason, c.want, c.reason)
		}
	}
}

func TestSecretsAreKept(t *testing.T) {
	var s secrets
	first, err := s.pmk(network())
	if err != nil {
		t.Fatal(err)
	}
	second, _ := s.pmk(network())
	if &first[0] != &second[0] {
		t.Error("derived twice")
	}
	pt, err := s.element(network())
	if again, _ := s.element(network()); err != nil || pt != again {
		t.Errorf("derived twice, %v", err)
	}
	for i := range 3 * maxSecrets {
		if _, err := s.pmk(Network{SSID: ieee80211.SSID(fmt.Sprint(i)), Password: "x"}); !errors.Is(err, wpa.ErrPassphrase) {
			t.Errorf("%v", err)
		}
	}
	if len(s.known) > maxSecrets {
		t.Errorf("%d secrets", len(s.known))
	}
}
