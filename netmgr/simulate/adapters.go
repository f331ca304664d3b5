package simulate

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"manofwar/netmgr"
	"manofwar/netmgr/api"
)

// port is a link, with its DHCP client and its judge.
type port struct {
	index      int
	network    int // the third number of its addresses
	reach      func() api.State
	generation int // for which a DHCP client runs; 0: none does
	addressed  bool
	judged     int       // the generation for which a judge runs
	told       api.State // its verdict; empty: none yet
	pace       netmgr.Pace
}

// card is a radio with its driver.
type card struct {
	port
	radio     netmgr.Radio
	plugged   bool
	removable bool
	broken    bool // joins, scans and access points fail
	deaf      bool // and are not even answered

	scan    int
	join    netmgr.Join
	joined  *network
	at      *bss
	own     netmgr.AccessPointPlan
	ownUp   bool
	ownMHz  int
	ownTask int // counts what was begun with our access point
	clients int
}

// cable is the wired link.
type cable struct {
	port
	index   int
	plugged bool
	right   bool // a DHCP server answers
	reach   api.State
}

func (c *cable) link() netmgr.Link {
	return netmgr.Link{Index: c.index, Name: "eth0", Kind: netmgr.Ethernet, Up: true, Carrier: c.plugged}
}

func (c *card) link() netmgr.Link {
	return netmgr.Link{Index: c.port.index, Name: fmt.Sprintf("wlan%d", c.radio.Phy), Kind: netmgr.WiFi, Up: true}
}

// makeCards makes up the radios: one that is there, mostly like the Pi's, and at times a stick.
func (w *world) makeCards() {
	for i := range 1 + w.IntN(2) {
		c := &card{plugged: i == 0 || w.chance(50), removable: i > 0}
		c.radio = netmgr.Radio{
			Phy: i, Station: 10 + i, AccessPoint: i == 0 || w.chance(70), Together: !w.chance(20), Follows: w.chance(50),
		}
		for mhz := 2412; mhz <= 2462; mhz += 5 {
			c.radio.Channels = append(c.radio.Channels, netmgr.Channel{MHz: mhz})
		}
		if w.chance(70) {
			for _, mhz := range channels5 {
				c.radio.Channels = append(c.radio.Channels, netmgr.Channel{MHz: mhz, NoBeacon: mhz == 5260})
			}
		}
		c.port.index = c.radio.Station
		c.port.reach = func() api.State {
			if c.joined == nil {
				return api.Down
			}
			return c.joined.reach
		}
		w.cards = append(w.cards, c)
	}
}

// hears reports whether the radio may use a channel.
func (c *card) hears(mhz int) bool {
	return slices.ContainsFunc(c.radio.Channels, func(o netmgr.Channel) bool { return o.MHz == mhz })
}

// healthy reports whether the radio does what it is told.
func (c *card) healthy() bool { return c.plugged && !c.broken && !c.deaf }

// reset ends all that the radio does.
func (c *card) reset() {
	c.scan, c.join, c.joined, c.at = 0, netmgr.Join{}, nil, nil
	c.own, c.ownUp, c.clients = netmgr.AccessPointPlan{}, false, 0
	c.ownTask++
	c.port.end()
}

// end ends all that runs on the link.
func (p *port) end() { p.generation, p.addressed, p.judged, p.told = 0, false, 0, "" }

func (w *world) plug(c *card) {
	w.say("phy%d is there", c.radio.Phy)
	w.tell(netmgr.RadioChanged{Radio: c.radio})
	w.tell(netmgr.LinkChanged{Link: c.link()})
}

func (w *world) unplug(c *card) {
	w.say("phy%d is unplugged", c.radio.Phy)
	c.plugged = false
	c.reset()
	w.tell(netmgr.LinkGone{Index: c.port.index})
	w.tell(netmgr.RadioGone{Phy: c.radio.Phy})
}

