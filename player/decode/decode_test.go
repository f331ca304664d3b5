//go:build linux

package decode_test

import (
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"manofwar/internal/container/fixture"
	"manofwar/internal/media"
	"manofwar/player"
	"manofwar/player/decode"
)

// request returns a request for the first picture, sound and subtitles of a file as they are.
func request(t testing.TB, d *decode.Decoder, path string) player.Request {
	t.Helper()
	info, err := d.Probe(t.Context(), player.Source{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	r := player.Request{Source: player.Source{Path: path}, Info: info, Video: player.None, Audio: player.None, Subtitle: player.None, Speed: 1, Format: player.YUV420}
	for i, s := range info.Streams {
		switch {
		case s.Kind == media.Video && r.Video == player.None:
			r.Video, r.Width, r.Height = i, s.Width, s.Height
		case s.Kind == media.Audio && r.Audio == player.None:
			r.Audio, r.Rate, r.Channels = i, s.SampleRate, s.Channels
		case s.Kind == media.Subtitle && r.Subtitle == player.None:
			r.Subtitle = i
		}
	}
	return r
}

func open(t testing.TB, d *decode.Decoder, r player.Request) player.Stream {
	t.Helper()
	s, err := d.Open(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// frame returns one with pitches that are longer than its lines by pad bytes.
func frame(f player.Format, width, height, pad int) *player.Frame {
	p := func(bytes, lines int) player.Plane {
		return player.Plane{Data: make([]byte, (bytes+pad)*lines), Pitch: bytes + pad}
	}
	out := &player.Frame{Format: f, Width: width, Height: height}
	switch f {
	case player.XRGB8888:
		out.Planes[0] = p(4*width, height)
	case player.YUV420:
		out.Planes = [3]player.Plane{p(width, height), p(width/2, height/2), p(width/2, height/2)}
	case player.NV12:
		out.Planes = [3]player.Plane{p(width, height), p(width, height/2), {}}
	}
	return out
}

// played is all that came of a stream.
type played struct {
	pictures []time.Duration
	soundAt  time.Duration // of the first sample
	sound    []float32
	jumps    int
	cues     []player.Cue
	errs     []error // of the three reads, where not the end
}

// play reads a stream to its end.
func play(s player.Stream, r player.Request) played { return playInto(s, r, 0) }

// playInto does so with so many bytes between the lines of the pictures.
func playInto(s player.Stream, r player.Request, pad int) (p played) {
	var wg sync.WaitGroup
	var errs [3]error
	stop := func(err error) {
		if err != nil && !errors.Is(err, io.EOF) {
			_ = s.Close() // the other reads would wait for ever
		}
	}
	wg.Go(func() {
		defer func() { stop(errs[0]) }()
		f := frame(r.Format, r.Width, r.Height, pad)
		for errs[0] == nil && r.Video != player.None {
			var at time.Duration
			if at, errs[0] = s.Picture(f); errs[0] == nil {
				p.pictures = append(p.pictures, at)
			}
		}
	})
	wg.Go(func() {
		defer func() { stop(errs[1]) }()
		buf := make([]float32, 1000*max(r.Channels, 1))
		for r.Audio != player.None && errs[1] == nil {
			n, at, err := s.Sound(buf)
			errs[1] = err
			if err != nil {
				break
			}
			if len(p.sound) == 0 {
				p.soundAt = at
			} else if due := p.soundAt + time.Duration(float64(len(p.sound)/r.Channels)/float64(r.Rate)*r.Speed*1e9); (at - due).Abs() > time.Millisecond {
				p.jumps++
			}
			p.sound = append(p.sound, buf[:n]...)
		}
	})
	wg.Go(func() {
		defer func() { stop(errs[2]) }()
		for r.Subtitle != player.None && errs[2] == nil {
			var c player.Cue
			if c, errs[2] = s.Subtitle(); errs[2] == nil {
				p.cues = append(p.cues, c)
			}
		}
	})
	wg.Wait()
	for _, err := range errs {
		if err != nil && !errors.Is(err, io.EOF) {
			p.errs = append(p.errs, err)
		}
	}
	return p
}

// counted is what ffmpeg itself makes of the stream: frames and samples.
func counted(t *testing.T, d *decode.Decoder, path, stream string) (frames, samples int) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), d.FFmpeg, "-v", "error", "-i", path, "-map", stream, "-fps_mode", "passthrough", "-f", "framecrc", "-").Output()
	if err != nil {
		t.Fatalf("ffmpeg -f framecrc %s: %v", path, err)
	}
	for line := range strings.Lines(string(out)) {
		if fields := strings.Split(line, ","); !strings.HasPrefix(line, "#") && len(fields) > 3 {
			frames++
			n, err := strconv.Atoi(strings.TrimSpace(fields[3]))
			if err != nil {
				t.Fatalf("framecrc says %q", line)
			}
			samples += n
		}
	}
	return frames, samples
}

func TestEveryKindIsDecodedWhole(t *testing.T) {
	eachDecoder(t, func(t *testing.T, d *decode.Decoder) {
		for _, k := range fixture.Kinds {
			t.Run(k.Name, func(t *testing.T) {
				path := k.File(t, lasting)
				r := request(t, d, path)
				got := play(open(t, d, r), r)
				if len(got.errs) > 0 {
					t.Fatalf("reads end with %v", got.errs)
				}
				if r.Video != player.None {
					if want, _ := counted(t, d, path, "0:V:0"); len(got.pictures) != want {
						t.Errorf("%d pictures, ffmpeg counts %d", len(got.pictures), want)
					}
					if err := ascending(got.pictures, 40*time.Millisecond); err != nil && !holes[k.Name] {
						t.Error(err)
					}
				}
				if r.Audio != player.None {
					_, want := counted(t, d, path, "0:a:0")
					if k.Name == "aac.m4a" {
						want = 4 * 48000 // ffmpeg counts the encoder's padding as well
					}
					if n := len(got.sound) / r.Channels; n != want && !holes[k.Name] {
						t.Errorf("%d samples, ffmpeg counts %d", n, want)
					}
					if got.jumps > 0 {
						t.Errorf("%d jumps in the sound's time", got.jumps)
					}
				}
				if r.Subtitle != player.None {
					checkCues(t, got.cues)
				}
			})
		}
	})
}

// ascending checks that pictures are due about so far apart.
func ascending(at []time.Duration, apart time.Duration) error {
	for i := 1; i < len(at); i++ {
		if d := at[i] - at[i-1]; (d - apart).Abs() > 2*time.Millisecond {
			return fmt.Errorf("picture %d is due %v after the one before it", i, d)
		}
	}
	return nil
}

func checkCues(t *testing.T, got []player.Cue) {
	t.Helper()
	want := []player.Cue{
		{From: 500 * time.Millisecond, To: 1500 * time.Millisecond, Text: "First <i>line</i>"},
		{From: 2 * time.Second, To: 3500 * time.Millisecond, Text: "Second, é\nof two"},
	}
	if len(got) != len(want) {
		t.Fatalf("%d subtitles: %+v", len(got), got)
	}
	for i, w := range want {
		if g := got[i]; g.Text != w.Text || (g.From-w.From).Abs() > 30*time.Millisecond || g.To-g.From != w.To-w.From {
			t.Errorf("subtitle %d is %+v, want %+v", i, g, w)
		}
	}
}
