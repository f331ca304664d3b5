package player

import "time"

// order is what the deck is to do.
type order struct {
	track     *track // what is played; nil: nothing
	next      *track // what follows it without a gap; nil: nothing, or something that has to wait
	paused    bool
	volume    float64 // a factor
	gain      string  // ReplayGain: "off", "track", "album"
	crossfade time.Duration
	offset    time.Duration
	start     time.Time // before which a track does not begin
	bend      float64   // by which it is played faster
	card      string
	any       bool // another card will do
	cards     int  // counts changes of the cards
}

// phase is what the deck is doing.
type phase int

const (
	still   phase = iota // nothing is queued
	running              //
	leaving              // what is queued ends, then it stands still
)

// report is what the deck, the projector or an opener tells the engine.
type report struct {
	kind  reportKind
	track *track
	err   error
	card  Card
	form  SoundFormat
	open  *opened
}

type reportKind int

const (
	trackPlaced  reportKind = iota // on the line, but nothing is heard
	trackBegan                     // its first sample is heard
	trackEnded                     // its last was, and nothing follows
	trackRested                    // the line stands, as it was ordered to
	trackWaits                     // it ran dry
	trackRuns                      // it goes on
	trackRefused                   // the card takes another form: see form
	trackRead                      // it is decoded
	cardOpened                     // see card and form
	cardGone                       // see err
	itemOpened                     // see open
	modeSet
)
