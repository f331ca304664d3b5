package stream

import (
	"bufio"
	"bytes"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"manofwar/internal/container/fixture"
)

// packet is a line of ffmpeg's framehash output: when, how long, how large, and a digest of the bytes.
type packet struct {
	dts, pts float64 // seconds
	size     int
	hash     string
}

// packets returns the packets of one stream ("v:0", "a:1") of a file as ffmpeg reads them, but for those shown before a
// time.
func packets(t *testing.T, file, stream string, from float64) (list []packet) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), fixture.Program(t, "ffmpeg"), "-nostdin", "-loglevel", "error", "-copyts", "-i", file, "-map", "0:"+stream,
		"-c", "copy", "-avoid_negative_ts", "disabled", "-f", "framehash", "-hash", "md5", "-")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("packets of %s: %v %s", file, err, stderr.String())
	}
	base := 1.0
	for sc := bufio.NewScanner(bytes.NewReader(out)); sc.Scan(); {
		line := sc.Text()
		if tb, ok := strings.CutPrefix(line, "#tb 0: "); ok {
			num, den, _ := strings.Cut(tb, "/")
			base = number(t, num) / number(t, den)
		}
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(line, ",")
		p := packet{number(t, f[1]) * base, number(t, f[2]) * base, int(number(t, f[4])), strings.TrimSpace(f[5])}
		if p.pts > from-1e-9 {
			list = append(list, p)
		}
	}
	return list
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// playlist is what a media playlist says.
type playlist struct {
	init     string
	segments []string
	starts   []float64 // and, last, the end
	target   float64
}

func parse(t *testing.T, text string) (p playlist) {
	t.Helper()
	p.starts = []float64{0}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if v, ok := strings.CutPrefix(line, "#EXT-X-MAP:URI="); ok {
			p.init = strings.Trim(v, `"`)
		}
		if v, ok := strings.CutPrefix(line, "#EXT-X-TARGETDURATION:"); ok {
			p.target = number(t, v)
		}
		if v, ok := strings.CutPrefix(line, "#EXTINF:"); ok {
			p.starts = append(p.starts, p.starts[len(p.starts)-1]+number(t, strings.TrimSuffix(v, ",")))
		}
		if line != "" && !strings.HasPrefix(line, "#") {
			p.segments = append(p.segments, line)
		}
	}
	if len(p.segments) == 0 || p.init == "" || len(p.starts) != len(p.segments)+1 || !strings.HasSuffix(text, "#EXT-X-ENDLIST\n") {
		t.Fatalf("not a whole playlist:\n%s", text)
	}
	return p
}

// film is the name of a case and how to make its file.
type film struct {
	name string
	make func(t testing.TB) string
	// renditions by playlist name: the streams of the file that each delivers, in order.
	renditions map[string][]string
	// late is by how many seconds all is delayed, so that what has to be decoded before 0 fits.
	late float64
}

var both = map[string][]string{"main": {"v:0", "a:0"}}

var films = []film{
	{"mp4 with B-frames and edit lists", fixture.BFrames, both, 0},
	{"mp4 with the index at the end", func(t testing.TB) string {
		return fixture.Remux(t, "end.mp4", fixture.BFrames(t))
	}, both, 0},
	{"mp4 with composition offsets below 0", func(t testing.TB) string {
		return fixture.Remux(t, "negcts.mp4", fixture.BFrames(t), "-movflags", "+negative_cts_offsets")
	}, both, 0},
	{"fragmented mp4", func(t testing.TB) string {
		return fixture.Remux(t, "frag.mp4", fixture.BFrames(t), "-movflags", "+frag_keyframe+empty_moov+default_base_moof")
	}, both, 0},
	{"fragmented mp4, old base offsets", func(t testing.TB) string {
		return fixture.Remux(t, "oldfrag.mp4", fixture.BFrames(t), "-movflags", "+frag_keyframe+empty_moov", "-frag_duration", "700000")
	}, both, 0},
	{"quicktime", func(t testing.TB) string { return fixture.Remux(t, "qt.mov", fixture.BFrames(t)) }, both, 0},
	{"matroska", func(t testing.TB) string { return fixture.Remux(t, "cues.mkv", fixture.BFrames(t)) }, both, 0},
	{"matroska without cues", func(t testing.TB) string {
		return fixture.Remux(t, "live.mkv", fixture.BFrames(t), "-live", "1")
	}, both, 0},
	{"variable frame rate", func(t testing.TB) string {
		return fixture.File(t, "vfr.mp4", fixture.Args(fixture.Picture(15, "320x180"), fixture.Sound(15),
			[]string{"-vf", `select='not(mod(n\,3))+lt(mod(n\,50)\,25)'`, "-vsync", "vfr"}, fixture.H264(2), fixture.AAC())...)
	}, both, 0},
	{"hevc with open groups of pictures", func(t testing.TB) string {
		return openGroups(t, "open.mp4")
	}, both, 0},
	{"hevc with open groups in matroska", func(t testing.TB) string {
		return fixture.Remux(t, "open.mkv", openGroups(t, "open.mp4"))
	}, both, 0},
	{"sound starts late", func(t testing.TB) string {
		return fixture.File(t, "late.mp4", fixture.Args([]string{"-i", fixture.BFrames(t), "-itsoffset", "1.5", "-i", fixture.BFrames(t), "-map", "0:v", "-map", "1:a", "-c", "copy"})...)
	}, both, 0},
	{"no sound", func(t testing.TB) string { return fixture.Remux(t, "silent.mp4", fixture.BFrames(t), "-an") }, map[string][]string{"main": {"v:0"}}, 0},
	{"sound only", func(t testing.TB) string { return fixture.Remux(t, "song.m4a", fixture.BFrames(t), "-vn") }, map[string][]string{"main": {"a:0"}}, 0},
	{"trimmed between keyframes", func(t testing.TB) string {
		return fixture.File(t, "trimmed.mp4", "-ss", "2.52", "-i", fixture.BFrames(t), "-c", "copy")
	}, map[string][]string{"main": {"v:0"}}, 0.52}, // ffmpeg moves the sound to where its next packet starts
	{"two languages, two codecs", func(t testing.TB) string {
		return fixture.File(t, "two.mkv", fixture.Args([]string{"-i", fixture.BFrames(t)}, fixture.Sound(18),
			[]string{"-map", "0:v", "-map", "0:a", "-map", "1:a", "-c:v", "copy", "-c:a:0", "copy", "-c:a:1", "ac3", "-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=fra"})...)
	}, map[string][]string{"main": {"v:0"}, "audio1": {"a:0"}, "audio2": {"a:1"}}, 0},
}

