package playertest

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"sync"
	"time"

	"manofwar/internal/media"
	"manofwar/player"
)

// Decoder is a decoder whose items are made up, so that a test can tell each sample and each picture of them from every
// other one. It decodes as fast as it is read.
type Decoder struct {
	Items   map[string]Recipe // by the path of their source
	Display player.Display    // of the frames that are lent

	mu     sync.Mutex
	opened []player.Request
	open   int
}

// Recipe says what an item consists of. Sound has two channels.
type Recipe struct {
	ID       byte // in each sample and picture
	Length   time.Duration
	Rate     int // of its sound; 0: it has none
	FPS      player.Rational
	Width    int // of its pictures; 0: it has none
	Height   int
	Loud     func(frame int64) float32 // the sample of both channels; nil: see [Sample]
	Late     time.Duration             // before its sound begins
	Gain     player.Gain
	Cues     []player.Cue
	Probe    error         // what looking at it returns
	Delay    time.Duration // before the first of anything comes
	Slow     time.Duration // each 20 ms of sound takes
	Break    error         // what reading returns
	BreakAt  time.Duration // from there on
	Breaks   int           // in so many of its streams; 0: in all
	Codec    string        // of its sound; "": flac
	Unknown  bool          // nobody knows how long it is
	Interval time.Duration // each picture takes
	Lent     int           // so many frames of the display are lent, as by hardware, unless software is asked for; 0: pictures are filled in
}

// Sample returns the two samples of an item's frame, from which [Frame] tells what it is. They are exact in 16 bits.
func Sample(id byte, frame int64) (left, right float32) {
	return float32(frame&0x7fff) / (1 << 15), float32(int64(id)<<8|frame>>15&0xff) / (1 << 15)
}

// Frame returns which frame of which item two 16-bit samples are; id is 0 for silence.
func Frame(left, right int16) (id byte, frame int64) {
	return byte(right >> 8), int64(right&0xff)<<15 | int64(left)
}

// Picture returns which picture of which item has the sign that package null saw.
func Picture(sign uint64) (id byte, picture int) { return byte(sign >> 56), int(sign & 0xffffffff) }

// Opened returns all requests so far, and how many of their streams are open.
func (d *Decoder) Opened() (requests []player.Request, open int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append(requests, d.opened...), d.open
}

// Probe returns what the recipe says.
func (d *Decoder) Probe(ctx context.Context, s player.Source) (player.Info, error) {
	r, ok := d.Items[s.Path]
	if !ok {
		return player.Info{}, &media.Error{Op: "probe", Path: s.Path, Err: media.ErrNotFound}
	}
	if err := ctx.Err(); err != nil {
		return player.Info{}, err
	}
	return r.info(), r.Probe
}

func (r Recipe) info() player.Info {
	info := player.Info{Container: "made up", Duration: r.Length, Rate: r.FPS, Gain: r.Gain}
	if r.Unknown {
		info.Duration = 0
	}
	if r.Width > 0 {
		info.Aspect = float64(r.Width) / float64(r.Height)
		info.Streams = append(info.Streams, media.Stream{Kind: media.Video, Codec: "h264", Width: r.Width, Height: r.Height})
	}
	if r.Rate > 0 {
		codec := r.Codec
		if codec == "" {
			codec = "flac"
		}
		for range 2 {
			info.Streams = append(info.Streams, media.Stream{Kind: media.Audio, Codec: codec, SampleRate: r.Rate, Channels: 2})
		}
	}
	if r.Cues != nil {
		info.Streams = append(info.Streams, media.Stream{Kind: media.Subtitle, Codec: "subrip"})
	}
	return info
}

