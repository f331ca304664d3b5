package simulate

import (
	"slices"
	"time"

	"manofwar/netmgr"
	"manofwar/netmgr/api"
)

// checks hold the rules, and measure.
type checks struct {
	world      *world
	events     int
	violations []Violation

	steady   time.Duration // when anything last changed, in the world or by somebody's wish
	troubled time.Duration // when a radio, the manager or a wish last did
	down     time.Duration // since when nothing works; working says whether
	working  bool
	dark     span          // neither works anything nor is our access point up
	needed   time.Duration // when somebody in our access point last played, or set us up
	noisy    time.Duration // when something was last played that a change of network would cut
	better   span          // a better network is there
	departed []departure   // by choice, of the last minute
	attempt  string        // the ID of the attempt that goes on
	tried    time.Duration // when it began
	measures
}

// span is a time for which something was so without a break.
type span struct {
	on    bool
	began time.Duration
}

// since returns since when it is so; now, if it is not.
func (s *span) since(now time.Duration, so bool) time.Duration {
	if !so || !s.on {
		s.on, s.began = so, now
	}
	return s.began
}

// departure is a network's being left by choice.
type departure struct {
	at       time.Duration
	from, to string
}

// The bounds of the rules.
const (
	stuckFor    = time.Minute      // a network on a channel where it was before
	stuckWide   = 3 * time.Minute  // a network elsewhere, or while somebody is in our access point
	silentFor   = 45 * time.Second // without our access point
	lesserFor   = 15 * time.Minute // doubt lasts up to ten minutes
	steadyFor   = 5 * time.Minute  // after which a world counts as steady
	attemptFor  = 90 * time.Second
	wellAudible = -70 // dBm
)

func (c *checks) begin(w *world) { c.world = w }

// violate takes note that a rule did not hold.
func (c *checks) violate(r Rule) {
	w := c.world
	w.say("VIOLATION: %s", r)
	w.describe()
	c.violations = append(c.violations, Violation{w.seed, w.now, r})
}

// describe writes how everything is.
func (w *world) describe() {
	if w.log == nil {
		return
	}
	for _, n := range w.networks {
		if n.profile != "" {
			w.say("  network %s: on %v, password %v, leases %v, %s, for %v, %v, %+v",
				n.ssid, n.on, n.right, n.leases, n.reach, w.now-n.changed, n.bss, *w.profile(n))
		}
	}
	for _, c := range w.cards {
		w.say("  phy%d: plugged %v, broken %v, deaf %v, together %v, follows %v, own %v on %d with %d, join %+v, in %v, addressed %v, judged %s",
			c.radio.Phy, c.plugged, c.broken, c.deaf, c.radio.Together, c.radio.Follows, c.ownUp, c.ownMHz, c.clients, c.join, c.joined != nil, c.addressed, c.told)
	}
	w.say("  stream %+v, settings %+v", w.stream, w.settings)
	w.say("  status %+v", w.policy.Status(w.clock()))
}

// check looks at what must hold at any moment.
func (c *checks) check() {
	w := c.world
	c.checkAttempt()
	was := c.working
	c.working = w.works() > nothing
	if was && !c.working {
		c.down, c.apMeasured = w.now, false
		w.say("nothing works")
	}
	c.measure(was)
	if w.fragile() {
		c.noisy = w.now
	}
	if c.working {
		c.dark = span{}
	} else {
		c.checkDown()
	}
	c.checkBetter()
}

// worth is what a network is good for.
type worth int

const (
	nothing worth = iota
	local         // whoever is in it
	whole         // the internet
)

func worthOf(s api.State) worth {
	switch s {
	case api.Good:
		return whole
	case api.Captive, api.LANOnly:
		return local
	}
	return nothing
}

// works returns the best that any link is worth.
func (w *world) works() worth {
	best := nothing
	if w.cable.plugged && w.cable.addressed {
		best = worthOf(w.cable.reach)
	}
	for _, c := range w.cards {
		if !c.plugged || c.joined == nil || !c.joined.on || !c.addressed {
			continue
		}
		best = max(best, worthOf(c.joined.reach))
		if c.told != "" && c.told != api.Associated { // nobody knows yet that it is not so any more
			best = max(best, local)
		}
	}
	return best
}

// reachable reports whether some radio could be in the network.
func (w *world) reachable(n *network) bool {
	p := w.profile(n)
	return p != nil && !p.Off && n.usable() && w.signal(n) >= audible
}

// hindered reports whether our access point stands in the way of being in the network: every radio that could join it would
// have to take it down. It counts if it is up or wanted always; or in any case, as while nothing works. least is the signal
// that is asked for, in dBm.
func (w *world) hindered(n *network, wanted bool, least int) bool {
	wanted = wanted || w.settings.AccessPoint.Permanent || w.settings.Setup
	for _, c := range w.cards {
		for _, b := range n.bss {
			blocked := c.radio.AccessPoint && (wanted || c.own.Up) && (!c.radio.Together || b.mhz == 5260)
			if c.healthy() && c.hears(b.mhz) && b.signal >= least && !blocked {
				return false
			}
		}
	}
	return true
}

