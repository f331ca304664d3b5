// Package api is what cast says to other services: what plays where, and how to have it otherwise.
//
//	GET    /renderers                      [Renderers]
//	GET    /sessions                       [Sessions]
//	GET    /sessions/{id}                  [Session]
//	GET    /sessions/{id}/queue            [Queue]; ?offset=&limit=
//	GET    /sessions/{id}/keys             [Keys]: the whole queue, without what its entries are
//	POST   /play                           [Play] → [Session]: replaces what the renderer plays
//	POST   /open                           [Open] → [Session]: what plays on the renderer; where nothing does, a session with an empty queue
//	POST   /sessions/{id}/control          [Control] → [Session]
//	POST   /sessions/{id}/queue            [Edit] → [Session]
//	POST   /sessions/{id}/change           [Change] → [Session]
//	POST   /sessions/{id}/move             [Move] → [Session]: goes on elsewhere, at the same place
//	POST   /sessions/{id}/with             [With] → [Session]: plays in other rooms too, in step
//	DELETE /sessions/{id}                  stops, and forgets the queue
//	GET    /browsers/{id}/events?name=     server-sent: "order" with an [Order]. A page offers itself to be played on, and is there as long
//	                                       as it listens; "taken" and the end: another page has come under the same ID
//	POST   /browsers/{id}/status           [Report]
//	GET    /devices                        [Devices]: the other dongles of the home, and who of them is trusted
//	POST   /devices/{id}/trust             trusts one; it has to be trusted on both sides
//	DELETE /devices/{id}                   trusts it no more, and forgets it
//	GET    /settings                       [Settings]
//	PUT    /settings                       [Settings] → [Settings]
//	GET    /events                         server-sent: "renderers" with [Renderers], "sessions" with [Sessions] and "devices" with [Devices] at
//	                                       once, then "renderers", "devices", "session" with a [Session], "gone" with a [Gone]
//
// A session is a queue and a place in it. It plays on one renderer at a time, and on others in step with that one; a renderer
// plays one session at a time, and sessions move between renderers; several people may control one at once, and all see the same. What is told of a
// session is whole each time, at most ten times a second, and never for the position alone: that follows from Position,
// At, Now and Speed.
package api

import (
	"time"

	"manofwar/internal/media"
)

// Name is the service's name.
const Name = "cast"

// TV is the ID of the renderer that is this dongle's own screen and sound.
const TV = "tv"

// BrowserPrefix begins the ID of every page that offers itself. The page makes up the rest: 8 to 48 characters of
// A–Z a–z 0–9 - _, at random, kept for as long as the tab lives.
const BrowserPrefix = "page-"

// DonglePrefix begins the ID of every other dongle's television; the rest is the device's ID.
const DonglePrefix = "dongle-"

// The bounds.
const (
	MaxWith  = 8     // rooms in which a session plays besides the first
	MaxQueue = 20000 // entries of a session
	MaxPage  = 500   // entries of one answer
	MaxItems = 20000 // of one request
	MaxName  = 64    // of a browser's name, in characters
	MaxOnce  = 64    // of what names a request, in bytes
	MaxLinks = 100   // of a session
	MaxURL   = 2048  // of a link's addresses, in bytes
)

// RendererKind says what a renderer is.
type RendererKind string

// The kinds.
const (
	OwnTV   RendererKind = "tv"
	InPage  RendererKind = "browser"
	DLNA    RendererKind = "dlna"
	Another RendererKind = "dongle"
)

// Renderer is a place where something can play.
type Renderer struct {
	ID      string       `json:"id"`
	Kind    RendererKind `json:"kind"`
	Name    string       `json:"name"`              // for a person: "Living room TV"
	Detail  string       `json:"detail,omitempty"`  // model, or the screen's own name
	Session string       `json:"session,omitempty"` // that plays on it
	Problem string       `json:"problem,omitempty"` // why nothing can play there now, in words for a person
	Films   bool         `json:"films"`             // it shows pictures
	Volume  bool         `json:"volume"`            // its volume can be set
	Exact   bool         `json:"exact"`             // tracks, speed, gapless joints and playing in step work as on our own player
}

