package tags_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"manofwar/internal/media"
	"manofwar/services/catalog/mediatest"
	"manofwar/services/catalog/tags"
)

// probed is what ffprobe says of a file.
type probed struct {
	Streams []struct {
		Type        string `json:"codec_type"`
		Codec       string `json:"codec_name"`
		Rate        string `json:"sample_rate"`
		Channels    int
		Width       int
		Disposition struct {
			Picture int `json:"attached_pic"`
		}
	}
	Format struct {
		Duration string
	}
}

func probe(t *testing.T, path string) (p probed) {
	t.Helper()
	out, err := exec.Command("ffprobe", "-v", "error", "-of", "json", "-show_format", "-show_streams", path).Output()
	if err == nil {
		err = json.Unmarshal(out, &p)
	}
	if err != nil {
		t.Fatalf("ffprobe: %v", err)
	}
	return p
}

func read(t *testing.T, path string) (tags.Facts, error) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return tags.Read(f, info.Size(), filepath.Base(path))
}

// estimated are formats that do not tell their duration.
var estimated = map[string]bool{".aac": true, ".ts": true, ".m2ts": true, ".mpg": true, ".vob": true}

// TestAgreesWithFFprobe reads every kind of file, and has ffprobe read it too.
func TestAgreesWithFFprobe(t *testing.T) {
	dir := mediatest.Dir(t)
	for _, file := range mediatest.Files {
		t.Run(file.Name, func(t *testing.T) {
			path := filepath.Join(dir, file.Name)
			facts, err := read(t, path)
			if err != nil {
				t.Fatal(err)
			}
			want := probe(t, path)
			seconds, _ := strconv.ParseFloat(want.Format.Duration, 64)
			tolerance := 0.06
			if estimated[filepath.Ext(file.Name)] {
				tolerance = 0.3
			}
			if d := facts.Duration.Seconds() - seconds; d > tolerance || d < -tolerance {
				t.Errorf("duration %v, ffprobe %v", facts.Duration, seconds)
			}
			i, pictures := 0, 0
			for _, w := range want.Streams {
				if w.Disposition.Picture == 1 {
					pictures++
					continue
				}
				if i >= len(facts.Streams) {
					t.Fatalf("streams %+v, ffprobe %+v", facts.Streams, want.Streams)
				}
				got := facts.Streams[i]
				rate, _ := strconv.Atoi(w.Rate)
				if facts.Container == "mpegts" { // its tables tell no more
					got.SampleRate, got.Channels, got.Width = rate, w.Channels, w.Width
				}
				if string(got.Kind) != w.Type || got.Codec != w.Codec || got.SampleRate != rate || got.Channels != w.Channels || got.Width != w.Width {
					t.Errorf("stream %d: %+v, ffprobe %+v", i, got, w)
				}
				i++
			}
			if (pictures > 0) != (facts.Cover != nil) {
				t.Errorf("cover %+v, ffprobe sees %d", facts.Cover, pictures)
			}
			checkTags(t, file, facts)
			checkCover(t, path, facts.Cover)
		})
	}
}

func checkTags(t *testing.T, file mediatest.File, facts tags.Facts) {
	t.Helper()
	got := facts.Tags
	if file.Bare {
		if got.Title != "" || len(got.Artists) > 0 {
			t.Errorf("tags %+v of a file without", got)
		}
		return
	}
	want := media.Tags{
		Title: mediatest.Title, Artists: []string{mediatest.Artist}, Album: mediatest.Album, AlbumArtists: []string{mediatest.AlbumArtist},
		Track: mediatest.Track, Disc: mediatest.Disc, Year: mediatest.Year, Genres: []string{mediatest.Genre},
	}
	if strings.HasSuffix(file.Name, ".wav") { // a RIFF INFO list has no album artist and no disc
		want.AlbumArtists, want.Disc = nil, 0
	}
	a, _ := json.Marshal(got)
	b, _ := json.Marshal(want)
	if !bytes.Equal(a, b) {
		t.Errorf("tags %s, want %s", a, b)
	}
}

// checkCover makes sure that the range holds a whole picture.
func checkCover(t *testing.T, path string, c *media.Range) {
	t.Helper()
	if c == nil {
		return
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	picture := data[c.Offset : c.Offset+c.Length]
	if c.Type != "image/jpeg" || !bytes.HasPrefix(picture, []byte{0xFF, 0xD8, 0xFF}) || !bytes.HasSuffix(bytes.TrimRight(picture, "\x00"), []byte{0xFF, 0xD9}) {
		t.Errorf("no JPEG at %+v: %x … %x", c, picture[:4], picture[len(picture)-4:])
	}
}

// counter counts what is read.
type counter struct {
	r     io.ReaderAt
	calls int
	bytes int
}

func (c *counter) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.r.ReadAt(p, off)
	c.calls++
	c.bytes += n
	return n, err
}

// TestReadsLittle holds the reading of each music file to a few kilobytes, which is what a scan of a disk costs.
func TestReadsLittle(t *testing.T) {
	dir := mediatest.Dir(t)
	for _, file := range mediatest.Files {
		data, err := os.ReadFile(filepath.Join(dir, file.Name))
		if err != nil {
			t.Fatal(err)
		}
		c := &counter{r: bytes.NewReader(data)}
		facts, err := tags.Read(c, int64(len(data)), file.Name)
		if err != nil {
			t.Fatal(err)
		}
		if facts.Kind == media.Music && (c.calls > 4 || c.bytes > 16<<10) {
			t.Errorf("%s: %d calls for %d bytes", file.Name, c.calls, c.bytes)
		}
	}
}

