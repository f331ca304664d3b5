package netmgr

import (
	"fmt"
	"net/netip"
	"time"

	"manofwar/netmgr/api"
)

// MAC is the address of a station or access point.
type MAC [6]byte

func (m MAC) String() string {
	return fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5])
}

// Radio is one WiFi radio, as its driver describes it. It joins networks with one interface and may make an access point
// of its own with a second one.
type Radio struct {
	Phy         int  // the kernel's number of it
	Station     int  // index of the interface that joins networks
	AccessPoint bool // it can be an access point
	Together    bool // while it is one it can be in a network too, on the same channel
	Follows     bool // its access point moves to the channel of the network that is joined by itself
	Channels    []Channel
}

// Channel is one channel that the regulatory domain leaves to a radio.
type Channel struct {
	MHz      int  // its centre
	NoBeacon bool // an access point of ours may not be on it (no-IR, or radar must be listened for)
}

// Sighting is one access point that a scan has found.
type Sighting struct {
	SSID     string // any bytes; empty: it hides its name
	BSSID    MAC
	MHz      int
	Signal   int       // dBm
	Join     bool      // its security is one that this radio can join
	Open     bool      // it asks for no password
	Security string    // the name that people know it by: "open", "WPA2", "WPA3"
	Reason   string    // why it cannot be joined, in words for a person
	At       time.Time // when it was heard; zero: now. A scan may tell what was heard before it
}

// Profile is a network that the owner knows. Its password is not the policy's business.
type Profile struct {
	ID      string
	SSID    string // any bytes
	Open    bool   // it has no password
	Hidden  bool   // it does not announce its name
	Metered bool   // its traffic costs: a phone
	Off     bool   // the owner does not want it to be joined by itself; no failure sets it

	Channels []int // MHz on which it was heard in earlier lives of the manager, the last first; see [Policy.Known]
}

// Settings are what the owner wants beside profiles.
type Settings struct {
	Name        string    // what the owner calls the device; empty: nothing
	Profiles    []Profile // in the order of preference
	AccessPoint struct {
		SSID      string
		Default   bool // nobody chose the SSID: another one can wait until nobody is in it
		Open      bool // without a password
		Permanent bool // up even when it is not needed
		Off       bool // never up: somebody with a cable only
	}
	Setup bool // nobody has set the dongle up yet: its access point is up from the start
}

// Failure is why a network could not be joined, or was left.
type Failure string

// The failures.
const (
	WrongPassword Failure = "wrong-password"
	NotFound      Failure = "not-found"
	Refused       Failure = "refused"   // the access point said no
	Lost          Failure = "lost"      // it fell silent or threw us out
	NoAnswer      Failure = "no-answer" // it does not answer
	Unsupported   Failure = "unsupported"
	Broken        Failure = "broken" // the driver or the kernel failed
)

// The events of WiFi.
type (
	// Configured says what the owner wants now.
	Configured struct{ Settings Settings }
	// RadioChanged says what a radio is and can do.
	RadioChanged struct{ Radio Radio }
	// RadioGone says that a radio was taken away.
	RadioGone struct{ Phy int }
	// Scanned is the answer to the [Scan] with the same number. With More it goes on, and this is what it found until now.
	Scanned struct {
		Phy, Number int
		More        bool
		MHz         []int // where it looked; nil: everywhere
		Networks    []Sighting
		Err         error // it could not look: what it had found counts nevertheless
	}
	// Joined says that the [Join] with this number succeeded: the link is secured.
	Joined struct {
		Phy, Number int
		BSSID       MAC
		MHz         int
	}
	// Roamed says that a joined network is heard from another access point now, or on another channel.
	Roamed struct {
		Phy, Number int
		BSSID       MAC
		MHz         int
	}
	// Unjoined says that the Join with this number failed or ended.
	Unjoined struct {
		Phy, Number int
		Why         Failure
		Reason      string // in words for a person
	}
	// Heard tells the signal of the joined network, in dBm.
	Heard struct{ Phy, Number, Signal int }
	// AccessPointUp says that our own access point is heard, on which interface and channel.
	AccessPointUp struct {
		Phy, Index int
		MHz        int
	}
	// AccessPointDown says that it ended or could not be started. It is planned again after a while.
	AccessPointDown struct {
		Phy    int
		Reason string // in words for a person
	}
	// AccessPointClients tells how many stations are in our access point.
	AccessPointClients struct{ Phy, Count int }
	// Judged is what was found out about a link with an address: [api.LANOnly], [api.Captive] or [api.Good]; or
	// [api.Associated] where not even its gateway answers.
	Judged struct {
		Index, Generation int
		State             api.State
		Reason            string // in words for a person
		Login             string // URL of the portal that holds us captive; empty: none or unknown
	}
	// Streaming tells whether somebody plays something over the network, and for how long what was sent ahead lasts.
	Streaming struct {
		Active bool
		Buffer time.Duration
	}
	// Try asks to join a network once, now, before all others, while the access point stays up. Its outcome is in
	// [Policy.Status]. A network that lets itself be joined is kept: there is a Configured with the same ID.
	Try struct{ Profile Profile }
	// Look asks for a look at all channels: somebody wants to see which networks there are.
	Look struct{}
	// Tick says that the time of [Policy.Next] has come.
	Tick struct{}
)

func (Configured) event()         {}
func (RadioChanged) event()       {}
func (RadioGone) event()          {}
func (Scanned) event()            {}
func (Joined) event()             {}
func (Roamed) event()             {}
func (Unjoined) event()           {}
func (Heard) event()              {}
func (AccessPointUp) event()      {}
func (AccessPointDown) event()    {}
func (AccessPointClients) event() {}
func (Judged) event()             {}
func (Streaming) event()          {}
func (Try) event()                {}
func (Look) event()               {}
func (Tick) event()               {}

// RadioPlan is what one radio should do. What it says is possible together: before our access point may move to the
// channel of a network, the plan leaves the old network; before the network is joined, it waits for [AccessPointUp] there.
type RadioPlan struct {
	Phy         int
	Scan        Scan
	Join        Join
	AccessPoint AccessPointPlan
}

// Scan is a look for networks. It is carried out once for each number, and given up when its number goes away.
type Scan struct {
	Number int      // 0: none
	MHz    []int    // nil: everywhere
	SSIDs  []string // asked for by name beside the wildcard, because they hide it; at most four, as drivers take
	Gentle bool     // a few channels at a time: while a radio looks around, it does not notice that its network falls silent
}

// Join is the network to be in. Another number is another attempt, even at the same network: the one before is left, unless
// both are of one profile. Then the station moves from one access point of the network to another, and addresses stay.
type Join struct {
	Number  int    // counts attempts; 0: to be in none
	Profile string // whose password
	SSID    string
	BSSID   MAC // the access point to begin with; zero: any
	MHz     int // where it was last heard; 0: unknown
	Hidden  bool
	Open    bool
}

// AccessPointPlan is how our own access point should be.
type AccessPointPlan struct {
	Up      bool
	SSID    string
	Open    bool
	MHz     int          // its channel: the joined network's, where there is one
	Address netip.Prefix // ours in it
	Capture Capture
	Uplinks bool // its clients may go out by the other links
}

// Capture is which names clients of the access point are told to be ours.
type Capture string

// The kinds of capture.
const (
	CaptureNone   Capture = ""       // there is an internet to ask
	CaptureProbes Capture = "probes" // those by which phones look for a sign-in page, so that ours opens
	CaptureAll    Capture = "all"    // there is nothing else to reach
)
