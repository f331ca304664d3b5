// Package mdns answers a host's own name under .local by multicast DNS (RFC 6762), on every link and with that link's
// addresses: it probes that the name is free, takes name-2 and so on if it is not, announces it, answers, defends it,
// and says goodbye.
//
// It answers A, AAAA and reverse PTR records, and NSEC records for what is not there. Services (DNS-SD) are announced by
// github.com/grandcat/zeroconf in [Announce]. Nothing is resolved or cached here.
package mdns

import (
	"context"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"manofwar/netmgr"
)

// Port is multicast DNS's.
const Port = 5353

// Transport carries messages on the links that were joined.
type Transport interface {
	// Join makes messages to everybody on the interface arrive.
	Join(index int) error
	// Leave undoes Join. The interface may be gone.
	Leave(index int)
	// Send sends a message on an interface: to one host, or where to is the zero AddrPort to everybody, over IPv4 and IPv6.
	Send(index int, to netip.AddrPort, message []byte) error
	// Local reports whether an address is the host's own at this moment.
	Local(netip.Addr) bool
	// Packets returns what arrives. Each packet is the receiver's to keep.
	Packets() <-chan Packet
}

// Packet is a message that arrived.
type Packet struct {
	Index     int            // of the interface
	From      netip.AddrPort // without a zone
	Multicast bool           // it was sent to everybody
	Data      []byte
}

// Want is what is to be answered.
type Want struct {
	Hostname string                // without .local; with "-2" and so on where another host has it
	Links    []netmgr.Announcement // where, with which addresses
}

// Responder answers one name. All fields are set before [Responder.Run] and not changed after.
type Responder struct {
	Wants     <-chan Want // what to answer from now on
	Transport Transport
	Reverse   bool                     // the addresses are answered with the name, too: no other responder of the host does
	Tell      func(wanted, won string) // a name was won; must not block
	Log       *slog.Logger

	wanted    string
	links     map[int]*link
	attempt   int         // 1: the wanted name; n: with "-n"
	won       string      // what was last told
	conflicts []time.Time // the last ones, for [Responder.patience]
}

// phase is how far a link is with the name.
type phase int

const (
	probing    phase = iota // asking whether somebody has it
	announcing              // telling that it is ours
	settled
)

// link is one link on which the name is answered.
type link struct {
	netmgr.Announcement
	phase     phase
	sent      int                  // probes or announcements, in this phase
	due       time.Time            // when the next one is; the zero Time: never
	multicast map[string]time.Time // when a record was last sent to everybody, by its text
	deferred  []*deferred          // queries of which more is to come
}

// Run answers until ctx ends, and then says goodbye.
func (r *Responder) Run(ctx context.Context) {
	r.links, r.attempt = make(map[int]*link), 1
	defer r.leaveAll()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		timer.Stop()
		if due := r.nextDue(); !due.IsZero() {
			timer.Reset(time.Until(due))
		}
		select {
		case <-ctx.Done():
			return
		case want := <-r.Wants:
			r.rename(time.Now(), want.Hostname)
			r.setLinks(time.Now(), want.Links)
		case p := <-r.Transport.Packets():
			r.handle(time.Now(), p)
		case <-timer.C:
			r.act(time.Now())
		}
	}
}

// nextDue returns when something is to be done next, or the zero Time.
func (r *Responder) nextDue() (due time.Time) {
	earlier := func(t time.Time) {
		if due.IsZero() || !t.IsZero() && t.Before(due) {
			due = t
		}
	}
	for _, l := range r.links {
		earlier(l.due)
		for _, d := range l.deferred {
			earlier(d.due)
		}
	}
	return due
}

// act does what is due.
func (r *Responder) act(now time.Time) {
	for _, l := range r.links {
		if !l.due.IsZero() && !now.Before(l.due) {
			if l.phase == probing {
				r.probe(now, l)
			} else {
				r.announce(now, l)
			}
		}
		var later []*deferred
		for _, d := range l.deferred {
			if now.Before(d.due) {
				later = append(later, d)
			} else {
				r.answer(now, l, d.query)
			}
		}
		l.deferred = later
	}
}