// follow carries the policy's plan out.
func (w *world) follow() {
	plan := w.policy.Plan()
	for _, rp := range plan.Radios {
		i := slices.IndexFunc(w.cards, func(c *card) bool { return c.radio.Phy == rp.Phy })
		if c := w.cards[i]; c.plugged {
			w.followRadio(c, rp)
		}
	}
	for _, lp := range plan.Links {
		if p := w.port(lp.Index); p != nil {
			w.followLink(p, lp)
		}
	}
	for _, jp := range plan.Judge {
		p := w.port(jp.Index)
		if p == nil || !p.addressed {
			continue
		}
		p.pace = jp.Pace
		if p.judged != jp.Generation {
			p.judged, p.told = jp.Generation, ""
			w.judge(p, w.firstVerdict(p.reach()))
		}
	}
}

func (w *world) port(index int) *port {
	if index == w.cable.index {
		w.cable.port.index, w.cable.port.network = index, 100
		w.cable.port.reach = func() api.State { return w.cable.reach }
		return &w.cable.port
	}
	for _, c := range w.cards {
		if c.port.index == index && c.plugged {
			return &c.port
		}
	}
	return nil
}

func (w *world) followRadio(c *card, rp netmgr.RadioPlan) {
	if rp.Join.Number != 0 && rp.AccessPoint.Up && (!c.radio.Together || !c.radio.Follows && rp.AccessPoint.MHz != rp.Join.MHz) {
		w.violate(Crossed)
	}
	if rp.Scan.Number != c.scan {
		if c.scan = rp.Scan.Number; c.scan != 0 {
			w.startScan(c, rp.Scan)
		}
	}
	if rp.Join.Number != c.join.Number {
		w.followLeave(c, rp.Join)
	}
	if rp.AccessPoint.Up != c.own.Up || rp.AccessPoint.MHz != c.own.MHz {
		w.followOwn(c, rp.AccessPoint, rp.Join)
	}
	if rp.Join.Number != c.join.Number {
		w.followJoin(c, rp.Join)
	}
}

// startScan looks around: 40 ms a channel, 14 s for all of them beside our access point. Now and then one is missed.
func (w *world) startScan(c *card, s netmgr.Scan) {
	took := time.Duration(len(s.MHz))*40*time.Millisecond + w.between(7*time.Millisecond, 40*time.Millisecond)
	switch {
	case s.MHz == nil && c.ownUp:
		took = 14 * time.Second
	case s.MHz == nil:
		took = w.between(4900*time.Millisecond, 5800*time.Millisecond)
	}
	if c.broken && !c.deaf {
		took = 5 * time.Millisecond
	}
	w.after(took, func() {
		if c.scan != s.Number || c.deaf {
			return
		}
		ev := netmgr.Scanned{Phy: c.radio.Phy, Number: s.Number, MHz: s.MHz}
		if c.broken {
			ev.Err = errors.New("the radio is broken")
		} else {
			ev.Networks = w.sightings(c, s)
		}
		w.tell(ev)
	})
}

func (w *world) sightings(c *card, s netmgr.Scan) []netmgr.Sighting {
	var list []netmgr.Sighting
	for _, n := range w.networks {
		for _, b := range n.bss {
			if !n.on || !c.hears(b.mhz) || s.MHz != nil && !slices.Contains(s.MHz, b.mhz) || b.signal < -88 || w.chance(5) {
				continue
			}
			ssid := n.ssid
			if n.hidden && !slices.Contains(s.SSIDs, ssid) {
				ssid = ""
			}
			list = append(list, netmgr.Sighting{
				SSID: ssid, BSSID: b.mac, MHz: b.mhz, Signal: b.signal + w.IntN(5) - 2, Join: true, Security: "WPA2", At: w.clock(),
			})
		}
	}
	return list
}

