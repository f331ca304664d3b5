package dhcp

import (
	"math"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"manofwar/netmgr"
)

// vendorClass says what kind of client asks (option 60).
const vendorClass = "manofwar"

// maxMessage is the largest message that is accepted, in bytes (option 57): what an Ethernet frame holds.
const maxMessage = 1472

// message returns what every message of this client has.
func (c *Client) message(t dhcpv4.MessageType) *dhcpv4.DHCPv4 {
	m, _ := dhcpv4.New( // fails only without random numbers for the transaction ID, which is given
		dhcpv4.WithTransactionID(c.xid),
		dhcpv4.WithHwAddr(c.MAC),
		dhcpv4.WithMessageType(t),
		dhcpv4.WithGeneric(dhcpv4.OptionClientIdentifier, append([]byte{1}, c.MAC...)), // 1: Ethernet
	)
	return m
}

// ask adds to a message what is wanted of the server.
func (c *Client) ask(m *dhcpv4.DHCPv4) *dhcpv4.DHCPv4 {
	m.UpdateOption(dhcpv4.OptMaxMessageSize(maxMessage))
	m.UpdateOption(dhcpv4.OptClassIdentifier(vendorClass))
	m.UpdateOption(dhcpv4.OptParameterRequestList(
		dhcpv4.OptionSubnetMask, dhcpv4.OptionClasslessStaticRoute, dhcpv4.OptionRouter,
		dhcpv4.OptionDomainNameServer, dhcpv4.OptionDomainName, dhcpv4.OptionDNSDomainSearchList,
		dhcpv4.OptionNTPServers, dhcpv4.OptionRenewTimeValue, dhcpv4.OptionRebindingTimeValue,
	))
	if c.Hostname != "" {
		m.UpdateOption(dhcpv4.OptHostName(c.Hostname))
	}
	return m
}

// discover returns the message that looks for servers.
func (c *Client) discover() *dhcpv4.DHCPv4 {
	m := c.ask(c.message(dhcpv4.MessageTypeDiscover))
	m.UpdateOption(dhcpv4.OptGeneric(dhcpv4.OptionRapidCommit, nil))
	if c.Previous.IsValid() {
		m.UpdateOption(dhcpv4.OptRequestedIPAddress(c.Previous.AsSlice()))
	}
	return m
}

// request returns the message that asks for an address: of the server that offered it, or without an offer of any.
func (c *Client) request(offer *dhcpv4.DHCPv4, a netip.Addr) *dhcpv4.DHCPv4 {
	m := c.ask(c.message(dhcpv4.MessageTypeRequest))
	m.UpdateOption(dhcpv4.OptRequestedIPAddress(a.AsSlice()))
	if offer != nil {
		m.UpdateOption(dhcpv4.OptServerIdentifier(offer.ServerIdentifier()))
	}
	return m
}

// extend returns the message that asks for more time (RFC 2131, section 4.3.2, RENEWING and REBINDING).
func (c *Client) extend(a netip.Addr) *dhcpv4.DHCPv4 {
	m := c.ask(c.message(dhcpv4.MessageTypeRequest))
	m.ClientIPAddr = a.AsSlice()
	return m
}

// decline returns the message that tells a server that somebody else uses the address it granted.
func (c *Client) decline(l netmgr.Lease) *dhcpv4.DHCPv4 {
	m := c.message(dhcpv4.MessageTypeDecline)
	m.UpdateOption(dhcpv4.OptRequestedIPAddress(l.Address.Addr().AsSlice()))
	m.UpdateOption(dhcpv4.OptServerIdentifier(l.Server.AsSlice()))
	m.UpdateOption(dhcpv4.OptMessage("the address is in use"))
	return m
}

// validLease reports whether an ACK can be used: whatever arrives may be forged or broken.
func validLease(m *dhcpv4.DHCPv4) bool {
	return validAddress(addr(m.YourIPAddr)) && addr(m.ServerIdentifier()).IsValid() && m.IPAddressLeaseTime(0) > 0
}