// Renderers are all of them, the TV first.
type Renderers struct {
	Renderers []Renderer `json:"renderers"`
}

// Stamp orders what is told of sessions, whether an answer or an event brings it: they travel on connections of their own,
// and overtake each other. No clock does: it is set while sessions play, and two words may fall into one tick of it.
type Stamp struct {
	Epoch    string `json:"epoch"`    // one run of the service
	Sequence uint64 `json:"sequence"` // rises with all that is told in it
}

// Before reports whether s is known to have been true before o was. Of two epochs nothing is known.
func (s Stamp) Before(o Stamp) bool { return s.Epoch == o.Epoch && s.Sequence < o.Sequence }

// Sessions are all of them, the one used last first.
type Sessions struct {
	Stamp
	Sessions []Session `json:"sessions"`
}

// Gone says that a session is no more.
type Gone struct {
	Stamp
	ID string `json:"id"`
}

// Repeat says what follows the last entry.
type Repeat string

// The ways to repeat.
const (
	RepeatOff Repeat = "off"
	RepeatAll Repeat = "all"
	RepeatOne Repeat = "one"
)

// State is what a session is doing.
type State string

// The states.
const (
	Stopped State = "stopped" // its queue is over, or nothing in it can be played: "play" begins again
	Loading State = "loading"
	Playing State = "playing"
	Paused  State = "paused" // also when its renderer has gone; Problem says so
)

// Session is a queue and a place in it.
type Session struct {
	Stamp
	ID       string         `json:"id"`
	Renderer string         `json:"renderer"`
	With     []Room         `json:"with,omitempty"` // where it plays too, in step
	State    State          `json:"state"`
	Entry    *Entry         `json:"entry,omitempty"` // that is played
	Next     *Entry         `json:"next,omitempty"`
	Index    int            `json:"index"`    // of Entry in the queue's order; -1: the queue is empty
	Total    int            `json:"total"`    // entries of the queue
	Revision uint64         `json:"revision"` // of the queue: rises when its entries or their order change
	Position media.Duration `json:"position"` // at At
	At       time.Time      `json:"at"`
	Now      time.Time      `json:"now"` // the dongle's clock when this was said, for whoever's clock differs
	Duration media.Duration `json:"duration,omitempty"`
	Speed    float64        `json:"speed"`
	Volume   int            `json:"volume"` // 0 to 100, of the renderer
	Muted    bool           `json:"muted,omitempty"`
	Repeat   Repeat         `json:"repeat"`
	Shuffle  bool           `json:"shuffle,omitempty"`
	Sleep    time.Time      `json:"sleep,omitzero"`     // when it pauses by itself
	SleepEnd bool           `json:"sleepEnd,omitempty"` // it pauses at the end of the entry
	Streams  []media.Stream `json:"streams,omitempty"`  // of the entry, as the renderer finds them
	Chapters []Chapter      `json:"chapters,omitempty"`
	Audio    int            `json:"audio"`             // an index into Streams; -1: none
	Subtitle int            `json:"subtitle"`          // likewise
	Problem  *Problem       `json:"problem,omitempty"` // with the code "no-display" or "no-sound" it plays on without its picture, or its sound
}

// Room is a renderer that plays what another one plays, at the same time.
type Room struct {
	Renderer string `json:"renderer"`
	Volume   int    `json:"volume"` // 0 to 100, its own
	Muted    bool   `json:"muted,omitempty"`
	State    State  `json:"state"`             // of the renderer; Stopped: nothing of the session is on there
	Problem  string `json:"problem,omitempty"` // why it does not play along, in words for a person
}

// Chapter is a named place in an item.
type Chapter struct {
	Start media.Duration `json:"start"`
	Title string         `json:"title,omitempty"`
}

