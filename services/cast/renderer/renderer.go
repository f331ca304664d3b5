// Package renderer is what cast and the places where something plays say to each other: a whole [Order] one way, a
// [Report] the other. The places are the packages beside it: tv, browser, dlna.
//
// An order says how things should be, not what to do: a place compares it with how things are there and does what is
// missing. So orders may be lost to a newer one on the way, and a place that was restarted finds its way back by the
// last. Every playing of an entry has a key of its own; a place loads a key once.
package renderer

import (
	"context"
	"strings"
	"time"

	"manofwar/internal/media"
	playerapi "manofwar/player/api"
	"manofwar/services/cast/api"
)

// Renderer is a place where something can play.
type Renderer interface {
	// Order says how things should be from now on. It returns at once; a newer order replaces one that was not followed yet.
	Order(Order)
}

// InStep is a renderer that can play at the same time as others.
type InStep interface {
	Renderer

	// Where returns where it is.
	Where(context.Context) (Moment, error)

	// Align says where it should be, so that it leaps there or plays a little faster or slower. It counts for some seconds.
	Align(context.Context, Moment) error
}

// Moment is where a renderer is at one time. It is what is heard that counts, not what leaves for the loudspeakers.
type Moment struct {
	Key      string
	Position time.Duration
	At       time.Time // with Go's monotonic reading
	Playing  bool
}

// Listener is told what happens at a place, by ID. Its methods return soon, and may give an order before they do.
type Listener interface {
	// Found says that a place is there, or that what is known of it has changed; without a Problem it can be played on.
	Found(info api.Renderer, to Renderer)

	// Reported says what a place does.
	Reported(id string, r Report)

	// Lost says that a place has gone.
	Lost(id string)
}

// Order is how things should be at a place.
type Order struct {
	Entry    *Item // nil: silence
	Next     *Item // nil: nothing follows by itself
	Flows    bool  // Entry follows what was before it without a break: who has it as what comes next goes on by itself
	Play     bool
	Seek     api.Seek // in Entry; where it begins, if it is not there yet
	Speed    float64
	Level    Level
	Audio    *int // a stream of the entry; nil: as the place finds best
	Subtitle *int // likewise; -1: none
}

// Level is how loud it is.
type Level struct {
	Volume int // 0 to 100
	Muted  bool
	Known  bool // somebody has set or told it
}

// Item is one playing of an entry.
type Item struct {
	Key   string // of this playing
	Media media.Item
	Path  string // absolute; or
	Link  *api.Link
	Cover *playerapi.Cover
}

// Report is what a place does.
type Report struct {
	Key      string    // that is on; empty: none of ours
	State    api.State // Loading, Playing, Paused; Stopped: nothing is on
	Position time.Duration
	At       time.Time // when it was there, with Go's monotonic reading
	Duration time.Duration
	Seek     uint64 // the last number of Order.Seek that was followed for Key
	Speed    float64
	Level    Level
	Tracks   *Tracks // nil: not known

	Ended   *Ended
	Problem *api.Problem // why it waits for a person
	Play    *bool        // somebody pressed play or pause at the place itself
	Pressed string       // likewise "next" or "previous"
	Lacks   *api.Problem // what is missing while it plays on: a screen for the picture, an output for the sound
	Taken   bool         // something plays there that cast knows nothing of
}

// Tracks are what a place found in an item.
type Tracks struct {
	Streams  []media.Stream
	Chapters []api.Chapter
	Audio    int
	Subtitle int
}

// Ended says that a playing is over, or that it cannot be.
type Ended struct {
	Key     string
	Problem *api.Problem // nil: it was played to its end
	Stopped bool         // somebody pressed stop at the place itself
	At      time.Duration
}

// Title is what an item is called: by its tags, else by its file.
func Title(it media.Item) string {
	if it.Title != "" {
		return it.Title
	}
	name := it.Path[strings.LastIndexByte(it.Path, '/')+1:]
	if dot := strings.LastIndexByte(name, '.'); dot > 0 {
		name = name[:dot]
	}
	return name
}
