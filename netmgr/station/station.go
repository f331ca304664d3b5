// Package station joins one WiFi network with one interface, keeps the link secured while it lasts, and says in words for
// a person why it could not, or why it ended.
//
// It finds the access point among what the kernel has heard, authenticates (open, or SAE of [manofwar/netmgr/wpa/sae]),
// associates, runs the handshakes of [manofwar/netmgr/wpa], and installs the keys, over [manofwar/netmgr/nl80211].
// Radios whose firmware does parts of that by itself are left to do so. Which network to join, when to try again and when
// to go to another access point is policy's; addresses are package dhcp's.
//
// Left out are what package wpa leaves out: WPA1, enterprise networks and fast transition.
package station

import (
	"errors"
	"fmt"

	"manofwar/netmgr"
	"manofwar/netmgr/ieee80211"
)

// Network is a network to join.
type Network struct {
	Number   int // of the [netmgr.Join], for the events
	SSID     ieee80211.SSID
	Password string        // empty: the network is open; see [manofwar/netmgr/wpa.PSK] for what it may be
	BSSID    ieee80211.MAC // the access point to be in; zero: the best one
	MHz      int           // where it was last heard; 0: unknown
}

// Error is why a network could not be joined, or was left.
type Error struct {
	Failure netmgr.Failure
	Reason  string // for a person
	Err     error  // for a log; nil: there is no more to say
}

func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %s (%v)", e.Failure, e.Reason, e.Err)
	}
	return fmt.Sprintf("%s: %s", e.Failure, e.Reason)
}

func (e *Error) Unwrap() error { return e.Err }

// ErrMove is the cause to cancel [Station.Run] with where the next Run is to move to another access point of the
// same network: the link then stays until that takes over.
var ErrMove = errors.New("moving to another access point")
