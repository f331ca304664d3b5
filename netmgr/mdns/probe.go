package mdns

import (
	"bytes"
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/miekg/dns"
)

// The pace of probing and announcing (RFC 6762, sections 8.1 to 8.3).
const (
	probes        = 3
	probeGap      = 250 * time.Millisecond
	lostPause     = time.Second // after losing to a simultaneous probe
	announcements = 2
	announceGap   = time.Second

	manyConflicts = 15 // within conflictSpan: something is odd, slow down
	conflictSpan  = 10 * time.Second
	conflictPause = 5 * time.Second
)

// startProbing begins to ask on a link whether the name is free.
func (r *Responder) startProbing(now time.Time, l *link) {
	l.phase, l.sent, l.deferred = probing, 0, nil
	l.due = now.Add(jitter(probeGap))
}

// probe asks once more, or takes silence for consent.
func (r *Responder) probe(now time.Time, l *link) {
	if l.sent == probes {
		l.phase, l.sent = announcing, 0
		r.announce(now, l)
		if name := r.label(); name != r.won {
			r.won = name
			r.Tell(r.wanted, name)
		}
		return
	}
	l.sent++
	l.due = now.Add(probeGap)
	m := &dns.Msg{ // asked of everybody to everybody: a unicast answer may go to another socket on our port (section 15.1)
		Question: []dns.Question{{Name: r.name(), Qtype: dns.TypeANY, Qclass: dns.ClassINET}},
		Ns:       r.proposal(l),
	}
	r.send(l, netip.AddrPort{}, m)
}

// proposal returns the records that a probe claims, without the flush bit: they are nobody's yet.
func (r *Responder) proposal(l *link) []dns.RR {
	records := hostRecords(r.name(), published(l.Addresses), ttl)
	for _, rr := range records {
		rr.Header().Class &^= flush
	}
	return records
}

// announce tells everybody on a link, twice, that the name is ours.
func (r *Responder) announce(now time.Time, l *link) {
	l.sent++
	l.due = now.Add(announceGap)
	if l.sent >= announcements {
		l.phase, l.due = settled, time.Time{}
	}
	addresses := published(l.Addresses)
	r.multicast(now, l, append(hostRecords(r.name(), addresses, ttl), r.reverse(addresses, ttl)...), nil)
}

// goodbye takes addresses back on a link.
func (r *Responder) goodbye(l *link, addresses []netip.Prefix) {
	if gone := published(addresses); len(gone) > 0 {
		records := append(hostRecords(r.name(), gone, 0), r.reverse(gone, 0)...)
		for _, rr := range records {
			rr.Header().Class &^= flush // the others stay
		}
		r.send(l, netip.AddrPort{}, response(records, nil))
	}
}

// handleResponse looks for somebody else's records of our name. While probing, any record says that the name is taken;
// later, one of a kind that contradicts ours makes the name probed anew (RFC 6762, section 9).
func (r *Responder) handleResponse(now time.Time, l *link, m *dns.Msg) {
	for _, rr := range slices.Concat(m.Answer, m.Extra) {
		h := rr.Header()
		if !sameName(h.Name, r.name()) || h.Ttl == 0 || r.agrees(rr) {
			continue
		}
		if l.phase != probing && h.Rrtype != dns.TypeA && h.Rrtype != dns.TypeAAAA {
			continue
		}
		r.conflict(now, rr, l.phase == probing)
		return
	}
}

// agrees reports whether a record says what we say ourselves, on whatever link: another one may lead to the same network.
func (r *Responder) agrees(rr dns.RR) bool {
	var a netip.Addr
	switch rr := rr.(type) {
	case *dns.A:
		a, _ = netip.AddrFromSlice(rr.A)
	case *dns.AAAA:
		a, _ = netip.AddrFromSlice(rr.AAAA)
	default:
		return false
	}
	return r.mine(a.Unmap()) || r.Transport.Local(a.Unmap()) // which may know it sooner
}

// conflict gives the name up for the next one if it was taken before we had it, and probes everywhere.
func (r *Responder) conflict(now time.Time, theirs dns.RR, taken bool) {
	old := r.label()
	if taken {
		r.attempt++
		r.Log.Info("name is taken", "name", old, "next", r.label(), "theirs", theirs.String())
	} else {
		r.Log.Warn("name is used by another host", "name", old, "theirs", theirs.String())
	}
	pause := r.patience(now)
	for _, l := range r.links {
		r.startProbing(now, l)
		l.due = l.due.Add(pause)
	}
}

// patience counts a conflict and returns how long to wait because of too many.
func (r *Responder) patience(now time.Time) time.Duration {
	r.conflicts = append(slices.DeleteFunc(r.conflicts, func(t time.Time) bool { return now.Sub(t) > conflictSpan }), now)
	if len(r.conflicts) < manyConflicts {
		return 0
	}
	r.conflicts = r.conflicts[len(r.conflicts)-manyConflicts:]
	return conflictPause
}

// contest settles who may have the name when two probe for it at once: the one whose records sort later (RFC 6762,
// section 8.2). The loser probes again after the winner has announced itself.
func (r *Responder) contest(now time.Time, l *link, m *dns.Msg) {
	var theirs []dns.RR
	for _, rr := range m.Ns {
		if sameName(rr.Header().Name, r.name()) {
			theirs = append(theirs, rr)
		}
	}
	if len(theirs) > 0 && compareRecords(r.proposal(l), theirs) < 0 {
		l.sent, l.due = 0, now.Add(lostPause)
	}
}

// compareRecords compares two sets of records, each sorted first, by class, type and data.
func compareRecords(a, b []dns.RR) int {
	type key struct {
		class, typ uint16
		data       []byte
	}
	compare := func(a, b key) int {
		return cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(a.typ, b.typ), bytes.Compare(a.data, b.data))
	}
	keys := func(records []dns.RR) []key {
		var out []key
		for _, rr := range records {
			out = append(out, key{rr.Header().Class &^ flush, rr.Header().Rrtype, rdata(rr)})
		}
		slices.SortFunc(out, compare)
		return out
	}
	return slices.CompareFunc(keys(a), keys(b), compare)
}
