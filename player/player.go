// Package player is the vocabulary of playing on a television and a HiFi, and the machine that does it: what is played
// now and what comes next, on which clock, and when each picture and each sound has to leave.
//
// An [Engine] plays. It makes no system call. Pictures leave through a [Display], sound through a [Sound], and both come from a [Decoder];
// the adapters below this package are those: kms and alsa for the hardware, null for a test or a computer that is to
// stay silent, decode for ffmpeg, and v4l2 for codecs of the kernel's. The suite in playertest holds every display, every sound
// and every stream to one behaviour.
//
// Sound is the master clock. A [Sound] tells which sample is heard when, and pictures are shown by that; without sound
// they follow the monotonic clock. All times are [time.Time] with Go's monotonic reading, which on Linux is the
// CLOCK_MONOTONIC that DRM and ALSA stamp their events with.
//
// Inside, everything lies on one line, whose frames are those of the sound. The engine says what should be so; the deck
// mixes and writes sound and moves the line; the projector shows each picture when the line reaches it. What is heard is
// where the player is.
package player

import (
	"context"
	"errors"
	"image"
	"os"
	"time"

	"manofwar/internal/media"
)

// Errors to branch on.
var (
	ErrGone     = errors.New("the device is gone")                 // unplugged, or its driver gave up: ask again after Changed
	ErrUnderrun = errors.New("the sound ran dry")                  // nothing was written in time; the count of frames starts again
	ErrFormat   = errors.New("the device does not take this form") // of pictures or of sound
	ErrTaken    = errors.New("another program has the device")     // such as a desktop that shows itself on the screen
	ErrKilled   = errors.New("the decoder was killed")             // the item is not to blame: open it again at the same place
	ErrHardware = errors.New("the hardware does not decode it")    // or not any further: open it again with Request.Software
)

// Format is how a picture lies in memory, as a code of drm_fourcc.h.
type Format uint32

// The formats that displays and decoders agree on.
const (
	XRGB8888 Format = 'X' | 'R'<<8 | '2'<<16 | '4'<<24 // blue, green, red, nothing: ffmpeg's bgr0
	YUV420   Format = 'Y' | 'U'<<8 | '1'<<16 | '2'<<24 // three planes, colour at half size: ffmpeg's yuv420p
	NV12     Format = 'N' | 'V'<<8 | '1'<<16 | '2'<<24 // two planes, colour interleaved
)

// Frame is one picture in memory of a display. Whoever fills it writes its planes; the display reads them. In the YUV
// formats Width and Height are even.
type Frame struct {
	Format Format
	Width  int // in pixels
	Height int
	Planes [3]Plane // as many as the format has
	Handle any      // the display's own
}

// Importer is what a [Display] is as well that shows memory of another device, such as a hardware decoder's, without a
// copy.
type Importer interface {
	// Import returns a frame in that memory, which lives at least until the frame is freed. Its planes may have no data.
	Import(Imported) (*Frame, error)
}

// Imported is a picture in memory of another device.
type Imported struct {
	Format        Format
	Width, Height int
	Modifier      uint64 // of drm_fourcc.h: how pixels lie in the planes; 0: line by line
	Planes        []ImportedPlane
}

// ImportedPlane is where a plane of it lies. Several planes may be in one dma-buf.
type ImportedPlane struct {
	File          *os.File // the dma-buf, which stays the caller's
	Pitch, Offset int      // in bytes
}

// Plane is one of the arrays that make up a [Frame].
type Plane struct {
	Data  []byte
	Pitch int // bytes from one line to the next
}

// Mode is one way in which a screen can be driven.
type Mode struct {
	Width, Height int     // in pixels
	Refresh       float64 // in Hz, exact: pixel clock by total pixels, so that 23.976 is not 24
	Interlaced    bool
	Preferred     bool // by the screen
}

// Screen is a connected television or monitor.
type Screen struct {
	Connector string   // such as "HDMI-A-1"
	Name      string   // what it calls itself, such as "LG TV"; empty: nothing
	Mode      Mode     // in force
	Modes     []Mode   // it can do
	Formats   []Format // of video that it takes, the cheapest first
	Scales    bool     // it fits a frame of any size into a rectangle; otherwise a frame is shown pixel by pixel
	VBlank    bool     // Show returns at a real vertical blank; otherwise at once, and the caller keeps the pace
}

