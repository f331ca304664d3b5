package netmgr

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"manofwar/netmgr/api"
)

// Status tells how the network is, for other services and for people. It leaves out what the policy does not know: the
// access point's passphrase and the country.
func (p *Policy) Status(now time.Time) api.Status {
	s := api.Status{Clock: p.clock, Trouble: p.trouble, Links: []api.Link{}, State: api.Down, Setup: p.settings.Setup}
	s.Name, s.Hostname = p.name(), p.hostname
	way := false
	for _, l := range p.ordered() {
		if p.own.up && l.Index == p.own.index {
			continue
		}
		told := api.Link{
			Name:      l.Name,
			State:     l.state,
			Since:     wall(now, l.since),
			Addresses: l.reachable(),
			Gateway:   l.gateway(),
			DNS:       l.servers(p.now),
			Reason:    p.reason(l),
			Kind:      string(l.Kind),
			Login:     l.verdict.Login,
		}
		if r := p.radioOf(l.Index); r != nil {
			told.WiFi = r.wifi()
		}
		if rank[l.state] > rank[s.State] {
			s.State = l.state
		}
		if !way && l.gateway().IsValid() && rank[l.state] > rank[api.Associated] {
			way, s.Metered = true, p.metered(l)
		}
		s.Links = append(s.Links, told)
	}
	s.AccessPoint, s.Attempt = p.statusOwn(), p.statusAttempt()
	return s
}

// wall tells by the wall clock of now when t was: a time of the monotonic clock is right even if that clock was set since.
func wall(now, t time.Time) time.Time { return now.Add(t.Sub(now)).Round(0) }

// wifi tells of the network that the radio is in; nil: none.
func (r *radio) wifi() *api.WiFi {
	st := &r.stay
	if !r.in() {
		return nil
	}
	w := &api.WiFi{
		SSID: printable(st.network.SSID), Profile: st.network.ID, BSSID: st.bssid.String(),
		Channel: channel(st.mhz), MHz: st.mhz, Signal: st.signal,
	}
	if s := r.sighting(st.bssid); s != nil {
		w.Security, w.Signal = s.Security, cmp.Or(w.Signal, s.Signal)
	}
	return w
}

// channel returns the number of a channel (IEEE Std 802.11-2020, 17.3.8.4.2 and 15.4.4.3), or 0 if it has none.
func channel(mhz int) int {
	switch {
	case mhz == 2484:
		return 14
	case mhz >= 2412 && mhz < 2484:
		return (mhz - 2407) / 5
	case mhz >= 5955 && mhz <= 7115:
		return (mhz - 5950) / 5
	case mhz > 5000 && mhz < 5900:
		return (mhz - 5000) / 5
	}
	return 0
}

// metered reports whether traffic over the link costs.
func (p *Policy) metered(l *link) bool {
	r := p.radioOf(l.Index)
	return l.Kind == USB || r != nil && r.stay.network != nil && r.stay.network.Metered
}

// statusOwn tells of our access point; nil: no radio can make one.
func (p *Policy) statusOwn() *api.AccessPoint {
	o, s := &p.own, &p.settings.AccessPoint
	if !slices.ContainsFunc(p.radios, func(r *radio) bool { return r.AccessPoint }) {
		return nil
	}
	ap := &api.AccessPoint{
		Up: o.up, SSID: printable(p.ownSSID()), Open: s.Open, Permanent: s.Permanent, Off: s.Off,
		Channel: channel(o.mhz), Clients: o.clients,
	}
	switch {
	case o.up:
		plan := p.planOwn()
		ap.Address, ap.Capture = plan.Address, string(plan.Capture)
	case o.wanted:
		ap.Reason = o.reason
	}
	return ap
}

// statusAttempt tells of the last attempt; nil: none that is news.
func (p *Policy) statusAttempt() *api.Attempt {
	a := p.attempt
	if a == nil {
		return nil
	}
	told := &api.Attempt{
		ID: a.network.ID, SSID: printable(a.network.SSID), State: a.state, Reason: a.reason, Link: a.link, Address: a.address,
	}
	if a.state == api.Addressing || a.state == api.Connected {
		told.Profile = a.network.ID
	}
	return told
}

