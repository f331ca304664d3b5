// Package sae is Simultaneous Authentication of Equals, by which WPA3-Personal proves a password without giving away
// anything to guess it by, and makes the key of each association from it.
//
// Clauses are those of IEEE Std 802.11-2020, section 12.4. Both ways to make an element of the password are here, hunting and
// pecking and hash-to-element, in the cyclic group 19, P-256, which every station has; the time taken depends on no secret.
// An [Exchange] is a state machine that neither sends nor waits. Left out are other groups, password identifiers, public keys
// (SAE-PK) and meshes, where both sides begin.
package sae

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"

	"filippo.io/nistec"

	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/wpa"
)

// Config says who authenticates, and by what.
type Config struct {
	Own, Peer ieee80211.MAC
	Password  string
	// Secret of the network and password. A station that has it uses hash-to-element, which it should where the access point
	// can ([ieee80211.RSNXHashToElement]); without it a station hunts, and an access point refuses hash-to-element.
	Secret *Secret
	// HashOnly makes an access point refuse hunting.
	HashOnly bool
}

// Errors to branch on, beside [wpa.ErrWrongPassword].
var (
	// ErrRestarted is another commit of the same station, for which a new exchange has to be made.
	ErrRestarted = errors.New("the station began again")
	// ErrRefused is wrapped where the access point answers with another status than expected.
	ErrRefused = errors.New("the access point refuses")

	errMethod    = errors.New("the station makes the password's element in a way that is not offered")
	errReflected = errors.New("our own commit came back")
	errInvalid   = errors.New("scalar or element out of range")
	errUncalled  = errors.New("not expected now")
)

// Exchange is one authentication, seen from either side. A station begins with [Exchange.Start]; an access point makes one
// when a station's commit arrives, and gives it that.
type Exchange struct {
	config  Config
	station bool
	hashed  bool
	phase   phase

	pwe    *nistec.P256Point
	rand   number
	own    commit
	theirs commit

	kck, pmk []byte
	pmkid    ieee80211.PMKID

	challenges int    // for a token
	sent       uint16 // counter of our confirms
	received   uint16 // and of theirs
	last       ieee80211.Auth
	answer     []ieee80211.Auth
}

type phase int

const (
	phaseNothing phase = iota
	phaseCommitted
	phaseConfirmed
	phaseAccepted
	phaseOver
)

// New returns an exchange of which nothing has been computed yet.
func New(c Config) *Exchange { return &Exchange{config: c} }

// Start begins as a station. It returns the commit to send.
func (e *Exchange) Start() (ieee80211.Auth, error) {
	e.station = true
	if err := e.begin(e.config.Secret != nil); err != nil {
		return ieee80211.Auth{}, fmt.Errorf("sae: %w", err)
	}
	e.phase = phaseCommitted
	return e.commit(), nil
}

// begin makes the element of the password and our commit.
func (e *Exchange) begin(hashed bool) (err error) {
	e.hashed = hashed
	if hashed {
		e.pwe, err = e.config.Secret.element(e.config.Own, e.config.Peer)
	} else {
		e.pwe, err = hunt(e.config.Password, e.config.Own, e.config.Peer)
	}
	if err != nil {
		return err
	}
	for {
		again, err := e.choose(scalar(), scalar())
		if !again || err != nil {
			return err
		}
	}
}

// choose makes our commit of two random scalars (clause 12.4.5.2). It reports true where they are of the few that do not fit.
func (e *Exchange) choose(r, mask number) (again bool, err error) {
	n := p256().n
	e.rand, e.own.scalar = r, n.add(r, mask)
	minus := n.sub(number{}, mask)
	point, err := nistec.NewP256Point().ScalarMult(e.pwe, minus[:])
	if err != nil {
		return false, err
	}
	if !inRange(e.own.scalar) || point.IsInfinity() == 1 {
		return true, nil
	}
	e.own.element = [2 * size]byte(point.Bytes()[1:])
	return false, nil
}

// scalar returns a random one, of 2 to n-1.
func scalar() number {
	for {
		var s number
		fill(s[:])
		if inRange(s) {
			return s
		}
	}
}

func fill(b []byte) { _, _ = rand.Read(b) } // the system's source does not fail

// inRange reports whether a scalar is one that may be sent.
func inRange(s number) bool {
	return p256().n.below(s)&(1-equal(s, number{}))&(1-equal(s, small(1))) == 1
}

// commit returns ours.
func (e *Exchange) commit() ieee80211.Auth {
	status := ieee80211.StatusSuccess
	if e.hashed {
		status = ieee80211.StatusHashToElement
	}
	return frame(transactionCommit, status, e.own.data(e.hashed))
}

