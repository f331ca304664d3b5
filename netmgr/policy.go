package netmgr

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Policy knows what happened and derives what should be so. It is for one goroutine. The zero value manages nothing and
// only tells how the host is; see [NewPolicy].
//
// After every event it goes through the same steps: what took too long is over; what networks turned out to be worth is
// noted; an attempt of the owner comes first; each radio chooses; our own access point follows; who still has nothing to do
// looks around. A step that waits for a time says so by due, and Next is the earliest of those times.
type Policy struct {
	manage   bool
	guest    bool   // addresses and routes are the host's own business
	given    string // the host's name where the owner chose none
	label    string // wanted under .local
	hostname string // won; empty: not yet
	clock    time.Time
	trouble  string

	links    map[int]*link
	settings Settings
	networks []*network // those that the owner knows, in his order
	radios   []*radio   // in the order of their numbers
	own      own
	attempt  *attempt
	stream   Streaming

	now     time.Time // of the last event
	next    time.Time // when something is due; zero: nothing is
	numbers int       // of scans and joins that were handed out
	changes int       // of what is planned: a step that made one lets all steps run again

	began    time.Time // when the first event came
	works    time.Time // since when some link works; zero: none does
	lost     time.Time // since when none does, if none does
	departed time.Time // when a network that worked was last left for another by choice
}

// NewPolicy returns a policy. With manage it configures the links; without, the host's own system does, and the policy
// only tells how they are and where to answer our name.
func NewPolicy(hostname string, manage bool) *Policy {
	return &Policy{manage: manage, given: hostname, label: hostname}
}

// NewGuestPolicy returns a policy that decides which networks the radios are in, and leaves the configuration of links to
// the host's own system.
func NewGuestPolicy(hostname string) *Policy {
	return &Policy{manage: true, guest: true, given: hostname, label: hostname}
}

// Handle takes note of what happened at now. Time does not go back: an earlier now counts as the last one.
func (p *Policy) Handle(now time.Time, ev Event) {
	if p.began.IsZero() {
		p.began, p.lost = now, now
	}
	if now.After(p.now) {
		p.now = now
	}
	p.note(ev)
	p.step()
}

// Next returns when the policy wants a [Tick] if nothing else happens before, and false if it waits for nothing.
func (p *Policy) Next() (time.Time, bool) { return p.next, !p.next.IsZero() }

// note takes over what an event says.
func (p *Policy) note(ev Event) {
	switch ev := ev.(type) {
	case LinkChanged:
		p.linkChanged(ev.Link)
	case LinkGone:
		delete(p.links, ev.Index)
	case Leased, Unleased, Unanswered, SelfAssigned, RouterNamed, Judged:
		p.noteLink(ev)
	case RadioChanged, RadioGone, Scanned, Joined, Roamed, Unjoined, Heard:
		p.noteRadio(ev)
	case AccessPointUp, AccessPointDown, AccessPointClients:
		p.noteOwn(ev)
	case Configured:
		p.configure(ev.Settings)
	case Try:
		p.try(ev.Profile)
	case Look:
		p.lookAround()
	case Streaming:
		p.stream = ev
	case Named:
		if ev.Wanted == "" || ev.Wanted == p.label { // else another one was chosen meanwhile
			p.hostname = ev.Hostname
		}
	case ClockSet:
		p.clock = ev.At
	case Troubled:
		p.trouble = ev.Reason
	}
}

// maxRounds bounds how often one event makes all steps run: each needs a round or two to come to rest.
const maxRounds = 16

// step brings what is planned in line with what is known.
func (p *Policy) step() {
	if !p.manage {
		return
	}
	for range maxRounds {
		before := p.changes
		p.next = time.Time{}
		p.overdue()
		p.learn()
		p.pursue()
		p.choose()
		p.raise()
		p.look()
		if p.changes == before {
			return
		}
	}
	p.due(p.now.Add(time.Second)) // not at rest: never seen, and never to become a busy loop
}

// due reports whether a time has come. If it has not, the policy wants to be woken then.
func (p *Policy) due(t time.Time) bool {
	if !t.After(p.now) {
		return true
	}
	if p.next.IsZero() || t.Before(p.next) {
		p.next = t
	}
	return false
}

