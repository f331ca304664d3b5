package dhcpd

import (
	"encoding/binary"
	"hash/fnv"
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"manofwar/netmgr"
)

// leases knows who has which address. Nobody who had one is forgotten before it is needed for somebody else.
type leases struct {
	ours netip.Prefix
	term time.Duration
	log  *slog.Logger

	byMAC     map[netmgr.MAC]*lease
	byAddress map[netip.Addr]*lease
	resting   map[netip.Addr]time.Time // declined addresses, and until when they are not lent
	full      time.Time                // when it was last logged that there are no more
	journal   journal
}

// lease is an address and who has it, had it, or was offered it.
type lease struct {
	mac     netmgr.MAC
	station netmgr.MAC // who brought it
	address netip.Addr
	name    string
	granted bool      // not only offered
	until   time.Time // when it ends, or ended
	offered time.Time // until when it is kept for the client, who was offered it
}

// kept reports whether nobody else may have the address.
func (l *lease) kept(now time.Time) bool { return now.Before(l.until) || now.Before(l.offered) }

const (
	offerTime  = 15 * time.Second // for how long an offer is kept for the client
	restTime   = 10 * time.Minute // for how long a declined address is not lent
	maxResting = 16               // addresses: a client that declines everything must not take the network down
	maxOthers  = 8                // leases of one station of the access point: a repeater has clients of its own
	fullPause  = time.Minute      // between two complaints that there are no more addresses
)

func newLeases(ours netip.Prefix, term time.Duration, log *slog.Logger) *leases {
	return &leases{
		ours: ours, term: term, log: log,
		byMAC: make(map[netmgr.MAC]*lease), byAddress: make(map[netip.Addr]*lease), resting: make(map[netip.Addr]time.Time),
	}
}

// offer keeps an address for a client for a while: its own, the one it asks for, or a free one. It reports false when
// there is none, or none for this station.
func (t *leases) offer(r request, wanted netip.Addr) (netip.Addr, bool) {
	if l := t.byMAC[r.mac]; l != nil && t.usable(l.address, r) {
		l.offered, l.station = r.now.Add(offerTime), r.station
		return l.address, true
	}
	if t.brought(r) >= maxOthers {
		return netip.Addr{}, false
	}
	a, ok := t.choose(r, wanted)
	if !ok {
		if r.now.Sub(t.full) >= fullPause {
			t.full = r.now
			t.log.Warn("no address left to lend", "network", t.ours.Masked())
		}
		return netip.Addr{}, false
	}
	t.assign(&lease{mac: r.mac, station: r.station, address: a, offered: r.now.Add(offerTime)})
	return a, true
}

// grant lends an address to a client, or lends it for longer. It reports false if the client cannot have it. What is
// new is in the journal before the client hears of it.
func (t *leases) grant(r request, a netip.Addr) bool {
	if !t.usable(a, r) || t.byMAC[r.mac] == nil && t.brought(r) >= maxOthers {
		return false
	}
	l := t.byMAC[r.mac]
	if l == nil || l.address != a {
		if l != nil && l.granted && r.now.Before(l.until) {
			return false // it has another
		}
		l = &lease{mac: r.mac, address: a}
		t.assign(l)
	}
	if !l.granted {
		l.granted = true
		t.record(l)
	}
	l.station, l.until = r.station, r.now.Add(t.term)
	if n := name(r.HostName()); n != "" {
		l.name = n
	}
	return true
}

// release ends a client's lease. It gets the same address when it comes back.
func (t *leases) release(r request, a netip.Addr) {
	if l := t.byMAC[r.mac]; l != nil && l.address == a && r.now.Before(l.until) {
		l.until, l.offered = r.now, time.Time{}
	}
}

// decline lets an address rest that its client has found in use.
func (t *leases) decline(r request, a netip.Addr) {
	l := t.byMAC[r.mac]
	if l == nil || l.address != a {
		return
	}
	t.drop(l)
	if len(t.resting) >= maxResting {
		delete(t.resting, oldest(t.resting))
	}
	t.resting[a] = r.now.Add(restTime)
	t.log.Warn("address found in use", "address", a, "client", r.mac)
}

// oldest returns the key of the earliest time.
func oldest(m map[netip.Addr]time.Time) (key netip.Addr) {
	for a, until := range m {
		if !key.IsValid() || until.Before(m[key]) {
			key = a
		}
	}
	return key
}

// usable reports whether a client may have an address: it is one of the network, and nobody else's at this time.
func (t *leases) usable(a netip.Addr, r request) bool {
	if !t.ours.Contains(a) || a == t.ours.Addr() || r.now.Before(t.resting[a]) {
		return false
	}
	if n := t.index(a); n < 1 || n > t.size() {
		return false
	}
	l := t.byAddress[a]
	return l == nil || l.mac == r.mac || !l.kept(r.now)
}

// choose returns an address for somebody new. Those that nobody has had yet come first, then those that were given back
// the longest time ago.
func (t *leases) choose(r request, wanted netip.Addr) (netip.Addr, bool) {
	if t.usable(wanted, r) && t.byAddress[wanted] == nil {
		return wanted, true
	}
	var past *lease
	start := hash(r.mac) % t.size()
	for i := range t.size() {
		a := t.at(1 + (start+i)%t.size())
		if !t.usable(a, r) {
			continue
		}
		l := t.byAddress[a]
		if l == nil {
			return a, true
		}
		if past == nil || l.until.Before(past.until) {
			past = l
		}
	}
	if past == nil {
		return netip.Addr{}, false
	}
	return past.address, true
}

// brought counts the leases, offers too, of the station that sent a request.
func (t *leases) brought(r request) (n int) {
	for _, l := range t.byMAC {
		if l.station == r.station && l.mac != r.mac && l.kept(r.now) {
			n++
		}
	}
	return n
}

// assign makes l the lease of its client and its address.
func (t *leases) assign(l *lease) {
	for _, old := range []*lease{t.byMAC[l.mac], t.byAddress[l.address]} {
		if old != nil {
			t.drop(old)
		}
	}
	t.byMAC[l.mac], t.byAddress[l.address] = l, l
}

func (t *leases) drop(l *lease) {
	delete(t.byMAC, l.mac)
	delete(t.byAddress, l.address)
}

// clients returns those who have a lease.
func (t *leases) clients(now time.Time) []Client {
	var out []Client
	for _, l := range t.byMAC {
		if l.granted && now.Before(l.until) {
			out = append(out, Client{MAC: l.mac, Address: l.address, Name: l.name, Until: l.until})
		}
	}
	slices.SortFunc(out, func(a, b Client) int { return a.Address.Compare(b.Address) })
	return out
}

// size is how many hosts the network holds, us among them: all but its first and last address.
func (t *leases) size() uint32 { return 1<<(32-t.ours.Bits()) - 2 }

// at returns the network's n-th address.
func (t *leases) at(n uint32) netip.Addr {
	b := t.ours.Masked().Addr().As4()
	binary.BigEndian.PutUint32(b[:], binary.BigEndian.Uint32(b[:])+n)
	return netip.AddrFrom4(b)
}

// index undoes at, for an address of the network.
func (t *leases) index(a netip.Addr) uint32 {
	b, base := a.As4(), t.ours.Masked().Addr().As4()
	return binary.BigEndian.Uint32(b[:]) - binary.BigEndian.Uint32(base[:])
}

// hash spreads clients over the network, the same in every run.
func hash(m netmgr.MAC) uint32 {
	h := fnv.New32a()
	h.Write(m[:])
	return h.Sum32()
}
