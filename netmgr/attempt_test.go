package netmgr

import (
	"testing"
	"time"

	"manofwar/netmgr/api"
)

// TestAttempt holds the rules of an attempt at a network.
func TestAttempt(t *testing.T) {
	cafe := sight("cafe", 2437, -60)
	profile := Profile{ID: "new", SSID: "cafe"}
	for _, c := range []struct {
		name   string
		around []Sighting
		run    func(*rig)
		state  api.AttemptState
		reason string
		then   string // the network that radio 0 is in or on its way into afterwards
	}{
		{"connected", []Sighting{home, cafe}, func(r *rig) {
			r.want("new")
			r.join(0, "")
			if a := r.p.Status(r.now).Attempt; a.State != api.Addressing || a.Profile != "new" {
				r.Errorf("%+v", a)
			}
			r.settings.Profiles = append(r.settings.Profiles, profile)
			r.tell(Configured{r.settings}, Leased{both, lease("203.0.113")})
			if a := r.p.Status(r.now).Attempt; a.Link != "wlan0" || a.Address.String() != "203.0.113.50" {
				r.Errorf("%+v", a)
			}
		}, api.Connected, "", "new"},
		{"wrong password", []Sighting{home, cafe}, func(r *rig) { r.fail(WrongPassword) }, api.WrongPassword, "Wrong password for cafe.", "home"},
		{"not there", []Sighting{home}, func(r *rig) { r.scan() }, api.NotFound, "cafe is not in reach.", "home"},
		{"elsewhere than before", []Sighting{home, sight("cafe", 5180, -60)}, func(r *rig) { r.fail(WrongPassword) }, api.WrongPassword, "Wrong password for cafe.", "home"},
		{"asked twice", []Sighting{home, cafe}, func(r *rig) {
			r.fail(NoAnswer)
			r.scan()
			r.want("new")
			r.fail(NoAnswer)
		}, api.Failed, "cafe does not answer.", "home"},
		{"no address", []Sighting{home, cafe}, func(r *rig) {
			r.join(0, "")
			r.pass(21 * time.Second)
		}, api.Failed, "The password is right, but cafe gives this device no address.", "home"},
		{
			"open instead of closed",
			[]Sighting{home, {SSID: "cafe", BSSID: cafe.BSSID, MHz: 2437, Signal: -60, Join: true, Open: true}},
			func(r *rig) { r.scan() }, api.Failed, "cafe asks for no password.", "home",
		},
		{
			"enterprise",
			[]Sighting{home, {SSID: "cafe", BSSID: cafe.BSSID, MHz: 2437, Signal: -60, Reason: "It asks for a user name."}},
			func(r *rig) { r.scan() }, api.Failed, "It asks for a user name.", "home",
		},
		{"the driver is silent", []Sighting{home, cafe}, func(r *rig) { r.pass(2 * time.Minute) }, api.Failed, "cafe does not answer.", "home"},
		{"the radio is unplugged", []Sighting{home, cafe}, func(r *rig) { r.tell(RadioGone{0}) }, api.Failed, "The WiFi radio was taken away.", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, "home")
			r.around = append(c.around, sight("noise", 2462, -70))
			r.begin()
			r.scan()
			r.join(0, api.Good)
			r.pass(time.Minute)
			r.tell(Try{profile})
			r.scan()
			c.run(r)
			r.scan()
			a := r.p.Status(r.now).Attempt
			if a == nil || a.ID != "new" || a.SSID != "cafe" || a.State != c.state || a.Reason != c.reason {
				t.Errorf("attempt %+v", a)
			}
			r.want(c.then)
			r.pass(11 * time.Minute)
			if a := r.p.Status(r.now).Attempt; a != nil {
				t.Errorf("still news: %+v", a)
			}
		})
	}
}

// TestAttemptFromPortal keeps our access point and its clients while a password is tried, wherever the network is.
func TestAttemptFromPortal(t *testing.T) {
	r := newRig(t)
	r.settings.Setup = true
	r.tell(Configured{r.settings})
	r.around = []Sighting{sight("cafe", 2462, -60)}
	r.begin()
	r.scan()
	r.up(0)
	r.tell(AccessPointClients{Count: 1}, Try{Profile{ID: "new", SSID: "cafe"}})
	r.scan()
	if rp := r.radio(0); rp.Join.Number != 0 || rp.AccessPoint.MHz != 2462 {
		t.Fatalf("%+v", rp)
	}
	r.up(0)
	r.want("new")
	r.fail(WrongPassword)
	r.wantUp(true)
	r.tell(Try{Profile{ID: "again", SSID: "cafe"}})
	r.scan()
	r.want("again")
	r.join(0, "")
	r.settings.Profiles = append(r.settings.Profiles, Profile{ID: "again", SSID: "cafe"})
	r.tell(Configured{r.settings}, Leased{both, lease("203.0.113")})
	if a := r.p.Status(r.now).Attempt; a.State != api.Connected {
		t.Errorf("%+v", a)
	}
	r.pass(time.Hour)
	r.wantUp(true)
	r.want("again")
}

// TestAttemptWithoutRadio says so.
func TestAttemptWithoutRadio(t *testing.T) {
	r := newRig(t)
	r.tell(Try{Profile{ID: "new", SSID: "cafe"}})
	if a := r.p.Status(r.now).Attempt; a == nil || a.State != api.Failed || a.Reason != "This device has no WiFi radio." {
		t.Errorf("%+v", a)
	}
}
