//go:build linux

package decode_test

import (
	"container/heap"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"manofwar/internal/container/fixture"
	"manofwar/player"
	"manofwar/player/decode"
	"manofwar/player/playertest"
)

// machine is hardware without a kernel: it keeps what it is fed, and lends frames without a picture in the order in which
// they are due.
type machine struct {
	from   time.Duration
	gaveUp time.Duration // at the picture due then; 0: never

	mu      sync.Mutex // guards all below
	changed *sync.Cond
	fed     []byte
	packets int
	waiting times // fed, and not lent
	idle    []*player.Frame
	ended   bool
	closed  bool
}

// times is a heap of when pictures are due.
type times []time.Duration

func (t times) Len() int           { return len(t) }
func (t times) Less(i, j int) bool { return t[i] < t[j] }
func (t times) Swap(i, j int)      { t[i], t[j] = t[j], t[i] }
func (t *times) Push(v any)        { *t = append(*t, v.(time.Duration)) }
func (t *times) Pop() any {
	last := (*t)[len(*t)-1]
	*t = (*t)[:len(*t)-1]
	return last
}

// reordered is how many pictures are held back: no codec here needs more.
const reordered = 4

func newMachine(from time.Duration) *machine {
	m := &machine{from: from}
	m.changed = sync.NewCond(&m.mu)
	for range 6 {
		m.idle = append(m.idle, &player.Frame{Format: player.NV12, Width: 160, Height: 120})
	}
	return m
}

func (m *machine) Feed(packet []byte, due time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.waiting) > 2*reordered && !m.closed {
		m.changed.Wait()
	}
	if m.closed {
		return os.ErrClosed
	}
	m.fed = append(m.fed, packet...)
	m.packets++
	if due >= m.from-time.Millisecond {
		heap.Push(&m.waiting, due)
	}
	m.changed.Broadcast()
	return nil
}

func (m *machine) Finish() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ended = true
	m.changed.Broadcast()
	return nil
}

func (m *machine) Lend() (*player.Frame, time.Duration, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for {
		ready := len(m.waiting) > reordered || m.ended && len(m.waiting) > 0
		switch {
		case m.closed:
			return nil, 0, os.ErrClosed
		case ready && m.gaveUp > 0 && m.waiting[0] >= m.gaveUp:
			return nil, 0, fmt.Errorf("a test: %w", player.ErrHardware)
		case ready && len(m.idle) > 0:
			f := m.idle[0]
			m.idle = m.idle[1:]
			at := heap.Pop(&m.waiting).(time.Duration)
			m.changed.Broadcast()
			return f, at, nil
		case m.ended && len(m.waiting) == 0:
			return nil, 0, io.EOF
		}
		m.changed.Wait()
	}
}

func (m *machine) Return(f *player.Frame) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.idle = append(m.idle, f)
	m.changed.Broadcast()
}

func (m *machine) Lends() int { return 6 }

func (m *machine) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	m.changed.Broadcast()
	return nil
}

// with returns the decoder with hardware that takes everything.
func with(d *decode.Decoder, got **machine) *decode.Decoder {
	return &decode.Decoder{FFmpeg: d.FFmpeg, FFprobe: d.FFprobe, Hardware: func(r player.Request) (decode.Hardware, error) {
		m := newMachine(r.From)
		if got != nil {
			*got = m
		}
		return m, nil
	}}
}

// due reads when the pictures of a request are due, in software.
func due(t *testing.T, d *decode.Decoder, r player.Request) []time.Duration {
	t.Helper()
	r.Audio, r.Subtitle = player.None, player.None
	p := play(open(t, d, r), r)
	if len(p.errs) > 0 || len(p.pictures) == 0 {
		t.Fatalf("%d pictures, %v", len(p.pictures), p.errs)
	}
	return p.pictures
}

// TestStream holds both ways to one suite: pictures that are filled in, and those that hardware lends.
func TestStream(t *testing.T) {
	eachDecoder(t, func(t *testing.T, d *decode.Decoder) {
		path := fixture.File(t, "stream.mp4", append(fixture.Args(fixture.Picture(2, "160x120"), fixture.H264(2)), "-g", "20")...)
		all := due(t, d, request(t, d, path))
		for name, dec := range map[string]*decode.Decoder{"software": d, "hardware": with(d, nil)} {
			t.Run(name, func(t *testing.T) {
				playertest.Stream(t, playertest.Film{
					Due: all, Close: time.Millisecond, Lent: name == "hardware",
					Frame: func() *player.Frame { return frame(player.YUV420, 160, 120, 0) },
					Open: func(t *testing.T, from time.Duration) player.Stream {
						r := request(t, dec, path)
						r.From = from
						s, err := dec.Open(t.Context(), r)
						if err != nil {
							t.Fatal(err)
						}
						return s
					},
				})
			})
		}
	})
}

