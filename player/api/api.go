// Package api is what the player says to other services: the words of its socket and a client for them.
//
//	GET  /status       [Status]
//	GET  /events       server-sent: "status" with a [Status] whenever something but the position changed, "ended" with an [Ended],
//	                   "key" with a [Key] of a remote control that the queue has to answer
//	POST /load         [Load]: plays something else
//	POST /next         [Next]: what follows without a gap
//	POST /play, /pause, /stop
//	POST /seek         [Seek]
//	POST /align        [Align]: keeps step with another player
//	POST /change       [Change]: volume, speed, tracks
//	PUT  /settings     [Settings], kept
//	POST /notice       [Notice]: a line on the screen
//
// It knows the current and the next item and no queue: that is cast's.
package api

import (
	"time"

	"manofwar/internal/media"
)

// Name is the service's name.
const Name = "player"

// Item is something to play, with what the screen shows of it. The player asks nobody: whoever loads it says it all.
type Item struct {
	Key      string         `json:"key"` // names this entry of a queue; chosen by whoever loads it, and told back
	ID       media.ID       `json:"id,omitempty"`
	Kind     media.Kind     `json:"kind"`
	Path     string         `json:"path,omitempty"` // absolute; or
	URL      string         `json:"url,omitempty"`  // http://
	Title    string         `json:"title"`
	Artist   string         `json:"artist,omitempty"`
	Album    string         `json:"album,omitempty"`
	Year     int            `json:"year,omitempty"`
	Duration media.Duration `json:"duration,omitempty"` // as the library knows it; 0: unknown
	Start    media.Duration `json:"start,omitempty"`    // where to begin
	Cover    *Cover         `json:"cover,omitempty"`
}

// Cover is where a picture's bytes are.
type Cover struct {
	Path   string `json:"path,omitempty"` // absolute; empty: Inline is the picture
	Offset int64  `json:"offset,omitempty"`
	Length int64  `json:"length,omitempty"`
	Inline []byte `json:"inline,omitempty"`
}

// Load replaces what is played.
type Load struct {
	Item   Item  `json:"item"`
	Next   *Item `json:"next,omitempty"`
	Paused bool  `json:"paused,omitempty"` // show the first picture and wait
}

// Next says what follows the current item; nil: nothing.
type Next struct {
	Item *Item `json:"item"`
}

// Seek moves in the current item: to To, or by By.
type Seek struct {
	To *media.Duration `json:"to,omitempty"`
	By media.Duration  `json:"by,omitempty"`
}

// Align says where the current item should be, for several players that play the same in step: who hears it leaps there,
// or plays a little faster or slower. It counts for some seconds.
type Align struct {
	Key      string         `json:"key"`      // of the item that is meant; while another one plays, nothing happens
	Position media.Duration `json:"position"` // at At
	At       time.Time      `json:"at"`       // by this dongle's clock
}

// Change alters what is not nil.
type Change struct {
	Volume   *int     `json:"volume,omitempty"` // 0 to 100
	Muted    *bool    `json:"muted,omitempty"`
	Speed    *float64 `json:"speed,omitempty"`    // 0.5 to 2
	Audio    *int     `json:"audio,omitempty"`    // an index into Status.Streams
	Subtitle *int     `json:"subtitle,omitempty"` // likewise; -1: none
}

// State is what the player is doing.
type State string

// The states.
const (
	Idle    State = "idle"    // nothing is loaded
	Loading State = "loading" // the item is being opened, or a seek is under way
	Playing State = "playing"
	Paused  State = "paused"
)

// Status is what is played and how.
type Status struct {
	State    State          `json:"state"`
	Item     *Item          `json:"item,omitempty"`
	Next     string         `json:"next,omitempty"` // the next item's key
	Position media.Duration `json:"position"`       // at At
	At       time.Time      `json:"at"`             // by the dongle's clock
	Duration media.Duration `json:"duration,omitempty"`
	Speed    float64        `json:"speed"`
	Volume   int            `json:"volume"` // 0 to 100
	Muted    bool           `json:"muted,omitempty"`
	Streams  []media.Stream `json:"streams,omitempty"`
	Chapters []Chapter      `json:"chapters,omitempty"`
	Audio    int            `json:"audio"`    // an index into Streams; -1: none
	Subtitle int            `json:"subtitle"` // likewise
	Problem  *Problem       `json:"problem,omitempty"`
	Display  *Display       `json:"display,omitempty"`  // nil: no screen is connected
	Sound    *Sound         `json:"sound,omitempty"`    // nil: nowhere to play sound
	Decoding Decoding       `json:"decoding,omitempty"` // of the item's pictures; empty: it has none, or they are not decoded yet
	Settings Settings       `json:"settings"`
	Sync     Sync           `json:"sync"`
}

