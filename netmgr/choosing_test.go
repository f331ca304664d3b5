package netmgr

import (
	"testing"
	"time"

	"manofwar/netmgr/api"
)

var (
	home    = sight("home", 2412, -50)
	factory = sight("factory", 2437, -55)
	phone   = sight("phone", 2462, -60)
)

// atHome returns a rig that is in the network home with internet for ten minutes, with what else is around.
func atHome(t *testing.T, around ...Sighting) *rig {
	r := newRig(t, "home", "factory", "phone")
	r.around = append([]Sighting{home}, around...)
	r.begin()
	r.scan()
	r.want("home")
	r.join(0, api.Good)
	r.pass(10 * time.Minute)
	r.want("home")
	return r
}

// TestChoosing holds the rules by which networks are chosen, left and come back to.
func TestChoosing(t *testing.T) {
	for _, c := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"the most preferred of what is heard", func(t *testing.T) {
			r := newRig(t, "home", "factory", "phone")
			r.around = []Sighting{phone, factory}
			r.begin()
			r.scan()
			r.want("factory")
		}},
		{"the best at once while a look goes on", func(t *testing.T) {
			r := newRig(t, "home", "factory").begin()
			s := r.radio(0).Scan
			r.tell(Scanned{Number: s.Number, More: true, Networks: []Sighting{factory}})
			r.want("") // home may still be found
			r.tell(Scanned{Number: s.Number, More: true, Networks: []Sighting{home}})
			r.want("home")
			if r.radio(0).Scan.Number != 0 {
				t.Error("the look goes on")
			}
		}},
		{"lost: the next one after one short look", func(t *testing.T) {
			r := atHome(t, factory)
			r.around = []Sighting{factory}
			r.fail(Lost)
			if s := r.radio(0).Scan; s.Number == 0 || len(s.MHz) == 0 || len(s.MHz) > 4 {
				t.Fatalf("scan %+v", s)
			}
			r.scan()
			r.want("factory")
		}},
		{"lost but still there: joined again", func(t *testing.T) {
			r := atHome(t, factory)
			r.fail(Lost)
			r.scan()
			r.want("home")
		}},
		{"what was heard before the loss does not count", func(t *testing.T) {
			r := atHome(t)
			r.fail(Lost)
			old := home
			old.At = r.now.Add(-time.Second)
			r.tell(Scanned{Number: r.radio(0).Scan.Number, Networks: []Sighting{old}})
			r.want("")
		}},
		{"home, factory, phone and back", func(t *testing.T) {
			r := atHome(t, factory, phone)
			for _, step := range []struct {
				around []Sighting
				want   string
			}{{[]Sighting{factory, phone}, "factory"}, {[]Sighting{phone}, "phone"}} {
				r.around = step.around
				r.fail(Lost)
				r.scan()
				r.want(step.want)
				r.join(0, api.Good)
				r.pass(5 * time.Minute)
			}
			r.around = []Sighting{home, phone}
			r.pass(50 * time.Second)
			r.want("phone") // not yet: home has to be there for a minute
			r.wantWithin(90*time.Second, "home")
		}},
		{"wrong password: others, and not soon again", func(t *testing.T) {
			r := newRig(t, "home", "factory")
			r.around = []Sighting{home, factory}
			r.begin()
			r.scan()
			r.fail(WrongPassword)
			r.want("factory")
			r.join(0, api.Good)
			if k := r.p.Known(r.now)[0]; k.Failure != "Wrong password for home." || k.FailedAt.IsZero() {
				t.Errorf("known %+v", k)
			}
			r.pass(110 * time.Second)
			r.want("factory")
			r.wantWithin(time.Minute, "home") // minutes later it is tried once more
			r.fail(WrongPassword)
			r.scan()
			r.want("factory")
		}},
		{"wrong password and nothing else: tried again within half a minute", func(t *testing.T) {
			r := newRig(t, "home")
			r.around = []Sighting{home}
			r.begin()
			for range 5 {
				r.pass(31 * time.Second)
				r.want("home")
				r.fail(WrongPassword)
			}
		}},
		{"after a long outage at once", func(t *testing.T) {
			r := atHome(t)
			r.around = nil
			r.fail(Lost)
			r.pass(12 * time.Hour)
			r.around = []Sighting{home}
			r.pass(10 * time.Second)
			r.want("home")
		}},
		{"no address: another one after five seconds", func(t *testing.T) {
			r := newRig(t, "home", "factory")
			r.around = []Sighting{home, factory}
			r.begin()
			r.scan()
			r.join(0, "")
			r.pass(4 * time.Second)
			r.want("home")
			r.pass(2 * time.Second)
			r.want("factory")
		}},
		{"no address and nothing else: joined anew now and then", func(t *testing.T) {
			r := newRig(t, "home")
			r.around = []Sighting{home}
			r.begin()
			r.scan()
			first := r.radio(0).Join.Number
			r.join(0, "")
			r.pass(30 * time.Second)
			if r.want("home"); r.radio(0).Join.Number == first {
				t.Error("not anew")
			}
		}},
		{"dead internet: to one that has it, at once", func(t *testing.T) {
			r := atHome(t, phone)
			r.judge(0, api.LANOnly)
			r.scan()
			r.want("phone")
			r.join(0, api.Good)
			r.pass(50 * time.Second)
			r.want("phone")
		}},
		{"dead internet everywhere: back to the preferred one, and seldom away", func(t *testing.T) {
			r := atHome(t, phone)
			r.judge(0, api.LANOnly)
			away := 0
			for range 3600 {
				r.pass(time.Second)
				switch p := r.radio(0).Join; {
				case p.Profile == "phone" && r.p.radios[0].stay.phase == joining:
					away++
					r.join(0, api.LANOnly)
				case p.Profile == "home" && r.p.radios[0].stay.phase == joining:
					r.join(0, api.LANOnly)
				}
			}
			if r.want("home"); away < 4 || away > 10 { // after 1, 2, 4, 8, 10, 10 … minutes
				t.Errorf("%d excursions within an hour", away)
			}
		}},
		{"captive counts as dead internet", func(t *testing.T) {
			r := atHome(t, phone)
			r.judge(0, api.Captive)
			r.scan()
			r.want("phone")
		}},
		{"the preferred one proves worse: back, and later again", func(t *testing.T) {
			r := atHome(t, phone)
			r.judge(0, api.LANOnly)
			r.scan()
			r.join(0, api.Good)
			r.wantWithin(2*time.Minute, "home")
			r.join(0, api.LANOnly)
			r.want("phone")
			r.join(0, api.Good)
			r.pass(100 * time.Second)
			r.want("phone")
			r.wantWithin(time.Minute, "home")
		}},
		{"playback is not cut for a preference", func(t *testing.T) {
			r := atHome(t, phone)
			r.around = []Sighting{phone}
			r.fail(Lost)
			r.scan()
			r.join(0, api.Good)
			r.tell(Streaming{Active: true, Buffer: 14 * time.Second})
			r.around = []Sighting{home, phone}
			r.pass(time.Hour)
			r.want("phone")
			r.tell(Streaming{Active: true, Buffer: 15 * time.Second})
			r.wantWithin(2*time.Minute, "home")
		}},
		{"nor for an excursion", func(t *testing.T) {
			r := atHome(t, phone)
			r.tell(Streaming{Active: true})
			r.judge(0, api.LANOnly)
			r.pass(time.Minute)
			r.want("home")
			r.tell(Streaming{})
			r.pass(time.Second)
			r.want("phone")
		}},
		{"a faint network is not worth a return", func(t *testing.T) {
			r := atHome(t, phone)
			r.around = []Sighting{phone}
			r.fail(Lost)
			r.scan()
			r.join(0, api.Good)
			r.around = []Sighting{sight("home", 2412, -80), phone}
			r.pass(10 * time.Minute)
			r.want("phone")
		}},
		{"off is not joined", func(t *testing.T) {
			r := newRig(t, "home")
			r.settings.Profiles[0].Off = true
			r.tell(Configured{r.settings})
			r.around = []Sighting{home}
			r.begin()
			r.pass(time.Minute)
			r.want("")
		}},
		{"forgotten is left", func(t *testing.T) {
			r := atHome(t, factory)
			r.settings.Profiles = r.settings.Profiles[1:]
			r.tell(Configured{r.settings})
			r.scan()
			r.want("factory")
		}},
		{"one without a password does not pass for one with", func(t *testing.T) {
			r := newRig(t, "home")
			twin := home
			twin.Open = true
			r.around = []Sighting{twin}
			r.begin()
			r.pass(time.Minute)
			r.want("")
		}},
		{"a phone is not joined beside a cable with internet", func(t *testing.T) {
			r := newRig(t, "phone")
			r.around = []Sighting{phone}
			r.tell(eth(1, true), Leased{1, lease("198.51.100")}, Judged{Index: 1, Generation: 1, State: api.Good})
			r.begin()
			r.pass(time.Minute)
			r.want("")
			r.tell(eth(1, false))
			r.scan()
			r.want("phone")
		}},
		{"the driver forgets to answer", func(t *testing.T) {
			r := newRig(t, "home", "factory")
			r.around = []Sighting{home, factory}
			r.begin()
			r.scan()
			r.pass(13 * time.Second)
			r.want("factory")
		}},
	} {
		t.Run(c.name, c.run)
	}
}

