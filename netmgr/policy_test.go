package netmgr

import (
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"manofwar/netmgr/api"
)

var update = flag.Bool("update", false, "write the golden files")

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func addrs(list ...string) []netip.Addr {
	var out []netip.Addr
	for _, s := range list {
		out = append(out, netip.MustParseAddr(s))
	}
	return out
}

func eth(index int, carrier bool, addresses ...string) LinkChanged {
	l := Link{Index: index, Name: fmt.Sprintf("eth%d", index), Kind: Ethernet, Up: true, Carrier: carrier}
	for _, a := range addresses {
		l.Addresses = append(l.Addresses, prefix(a))
	}
	return LinkChanged{l}
}

func lease(net string) Lease {
	return Lease{
		Address: prefix(net + ".50/24"), Server: netip.MustParseAddr(net + ".1"), DNS: addrs(net + ".1"),
		Routes: []Route{{To: prefix("0.0.0.0/0"), Via: netip.MustParseAddr(net + ".1")}},
		Search: []string{"home.arpa"}, Time: addrs(net + ".1"), Until: epoch.Add(time.Hour),
	}
}

// TestState follows one cable through all that may happen to it.
func TestState(t *testing.T) {
	for _, c := range []struct {
		name   string
		events []Event
		state  api.State
		reason string // begins so
		want   func(LinkPlan) bool
	}{
		{
			"no cable",
			[]Event{eth(1, false)},
			api.Down, "No cable",
			func(p LinkPlan) bool { return !p.Lease && !p.SelfAssign },
		},
		{
			"switched off",
			[]Event{LinkChanged{Link{Index: 1, Kind: Ethernet}}},
			api.Down, "No cable",
			func(p LinkPlan) bool { return p.SwitchOn },
		},
		{
			"cable",
			[]Event{eth(1, true)},
			api.Associated, "Waiting",
			func(p LinkPlan) bool { return p.Lease && !p.SelfAssign && p.Keep },
		},
		{
			"only IPv6",
			[]Event{eth(1, true, "2001:db8::9/64")},
			api.LANOnly, "The network has no router",
			func(p LinkPlan) bool { return p.Lease && p.Addresses == nil },
		},
		{
			"no answer",
			[]Event{eth(1, true), Unanswered{1}},
			api.Associated, "No router",
			func(p LinkPlan) bool { return p.Lease && p.SelfAssign },
		},
		{
			"self-assigned",
			[]Event{eth(1, true), Unanswered{1}, SelfAssigned{1, prefix("169.254.7.7/16")}},
			api.LANOnly, "No router answers. Only",
			func(p LinkPlan) bool {
				return p.Lease && p.SelfAssign && p.Addresses[0] == prefix("169.254.7.7/16") && p.Routes == nil
			},
		},
		{
			"leased",
			[]Event{eth(1, true), Leased{1, lease("192.0.2")}},
			api.LANOnly, "",
			func(p LinkPlan) bool {
				return p.Lease && p.Addresses[0] == prefix("192.0.2.50/24") && len(p.Routes) == 1 && p.Until.Equal(epoch.Add(time.Hour))
			},
		},
		{
			"leased after self-assigned",
			[]Event{eth(1, true), Unanswered{1}, SelfAssigned{1, prefix("169.254.7.7/16")}, Leased{1, lease("192.0.2")}, SelfAssigned{1, prefix("169.254.7.8/16")}},
			api.LANOnly, "",
			func(p LinkPlan) bool {
				return !p.SelfAssign && len(p.Addresses) == 1 && p.Addresses[0] == prefix("192.0.2.50/24")
			},
		},
		{
			"without a gateway",
			[]Event{eth(1, true), Leased{1, Lease{Address: prefix("192.0.2.50/24")}}},
			api.LANOnly, "The network has no router",
			func(p LinkPlan) bool { return p.Routes == nil },
		},
		{
			"unleased",
			[]Event{eth(1, true), Leased{1, lease("192.0.2")}, Unleased{1, "It ran out."}},
			api.Associated, "It ran out.",
			func(p LinkPlan) bool { return p.Lease && !p.Keep && p.Addresses == nil && p.Routes == nil },
		},
		{
			"pulled out",
			[]Event{eth(1, true), Leased{1, lease("192.0.2")}, eth(1, false)},
			api.Down, "No cable",
			func(p LinkPlan) bool { return !p.Lease && p.Addresses == nil && p.Generation == 1 },
		},
		{
			"plugged in again",
			[]Event{eth(1, true), Leased{1, lease("192.0.2")}, eth(1, false), eth(1, true)},
			api.Associated, "Waiting",
			func(p LinkPlan) bool { return p.Lease && p.Addresses == nil && p.Generation == 2 },
		},
		{
			"late news of a stopped client",
			[]Event{eth(1, true), eth(1, false), Leased{1, lease("192.0.2")}, Unanswered{1}},
			api.Down, "No cable",
			func(p LinkPlan) bool { return p.Addresses == nil && !p.SelfAssign },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := NewPolicy("pirate", true)
			for _, ev := range c.events {
				p.Handle(epoch, ev)
			}
			got := p.Status(epoch).Links[0]
			if got.State != c.state || !strings.HasPrefix(got.Reason, c.reason) || c.reason == "" && got.Reason != "" {
				t.Errorf("state %s, %q; want %s, %q", got.State, got.Reason, c.state, c.reason)
			}
			if plan := p.Plan().Links[0]; !c.want(plan) {
				t.Errorf("plan %+v", plan)
			}
		})
	}
}