// Open starts a stream.
func (d *Decoder) Open(ctx context.Context, req player.Request) (player.Stream, error) {
	r, ok := d.Items[req.Path]
	if !ok {
		return nil, &media.Error{Op: "open", Path: req.Path, Err: media.ErrNotFound}
	}
	d.mu.Lock()
	number := 0
	for _, o := range d.opened {
		if o.Source == req.Source {
			number++
		}
	}
	d.opened = append(d.opened, req)
	d.open++
	d.mu.Unlock()
	s := &stream{decoder: d, number: number, recipe: r, req: req, closed: make(chan struct{}), ready: time.Now().Add(r.Delay)}
	if r.FPS.Num > 0 {
		s.picture = int(math.Ceil(req.From.Seconds()*s.fps() - 1e-6))
	}
	if r.Lent > 0 && req.Video != player.None && !req.Software {
		return d.lend(s)
	}
	return s, nil
}

type stream struct {
	decoder *Decoder
	recipe  Recipe
	number  int // among those of its source
	req     player.Request
	ready   time.Time
	once    sync.Once
	closed  chan struct{}
	picture int
	done    int64 // frames of sound that were read
	cue     int
}

func (s *stream) fps() float64 { return float64(s.recipe.FPS.Num) / float64(s.recipe.FPS.Den) }

// wait lets d pass, unless the stream is closed.
func (s *stream) wait(d time.Duration) error {
	timer := time.NewTimer(max(d, 0))
	defer timer.Stop()
	select {
	case <-s.closed:
		return io.ErrClosedPipe
	default:
	}
	select {
	case <-s.closed:
		return io.ErrClosedPipe
	case <-timer.C:
		return nil
	}
}

// ends returns what reading at a time returns, if it is past the end.
func (s *stream) ends(at time.Duration) error {
	if s.recipe.Break != nil && at >= s.recipe.BreakAt && (s.recipe.Breaks == 0 || s.number < s.recipe.Breaks) {
		return fmt.Errorf("read: %w", s.recipe.Break)
	}
	if at >= s.recipe.Length {
		return io.EOF
	}
	return nil
}

func (s *stream) Picture(f *player.Frame) (time.Duration, error) {
	if err := s.wait(max(0, time.Until(s.ready)) + s.recipe.Interval); err != nil {
		return 0, err
	}
	pts := time.Duration(math.Round(float64(s.picture) / s.fps() * float64(time.Second)))
	if err := s.ends(pts); err != nil {
		return 0, err
	}
	binary.LittleEndian.PutUint64(f.Planes[0].Data, uint64(s.recipe.ID)<<56|uint64(s.picture))
	s.picture++
	return pts, nil
}

func (s *stream) Sound(p []float32) (int, time.Duration, error) {
	if err := s.wait(max(0, time.Until(s.ready)) + s.recipe.Slow); err != nil {
		return 0, 0, err
	}
	speed := max(s.req.Speed, 0.01)
	rate := float64(s.req.Rate)
	begin := max(s.req.From, s.recipe.Late)
	first := int64(math.Round(begin.Seconds() * rate))
	total := int64(math.Round((s.recipe.Length.Seconds()*rate - float64(first)) / speed))
	at := time.Duration(math.Round((float64(first) + float64(s.done)*speed) / rate * float64(time.Second)))
	if err := s.ends(at); err != nil && err != io.EOF {
		return 0, 0, err
	}
	n := int(min(int64(len(p)/2), total-s.done))
	if n <= 0 {
		return 0, 0, io.EOF
	}
	for i := range n {
		frame := first + int64(float64(s.done+int64(i))*speed)
		if s.recipe.Loud != nil {
			p[2*i] = s.recipe.Loud(frame)
			p[2*i+1] = p[2*i]
			continue
		}
		p[2*i], p[2*i+1] = Sample(s.recipe.ID, frame)
	}
	s.done += int64(n)
	return 2 * n, at, nil
}

func (s *stream) Subtitle() (player.Cue, error) {
	for s.cue < len(s.recipe.Cues) {
		c := s.recipe.Cues[s.cue]
		if s.cue++; c.To > s.req.From {
			return c, nil
		}
	}
	return player.Cue{}, io.EOF
}

func (s *stream) Close() error {
	s.once.Do(func() {
		close(s.closed)
		s.decoder.mu.Lock()
		s.decoder.open--
		s.decoder.mu.Unlock()
	})
	return nil
}