// TestBSSIDs holds the rules by which an access point of a network is chosen.
func TestBSSIDs(t *testing.T) {
	far, near, fast := sight("home", 2412, -76), sight("home", 2437, -60), sight("home", 5180, -62)
	r := newRig(t, "home")
	r.settings.Profiles[0].Channels = []int{2412, 2437, 5180}
	r.tell(Configured{r.settings})
	r.around = []Sighting{far, near, fast}
	r.begin()
	r.scan()
	if j := r.radio(0).Join; j.MHz != 5180 {
		t.Errorf("5 GHz that is nearly as strong is better: %+v", j)
	}
	r.fail(NoAnswer)
	r.pass(3 * time.Second)
	if j := r.radio(0).Join; j.MHz != 2437 {
		t.Errorf("one that does not answer is avoided: %+v", j)
	}
	r.join(0, api.Good)
	r.around = []Sighting{far, near}
	r.pass(2 * time.Minute)
	number, generation := r.radio(0).Join.Number, r.p.Plan().Links[0].Generation

	r.around = []Sighting{sight("home", 2412, -55), sight("home", 2437, -79)}
	r.tell(Heard{Number: number, Signal: -79})
	r.pass(9 * time.Second)
	if r.radio(0).Join.Number != number {
		t.Error("roamed too early")
	}
	r.pass(2 * time.Second)
	j := r.radio(0).Join
	if j.MHz != 2412 || j.Number == number {
		t.Fatalf("did not roam: %+v", j)
	}
	r.tell(Joined{Number: j.Number, BSSID: j.BSSID, MHz: j.MHz})
	if l := r.p.Plan().Links[0]; l.Generation != generation || len(l.Addresses) != 1 {
		t.Errorf("roaming lost the address: %+v", l)
	}
}

