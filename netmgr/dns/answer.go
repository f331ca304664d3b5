package dns

import (
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"manofwar/netmgr"
	"manofwar/netmgr/api"
)

// How long answers may be remembered, in seconds.
const (
	ownTTL     = 30
	captureTTL = 2 // a client that is let go must find the real host at once
)

// answer returns what a query is answered without asking anybody; nil: others have to be asked.
func (n *Names) answer(q *dns.Msg) *dns.Msg {
	if r := refuse(q); r != nil {
		return r
	}
	name := strings.ToLower(q.Question[0].Name)
	switch {
	case n.Hostname != "" && (name == n.hostname("local.") || name == n.hostname("")):
		return n.ours(q, ownTTL)
	case n.reverse(name):
		r := reply(q)
		if q.Question[0].Qtype == dns.TypePTR && n.Hostname != "" {
			r.Answer = append(r.Answer, &dns.PTR{Hdr: header(q, dns.TypePTR, ownTTL), Ptr: n.hostname("local.")})
		}
		return r
	case dns.IsSubDomain("local.", name):
		return failure(q, dns.RcodeNameError)
	case dns.IsSubDomain("resolver.arpa.", name):
		return reply(q) // whether the name server speaks in secret: we do not, and others are not who was asked (RFC 9462)
	}
	if r := n.captured(q, name); r != nil {
		return r
	}
	if len(n.Servers) == 0 {
		return failure(q, dns.RcodeServerFailure)
	}
	return nil
}

// refuse answers what is no plain question.
func refuse(q *dns.Msg) *dns.Msg {
	switch {
	case q.Opcode != dns.OpcodeQuery:
		return failure(q, dns.RcodeNotImplemented)
	case len(q.Question) != 1 || len(q.Answer) > 0 || len(q.Ns) > 0:
		return failure(q, dns.RcodeFormatError)
	case q.IsEdns0() != nil && q.IsEdns0().Version() != 0:
		r := reply(q)
		r.Rcode = dns.RcodeBadVers
		return r
	case q.Question[0].Qclass != dns.ClassINET, q.Question[0].Qtype == dns.TypeAXFR, q.Question[0].Qtype == dns.TypeIXFR:
		return failure(q, dns.RcodeRefused)
	}
	return nil
}

// captured answers names that are told to be ours although they are not; nil: this is none of them.
func (n *Names) captured(q *dns.Msg, name string) *dns.Msg {
	switch {
	case n.Capture == netmgr.CaptureNone:
		return nil
	case name == windowsDNS: // the page that Windows then asks for is where it learns that it is held
		r := reply(q)
		switch q.Question[0].Qtype {
		case dns.TypeA:
			r.Answer = append(r.Answer, address(q, windowsDNS4, captureTTL))
		case dns.TypeAAAA:
			r.Answer = append(r.Answer, address(q, windowsDNS6, captureTTL))
		}
		return r
	case isProbe(name):
		return n.ours4(q)
	case n.Capture != netmgr.CaptureAll:
		return nil
	case name == firefoxCanary:
		return failure(q, dns.RcodeNameError)
	default:
		return n.ours4(q)
	}
}

// isProbe reports whether a name is one by which systems look for a sign-in page.
func isProbe(name string) bool {
	_, found := slices.BinarySearch(api.ProbeHosts, strings.TrimSuffix(name, "."))
	return found
}

// ours answers with our addresses.
func (n *Names) ours(q *dns.Msg, ttl uint32) *dns.Msg {
	r := reply(q)
	for _, a := range n.Addresses {
		if t := q.Question[0].Qtype; a.Is4() && t == dns.TypeA || a.Is6() && t == dns.TypeAAAA {
			r.Answer = append(r.Answer, address(q, a, ttl))
		}
	}
	return r
}

// ours4 answers with our IPv4 address only, and for a short time: a name that is not ours has no other record here.
func (n *Names) ours4(q *dns.Msg) *dns.Msg {
	if q.Question[0].Qtype != dns.TypeA {
		return reply(q)
	}
	return n.ours(q, captureTTL)
}

func (n *Names) hostname(domain string) string { return strings.ToLower(n.Hostname) + "." + domain }

// reverse reports whether a name is that of one of our addresses.
func (n *Names) reverse(name string) bool {
	if !dns.IsSubDomain("arpa.", name) {
		return false
	}
	for _, a := range n.Addresses {
		if r, err := dns.ReverseAddr(a.WithZone("").String()); err == nil && r == name {
			return true
		}
	}
	return false
}

// reply returns an empty answer: the name exists, but has nothing of the kind. Without a SOA record nobody remembers that
// (RFC 2308, section 5).
func reply(q *dns.Msg) *dns.Msg {
	r := new(dns.Msg).SetReply(q)
	r.RecursionAvailable = true
	if q.IsEdns0() != nil {
		r.SetEdns0(maxUDP, false)
	}
	return r
}

// failure returns an answer that says no.
func failure(q *dns.Msg, rcode int) *dns.Msg {
	r := reply(q)
	r.Rcode = rcode
	return r
}

func header(q *dns.Msg, t uint16, ttl uint32) dns.RR_Header {
	return dns.RR_Header{Name: q.Question[0].Name, Rrtype: t, Class: dns.ClassINET, Ttl: ttl}
}

func address(q *dns.Msg, a netip.Addr, ttl uint32) dns.RR {
	if a.Is4() {
		return &dns.A{Hdr: header(q, dns.TypeA, ttl), A: net.IP(a.AsSlice())}
	}
	return &dns.AAAA{Hdr: header(q, dns.TypeAAAA, ttl), AAAA: net.IP(a.AsSlice())}
}