// Decoding is how pictures are decoded.
type Decoding string

// The ways of decoding.
const (
	Software Decoding = "software" // by ffmpeg
	Hardware Decoding = "hardware" // by the kernel's codec, into what the screen shows
)

// Chapter is a named place in an item.
type Chapter struct {
	Start media.Duration `json:"start"`
	Title string         `json:"title,omitempty"`
}

// Problem is why something does not play, in words for a person.
type Problem struct {
	Key  string    `json:"key,omitempty"`  // the item that was left out; empty: the player itself
	Code string    `json:"code"`           // "missing", "away", "corrupt", "unsupported", "no-decoder", "killed", "no-sound", "no-display"
	Text string    `json:"text"`           // in English
	Hint string    `json:"hint,omitempty"` // what to do
	At   time.Time `json:"at"`
}

// Display is the screen in use.
type Display struct {
	Connector string  `json:"connector"`
	Name      string  `json:"name,omitempty"`
	Width     int     `json:"width"`
	Height    int     `json:"height"`
	Refresh   float64 `json:"refresh"` // in Hz
}

// Sound is the card in use, and the others.
type Sound struct {
	Card     string `json:"card"`
	Rate     int    `json:"rate,omitempty"` // 0: closed for now
	Channels int    `json:"channels,omitempty"`
	Sample   string `json:"sample,omitempty"`
	Cards    []Card `json:"cards"`
}

// Card is an output for sound.
type Card struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	HDMI bool   `json:"hdmi,omitempty"`
}

// Settings are the owner's choices. They are kept across restarts.
type Settings struct {
	Card        string         `json:"card,omitempty"`      // empty: the screen's where there is one, else the best
	Offset      media.Duration `json:"offset,omitempty"`    // sound later than pictures by this: for a slow screen; may be negative
	Offsets     Offsets        `json:"offsets,omitempty"`   // likewise, of cards that have one of their own
	Crossfade   media.Duration `json:"crossfade,omitempty"` // between songs of different albums; 0: gapless
	ReplayGain  string         `json:"replayGain"`          // "off", "track", "album"
	Passthrough bool           `json:"passthrough,omitempty"`
	MatchRate   bool           `json:"matchRate"` // drive the screen at the film's frame rate
	CEC         bool           `json:"cec"`       // turn the television on and switch it over
	Standby     bool           `json:"standby,omitempty"`
	Language    string         `json:"language,omitempty"` // of the screen, as BCP 47 has it; empty: English
	Zone        string         `json:"zone,omitempty"`     // of the clock on it, such as "Europe/Berlin"; empty: no clock is shown
}

// Offsets are by the IDs of cards: a receiver delays sound, a screen pictures, and they are not one chain.
type Offsets map[string]media.Duration

// Sync is how well pictures and sound have kept together since the item was loaded.
type Sync struct {
	Shown     int            `json:"shown"`
	Dropped   int            `json:"dropped"`   // pictures that came too late
	Underruns int            `json:"underruns"` // of sound
	Offset    media.Duration `json:"offset"`    // 95th percentile of the distance between a picture's due and real time
	Drift     float64        `json:"drift"`     // by how many millionths the card runs faster than the dongle's clock; 0: no sound, or not known yet
}

// Ended says that an item is over.
type Ended struct {
	Key     string         `json:"key"`
	Reason  string         `json:"reason"` // "finished", "replaced", "stopped", "problem"
	At      media.Duration `json:"at"`     // where it was left
	Problem *Problem       `json:"problem,omitempty"`
}

// Key is a key of a remote control that the player cannot answer by itself.
type Key struct {
	Name string `json:"name"` // "next", "previous"
}

// Notice is one line at the bottom of the screen.
type Notice struct {
	Text string         `json:"text"`
	For  media.Duration `json:"for,omitempty"` // 0: 5 s
}