// TestOrder prefers wired links, and of two the older one; each has its own metric, and what they name is put together.
func TestOrder(t *testing.T) {
	p := NewPolicy("pirate", true)
	p.Handle(epoch, LinkChanged{Link{Index: 2, Name: "wlan0", Kind: WiFi}})
	for _, ev := range []Event{eth(4, true), eth(3, true), Leased{4, lease("198.51.100")}, Leased{3, lease("192.0.2")}} {
		p.Handle(epoch, ev)
	}
	plan := p.Plan()
	if len(plan.Links) != 2 || plan.Links[0].Index != 3 || plan.Links[1].Index != 4 || plan.Links[0].Metric >= plan.Links[1].Metric {
		t.Errorf("links %+v", plan.Links)
	}
	if want := addrs("192.0.2.1", "198.51.100.1"); !slices.Equal(plan.DNS, want) || !slices.Equal(plan.Time, want) || len(plan.Search) != 1 {
		t.Errorf("servers %v, %v, %v", plan.DNS, plan.Time, plan.Search)
	}
	var names []string
	for _, l := range p.Status(epoch).Links {
		names = append(names, l.Name)
	}
	if !slices.Equal(names, []string{"eth3", "eth4", "wlan0"}) {
		t.Errorf("told in the order %v", names)
	}
	p.Handle(epoch, LinkGone{3})
	if plan := p.Plan(); len(plan.Links) != 1 || plan.DNS[0] != addrs("198.51.100.1")[0] {
		t.Errorf("with the first gone: %+v", plan)
	}
}

// TestObserve configures nothing and still tells, and says where to answer.
func TestObserve(t *testing.T) {
	p := NewPolicy("pirate", false)
	p.Handle(epoch, eth(1, true, "192.0.2.9/24", "fe80::9/64"))
	p.Handle(epoch, eth(2, false, "198.51.100.9/24"))
	p.Handle(epoch, Named{"pirate", "pirate-2"})
	plan, status := p.Plan(), p.Status(epoch)
	if plan.Links != nil || len(plan.Announce) != 1 || plan.Announce[0].Index != 1 || len(plan.Announce[0].Addresses) != 2 || plan.Hostname != "pirate-2" {
		t.Errorf("plan %+v", plan)
	}
	if status.Links[0].State != api.LANOnly || status.Links[1].State != api.Down || status.Hostname != "pirate-2" {
		t.Errorf("status %+v", status)
	}
}

// TestNamed takes over what the owner calls the device, once the name that is made of it was won.
func TestNamed(t *testing.T) {
	p := NewPolicy("pirate", true)
	type names struct{ Wanted, Hostname, Name, told string }
	for i, tt := range []struct {
		ev   Event
		want names
	}{
		{Tick{}, names{"pirate", "", "", ""}},
		{Named{"pirate", "pirate-2"}, names{"pirate", "pirate-2", "", "pirate-2"}},
		{Configured{Settings{Name: "Wohnzimmer TV"}}, names{"wohnzimmer-tv", "", "Wohnzimmer TV", ""}},
		{Named{"pirate", "pirate"}, names{"wohnzimmer-tv", "", "Wohnzimmer TV", ""}}, // too late
		{Named{"wohnzimmer-tv", "wohnzimmer-tv"}, names{"wohnzimmer-tv", "wohnzimmer-tv", "Wohnzimmer TV", "wohnzimmer-tv"}},
		{Configured{Settings{Name: "Wohnzimmer-TV"}}, names{"wohnzimmer-tv", "wohnzimmer-tv", "Wohnzimmer-TV", "wohnzimmer-tv"}},
		{Named{"wohnzimmer-tv", "wohnzimmer-tv-3"}, names{"wohnzimmer-tv", "wohnzimmer-tv-3", "Wohnzimmer-TV (3)", "wohnzimmer-tv-3"}},
		{Configured{Settings{Name: "Channel 5"}}, names{"channel-5", "", "Channel 5", ""}},
		{Named{"channel-5", "channel-5"}, names{"channel-5", "channel-5", "Channel 5", "channel-5"}},
		{Configured{}, names{"pirate", "", "", ""}},
	} {
		p.Handle(epoch, tt.ev)
		plan, status := p.Plan(), p.Status(epoch)
		if got := (names{plan.Wanted, plan.Hostname, plan.Name, status.Hostname}); got != tt.want || status.Name != plan.Name {
			t.Errorf("%d: after %+v: %+v, and %q in the status; want %+v", i, tt.ev, got, status.Name, tt.want)
		}
	}
}

// TestSince tells since when by the clock of the moment: it is often set long after the link came up.
func TestSince(t *testing.T) {
	p, began := NewPolicy("pirate", true), time.Now()
	p.Handle(began, eth(1, true))
	p.Handle(began.Add(time.Minute), eth(1, true, "fe80::1/64"))
	if got := p.Status(began.Add(time.Hour)).Links[0].Since; !got.Equal(began) {
		t.Errorf("since %v, want %v", got, began)
	}
}

// TestResolvConf compares with the golden file.
func TestResolvConf(t *testing.T) {
	got := Plan{DNS: addrs("192.0.2.1", "2001:db8::1"), Search: []string{"home.arpa", "example"}}.ResolvConf()
	golden := filepath.Join("testdata", "resolv.conf")
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || string(got) != string(want) {
		t.Errorf("got %q, want %q (%v)", got, want, err)
	}
}
