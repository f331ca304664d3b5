package simulate

import (
	"time"

	"manofwar/netmgr"
	"manofwar/netmgr/api"
)

// measures are how long things take.
type measures struct {
	died, diedNet          time.Duration // when what is measured began; 0: nothing is
	failover, internet, ap Times
	apMeasured             bool
}

// diedNow begins to measure how long it takes until another network works, if there is one.
func (c *checks) diedNow(k *card) {
	w := c.world
	c.died = 0
	if !k.addressed || c.attempt != "" || !k.healthy() || w.now-c.troubled < 2*time.Minute {
		return
	}
	for _, n := range w.networks {
		if n != k.joined && w.reachable(n) && w.now-n.changed > 2*time.Minute && w.signal(n) >= wellAudible {
			c.died = w.now
		}
	}
}

// diedInternet begins to measure how long it takes until there is internet again, if another network has it.
func (c *checks) diedInternet(dead *network) {
	w := c.world
	c.diedNet = 0
	used := false
	for _, k := range w.cards {
		used = used || k.joined == dead && k.pace == netmgr.InUse && k.addressed && k.healthy() && k.told == api.Good
	}
	if !used || c.attempt != "" || w.works() != whole || w.now-max(c.noisy, c.troubled) < 2*time.Minute {
		return
	}
	for _, n := range w.networks {
		if n != dead && w.reachable(n) && w.now-n.changed > 15*time.Minute && n.reach == api.Good && w.signal(n) >= wellAudible {
			c.diedNet = w.now
		}
	}
}

// measure ends what is measured.
func (c *checks) measure(was bool) {
	w := c.world
	if c.died != 0 && c.working && !was {
		if w.steady <= c.died {
			c.failover = append(c.failover, w.now-c.died)
		}
		c.died = 0
	}
	if c.diedNet != 0 && w.works() == whole {
		if w.steady <= c.diedNet && w.now > c.diedNet {
			c.internet = append(c.internet, w.now-c.diedNet)
		}
		if w.now > c.diedNet {
			c.diedNet = 0
		}
	}
	if c.working || c.apMeasured {
		return
	}
	for _, k := range w.cards {
		if k.ownUp {
			c.apMeasured = true
			if c.troubled < c.down && w.now > c.down {
				c.ap = append(c.ap, w.now-c.down)
			}
		}
	}
}