// Display shows pictures on the one screen that is in use. Its methods may be called from any goroutine. Errors are
// [ErrGone] while no screen is connected, [ErrFormat], or the kernel's.
type Display interface {
	// Screen returns the connected screen; false: there is none.
	Screen() (Screen, bool)

	// Changed receives after a screen was connected, disconnected or replaced. Frames outlive that.
	Changed() <-chan struct{}

	// SetMode drives the screen in one of its modes. The screen may be black for seconds; between items only.
	SetMode(Mode) error

	// NewFrame returns a frame that can be shown. Free gives its memory back, and waits while it is on the screen.
	NewFrame(f Format, width, height int) (*Frame, error)
	Free(*Frame)

	// Show puts the frame into the rectangle dst of the mode's pixels, black around it, and returns when it is visible
	// and since when. The frame belongs to the display until another one is shown. On a screen with VBlank the call
	// takes effect at the next blank, which it waits for.
	Show(f *Frame, dst image.Rectangle) (time.Time, error)

	// Overlay lays img (premultiplied) over whatever is shown, its top left corner at the point, from the next Show on,
	// or by itself within a few refreshes; nil takes it away. The display keeps no reference to img.
	Overlay(img *image.RGBA, at image.Point) error

	// Close restores nothing: the last picture stays until somebody else takes the screen.
	Close() error
}

// Preparer is a [Display] that has work with a picture before it can be seen, such as to blend something into it, and can do that
// before the picture is due.
type Preparer interface {
	// Prepare does what it can of showing the frame at dst, and returns what shows it then as Show does; nil: Show has no
	// work with it. Until then the frame must not be written to. What was prepared before is forgotten, whether it was
	// shown or not.
	Prepare(f *Frame, dst image.Rectangle) func() (time.Time, error)
}

// SampleFormat is how one sample of sound is stored, little endian.
type SampleFormat string

// The sample formats.
const (
	S16 SampleFormat = "s16"
	S24 SampleFormat = "s24" // in the low bits of 32
	S32 SampleFormat = "s32"
	IEC SampleFormat = "iec61937" // a compressed stream packed for a receiver, in 16-bit samples: AC-3, DTS
)

// SoundFormat is the form of a stream of sound.
type SoundFormat struct {
	Rate     int // frames per second
	Channels int
	Sample   SampleFormat
}

// FrameSize returns the bytes of one sample of every channel.
func (f SoundFormat) FrameSize() int {
	if f.Sample == S16 || f.Sample == IEC {
		return 2 * f.Channels
	}
	return 4 * f.Channels
}

// Card is an output for sound.
type Card struct {
	ID   string // the kernel's, which outlives a restart: "vc4hdmi0", "Headphones", "I82801AAICH"
	Name string // for a person
	HDMI bool   // sound goes to the screen
}

// SoundStatus relates samples and time.
type SoundStatus struct {
	At      time.Time // when the following was so
	Heard   int64     // frames that had been heard, counted from the last Configure, Drop or underrun
	Written int64     // frames that had been written, counted likewise
}

// Sound plays sound on one card. Write is called from one goroutine; the others from any. Errors are [ErrGone],
// [ErrUnderrun], [ErrFormat], or the kernel's.
type Sound interface {
	// Cards returns the outputs there are; Changed receives when they have changed.
	Cards() []Card
	Changed() <-chan struct{}

	// Configure opens the card of that ID, or the best one if it is empty, for the format nearest to want that it
	// takes without loss where there is one, and returns that. What was queued is dropped.
	Configure(card string, want SoundFormat) (Card, SoundFormat, error)

	// Write queues whole frames and blocks while there is no room. Until Start nothing is heard; Buffer frames may be
	// written before. After ErrUnderrun the device is ready for Write again and counts from zero.
	Write(p []byte) (int, error)
	Buffer() int // frames that fit
	Start() error

	// Status returns ErrUnderrun when the device ran dry since the last call of Write.
	Status() (SoundStatus, error)

	// Drop stops at once and forgets what is queued. Drain returns when all of it has been heard, or ctx ends; it lets a
	// card run that does not.
	Drop() error
	Drain(ctx context.Context) error

	Close() error
}

