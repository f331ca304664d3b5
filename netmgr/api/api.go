// Package api is what the network manager says to other services: the state of its links, and a client that asks.
//
//	GET    /status             [Status]
//	GET    /events             server-sent: "status" with a [Status] whenever it changes, "attempt" with an [Attempt]
//	GET    /networks           [Networks]
//	POST   /scan               looks for networks, then [Networks]
//	GET    /profiles           list of [Profile], in the order of preference
//	POST   /profiles           [NewProfile]: a network to know, answered with its [Profile]
//	PUT    /profiles/{id}      [NewProfile]: changes one
//	DELETE /profiles/{id}      forgets one
//	POST   /profiles/order     list of IDs, the most preferred first
//	POST   /attempts           [NewProfile]: tries to join now, answered with an [Attempt] at once
//	GET    /attempts/{id}      [Attempt]
//	GET    /settings           [Settings]
//	PUT    /settings           [Settings]: changes what is not nil
//	GET    /history            list of [Period]: the last 24 hours
//	POST   /export             [ExportRequest]: all profiles and settings, encrypted: [Exported]
//	POST   /import             [ImportRequest]: takes them in: [Imported]
//	POST   /streaming          [Streaming]: something plays
//	GET    /announce?type=&port=  announces a service of ours by DNS-SD for as long as the connection lasts; server-sent events, of which there are none
package api

import (
	"context"
	"iter"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"manofwar/internal/ipc"
)

// Name is the service's name.
const Name = "netmgr"

// State is how far a link reaches.
type State string

// The states of a link, from nothing to the internet.
const (
	Down       State = "down"
	Associated State = "associated" // the medium is there, an address is not
	LANOnly    State = "lan-only"
	Captive    State = "captive"
	Good       State = "good"
)

// Status is the state of the network.
type Status struct {
	Name     string    `json:"name,omitempty"`   // what its owner calls it, with a number where another device is called so; empty: nothing
	Hostname string    `json:"hostname"`         // the name under .local that was won; empty: none yet
	Links    []Link    `json:"links"`            // in the order of preference
	Clock    time.Time `json:"clock,omitzero"`   // when the clock was last set from the network; zero: not since boot
	Trouble  string    `json:"trouble,omitzero"` // what keeps the manager from working, in words for a person

	State       State        `json:"state"`                  // the best of all links
	AccessPoint *AccessPoint `json:"access_point,omitempty"` // nil: no radio can make one
	Country     string       `json:"country,omitempty"`      // in force; empty: the world's common rules
	Setup       bool         `json:"setup"`                  // nobody has set the device up yet
	Metered     bool         `json:"metered"`                // what goes to the internet costs
	Attempt     *Attempt     `json:"attempt,omitempty"`      // the last one, while it is news
}

// Link is one interface.
type Link struct {
	Name      string         `json:"name"` // the kernel's
	State     State          `json:"state"`
	Since     time.Time      `json:"since"`
	Addresses []netip.Prefix `json:"addresses,omitempty"`
	Gateway   netip.Addr     `json:"gateway,omitzero"`
	DNS       []netip.Addr   `json:"dns,omitempty"`
	Reason    string         `json:"reason,omitempty"` // why it reaches no further, in words for a person
	Kind      string         `json:"kind"`             // "ethernet", "usb", "wifi"
	WiFi      *WiFi          `json:"wifi,omitempty"`
	Login     string         `json:"login,omitempty"` // URL of the portal that holds it captive
}

// Client asks the network manager.
type Client struct{ ipc *ipc.Client }

// NewClient returns a client of the network manager whose socket is in runDir.
func NewClient(runDir string) *Client { return &Client{ipc.NewClient(runDir, Name)} }

// Status returns the state of the network.
func (c *Client) Status(ctx context.Context) (s Status, err error) {
	return s, c.ipc.Get(ctx, "/status", &s)
}

// Announce announces a service of ours to the network, such as "_mpd._tcp" on port 6600, under the device's name, until ctx
// ends or the connection breaks, which is the error. It is [media.ErrInvalid] where that is no service, and
// [media.ErrUnsupported] where the host answers for itself.
func (c *Client) Announce(ctx context.Context, kind string, port int) error {
	v := url.Values{"type": {kind}, "port": {strconv.Itoa(port)}}
	for _, err := range c.ipc.Events(ctx, "/announce?"+v.Encode()) {
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// Events streams news until ctx ends or the connection breaks.
func (c *Client) Events(ctx context.Context) iter.Seq2[ipc.Event, error] {
	return c.ipc.Events(ctx, "/events")
}
