package station

import (
	"testing"

	"golang.org/x/sys/unix"

	"manofwar/netmgr"
	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/nl80211"
	"manofwar/netmgr/nl80211/nl80211test"
)

func TestSoftMAC(t *testing.T) {
	for _, c := range []struct {
		name string
		akm  ieee80211.Suite
	}{{"open", 0}, {"WPA2", ieee80211.AKMPSK}, {"WPA3", ieee80211.AKMSAE}} {
		t.Run(c.name, func(t *testing.T) {
			d := &driver{t: t, password: password, akm: c.akm, soft: true}
			s, k := d.station(nl80211.Features{SAE: true})
			n := network()
			if c.akm == 0 {
				n.Password = ""
			}
			v := run(t, s, n)
			if got, want := v.event(), (netmgr.Joined{Number: 5, BSSID: netmgr.MAC(first), MHz: 2437}); got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
			k.Do(func() {
				if secured := c.akm != 0; (d.pairwise == 1) != secured || (d.authorized == 1) != secured {
					t.Errorf("%d pairwise keys, authorized %d times", d.pairwise, d.authorized)
				}
				at := d.at
				d.at = second
				d.frame(k, unix.NL80211_CMD_DEAUTHENTICATE, ieee80211.Deauthentication, ieee80211.ReasonLeaving.Append(nil)) // another's
				d.at = at
				d.tell(k, unix.NL80211_CMD_CH_SWITCH_NOTIFY, nl80211test.U32(unix.NL80211_ATTR_WIPHY_FREQ, 2462))
			})
			if got, want := v.event(), (netmgr.Roamed{Number: 5, BSSID: netmgr.MAC(first), MHz: 2462}); got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
			k.Do(func() {
				d.frame(k, unix.NL80211_CMD_DISASSOCIATE, ieee80211.Disassociation, ieee80211.ReasonInactivity.Append(nil))
			})
			v.failed(netmgr.Lost)
		})
	}
}

// A forged farewell is seen through; one of an access point that has forgotten the station is believed.
func TestUnprotectedFarewell(t *testing.T) {
	d := &driver{t: t, password: password, akm: ieee80211.AKMSAE, soft: true}
	s, k := d.station(nl80211.Features{SAE: true})
	v := run(t, s, network())
	v.event()
	farewell := func() {
		d.frame(k, unix.NL80211_CMD_UNPROT_DEAUTHENTICATE, ieee80211.Deauthentication, ieee80211.ReasonLeaving.Append(nil))
	}
	switched := func() {
		d.tell(k, unix.NL80211_CMD_CH_SWITCH_NOTIFY, nl80211test.U32(unix.NL80211_ATTR_WIPHY_FREQ, 2462))
	}
	k.Do(func() {
		for range 20 {
			farewell()
		}
		switched()
	})
	v.event() // after all of them
	k.Do(func() {
		if d.asked != 1 {
			t.Errorf("asked %d times", d.asked)
		}
		d.silent = true
	})
	for ended := false; !ended; { // until the pause between queries is over
		k.Do(func() {
			farewell()
			switched()
		})
		select {
		case err := <-v.over:
			v.over <- err
			ended = true
		case <-v.events:
		}
	}
	v.failed(netmgr.Lost)
	k.Do(func() {
		if d.asked != 1+queryTries {
			t.Errorf("asked %d times", d.asked)
		}
	})
}

func TestTurnedDown(t *testing.T) {
	for _, c := range []struct {
		name  string
		d     driver
		want  netmgr.Failure
		scans int
	}{
		{"full", driver{status: ieee80211.StatusFull}, netmgr.Refused, 0},
		{"other settings by now", driver{status: ieee80211.StatusInvalidAKM}, netmgr.Refused, 1},
		{"silent", driver{silent: true}, netmgr.NoAnswer, 1},
		{"wrong password", driver{password: "battery staple", akm: ieee80211.AKMSAE}, netmgr.WrongPassword, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := &c.d
			if d.t, d.soft = t, true; d.akm == 0 {
				d.password, d.akm = password, ieee80211.AKMPSK
			}
			s, k := d.station(nl80211.Features{SAE: true})
			run(t, s, network()).failed(c.want)
			k.Do(func() {
				if d.scans != c.scans {
					t.Errorf("%d scans, want %d", d.scans, c.scans)
				}
			})
		})
	}
}
