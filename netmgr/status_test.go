package netmgr

import (
	"testing"
	"time"

	"manofwar/netmgr/api"
)

// TestStatusOfRadio tells of a network by radio, and why there is none, in words.
func TestStatusOfRadio(t *testing.T) {
	r := newRig(t)
	reason := func() string {
		for _, l := range r.p.Status(r.now).Links {
			if l.Kind == string(WiFi) {
				return l.Reason
			}
		}
		return "no link"
	}
	for _, step := range []struct {
		do   func()
		want string
	}{
		{func() { r.tell(LinkChanged{Link{Index: both, Name: "wlan0", Kind: WiFi, Up: true}}) }, "This WiFi radio cannot be used. Use a network cable, or another WiFi stick."},
		{func() { r.begin() }, "No WiFi is set up."},
		{func() {
			r.settings.Profiles = []Profile{{ID: "home", SSID: "home"}}
			r.tell(Configured{r.settings})
		}, "home is not in reach."},
		{func() {
			r.settings.Profiles = append(r.settings.Profiles, Profile{ID: "phone", SSID: "Name\xff"})
			r.tell(Configured{r.settings})
		}, "home and Name\uFFFD are not in reach."},
		{func() { r.around = []Sighting{home}; r.wantWithin(time.Minute, "home") }, "Joining home."},
		{func() { r.fail(Refused) }, "home refuses this device."},
		{func() { r.wantWithin(time.Minute, "home"); r.join(0, "") }, "Waiting for an address."},
		{func() { r.tell(Unanswered{both}) }, "No router answers on this network."},
		{func() { r.tell(Leased{both, lease("192.0.2")}) }, ""},
		{func() { r.judge(0, api.LANOnly) }, "lan-only"}, // the judge's words
	} {
		if step.do(); reason() != step.want {
			t.Errorf("%q, want %q", reason(), step.want)
		}
	}
	s := r.p.Status(r.now)
	w := s.Links[0].WiFi
	if w == nil || w.SSID != "home" || w.Profile != "home" || w.Channel != 1 || w.Signal != -50 || w.Security != "WPA2" || w.BSSID != home.BSSID.String() {
		t.Errorf("%+v", w)
	}
	if s.State != api.LANOnly || s.AccessPoint == nil {
		t.Errorf("%+v", s)
	}
}

// TestJudge plans who is judged, how closely, and takes no old verdict.
func TestJudge(t *testing.T) {
	r := newRig(t, "phone")
	r.around = []Sighting{phone}
	r.begin()
	r.scan()
	r.join(0, "")
	r.tell(eth(1, true))
	if j := r.p.Plan().Judge; j != nil {
		t.Errorf("without addresses: %+v", j)
	}
	r.tell(Leased{both, lease("192.0.2")}, Leased{1, lease("198.51.100")})
	j := r.p.Plan().Judge
	if len(j) != 2 || j[0].Index != 1 || j[0].Pace != InUse || j[1].Pace != Costly || j[0].Gateways[0].String() != "198.51.100.1" || len(j[0].DNS) != 1 {
		t.Errorf("%+v", j)
	}
	r.tell(Judged{Index: 1, Generation: j[0].Generation - 1, State: api.Good})
	if s := r.p.Status(r.now); s.State != api.LANOnly {
		t.Errorf("an old verdict counts: %+v", s)
	}
	r.tell(Judged{Index: 1, Generation: j[0].Generation, State: api.Captive, Login: "http://192.0.2.9/"})
	if s := r.p.Status(r.now); s.State != api.Captive || s.Links[0].Login == "" {
		t.Errorf("%+v", s)
	}
	r.tell(Unleased{1, "It ran out."}, Leased{1, lease("198.51.100")})
	if s := r.p.Status(r.now).Links[0]; s.State != api.LANOnly {
		t.Errorf("the verdict outlives the address: %+v", s)
	}
}

// TestChannel numbers channels.
func TestChannel(t *testing.T) {
	for mhz, want := range map[int]int{2412: 1, 2472: 13, 2484: 14, 5180: 36, 5885: 177, 5955: 1, 7115: 233, 0: 0, 60480: 0} {
		if got := channel(mhz); got != want {
			t.Errorf("%d MHz: %d, want %d", mhz, got, want)
		}
	}
}