// Problem is why an entry was left out, or why nothing plays.
type Problem struct {
	Title string    `json:"title,omitempty"` // of the entry
	Code  string    `json:"code"`            // as of package media and the player; "gone": the renderer; "blocked": a page needs a tap before it may play
	Text  string    `json:"text"`
	Hint  string    `json:"hint,omitempty"`
	Left  int       `json:"left,omitempty"` // how many entries were left out in a row, this one the last
	At    time.Time `json:"at"`
}

// Entry is one place in a queue. The same item may be in it several times; the key tells them apart.
type Entry struct {
	Key  string     `json:"key"`
	Item media.Item `json:"item"`           // one that is no longer in the library has its ID and a Problem only
	Link *Link      `json:"link,omitempty"` // it is not from the library: Item is what is known of it, under an ID that the library does not have
}

// Queue is a run of a session's entries, in the order in which they play.
type Queue struct {
	Revision uint64  `json:"revision"`
	Total    int     `json:"total"`
	Offset   int     `json:"offset"`
	Entries  []Entry `json:"entries"`
}

// Keys are all of a session's entries, in the order in which they play. What they are, whoever follows a long queue knows of
// most already.
type Keys struct {
	Revision uint64     `json:"revision"`
	Keys     []string   `json:"keys"`
	Items    []media.ID `json:"items"` // of each key
	// Links are those of the items that are not the library's.
	Links map[media.ID]Link `json:"links,omitempty"`
}

// Open names a renderer whose session is wanted, and made where there is none.
type Open struct {
	Renderer string `json:"renderer"`
}

// What selects items: exactly one field.
type What struct {
	Items  []media.ID `json:"items,omitempty"`
	Album  media.ID   `json:"album,omitempty"`
	Search *Search    `json:"search,omitempty"`
	Links  []Link     `json:"links,omitempty"`
}

// Link is something to play that is not in the library: another device of the home's network offers it. Only the TV plays
// it.
type Link struct {
	URL      string         `json:"url"` // http://, of a host in the home's network
	Kind     media.Kind     `json:"kind"`
	Title    string         `json:"title,omitempty"` // empty: the address has to do
	Artist   string         `json:"artist,omitempty"`
	Album    string         `json:"album,omitempty"`
	Duration media.Duration `json:"duration,omitempty"`
	Art      string         `json:"art,omitempty"` // the address of a picture, likewise
}

// Search selects what a list of the library shows, in its order. Without words it is all of a kind.
type Search struct {
	Kind media.Kind `json:"kind,omitempty"`
	Text string     `json:"q,omitempty"`
}

// Play replaces what a renderer plays.
type Play struct {
	What
	Renderer string         `json:"renderer"`
	Index    *int           `json:"index,omitempty"` // to begin with; without it the first, or with Shuffle any
	Position media.Duration `json:"position,omitempty"`
	Shuffle  bool           `json:"shuffle,omitempty"`
	Paused   bool           `json:"paused,omitempty"`
	Once     string         `json:"once,omitempty"` // names this request: sent again, it is answered and not done again
}

// Control is one press of a button.
type Control struct {
	Do   string          `json:"do"`            // "play", "pause", "toggle", "next", "previous", "seek", "jump"; "stop": as pause, at the entry's beginning, and the renderer is free
	To   *media.Duration `json:"to,omitempty"`  // of seek
	By   media.Duration  `json:"by,omitempty"`  // of seek
	Key  string          `json:"key,omitempty"` // of jump: where to; of the others: the entry that was seen: nothing is done once another one plays
	Once string          `json:"once,omitempty"`
}

// Edit alters a queue. It names places by key, so that it means the same whatever others have done meanwhile; keys that
// have gone are passed over.
type Edit struct {
	What            // of add and next
	Do     string   `json:"do"`               // "add" at the end, "next" after the current entry, "move", "remove", "clear" all but the current
	Keys   []string `json:"keys,omitempty"`   // of move and remove
	Before string   `json:"before,omitempty"` // of move: the key they come before; empty or gone: the end
	Once   string   `json:"once,omitempty"`
}