// TestDamagedFiles gives a reason for each.
func TestDamagedFiles(t *testing.T) {
	dir := mediatest.Dir(t)
	load := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	half := func(b []byte) []byte { return b[:len(b)/2] }
	noise := bytes.Repeat([]byte("not media at all "), 8000)
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty.mp3", nil, "it is empty"},
		{"noise.mp3", noise, "no MPEG audio"},
		{"noise.flac", noise, "no FLAC stream"},
		{"noise.ogg", noise, "Ogg page is missing"},
		{"noise.wav", noise, "header is missing"},
		{"noise.m4a", noise, "not a MP4 file"},
		{"noise.mkv", noise, "not a Matroska file"},
		{"cut.flac", load("s16.flac")[:40], "ends too early"},
		{"cut.mp4", half(load("end.mp4")), "not complete"},
		{"cut.ogg", load("vorbis.ogg")[:20], "ends too early"},
		{"noise.avi", noise, "not an AVI file"},
		{"noise.wmv", noise, "not a Windows Media file"},
		{"noise.mpg", noise, "not an MPEG file"},
		{"noise.flv", noise, "not a Flash Video file"},
		{"noise.aac", noise, "no AAC"},
		{"noise.ac3", noise, "no AC-3"},
		{"noise.wv", noise, "not a WavPack file"},
		{"noise.ape", noise, "not a Monkey's Audio file"},
		{"cut.avi", load("film.avi")[:100], "header is missing"},
		{"byte.mp3", []byte{0xFF}, "no MPEG audio"},
	} {
		_, err := tags.Read(bytes.NewReader(c.data), int64(len(c.data)), c.name)
		if !errors.Is(err, media.ErrCorrupt) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

// TestNamesLie reads files whose ending is another's.
func TestNamesLie(t *testing.T) {
	dir := mediatest.Dir(t)
	for from, container := range map[string]string{"s16.flac": "flac", "aac.m4a": "mp4", "vorbis.ogg": "ogg", "s16.wav": "wav", "film.mkv": "matroska"} {
		data, err := os.ReadFile(filepath.Join(dir, from))
		if err != nil {
			t.Fatal(err)
		}
		facts, err := tags.Read(bytes.NewReader(data), int64(len(data)), "song.mp3")
		if err != nil || facts.Container != container || facts.Duration.Round(time.Second) != mediatest.Seconds*time.Second {
			t.Errorf("%s: got %+v, %v", from, facts, err)
		}
		if want := media.Music; from == "film.mkv" {
			want = media.Film
		} else if facts.Kind != want {
			t.Errorf("%s: is a %s", from, facts.Kind)
		}
	}
}

// errDisk is a disk's.
var errDisk = errors.New("input/output error")

type badDisk struct{}

func (badDisk) ReadAt([]byte, int64) (int, error) { return 0, errDisk }

func TestDiskErrorsAreNotTheFilesFault(t *testing.T) {
	for _, name := range []string{"a.mp3", "a.flac", "a.mkv", "a.mp4", "a.ogg", "a.wav"} {
		if _, err := tags.Read(badDisk{}, 1000, name); !errors.Is(err, errDisk) || errors.Is(err, media.ErrCorrupt) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	dir := mediatest.Dir(b)
	for _, name := range []string{"cbr.mp3", "s16.flac", "vorbis.ogg", "opus.opus", "aac.m4a", "film.mkv"} {
		b.Run(name, func(b *testing.B) {
			data, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := tags.Read(bytes.NewReader(data), int64(len(data)), name); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// FuzzRead reads whatever bytes under every ending: it ends, and holds little.
func FuzzRead(f *testing.F) {
	names := []string{
		"a.mp3", "a.flac", "a.ogg", "a.wav", "a.aiff", "a.m4a", "a.mkv", "a.aac", "a.ac3", "a.ape", "a.tta", "a.wma", "a.wv", "a.avi", "a.flv", "a.ts", "a.mpg",
	}
	for i := range names {
		f.Add([]byte("ID3\x04\x00\x00\x00\x00\x00\x0aTIT2\x00\x00\x00\x02\x00\x00\x03x"), uint8(i))
	}
	if _, err := exec.LookPath("ffmpeg"); err == nil {
		dir := mediatest.Dir(f)
		for _, file := range mediatest.Files {
			data, err := os.ReadFile(filepath.Join(dir, file.Name))
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data[:min(len(data), 8<<10)], uint8(0))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, ending uint8) {
		facts, err := tags.Read(bytes.NewReader(data), int64(len(data)), names[int(ending)%len(names)])
		if err != nil && !errors.Is(err, media.ErrCorrupt) && !errors.Is(err, tags.ErrNotMedia) {
			t.Errorf("memory gave a disk's error: %v", err)
		}
		if c := facts.Cover; c != nil && (c.Offset < 0 || c.Length <= 0 || c.Offset+c.Length > int64(len(data))) {
			t.Errorf("the cover %+v is outside of %d bytes", c, len(data))
		}
		if facts.Duration < 0 {
			t.Errorf("duration %v", facts.Duration)
		}
	})
}
