package wpa

import (
	"bytes"
	"fmt"
	"time"

	"manofwar/netmgr/ieee80211"
)

// Authenticator is the access point's side of the handshakes with one associated station (clauses 12.7.6 and 12.7.7).
// Time is given to it: whoever drives it calls [Authenticator.Expire] when [Authenticator.Deadline] has come.
type Authenticator struct {
	link  Link
	suite suite
	group *Group
	pmkid *ieee80211.PMKID
	mfp   bool

	phase    phase
	tries    int // of the message under way
	deadline time.Time

	replay uint64 // of the last frame sent; zero: none
	oldest uint64 // of the message under way, of which a late answer counts as well
	asked  uint64 // the same of the first message, while the third is under way

	own, theirs nonce
	keys        *pairwise
	authorized  bool
	told        bool // of a wrong password
	given       int  // generation of the group keys that the station has at least
}

// phase is the message that waits for its answer.
type phase int

const (
	phaseIdle phase = iota
	phaseFirst
	phaseThird
	phaseGroup
	phaseOver
)

// The pace of access points: stations are quick, and the first answer is lost the most often.
const (
	firstWait = 100 * time.Millisecond
	wait      = time.Second
	tries     = 4
)

// Association is one station that has just associated.
type Association struct {
	Link
	Group *Group
	PMKID *ieee80211.PMKID // of SAE, to tell the station which key is meant; nil: not told
}

// NewAuthenticator returns the authenticator of one association. It fails where the station's choice cannot be served.
func NewAuthenticator(s Association) (*Authenticator, error) {
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("wpa: %w", err)
	}
	station, err := rsnOf(s.StationElements)
	if err != nil {
		return nil, fmt.Errorf("wpa: station's: %w", err)
	}
	own, err := rsnOf(s.AccessPointElements)
	if err != nil {
		return nil, fmt.Errorf("wpa: own: %w", err)
	}
	a := &Authenticator{link: s.Link, group: s.Group, pmkid: s.PMKID}
	a.suite, _ = suiteOf(s.AKM)
	a.mfp = own.Capabilities&station.Capabilities&ieee80211.MFPCapable != 0
	return a, nil
}

// Start begins the 4-way handshake.
func (a *Authenticator) Start(now time.Time) []Action {
	a.own = nonce(random(nonceSize))
	return a.begin(now, phaseFirst)
}

// begin sends the message of a phase for the first time.
func (a *Authenticator) begin(now time.Time, p phase) []Action {
	a.phase, a.tries, a.oldest, a.given = p, 0, a.replay+1, a.group.generation
	return a.send(now)
}

// send sends the message of the phase, once more, each time with a new replay counter.
func (a *Authenticator) send(now time.Time) []Action {
	a.replay++
	a.tries++
	a.deadline = now.Add(wait)
	if a.tries == 1 {
		a.deadline = now.Add(firstWait)
	}
	f := KeyFrame{Protocol: 2, Replay: a.replay, Info: InfoAck}
	if a.phase == phaseFirst {
		return []Action{Send{Frame: a.first(f)}}
	}
	f.Info |= InfoSecure | InfoEncrypted
	d, rsc := a.group.give(a.mfp)
	f.RSC = rsc
	if a.phase == phaseThird {
		f.Info |= InfoPairwise | InfoInstall
		f.KeyLength, f.Nonce = uint16(len(a.keys.tk)), a.own
		d.Elements = securityElements(a.link.AccessPointElements)
	}
	f.Data = wrap(a.keys.kek, pad(d.Append(nil)))
	return []Action{Send{Frame: a.suite.seal(f, a.keys.kck)}}
}

// first returns the first message.
func (a *Authenticator) first(f KeyFrame) []byte {
	f.Info |= InfoPairwise
	f.KeyLength, f.Nonce = 16, a.own
	if a.pmkid != nil {
		f.Data = KeyData{PMKID: a.pmkid[:]}.Append(nil)
	}
	return a.suite.seal(f, nil)
}

// Deadline returns when to call [Authenticator.Expire]. It reports false while nothing is awaited.
func (a *Authenticator) Deadline() (time.Time, bool) {
	return a.deadline, a.phase == phaseFirst || a.phase == phaseThird || a.phase == phaseGroup
}

