package v4l2

import (
	"fmt"
	"image"
	"io"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/internal/media"
	"manofwar/player"
	"manofwar/player/null"
)

// screen is a display that maps what it imports.
type screen struct {
	*null.Display
	t      testing.TB
	refuse error // to import

	mu     sync.Mutex // guards memory
	memory map[*player.Frame][][]byte
}

func newScreen(t testing.TB, formats ...player.Format) *screen {
	if formats == nil {
		formats = []player.Format{player.YUV420, player.NV12, player.XRGB8888}
	}
	s := &screen{t: t, memory: make(map[*player.Frame][][]byte)}
	s.Display = null.NewDisplay(null.DisplayOptions{Screen: player.Screen{
		Connector: "test", Mode: player.Mode{Width: 640, Height: 480, Refresh: 60}, Formats: formats, Scales: true,
	}})
	t.Cleanup(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.memory) > 0 {
			t.Errorf("%d frames were left", len(s.memory))
		}
	})
	return s
}

func (s *screen) Import(m player.Imported) (*player.Frame, error) {
	if s.refuse != nil {
		return nil, s.refuse
	}
	f := &player.Frame{Format: m.Format, Width: m.Width, Height: m.Height}
	var all [][]byte
	for i, p := range m.Planes {
		size, err := p.File.Seek(0, io.SeekEnd)
		if err != nil {
			return nil, err
		}
		data, err := unix.Mmap(int(p.File.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_SHARED)
		if err != nil {
			return nil, err
		}
		all = append(all, data)
		f.Planes[i] = player.Plane{Data: data[p.Offset:], Pitch: p.Pitch}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.memory[f] = all
	return f, nil
}

func (s *screen) Free(f *player.Frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all, ok := s.memory[f]
	if !ok {
		s.t.Error("a frame was freed twice")
	}
	delete(s.memory, f)
	for _, data := range all {
		if err := unix.Munmap(data); err != nil {
			s.t.Error(err)
		}
	}
	f.Planes = [3]player.Plane{}
}

// value returns the value that all samples of a frame have.
func value(f *player.Frame) (v byte, err error) {
	if f.Planes[0].Data == nil {
		return 0, os.ErrClosed
	}
	v = f.Planes[0].Data[0]
	lines := [][2]int{{f.Width, f.Height}, {f.Width, f.Height / 2}}
	switch f.Format {
	case player.YUV420:
		lines = [][2]int{{f.Width, f.Height}, {f.Width / 2, f.Height / 2}, {f.Width / 2, f.Height / 2}}
	case player.XRGB8888:
		lines = [][2]int{{4 * f.Width, f.Height}}
	}
	for i, l := range lines {
		for y := range l[1] {
			for x, got := range f.Planes[i].Data[y*f.Planes[i].Pitch:][:l[0]] {
				if got != v {
					return v, fmt.Errorf("plane %d has %d at %v, and %d before", i, got, image.Pt(x, y), v)
				}
			}
		}
	}
	return v, nil
}

// film is a made-up one: its packets, in the order of decoding.
type film struct {
	packets []sample
	size    image.Point
}

type sample struct {
	data []byte
	at   time.Duration
}

// tape returns a film of n pictures whose values count from 1; with b, every second one comes after the one that it
// precedes.
func tape(n, width, height int, b bool) (f film) {
	f.size = image.Pt(width, height)
	for i := range n {
		f.packets = append(f.packets, sample{press(width, height, byte(i+1)), time.Duration(i) * 40 * time.Millisecond})
	}
	for i := 1; b && i+1 < n; i += 2 {
		f.packets[i], f.packets[i+1] = f.packets[i+1], f.packets[i]
	}
	return f
}

// request asks for the film as H.264.
func (f film) request(from time.Duration) player.Request {
	return player.Request{
		Info: player.Info{
			Streams: []media.Stream{{Kind: media.Video, Codec: "h264", Width: f.size.X, Height: f.size.Y}},
			Coding:  player.Coding{Profile: "High", Plain: true},
		},
		From: from,
	}
}

// projection is a film on its way through the hardware, as package decode does it.
type projection struct {
	*Pictures
	feeding sync.WaitGroup
}

// project begins to decode a film as H.264.
func (f film) project(t testing.TB, d *Decoder, from time.Duration) *projection {
	t.Helper()
	return f.projectAs(t, d, f.request(from))
}

func (f film) projectAs(t testing.TB, d *Decoder, r player.Request) *projection {
	t.Helper()
	p, err := d.Open(r)
	if err != nil {
		t.Fatal(err)
	}
	out := &projection{Pictures: p}
	out.feeding.Go(func() {
		for _, s := range f.packets {
			if p.Feed(s.data, s.at) != nil {
				return // who takes is told
			}
		}
		_ = p.Finish() // likewise
	})
	return out
}

func (p *projection) Close() error {
	err := p.Pictures.Close()
	p.feeding.Wait()
	return err
}

func (p *projection) Picture(*player.Frame) (time.Duration, error) { return 0, player.ErrFormat }

func (p *projection) Sound([]float32) (int, time.Duration, error) { return 0, 0, io.EOF }

func (p *projection) Subtitle() (player.Cue, error) { return player.Cue{}, io.EOF }
