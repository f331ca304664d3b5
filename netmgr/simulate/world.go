package simulate

import (
	"fmt"
	"strings"
	"time"

	"manofwar/netmgr"
	"manofwar/netmgr/api"
)

// world is one day: what is around, the adapters, and the policy.
type world struct {
	roll
	seed uint64
	log  func(string) // nil: nothing is logged

	now    time.Duration
	queue  queue
	policy *netmgr.Policy

	settings netmgr.Settings
	networks []*network
	cards    []*card
	cable    cable
	stream   netmgr.Streaming
	checks
}

// network is a router somewhere around, or a phone.
type network struct {
	ssid     string
	profile  string // the ID under which the owner knows it; empty: it is a neighbour's
	bss      []bss
	on       bool
	hidden   bool
	right    bool      // our password is
	leases   bool      // its DHCP server answers
	reach    api.State // what lies behind it: Good, Captive, LANOnly; Associated: not even its gateway answers
	changed  time.Duration
	expected bool // the policy has heard it where it was then
}

// bss is one of its access points.
type bss struct {
	mac    netmgr.MAC
	mhz    int
	signal int // dBm
}

// audible is the signal that a network must have to be usable.
const audible = -80

// usable reports whether we could be in the network and reach at least its gateway.
func (n *network) usable() bool {
	return n.profile != "" && n.on && n.right && n.leases && n.reach != api.Associated
}

// signal returns that of the network's strongest access point that some radio can join.
func (w *world) signal(n *network) int {
	best := -100
	for _, b := range n.bss {
		for _, c := range w.cards {
			if c.healthy() && c.hears(b.mhz) {
				best = max(best, b.signal)
			}
		}
	}
	return best
}

// started is when days begin by the clock that the policy sees.
var started = time.Date(2026, 3, 29, 0, 0, 0, 0, time.UTC)

func (w *world) clock() time.Time { return started.Add(w.now) }

// newWorld makes up a day.
func newWorld(seed uint64, log func(string)) *world {
	w := &world{roll: newRoll(seed), seed: seed, log: log}
	w.makeNetworks()
	w.makeCards()
	w.cable = cable{index: 2, right: true, reach: api.Good}
	w.makeSettings()
	w.checks.begin(w)
	return w
}

// Where networks are. 5260 is a channel of radar, where our own access point may not be.
var (
	channels2 = []int{2412, 2417, 2437, 2452, 2462}
	channels5 = []int{5180, 5220, 5745, 5260}
)

func (w *world) makeNetworks() {
	names := []string{"Home", "FRITZ!Box 7590", "Name’s iPhone", "Office", "Boat"}
	count := 1 + w.IntN(len(names))
	for i := range count {
		n := &network{
			ssid: names[i], profile: fmt.Sprintf("p%d", i), right: true, leases: true, reach: api.Good,
			on: i == 0 && !w.chance(10) || i > 0 && w.chance(40), hidden: w.chance(8),
		}
		w.makeBSS(n, byte(i))
		w.networks = append(w.networks, n)
	}
	for i := range w.IntN(6) {
		n := &network{ssid: fmt.Sprintf("Neighbour %d", i), right: true, leases: true, reach: api.Good, on: true}
		w.makeBSS(n, byte(0x80+i))
		w.networks = append(w.networks, n)
	}
}

func (w *world) makeBSS(n *network, id byte) {
	n.bss = []bss{{netmgr.MAC{2, 0, 0, 0, id, 0}, channels2[w.IntN(len(channels2))], -40 - w.IntN(35)}}
	if w.chance(30) {
		n.bss = append(n.bss, bss{netmgr.MAC{2, 0, 0, 0, id, 1}, channels5[w.IntN(len(channels5))], -45 - w.IntN(40)})
	}
	if w.chance(10) {
		n.bss = append(n.bss, bss{netmgr.MAC{2, 0, 0, 0, id, 2}, channels2[w.IntN(len(channels2))], -50 - w.IntN(40)})
	}
}

func (w *world) makeSettings() {
	for i, n := range w.networks {
		if n.profile != "" {
			w.settings.Profiles = append(w.settings.Profiles, netmgr.Profile{
				ID: n.profile, SSID: n.ssid, Hidden: n.hidden, Metered: i == 2, Off: w.chance(2),
			})
		}
	}
	w.settings.AccessPoint.SSID = "manofwar"
	w.settings.AccessPoint.Permanent = w.chance(10)
	w.settings.Setup = w.chance(5)
}

