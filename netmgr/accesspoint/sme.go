package accesspoint

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/wpa"
)

// sme is the access point's station management entity (IEEE Std 802.11-2020, clause 11.3): who is authenticated,
// associated and secured. It opens no socket and reads no clock: frames, the kernel's news and the time go in, actions come
// out, to be carried out in their order. Its state is bounded, whatever is sent to it.
type sme struct {
	config
	bss
	stations map[ieee80211.MAC]*station
	recent   recent // authenticated, not associated yet
	group    *wpa.Group
	rotate   time.Time // when the group keys are replaced
	rotating bool
	calls    bucket // authentications and associations
	probes   bucket // probe requests
	strays   bucket // data of who is not associated
	out      []action
}

// config is what stays as it is while the access point is up.
type config struct {
	pmk      []byte        // nil: no password
	firmware bool          // it authenticates and associates stations by itself, and tells of them
	offload  bool          // and it does the handshake as well
	probe    bool          // the driver can ask a station for a sign of life
	lifetime time.Duration // of group keys
	idle     time.Duration // until a silent station is asked for a sign of life
	sequence func(index int) [6]byte
}

// The bounds. A station that knows the password keeps its place; others take turns.
const (
	maxMembers = 32
	maxPending = 32
)

// The default pace.
const (
	groupLifetime = time.Hour        // of group keys
	idleLimit     = 30 * time.Second // of silence, until a station is asked for a sign of life
)

// The pace.
const (
	answerWait = 300 * time.Millisecond // for the driver's word that an answer arrived
	probeWait  = 5 * time.Second        // it may be asleep
	probeTries = 3
	deafLimit  = 5 * time.Minute // of silence, where it cannot be asked
)

// An action is what the SME wants to be done.
type action interface{ action() }

type (
	// transmit sends a management frame. With confirm the driver's word on its arrival is wanted: [sme.sent].
	transmit struct {
		frame   ieee80211.Frame
		confirm bool
	}
	// send sends an EAPOL frame.
	send struct {
		to     ieee80211.MAC
		packet []byte
	}
	// add makes a station known to the driver, as associated and not authorized.
	add struct {
		mac     ieee80211.MAC
		aid     uint16
		mfp     bool
		request ieee80211.AssocRequest
	}
	// authorize lets a station's data pass.
	authorize struct{ mac ieee80211.MAC }
	// remove makes the driver forget a station. Firmware with its own SME tells it the reason first.
	remove struct {
		mac    ieee80211.MAC
		reason ieee80211.Reason
	}
	// pairwise installs a station's key.
	pairwise struct {
		mac ieee80211.MAC
		key []byte
	}
	// group installs a key to send to all stations with.
	group struct{ wpa.Action }
	// probe asks a station for a sign of life: [sme.probed].
	probe struct{ mac ieee80211.MAC }
	// update replaces beacon and probe response: what they say has changed.
	update struct{}
	// joined and left tell of members.
	joined struct{ mac ieee80211.MAC }
	left   struct {
		mac    ieee80211.MAC
		reason ieee80211.Reason
	}
	// refused tells of a station that proved to have another password.
	refused struct{ mac ieee80211.MAC }
)

func (transmit) action()  {}
func (send) action()      {}
func (add) action()       {}
func (authorize) action() {}
func (remove) action()    {}
func (pairwise) action()  {}
func (group) action()     {}
func (probe) action()     {}
func (update) action()    {}
func (joined) action()    {}
func (left) action()      {}
func (refused) action()   {}

func newSME(c config, b bss) *sme {
	s := &sme{
		config: c, bss: b, stations: map[ieee80211.MAC]*station{},
		calls:  bucket{rate: 50, burst: 100},
		probes: bucket{rate: 100, burst: 100},
		strays: bucket{rate: 5, burst: 10},
	}
	if c.pmk != nil {
		s.group = wpa.NewGroup()
		s.group.Sequence = c.sequence
	}
	return s
}

// begin returns what to do as soon as beacons are sent: the group keys are installed, and whoever takes himself for a member
// of a predecessor's is told better.
func (s *sme) begin(now time.Time) []action {
	if s.secures() {
		s.installGroup()
		s.rotate = now.Add(s.lifetime)
	}
	s.deauthenticate(ieee80211.Broadcast, ieee80211.ReasonInvalidAuth)
	return s.take()
}

