package simulate

import (
	"time"

	"manofwar/netmgr"
	"manofwar/netmgr/api"
)

// schedule makes up what goes wrong over the day: a few quiet days, and many on which something happens all the time.
func (w *world) schedule() {
	mean := []time.Duration{10 * time.Minute, 30 * time.Minute, 2 * time.Hour}[w.IntN(3)]
	var again func()
	again = func() {
		w.fault()
		w.after(w.between(time.Second, 2*mean), again)
	}
	w.after(w.between(time.Second, mean), again)
}

// lasts is how long most faults last.
func (w *world) lasts() time.Duration {
	switch w.IntN(3) {
	case 0:
		return w.between(time.Second, time.Minute)
	case 1:
		return w.between(time.Minute, 20*time.Minute)
	default:
		return w.between(20*time.Minute, 4*time.Hour)
	}
}

// fault lets something happen, and mostly undoes it later.
func (w *world) fault() {
	known := w.networks[:len(w.settings.Profiles)]
	n := known[0]
	if w.chance(50) {
		n = known[w.IntN(len(known))]
	}
	switch w.IntN(17) {
	case 0, 1:
		w.power(n, false)
		w.after(w.lasts(), func() { w.power(n, true) })
	case 2: // back to how it left the factory: the sticker's network
		w.power(known[0], false)
		other := known[min(1, len(known)-1)]
		w.power(other, true)
		w.after(w.lasts(), func() { w.power(other, other == known[0]); w.power(known[0], true) })
	case 3:
		hotspot := known[min(2, len(known)-1)]
		w.power(hotspot, true)
		w.after(w.lasts(), func() { w.power(hotspot, false) })
	case 4, 5:
		w.reaches(n, api.LANOnly)
		w.after(w.lasts(), func() { w.reaches(n, api.Good) })
	case 6:
		w.reaches(n, api.Captive)
		w.after(w.lasts(), func() { w.reaches(n, api.Good) })
	case 7:
		w.reaches(n, api.Associated)
		w.after(w.lasts(), func() { w.reaches(n, api.Good) })
	case 8:
		w.say("%s gives no addresses", n.ssid)
		n.leases = false
		w.altered(n)
		w.after(w.lasts(), func() { w.say("%s gives addresses", n.ssid); n.leases = true; w.altered(n); w.lease() })
	case 9:
		w.say("our password for %s is wrong", n.ssid)
		n.right = false
		w.altered(n)
		w.after(w.lasts(), func() { w.say("our password for %s is right", n.ssid); n.right = true; w.altered(n) })
	case 10:
		w.signals(n)
	case 11:
		w.moves(n)
	case 12:
		w.faultCard()
	case 13:
		w.plugCable()
	case 14:
		w.play()
	case 15:
		w.try(n)
	case 16:
		if w.chance(30) {
			w.say("the manager is killed")
			w.touch()
			w.boot()
		} else {
			w.kick(n)
		}
	}
}

// altered takes note that a network changed, and with it the world.
func (w *world) altered(n *network) {
	n.changed, w.steady = w.now, w.now
	n.expected = w.expected(n)
	w.check()
}

// power switches a network on or off. Who is in it notices a little later.
func (w *world) power(n *network, on bool) {
	if n.on == on {
		return
	}
	w.say("%s is on: %v", n.ssid, on)
	n.on = on
	for _, c := range w.cards {
		if c.joined == n && !on {
			w.diedNow(c)
			w.lose(c, w.between(250*time.Millisecond, 2500*time.Millisecond))
		}
	}
	w.altered(n)
}

// kick throws us out of a network.
func (w *world) kick(n *network) {
	for _, c := range w.cards {
		if c.joined == n {
			w.say("%s throws us out", n.ssid)
			w.steady = w.now
			w.lose(c, time.Millisecond)
		}
	}
}

// lose tells a radio a while later that its network is gone.
func (w *world) lose(c *card, d time.Duration) {
	number := c.join.Number
	w.after(d, func() {
		if c.join.Number == number && c.joined != nil {
			w.unjoin(c, netmgr.Lost)
		}
	})
}

