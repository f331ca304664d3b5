package sae

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/wpa"
)

// confirm takes the other side's proof that it knows the password.
func (e *Exchange) confirm(a ieee80211.Auth) ([]ieee80211.Auth, error) {
	early := e.phase == phaseNothing || e.station && e.phase == phaseCommitted
	if early || e.station && e.phase == phaseAccepted {
		return nil, errUncalled
	}
	switch {
	case a.Status == ieee80211.StatusChallenge && e.phase != phaseAccepted:
		return nil, e.end(wpa.ErrWrongPassword)
	case a.Status != ieee80211.StatusSuccess && e.phase != phaseAccepted:
		return nil, e.end(fmt.Errorf("%w: %s", ErrRefused, a.Status))
	case a.Status != ieee80211.StatusSuccess || len(a.Data) != 2+sha256.Size:
		return nil, fmt.Errorf("confirm: %w", wpa.ErrMalformed)
	}
	counter := binary.LittleEndian.Uint16(a.Data)
	genuine := hmac.Equal(a.Data[2:], e.proof(counter, e.theirs, e.own))
	if e.phase == phaseAccepted {
		return e.repeat(genuine, counter)
	}
	if !genuine {
		err := e.end(wpa.ErrWrongPassword)
		if e.station {
			return nil, err
		}
		return []ieee80211.Auth{frame(transactionConfirm, ieee80211.StatusChallenge, nil)}, err
	}
	e.phase, e.received = phaseAccepted, counter
	if e.station {
		return nil, nil
	}
	return []ieee80211.Auth{e.ownConfirm()}, nil
}

// repeat answers a station that has not heard that it was accepted (clause 12.4.8.6.6).
func (e *Exchange) repeat(genuine bool, counter uint16) ([]ieee80211.Auth, error) {
	const accepted = 0xffff
	if !genuine || counter <= e.received || counter == accepted {
		return nil, errUncalled
	}
	e.received, e.sent = counter, accepted-1
	return []ieee80211.Auth{e.ownConfirm()}, nil
}

func (e *Exchange) ownConfirm() ieee80211.Auth {
	e.sent++
	b := binary.LittleEndian.AppendUint16(nil, e.sent)
	return frame(transactionConfirm, ieee80211.StatusSuccess, append(b, e.proof(e.sent, e.own, e.theirs)...))
}

// proof returns what a side confirms with: that it has the key, made of these commits (clause 12.4.5.5).
func (e *Exchange) proof(counter uint16, from, to commit) []byte {
	c := binary.LittleEndian.AppendUint16(nil, counter)
	return mac(e.kck, c, from.scalar[:], from.element[:], to.scalar[:], to.element[:])
}
