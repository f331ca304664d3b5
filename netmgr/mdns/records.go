package mdns

import (
	"net/netip"
	"slices"

	"github.com/miekg/dns"
)

const (
	flush     = 1 << 15 // in a record's class: it replaces what is cached (RFC 6762, section 10.2)
	unicastOK = 1 << 15 // in a question's class: a unicast answer is welcome (section 5.4)

	ttl       = 120 // seconds, of records that name a host (section 10)
	ttlLegacy = 10  // seconds, at most, to those who do not speak multicast DNS (section 6.7)
)

// published returns the link's addresses that are answered: all of IPv4, and of IPv6 those that are routed or, where there
// are none, the link-local ones, which not every program can use. [Announce] publishes the same.
func published(addresses []netip.Prefix) []netip.Addr {
	var v4, v6, local []netip.Addr
	for _, p := range addresses {
		switch a := p.Addr(); {
		case a.Is4():
			v4 = append(v4, a)
		case a.IsLinkLocalUnicast():
			local = append(local, a)
		default:
			v6 = append(v6, a)
		}
	}
	if len(v6) == 0 {
		v6 = local
	}
	return append(v4, v6...)
}

// hostRecords returns the name's records for addresses.
func hostRecords(name string, addresses []netip.Addr, ttl uint32) []dns.RR {
	var out []dns.RR
	for _, a := range addresses {
		h := dns.RR_Header{Name: name, Class: dns.ClassINET | flush, Ttl: ttl}
		if a.Is4() {
			h.Rrtype = dns.TypeA
			out = append(out, &dns.A{Hdr: h, A: a.AsSlice()})
		} else {
			h.Rrtype = dns.TypeAAAA
			out = append(out, &dns.AAAA{Hdr: h, AAAA: a.AsSlice()})
		}
	}
	return out
}

// reverse returns the addresses' records for the name. They need no probing: an address is one host's anyway.
func (r *Responder) reverse(addresses []netip.Addr, ttl uint32) []dns.RR {
	var out []dns.RR
	if !r.Reverse {
		return nil
	}
	for _, a := range addresses {
		rev, err := dns.ReverseAddr(a.String())
		if err != nil {
			continue // it has a zone, which ours have not
		}
		out = append(out, &dns.PTR{
			Hdr: dns.RR_Header{Name: rev, Rrtype: dns.TypePTR, Class: dns.ClassINET | flush, Ttl: ttl}, Ptr: r.name(),
		})
	}
	return out
}

// absence returns the record that says which types a name of ours has and that it has no other (RFC 6762, section 6.1).
func absence(name string, types ...uint16) dns.RR {
	slices.Sort(types)
	return &dns.NSEC{
		Hdr:        dns.RR_Header{Name: name, Rrtype: dns.TypeNSEC, Class: dns.ClassINET | flush, Ttl: ttl},
		NextDomain: name, TypeBitMap: slices.Compact(types),
	}
}

// types returns the types of records.
func types(records []dns.RR) []uint16 {
	var out []uint16
	for _, rr := range records {
		out = append(out, rr.Header().Rrtype)
	}
	return out
}

// rdata returns a record's data in wire form without compression, nil where it has no such form.
func rdata(rr dns.RR) []byte {
	buf := make([]byte, dns.Len(rr)+1)
	end, err := dns.PackRR(rr, buf, 0, nil, false)
	if err != nil {
		return nil
	}
	start, err := dns.PackDomainName(rr.Header().Name, make([]byte, 256), 0, nil, false)
	if err != nil || start+10 > end { // type, class, TTL and length
		return nil
	}
	return buf[start+10 : end]
}

// withoutFlush returns a copy of records as those who do not speak multicast DNS expect them.
func withoutFlush(records []dns.RR) []dns.RR {
	out := make([]dns.RR, len(records))
	for i, rr := range records {
		out[i] = dns.Copy(rr)
		h := out[i].Header()
		h.Class &^= flush
		h.Ttl = min(h.Ttl, ttlLegacy)
	}
	return out
}