// since returns how long ago t was.
func (p *Policy) since(t time.Time) time.Duration { return p.now.Sub(t) }

// number returns one that no scan and no join had yet.
func (p *Policy) number() int {
	p.numbers++
	p.changes++
	return p.numbers
}

// Plan returns how the network should be, given all that happened.
func (p *Policy) Plan() Plan {
	plan := Plan{Wanted: p.label, Hostname: p.hostname, Name: p.name()}
	if p.manage && len(p.links) > 0 {
		plan.Links = make([]LinkPlan, 0, len(p.links))
	}
	for i, l := range p.ordered() {
		if p.manages(l) && !p.guest {
			plan.Links = append(plan.Links, l.plan(firstMetric+metricStep*i))
		}
		if a := l.reachable(); len(a) > 0 {
			plan.Announce = append(plan.Announce, Announcement{Index: l.Index, Name: l.Name, Addresses: a})
		}
		if l.addressed && (l.managed || !p.manage) { // our access point's own interface leads nowhere
			plan.Judge = append(plan.Judge, p.planJudge(l, len(plan.Judge) == 0))
		}
		plan.DNS = appendNew(plan.DNS, l.servers(p.now)...)
		plan.Search = appendNew(plan.Search, l.lease.Search...)
		plan.Time = appendNew(plan.Time, l.lease.Time...)
	}
	plan.DNS = plan.DNS[:min(len(plan.DNS), MaxServers)]
	if p.manage && len(p.radios) > 0 {
		plan.Radios = make([]RadioPlan, 0, len(p.radios))
		for _, r := range p.radios {
			plan.Radios = append(plan.Radios, p.planRadio(r))
		}
	}
	return plan
}

// rename takes over what the owner calls the device. The name that was won until now is given up for it.
func (p *Policy) rename(name string) {
	wanted := p.given
	if name != "" {
		wanted = Label(name)
	}
	if wanted != p.label {
		p.label, p.hostname = wanted, ""
	}
}

// name is what people are told the device is called, with the number that tells it from another one of the same name.
func (p *Policy) name() string {
	called := p.settings.Name
	number := p.hostname[strings.LastIndexByte(p.hostname, '-')+1:]
	if n, err := strconv.Atoi(number); err == nil && n > 1 && called != "" && p.hostname == NumberedLabel(p.label, n) {
		called += " (" + number + ")" // RFC 6763, appendix D
	}
	return called
}

// planRadio returns what a radio should do.
func (p *Policy) planRadio(r *radio) RadioPlan {
	rp := RadioPlan{Phy: r.Phy, Scan: r.look.scan}
	if r.stay.phase >= joining {
		rp.Join = r.stay.join
	}
	if p.own.planned && p.own.phy == r.Phy {
		rp.AccessPoint = p.planOwn()
	}
	return rp
}

// planJudge returns how a link with an address is to be judged.
func (p *Policy) planJudge(l *link, first bool) JudgePlan {
	j := JudgePlan{Index: l.Index, Name: l.Name, Generation: l.generation, DNS: l.servers(p.now), Pace: Standby}
	for _, r := range l.lease.Routes {
		if r.Default() {
			j.Gateways = appendNew(j.Gateways, r.Via)
		}
	}
	j.Gateways = appendNew(j.Gateways, l.Gateways...)
	switch {
	case p.metered(l):
		j.Pace = Costly
	case first:
		j.Pace = InUse
	}
	return j
}

// usable leaves out the addresses that mean nothing to others on the link.
func usable(addresses []netip.Prefix) []netip.Prefix {
	var out []netip.Prefix
	for _, a := range addresses {
		if ip := a.Addr(); ip.IsGlobalUnicast() || ip.IsLinkLocalUnicast() {
			out = append(out, a)
		}
	}
	return out
}

// appendNew appends those that are not there yet.
func appendNew[T comparable](list []T, more ...T) []T {
	for _, v := range more {
		if !slices.Contains(list, v) {
			list = append(list, v)
		}
	}
	return list
}
