package networkmanager

import (
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"manofwar/netmgr"
)

// join is the network that a radio is in, or tries to be.
type join struct {
	netmgr.Join
	password    string
	*activation                 // nil: none, or it ended
	told        bool            // it was told that it is joined
	addressed   bool            // there is an address
	at          netmgr.Sighting // and where
	seen        point           // as NetworkManager saw it then
	missed      int             // scans since it began that have not found it
	silent      time.Time       // since when the link is gone; the zero Time: it is there
	began       time.Time
}

// The patience with a network.
const (
	// silence is how long a link may be gone before the network counts as lost. Roaming between its access points takes
	// a tenth of a second.
	silence = time.Second
	// joinLimit is how long NetworkManager may take to secure a link. Its own limit is 25 s, after a scan of 5 s.
	joinLimit = 40 * time.Second
)

// lookJoin joins and leaves as planned, and tells what became of it.
func (r *radio) lookJoin(d *device) {
	if r.plan.Join.Number != r.join.Number && !r.adoptJoin() {
		r.join.activation.deactivate(r)
		r.join = join{}
		if r.plan.Join.Number != 0 {
			r.startJoin(d)
		}
	}
	if r.join.activation == nil {
		return
	}
	switch phase := r.join.look(r.mirror, d); phase {
	case linked, ready:
		r.join.addressed = phase == ready
		r.followJoined(d)
	case failed:
		why := failure(r.join.failed, r.join.told)
		r.endJoin(why, explain(why, r.join.failed, quote(r.join.SSID)))
	case taken:
		r.endJoin(netmgr.Lost, r.chosen(d))
		r.yield(d)
	case starting:
		limit := r.join.began.Add(joinLimit)
		if r.now().Before(limit) {
			r.wake(limit)
			return
		}
		r.endJoin(netmgr.NoAnswer, explain(netmgr.NoAnswer, 0, quote(r.join.SSID)))
	}
}

// adoptJoin takes over an attempt at the network that the radio is in. Which of its access points is the best one is the
// supplicant's business, which roams by itself: a new activation would lose the addresses.
func (r *radio) adoptJoin() bool {
	j, want := &r.join, r.plan.Join
	same := want.Profile == j.Profile && want.SSID == j.SSID && want.Open == j.Open && r.plan.password == j.password
	if j.activation == nil || !j.told || !j.silent.IsZero() || !same {
		return false
	}
	j.Join, j.told = want, false // it is told again by the new number
	return true
}

// startJoin asks NetworkManager for the planned network.
func (r *radio) startJoin(d *device) {
	p := r.plan
	r.join = join{Join: p.Join, password: p.password, began: r.now()}
	if p.unknown {
		r.endJoin(netmgr.WrongPassword, fmt.Sprintf("No password is known for %s.", quote(p.Join.SSID)))
		return
	}
	if !utf8.ValidString(p.password) {
		r.endJoin(netmgr.Unsupported, fmt.Sprintf("NetworkManager does not take the password of %s: it is not UTF-8.", quote(p.Join.SSID)))
		return
	}
	heard, _ := r.heard(r.Station) // without, WPA2 is tried first
	s := joinSettings(p.Join, p.password, saeOnly(heard, p.Join.SSID), r.name, r.user)
	number := p.Join.Number
	r.join.activation = activate(r, r.path, r.pointOf(d, p.Join), s, func(_ *activation, err error) {
		if r.join.Number != number {
			return
		}
		if err != nil {
			r.log.Warn("network not joined", "link", r.name, "err", err)
			r.endJoin(netmgr.Broken, advice(err))
		}
	})
}

// endJoin tells that an attempt is over. Its number is not tried again.
func (r *radio) endJoin(why netmgr.Failure, reason string) {
	r.join.activation.deactivate(r)
	r.join.activation = nil
	r.tell(netmgr.Unjoined{Phy: r.Phy, Number: r.join.Number, Why: why, Reason: reason})
}

// maxMissed is how many scans may miss a network that is to be joined. NetworkManager goes on for 25 s.
const maxMissed = 2

// missJoin gives an attempt up whose network was not found by a scan, and not by the one before.
func (r *radio) missJoin() {
	j := &r.join
	if j.activation == nil || j.told || j.path == "" {
		return
	}
	heard, err := r.heard(r.Station)
	if err != nil || slices.ContainsFunc(heard, func(s netmgr.Sighting) bool { return s.SSID == j.SSID && !s.At.Before(j.began) }) {
		return
	}
	if j.missed++; j.missed >= maxMissed {
		r.endJoin(netmgr.NotFound, explain(netmgr.NotFound, 0, quote(j.SSID)))
	}
}

// refusePassword ends an attempt whose password the network has refused.
func (r *radio) refusePassword() {
	if r.join.activation != nil && !r.join.told {
		r.endJoin(netmgr.WrongPassword, explain(netmgr.WrongPassword, 0, quote(r.join.SSID)))
	}
}

// followJoined tells how the joined network is heard, and gives it up when it has fallen silent.
func (r *radio) followJoined(d *device) {
	j := &r.join
	if d.flags != 0 && d.flags&interfaceCarrier == 0 {
		if j.silent.IsZero() {
			j.silent = r.now()
		}
		if end := j.silent.Add(silence); r.now().Before(end) {
			r.wake(end)
			return
		}
		r.endJoin(netmgr.Lost, explain(netmgr.Lost, 0, quote(j.SSID)))
		return
	}
	j.silent = time.Time{}
	var seen point
	if p := r.points[d.point]; p != nil {
		seen = *p
	}
	if j.told && seen == j.seen {
		return // NetworkManager has noticed nothing new
	}
	at, ok := r.joined(r.Station)
	if !ok {
		r.wake(r.now().Add(silence)) // the kernel will say so soon
		return
	}
	switch {
	case !j.told:
		r.tell(netmgr.Joined{Phy: r.Phy, Number: j.Number, BSSID: at.BSSID, MHz: at.MHz})
	case at.BSSID != j.at.BSSID || at.MHz != j.at.MHz:
		r.tell(netmgr.Roamed{Phy: r.Phy, Number: j.Number, BSSID: at.BSSID, MHz: at.MHz})
	}
	if at.Signal != j.at.Signal {
		r.tell(netmgr.Heard{Phy: r.Phy, Number: j.Number, Signal: at.Signal})
	}
	j.told, j.at, j.seen = true, at, seen
}