// Change alters what is not nil.
type Change struct {
	Room     string          `json:"room,omitempty"` // the renderer whose volume is meant, of those the session plays on; empty: the first
	Volume   *int            `json:"volume,omitempty"`
	Muted    *bool           `json:"muted,omitempty"`
	Speed    *float64        `json:"speed,omitempty"` // 0.5 to 2
	Audio    *int            `json:"audio,omitempty"`
	Subtitle *int            `json:"subtitle,omitempty"`
	Repeat   *Repeat         `json:"repeat,omitempty"`
	Shuffle  *bool           `json:"shuffle,omitempty"`
	Sleep    *media.Duration `json:"sleep,omitempty"` // from now; 0: off
	SleepEnd *bool           `json:"sleepEnd,omitempty"`
}

// Move says where to go on. What plays there is replaced.
type Move struct {
	Renderer string `json:"renderer"`
}

// With says in which rooms a session plays besides the one that it is at. Renderers must be Exact; what plays there is
// replaced. None: it plays in one room.
type With struct {
	Renderers []string `json:"renderers"`
}

// Devices are this dongle and the others that were seen in the home's network or are trusted.
type Devices struct {
	Self    Device   `json:"self"`
	Devices []Device `json:"devices"` // trusted ones first, then by name
}

// Device is a dongle. Two trust each other when the owner has said so on both: the short ID that one shows of the other is
// the one that the other shows of itself.
type Device struct {
	ID      string    `json:"id"`    // hash of its public key
	Short   string    `json:"short"` // of the ID, for a person to compare
	Name    string    `json:"name"`
	Here    bool      `json:"here"`              // it answers
	Trusted bool      `json:"trusted"`           // by us
	Trusts  bool      `json:"trusts"`            // us, as far as it has said
	Asks    bool      `json:"asks"`              // to be trusted
	Since   time.Time `json:"since,omitzero"`    // when it was trusted
	Seen    time.Time `json:"seen,omitzero"`     // when it last answered
	Problem string    `json:"problem,omitempty"` // why it cannot be played on though it is trusted, in words for a person
}

// Settings are the owner's choices. They are kept.
type Settings struct {
	DLNA bool `json:"dlna"` // look for televisions and loudspeakers on the home's network, and play on them
}

// Order is what a page has to do. It is whole each time: the page makes it so.
type Order struct {
	Session  string  `json:"session,omitempty"` // empty: be silent
	Entry    *Entry  `json:"entry,omitempty"`   // its key names this one playing of it, and is not the queue's: the same entry played again has another
	Next     *Entry  `json:"next,omitempty"`    // likewise; to fetch ahead, and to go on with by itself when Entry is over
	Play     bool    `json:"play"`
	Seek     *Seek   `json:"seek,omitempty"` // in Entry
	Speed    float64 `json:"speed"`
	Volume   int     `json:"volume"`
	Muted    bool    `json:"muted,omitempty"`
	Audio    *int    `json:"audio,omitempty"`    // an index into the item's streams; nil: as the page finds best
	Subtitle *int    `json:"subtitle,omitempty"` // likewise; -1: none
}

// Seek asks for a place once: whoever has followed a number for an entry does not do it again.
type Seek struct {
	Number uint64         `json:"number"`
	To     media.Duration `json:"to"`
}

// Report is what a page does: at every change, and every five seconds while it plays.
type Report struct {
	Key      string         `json:"key,omitempty"` // of the order's entry that is played, or was; of Next once it is that
	State    State          `json:"state"`
	Position media.Duration `json:"position"`
	Duration media.Duration `json:"duration,omitempty"`
	Seek     uint64         `json:"seek,omitempty"`    // the last number followed
	Ended    bool           `json:"ended,omitempty"`   // the entry is over, and the page has not gone on by itself
	Problem  *Problem       `json:"problem,omitempty"` // it cannot be played; with the code "blocked": it waits for a tap
}