// reaches changes what lies behind a network.
func (w *world) reaches(n *network, s api.State) {
	if n.reach == s {
		return
	}
	w.say("%s is %s", n.ssid, s)
	if n.reach == api.Good {
		w.diedInternet(n)
	}
	n.reach = s
	w.altered(n)
	for _, c := range w.cards {
		if c.joined == n {
			w.judgeLater(&c.port)
		}
	}
}

// signals lets the signals of a network change.
func (w *world) signals(n *network) {
	for i := range n.bss {
		b := &n.bss[i]
		if w.chance(60) {
			b.signal = -40 - w.IntN(50)
		}
		w.say("%s on %d MHz is heard with %d dBm", n.ssid, b.mhz, b.signal)
		for _, c := range w.cards {
			if c.at == b && c.joined == n {
				w.tell(netmgr.Heard{Phy: c.radio.Phy, Number: c.join.Number, Signal: b.signal})
			}
		}
	}
	w.altered(n)
}

// moves lets a router choose other channels: whoever is in it loses it.
func (w *world) moves(n *network) {
	w.say("%s takes another channel", n.ssid)
	for i := range n.bss {
		if b := &n.bss[i]; b.mhz < 5000 {
			b.mhz = channels2[w.IntN(len(channels2))]
		}
	}
	w.altered(n)
	for _, c := range w.cards {
		if c.joined == n {
			w.lose(c, w.between(250*time.Millisecond, 1400*time.Millisecond))
		}
	}
}

// faultCard unplugs a radio, breaks it, or lets its driver fall silent for a while.
func (w *world) faultCard() {
	c := w.cards[w.IntN(len(w.cards))]
	w.touch()
	switch {
	case c.removable:
		if c.plugged {
			w.unplug(c)
		} else {
			c.plugged = true
			w.plug(c)
		}
	case w.chance(50):
		w.say("phy%d is broken", c.radio.Phy)
		c.broken = true
		if c.joined != nil {
			w.lose(c, 10*time.Millisecond)
		}
		w.after(w.between(time.Second, 10*time.Minute), func() { w.say("phy%d works again", c.radio.Phy); c.broken = false; w.touch(); w.check() })
	default:
		w.say("phy%d falls silent", c.radio.Phy)
		c.deaf = true
		w.after(w.between(time.Second, 2*time.Minute), func() { w.say("phy%d answers again", c.radio.Phy); c.deaf = false; w.touch(); w.check() })
	}
	w.check()
}

// plugCable plugs a cable in, or pulls it.
func (w *world) plugCable() {
	c := &w.cable
	c.plugged = !c.plugged
	w.say("cable: %v", c.plugged)
	c.addressed = false
	c.right, c.reach = !w.chance(20), api.Good
	if w.chance(20) {
		c.reach = api.LANOnly
	}
	w.steady = w.now
	w.tell(netmgr.LinkChanged{Link: c.link()})
}

// play lets somebody play something for a while. What is sent ahead is sometimes enough to cover a change of network.
func (w *world) play() {
	s := netmgr.Streaming{Active: true, Buffer: w.between(0, 30*time.Second)}
	w.say("somebody plays, %v sent ahead", s.Buffer)
	w.setStream(s)
	w.after(w.lasts(), func() {
		if w.stream == s {
			w.say("nobody plays")
			w.setStream(netmgr.Streaming{})
		}
	})
}

func (w *world) setStream(s netmgr.Streaming) {
	if w.fragile() {
		w.noisy = w.now
	}
	w.stream = s
	w.tell(s)
}

// fragile reports whether a change of network would be heard.
func (w *world) fragile() bool { return w.stream.Active && w.stream.Buffer < 15*time.Second }

// try lets the owner ask for a network.
func (w *world) try(n *network) {
	if w.attempt != "" || len(w.settings.Profiles) == 0 {
		return
	}
	p := w.profile(n)
	w.say("the owner tries %s", n.ssid)
	w.attempt, w.tried = p.ID, w.now
	w.touch()
	w.tell(netmgr.Try{Profile: *p})
}