// profile returns how the owner knows a network, or nil.
func (w *world) profile(n *network) *netmgr.Profile {
	for i := range w.settings.Profiles {
		if w.settings.Profiles[i].ID == n.profile {
			return &w.settings.Profiles[i]
		}
	}
	return nil
}

// boot starts a policy, which knows what its predecessor has left.
func (w *world) boot() {
	if w.policy != nil {
		for i, k := range w.policy.Known(w.clock()) {
			w.settings.Profiles[i].Channels = k.Channels
		}
	}
	w.policy = netmgr.NewPolicy("manofwar", true)
	for _, c := range w.cards {
		c.reset()
	}
	w.cable.end()
	w.tell(netmgr.Configured{Settings: w.settings})
	w.tell(netmgr.LinkChanged{Link: w.cable.link()})
	for _, c := range w.cards {
		if c.plugged {
			w.plug(c)
		}
	}
	w.tell(w.stream)
}

// tell lets the policy handle an event, and carries out what it plans then.
func (w *world) tell(ev netmgr.Event) {
	w.sayEvent(ev)
	w.events++
	w.policy.Handle(w.clock(), ev)
	w.follow()
	w.check()
}

// sayEvent writes an event to the log, unless it says nothing that is not there already.
func (w *world) sayEvent(ev netmgr.Event) {
	if w.log == nil {
		return
	}
	switch ev := ev.(type) {
	case netmgr.Tick, netmgr.RadioChanged, netmgr.Configured, netmgr.Streaming:
	case netmgr.Leased:
		w.say("  Leased %d %v", ev.Index, ev.Lease.Address)
	case netmgr.Scanned:
		heard := ""
		for _, s := range ev.Networks {
			if !strings.HasPrefix(s.SSID, "Neighbour") {
				heard += fmt.Sprintf(" %q %d MHz %d dBm,", s.SSID, s.MHz, s.Signal)
			}
		}
		w.say("  Scanned phy%d #%d %v %v%s", ev.Phy, ev.Number, ev.MHz, ev.Err, heard)
	default:
		w.say("  %T %+v", ev, ev)
	}
}

// say writes a line of the log.
func (w *world) say(format string, args ...any) {
	if w.log != nil && len(w.violations) == 0 {
		w.log(fmt.Sprintf("%12.3f ", w.now.Seconds()) + fmt.Sprintf(format, args...))
	}
}

// run lets the day pass.
func (w *world) run() {
	w.boot()
	w.schedule()
	same := 0
	for len(w.violations) == 0 {
		next, waits := w.policy.Next()
		at := next.Sub(started)
		if e, ok := w.queue.first(); ok && (!waits || e <= at) {
			if e > day {
				break
			}
			w.now = e
			w.queue.pop()()
			same = 0
			continue
		}
		if !waits || at > day {
			break
		}
		if same++; at <= w.now && same > 3 {
			w.violate(Restless)
		}
		if at > w.now {
			same = 0
		}
		w.now = max(w.now, at)
		w.tell(netmgr.Tick{})
	}
	w.now = day
	w.finish()
}

// after lets something happen a while from now.
func (w *world) after(d time.Duration, do func()) { w.queue.push(w.now+d, do) }

// queue holds what is going to happen, the earliest first (a binary heap; of one instant, in the order in which it was
// pushed).
type queue struct {
	items []item
	count int
}

type item struct {
	at  time.Duration
	seq int
	do  func()
}

func (i item) before(o item) bool { return i.at < o.at || i.at == o.at && i.seq < o.seq }

func (q *queue) first() (time.Duration, bool) {
	if len(q.items) == 0 {
		return 0, false
	}
	return q.items[0].at, true
}

func (q *queue) push(at time.Duration, do func()) {
	q.count++
	q.items = append(q.items, item{at, q.count, do})
	for i := len(q.items) - 1; i > 0; {
		up := (i - 1) / 2
		if !q.items[i].before(q.items[up]) {
			return
		}
		q.items[i], q.items[up] = q.items[up], q.items[i]
		i = up
	}
}

func (q *queue) pop() func() {
	top, last := q.items[0].do, len(q.items)-1
	q.items[0] = q.items[last]
	q.items[last] = item{}
	q.items = q.items[:last]
	for i := 0; ; {
		least := i
		for _, c := range []int{2*i + 1, 2*i + 2} {
			if c < last && q.items[c].before(q.items[least]) {
				least = c
			}
		}
		if least == i {
			return top
		}
		q.items[i], q.items[least] = q.items[least], q.items[i]
		i = least
	}
}
