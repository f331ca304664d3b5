package screen

import (
	"image"
	"time"
)

// The scenes. Their strings are shown as they are; what of them is empty leaves no gap.

// Boot is the mark, from power on until there is something to say.
type Boot struct {
	Since time.Time // when it appeared: the mark rises once
	Text  string    // such as "Checking the card", where it takes long
}

// Invite asks a phone over: to join a network, or to open a page.
type Invite struct {
	Title   string
	Text    string   // below it
	Steps   []string // three short lines
	QR      string   // what the code says; see [WiFi.QR]
	Caption string   // under the code
	Facts   []Fact   // the same in words, for whoever types
}

// Fact is a name and what it stands for.
type Fact struct {
	Name, Value string
	Spell       bool // the value is typed by hand: large, spaced, digits and letters told apart
}

// Claim shows the code that says whose the dongle is.
type Claim struct {
	Title string
	Steps []string
	Code  string // six digits
	QR    string
}

// Idle is shown while nothing plays: the time, and what is new.
type Idle struct {
	Language Language
	Zone     *time.Location // nil: UTC
	Unset    bool           // the clock is not to be believed: it is not shown
	Name     string         // of the dongle
	Address  string         // of its page, such as "wohnzimmer.local"
	Network  string         // the verdict, in a quiet line
	Heading  string         // over the covers
	Hint     string         // where there are none
	Fresh    []Tile
}

// Tile is one album or film.
type Tile struct {
	Title    string
	Subtitle string
	Art      *Art // nil: one is made from the title
}

// Playing is a song that plays.
type Playing struct {
	Title    string
	Artist   string
	Album    string
	Art      *Art
	Position time.Duration // at At
	At       time.Time
	Speed    float64 // 0: it is paused
	Duration time.Duration
	Next     *Tile
	NextWord string // over it, such as "Next"
	Lyrics   []Lyric
}

// Lyric is one line of a song's words.
type Lyric struct {
	At   time.Duration
	Text string
}

// Loading is shown from the choice of an item to its first picture.
type Loading struct {
	Title    string
	Subtitle string
	Art      *Art
	Text     string // such as "Opening"
	Since    time.Time
}

// Working shows how far something is that must not be interrupted: an update, a reset.
type Working struct {
	Title   string
	Text    string  // what is being done
	Part    float64 // 0 to 1; below 0: not known
	Detail  string  // what of what, how fast, how long still; see [Words.Rest]
	Warning string  // such as "Leave it plugged in."
}

// Problem says what is wrong: an error, or the rescue mode.
type Problem struct {
	Title   string // what
	Why     string
	Do      []string // what to do
	QR      string   // of the page that helps
	Caption string
	Detail  string // for whoever helps, small
}

// The overlays.

// OSD is shown for some seconds after a command while a film plays.
type OSD struct {
	Language Language
	Title    string
	Subtitle string // such as the series, or the year
	Position time.Duration
	Duration time.Duration // 0: unknown
	Paused   bool
	Seeking  bool // the film is on its way to Position
	Chapters []Chapter
	Audio    string // the track in use
	Captions string // likewise
	Ends     string // such as "Ends at 22:41"
}

// Chapter is a named place in a film.
type Chapter struct {
	Start time.Duration
	Title string
}

// Volume is shown while it is changed.
type Volume struct {
	Level int // 0 to 100
	Muted bool
}

// Notice is one line at the bottom.
type Notice struct {
	Text string
	Mood Mood
}

// Mood says how a notice is meant.
type Mood int

// The moods.
const (
	Plain Mood = iota
	Good
	Warning
	Bad
)

// Caption is a subtitle in words: lines with <i>, <b> and <u>.
type Caption struct {
	Text string
}

// Bitmap is a subtitle that is a picture.
type Bitmap struct {
	Image  *image.RGBA     // premultiplied
	At     image.Rectangle // where it lies, in pixels of Canvas
	Canvas image.Point     // the size of the picture that At is of
	Film   image.Rectangle // where that picture lies on the screen; empty: all of it
}
