//go:build vm

package vm

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"manofwar/internal/lab"
	"manofwar/internal/lab/peers"
)

// The media of the television: two songs that are one piece of noise, cut in the middle, a picture that stands still, and a
// film of it.
const (
	songFrames = 5 * 48000
	coverRGB   = 0xc03040
)

// TestTelevision plays to a screen and a sound card, as an evening does: what it shows and what is heard is looked at from
// outside. Then it breaks what plays.
func TestTelevision(t *testing.T) {
	dir := t.TempDir()
	noise := makeSongs(t, dir)
	still := makeFilm(t, dir)
	// A clock that counts keeps an emulated player from running dry because the host is busy. Minutes of the guest's pass in
	// seconds while it waits.
	w := world(t, peers.Config{
		Radios: 1, Dongle: 1, Counted: true, Limit: 8 * time.Minute,
		Screen: &lab.Screen{Width: 640, Height: 480}, Sound: new(lab.Sound), Disks: []lab.Disk{stickOf(t, dir, false)},
	})
	tv := television{w}
	must(t, w.Await(t.Context(), "the library is scanned", func() bool {
		var s status
		err := w.Ask(t.Context(), http.MethodGet, "/api/v1/status", nil, &s)
		return err == nil && allReady(s) && s.Library != nil && s.Library.Music == 2 && s.Library.Films == 1
	}))
	t.Run("it invites by a code that phones read", func(t *testing.T) {
		tv.until(t, "the code", func(img image.Image) bool { return strings.HasPrefix(readCode(t, img), "WIFI:T:WPA;S:manofwar") })
	})
	t.Run("two songs", tv.songs)
	t.Run("a film", func(t *testing.T) { tv.film(t, still) })
	t.Run("the songs were one piece", func(t *testing.T) { tv.heard(t, noise) })
	t.Run("the decoder is killed", tv.killDecoder)
	t.Run("the player is killed", tv.killPlayer)
}

// makeSongs writes two FLAC files and returns the samples of both, one after the other: 16-bit stereo at 48 kHz.
func makeSongs(t *testing.T, dir string) [][2]int16 {
	random := rand.New(rand.NewPCG(1, 2))
	all := make([][2]int16, 2*songFrames)
	var raw bytes.Buffer
	for i := range all {
		for c := range all[i] {
			all[i][c] = int16(random.IntN(16000) - 8000)
			raw.Write([]byte{byte(all[i][c]), byte(uint16(all[i][c]) >> 8)})
		}
	}
	cover := filepath.Join(t.TempDir(), "cover.png")
	must(t, lab.FFmpeg(t.Context(), "-f", "lavfi", "-i", fmt.Sprintf("color=0x%06x:s=500x500", coverRGB), "-frames:v", "1", cover))
	for i := range 2 {
		pcm := filepath.Join(t.TempDir(), "song.pcm")
		half := raw.Len() / 2
		must(t, os.WriteFile(pcm, raw.Bytes()[i*half:(i+1)*half], 0o600))
		must(t, lab.FFmpeg(t.Context(), "-f", "s16le", "-ar", "48000", "-ac", "2", "-i", pcm, "-i", cover, "-map", "0", "-map", "1", "-c:a", "flac",
			"-disposition:v", "attached_pic", "-metadata", fmt.Sprintf("title=Half %d", i+1), "-metadata", "album=Noise", "-metadata", "artist=Nobody",
			"-metadata", fmt.Sprintf("track=%d", i+1), filepath.Join(dir, fmt.Sprintf("half%d.flac", i+1))))
	}
	return all
}

// makeFilm writes a film in which nothing moves, of the shape of the screen, and returns its picture.
func makeFilm(t *testing.T, dir string) image.Image {
	file := filepath.Join(dir, "Bars (2020).mkv")
	must(t, lab.FFmpeg(t.Context(), "-f", "lavfi", "-i", "smptebars=s=320x240:r=10", "-f", "lavfi", "-i", "sine=f=500:r=48000", "-t", "600",
		"-c:v", "libx264", "-preset", "ultrafast", "-crf", "12", "-pix_fmt", "yuv420p", "-g", "20", "-c:a", "aac", file))
	still := filepath.Join(t.TempDir(), "still.png")
	must(t, lab.FFmpeg(t.Context(), "-i", file, "-frames:v", "1", "-vf", "scale=640:480:flags=fast_bilinear", still))
	data, err := os.ReadFile(still)
	must(t, err)
	img, err := png.Decode(bytes.NewReader(data))
	must(t, err)
	return img
}

// television is a dongle at a screen.
type television struct{ *peers.World }

// patience is how long anything on the screen may take, on a machine that others use as well.
const patience = time.Minute

