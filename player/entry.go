package player

import (
	"context"
	"image"
	"slices"
	"strings"
	"time"

	"manofwar/internal/media"
	"manofwar/player/api"
)

// entry is an item that is loaded, as the current or the next one.
type entry struct {
	item     api.Item
	info     *Info         // nil: nobody has looked yet
	audio    int           // a stream; unset: whichever is the default
	subtitle int           // a stream or None
	from     time.Duration // where its next track begins

	opening bool
	attempt int // counts attempts to open it
	stop    context.CancelFunc
	spawned time.Time     // when the last attempt was made
	due     time.Time     // when the next is; zero: none is
	track   *track        // nil: not opened yet
	began   bool          // its track was heard or seen
	played  bool          // so was one of its earlier ones
	dry     bool          // its track waits for its decoder
	since   time.Time     // it is waited for
	alone   bool          // it cannot follow another one without a change of the screen's mode
	packed  bool          // its compressed sound may be passed on
	unseen  bool          // there is no memory for its pictures
	soft    bool          // the hardware does not decode its pictures
	broke   time.Duration // where it broke off last
	refused int           // how often the card refused its form
}

const unset = -2

func newEntry(it api.Item) *entry {
	return &entry{item: it, audio: unset, subtitle: None, from: max(0, time.Duration(it.Start)), packed: true, broke: -hopeFor}
}

// wantsVideo reports whether its pictures are wanted: those of music are covers.
func (n *entry) wantsVideo() bool { return n.item.Kind != media.Music }

// duration returns how long it is, 0 if that is unknown.
func (n *entry) duration() time.Duration {
	if n.info != nil && n.info.Duration > 0 {
		return n.info.Duration
	}
	return time.Duration(n.item.Duration)
}

// clamp returns the nearest place that is in it.
func (n *entry) clamp(at time.Duration) time.Duration {
	if d := n.duration(); d > 0 {
		at = min(at, d)
	}
	return max(0, at)
}

// choose takes over a chosen stream, and reports whether that is another one. Before anybody has looked at the item,
// every choice is taken; one that does not fit is given up later.
func (n *entry) choose(kind media.StreamKind, i *int) bool {
	at := &n.audio
	if kind == media.Subtitle {
		at = &n.subtitle
	}
	if i == nil || *i == *at || *i < 0 && (*i != None || kind != media.Subtitle) || n.info != nil && !n.info.fits(kind, *i) {
		return false
	}
	*at = *i
	return true
}

// fits reports whether a number names a stream of that kind, or no subtitles.
func (f *Info) fits(kind media.StreamKind, i int) bool {
	if i == None {
		return kind == media.Subtitle
	}
	return i >= 0 && i < len(f.Streams) && f.Streams[i].Kind == kind
}

// settle gives up choices that do not fit.
func (n *entry) settle(info *Info) {
	if n.audio != unset && !info.fits(media.Audio, n.audio) {
		n.audio = unset
	}
	if !info.fits(media.Subtitle, n.subtitle) {
		n.subtitle = None
	}
}

// pick returns the stream of a kind that the file wants to be played, or None.
func pick(streams []media.Stream, kind media.StreamKind) int {
	best := None
	for i, s := range streams {
		if s.Kind != kind || kind == media.Video && (s.Width < 2 || s.Height < 2) {
			continue
		}
		if best == None || s.Default && !streams[best].Default {
			best = i
		}
	}
	return best
}

// passable reports whether a receiver can decode the stream itself.
func passable(info *Info, i int) bool {
	return i >= 0 && i < len(info.Streams) && slices.Contains([]string{"ac3", "dts", "dca"}, strings.ToLower(info.Streams[i].Codec))
}

// conditions are what an opener has to know of the world.
type conditions struct {
	screen    Screen
	seen      bool // there is a screen
	speed     float64
	pass      bool                               // compressed sound may be passed on
	like      *Request                           // whose form of sound is wanted if possible
	becomes   func(want SoundFormat) SoundFormat // what the card makes of a wish
	crossfade time.Duration
	offset    time.Duration // by which sound is later than pictures
}

// The bounds of a sound that cards are asked for.
const (
	lowestRate   = 8000
	highestRate  = 192000
	mostChannels = 8
	usualRate    = 48000
)

// request returns what to decode of an item. Its errors are those of package media.
func (n *entry) request(info *Info, c conditions) (Request, error) {
	n.settle(info)
	r := Request{
		Source: Source{Path: n.item.Path, URL: n.item.URL}, Info: *info, From: n.from,
		Video: None, Audio: n.audio, Subtitle: n.subtitle, Speed: c.speed,
	}
	if r.Audio == unset {
		r.Audio = pick(info.Streams, media.Audio)
	}
	if v := pick(info.Streams, media.Video); v != None && n.wantsVideo() && c.seen && !n.unseen && len(c.screen.Formats) > 0 {
		size := decodeSize(c.screen, info.Streams[v], info.Aspect)
		r.Video, r.Format, r.Width, r.Height, r.Software = v, c.screen.Formats[0], size.X, size.Y, n.soft
	} else if r.Audio == None && (v == None || !n.wantsVideo()) {
		return r, &media.Error{Op: "play", Path: nameOf(&n.item), Err: media.ErrUnsupported}
	}
	if r.Video == None {
		r.Subtitle = None
	}
	if r.Audio != None {
		n.requestSound(&r, info.Streams[r.Audio], c)
	}
	return r, nil
}

func (n *entry) requestSound(r *Request, st media.Stream, c conditions) {
	want := SoundFormat{Rate: usualRate, Channels: min(max(st.Channels, 1), mostChannels), Sample: S32}
	if st.SampleRate > 0 {
		want.Rate = min(max(st.SampleRate, lowestRate), highestRate)
	}
	if c.pass && n.packed && passable(&r.Info, r.Audio) && c.speed == 1 {
		want.Channels, want.Sample = 2, IEC
		if got := c.becomes(want); got == want {
			r.Pass, r.Rate, r.Channels = true, want.Rate, want.Channels
			return
		}
		want.Channels, want.Sample = min(max(st.Channels, 1), mostChannels), S32
	}
	if want.Channels == 1 {
		want.Channels = 2 // cards for one channel there are none
	}
	if c.like != nil && c.like.Rate > 0 && !c.like.Pass {
		want.Rate, want.Channels = c.like.Rate, c.like.Channels
	}
	got := c.becomes(want)
	r.Rate, r.Channels = got.Rate, got.Channels
}

// size returns the shape of the request's frames.
func (r *Request) size() image.Point { return image.Pt(r.Width, r.Height) }