// validAddress reports whether a host can have the address.
func validAddress(a netip.Addr) bool {
	return a.Is4() && (a.IsGlobalUnicast() || a.IsLinkLocalUnicast()) && a.As4()[0] != 0 && a.As4()[0] < 224
}

// newGranted makes a lease of a valid ACK. Its times count from when it was asked for.
func newGranted(a answer) granted {
	m := a.message
	g := granted{Lease: lease(m)}
	term := max(m.IPAddressLeaseTime(0), shortestLease)
	if term/time.Second >= math.MaxUint32 {
		return g
	}
	rebind := m.IPAddressRebindingTime(term / 8 * 7)
	if rebind <= 0 || rebind >= term {
		rebind = term / 8 * 7
	}
	renew := m.IPAddressRenewalTime(term / 2)
	if renew <= 0 || renew >= rebind {
		renew = min(term/2, rebind*4/7)
	}
	g.renew, g.rebind, g.Until = a.asked.Add(renew), a.asked.Add(rebind), a.asked.Add(term)
	return g
}

// lease reads what a valid ACK configures.
func lease(m *dhcpv4.DHCPv4) netmgr.Lease {
	ip := addr(m.YourIPAddr)
	l := netmgr.Lease{
		Address: netip.PrefixFrom(ip, bits(m.SubnetMask(), ip)),
		Server:  addr(m.ServerIdentifier()),
		DNS:     servers(m.DNS()),
		Time:    servers(m.NTPServers()),
		Routes:  routes(m, ip),
	}
	names := []string{m.DomainName()}
	if s := m.DomainSearch(); s != nil && len(s.Labels) > 0 {
		names = s.Labels
	}
	for _, n := range names {
		if n = strings.TrimSuffix(n, "."); validDomain(n) && len(l.Search) < netmgr.MaxServers {
			l.Search = append(l.Search, n)
		}
	}
	return l
}

// bits returns the length of the subnet's prefix: the mask's, or the class's of the address where there is none.
func bits(mask net.IPMask, ip netip.Addr) int {
	if ones, size := mask.Size(); size == 32 && ones > 0 {
		return ones
	}
	ones, _ := net.IP(ip.AsSlice()).DefaultMask().Size()
	return ones
}

// maxRoutes bounds the classless routes of one lease.
const maxRoutes = 32

// routes returns the classless routes, or where there are none the router's (RFC 3442: the former hide the latter).
func routes(m *dhcpv4.DHCPv4, ip netip.Addr) []netmgr.Route {
	var out []netmgr.Route
	for _, r := range m.ClasslessStaticRoute() {
		if r.Dest == nil || len(out) == maxRoutes {
			continue
		}
		dst := addr(r.Dest.IP)
		if !dst.IsValid() {
			dst = netip.IPv4Unspecified() // addr takes 0.0.0.0 for none
		}
		ones, _ := r.Dest.Mask.Size()
		via := addr(r.Router)
		if to := netip.PrefixFrom(dst, ones).Masked(); to.IsValid() && via != ip {
			out = append(out, netmgr.Route{To: to, Via: via})
		}
	}
	if out != nil {
		return out
	}
	for _, r := range m.Router() {
		if via := addr(r); validAddress(via) && via != ip {
			return []netmgr.Route{{To: netip.PrefixFrom(netip.IPv4Unspecified(), 0), Via: via}}
		}
	}
	return nil
}

func servers(list []net.IP) []netip.Addr {
	var out []netip.Addr
	for _, ip := range list {
		if a := addr(ip); len(out) < netmgr.MaxServers && validAddress(a) {
			out = append(out, a)
		}
	}
	return out
}

// validDomain reports whether a name may be written into resolv.conf(5): letters, digits, hyphens and dots.
func validDomain(s string) bool {
	return s != "" && len(s) <= 253 && !strings.HasPrefix(s, "-") && strings.Trim(strings.ToLower(s),
		"abcdefghijklmnopqrstuvwxyz0123456789-.") == ""
}

// addr returns an IPv4 address, the zero Addr for none and for 0.0.0.0.
func addr(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	if a = a.Unmap(); !a.Is4() || a.IsUnspecified() {
		return netip.Addr{}
	}
	return a
}
