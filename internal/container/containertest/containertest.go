// Package containertest is the conformance suite for readers of film containers: whatever the container, the samples
// are those that ffprobe finds, a damaged file is an error or a shorter film, and hostile bytes cost little.
package containertest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"testing"

	"manofwar/internal/container"
	"manofwar/internal/container/fixture"
	"manofwar/internal/container/probe"
	"manofwar/internal/media"
)

// Load opens a file in memory.
func Load(t testing.TB, path string) (container.Movie, *bytes.Reader) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := bytes.NewReader(data)
	m, err := probe.Open(r, r.Size())
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return m, r
}

// packet is one of ffprobe's.
type packet struct {
	Stream int    `json:"stream_index"`
	PTS    string `json:"pts_time"`
	Size   string `json:"size"`
	Pos    string `json:"pos"`
	Flags  string `json:"flags"`
}

type stream struct {
	Codec      string `json:"codec_name"`
	Type       string `json:"codec_type"`
	Width      int    `json:"width"`
	Height     int    `json:"height"`
	SampleRate string `json:"sample_rate"`
	Channels   int    `json:"channels"`
}

type report struct {
	Packets []packet `json:"packets"`
	Streams []stream `json:"streams"`
	Format  struct {
		Duration string `json:"duration"`
	} `json:"format"`
}

