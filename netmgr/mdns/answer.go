package mdns

import (
	"bytes"
	"net/netip"
	"slices"
	"time"

	"github.com/miekg/dns"
)

const (
	quiet       = time.Second            // no record is sent to everybody twice within it (RFC 6762, section 6)
	quietDefend = 250 * time.Millisecond // unless a probe asks
	moreWait    = 400 * time.Millisecond // for the rest of a query (section 7.2)
	moreJitter  = 100 * time.Millisecond

	maxDeferred = 16 // queries on one link of which more is to come
	maxKnown    = 64 // known answers of one query
)

// query is what somebody wants to know.
type query struct {
	from      netip.AddrPort
	id        uint16
	questions []dns.Question
	known     []dns.RR // the answers they have already
	probe     bool     // they want the name for themselves
	direct    bool     // it was sent to us alone
}

// legacy reports whether the query comes from a plain DNS resolver.
func (q query) legacy() bool { return q.from.Port() != Port }

// deferred is a query of which more is to come.
type deferred struct {
	query
	due time.Time
}

// handleQuery answers, at once or when its known answers are complete.
func (r *Responder) handleQuery(now time.Time, l *link, p Packet, m *dns.Msg) {
	if l.phase == probing {
		r.contest(now, l, m)
		return
	}
	if len(m.Question) == 0 { // the rest of an earlier query
		for _, d := range l.deferred {
			if d.from == p.From && len(d.known)+len(m.Answer) <= maxKnown {
				d.known = append(d.known, m.Answer...)
			}
		}
		return
	}
	q := query{
		from: p.From, id: m.Id, questions: m.Question, known: m.Answer,
		probe: len(m.Ns) > 0, direct: !p.Multicast,
	}
	if m.Truncated && !q.legacy() && len(l.deferred) < maxDeferred {
		l.deferred = append(l.deferred, &deferred{q, now.Add(moreWait + jitter(moreJitter))})
		return
	}
	r.answer(now, l, q)
}

// answer sends what the query asks for and its sender does not know yet.
func (r *Responder) answer(now time.Time, l *link, q query) {
	var answers, extra []dns.RR
	for _, question := range q.questions {
		a, x := r.lookup(l, question)
		answers, extra = append(answers, a...), append(extra, x...)
	}
	answers = slices.DeleteFunc(unique(answers), func(rr dns.RR) bool { return knows(q.known, rr) })
	extra = slices.DeleteFunc(unique(extra), func(rr dns.RR) bool { return containsRecord(answers, rr) })
	switch {
	case len(answers) == 0:
	case q.legacy():
		m := response(withoutFlush(answers), withoutFlush(extra))
		m.Id, m.Question = q.id, q.questions
		r.send(l, q.from, m)
	case q.direct, q.wantsUnicast() && l.fresh(now, answers):
		r.send(l, q.from, response(answers, extra))
	default:
		gap := quiet
		if q.probe {
			gap = quietDefend
		}
		answers = slices.DeleteFunc(answers, func(rr dns.RR) bool { return now.Sub(l.multicast[recordKey(rr)]) < gap })
		if len(answers) > 0 {
			r.multicast(now, l, answers, extra)
		}
	}
}

// wantsUnicast reports whether every question would rather be answered to its sender alone.
func (q query) wantsUnicast() bool {
	return !slices.ContainsFunc(q.questions, func(q dns.Question) bool { return q.Qclass&unicastOK == 0 })
}

// fresh reports whether everybody has been told of all records within a quarter of their lifetime. If not, a unicast
// answer would leave the others' caches to run out (RFC 6762, section 5.4).
func (l *link) fresh(now time.Time, records []dns.RR) bool {
	return !slices.ContainsFunc(records, func(rr dns.RR) bool {
		return now.Sub(l.multicast[recordKey(rr)]) > time.Duration(rr.Header().Ttl)*time.Second/4
	})
}

// lookup returns the answer to a question, and what its sender will want to know next.
func (r *Responder) lookup(l *link, q dns.Question) (answers, extra []dns.RR) {
	if class := q.Qclass &^ unicastOK; class != dns.ClassINET && class != dns.ClassANY {
		return nil, nil
	}
	addresses := published(l.Addresses)
	host := hostRecords(r.name(), addresses, ttl)
	if sameName(q.Name, r.name()) {
		answers = ofType(host, q.Qtype)
		if len(answers) == 0 {
			return []dns.RR{absence(r.name(), types(host)...)}, nil
		}
		return answers, append(host, absence(r.name(), types(host)...))
	}
	for _, rr := range r.reverse(addresses, ttl) {
		if !sameName(q.Name, rr.Header().Name) {
			continue
		}
		if q.Qtype == dns.TypePTR || q.Qtype == dns.TypeANY {
			return []dns.RR{rr}, host
		}
		return []dns.RR{absence(rr.Header().Name, dns.TypePTR)}, nil
	}
	return nil, nil
}

func ofType(records []dns.RR, t uint16) []dns.RR {
	var out []dns.RR
	for _, rr := range records {
		if t == dns.TypeANY || rr.Header().Rrtype == t {
			out = append(out, rr)
		}
	}
	return out
}

// knows reports whether a record is among those known, with at least half its lifetime left (RFC 6762, section 7.1).
func knows(known []dns.RR, rr dns.RR) bool {
	return slices.ContainsFunc(known, func(k dns.RR) bool {
		return sameRecord(k, rr) && k.Header().Ttl >= rr.Header().Ttl/2
	})
}

func containsRecord(list []dns.RR, rr dns.RR) bool {
	return slices.ContainsFunc(list, func(l dns.RR) bool { return sameRecord(l, rr) })
}

func unique(list []dns.RR) []dns.RR {
	var out []dns.RR
	for _, rr := range list {
		if !containsRecord(out, rr) {
			out = append(out, rr)
		}
	}
	return out
}

func sameRecord(a, b dns.RR) bool {
	return a.Header().Rrtype == b.Header().Rrtype && sameName(a.Header().Name, b.Header().Name) && bytes.Equal(rdata(a), rdata(b))
}

// recordKey tells records apart in [link.multicast].
func recordKey(rr dns.RR) string { return rr.Header().Name + string(rdata(rr)) }

// multicast sends records to everybody on a link, and remembers when.
func (r *Responder) multicast(now time.Time, l *link, answers, extra []dns.RR) {
	for key, at := range l.multicast { // keep no memory of addresses long gone
		if now.Sub(at) > ttl*time.Second {
			delete(l.multicast, key)
		}
	}
	for _, rr := range answers {
		l.multicast[recordKey(rr)] = now
	}
	r.send(l, netip.AddrPort{}, response(answers, extra))
}

func response(answers, extra []dns.RR) *dns.Msg {
	m := &dns.Msg{Answer: answers, Extra: extra, Compress: true}
	m.Response, m.Authoritative = true, true
	return m
}

// send sends a message. One that is lost is sent again, by us or because it is asked for again.
func (r *Responder) send(l *link, to netip.AddrPort, m *dns.Msg) {
	data, err := m.Pack()
	if err == nil {
		err = r.Transport.Send(l.Index, to, data)
	}
	if err != nil {
		r.Log.Debug("mdns message not sent", "link", l.Name, "err", err)
	}
}
