package netmgr

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"manofwar/netmgr/api"
)

// rig plays the world of a policy: it answers what the policy plans, as the tests say.
type rig struct {
	*testing.T
	p        *Policy
	now      time.Time
	settings Settings
	around   []Sighting // what scans find
}

const both = 3 // the index of the interface of radio 0

// pi is a radio like the Pi's.
func pi(phy int) Radio {
	r := Radio{Phy: phy, Station: both + phy, AccessPoint: true, Together: true}
	for mhz := 2412; mhz <= 2462; mhz += 5 {
		r.Channels = append(r.Channels, Channel{MHz: mhz})
	}
	for _, mhz := range []int{5180, 5260} {
		r.Channels = append(r.Channels, Channel{MHz: mhz, NoBeacon: mhz == 5260})
	}
	return r
}

// newRig returns a rig with a radio, and an owner who knows networks of these names, the ones that begin with "phone" metered.
func newRig(t *testing.T, names ...string) *rig {
	r := &rig{T: t, p: NewPolicy("pirate", true), now: epoch}
	r.settings.AccessPoint.SSID = "manofwar"
	for _, n := range names {
		r.settings.Profiles = append(r.settings.Profiles, Profile{ID: n, SSID: n, Metered: n == "phone"})
	}
	r.tell(Configured{r.settings}, eth(1, false))
	return r
}

// begin plugs the radio in.
func (r *rig) begin(radios ...Radio) *rig {
	if len(radios) == 0 {
		radios = []Radio{pi(0)}
	}
	for _, k := range radios {
		r.tell(RadioChanged{k}, LinkChanged{Link{Index: k.Station, Name: fmt.Sprintf("wlan%d", k.Phy), Kind: WiFi, Up: true}})
	}
	return r
}

func (r *rig) tell(events ...Event) {
	for _, ev := range events {
		r.p.Handle(r.now, ev)
	}
}

// pass lets time pass. Looks are answered at once with what is around.
func (r *rig) pass(d time.Duration) {
	for end := r.now.Add(d); ; {
		r.scan()
		next, waits := r.p.Next()
		if !waits || next.After(end) {
			r.now = end
			r.tell(Tick{})
			r.scan()
			return
		}
		r.now = next
		r.tell(Tick{})
	}
}

// scan answers the looks that go on.
func (r *rig) scan() {
	for range 10 {
		again := false
		for _, rp := range r.p.Plan().Radios {
			if s := rp.Scan; s.Number != 0 {
				again = true
				r.tell(Scanned{Phy: rp.Phy, Number: s.Number, MHz: s.MHz, Networks: r.found(s)})
			}
		}
		if !again {
			return
		}
	}
	r.Fatal("the policy looks again and again at one instant")
}

func (r *rig) found(s Scan) []Sighting {
	var out []Sighting
	for _, b := range r.around {
		if s.MHz == nil || slices.Contains(s.MHz, b.MHz) {
			b.At = r.now
			out = append(out, b)
		}
	}
	return out
}

// sight returns an access point of a network: its address follows from its place.
func sight(ssid string, mhz, signal int) Sighting {
	return Sighting{
		SSID: ssid, BSSID: MAC{2, ssid[0], ssid[len(ssid)-1], byte(mhz >> 8), byte(mhz)}, MHz: mhz, Signal: signal,
		Join: true, Security: "WPA2",
	}
}

func (r *rig) radio(phy int) RadioPlan {
	plan := r.p.Plan()
	i := slices.IndexFunc(plan.Radios, func(rp RadioPlan) bool { return rp.Phy == phy })
	if i < 0 {
		return RadioPlan{}
	}
	return plan.Radios[i]
}

// joins returns the network that radio 0 is to be in.
func (r *rig) joins() string { return r.radio(0).Join.Profile }

// join lets the join of a radio succeed; with an address and a verdict unless the state is empty.
func (r *rig) join(phy int, s api.State) {
	r.Helper()
	j := r.radio(phy).Join
	if j.Number == 0 {
		r.Fatalf("radio %d joins nothing", phy)
	}
	r.tell(Joined{Phy: phy, Number: j.Number, BSSID: j.BSSID, MHz: j.MHz})
	if s == "" {
		return
	}
	r.tell(Leased{both + phy, lease(fmt.Sprintf("192.0.%d", phy+2))})
	r.judge(phy, s)
}

func (r *rig) judge(phy int, s api.State) {
	for _, l := range r.p.Plan().Links {
		if l.Index == both+phy {
			r.tell(Judged{Index: l.Index, Generation: l.Generation, State: s, Reason: string(s)})
		}
	}
}

// fail lets the join of radio 0 fail or end.
func (r *rig) fail(why Failure) {
	r.tell(Unjoined{Number: r.radio(0).Join.Number, Why: why})
}

// up lets our access point be heard where it is planned.
func (r *rig) up(phy int) {
	r.Helper()
	ap := r.radio(phy).AccessPoint
	if !ap.Up {
		r.Fatal("no access point is planned")
	}
	r.tell(AccessPointUp{Phy: phy, Index: 9, MHz: ap.MHz})
}

// want fails the test unless radio 0 is in a network or on its way into it; empty: in none.
func (r *rig) want(network string) {
	r.Helper()
	if got := r.joins(); got != network {
		r.Fatalf("after %v: in %q, want %q", r.now.Sub(epoch), got, network)
	}
}

// wantWithin fails the test unless radio 0 is told to join a network before so much time has passed.
func (r *rig) wantWithin(d time.Duration, network string) {
	r.Helper()
	r.until(d, func(rp RadioPlan) bool { return rp.Join.Profile == network })
}

// until lets time pass until the plan of radio 0 is as it should be, and fails the test if it takes too long.
func (r *rig) until(d time.Duration, as func(RadioPlan) bool) {
	r.Helper()
	for end := r.now.Add(d); !as(r.radio(0)); r.pass(time.Second) {
		if !r.now.Before(end) {
			r.Fatalf("after %v: %+v", r.now.Sub(epoch), r.radio(0))
		}
	}
}

// wantUp fails the test unless our access point is planned on radio 0, or not.
func (r *rig) wantUp(up bool) {
	r.Helper()
	if got := r.radio(0).AccessPoint.Up; got != up {
		r.Fatalf("after %v: our access point %v, want %v", r.now.Sub(epoch), got, up)
	}
}

func (r *rig) wantSSID(ssid string) {
	r.Helper()
	if got, told := r.radio(0).AccessPoint.SSID, r.p.Status(r.now).AccessPoint.SSID; got != ssid || told != ssid {
		r.Fatalf("after %v: our access point is %q, and told to be %q, want %q", r.now.Sub(epoch), got, told, ssid)
	}
}