func ffprobe(t testing.TB, path string, args ...string) (r report) {
	t.Helper()
	args = append([]string{"-v", "error", "-of", "json"}, append(args, path)...)
	out, err := exec.CommandContext(t.Context(), fixture.Program(t, "ffprobe"), args...).Output()
	if err != nil {
		t.Fatalf("ffprobe %s: %v", path, err)
	}
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func number(t testing.TB, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// MatchesFFprobe checks every sample of every track against ffprobe: place, size, time and whether it is a keyframe;
// and that any partition of the time line yields each sample once.
func MatchesFFprobe(t *testing.T, path string) {
	t.Helper()
	m, r := Load(t, path)
	want := ffprobe(t, path, "-show_packets")
	for i, track := range m.Info().Tracks {
		extent, err := m.Index(r, i)
		if err != nil {
			t.Fatal(err)
		}
		got, err := m.Samples(r, i, math.MinInt64, math.MaxInt64, nil)
		if err != nil {
			t.Fatal(err)
		}
		packets := slices.DeleteFunc(slices.Clone(want.Packets), func(p packet) bool { return p.Stream != i })
		if len(got) != len(packets) {
			t.Fatalf("track %d: %d samples; want %d", i, len(got), len(packets))
		}
		for k, p := range packets {
			s, pts := got[k], float64(got[k].PTS)/float64(track.Timescale)
			// ffprobe's position in Matroska is that of the block around the frame.
			if pos := int64(number(t, p.Pos)); s.Offset < pos || s.Offset > pos+20 || int(s.Size) != int(number(t, p.Size)) {
				t.Fatalf("track %d, sample %d: %d bytes at %d; want %+v", i, k, s.Size, s.Offset, p)
			}
			if math.Abs(pts-number(t, p.PTS)) > 2e-6 || s.Sync != (p.Flags[0] == 'K') {
				t.Fatalf("track %d, sample %d: at %v, keyframe %v; want %+v", i, k, pts, s.Sync, p)
			}
			if k > 0 && s.DTS != got[k-1].DTS+int64(got[k-1].Duration) {
				t.Fatalf("track %d, sample %d: decoded at %d; the one before ends at %d", i, k, s.DTS, got[k-1].DTS+int64(got[k-1].Duration))
			}
			if reorder := m.Info().Tracks[i].Reorder; s.DTS-s.PTS > reorder {
				t.Fatalf("track %d, sample %d: decoded %d after it is shown; Reorder is %d", i, k, s.DTS-s.PTS, reorder)
			}
		}
		partitions(t, m, r, i, got, extent)
	}
}

// partitions cuts a track at each of its keyframes, and puts it together again.
func partitions(t *testing.T, m container.Movie, r io.ReaderAt, i int, whole []container.Sample, extent container.Extent) {
	t.Helper()
	cuts := append(append([]int64{math.MinInt64}, m.Keyframes(i)...), math.MaxInt64)
	var sum []container.Sample
	for k := range cuts[1:] {
		part, err := m.Samples(r, i, cuts[k], cuts[k+1], nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(part) > 0 && (!part[0].Sync || cuts[k] != math.MinInt64 && m.Info().Tracks[i].Kind == media.Video && part[0].PTS != cuts[k]) {
			t.Errorf("track %d: the part from %d begins with %+v", i, cuts[k], part[0])
		}
		sum = append(sum, part...)
	}
	if !slices.Equal(sum, whole) {
		t.Errorf("track %d: its parts are not the whole: %d samples; want %d", i, len(sum), len(whole))
	}
	last, end := int64(0), int64(0)
	for _, s := range whole {
		if s.Sync {
			last = s.PTS
		}
		end = max(end, s.PTS+int64(s.Duration))
	}
	if extent.Last != last || extent.End < end {
		t.Errorf("track %d: it goes as far as %+v; want {%d %d}", i, extent, last, end)
	}
}

// DescribesAsFFprobe checks what is said of every stream.
func DescribesAsFFprobe(t *testing.T, path string) {
	t.Helper()
	m, _ := Load(t, path)
	want := ffprobe(t, path, "-show_streams", "-show_format")
	tracks := m.Info().Tracks
	if len(tracks) != len(want.Streams) {
		t.Fatalf("%d tracks; want %d", len(tracks), len(want.Streams))
	}
	for i, w := range want.Streams {
		g := tracks[i]
		if string(g.Kind) != w.Type || g.Codec != w.Codec || g.Width != w.Width || g.Height != w.Height || g.Channels != w.Channels ||
			w.SampleRate != "" && strconv.Itoa(g.SampleRate) != w.SampleRate {
			t.Errorf("track %d is %+v; want %+v", i, g.Stream, w)
		}
	}
	if d := number(t, want.Format.Duration); math.Abs(m.Info().Duration.Seconds()-d) > 0.1 {
		t.Errorf("%v long; want %v s", m.Info().Duration, d)
	}
}

// SurvivesCuts opens a file that ends early, at many places: it is refused as damaged, or plays as far as it goes.
func SurvivesCuts(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := len(data) - 1; n > 0; n -= len(data)/97 + 1 {
		r := bytes.NewReader(data[:n])
		m, err := probe.Open(r, r.Size())
		if err != nil {
			if !errors.Is(err, media.ErrCorrupt) && !errors.Is(err, container.ErrFormat) {
				t.Errorf("%s cut to %d bytes: %v; want it damaged", path, n, err)
			}
			continue
		}
		for i := range m.Info().Tracks {
			if _, err := m.Index(r, i); err != nil {
				if !errors.Is(err, media.ErrCorrupt) {
					t.Errorf("%s cut to %d bytes: %v; want it damaged", path, n, err)
				}
				continue
			}
			samples, err := m.Samples(r, i, math.MinInt64, math.MaxInt64, nil)
			if err != nil || len(samples) == 0 || slices.ContainsFunc(samples, func(s container.Sample) bool { return s.End() > int64(n) }) {
				t.Errorf("%s cut to %d bytes: %d samples, some beyond its end, or %v", path, n, len(samples), err)
			}
		}
	}
}

// failing is a file of which one part cannot be read.
type failing struct {
	*bytes.Reader
	from, to int64
	err      error
}

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if off < f.to && off+int64(len(p)) > f.from {
		return 0, f.err
	}
	return f.Reader.ReadAt(p, off)
}

// PassesReadErrors checks that a disk's error is reported as that, wherever it strikes, not as a damaged file.
func PassesReadErrors(t *testing.T, path string, broken error) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	step := int64(len(data)/50 + 1)
	for at := int64(0); at < int64(len(data)); at += step {
		r := failing{bytes.NewReader(data), at, at + step, broken}
		m, err := probe.Open(r, r.Size())
		for i := 0; err == nil && i < len(m.Info().Tracks); i++ {
			if _, err = m.Index(r, i); err == nil {
				_, err = m.Samples(r, i, math.MinInt64, math.MaxInt64, nil)
			}
		}
		if err != nil && !errors.Is(err, broken) {
			t.Errorf("unreadable from byte %d: %v; want %v", at, err, broken)
		}
	}
}

// Seed adds a file to a fuzz target's corpus.
func Seed(f *testing.F, path string) {
	data, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
}

// counted is a file that counts how often it is read.
type counted struct {
	*bytes.Reader
	reads int
}

func (c *counted) ReadAt(p []byte, off int64) (int, error) {
	c.reads++
	return c.Reader.ReadAt(p, off)
}

// Exercise does to arbitrary bytes all that is done to a film. It fails where that takes more memory or more reads than
// a file of that size may.
func Exercise(t *testing.T, data []byte) {
	r := &counted{Reader: bytes.NewReader(data)}
	defer func() {
		if limit := 1000 + 64*len(data); r.reads > limit {
			t.Errorf("%d reads of %d bytes", r.reads, len(data))
		}
	}()
	m, err := probe.Open(r, r.Size())
	if err != nil {
		return
	}
	_ = m.Info().Streams()
	for i, track := range m.Info().Tracks {
		if track.Timescale == 0 {
			t.Fatalf("track %d has no clock", i)
		}
		_ = track.Config.SampleEntry()
		if _, err := m.Index(r, i); err != nil {
			continue
		}
		keys := m.Keyframes(i)
		if len(keys) == 0 || !slices.IsSorted(keys) {
			t.Fatalf("keyframes %v", keys)
		}
		samples, err := m.Samples(r, i, keys[0], keys[len(keys)-1], nil)
		if err != nil {
			continue
		}
		for _, s := range samples {
			if s.Offset < 0 || s.End() > int64(len(data)) {
				t.Fatalf("sample %+v lies outside of %d bytes", s, len(data))
			}
		}
	}
	if m.Memory() > 64<<20 {
		t.Fatalf("the index takes %d bytes", m.Memory())
	}
}