// expected reports whether the network is on a channel on which the policy has heard it before.
func (w *world) expected(n *network) bool {
	for _, k := range w.policy.Known(w.clock()) {
		if k.ID == n.profile {
			return slices.ContainsFunc(n.bss, func(b bss) bool {
				hears := func(c *card) bool { return c.plugged && c.hears(b.mhz) }
				return b.signal >= audible && slices.Contains(k.Channels, b.mhz) && slices.ContainsFunc(w.cards, hears)
			})
		}
	}
	return false
}

// checkDown holds what must be so while nothing works.
func (c *checks) checkDown() {
	w := c.world
	own, could, visited := false, false, false
	for _, k := range w.cards {
		own = own || k.ownUp
		could = could || k.healthy() && k.radio.AccessPoint
		visited = visited || k.clients > 0
	}
	if w.now-max(c.dark.since(w.now, !own && could && c.attempt == ""), c.troubled) > silentFor {
		c.violate(Silent)
	}
	if visited && (w.stream.Active || w.settings.Setup) {
		c.needed = w.now
	}
	for _, n := range w.networks {
		ago, bound := w.now-max(c.down, n.changed, c.troubled), stuckFor
		switch {
		case ago < bound:
			continue
		case w.hindered(n, true, audible) && w.now-c.needed < lesserFor:
			continue // our access point was needed, and stands in the way
		case w.hindered(n, true, audible) && w.signal(n) < wellAudible:
			continue // not worth our access point
		case w.hindered(n, true, audible):
			bound = lesserFor
		case visited || !n.expected:
			bound = stuckWide
		}
		if c.attempt == "" && w.reachable(n) && ago > bound {
			w.say("%s was there", n.ssid)
			c.violate(Stuck)
		}
	}
}

// touch takes note that a radio, the manager or a wish changed what is possible.
func (c *checks) touch() { c.steady, c.troubled = c.world.now, c.world.now }

// checkBetter holds that what is better is used in the end.
func (c *checks) checkBetter() {
	w := c.world
	there := c.working && c.attempt == "" && c.betterOne() != nil
	if w.now-max(c.better.since(w.now, there), c.noisy, c.troubled) > lesserFor {
		w.say("%s was there", c.betterOne().ssid)
		c.violate(Lesser)
	}
}

// betterOne returns a network that is better than those that are used, or nil.
func (c *checks) betterOne() *network {
	w := c.world
	if w.cable.plugged && w.cable.addressed && w.cable.reach == api.Good {
		return nil
	}
	have := w.works()
	for _, n := range w.networks {
		for _, k := range w.cards {
			if w := worthOf(n.reach); k.joined == n && k.addressed && w > nothing && (w == have || have == whole) {
				return nil // all that follow are preferred less, or would cost the place in this one
			}
		}
		if n.reach == api.Good && w.reachable(n) && !w.hindered(n, false, wellAudible) && w.signal(n) >= wellAudible && w.now-n.changed > time.Minute {
			return n
		}
	}
	return nil
}

// departs takes note that a network is left by the policy's choice.
func (c *checks) departs(k *card, j netmgr.Join) {
	w := c.world
	w.say("phy%d leaves %s for %q", k.radio.Phy, k.joined.ssid, j.SSID)
	if !k.addressed || worthOf(k.joined.reach) == nothing || k.told == api.Associated || !k.joined.on || c.attempt != "" {
		return
	}
	others := false
	for _, o := range w.cards {
		others = others || o != k && o.joined != nil && o.addressed
	}
	if w.fragile() {
		c.violate(Cut)
	}
	if w.now-w.steady < steadyFor || others {
		c.departed = nil
		return
	}
	for len(c.departed) > 0 && w.now-c.departed[0].at > time.Minute {
		c.departed = c.departed[1:]
	}
	c.departed = append(c.departed, departure{w.now, k.joined.ssid, j.SSID})
	returns := 0
	for i, d := range c.departed {
		if slices.ContainsFunc(c.departed[:i], func(o departure) bool { return o.from == d.to }) {
			returns++
		}
	}
	if returns > 1 || len(c.departed) > len(w.settings.Profiles) {
		c.violate(Flapped)
	}
}

// evicts takes note that our access point goes down by the policy's choice while somebody is in it.
func (c *checks) evicts(k *card, j netmgr.Join) {
	w := c.world
	both := k.radio.Together && j.MHz != 5260
	if c.attempt == "" && (both || w.stream.Active || w.settings.Setup) && w.now-c.troubled > time.Minute {
		c.violate(Evicted)
	}
}

// checkAttempt follows an attempt to its end.
func (c *checks) checkAttempt() {
	w := c.world
	if c.attempt == "" {
		return
	}
	a := w.policy.Status(w.clock()).Attempt
	if a == nil || a.ID != c.attempt || a.State.Over() {
		if a != nil {
			w.say("the attempt: %s %s", a.State, a.Reason)
		}
		c.attempt = ""
		w.touch()
		return
	}
	if w.now-c.tried > attemptFor {
		c.violate(Unending)
	}
}

// finish looks once more at the end of the day.
func (c *checks) finish() {
	if len(c.violations) == 0 {
		c.check()
	}
}