// openGroups is a film whose keyframes are followed by pictures that are shown before them and refer to what came before.
func openGroups(t testing.TB, name string) string {
	t.Helper()
	return fixture.File(t, name, fixture.Args(fixture.Picture(12, "320x180"), fixture.Sound(12), fixture.AAC(),
		[]string{"-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error:pools=none:frame-threads=1:open-gop=1:keyint=24:min-keyint=24:bframes=3:b-adapt=0:scenecut=0", "-tag:v", "hvc1"})...)
}

// TestSegmentsAreTheFilm plays every segment of every rendition and compares each packet and its time with what ffmpeg
// finds in the file itself.
func TestSegmentsAreTheFilm(t *testing.T) {
	for _, f := range films {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			source := f.make(t)
			s := serve(t, source)
			for name, streams := range f.renditions {
				list := parse(t, string(s.body(t, "hls/"+name+".m3u8")))
				file := filepath.Join(t.TempDir(), "all.mp4")
				data := slices.Clone(s.body(t, "hls/"+list.init))
				for _, segment := range list.segments {
					data = append(data, s.body(t, "hls/"+segment)...)
				}
				if err := os.WriteFile(file, data, 0o600); err != nil {
					t.Fatal(err)
				}
				decodes(t, file)
				for i, stream := range streams {
					got, want := packets(t, file, strconv.Itoa(i), 0), packets(t, source, stream, -f.late)
					compare(t, name+" "+stream, got, want, f.late)
				}
			}
		})
	}
}

// compare holds packets against those of the file: the same bytes, shown at the same times.
func compare(t *testing.T, what string, got, want []packet, late float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d packets; want %d", what, len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		if got[i].hash != want[i].hash || math.Abs(got[i].pts-late-want[i].pts) > 1e-6 {
			t.Fatalf("%s: packet %d is %+v; want %+v", what, i, got[i], want[i])
		}
		if i > 0 && got[i].dts <= got[i-1].dts {
			t.Fatalf("%s: packet %d is decoded at %v, after %v", what, i, got[i].dts, got[i-1].dts)
		}
	}
}

// decodes plays a file to the end and accepts no complaint.
func decodes(t *testing.T, file string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), fixture.Program(t, "ffmpeg"), "-nostdin", "-v", "warning", "-xerror", "-i", file, "-f", "null", "-").CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("ffmpeg plays %s: %v\n%s", file, err, out)
	}
}

// TestSeeksLand asks for the segment that holds each of many times and checks that it starts with a keyframe, alone
// decodable, at or before that time, exactly where the playlist says.
func TestSeeksLand(t *testing.T) {
	for _, f := range films {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, f.make(t))
			list := parse(t, string(s.body(t, "hls/main.m3u8")))
			head := s.body(t, "hls/"+list.init)
			for at := 0.2; at < list.starts[len(list.starts)-1]; at += 5.7 {
				n := slices.IndexFunc(list.starts, func(s float64) bool { return s > at }) - 1
				file := filepath.Join(t.TempDir(), fmt.Sprintf("%d.mp4", n))
				if err := os.WriteFile(file, append(slices.Clone(head), s.body(t, "hls/"+list.segments[n])...), 0o600); err != nil {
					t.Fatal(err)
				}
				decodes(t, file)
				first := packets(t, file, "0", 0)[0]
				if n == 0 {
					continue // the film's first picture may come after its start
				}
				if math.Abs(first.pts-list.starts[n]) > 0.001 || first.pts > at {
					t.Errorf("seek to %.3f: segment %d starts at %.3f; the playlist says %.3f", at, n, first.pts, list.starts[n])
				}
			}
		})
	}
}
