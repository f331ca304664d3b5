// Package api is what cast says to other services: what plays where, and how to have it otherwise.
//
//	GET    /renderers                      [Renderers]
//	GET    /sessions                       [Sessions]
//	GET    /sessions/{id}                  [Session]
//	GET    /sessions/{id}/queue            [Queue]; ?offset=&limit=
//	POST   /play                           [Play] → [Session]: replaces what the renderer plays
//	POST   /sessions/{id}/control          [Control]
//	POST   /sessions/{id}/queue            [Edit]
//	POST   /sessions/{id}/change           [Change]
//	POST   /sessions/{id}/move             [Move] → [Session]: goes on elsewhere, at the same place
//	DELETE /sessions/{id}                  stops
//	POST   /browsers                       [Browser] → [Renderer]: a page offers itself to be played on
//	GET    /browsers/{id}/events           server-sent: "order" with an [Order]; the renderer is there as long as somebody listens
//	POST   /browsers/{id}/status           [Report]
//	GET    /events                         server-sent: "renderers", "session" with a [Session], "gone" with its ID
//
// A session is a queue and a place in it. It plays on one renderer at a time and moves between them; several people may
// control it at once, and all see the same.
package api

import (
	"time"

	"manofwar/internal/media"
)

// Name is the service's name.
const Name = "cast"

// TV is the ID of the renderer that is this dongle's own screen and sound.
const TV = "tv"

// The bounds of a queue.
const (
	MaxQueue = 20000 // entries of a session
	MaxPage  = 500   // entries of one answer
	MaxItems = 20000 // of one request
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
	Exact   bool         `json:"exact"`             // tracks, speed and gapless joints work as on our own player
}

// Renderers are all of them, the TV first.
type Renderers struct {
	Renderers []Renderer `json:"renderers"`
}

// Sessions are all of them, the one used last first.
type Sessions struct {
	Sessions []Session `json:"sessions"`
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
	Stopped State = "stopped" // at the end of its queue, or its renderer has gone
	Loading State = "loading"
	Playing State = "playing"
	Paused  State = "paused"
)

// Session is a queue and a place in it.
type Session struct {
	ID       string         `json:"id"`
	Renderer string         `json:"renderer"`
	State    State          `json:"state"`
	Entry    *Entry         `json:"entry,omitempty"` // that is played
	Next     *Entry         `json:"next,omitempty"`
	Index    int            `json:"index"`    // of Entry in the queue's order
	Total    int            `json:"total"`    // entries of the queue
	Revision uint64         `json:"revision"` // of the queue: rises when its entries or their order change
	Position media.Duration `json:"position"` // at At
	At       time.Time      `json:"at"`
	Now      time.Time      `json:"now"` // the dongle's clock when this was said, for whoever's clock differs
	Duration media.Duration `json:"duration,omitempty"`
	Speed    float64        `json:"speed"`
	Volume   int            `json:"volume"` // 0 to 100
	Muted    bool           `json:"muted,omitempty"`
	Repeat   Repeat         `json:"repeat"`
	Shuffle  bool           `json:"shuffle,omitempty"`
	Sleep    time.Time      `json:"sleep,omitzero"`     // when it pauses by itself
	SleepEnd bool           `json:"sleepEnd,omitempty"` // it pauses at the end of the entry
	Streams  []media.Stream `json:"streams,omitempty"`  // of the entry, as the renderer finds them
	Chapters []Chapter      `json:"chapters,omitempty"`
	Audio    int            `json:"audio"`    // an index into Streams; -1: none
	Subtitle int            `json:"subtitle"` // likewise
	Problem  *Problem       `json:"problem,omitempty"`
}

// Chapter is a named place in an item.
type Chapter struct {
	Start media.Duration `json:"start"`
	Title string         `json:"title,omitempty"`
}

// Problem is why an entry was left out, or why nothing plays.
type Problem struct {
	Title string    `json:"title,omitempty"` // of the entry
	Code  string    `json:"code"`
	Text  string    `json:"text"`
	Hint  string    `json:"hint,omitempty"`
	At    time.Time `json:"at"`
}

