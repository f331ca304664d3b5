package netmgr

import (
	"net/netip"
	"testing"
	"time"

	"manofwar/netmgr/api"
)

// TestAccessPoint holds the rules of when our access point is up, where and how.
func TestAccessPoint(t *testing.T) {
	for _, c := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"boot without any network", func(t *testing.T) {
			r := newRig(t, "home").begin()
			r.pass(11 * time.Second)
			r.wantUp(false)
			r.pass(2 * time.Second)
			r.wantUp(true)
		}},
		{"nothing known: sooner", func(t *testing.T) {
			r := newRig(t).begin()
			r.pass(6 * time.Second)
			r.wantUp(true)
		}},
		{"but not where a cable works", func(t *testing.T) {
			r := newRig(t)
			r.tell(eth(1, true), Leased{1, lease("198.51.100")}, Judged{Index: 1, Generation: 1, State: api.LANOnly})
			r.begin()
			r.pass(time.Hour)
			r.wantUp(false)
		}},
		{"after the last network died, and down when one has worked for a minute", func(t *testing.T) {
			r := atHome(t)
			r.around = nil
			r.fail(Lost)
			r.pass(13 * time.Second)
			r.wantUp(true)
			r.up(0)
			r.pass(time.Hour)
			r.around = []Sighting{home}
			r.wantWithin(10*time.Second, "home")
			r.join(0, api.Good)
			r.pass(58 * time.Second)
			r.wantUp(true)
			r.pass(3 * time.Second)
			r.wantUp(false)
		}},
		{"keeps its name while it is up when the device gets another", func(t *testing.T) {
			r := newRig(t, "home").begin()
			r.settings.AccessPoint.SSID, r.settings.AccessPoint.Default = "manofwar 1A2B", true
			r.tell(Configured{r.settings})
			r.pass(13 * time.Second)
			r.up(0)
			r.settings.AccessPoint.SSID = "Kitchen 1A2B"
			r.tell(Configured{r.settings})
			r.wantSSID("manofwar 1A2B")
			r.tell(AccessPointDown{})
			r.pass(3 * time.Second)
			r.wantUp(true)
			r.wantSSID("Kitchen 1A2B")
			r.up(0)
			r.settings.AccessPoint.SSID, r.settings.AccessPoint.Default = "mine", false // the owner wants it so
			r.tell(Configured{r.settings})
			r.wantSSID("mine")
		}},
		{"not while somebody is in it", func(t *testing.T) {
			r := newRig(t, "home").begin()
			r.pass(13 * time.Second)
			r.up(0)
			r.tell(AccessPointClients{Count: 1})
			r.around = []Sighting{sight("home", 2412, -50)}
			r.wantWithin(10*time.Second, "home")
			r.join(0, api.Good)
			r.pass(time.Hour)
			r.wantUp(true)
			r.tell(AccessPointClients{Count: 0})
			r.wantUp(false)
		}},
		{"while it is set up, and for ever if wished", func(t *testing.T) {
			r := newRig(t, "home")
			r.around = []Sighting{home}
			r.settings.Setup = true
			r.tell(Configured{r.settings})
			r.begin()
			r.scan()
			r.wantUp(true)
			r.join(0, api.Good)
			r.pass(time.Hour)
			r.wantUp(true)
			r.settings.Setup, r.settings.AccessPoint.Permanent = false, true
			r.tell(Configured{r.settings})
			r.pass(time.Hour)
			r.wantUp(true)
			r.settings.AccessPoint.Off = true
			r.tell(Configured{r.settings})
			r.wantUp(false)
		}},
		{"it moves before a network elsewhere is joined", func(t *testing.T) {
			r := newRig(t, "home").begin()
			r.pass(13 * time.Second)
			r.up(0)
			r.around = []Sighting{sight("home", 2462, -50)}
			r.until(10*time.Second, func(rp RadioPlan) bool { return rp.AccessPoint.MHz == 2462 })
			r.want("")
			r.up(0)
			r.want("home")
		}},
		{"or the network is joined without it in the end", func(t *testing.T) {
			r := newRig(t, "home").begin()
			r.pass(13 * time.Second)
			r.up(0)
			r.around = []Sighting{sight("home", 2462, -50)}
			r.wantWithin(15*time.Second, "home")
		}},
		{"one that follows by itself is not moved", func(t *testing.T) {
			k := pi(0)
			k.Follows = true
			r := newRig(t, "home").begin(k)
			r.pass(13 * time.Second)
			r.up(0)
			was := r.radio(0).AccessPoint.MHz
			r.around = []Sighting{sight("home", 2462, -50)}
			r.wantWithin(10*time.Second, "home")
			if r.radio(0).AccessPoint.MHz != was {
				t.Error("moved")
			}
			r.join(0, api.Good)
			if mhz := r.radio(0).AccessPoint.MHz; mhz != 2462 {
				t.Errorf("on %d MHz", mhz)
			}
		}},
		{"a radio that cannot do both: down for a try, at most once a minute", func(t *testing.T) {
			k := pi(0)
			k.Together = false
			r := newRig(t, "home").begin(k)
			r.pass(13 * time.Second)
			r.up(0)
			r.around = []Sighting{home}
			r.wantWithin(10*time.Second, "home")
			r.wantUp(false)
			r.fail(NoAnswer)
			r.wantUp(true)
			r.up(0)
			r.pass(50 * time.Second)
			r.want("")
			r.wantWithin(20*time.Second, "home")
			r.fail(NoAnswer)
			r.up(0)
			r.tell(AccessPointClients{Count: 1}, Streaming{Active: true})
			r.pass(time.Hour)
			r.want("") // somebody listens through it
			r.tell(Streaming{})
			r.wantWithin(time.Minute, "home") // forgotten in it
		}},
		{"not on a channel of radar: the network on another one", func(t *testing.T) {
			r := newRig(t, "home")
			r.settings.Profiles[0].Channels = []int{5260}
			r.settings.AccessPoint.Permanent = true
			r.tell(Configured{r.settings})
			r.around = []Sighting{sight("home", 5260, -45)}
			r.begin()
			r.scan()
			r.join(0, api.Good)
			r.wantUp(false)
			if reason := r.p.Status(r.now).AccessPoint.Reason; reason != "A network of its own is not allowed on the channel of home." {
				t.Error(reason)
			}
			r.around = append(r.around, sight("home", 2437, -60))
			r.until(time.Minute, func(rp RadioPlan) bool { return rp.Join.MHz == 2437 })
			r.wantUp(true)
		}},
		{"one that fails is tried again, then another radio", func(t *testing.T) {
			r := newRig(t).begin(pi(0), pi(1))
			r.pass(7 * time.Second)
			r.wantUp(true)
			r.tell(AccessPointDown{Phy: 0, Reason: "No."})
			r.wantUp(false)
			r.pass(2 * time.Second)
			if !r.radio(1).AccessPoint.Up {
				t.Fatal("the other radio does not try")
			}
			r.tell(AccessPointDown{Phy: 1, Reason: "No."})
			r.pass(3 * time.Second)
			r.wantUp(true)
		}},
		{"on the radio that is in no network", func(t *testing.T) {
			r := newRig(t, "home")
			r.settings.AccessPoint.Permanent = true
			r.tell(Configured{r.settings})
			r.around = []Sighting{home}
			r.begin(pi(0), pi(1))
			r.scan()
			if r.want("home"); !r.radio(1).AccessPoint.Up || r.radio(0).AccessPoint.Up {
				t.Error("on the wrong radio")
			}
		}},
		{"on the quietest channel", func(t *testing.T) {
			r := newRig(t)
			r.around = []Sighting{sight("a", 2412, -40), sight("b", 2437, -40), sight("c", 2452, -90)}
			r.begin()
			r.pass(7 * time.Second)
			if mhz := r.radio(0).AccessPoint.MHz; mhz != 2462 {
				t.Errorf("on %d MHz", mhz)
			}
		}},
		{"away from the addresses of other links", func(t *testing.T) {
			r := newRig(t)
			r.settings.AccessPoint.Permanent = true
			r.tell(Configured{r.settings})
			r.begin()
			r.scan()
			if a := r.radio(0).AccessPoint.Address; a != addresses[0] {
				t.Errorf("%v", a)
			}
			l := lease("198.51.100")
			l.Routes = append(l.Routes, Route{To: netip.MustParsePrefix("10.0.0.0/8")})
			r.tell(eth(1, true), Leased{1, l})
			if a := r.radio(0).AccessPoint.Address; a != addresses[1] {
				t.Errorf("%v", a)
			}
		}},
	} {
		t.Run(c.name, c.run)
	}
}

// TestCapture says which names clients of our access point are told to be ours.
func TestCapture(t *testing.T) {
	for _, c := range []struct {
		name    string
		setup   bool
		uplink  api.State // of a cable; empty: there is none
		want    Capture
		uplinks bool
	}{
		{"nothing else there", false, "", CaptureAll, false},
		{"setup, nothing else there", true, "", CaptureAll, false},
		{"no internet", false, api.LANOnly, CaptureAll, true},
		{"a page wants a sign-in", false, api.Captive, CaptureProbes, true},
		{"internet", false, api.Good, CaptureNone, true},
		{"setup with internet", true, api.Good, CaptureProbes, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.settings.Setup, r.settings.AccessPoint.Permanent = c.setup, true
			r.tell(Configured{r.settings})
			r.begin()
			r.scan()
			if c.uplink != "" {
				r.tell(eth(1, true), Leased{1, lease("198.51.100")}, Judged{Index: 1, Generation: 1, State: c.uplink})
			}
			if ap := r.radio(0).AccessPoint; ap.Capture != c.want || ap.Uplinks != c.uplinks {
				t.Errorf("%+v", ap)
			}
		})
	}
}