// Source is where an item's bytes are: one of the two is set.
type Source struct {
	Path string // a file, or a folder or image of a disc
	URL  string // http://
}

// Info is what a source holds, as the decoder finds it.
type Info struct {
	Container string
	Duration  time.Duration  // 0: unknown
	Streams   []media.Stream // in the file's order: an index into it names a stream
	Aspect    float64        // width by height of the picture as it is meant to be seen; 0: no video
	Rate      Rational       // of pictures, exact
	Interlace bool
	HDR       bool // the picture is HDR10, and has to be made fit for a screen that is not
	Coding    Coding
	Chapters  []Chapter
	Gain      Gain
}

// Coding is how the picture is coded, as far as a hardware decoder has to know. The zero value means unknown.
type Coding struct {
	Profile string // ffmpeg's name, such as "High"
	Plain   bool   // 8 bits, colours at half size, limited range: as YUV420 and NV12 are shown
	Turned  bool   // it has to be turned or mirrored to be seen upright
}

// Rational is a fraction. The zero value means unknown.
type Rational struct{ Num, Den int64 }

// Chapter is a named place in an item.
type Chapter struct {
	Start time.Duration
	Title string
}

// Gain is what ReplayGain says of an item, in dB; the peaks are of 1. Zero: it says nothing.
type Gain struct{ Track, TrackPeak, Album, AlbumPeak float64 }

// None says that no stream of a kind is wanted.
const None = -1

// Request is what to decode: indices are those of [Info.Streams], or [None].
type Request struct {
	Source
	Info     Info
	From     time.Duration
	Video    int
	Audio    int
	Subtitle int
	Format   Format // of the pictures, scaled to Width × Height
	Width    int
	Height   int
	Rate     int // of the sound, which comes as 32-bit floats
	Channels int
	Speed    float64 // 1: as recorded; the pitch stays. Timestamps are those of the item
	Pass     bool    // give the compressed sound as it is, packed by IEC 61937: the bits of a sample are then those of two 16-bit ones
	Software bool    // pictures are not to be decoded by the hardware, which gave up on them
}

// Decoder opens sources.
type Decoder interface {
	// Probe reads what a source holds. Errors are those of package media: ErrNotFound, ErrCorrupt, ErrUnsupported; and
	// ErrNoDecoder.
	Probe(ctx context.Context, s Source) (Info, error)

	// Open starts decoding. It returns at once; what goes wrong later is what the stream's reads return.
	Open(ctx context.Context, r Request) (Stream, error)
}

// Stream is decoded media on their way. Each of the reads belongs to one goroutine; they return io.EOF at the end, and
// a reader that waits holds up the others no longer than their buffers last. Close may be called from anywhere and ends
// every read.
type Stream interface {
	// Picture fills f, which has the request's format and size, and returns the time in the item at which it is due.
	Picture(f *Frame) (time.Duration, error)

	// Sound fills p with interleaved samples and returns how many, a multiple of the channels, and the time in the item
	// of the first. Consecutive reads have no gap between them unless the time says so.
	Sound(p []float32) (int, time.Duration, error)

	// Subtitle returns the next text or picture to lay over the video, in order of From.
	Subtitle() (Cue, error)

	Close() error
}

// Lender is what a [Stream] is as well whose pictures are frames of the display already, as a hardware decoder's are:
// they are lent instead of being filled in, in a format and size of the decoder's choice, and Picture is not called.
type Lender interface {
	// Lend returns the next picture and the time in the item at which it is due. It waits while as many are lent as may
	// be. One goroutine calls it, and its errors are those of Picture, or [ErrHardware].
	Lend() (*Frame, time.Duration, error)

	// Return gives a frame back that is not on the screen, or not any more. It may be called from anywhere, and has to be
	// for each frame, also after Close.
	Return(*Frame)

	// Lends returns how many frames may be lent at a time.
	Lends() int
}

// Cue is a subtitle. One of Text and Image is set. A picture replaces the one before it, however long that was to be
// seen; a cue with neither ends it.
type Cue struct {
	From, To time.Duration
	Text     string          // lines, with <i>, <b> and <u> only
	Image    *image.RGBA     // premultiplied
	At       image.Rectangle // where Image lies, in pixels of Canvas
	Canvas   image.Point     // the size of the picture that At is of
}
