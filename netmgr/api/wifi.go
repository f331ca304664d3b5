package api

import (
	"context"
	"net/netip"
	"time"
)

// WiFi is what is known of a link that is in a network by radio.
type WiFi struct {
	SSID     string `json:"ssid"`              // any bytes; those that are not UTF-8 become U+FFFD
	Profile  string `json:"profile,omitempty"` // the ID of the known network it is
	BSSID    string `json:"bssid"`
	Channel  int    `json:"channel"`
	MHz      int    `json:"mhz"`
	Signal   int    `json:"signal"`   // dBm
	Security string `json:"security"` // "open", "WPA2", "WPA3"
}

// AccessPoint is the device's own network.
type AccessPoint struct {
	Up         bool         `json:"up"`
	SSID       string       `json:"ssid"`
	Passphrase string       `json:"passphrase,omitempty"` // whoever may ask netmgr may show it on the TV
	Open       bool         `json:"open,omitempty"`
	Permanent  bool         `json:"permanent,omitempty"`
	Off        bool         `json:"off,omitempty"`
	Channel    int          `json:"channel,omitempty"`
	Address    netip.Prefix `json:"address,omitzero"` // ours in it
	Clients    int          `json:"clients"`
	Reason     string       `json:"reason,omitempty"`  // why it is not up though it should be, in words for a person
	Capture    string       `json:"capture,omitempty"` // which names its clients are told to be ours: "", "probes", "all"
}

// Network is a network that is, or was lately, in reach.
type Network struct {
	SSID     string    `json:"ssid"`
	Raw      []byte    `json:"raw"` // the SSID's bytes, for [NewProfile]
	Signal   int       `json:"signal"`
	Security string    `json:"security"`
	Bands    []string  `json:"bands"`             // "2.4 GHz", "5 GHz", "6 GHz"
	Profile  string    `json:"profile,omitempty"` // the ID of the known network it is
	Join     bool      `json:"join"`              // this device can join it
	Reason   string    `json:"reason,omitempty"`  // why it cannot, in words for a person
	Seen     time.Time `json:"seen"`
}

// Networks is what scans have found, the strongest first.
type Networks struct {
	Networks []Network `json:"networks"`
	Scanning bool      `json:"scanning"`
	At       time.Time `json:"at,omitzero"` // when a scan of all channels last ended
}

// Profile is a network that the owner knows. Its password never comes back out but by an export.
type Profile struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"` // what the owner calls it: "Home", "Phone"
	SSID     string    `json:"ssid"`
	Raw      []byte    `json:"raw"`
	Open     bool      `json:"open,omitempty"`
	Hidden   bool      `json:"hidden,omitempty"`
	Metered  bool      `json:"metered,omitempty"`
	Factory  bool      `json:"factory,omitempty"` // what the router falls back to after a reset, from its sticker
	Off      bool      `json:"off,omitempty"`     // not joined by itself
	Failure  string    `json:"failure,omitempty"` // why it could not be joined last, in words for a person
	FailedAt time.Time `json:"failed_at,omitzero"`
	UsedAt   time.Time `json:"used_at,omitzero"` // when it was last joined
}

// NewProfile is a network to know, or a change to one that is known.
type NewProfile struct {
	Name       string  `json:"name,omitempty"`
	SSID       string  `json:"ssid,omitempty"`
	Raw        []byte  `json:"raw,omitempty"`        // instead of SSID where that is not UTF-8
	Passphrase *string `json:"passphrase,omitempty"` // 8 to 63 characters or 64 hexadecimal digits; nil in a change: as it was; empty: an open network
	Hidden     bool    `json:"hidden,omitempty"`
	Metered    bool    `json:"metered,omitempty"`
	Factory    bool    `json:"factory,omitempty"`
	Off        bool    `json:"off,omitempty"`
}

// Attempt is one try at a network with a password, while all else stays as it is as far as the radio allows.
type Attempt struct {
	ID      string       `json:"id"`
	SSID    string       `json:"ssid"`
	State   AttemptState `json:"state"`
	Reason  string       `json:"reason,omitempty"`  // in words for a person, once it failed
	Profile string       `json:"profile,omitempty"` // the ID under which the network is now known, once it succeeded
	Link    string       `json:"link,omitempty"`    // the link that it joined by
	Address netip.Addr   `json:"address,omitzero"`  // ours in the network, once there is one
}

// AttemptState is how far an attempt has come.
type AttemptState string

// The states of an attempt.
const (
	Joining    AttemptState = "joining"    // looking for it, and proving that we know the password
	Addressing AttemptState = "addressing" // joined; waiting for an address. The network is known from here on
	Connected  AttemptState = "connected"

	WrongPassword AttemptState = "wrong-password"
	NotFound      AttemptState = "not-found"
	Failed        AttemptState = "failed" // Reason says why
)

// Over reports whether nothing more will happen.
func (s AttemptState) Over() bool { return s != Joining && s != Addressing }

// Settings are what the owner may choose beside networks. A nil field of a change is left as it is.
type Settings struct {
	Name        *string              `json:"name,omitempty"`    // what the owner calls the device, 1 to 63 characters; nil: nothing
	Country     *string              `json:"country,omitempty"` // two capital letters, or empty: what the networks around say
	AccessPoint *AccessPointSettings `json:"access_point,omitempty"`
	Judge       *JudgeSettings       `json:"judge,omitempty"`
	Done        *bool                `json:"done,omitempty"` // the device has been set up: its access point is up only when needed
}

// AccessPointSettings are those of the device's own network.
type AccessPointSettings struct {
	SSID       string `json:"ssid"`
	Passphrase string `json:"passphrase,omitempty"` // empty: another one at each start, shown on the screen
	Open       bool   `json:"open"`                 // without a password, for whoever is near
	Permanent  bool   `json:"permanent"`            // up even when it is not needed
	Off        bool   `json:"off"`
}

// JudgeSettings say how to find out whether the internet is there.
type JudgeSettings struct {
	Off       bool     `json:"off"`                 // ask nobody outside of the home
	Operators []string `json:"operators,omitempty"` // URLs that answer 204, of two independent operators; nil: the default ones
}

// Period is a time in which the network was one way, for a history.
type Period struct {
	From    time.Time `json:"from"`
	State   State     `json:"state"`             // the best of all links
	Link    string    `json:"link,omitempty"`    // the link it was had by
	Network string    `json:"network,omitempty"` // its network's name
	Own     bool      `json:"own,omitempty"`     // our access point was up
}

// Networks returns what scans have found. With scan it looks anew first, for up to twenty seconds.
func (c *Client) Networks(ctx context.Context, scan bool) (n Networks, err error) {
	if scan {
		return n, c.ipc.Post(ctx, "/scan", nil, &n)
	}
	return n, c.ipc.Get(ctx, "/networks", &n)
}

// Profiles returns the known networks in the order of preference.
func (c *Client) Profiles(ctx context.Context) (p []Profile, err error) {
	return p, c.ipc.Get(ctx, "/profiles", &p)
}

// Settings returns the settings. Secrets among them are returned too: [AccessPointSettings.Passphrase].
func (c *Client) Settings(ctx context.Context) (s Settings, err error) {
	return s, c.ipc.Get(ctx, "/settings", &s)
}

// History returns the last 24 hours, the oldest first.
func (c *Client) History(ctx context.Context) (p []Period, err error) {
	return p, c.ipc.Get(ctx, "/history", &p)
}
