// Package accesspoint is a network of our own on one radio, with WPA2 or without a password: an interface beside the one
// that joins networks, beacons, everything that stations are told and asked until their data pass, and the move of the
// whole network to another channel.
//
// Who may join is decided by a state machine of its own (clauses of IEEE Std 802.11-2020 at the places), the handshakes are
// [manofwar/netmgr/wpa]'s, the kernel is spoken with through [manofwar/netmgr/nl80211]. Drivers whose firmware answers stations
// by itself are left to do so. Addresses, names and a way out are other packages' business.
//
// Left out are WPA3 (its stations join by WPA2, with protected management frames), hidden names, channels wider than 20 MHz, radar
// detection, and 802.11ac and later: the radio mostly shares its channel with a network that it has joined.
//
// The access point lives as long as its process: the kernel takes it down when the socket closes, however the process ends.
// CAP_NET_ADMIN is needed, and CAP_NET_RAW for drivers that do not bring 802.1X frames over nl80211.
package accesspoint

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"manofwar/netmgr"
	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/wpa"
)

// Options are what an access point is to be.
type Options struct {
	Phy        int    // the kernel's number of the radio
	Name       string // of the interface; empty: "ap" and the number of the radio
	SSID       string // any 1 to 32 bytes
	Passphrase string // empty: none is needed
	MHz        int    // its channel
	Log        *slog.Logger
	// Tell is called with [netmgr.AccessPointUp] when beacons are on the air, and again after each move; with
	// [netmgr.AccessPointClients] whenever their number changes; and at the end with [netmgr.AccessPointDown], if it was up or should have
	// been. It must not call the access point.
	Tell func(netmgr.Event)
}

// Client is one station in the access point.
type Client struct {
	MAC            netmgr.MAC
	Since          time.Time
	Signal         int    // dBm; 0: unknown
	Received, Sent uint64 // bytes
}

// Errors to branch on.
var (
	ErrOptions     = errors.New("an access point cannot be like that")
	ErrUnsupported = errors.New("the radio cannot be an access point")
	ErrBlocked     = errors.New("the radio is switched off") // rfkill(8)
	ErrDown        = errors.New("the access point is down")
	errStopped     = errors.New("the driver stopped it")
	errGone        = errors.New("its interface was taken away")

	// Errors of channels, in a [ChannelError].
	ErrForbidden = errors.New("the country allows no access point on this channel")
	ErrRadar     = errors.New("the channel has to be searched for radar first")
	ErrBusy      = errors.New("the radio is on another channel")
)

// ChannelError says why the access point cannot be on a channel.
type ChannelError struct {
	MHz int
	Err error // ErrForbidden, ErrRadar or ErrBusy
}

func (e *ChannelError) Error() string {
	return fmt.Sprintf("channel %d (%d MHz): %v", ieee80211.Channel(e.MHz), e.MHz, e.Err)
}

func (e *ChannelError) Unwrap() error { return e.Err }

// Reason says in words for a person why an access point ended or did not start; empty: it was to.
func Reason(err error) string {
	var c *ChannelError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &c) && errors.Is(err, ErrBusy):
		return "The WiFi radio is busy on another channel."
	case errors.As(err, &c):
		return fmt.Sprintf("WiFi channel %d may not be used here. Check the country in the settings.", ieee80211.Channel(c.MHz))
	case errors.Is(err, ErrUnsupported):
		return "This WiFi radio cannot be an access point."
	case errors.Is(err, ErrBlocked):
		return "WiFi is switched off on this device."
	case errors.Is(err, wpa.ErrPassphrase):
		return "The password of the access point must have 8 to 63 characters."
	case errors.Is(err, ErrOptions):
		return "The name of the access point must have 1 to 32 bytes."
	case errors.Is(err, errStopped):
		return "The WiFi driver has stopped the access point."
	case errors.Is(err, errGone):
		return "The WiFi radio was taken away."
	default:
		return "The WiFi driver failed: " + err.Error()
	}
}

// check finds what makes options unusable, and makes the key of the password, which costs tens of milliseconds.
func (o *Options) check() (pmk []byte, err error) {
	ssid := ieee80211.SSID(o.SSID)
	if !ssid.Valid() || ssid.Hidden() {
		return nil, fmt.Errorf("%w: name %q", ErrOptions, o.SSID)
	}
	if o.Name == "" {
		o.Name = fmt.Sprintf("ap%d", o.Phy)
	}
	if o.Passphrase == "" {
		return nil, nil
	}
	return wpa.PSK(ssid, o.Passphrase)
}

// own returns the address of an access point's interface, from that of the interface that joins networks: locally
// administered, as no other device has it, and the same at each start, so that stations know it again.
func own(station ieee80211.MAC) ieee80211.MAC {
	const local = 1 << 1
	if station[0]&local != 0 {
		station[0] ^= 1 << 6
	}
	station[0] |= local
	return station
}