// setLinks takes over where the name is to be answered. A new link is probed first (RFC 6762, section 8.4: what is on its
// other end may have changed); on one whose addresses changed the new ones are announced and the old ones taken back.
func (r *Responder) setLinks(now time.Time, want []netmgr.Announcement) {
	for index, l := range r.links {
		if !slices.ContainsFunc(want, func(a netmgr.Announcement) bool { return a.Index == index && a.Name == l.Name }) {
			r.Transport.Leave(index)
			delete(r.links, index)
		}
	}
	for _, a := range want {
		l := r.links[a.Index]
		switch {
		case l == nil:
			if err := r.Transport.Join(a.Index); err != nil {
				r.Log.Warn("name not answered", "link", a.Name, "err", err)
				continue
			}
			l = &link{Announcement: a, multicast: make(map[string]time.Time)}
			r.links[a.Index] = l
			r.startProbing(now, l)
		case slices.Equal(l.Addresses, a.Addresses):
		case l.phase == probing:
			l.Addresses = a.Addresses
			r.startProbing(now, l)
		default:
			old := l.Addresses
			l.Addresses = a.Addresses
			r.goodbye(l, slices.DeleteFunc(slices.Clone(old), func(p netip.Prefix) bool { return slices.Contains(a.Addresses, p) }))
			l.phase, l.sent = announcing, 0
			r.announce(now, l)
		}
	}
}

// rename takes back the name that was had and asks for another one, as at the start: on every link it is probed before it is
// told (RFC 6762, sections 8.1 and 10.1).
func (r *Responder) rename(now time.Time, wanted string) {
	if wanted == r.wanted {
		return
	}
	r.takeBack()
	r.wanted, r.attempt, r.won = wanted, 1, ""
	for _, l := range r.links {
		clear(l.multicast)
		r.startProbing(now, l)
	}
}

// takeBack says goodbye wherever the name was announced.
func (r *Responder) takeBack() {
	for _, l := range r.links {
		if l.phase != probing {
			r.goodbye(l, l.Addresses)
		}
	}
}

// leaveAll says goodbye, and hears nothing more.
func (r *Responder) leaveAll() {
	r.takeBack()
	for index := range r.links {
		r.Transport.Leave(index)
	}
}

// label returns the name under .local that is being tried or was won.
func (r *Responder) label() string { return netmgr.NumberedLabel(r.wanted, r.attempt) }

// name returns the fully qualified name.
func (r *Responder) name() string { return r.label() + ".local." }

// mine reports whether an address is one of ours, on whatever link.
func (r *Responder) mine(a netip.Addr) bool {
	for l := range maps.Values(r.links) {
		for _, p := range l.Addresses {
			if p.Addr() == a {
				return true
			}
		}
	}
	return false
}

// handle takes a message in. What is not from the link itself is dropped (RFC 6762, section 11).
func (r *Responder) handle(now time.Time, p Packet) {
	l := r.links[p.Index]
	if l == nil || !p.Multicast && !l.onLink(p.From.Addr()) {
		return
	}
	var m dns.Msg
	if m.Unpack(p.Data) != nil || m.Opcode != dns.OpcodeQuery || m.Rcode != dns.RcodeSuccess {
		return
	}
	switch {
	case m.Response && p.From.Port() == Port && !r.mine(p.From.Addr()):
		r.handleResponse(now, l, &m)
	case m.Response:
	case len(m.Ns) > 0 && r.mine(p.From.Addr()): // our own probe, come back by another link
	default:
		r.handleQuery(now, l, p, &m)
	}
}

// onLink reports whether an address is a neighbour's.
func (l *link) onLink(a netip.Addr) bool {
	return a.IsLinkLocalUnicast() || slices.ContainsFunc(l.Addresses, func(p netip.Prefix) bool { return p.Contains(a) })
}

// sameName compares domain names as DNS does. Escapes were made the same by the one parser.
func sameName(a, b string) bool { return strings.EqualFold(a, b) }

// jitter returns a random time up to d.
func jitter(d time.Duration) time.Duration { return rand.N(d) }
