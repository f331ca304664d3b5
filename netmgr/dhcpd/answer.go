package dhcpd

import (
	"net"
	"net/netip"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/iana"

	"manofwar/netmgr"
)

// answer is a message and whom it is for.
type answer struct {
	message *dhcpv4.DHCPv4
	to      netip.Addr
}

var everybody = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// request is a client's message, checked.
type request struct {
	*dhcpv4.DHCPv4
	mac     netmgr.MAC // the client's
	station netmgr.MAC // who sent it on the link
	now     time.Time
}

// parse reads a client's message. It reports false for what is not one, or came by a relay.
func parse(now time.Time, m Message) (request, bool) {
	p, err := dhcpv4.FromBytes(m.Data)
	if err != nil || p.OpCode != dhcpv4.OpcodeBootRequest || p.HWType != iana.HWTypeEthernet || len(p.ClientHWAddr) != 6 ||
		len(m.Station) != 6 || addr(p.GatewayIPAddr).IsValid() {
		return request{}, false
	}
	r := request{DHCPv4: p, mac: netmgr.MAC(p.ClientHWAddr), station: netmgr.MAC(m.Station), now: now}
	return r, r.mac[0]&1 == 0 && r.mac != netmgr.MAC{}
}

// answer acts on a message. It reports false where silence is the answer.
func (s *Server) answer(now time.Time, m Message) (answer, bool) {
	r, ok := parse(now, m)
	if !ok {
		return answer{}, false
	}
	switch r.MessageType() {
	case dhcpv4.MessageTypeDiscover:
		return s.discover(r)
	case dhcpv4.MessageTypeRequest:
		return s.request(r)
	case dhcpv4.MessageTypeDecline:
		if s.meant(r) {
			s.leases.decline(r, addr(r.RequestedIPAddress()))
		}
	case dhcpv4.MessageTypeRelease:
		if s.meant(r) {
			s.leases.release(r, addr(r.ClientIPAddr))
		}
	case dhcpv4.MessageTypeInform:
		if a := addr(r.ClientIPAddr); s.Address.Contains(a) {
			return answer{message: s.reply(r, dhcpv4.MessageTypeAck), to: a}, true
		}
	}
	return answer{}, false
}

// meant reports whether a message is for this server: it names it.
func (s *Server) meant(r request) bool { return addr(r.ServerIdentifier()) == s.Address.Addr() }

// discover offers an address, or grants it at once to those who ask for that (RFC 4039).
func (s *Server) discover(r request) (answer, bool) {
	a, ok := s.leases.offer(r, addr(r.RequestedIPAddress()))
	if !ok {
		return answer{}, false // logged there
	}
	if r.Options.Has(dhcpv4.OptionRapidCommit) && s.leases.grant(r, a) {
		return s.grant(r, a, dhcpv4.MessageTypeAck, dhcpv4.WithOption(dhcpv4.OptGeneric(dhcpv4.OptionRapidCommit, nil)))
	}
	return s.grant(r, a, dhcpv4.MessageTypeOffer)
}

// request grants or refuses (RFC 2131, section 4.3.2): an address just offered, the one a client had before, or more time.
func (s *Server) request(r request) (answer, bool) {
	wanted := addr(r.RequestedIPAddress())
	switch {
	case r.ServerIdentifier() != nil && !s.meant(r):
		return answer{}, false // it has chosen another, who cannot be on this network for long
	case !wanted.IsValid():
		wanted = addr(r.ClientIPAddr)
	}
	if !wanted.IsValid() {
		return answer{}, false
	}
	if !s.leases.grant(r, wanted) {
		nak := s.reply(r, dhcpv4.MessageTypeNak)
		nak.UpdateOption(dhcpv4.OptMessage("this address is not to be had here"))
		nak.SetBroadcast()
		return answer{message: nak, to: everybody}, true
	}
	return s.grant(r, wanted, dhcpv4.MessageTypeAck)
}

// grant returns an offer or a grant of an address.
func (s *Server) grant(r request, a netip.Addr, t dhcpv4.MessageType, more ...dhcpv4.Modifier) (answer, bool) {
	m := s.reply(r, t)
	m.YourIPAddr = a.AsSlice()
	term := s.term()
	m.UpdateOption(dhcpv4.OptIPAddressLeaseTime(term))
	m.UpdateOption(dhcpv4.OptRenewTimeValue(term / 2))
	m.UpdateOption(dhcpv4.OptRebindingTimeValue(term / 8 * 7))
	for _, f := range more {
		f(m)
	}
	switch current := addr(r.ClientIPAddr); {
	case current.IsValid():
		return answer{m, current}, true
	case r.IsBroadcast():
		return answer{m, everybody}, true
	default:
		return answer{m, a}, true
	}
}

// reply returns what every answer has, and but for refusals what the network is like.
func (s *Server) reply(r request, t dhcpv4.MessageType) *dhcpv4.DHCPv4 {
	us := net.IP(s.Address.Addr().AsSlice())
	m, _ := dhcpv4.NewReplyFromRequest(r.DHCPv4, // fails only without random numbers for a transaction ID, which is given
		dhcpv4.WithMessageType(t), dhcpv4.WithOption(dhcpv4.OptServerIdentifier(us)))
	if t == dhcpv4.MessageTypeNak {
		return m
	}
	m.UpdateOption(dhcpv4.OptSubnetMask(net.CIDRMask(s.Address.Bits(), 32)))
	m.UpdateOption(dhcpv4.OptRouter(us))
	m.UpdateOption(dhcpv4.OptDNS(us))
	if s.Portal != "" {
		m.UpdateOption(dhcpv4.OptGeneric(optionPortal, []byte(s.Portal)))
	}
	return m
}

// optionPortal is RFC 8910's Captive-Portal.
const optionPortal = dhcpv4.GenericOptionCode(114)

// maxName is how much is kept of what a client calls itself, in bytes.
const maxName = 63

// name returns what a client calls itself, without what a terminal or page would stumble over.
func name(s string) string {
	s = strings.Map(func(c rune) rune {
		if c == utf8.RuneError || !unicode.IsPrint(c) {
			return -1
		}
		return c
	}, s)
	for len(s) > maxName {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return strings.TrimSpace(s)
}

// addr returns an IPv4 address, the zero Addr for none and for 0.0.0.0.
func addr(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	if a = a.Unmap(); !a.Is4() || a.IsUnspecified() {
		return netip.Addr{}
	}
	return a
}