// Entry is one place in a queue. The same item may be in it several times; the key tells them apart.
type Entry struct {
	Key  string     `json:"key"`
	Item media.Item `json:"item"`
}

// Queue is a run of a session's entries, in the order in which they play.
type Queue struct {
	Revision uint64  `json:"revision"`
	Total    int     `json:"total"`
	Offset   int     `json:"offset"`
	Entries  []Entry `json:"entries"`
}

// Play replaces what a renderer plays. What is to be played is one of Items and Album.
type Play struct {
	Renderer string         `json:"renderer"`
	Items    []media.ID     `json:"items,omitempty"`
	Album    media.ID       `json:"album,omitempty"`
	Index    int            `json:"index,omitempty"` // to begin with
	Position media.Duration `json:"position,omitempty"`
	Shuffle  bool           `json:"shuffle,omitempty"`
	Paused   bool           `json:"paused,omitempty"`
}

// Control is one press of a button.
type Control struct {
	Do  string          `json:"do"`            // "play", "pause", "toggle", "next", "previous", "seek", "jump"
	To  *media.Duration `json:"to,omitempty"`  // of seek
	By  media.Duration  `json:"by,omitempty"`  // of seek
	Key string          `json:"key,omitempty"` // of jump
}

// Edit alters a queue. Revision is what the editor last saw: an edit that names places by key is done whatever it is.
type Edit struct {
	Do     string     `json:"do"`               // "add" at the end, "next" after the current entry, "move", "remove", "clear" all but the current
	Items  []media.ID `json:"items,omitempty"`  // of add and next; or
	Album  media.ID   `json:"album,omitempty"`  // of add and next
	Keys   []string   `json:"keys,omitempty"`   // of move and remove
	Before string     `json:"before,omitempty"` // of move: the key they come before; empty: the end
}

// Change alters what is not nil.
type Change struct {
	Volume   *int            `json:"volume,omitempty"`
	Muted    *bool           `json:"muted,omitempty"`
	Speed    *float64        `json:"speed,omitempty"`
	Audio    *int            `json:"audio,omitempty"`
	Subtitle *int            `json:"subtitle,omitempty"`
	Repeat   *Repeat         `json:"repeat,omitempty"`
	Shuffle  *bool           `json:"shuffle,omitempty"`
	Sleep    *media.Duration `json:"sleep,omitempty"` // from now; 0: off
	SleepEnd *bool           `json:"sleepEnd,omitempty"`
}

// Move says where to go on.
type Move struct {
	Renderer string `json:"renderer"`
}

// Browser is a page that offers itself.
type Browser struct {
	ID   string `json:"id,omitempty"` // that it had before; empty: a new one
	Name string `json:"name"`         // for a person: "Anna's phone"
}

// Order is what a page has to do. It is whole each time: the page makes it so.
type Order struct {
	Session  string  `json:"session,omitempty"` // empty: be silent
	Entry    *Entry  `json:"entry,omitempty"`
	Next     *Entry  `json:"next,omitempty"`
	Play     bool    `json:"play"`
	Seek     *Seek   `json:"seek,omitempty"`
	Speed    float64 `json:"speed"`
	Volume   int     `json:"volume"`
	Muted    bool    `json:"muted,omitempty"`
	Audio    int     `json:"audio"`
	Subtitle int     `json:"subtitle"`
}

// Seek asks for a place once: whoever has followed a number does not do it again.
type Seek struct {
	Number uint64         `json:"number"`
	To     media.Duration `json:"to"`
}

// Report is what a page does.
type Report struct {
	Key      string         `json:"key,omitempty"` // of the entry that is played
	State    State          `json:"state"`
	Position media.Duration `json:"position"`
	Duration media.Duration `json:"duration,omitempty"`
	Seek     uint64         `json:"seek,omitempty"`  // the last number followed
	Ended    bool           `json:"ended,omitempty"` // the entry is over
	Problem  *Problem       `json:"problem,omitempty"`
}
