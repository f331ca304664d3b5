// Package ssdp tells the home's network that a device is there, by the Simple Service Discovery Protocol (UPnP Device
// Architecture 1.1, section 1), over IPv4: it announces itself on every network that only a home has, answers those who
// search, and says goodbye. Searching for others is not here.
//
// Anybody can send anything to this, with any sender's address. So only senders on a network of our own are answered, with
// a bounded number of answers at a time, and an answer goes to whoever asked and nobody else.
package ssdp

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Device is what is announced.
type Device struct {
	UUID     string                            // without "uuid:"
	Type     string                            // such as "urn:schemas-upnp-org:device:MediaRenderer:1"
	Services []string                          // their types
	Server   string                            // operating system, "UPnP/1.1" and product, as the field SERVER has it
	Location func(own netip.Addr) (url string) // of the description, for those in the network of that address of ours
}

// Network is one of the host's addresses, with those that it reaches directly.
type Network struct {
	Interface int // the kernel's index
	Prefix    netip.Prefix
}

// transport carries messages. [socket] is one.
type transport interface {
	Packets() <-chan packet
	Join(iface int) error                      // to the group, on that interface
	Leave(iface int)                           // likewise
	Multicast(iface int, message []byte) error // to the group
	Send(to netip.AddrPort, message []byte) error
	Close() error
}

// packet is a message from somebody.
type packet struct {
	from netip.AddrPort
	data []byte
}

const (
	// maxAge is how long an announcement holds, and aliveEvery how often it is made anew: three in that time, as some get lost.
	maxAge     = 30 * time.Minute
	aliveEvery = maxAge/3 - 30*time.Second
	// lookEvery is how often the host's networks are looked at.
	lookEvery = 5 * time.Second
	// maxPending bounds the answers that wait for their moment.
	maxPending = 64
	// maxWait bounds how long a searcher can have an answer wait.
	maxWait = 5 * time.Second
	// repeatAfter is when an announcement is said again.
	repeatAfter = 200 * time.Millisecond
)

// Advertiser announces one device.
type Advertiser struct {
	device   Device
	conn     transport
	networks func() []Network

	known   []Network
	pending []answer // sorted by when
	budget  float64  // of answers
	refill  time.Time
}

// answer is one that waits for its moment.
type answer struct {
	at      time.Time
	to      netip.AddrPort
	targets []target
	from    netip.Addr // our address there
}

// Run announces d until ctx ends, and takes it back then. The error is that of opening the socket.
func Run(ctx context.Context, d Device) error {
	conn, err := listen(ctx)
	if err != nil {
		return fmt.Errorf("announce by SSDP: %w", err)
	}
	a := &Advertiser{device: d, conn: conn, networks: Networks}
	a.run(ctx)
	return conn.Close()
}

func (a *Advertiser) run(ctx context.Context) {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	alive := time.NewTicker(aliveEvery)
	defer alive.Stop()
	due := time.NewTimer(time.Hour)
	defer due.Stop()
	again := time.NewTimer(repeatAfter)
	defer again.Stop()
	a.budget, a.refill = burst, time.Now()
	a.look()
	for {
		if len(a.pending) > 0 {
			due.Reset(time.Until(a.pending[0].at))
		} else {
			due.Stop()
		}
		select {
		case <-ctx.Done():
			a.goodbye(a.known)
			return
		case <-look.C:
			if a.look() {
				again.Reset(repeatAfter)
			}
		case <-again.C:
			a.announce(a.known)
		case <-alive.C:
			a.announce(a.known)
		case <-due.C:
			a.answer(time.Now())
		case p := <-a.conn.Packets():
			a.hear(p, time.Now())
		}
	}
}

// look joins networks that are new and leaves those that have gone, and reports whether there are new ones.
func (a *Advertiser) look() bool {
	now := a.networks()
	joined := func(all []Network, iface int) bool {
		return slices.ContainsFunc(all, func(n Network) bool { return n.Interface == iface })
	}
	var added []Network
	for _, n := range now {
		if slices.Contains(a.known, n) {
			continue
		}
		if !joined(a.known, n.Interface) && !joined(added, n.Interface) && a.conn.Join(n.Interface) != nil {
			continue // it has just gone, or does no multicast: it is looked at again
		}
		added = append(added, n)
	}
	kept := slices.DeleteFunc(slices.Clone(a.known), func(n Network) bool { return !slices.Contains(now, n) })
	for _, n := range a.known {
		if !joined(kept, n.Interface) && !joined(added, n.Interface) {
			a.conn.Leave(n.Interface)
		}
	}
	a.known = append(kept, added...)
	a.announce(added)
	return len(added) > 0
}