// TestSecondRadio tries other networks with a second radio, without leaving the first one's.
func TestSecondRadio(t *testing.T) {
	r := newRig(t, "home", "phone")
	r.around = []Sighting{home, phone}
	r.begin(pi(0), pi(1))
	r.scan()
	r.want("home")
	r.join(0, api.Good)
	r.pass(5 * time.Minute)
	if j := r.radio(1).Join; j.Number != 0 {
		t.Fatalf("the second radio is in %q", j.Profile)
	}
	r.tell(Streaming{Active: true})
	r.judge(0, api.LANOnly)
	r.scan()
	if r.want("home"); r.radio(1).Join.Profile != "phone" {
		t.Fatal("the second radio does not try the phone")
	}
	r.join(1, api.Good)
	if first := r.p.Plan().Links[0]; first.Index != both+1 {
		t.Errorf("the phone does not have the way out: %+v", first)
	}
	if !r.p.Status(r.now).Metered {
		t.Error("the phone costs")
	}
	r.tell(Streaming{})
	r.pass(10 * time.Minute)
	r.want("home") // who is there reaches us
	r.tell(Streaming{Active: true})
	r.judge(0, api.Good)
	if first := r.p.Plan().Links[0]; first.Index != both || r.radio(1).Join.Number == 0 {
		t.Errorf("the way out is by %+v", first)
	}
	r.tell(Streaming{})
	if j := r.radio(1).Join; j.Number != 0 {
		t.Error("the phone is still used")
	}
	r.tell(RadioGone{0}, LinkGone{both})
	r.scan()
	if r.radio(1).Join.Profile != "home" {
		t.Error("the second radio does not take over")
	}
}

// TestOrderOfUse prefers what reaches further, then the owner's order; a phone comes last of equals.
func TestOrderOfUse(t *testing.T) {
	r := atHome(t)
	order := func() (names string) {
		for _, l := range r.p.Plan().Links {
			names += l.Name + " "
		}
		return names
	}
	r.tell(eth(1, true), Leased{1, lease("198.51.100")})
	if got := order(); got != "wlan0 eth1 " {
		t.Errorf("good before lan-only: %s", got)
	}
	r.tell(Judged{Index: 1, Generation: 1, State: api.Good})
	if got := order(); got != "eth1 wlan0 " {
		t.Errorf("a cable before radio: %s", got)
	}
	r.tell(LinkChanged{Link{Index: 2, Name: "usb0", Kind: USB, Up: true, Carrier: true}}, Leased{2, lease("203.0.113")},
		Judged{Index: 2, Generation: 1, State: api.Good})
	if got := order(); got != "eth1 wlan0 usb0 " {
		t.Errorf("a phone last: %s", got)
	}
	if r.p.Status(r.now).Metered {
		t.Error("the cable costs nothing")
	}
	r.tell(eth(1, false))
	r.judge(0, api.Captive)
	if s := r.p.Status(r.now); s.Links[0].Name != "usb0" || !s.Metered || s.Links[0].Kind != "usb" {
		t.Errorf("%+v", s)
	}
}