// end returns what to do before beacons stop, so that nobody has to find out. The driver forgets stations with the beacon.
func (s *sme) end() []action {
	for _, st := range s.sorted() {
		s.deauthenticate(st.mac, ieee80211.ReasonLeaving)
	}
	s.deauthenticate(ieee80211.Broadcast, ieee80211.ReasonLeaving) // for who sleeps
	for _, st := range s.sorted() {
		s.lose(st.mac)
	}
	return s.take()
}

// secures reports whether the handshakes are ours to do.
func (s *sme) secures() bool { return s.pmk != nil && !s.offload }

// receive takes a management frame.
func (s *sme) receive(now time.Time, f ieee80211.Frame) []action {
	if !unicast(f.From) || f.From == s.mac {
		return nil
	}
	if f.Kind == ieee80211.ProbeRequest {
		s.probeRequest(now, f)
		return s.take()
	}
	if s.firmware || f.To != s.mac || f.BSSID != s.mac {
		return nil
	}
	switch f.Kind {
	case ieee80211.Authentication:
		s.authenticate(now, f)
	case ieee80211.AssociationRequest, ieee80211.ReassociationRequest:
		s.associate(now, f)
	case ieee80211.Disassociation, ieee80211.Deauthentication:
		s.leaves(f)
	case ieee80211.Action:
		s.query(now, f)
	}
	return s.take()
}

// stray takes the news that somebody who is not associated sent data (clause 11.3.4.1, class 3).
func (s *sme) stray(now time.Time, mac ieee80211.MAC) []action {
	if s.stations[mac] == nil && unicast(mac) && s.strays.take(now) {
		s.deauthenticate(mac, ieee80211.ReasonClass3)
	}
	return s.take()
}

// failed takes the news that the driver could not do what was wanted for a station.
func (s *sme) failed(mac ieee80211.MAC) []action {
	if st := s.stations[mac]; st != nil {
		s.dismiss(st, ieee80211.ReasonFull)
	}
	return s.take()
}

// deadline returns when to call [sme.expire]. It reports false while nothing is awaited.
func (s *sme) deadline() (time.Time, bool) {
	next := s.rotate
	for _, st := range s.stations {
		for _, t := range st.deadlines() {
			if next.IsZero() || !t.IsZero() && t.Before(next) {
				next = t
			}
		}
	}
	return next, !next.IsZero()
}

// expire does what the time has come for.
func (s *sme) expire(now time.Time) []action {
	if !s.rotate.IsZero() && !now.Before(s.rotate) {
		s.rotateGroup(now)
	}
	for _, st := range s.sorted() {
		s.expireStation(now, st)
	}
	return s.take()
}

// members returns the stations whose data pass, pending those that are on the way there.
func (s *sme) members() []*station {
	return slices.DeleteFunc(s.sorted(), func(st *station) bool { return st.phase != member })
}

func (s *sme) pending() []*station {
	return slices.DeleteFunc(s.sorted(), func(st *station) bool { return st.phase == member })
}

// sorted returns the stations, those that came first in front.
func (s *sme) sorted() []*station {
	return slices.SortedFunc(maps.Values(s.stations), func(a, b *station) int {
		return cmp.Or(a.since.Compare(b.since), slices.Compare(a.mac[:], b.mac[:]))
	})
}

func (s *sme) do(a action) { s.out = append(s.out, a) }

// take returns the actions so far, and brings the beacon up to date with who is here.
func (s *sme) take() []action {
	if p := s.needed(); p != s.protection {
		s.protection = p
		s.do(update{})
	}
	out := s.out
	s.out = nil
	return out
}

// answer sends a management frame to a station.
func (s *sme) answer(kind ieee80211.Kind, to ieee80211.MAC, body []byte) {
	s.do(transmit{frame: ieee80211.Frame{Kind: kind, To: to, From: s.mac, BSSID: s.mac, Body: body}})
}

func (s *sme) deauthenticate(to ieee80211.MAC, reason ieee80211.Reason) {
	if !s.firmware {
		s.answer(ieee80211.Deauthentication, to, reason.Append(nil))
	}
}

// unicast reports whether an address is one that a station can have.
func unicast(m ieee80211.MAC) bool { return m[0]&1 == 0 && m != ieee80211.MAC{} }