// TestWhatHardwareIsFed compares what hardware gets of every kind of film that it could decode with the file: it is due at the same
// times, and ffmpeg decodes it, without its container, to the same pictures. So it does from a place in the middle on.
func TestWhatHardwareIsFed(t *testing.T) {
	eachDecoder(t, func(t *testing.T, d *decode.Decoder) {
		for name, format := range map[string]string{ // and how ffmpeg reads it without its container
			"h264-aac.mp4": "h264", "h264-opus-srt.mkv": "h264", "h264-ac3.ts": "h264", "hevc-ac3.mkv": "hevc", "mpeg2-ac3.vob": "mpegvideo",
			"vp9-opus.webm": "", // not at all
		} {
			t.Run(name, func(t *testing.T) {
				path := file(t, name)
				r := request(t, d, path)
				r.Audio, r.Subtitle = player.None, player.None
				for _, from := range []time.Duration{0, 2300 * time.Millisecond} {
					r.From = from
					want := due(t, d, r)
					var m *machine
					s := open(t, with(d, &m), r)
					got, err := lent(s)
					if !errors.Is(err, io.EOF) {
						t.Fatalf("after %d pictures: %v", len(got), err)
					}
					if !slices.EqualFunc(got, want, func(a, b time.Duration) bool { return (a - b).Abs() <= time.Millisecond }) {
						t.Errorf("from %v: %d pictures from %v, in software %d from %v", from, len(got), got[:min(2, len(got))], len(want), want[0])
					}
					if from == 0 && format != "" {
						samePictures(t, d, path, format, m.fed)
					}
				}
			})
		}
	})
}

// lent reads the pictures that a stream lends to their end.
func lent(s player.Stream) (at []time.Duration, err error) {
	l := s.(player.Lender)
	for {
		f, due, err := l.Lend()
		if err != nil {
			return at, err
		}
		at = append(at, due)
		l.Return(f)
	}
}

// samePictures has ffmpeg decode a film and what hardware was fed of it.
func samePictures(t *testing.T, d *decode.Decoder, path, format string, fed []byte) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "fed")
	if err := os.WriteFile(file, fed, 0o600); err != nil {
		t.Fatal(err)
	}
	sums := func(args ...string) (list []string) {
		args = append(append([]string{"-v", "error"}, args...), "-map", "0:V:0", "-fps_mode", "passthrough", "-f", "framehash", "-")
		out, err := exec.CommandContext(t.Context(), d.FFmpeg, args...).Output()
		if err != nil {
			t.Fatalf("ffmpeg %v: %v", args, err)
		}
		for line := range strings.Lines(string(out)) {
			if fields := strings.Split(strings.TrimSpace(line), ","); !strings.HasPrefix(line, "#") {
				list = append(list, fields[len(fields)-1])
			}
		}
		return list
	}
	want, got := sums("-i", path), sums("-f", format, "-i", file)
	if !slices.Equal(got, want) {
		t.Errorf("what the hardware is fed are %d pictures, %d in the file, or others", len(got), len(want))
	}
}

// TestHardwareGivesUp has hardware give up in the middle, and not asked again.
func TestHardwareGivesUp(t *testing.T) {
	path := fixture.BFrames(t)
	for _, d := range decoders(t) {
		var opened int
		dec := with(d, nil)
		usual := dec.Hardware
		dec.Hardware = func(r player.Request) (decode.Hardware, error) {
			opened++
			h, err := usual(r)
			h.(*machine).gaveUp = r.From + 200*time.Millisecond
			return h, err
		}
		r := request(t, dec, path)
		s := open(t, dec, r)
		at, err := lent(s)
		if !errors.Is(err, player.ErrHardware) || len(at) == 0 {
			t.Errorf("after %v: %v", at, err)
		}
		r.Software = true
		if _, ok := open(t, dec, r).(player.Lender); ok || opened != 1 {
			t.Error("hardware is asked although it is not wanted")
		}
		break // one program is enough: what is decoded is not looked at
	}
}

// TestHardwareIsNotFedWhatIsNoFilm has hardware open what ffmpeg cannot hand over.
func TestHardwareIsNotFedWhatIsNoFilm(t *testing.T) {
	eachDecoder(t, func(t *testing.T, d *decode.Decoder) {
		r := request(t, d, fixture.BFrames(t))
		r.Path = fixture.Text(t, "none.mkv", "this is no film at all")
		s := open(t, with(d, nil), r)
		if at, err := lent(s); !errors.Is(err, player.ErrHardware) || len(at) > 0 {
			t.Errorf("after %v: %v", at, err)
		}
	})
}