// session is the part of a session that the tests look at.
type session struct {
	ID       string
	State    string
	Position float64
	Index    int
	Problem  *struct{ Text string }
	Entry    *struct{ Item struct{ Title string } }
}

// post tells the web API something.
func (tv television) post(t *testing.T, path string, body any) {
	t.Helper()
	must(t, tv.Ask(t.Context(), http.MethodPost, path, body, nil))
}

// play plays everything of a kind, in its order.
func (tv television) play(t *testing.T, kind string) {
	t.Helper()
	var found struct{ Items []struct{ ID string } }
	must(t, tv.Ask(t.Context(), http.MethodGet, "/api/v1/items?kind="+kind, nil, &found))
	var ids []string
	for _, it := range found.Items {
		ids = append(ids, it.ID)
	}
	tv.post(t, "/api/v1/cast/play", map[string]any{"renderer": "tv", "items": ids})
}

// await waits until what plays is as ok wants it.
func (tv television) await(t *testing.T, what string, ok func(session) bool) session {
	t.Helper()
	var last session
	ctx, cancel := context.WithTimeoutCause(t.Context(), patience, fmt.Errorf("it took more than %v", patience))
	defer cancel()
	err := tv.Await(ctx, what, func() bool {
		var s struct{ Sessions []session }
		if tv.Ask(ctx, http.MethodGet, "/api/v1/cast/sessions", nil, &s) != nil || len(s.Sessions) == 0 {
			return false
		}
		last = s.Sessions[0]
		return ok(last)
	})
	if err != nil {
		for _, name := range []string{"player", "cast"} {
			var log struct{ Lines []struct{ Text string } }
			_ = tv.Ask(t.Context(), http.MethodGet, "/api/v1/services/"+name+"/log", nil, &log) // of a machine that is still up
			for _, l := range log.Lines {
				t.Logf("%s: %s", name, l.Text)
			}
		}
		t.Fatalf("%v: %+v, problem %+v", err, last, last.Problem)
	}
	return last
}

// until waits until the screen looks as ok wants it, and keeps the last picture of one that never does.
func (tv television) until(t *testing.T, what string, ok func(image.Image) bool) {
	t.Helper()
	var last image.Image
	ctx, cancel := context.WithTimeoutCause(t.Context(), patience, fmt.Errorf("it took more than %v", patience))
	defer cancel()
	err := tv.Await(ctx, what, func() bool {
		img, err := tv.Screendump(ctx)
		if err != nil {
			return false
		}
		last = img
		return ok(img)
	})
	if err != nil {
		file := filepath.Join(os.TempDir(), "manofwar-television.png")
		var b bytes.Buffer
		if last != nil && png.Encode(&b, last) == nil {
			_ = os.WriteFile(file, b.Bytes(), 0o600)
		}
		t.Fatalf("%v; the screen is in %s", err, file)
	}
}

// songs plays an album of two.
func (tv television) songs(t *testing.T) {
	tv.play(t, "music")
	s := tv.await(t, "a song plays", func(s session) bool { return s.State == "playing" })
	tv.post(t, "/api/v1/cast/sessions/"+s.ID+"/change", map[string]any{"volume": 100})
	tv.until(t, "the cover", func(img image.Image) bool {
		r, g, b, _ := img.At(img.Bounds().Dx()/4, img.Bounds().Dy()/2).RGBA()
		return near(r>>8, coverRGB>>16) && near(g>>8, coverRGB>>8&0xff) && near(b>>8, coverRGB&0xff)
	})
	tv.await(t, "the second song", func(s session) bool { return s.Index == 1 && s.Entry.Item.Title == "Half 2" })
	tv.await(t, "the end", func(s session) bool { return s.State == "stopped" })
}

// heard compares what was heard of the songs with what is in the files, frame by frame. Other sound must have followed them:
// QEMU keeps back the last milliseconds.
func (tv television) heard(t *testing.T, noise [][2]int16) {
	// The volume was being changed at first. From some time in the first song on every frame has to be there.
	from := songFrames / 2
	heard, err := tv.Recorded(lab.AC97)
	must(t, err)
	at, volume := find(heard, noise[from:from+256])
	if at < 0 || len(heard) < at+len(noise)-from {
		t.Fatalf("of %d frames that were heard, the first song is at %d", len(heard), at)
	}
	for i, want := range noise[from:] {
		for c := range want {
			if off := float64(heard[at+i][c]) - volume*float64(want[c]); math.Abs(off) > 1.5 { // rounded there and here
				t.Fatalf("frame %d, %d from the joint, channel %d: heard %d, want %.1f", from+i, from+i-songFrames, c, heard[at+i][c], volume*float64(want[c]))
			}
		}
	}
	t.Logf("%d frames were heard one after the other, %d before and %d after the joint, at %.3f of their volume", len(noise)-from, songFrames-from, songFrames, volume)
}

