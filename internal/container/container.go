// Package container is what the readers of film containers have in common: the words for what a file holds and where
// its samples lie.
//
// [manofwar/internal/container/mp4] and [manofwar/internal/container/matroska] read, [manofwar/internal/container/probe]
// tells them apart, [manofwar/internal/container/fmp4] writes. None of them copies or decodes media: a [Sample] says
// where in the file a packet lies and when it is shown. Audio formats without a container of tracks (MP3, FLAC, Ogg)
// are not read here.
package container

import (
	"errors"
	"fmt"
	"io"
	"time"

	"manofwar/internal/container/codec"
	"manofwar/internal/media"
)

// ErrFormat is wrapped where the bytes are not of a container that is read here at all.
var ErrFormat = errors.New("not a file format that is known here")

// Info is what a file says of itself.
type Info struct {
	Format   string        // "mp4" or "matroska"
	Duration time.Duration // 0: it does not say
	Tracks   []Track
	Tags     media.Tags
	Cover    *media.Range // the embedded picture, nil: there is none
	Chapters []Chapter
}

// Streams returns the tracks as the library lists them.
func (i *Info) Streams() []media.Stream {
	var streams []media.Stream
	for _, t := range i.Tracks {
		if t.Kind != "" {
			streams = append(streams, t.Stream)
		}
	}
	return streams
}

// Track is one elementary stream. Every time of it is in ticks of its Timescale on the film's own time line: edit
// lists are already applied, and 0 is when the film starts.
type Track struct {
	media.Stream
	Timescale uint32       // ticks per second, never 0
	Config    codec.Config // how to announce it to a decoder
	Reorder   int64        // by how much a sample's DTS is later than its PTS at the most, in ticks; set by Movie.Index
	Matrix    []byte       // how a picture is turned, as MP4's tkhd has it; nil: not at all
	Prefix    []byte       // what the file leaves out before each sample (Matroska's header stripping)
	Zlib      bool         // each sample is compressed (RFC 1950); only subtitles are served so
}

// Chapter is a named part of a film.
type Chapter struct {
	Start time.Duration
	Title string
}

// Sample is one packet: a frame of video or a few milliseconds of sound.
//
// Decode times are shifted so that the first sample is decoded when it is shown, and the start of a segment is at one
// time, not at two. A sample that is shown before others that it follows in decode order then has a DTS later than its
// PTS, by no more than its track's Reorder.
type Sample struct {
	Offset   int64  // of its bytes in the file
	DTS      int64  // when to decode, in ticks; rises within a track
	PTS      int64  // when to show
	Size     uint32 // in bytes, without the prefix
	Duration uint32 // until the next sample's DTS, in ticks; of a subtitle, how long it is shown
	Sync     bool   // decoding can start here
}

// End returns where in the file the sample's bytes end.
func (s Sample) End() int64 { return s.Offset + int64(s.Size) }

// A Movie is the index of one file of tracks. It keeps no file open: every method that reads is handed the file again,
// so that an index can outlive it in a cache. After [Movie.Index] of the tracks that are used, the other methods may be
// called concurrently.
//
// Errors wrap [media.ErrCorrupt] where the file contradicts itself; other errors are those of reading. A file that ends
// early is no error as long as something can be played: its tracks end early too.
type Movie interface {
	// Info describes the file.
	Info() *Info
	// Index prepares a track, by its place in Info().Tracks, for the methods below, and returns how far it goes.
	Index(r io.ReaderAt, track int) (Extent, error)
	// Keyframes returns the PTS of a track's sync samples in rising order, leaving out those that follow another one
	// within [KeyframeSpacing].
	Keyframes(track int) []int64
	// Samples appends to dst, in decode order, every group of samples (a sync sample and what follows up to the next
	// one) whose sync sample is shown in [from, to).
	Samples(r io.ReaderAt, track int, from, to int64, dst []Sample) ([]Sample, error)
	// Memory returns about how many bytes the index takes.
	Memory() int
}

// Extent is how far a track goes, in its ticks.
type Extent struct {
	Last int64 // the PTS of its last sync sample
	End  int64 // when its last sample has been shown
}

// KeyframeSpacing bounds how many keyframes an index remembers: those that are closer together are of no use for seeking.
const KeyframeSpacing = 400 * time.Millisecond

// MaxSamples bounds how many samples one call of [Movie.Samples] returns: hours of sound, but not what a hostile file
// claims.
const MaxSamples = 1 << 20

// Corrupt returns an error that wraps [media.ErrCorrupt] and says what is wrong.
func Corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: %w", media.ErrCorrupt, fmt.Errorf(format, args...))
}

// Window makes many small reads near each other few: it keeps the page that was read last. It is not safe for
// concurrent use.
type Window struct {
	r     io.ReaderAt
	start int64
	page  []byte
	buf   [4096]byte
}

// NewWindow returns a window on r.
func NewWindow(r io.ReaderAt) *Window { return &Window{r: r} }

// ReadAt implements [io.ReaderAt].
func (w *Window) ReadAt(p []byte, off int64) (int, error) {
	if len(p) > len(w.buf) {
		return w.r.ReadAt(p, off)
	}
	if off < w.start || off+int64(len(p)) > w.start+int64(len(w.page)) {
		n, err := w.r.ReadAt(w.buf[:], off)
		w.start, w.page = off, w.buf[:n]
		if n < len(p) {
			return copy(p, w.page), err
		}
	}
	return copy(p, w.page[off-w.start:]), nil
}