// Receive takes an authentication frame of the other side and returns what to send, even where there is an error too. An
// error says why the exchange is [Exchange.Over], or else why the frame is ignored: anybody may have sent it.
func (e *Exchange) Receive(a ieee80211.Auth) ([]ieee80211.Auth, error) {
	if a.Algorithm != ieee80211.AuthSAE || e.phase == phaseOver {
		return nil, fmt.Errorf("sae: %w", errUncalled)
	}
	if e.answer != nil && a.Transaction == e.last.Transaction && a.Status == e.last.Status && bytes.Equal(a.Data, e.last.Data) {
		return e.answer, nil // ours was lost
	}
	var (
		out []ieee80211.Auth
		err error
	)
	switch {
	case a.Transaction == transactionCommit && e.station:
		out, err = e.stationCommit(a)
	case a.Transaction == transactionCommit:
		out, err = e.accessPointCommit(a)
	case a.Transaction == transactionConfirm:
		out, err = e.confirm(a)
	default:
		err = errUncalled
	}
	if err != nil {
		return out, fmt.Errorf("sae: %w", err)
	}
	if a.Status != ieee80211.StatusAntiClogging { // the same challenge again is one too many
		e.last, e.answer = a, out
		e.last.Data = bytes.Clone(a.Data)
	}
	return out, nil
}

// enough is how many tokens an access point may ask for.
const enough = 3

// stationCommit takes what answers our commit.
func (e *Exchange) stationCommit(a ieee80211.Auth) ([]ieee80211.Auth, error) {
	if e.phase != phaseCommitted {
		return nil, errUncalled
	}
	switch a.Status {
	case e.commit().Status:
	case ieee80211.StatusAntiClogging:
		token, err := tokenOf(a, e.hashed)
		if err != nil {
			return nil, err
		}
		if e.challenges++; e.challenges > enough {
			return nil, e.end(fmt.Errorf("%w: %s", ErrRefused, a.Status))
		}
		e.own.token = bytes.Clone(token)
		return []ieee80211.Auth{e.commit()}, nil
	case ieee80211.StatusUnsupportedGroup:
		return nil, e.end(ErrGroup)
	default:
		return nil, e.end(fmt.Errorf("%w: %s", ErrRefused, a.Status))
	}
	if err := e.derive(a); err != nil {
		return nil, err
	}
	e.phase = phaseConfirmed
	return []ieee80211.Auth{e.ownConfirm()}, nil
}

// accessPointCommit takes a station's commit and answers with ours.
func (e *Exchange) accessPointCommit(a ieee80211.Auth) ([]ieee80211.Auth, error) {
	if e.phase != phaseNothing {
		return nil, ErrRestarted
	}
	refuse := func(s ieee80211.Status, err error) ([]ieee80211.Auth, error) {
		return []ieee80211.Auth{frame(transactionCommit, s, a.Data[:min(len(a.Data), 2)])}, e.end(err)
	}
	hashed := isHashed(a)
	if !hashed && (a.Status != ieee80211.StatusSuccess || e.config.HashOnly) || hashed && e.config.Secret == nil {
		return refuse(ieee80211.StatusUnspecified, errMethod)
	}
	if _, err := parseCommit(a.Data, hashed); errors.Is(err, ErrGroup) {
		return refuse(ieee80211.StatusUnsupportedGroup, err)
	}
	if err := e.begin(hashed); err != nil {
		return refuse(ieee80211.StatusUnspecified, err)
	}
	if err := e.derive(a); err != nil {
		return refuse(ieee80211.StatusUnspecified, err)
	}
	e.phase = phaseCommitted
	return []ieee80211.Auth{e.commit()}, nil
}

// derive makes the keys of both commits (clause 12.4.5.4).
func (e *Exchange) derive(a ieee80211.Auth) error {
	c, err := parseCommit(bytes.Clone(a.Data), e.hashed)
	if err != nil {
		return err
	}
	if c.scalar == e.own.scalar || c.element == e.own.element {
		return errReflected
	}
	element, err := nistec.NewP256Point().SetBytes(append([]byte{4}, c.element[:]...))
	if err != nil || !inRange(c.scalar) || c.rejects() {
		return errInvalid
	}
	shared, err := nistec.NewP256Point().ScalarMult(e.pwe, c.scalar[:])
	if err != nil {
		return err
	}
	shared.Add(shared, element)
	if shared, err = shared.ScalarMult(shared, e.rand[:]); err != nil {
		return err
	}
	k, err := shared.BytesX()
	if err != nil {
		return errInvalid // it is the point at infinity
	}
	salt := make([]byte, sha256.Size)
	if len(c.rejected) > 0 {
		salt = c.rejected
	}
	sum := p256().n.add(e.own.scalar, c.scalar)
	keys := wpa.KDF(mac(salt, k), "SAE KCK and PMK", sum[:], 8*2*size)
	e.theirs, e.kck, e.pmk, e.pmkid = c, keys[:size:size], keys[size:], ieee80211.PMKID(sum[:16])
	return nil
}

// Again returns the frame that the other side has not answered, to be sent once more: a confirm counts itself.
func (e *Exchange) Again() (ieee80211.Auth, bool) {
	switch e.phase {
	case phaseCommitted:
		return e.commit(), true
	case phaseConfirmed:
		return e.ownConfirm(), true
	default:
		return ieee80211.Auth{}, false
	}
}

func (e *Exchange) end(err error) error {
	e.phase = phaseOver
	return err
}

// Over reports whether the exchange has failed. A station that wants to go on makes a new one.
func (e *Exchange) Over() bool { return e.phase == phaseOver }

// Key returns the pairwise master key and its name. It reports false before the other side has proved itself.
func (e *Exchange) Key() (pmk []byte, id ieee80211.PMKID, ok bool) {
	if e.phase != phaseAccepted {
		return nil, ieee80211.PMKID{}, false
	}
	return e.pmk, e.pmkid, true
}