// target is one of the names that a device is found by, with the field USN that goes with it (section 1.2.2).
type target struct{ name, usn string }

func (d Device) targets() []target {
	id := "uuid:" + d.UUID
	all := []target{{"upnp:rootdevice", id + "::upnp:rootdevice"}, {id, id}, {d.Type, id + "::" + d.Type}}
	for _, s := range d.Services {
		all = append(all, target{s, id + "::" + s})
	}
	return all
}

// announce says in networks that the device is there (section 1.2.2). A network that has just gone does not hear it.
func (a *Advertiser) announce(networks []Network) {
	for _, n := range networks {
		for _, t := range a.device.targets() {
			_ = a.conn.Multicast(n.Interface, message("NOTIFY * HTTP/1.1", [][2]string{
				{"HOST", group.String()},
				{"CACHE-CONTROL", cacheControl()},
				{"LOCATION", a.device.Location(n.Prefix.Addr())},
				{"NT", t.name},
				{"NTS", "ssdp:alive"},
				{"SERVER", a.device.Server},
				{"USN", t.usn},
			}))
		}
	}
}

// goodbye takes it back (section 1.2.3).
func (a *Advertiser) goodbye(networks []Network) {
	for _, n := range networks {
		for _, t := range a.device.targets() {
			_ = a.conn.Multicast(n.Interface, message("NOTIFY * HTTP/1.1", [][2]string{
				{"HOST", group.String()}, {"NT", t.name}, {"NTS", "ssdp:byebye"}, {"USN", t.usn},
			}))
		}
	}
}

// The answers that may be given: as many at once, and as many a second.
const (
	burst     = 30
	perSecond = 10
)

// hear takes in a search, if it comes from a network of ours.
func (a *Advertiser) hear(p packet, now time.Time) {
	i := slices.IndexFunc(a.known, func(n Network) bool { return n.Prefix.Masked().Contains(p.from.Addr()) })
	if i < 0 || len(a.pending) >= maxPending {
		return
	}
	s, err := parseSearch(p.data)
	if err != nil {
		return
	}
	matching := slices.DeleteFunc(a.device.targets(), func(t target) bool { return s.target != "ssdp:all" && s.target != t.name })
	if len(matching) == 0 {
		return
	}
	a.budget = min(burst, a.budget+now.Sub(a.refill).Seconds()*perSecond)
	a.refill = now
	if a.budget < 1 {
		return
	}
	a.budget--
	wait := time.Duration(rand.Int64N(int64(min(s.wait, maxWait)) + 1))
	a.pending = append(a.pending, answer{now.Add(wait), p.from, matching, a.known[i].Prefix.Addr()})
	slices.SortStableFunc(a.pending, func(x, y answer) int { return x.at.Compare(y.at) })
}

// answer gives the answers that are due (section 1.3.3).
func (a *Advertiser) answer(now time.Time) {
	for len(a.pending) > 0 && !a.pending[0].at.After(now) {
		w := a.pending[0]
		a.pending = a.pending[1:]
		for _, t := range w.targets {
			_ = a.conn.Send(w.to, message("HTTP/1.1 200 OK", [][2]string{
				{"CACHE-CONTROL", cacheControl()},
				{"EXT", ""},
				{"LOCATION", a.device.Location(w.from)},
				{"SERVER", a.device.Server},
				{"ST", t.name},
				{"USN", t.usn},
			})) // who asked may have left
		}
	}
}

func cacheControl() string { return fmt.Sprintf("max-age=%d", int(maxAge.Seconds())) }

func message(first string, fields [][2]string) []byte {
	var b strings.Builder
	b.WriteString(first + "\r\n")
	for _, f := range fields {
		b.WriteString(f[0] + ": " + f[1] + "\r\n")
	}
	return []byte(b.String() + "\r\n")
}
