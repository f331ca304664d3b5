// Package wpa secures a link after association: the 4-way and group key handshakes of WPA2- and WPA3-Personal, for both
// sides ([Supplicant] and [Authenticator]), as state machines that neither open sockets nor start timers.
//
// They are given received EAPOL frames and answer with [Action]s, in the order in which these are to be carried out: frames to
// send, keys to install. Whoever drives them owns one link each, and calls them from one goroutine at a time.
// The pairwise master key comes from a passphrase ([PSK]) or from package sae.
//
// Clauses are those of IEEE Std 802.11-2020. Supported are the AKMs PSK, PSK with SHA-256, and SAE, with CCMP-128 for the pair,
// CCMP-128 or TKIP for groups, and BIP-CMAC-128 where management frames are protected. Left out are WPA1, enterprise
// networks, fast transition, and the 256-bit ciphers.
package wpa

import (
	"errors"
	"fmt"

	"manofwar/netmgr/ieee80211"
)

// Link is what both sides of a handshake know from before it.
type Link struct {
	AccessPoint, Station ieee80211.MAC
	AKM                  ieee80211.Suite // [ieee80211.AKMPSK], AKMPSKSHA256 or AKMSAE
	PMK                  []byte          // of [PMKSize] bytes
	// AccessPointElements are the RSN element and, where there is one, the RSN extension element of the access point's
	// beacon or probe response, StationElements those of the association request: whole and byte for byte, because the handshake
	// is where a change on the way comes to light. Other elements among them are not looked at.
	AccessPointElements, StationElements ieee80211.Elements
}

// Errors to branch on. Deauth actions carry them.
var (
	ErrWrongPassword = errors.New("wrong password")
	ErrDowngrade     = errors.New("security settings in the handshake differ from those announced")
	ErrTimeout       = errors.New("the station does not answer the handshake")
	ErrMalformed     = errors.New("malformed")
)

// Action is what to do: one of [Send], [InstallPairwise], [InstallGroup], [InstallManagement], [Authorize], [WrongPassword]
// and [Deauth].
type Action interface{ action() }

// Send sends an EAPOL frame to the other side.
type Send struct{ Frame []byte }

// InstallPairwise installs the pair's key, for CCMP-128, with index 0 and a fresh packet number.
type InstallPairwise struct{ Key []byte }

// InstallGroup installs a key for frames to groups: to receive with for a station, to send with for an access point.
type InstallGroup struct {
	Index  int // 1 to 3
	Cipher ieee80211.Suite
	Key    []byte // as the kernel wants it, that is TKIP's two MIC keys in the order for a receiver
	// Sequence is the packet number up to which frames are replays, the lowest byte first.
	Sequence [6]byte
}

// InstallManagement installs a key for management frames to groups, for BIP-CMAC-128.
type InstallManagement struct {
	Index    int // 4 or 5
	Key      []byte
	Sequence [6]byte
}

// Authorize lets data pass.
type Authorize struct{}

// WrongPassword tells that the station proved to have another key. The handshake goes on until its timeout.
type WrongPassword struct{}

// Deauth ends the link and tells the other side the reason. Nothing comes after it.
type Deauth struct {
	Reason ieee80211.Reason
	Err    error
}

func (Send) action()              {}
func (InstallPairwise) action()   {}
func (InstallGroup) action()      {}
func (InstallManagement) action() {}
func (Authorize) action()         {}
func (WrongPassword) action()     {}
func (Deauth) action()            {}

// securityElements returns a side's elements that the handshake repeats.
func securityElements(es ieee80211.Elements) []byte {
	return append(es.Whole(ieee80211.ElementRSN), es.Whole(ieee80211.ElementRSNX)...)
}

// check finds what makes a link unusable before anything is sent.
func (l Link) check() error {
	if _, err := suiteOf(l.AKM); err != nil {
		return err
	}
	if len(l.PMK) != PMKSize {
		return fmt.Errorf("pairwise master key of %d bytes, want %d", len(l.PMK), PMKSize)
	}
	for who, es := range map[string]ieee80211.Elements{"access point": l.AccessPointElements, "station": l.StationElements} {
		if !es.Has(ieee80211.ElementRSN) {
			return fmt.Errorf("%s without RSN element: %w", who, ErrMalformed)
		}
	}
	return nil
}
