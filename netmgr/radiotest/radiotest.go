// Package radiotest is what every backend that drives WiFi radios by [netmgr.RadioPlan]s has to do: one suite of tests,
// run against each of them with real access points around.
//
//	radiotest.Backend(t, radiotest.Setup{Radios: backend, World: world})
//
// The suite knows a backend as package native does, by [Radios], and what is around it by [World]. On Linux [Air] is a
// world of simulated radios and hostapd.
//
// It is for tests only.
package radiotest

import (
	"context"
	"testing"
	"time"

	"manofwar/netmgr"
)

// Radios is a backend under test.
type Radios interface {
	// Run tells what happens, from one goroutine, until ctx ends.
	Run(ctx context.Context, tell func(netmgr.Event)) error
	// CarryOut takes over what the radios should do, and returns at once.
	CarryOut(ctx context.Context, plan []netmgr.RadioPlan, secret func(profileID string) (password string, ok bool)) error
}

// Security is how a network of a world is secured.
type Security string

// The kinds of security.
const (
	Open  Security = "open"
	WPA2  Security = "WPA2"
	WPA3  Security = "WPA3"
	Mixed Security = "WPA2/WPA3"
)

// Network is a network of a world.
type Network struct {
	SSID     string
	Password string // empty with [Open]
	Security Security
	Channel  int // of 2.4 GHz
	Hidden   bool
}

// World is what is around a backend. The radio of a network is free for another one after its power was cut.
type World interface {
	// StartNetwork starts an access point with a DHCP server, and returns its address when it can be heard.
	StartNetwork(t *testing.T, n Network) netmgr.MAC
	// CutPower ends a network without a farewell.
	CutPower(t *testing.T, ssid string)
	// Stations returns how many stations a network has authorized that are still in it.
	Stations(t *testing.T, ssid string) int
	// Joins returns how often a station has been authorized by a network.
	Joins(t *testing.T, ssid string) int
	// Visit joins our access point as a phone would, and returns how to leave it.
	Visit(t *testing.T, ssid, password string) (leave func())
	// Hears reports whether a network is heard by somebody else's radio now.
	Hears(t *testing.T, ssid string) bool
}

// Setup is a backend with what is around it. The backend has one radio at least: the first one told is used.
type Setup struct {
	Radios Radios
	World  World
	Limits Limits

	ScanFirst     bool // the backend scans by itself for what it is to join, everywhere, unless it has just heard it
	NoWPA3        bool // the backend cannot join WPA3
	NoAccessPoint bool // nor be an access point
}

// Limits are how long things may take. Zero fields have those of a backend that does all by itself.
type Limits struct {
	Scan     time.Duration
	Join     time.Duration // from the plan to the secured link, of a network whose access point and channel are known
	Wrong    time.Duration // to tell that a password of WPA2 is wrong
	WrongSAE time.Duration // and one of WPA3
	NotFound time.Duration
	Lost     time.Duration // from the power cut
	Leave    time.Duration
	Up       time.Duration // our own access point
}

func (l Limits) orDefaults() Limits {
	for _, f := range []struct {
		limit *time.Duration
		or    time.Duration
	}{
		{&l.Scan, 15 * time.Second},
		{&l.Join, 5 * time.Second},
		{&l.Wrong, 3 * time.Second},
		{&l.WrongSAE, time.Second},
		{&l.NotFound, 15 * time.Second},
		{&l.Lost, 3 * time.Second},
		{&l.Leave, 3 * time.Second},
		{&l.Up, 5 * time.Second},
	} {
		if *f.limit == 0 {
			*f.limit = f.or
		}
	}
	return l
}
