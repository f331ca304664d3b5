package nut_test

import (
	"bytes"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"manofwar/internal/container/fixture"
	"manofwar/player/decode/nut"
)

// tiny is a film of four pictures of 16×8 and sound at 8 kHz, made by ffmpeg.
func tiny(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/tiny.nut")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// packet is a frame with its payload.
type packet struct {
	nut.Frame
	at  time.Duration
	sum uint32
}

// read reads all there is.
func read(r *nut.Reader) (all []packet, err error) {
	for {
		f, err := r.Next()
		if err != nil {
			return all, err
		}
		h := crc32.NewIEEE()
		if n, err := io.Copy(h, r); err != nil || n != int64(f.Size) {
			return all, errors.Join(err, io.ErrUnexpectedEOF)
		}
		all = append(all, packet{f, r.Streams()[f.Stream].Time(f.PTS), h.Sum32()})
	}
}

func TestHeadersAndFrames(t *testing.T) {
	r := nut.NewReader(bytes.NewReader(tiny(t)))
	got, err := read(r)
	if err != io.EOF {
		t.Fatal(err)
	}
	s := r.Streams()
	if len(s) != 2 || s[0].Class != nut.Video || s[0].Width != 16 || s[0].Height != 8 || s[1].Class != nut.Audio || s[1].Channels != 1 || s[1].Rate != (nut.Rational{Num: 8000, Den: 1}) {
		t.Errorf("streams %+v", s)
	}
	pictures, samples := 0, 0
	for _, p := range got {
		switch p.Stream {
		case 0:
			if p.Size != 16*8*3/2 || p.at != time.Duration(pictures)*40*time.Millisecond || !p.Key {
				t.Errorf("picture %d: %+v", pictures, p)
			}
			pictures++
		case 1:
			if want := time.Duration(samples) * time.Second / 8000; p.at != want {
				t.Errorf("sound at %v, want %v", p.at, want)
			}
			samples += p.Size / 4
		}
	}
	if pictures != 4 || samples != 1280 {
		t.Errorf("%d pictures, %d samples", pictures, samples)
	}
}

// TestPayloadMayBeReadFromTheSource reads part of each payload behind the reader's back, part with it, and leaves some.
func TestPayloadMayBeReadFromTheSource(t *testing.T) {
	path := fixture.File(t, "raw.nut", "-f", "lavfi", "-i", "testsrc2=s=160x120:r=25:d=1", "-c:v", "rawvideo", "-pix_fmt", "yuv420p")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := read(nut.NewReader(bytes.NewReader(data)))
	if err != io.EOF {
		t.Fatal(err)
	}
	source := bytes.NewReader(data)
	r := nut.NewReader(source)
	for i, w := range want {
		f, err := r.Next()
		if err != nil || f != w.Frame {
			t.Fatalf("frame %d: %+v, %v; want %+v", i, f, err, w.Frame)
		}
		if i%3 == 2 {
			continue
		}
		payload := make([]byte, f.Size)
		ahead := r.Ahead()
		if _, err := io.ReadFull(r, payload[:ahead]); err != nil || r.Ahead() != 0 {
			t.Fatal(err, r.Ahead())
		}
		if _, err := io.ReadFull(source, payload[ahead:]); err != nil {
			t.Fatal(err)
		}
		r.Skip(f.Size - ahead)
		if sum := crc32.ChecksumIEEE(payload); sum != w.sum {
			t.Errorf("picture %d differs", i)
		}
	}
}

// TestAgreesWithFFprobe compares with ffprobe what ffmpeg writes: several streams, elided headers, timestamps that jump.
func TestAgreesWithFFprobe(t *testing.T) {
	base := []string{"-f", "lavfi", "-i", "testsrc2=s=64x64:r=25:d=2", "-f", "lavfi", "-i", "sine=d=2:r=44100"}
	for name, args := range map[string][]string{
		"raw":        {"-c:v", "rawvideo", "-c:a", "pcm_f32le"},
		"compressed": {"-c:v", "mpeg4", "-bf", "2", "-c:a", "libmp3lame"},
		"ac3":        {"-c:v", "mpeg2video", "-c:a", "ac3"},
		"slow":       {"-vf", "fps=1/2", "-c:v", "rawvideo", "-enc_time_base", "1:90000", "-c:a", "pcm_s16le"},
		"late":       {"-vf", "setpts=PTS+100/TB", "-c:v", "rawvideo", "-an"},
		"pipe":       {"-c:v", "rawvideo", "-c:a", "pcm_f32le", "-write_index", "0"},
	} {
		t.Run(name, func(t *testing.T) {
			path := fixture.File(t, name+".nut", append(base, args...)...)
			out, err := exec.CommandContext(t.Context(), fixture.Program(t, "ffprobe"), "-v", "error", "-show_entries", "packet=stream_index,pts,size", "-of", "csv=p=0", path).Output()
			if err != nil {
				t.Fatal(err)
			}
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			got, err := read(nut.NewReader(f))
			if err != io.EOF {
				t.Fatal(err)
			}
			lines := strings.Fields(string(out))
			if len(lines) != len(got) {
				t.Fatalf("%d frames, ffprobe finds %d", len(got), len(lines))
			}
			for i, p := range got {
				if mine := strconv.Itoa(p.Stream) + "," + strconv.FormatInt(p.PTS, 10) + "," + strconv.Itoa(p.Size); mine != strings.TrimRight(lines[i], ",") {
					t.Fatalf("frame %d is %s, ffprobe's %s", i, mine, lines[i])
				}
			}
		})
	}
}

func TestDamage(t *testing.T) {
	whole := tiny(t)
	for n := range whole {
		_, err := read(nut.NewReader(bytes.NewReader(whole[:n])))
		if err == nil || (n < 25 && n > 0 && err != io.ErrUnexpectedEOF) {
			t.Fatalf("%d bytes: %v", n, err)
		}
	}
	for i := range bytes.Index(whole, []byte("NI\xAB\x68")) { // the file's name and the headers, which have checksums
		b := bytes.Clone(whole)
		b[i] ^= 0x55
		if _, err := read(nut.NewReader(bytes.NewReader(b))); err == io.EOF {
			t.Errorf("byte %d changed and nothing was said", i)
		}
	}
	broken := errors.New("the wire is cut")
	if _, err := read(nut.NewReader(io.MultiReader(bytes.NewReader(whole[:500]), iotest.ErrReader(broken)))); !errors.Is(err, broken) {
		t.Errorf("the source's error became %v", err)
	}
}

func FuzzReader(f *testing.F) {
	f.Add(tiny(f))
	f.Add(tiny(f)[:300])
	f.Fuzz(func(t *testing.T, data []byte) {
		r := nut.NewReader(bytes.NewReader(data))
		total := 0
		for range 10_000 {
			frame, err := r.Next()
			if err != nil {
				return
			}
			r.Streams()[frame.Stream].Time(frame.PTS)
			n, err := io.Copy(io.Discard, r)
			if total += int(n); err == nil && int(n) != frame.Size {
				t.Fatalf("a payload of %d bytes where %d were announced", n, frame.Size)
			}
			if total > len(data)+256*10_000 { // elided headers are all that may come out of nothing
				t.Fatalf("%d bytes of %d", total, len(data))
			}
		}
	})
}