// followLeave leaves a network for another one, or for none.
func (w *world) followLeave(c *card, next netmgr.Join) {
	if c.joined == nil {
		return
	}
	if next.Profile != c.join.Profile {
		w.departs(c, next)
		c.port.end()
	}
	c.joined, c.at = nil, nil
}

// followJoin joins a network.
func (w *world) followJoin(c *card, j netmgr.Join) {
	c.join = j
	if j.Number == 0 {
		return
	}
	w.say("phy%d joins %s on %d MHz", c.radio.Phy, j.SSID, j.MHz)
	took, why := w.outcome(c, j)
	if c.deaf {
		return
	}
	w.after(took, func() {
		if c.join.Number != j.Number {
			return
		}
		n, b := w.find(j.BSSID)
		if why == "" && (n == nil || !n.on || b.mhz != j.MHz) {
			why = netmgr.NoAnswer
		}
		if why != "" {
			w.unjoin(c, why)
			return
		}
		c.joined, c.at = n, b
		if c.radio.Follows && c.ownUp {
			c.ownMHz = b.mhz
		}
		w.tell(netmgr.Joined{Phy: c.radio.Phy, Number: j.Number, BSSID: b.mac, MHz: b.mhz})
		w.tell(netmgr.Heard{Phy: c.radio.Phy, Number: j.Number, Signal: b.signal})
	})
}

// outcome returns how long a join takes, and why it fails; empty: it does not.
func (w *world) outcome(c *card, j netmgr.Join) (time.Duration, netmgr.Failure) {
	n, b := w.find(j.BSSID)
	switch {
	case c.broken:
		return 100 * time.Millisecond, netmgr.Broken
	case c.ownUp && c.ownMHz != j.MHz && !c.radio.Follows:
		return 10 * time.Millisecond, netmgr.Broken
	case n == nil || !n.on || b.mhz != j.MHz:
		return w.between(time.Second, 3*time.Second), netmgr.NotFound
	case !n.right && w.chance(50): // SAE tells at once
		return 200 * time.Millisecond, netmgr.WrongPassword
	case !n.right:
		return 2100 * time.Millisecond, netmgr.WrongPassword
	case b.signal < -85 || b.signal < audible && w.chance(50) || w.chance(2):
		return w.between(time.Second, 3*time.Second), netmgr.NoAnswer
	}
	return w.between(75*time.Millisecond, 250*time.Millisecond), ""
}

func (w *world) find(mac netmgr.MAC) (*network, *bss) {
	for _, n := range w.networks {
		for i := range n.bss {
			if n.bss[i].mac == mac {
				return n, &n.bss[i]
			}
		}
	}
	return nil, nil
}

// unjoin tells that a join failed or ended.
func (w *world) unjoin(c *card, why netmgr.Failure) {
	number := c.join.Number
	c.joined, c.at = nil, nil
	w.departed = nil // where joins fail, the world is not steady
	c.port.end()
	w.tell(netmgr.Unjoined{Phy: c.radio.Phy, Number: number, Why: why})
}

// followOwn brings our access point up, moves it, or takes it down.
func (w *world) followOwn(c *card, plan netmgr.AccessPointPlan, j netmgr.Join) {
	if !plan.Up && c.ownUp && c.clients > 0 {
		w.evicts(c, j)
	}
	c.own = plan
	c.ownTask++
	task := c.ownTask
	if !plan.Up {
		c.ownUp, c.clients = false, 0
		return
	}
	if c.deaf {
		return
	}
	w.after(w.between(300*time.Millisecond, 900*time.Millisecond), func() {
		switch {
		case task != c.ownTask || c.deaf:
			return
		case c.broken || w.chance(2) && !c.ownUp:
			c.ownUp, c.clients = false, 0
			w.tell(netmgr.AccessPointDown{Phy: c.radio.Phy, Reason: "It could not be started."})
			return
		}
		first := !c.ownUp
		c.ownUp, c.ownMHz = true, plan.MHz
		w.tell(netmgr.AccessPointUp{Phy: c.radio.Phy, Index: 20 + c.radio.Phy, MHz: plan.MHz})
		if first && w.chance(25) {
			w.after(w.between(5*time.Second, 2*time.Minute), func() { w.visit(c) })
		}
	})
}

