// Package netmgr decides how a host is on the network: which links it uses, in which order, with which addresses,
// routes and name servers, and what each link is worth.
//
// It is vocabulary and policy only. A [Policy] is told what happens ([Event]) and says what should be so ([Plan]); it
// makes no system call, starts no goroutine and reads no clock, so that a day of faults runs in a test in microseconds.
// The adapters below this directory observe and act: link (the kernel's interfaces, addresses and routes), dhcp, arp,
// sntp and mdns; native wires them into the service.
//
// What other services see of it is in [manofwar/netmgr/api].
package netmgr

import (
	"net"
	"net/netip"
	"time"
)

// Kind is what a link is made of.
type Kind string

// The kinds of links.
const (
	Ethernet Kind = "ethernet"
	USB      Kind = "usb" // a phone on a cable that shares its connection
	WiFi     Kind = "wifi"
)

// Link is one interface as the kernel has it.
type Link struct {
	Index     int
	Name      string
	Kind      Kind
	MAC       net.HardwareAddr
	Up        bool           // somebody has switched it on
	Carrier   bool           // it is on and the medium is there
	Addresses []netip.Prefix // those in use: tentative and failed ones are left out
	Gateways  []netip.Addr   // of its default routes, whoever set them
}

// Lease is what a network's DHCP server granted, checked and bounded.
type Lease struct {
	Address netip.Prefix // ours, with the subnet's length
	Server  netip.Addr   // who granted it
	Routes  []Route      // the default one too
	DNS     []netip.Addr // at most [MaxServers]
	Search  []string     // domains to complete names with
	Time    []netip.Addr // NTP servers, at most [MaxServers]

	Until time.Time // when it ends, by the monotonic clock; the zero Time: never (RFC 2131, section 3.3)
}

// MaxServers is how many name servers and how many time servers of one lease are used: what resolv.conf(5) takes.
const MaxServers = 3

// Route is one way out of a link.
type Route struct {
	To  netip.Prefix // 0.0.0.0/0 for the default
	Via netip.Addr   // the zero Addr: directly
}

// Default reports whether it leads to everywhere.
func (r Route) Default() bool { return r.To.Bits() == 0 }

// Event is something that happened.
type Event interface{ event() }

// The events that a [Policy] understands.
type (
	// LinkChanged says how a link is now.
	LinkChanged struct{ Link Link }
	// LinkGone says that a link was taken away.
	LinkGone struct{ Index int }
	// Leased says that a DHCP server granted or renewed a lease.
	Leased struct {
		Index int
		Lease Lease
	}
	// Unleased says that a lease ended before a new one was granted, and why, in words for a person.
	Unleased struct {
		Index  int
		Reason string
	}
	// Unanswered says that no DHCP server answers. The client keeps asking.
	Unanswered struct{ Index int }
	// SelfAssigned says that a link-local IPv4 address was claimed, or lost when it is the zero Prefix.
	SelfAssigned struct {
		Index   int
		Address netip.Prefix
	}
	// Named says which name under .local was won by whoever wanted one; Wanted is empty where nobody did, as it is the host's.
	Named struct{ Wanted, Hostname string }
	// ClockSet says when the clock was last set from the network.
	ClockSet struct{ At time.Time }
	// Troubled says what keeps the manager from working, in words for a person; empty: nothing any more.
	Troubled struct{ Reason string }
)

func (LinkChanged) event()  {}
func (LinkGone) event()     {}
func (Leased) event()       {}
func (Unleased) event()     {}
func (Unanswered) event()   {}
func (SelfAssigned) event() {}
func (Named) event()        {}
func (ClockSet) event()     {}
func (Troubled) event()     {}

// Plan is how the network should be. Whoever carries it out compares it with how it is.
type Plan struct {
	Links    []LinkPlan     // in the order of preference
	Radios   []RadioPlan    // in the order of their numbers
	DNS      []netip.Addr   // at most [MaxServers], the preferred link's first
	Search   []string       // domains to complete names with
	Time     []netip.Addr   // NTP servers the network names
	Wanted   string         // the name under .local to be won
	Hostname string         // the one that was won, on some link; empty: none yet
	Name     string         // the same for people to read; empty: nobody gave one
	Announce []Announcement // where our name is answered
	Judge    []JudgePlan    // what is to be found out by [Judged]
}

// LinkPlan is how one link should be.
type LinkPlan struct {
	Index      int
	Name       string
	MAC        net.HardwareAddr
	SwitchOn   bool           // it is off and should not be
	Generation int            // counts carriers: what ran on the link before starts anew when it changes
	Lease      bool           // a DHCP client runs on it
	SelfAssign bool           // a link-local IPv4 address is claimed on it
	Keep       bool           // its addresses and routes are left as they are: a predecessor's may be about to be confirmed
	Addresses  []netip.Prefix // its IPv4 addresses: these and no others
	Routes     []Route        // its IPv4 routes beside the addresses' own: these and no others
	Metric     int            // of every route: less is preferred
	Until      time.Time      // when the addresses end should the manager die and stay dead; the zero Time: never
}

// JudgePlan is a link with an address, of which is to be found out what lies behind it.
type JudgePlan struct {
	Index      int
	Name       string
	Generation int // told back by [Judged]
	Gateways   []netip.Addr
	DNS        []netip.Addr // of this link
	Pace       Pace
}

// Pace is how closely a link is watched.
type Pace string

// The paces.
const (
	InUse   Pace = "in-use"
	Standby Pace = "standby" // another link is in use
	Costly  Pace = "metered" // what is sent costs
)

// Announcement is one link on which our name is answered, with the addresses to answer.
type Announcement struct {
	Index     int
	Name      string
	Addresses []netip.Prefix
}
