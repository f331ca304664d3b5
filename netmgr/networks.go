package netmgr

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// network is one that the owner knows, and what was learnt of it by whichever radio.
type network struct {
	Profile
	rank     int   // its place in the owner's order
	channels []int // MHz on which it was heard, the last first

	found   worth     // what it turned out to be worth when it was less than the internet
	doubt   time.Time // until when that is believed
	strikes int       // how often in a row it was so
	good    time.Time // since when it is known to be worth the internet; zero: it is not

	failure  string // why it could not be joined last, in words for a person
	failedAt time.Time
	usedAt   time.Time
}

// The pace at which hope returns, for networks that turned out to lack the internet, and for those that could not be
// joined while another one works.
const (
	firstDoubt = time.Minute
	longDoubt  = 10 * time.Minute
	proven     = time.Minute // an internet that lasted so long makes up for earlier failures
)

// doubling returns first, doubled with each further strike, and at most longest.
func doubling(first, longest time.Duration, strikes int) time.Duration {
	return min(first<<min(max(strikes-1, 0), 16), longest)
}

// configure takes over what the owner wants. Whatever was learnt of networks stays, but their failures: the owner may
// have corrected what was wrong.
func (p *Policy) configure(s Settings) {
	known := p.networks
	s.Profiles = s.Profiles[:min(len(s.Profiles), maxProfiles)]
	p.settings, p.networks = s, nil
	p.rename(s.Name)
	for i, profile := range s.Profiles {
		n := p.remembered(known, profile)
		n.Profile, n.rank = profile, i
		for _, mhz := range profile.Channels {
			if len(n.channels) < maxChannels && !slices.Contains(n.channels, mhz) {
				n.channels = append(n.channels, mhz)
			}
		}
		p.networks = append(p.networks, n)
	}
	for _, r := range p.radios {
		clear(r.prospects)
		r.look.again()
	}
	p.changes++
}

// remembered returns what is known of a network, if it is still the same one.
func (p *Policy) remembered(known []*network, profile Profile) *network {
	if a := p.attempt; a != nil && a.network.ID == profile.ID && a.network.SSID == profile.SSID {
		return a.network
	}
	for _, n := range known {
		if n.ID == profile.ID && n.SSID == profile.SSID && n.Open == profile.Open {
			return n
		}
	}
	return &network{}
}

// heardOn remembers a channel that the network was heard on.
func (n *network) heardOn(mhz int) {
	if mhz == 0 || len(n.channels) > 0 && n.channels[0] == mhz {
		return
	}
	list := []int{mhz}
	for _, c := range n.channels {
		if c != mhz && len(list) < maxChannels {
			list = append(list, c)
		}
	}
	n.channels = list
}

// expect returns what the network is likely worth: the best, unless it was found to be less not long ago.
func (p *Policy) expect(n *network) worth {
	if n.strikes > 0 && !p.due(n.doubt) {
		return n.found
	}
	return whole
}

// learn takes note of what the networks that radios are in turned out to be worth.
func (p *Policy) learn() {
	for _, r := range p.radios {
		if r.stay.phase != joined {
			continue
		}
		l, n := p.links[r.Station], r.stay.network
		w, certain := p.worth(l)
		if !certain || l == nil {
			continue
		}
		if w > useless {
			r.prospect(n).strikes = 0
			if p.own.phy == r.Phy {
				p.own.yielded = time.Time{} // it was worth it
			}
		}
		switch {
		case w < whole && !r.stay.doubted:
			r.stay.doubted = true
			n.strikes++
			n.found, n.doubt, n.good = w, p.now.Add(doubling(firstDoubt, longDoubt, n.strikes)), time.Time{}
			p.changes++
		case w < whole:
			n.found = w
		case n.good.IsZero():
			r.stay.doubted, r.stay.excursion = false, false
			n.good = p.now
			p.changes++
		case n.strikes > 0 && p.due(n.good.Add(proven)):
			n.strikes = 0
		}
	}
	switch working := p.working(); {
	case working && p.works.IsZero():
		p.works = p.now
	case !working && !p.works.IsZero():
		p.works, p.lost = time.Time{}, p.now
	}
}

// working reports whether some link leads to somebody for certain. An address alone does not prove it.
func (p *Policy) working() bool {
	for _, l := range p.links {
		if w, certain := p.worth(l); w > useless && certain && l.managed {
			return true
		}
	}
	return false
}

// hoping reports whether a radio is in a network that gave it an address and never failed it: it only has to be judged.
func (p *Policy) hoping() bool {
	for _, r := range p.radios {
		if l := p.links[r.Station]; l != nil && l.addressed && r.stay.phase == joined && r.stay.network.strikes == 0 {
			return true
		}
	}
	return false
}

// hollow is why a network was left that could be joined: there was nobody behind it.
const hollow Failure = "hollow"

// prospect is what one radio went through with one network.
type prospect struct {
	why     Failure
	strikes int       // how often in a row it could not be joined, or not for long
	failed  time.Time // when that was last
	steady  time.Time // since when every look has found it well audible; zero: it was not
	missed  int       // how many looks in a row have not found it
}

// prospect returns what the radio went through with the network.
func (r *radio) prospect(n *network) *prospect {
	pr := r.prospects[n.ID]
	if pr == nil {
		pr = &prospect{}
		if len(r.prospects) > 2*maxProfiles {
			clear(r.prospects)
		}
		r.prospects[n.ID] = pr
	}
	return pr
}

// fail takes note of a failure. Another kind of it is another matter: what was wrong before has changed.
func (pr *prospect) fail(now time.Time, why Failure) {
	if pr.why != why {
		pr.strikes = 0
	}
	pr.why, pr.failed, pr.steady = why, now, time.Time{}
	pr.strikes++
}

// haste is how soon a network that could not be joined is tried again.
type haste int

const (
	calm     haste = iota // something else works
	measured              // nothing works, but the attempt takes our access point down
	urgent                // nothing works
)

// ready reports whether it is time to try the network again.
func (p *Policy) ready(pr *prospect, h haste) bool {
	if pr.strikes == 0 {
		return true
	}
	var wait time.Duration
	switch first := firstDoubt; {
	case h == calm && pr.why == WrongPassword:
		wait = doubling(2*first, longDoubt, pr.strikes)
	case h == calm:
		wait = doubling(first, longDoubt, pr.strikes)
	case h == measured: // and others have their turn meanwhile
		wait = doubling(time.Minute, 5*time.Minute, pr.strikes)
	case pr.why == WrongPassword, pr.why == Unsupported:
		wait = 30 * time.Second
	default:
		wait = doubling(time.Second, 10*time.Second, pr.strikes)
	}
	return p.due(pr.failed.Add(wait))
}

// explain tells a person why a network could not be joined.
func explain(n *network, why Failure, reason string) string {
	if reason != "" { // whoever tried knows more
		return reason
	}
	name := printable(n.SSID)
	switch why {
	case WrongPassword:
		return fmt.Sprintf("Wrong password for %s.", name)
	case NotFound:
		return fmt.Sprintf("%s is not in reach.", name)
	case Refused:
		return fmt.Sprintf("%s refuses this device.", name)
	case Unsupported:
		return fmt.Sprintf("%s is secured in a way that this device does not know.", name)
	case Broken:
		return fmt.Sprintf("The WiFi radio failed while joining %s. It is tried again.", name)
	case Lost:
		return fmt.Sprintf("%s fell silent.", name)
	default:
		return fmt.Sprintf("%s does not answer.", name)
	}
}

// printable makes an SSID's bytes fit to be shown.
func printable(ssid string) string { return strings.ToValidUTF8(ssid, "\uFFFD") }