// visit lets a phone join our access point, and leave it later.
func (w *world) visit(c *card) {
	set := func(count int) {
		if c.ownUp {
			w.say("%d phones in our access point", count)
			c.clients = count
			w.tell(netmgr.AccessPointClients{Phy: c.radio.Phy, Count: count})
		}
	}
	set(1)
	w.after(w.between(10*time.Second, 20*time.Minute), func() { set(0) })
}

// followLink runs a DHCP client.
func (w *world) followLink(p *port, lp netmgr.LinkPlan) {
	switch {
	case !lp.Lease:
		p.generation = 0
	case p.generation != lp.Generation:
		p.generation, p.addressed = lp.Generation, false
		w.askAddress(p)
	}
}

// askAddress asks for an address: mostly there at once, at times after a lost datagram, and never if nobody gives one.
func (w *world) askAddress(p *port) {
	took := w.between(34*time.Millisecond, 82*time.Millisecond)
	if w.chance(5) {
		took = 1100 * time.Millisecond
	}
	generation := p.generation
	w.after(took, func() {
		if p.generation != generation {
			return
		}
		if w.gives(p) {
			w.address(p)
			return
		}
		w.after(3*time.Second, func() {
			if p.generation == generation && !p.addressed {
				w.tell(netmgr.Unanswered{Index: p.index})
			}
		})
	})
}

// gives reports whether the network of a link gives addresses.
func (w *world) gives(p *port) bool {
	if p == &w.cable.port {
		return w.cable.right
	}
	for _, c := range w.cards {
		if &c.port == p {
			return c.joined != nil && c.joined.leases && c.joined.on
		}
	}
	return false
}

func (w *world) address(p *port) {
	p.addressed = true
	net := byte(p.index)
	gateway := netip.AddrFrom4([4]byte{192, 168, net, 1})
	w.tell(netmgr.Leased{Index: p.index, Lease: netmgr.Lease{
		Address: netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 168, net, 50}), 24), Server: gateway,
		Routes: []netmgr.Route{{To: netip.PrefixFrom(netip.IPv4Unspecified(), 0), Via: gateway}},
	}})
}

// lease lets clients that have waited get their addresses: they ask every few seconds.
func (w *world) lease() {
	for _, c := range w.cards {
		p := &c.port
		generation := p.generation
		if generation == 0 || p.addressed {
			continue
		}
		w.after(w.between(500*time.Millisecond, 8*time.Second), func() {
			if p.generation == generation && !p.addressed && w.gives(p) {
				w.address(p)
			}
		})
	}
}

// firstVerdict is how long a judge takes at first.
func (w *world) firstVerdict(s api.State) time.Duration {
	if s == api.Good || s == api.Captive {
		return w.between(50*time.Millisecond, 400*time.Millisecond)
	}
	return w.between(2500*time.Millisecond, 3500*time.Millisecond)
}

// judgeLater lets a judge find out that something changed.
func (w *world) judgeLater(p *port) {
	took := w.between(4*time.Second, 7*time.Second)
	switch p.pace {
	case netmgr.Standby:
		took += w.between(0, 15*time.Second)
	case netmgr.Costly:
		took += w.between(0, 30*time.Second)
	}
	w.judge(p, took)
}

func (w *world) judge(p *port, took time.Duration) {
	generation := p.judged
	w.after(took, func() {
		s := p.reach()
		if p.judged != generation || generation == 0 || !p.addressed || s == p.told || s == api.Down {
			return
		}
		p.told = s
		w.tell(netmgr.Judged{Index: p.index, Generation: generation, State: s})
	})
}