// Known is what was learnt of a network that the owner knows.
type Known struct {
	ID       string
	Channels []int     // MHz on which it was heard, the last first: the hints of [Profile] for the next life
	Failure  string    // why it could not be joined last, in words for a person
	FailedAt time.Time // zero: never, or it was joined since
	UsedAt   time.Time // when it was last joined; zero: not in this life
}

// Known tells what was learnt of the networks that the owner knows, in his order.
func (p *Policy) Known(now time.Time) []Known {
	list := make([]Known, 0, len(p.networks))
	for _, n := range p.networks {
		k := Known{ID: n.ID, Channels: n.channels, Failure: n.failure}
		if !n.failedAt.IsZero() {
			k.FailedAt = wall(now, n.failedAt)
		}
		if !n.usedAt.IsZero() {
			k.UsedAt = wall(now, n.usedAt)
		}
		list = append(list, k)
	}
	return list
}

// reachable returns the addresses by which others on the link can reach us now.
func (l *link) reachable() []netip.Prefix {
	if !l.Carrier {
		return nil
	}
	return usable(l.Addresses)
}

// gateway returns the link's way to everywhere else, or the zero Addr.
func (l *link) gateway() netip.Addr {
	for _, r := range l.lease.Routes {
		if r.Default() {
			return r.Via
		}
	}
	if len(l.Gateways) > 0 {
		return l.Gateways[0]
	}
	return netip.Addr{}
}

// reason tells a person why a link reaches no further.
func (p *Policy) reason(l *link) string {
	r := p.radioOf(l.Index)
	medium := "cable"
	if l.Kind == WiFi {
		medium = "network"
	}
	switch {
	case p.manage && l.Kind == WiFi && r == nil:
		return "This WiFi radio cannot be used. Use a network cable, or another WiFi stick."
	case !l.Carrier && r != nil && p.manage:
		return p.reasonApart(r)
	case !l.Carrier && p.manage:
		return "No cable is plugged in, or the other end is off."
	case !l.Carrier:
		return "It is not connected."
	case l.verdict.State != "":
		return l.verdict.Reason
	case l.state == api.Associated && l.reason != "":
		return l.reason
	case l.state == api.Associated && l.unanswered:
		return fmt.Sprintf("No router answers on this %s.", medium)
	case l.state == api.Associated:
		return "Waiting for an address."
	case l.self.IsValid() && l.Kind == WiFi:
		return "No router answers. Only what is in the same network reaches this device."
	case l.self.IsValid():
		return "No router answers. Only what is on the same cable or switch reaches this device."
	case p.manage && !l.gateway().IsValid():
		return "The network has no router to the internet."
	}
	return ""
}

// reasonApart tells a person why a radio is in no network.
func (p *Policy) reasonApart(r *radio) string {
	if r.stay.phase != apart {
		return fmt.Sprintf("Joining %s.", printable(r.stay.network.SSID))
	}
	var names []string
	var failure string
	for _, n := range p.networks {
		switch {
		case n.Off:
		case n.failure != "" && failure == "" && r.prospect(n).strikes > 0:
			failure = n.failure
		default:
			names = append(names, printable(n.SSID))
		}
	}
	switch {
	case failure != "":
		return failure
	case len(names) == 0:
		return "No WiFi is set up."
	case len(names) > 3:
		return fmt.Sprintf("None of the %d known networks is in reach.", len(names))
	case len(names) == 1:
		return names[0] + " is not in reach."
	default:
		return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1] + " are not in reach."
	}
}

// ResolvConf returns the plan's name servers in the form of resolv.conf(5).
func (p Plan) ResolvConf() []byte {
	var b strings.Builder
	b.WriteString("# Written by manofwar's network manager whenever the network changes.\n")
	if len(p.Search) > 0 {
		fmt.Fprintf(&b, "search %s\n", strings.Join(p.Search, " "))
	}
	for _, a := range p.DNS {
		fmt.Fprintf(&b, "nameserver %s\n", a)
	}
	b.WriteString("options timeout:2 attempts:2\n")
	return []byte(b.String())
}