// Expire sends again what was not answered until its deadline, or gives up.
func (a *Authenticator) Expire(now time.Time) []Action {
	if d, ok := a.Deadline(); !ok || now.Before(d) {
		return nil
	}
	if a.tries < tries {
		return a.send(now)
	}
	if a.phase == phaseGroup {
		return a.end(ieee80211.ReasonGroupHandshake, ErrTimeout)
	}
	if a.told {
		return a.end(ieee80211.ReasonHandshake, ErrWrongPassword)
	}
	return a.end(ieee80211.ReasonHandshake, ErrTimeout)
}

// Receive takes an EAPOL frame from the station and returns what to do. An error says why the frame is ignored, which is
// worth no more than a debug message: anybody may have sent it.
func (a *Authenticator) Receive(now time.Time, packet []byte) ([]Action, error) {
	f, err := ParseKeyFrame(packet)
	if err != nil {
		return nil, err
	}
	if !a.suite.speaks(f) || f.Info&InfoMIC == 0 || f.Info&(InfoAck|InfoRequest|InfoError) != 0 {
		return nil, errUncalled
	}
	pairwise, second := f.Info&InfoPairwise != 0, len(f.Data) > 0
	switch {
	case a.phase == phaseFirst && pairwise && second && f.Replay >= a.oldest && f.Replay <= a.replay:
		a.asked = a.oldest
		return a.message2(now, f, packet)
	case a.phase == phaseThird && pairwise && second && f.Replay >= a.asked && f.Replay < a.oldest && f.Nonce != a.theirs:
		return a.message2(now, f, packet) // some stations change their nonce when the first message comes again
	case a.phase == phaseThird && pairwise && !second && f.Replay >= a.oldest && f.Replay <= a.replay:
		return a.message4(now, packet)
	case a.phase == phaseGroup && !pairwise && f.Replay >= a.oldest && f.Replay <= a.replay:
		return a.groupMessage2(now, packet)
	default:
		return nil, errUncalled
	}
}

// message2 derives the keys, by which the station proves that it knows the password.
func (a *Authenticator) message2(now time.Time, f KeyFrame, packet []byte) ([]Action, error) {
	k := a.suite.pairwise(a.link, a.own, f.Nonce)
	if !a.suite.genuine(packet, k) {
		if a.told || a.phase != phaseFirst {
			return nil, errForged
		}
		a.told = true
		return []Action{WrongPassword{}}, nil
	}
	if !bytes.Equal(securityElements(f.Data), securityElements(a.link.StationElements)) {
		return a.end(ieee80211.ReasonElementDiffers, ErrDowngrade), nil
	}
	a.keys, a.theirs = k, f.Nonce
	return a.begin(now, phaseThird), nil
}

// message4 ends the 4-way handshake.
func (a *Authenticator) message4(now time.Time, packet []byte) ([]Action, error) {
	if !a.suite.genuine(packet, a.keys) {
		return nil, errForged
	}
	a.phase, a.authorized = phaseIdle, true
	return append([]Action{InstallPairwise{Key: a.keys.tk}, Authorize{}}, a.Rekey(now)...), nil
}

func (a *Authenticator) groupMessage2(now time.Time, packet []byte) ([]Action, error) {
	if !a.suite.genuine(packet, a.keys) {
		return nil, errForged
	}
	a.phase = phaseIdle
	return a.Rekey(now), nil
}

// Rekey gives the station the present group keys, if it does not have them. During a handshake that is done at its end.
func (a *Authenticator) Rekey(now time.Time) []Action {
	if a.phase != phaseIdle || !a.authorized || a.given == a.group.generation {
		return nil
	}
	return a.begin(now, phaseGroup)
}

// Rekeying reports whether the station still has to get the present group keys.
func (a *Authenticator) Rekeying() bool {
	return a.authorized && a.phase != phaseOver && (a.phase == phaseGroup || a.given != a.group.generation)
}

// Authorized reports whether the link is secured.
func (a *Authenticator) Authorized() bool { return a.authorized && a.phase != phaseOver }

func (a *Authenticator) end(reason ieee80211.Reason, err error) []Action {
	a.phase = phaseOver
	return []Action{Deauth{Reason: reason, Err: err}}
}