func near(got, want uint32) bool { return max(got, want)-min(got, want) < 12 }

// find returns where a piece is in what was heard, and how loud; -1: nowhere.
func find(heard, piece [][2]int16) (at int, volume float64) {
	var power float64
	for _, f := range piece {
		power += float64(f[0]) * float64(f[0])
	}
	for at := range max(0, len(heard)-len(piece)) {
		var dot, rest float64
		for i, f := range piece {
			dot += float64(f[0]) * float64(heard[at+i][0])
		}
		if volume = dot / power; volume < 0.05 {
			continue
		}
		for i, f := range piece {
			off := float64(heard[at+i][0]) - volume*float64(f[0])
			rest += off * off
		}
		if rest < float64(len(piece))*4 {
			return at, volume
		}
	}
	return -1, 0
}

// film plays one, looks at its picture, and lets it wait.
func (tv television) film(t *testing.T, still image.Image) {
	tv.play(t, "film")
	tv.await(t, "the film plays", func(s session) bool { return s.State == "playing" && s.Position > 1 })
	tv.until(t, "the film's picture and nothing else", func(img image.Image) bool { return distance(img, still) < 6 })
	s := tv.await(t, "a session", func(session) bool { return true })
	control := "/api/v1/cast/sessions/" + s.ID + "/control"
	tv.post(t, control, map[string]any{"do": "pause"})
	paused := tv.await(t, "it waits", func(s session) bool { return s.State == "paused" })
	tv.until(t, "where it is", func(img image.Image) bool { return distance(img, still) > 6 })
	tv.post(t, control, map[string]any{"do": "seek", "to": 20})
	tv.await(t, "it is elsewhere", func(s session) bool { return s.State == "paused" && math.Abs(s.Position-20) < 0.5 })
	tv.post(t, control, map[string]any{"do": "play"})
	tv.await(t, "it goes on", func(s session) bool { return s.State == "playing" && s.Position > 20.5 })
	if paused.Position < 1 || paused.Position > 599 {
		t.Errorf("it waited at %v", paused.Position)
	}
}

// distance is the mean difference of two pictures of one size, of the channels' 255.
func distance(a, b image.Image) float64 {
	if a.Bounds().Size() != b.Bounds().Size() {
		return 255
	}
	var sum float64
	n := 0
	for y := 0; y < a.Bounds().Dy(); y += 3 {
		for x := 0; x < a.Bounds().Dx(); x += 3 {
			r, g, bl, _ := a.At(x, y).RGBA()
			r2, g2, bl2, _ := b.At(x, y).RGBA()
			for _, d := range []int{int(r) - int(r2), int(g) - int(g2), int(bl) - int(bl2)} {
				sum += math.Abs(float64(d)) / 257
				n++
			}
		}
	}
	return sum / float64(n)
}

// killDecoder kills what decodes the film. It goes on where it was.
func (tv television) killDecoder(t *testing.T) {
	s := tv.await(t, "the film plays", func(s session) bool { return s.State == "playing" })
	before, err := tv.Outside().Run(t.Context(), "pidof", "ffmpeg")
	must(t, err)
	_, err = tv.Outside().Run(t.Context(), "pkill", "-9", "-x", "ffmpeg")
	must(t, err)
	tv.await(t, "it goes on", func(now session) bool { return now.State == "playing" && now.Position > s.Position+5 })
	if after, err := tv.Outside().Run(t.Context(), "pidof", "ffmpeg"); err != nil || after == before {
		t.Errorf("it is decoded by %q, %v, and was by %q, which was killed", after, err, before)
	}
}

// killPlayer kills the player. What it played goes on where it was.
func (tv television) killPlayer(t *testing.T) {
	s := tv.await(t, "the film plays", func(s session) bool { return s.State == "playing" })
	must(t, tv.Kill(t.Context(), "player"))
	must(t, tv.Await(t.Context(), "the player is back", func() bool {
		var s status
		return tv.Ask(t.Context(), http.MethodGet, "/api/v1/status", nil, &s) == nil && allReady(s) && s.service("player").Restarts == 1
	}))
	after := tv.await(t, "the film goes on", func(now session) bool { return now.State == "playing" && now.Position > s.Position+5 })
	if after.Problem != nil {
		t.Errorf("it goes on, but %s", after.Problem.Text)
	}
}

// readCode returns what the QR codes on a picture say.
func readCode(t *testing.T, img image.Image) string {
	var b bytes.Buffer
	must(t, png.Encode(&b, img))
	cmd := exec.CommandContext(t.Context(), "zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", "-")
	cmd.Stdin = &b
	out, _ := cmd.Output() // it fails where there is none
	return strings.TrimSpace(string(out))
}
