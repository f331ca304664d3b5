package stream

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Eyevinn/hls-m3u8/m3u8"

	"manofwar/internal/container/fixture"
	"manofwar/internal/media"
	catalog "manofwar/services/catalog/api"
)

func copyOf(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return write(t, filepath.Join(t.TempDir(), "film"+filepath.Ext(path)), data)
}

func write(t *testing.T, path string, data []byte) string {
	t.Helper()
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWhatCannotPlaySaysWhy(t *testing.T) {
	sound := fixture.Sound(2)
	picture := fixture.Picture(2, "128x72")
	whole, err := os.ReadFile(fixture.BFrames(t))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, c := range []struct {
		name string
		path string
		want error
		says string
	}{
		{"DivX", fixture.File(t, "divx.mkv", fixture.Args(picture, sound, []string{"-c:v", "mpeg4", "-c:a", "aac"})...), media.ErrUnsupported, "the film's picture is MPEG-4 Part 2"},
		{"AVI", fixture.File(t, "xvid.avi", fixture.Args(picture, []string{"-c:v", "mpeg4"})...), media.ErrUnsupported, "a file of type AVI"},
		{"half", write(t, filepath.Join(dir, "half.mp4"), whole[:1000]), media.ErrCorrupt, "cut off"},
		{"empty", write(t, filepath.Join(dir, "empty.mp4"), nil), media.ErrCorrupt, "not complete"},
		{"gone", filepath.Join(dir, "gone.mp4"), media.ErrNotFound, "gone.mp4"},
		{"a folder", dir, media.ErrNotFound, "not a file"},
	} {
		_, err := serve(t, c.path).plan("hls/index.m3u8")
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v; want %v with %q", c.name, err, c.want, c.says)
		}
	}
}

func TestUnknownNamesAreNotFound(t *testing.T) {
	s := serve(t, fixture.BFrames(t))
	for _, name := range []string{"main-6.m4s", "main-05.m4s", "main--1.m4s", "main-99999999999999999999.m4s", "main.mkv", "audio1.m3u8", "main-1.mp4", "main-x.m4s"} {
		if _, err := s.plan("hls/" + name); !errors.Is(err, media.ErrNotFound) {
			t.Errorf("%s: %v; want ErrNotFound", name, err)
		}
	}
}

func TestChangedFileIsReadAnew(t *testing.T) {
	path := copyOf(t, fixture.BFrames(t))
	s := serve(t, path)
	before, err := s.plan("hls/index.m3u8")
	if err != nil {
		t.Fatal(err)
	}
	stale := parse(t, string(s.body(t, "hls/main.m3u8"))).segments[0]
	data, err := os.ReadFile(fixture.Remux(t, "cues.mkv", fixture.BFrames(t)))
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, data)
	after, err := s.plan("hls/index.m3u8")
	if err != nil || before.ETag == after.ETag {
		t.Errorf("after the change: ETag %s, was %s; %v", after.ETag, before.ETag, err)
	}
	if _, err := s.plan("hls/" + stale); !errors.Is(err, media.ErrNotFound) {
		t.Errorf("a segment of the old file: %v; want ErrNotFound", err)
	}
}

// TestSegmentsLieInPlace checks that next to nothing of a segment is made or wasted.
func TestSegmentsLieInPlace(t *testing.T) {
	for _, f := range films {
		s := serve(t, f.make(t))
		list := parse(t, string(s.body(t, "hls/main.m3u8")))
		info, err := os.Stat(f.make(t))
		if err != nil {
			t.Fatal(err)
		}
		var size, parts int64
		for _, name := range list.segments {
			p, err := s.plan("hls/" + name)
			if err != nil {
				t.Fatal(err)
			}
			for _, part := range p.Parts[1:] {
				size += part.Length
			}
			parts += int64(len(p.Parts) - 1)
		}
		if len(f.renditions) == 1 && len(f.renditions["main"]) == 2 {
			if mean := float64(parts) / float64(len(list.segments)); mean > 4 {
				t.Errorf("%s: %.1f ranges a segment", f.name, mean)
			}
			if size > info.Size()*9/8 {
				t.Errorf("%s: %d bytes are sent of a file of %d", f.name, size, info.Size())
			}
		}
	}
}

// TestPlaylistsAreWellFormed reads the playlists with a parser that nobody here wrote.
func TestPlaylistsAreWellFormed(t *testing.T) {
	for _, f := range films {
		s := serve(t, f.make(t))
		p, kind, err := m3u8.DecodeFrom(bytes.NewReader(s.body(t, "hls/index.m3u8")), true)
		if err != nil || kind != m3u8.MASTER {
			t.Fatalf("%s: %v", f.name, err)
		}
		for _, v := range p.(*m3u8.MasterPlaylist).Variants {
			if v.Bandwidth == 0 || v.Codecs == "" {
				t.Errorf("%s: variant %+v", f.name, v)
			}
			names := []string{v.URI}
			for _, a := range v.Alternatives {
				names = append(names, a.URI)
			}
			for _, name := range names {
				checkMedia(t, f.name, s.body(t, "hls/"+name))
			}
		}
	}
}

func checkMedia(t *testing.T, name string, text []byte) {
	t.Helper()
	p, kind, err := m3u8.DecodeFrom(bytes.NewReader(text), true)
	if err != nil || kind != m3u8.MEDIA {
		t.Fatalf("%s: %v", name, err)
	}
	list := p.(*m3u8.MediaPlaylist)
	if !list.Closed || list.MediaType != m3u8.VOD || list.Map == nil {
		t.Errorf("%s: %+v", name, list)
	}
	for _, segment := range list.GetAllSegments() {
		if segment.Duration <= 0 || segment.Duration > float64(list.TargetDuration)+0.5 {
			t.Errorf("%s: %s is %v s long; the target is %v", name, segment.URI, segment.Duration, list.TargetDuration)
		}
	}
}

func TestIndexStaysWithinItsBound(t *testing.T) {
	library := shelf{}
	for _, f := range films {
		library[media.ID(strings.ReplaceAll(f.name, " ", "-"))] = item(t, f.make(t))
	}
	s := New(Options{Library: library, IndexBytes: 40 << 10})
	h := s.routes()
	var wg sync.WaitGroup
	for range 4 {
		for id := range library {
			wg.Go(func() {
				for _, name := range []string{"index.m3u8", "main.m3u8", "main.mp4", "main-0.m4s", "main-1.m4s"} {
					if _, err := (server{s, h}).planOf(string(id), "hls/"+name); err != nil {
						t.Errorf("%s of %s: %v", name, id, err)
					}
				}
			})
		}
	}
	wg.Wait()
	if s.index.used > 60<<10 || len(s.index.films) != s.index.order.Len() {
		t.Errorf("%d bytes for %d films", s.index.used, len(s.index.films))
	}
}

func TestFilesAreServedAsTheyAre(t *testing.T) {
	s := serve(t, fixture.BFrames(t))
	p, err := s.plan("file")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(fixture.BFrames(t))
	if err != nil {
		t.Fatal(err)
	}
	got, err := assemble(p)
	if err != nil || !bytes.Equal(got, want) || !strings.HasPrefix(p.Type, `video/mp4; codecs="avc1.`) || p.ETag == "" {
		t.Errorf("%+v, %v", p, err)
	}
	for name, want := range map[string]string{"a.FLAC": "audio/flac", "b.opus": "audio/ogg", "c.xyz": "application/octet-stream", "d": "application/octet-stream"} {
		if got := fileType(name); got != want {
			t.Errorf("%s is %s; want %s", name, got, want)
		}
	}
}

// photo is a picture whose left half is red.
func photo(w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.RGBA{B: 255, A: 255}
			if x < w/2 {
				c = color.RGBA{R: 255, A: 255}
			}
			m.Set(x, y, c)
		}
	}
	return m
}

func encoded(t *testing.T, m image.Image, asPNG bool) []byte {
	t.Helper()
	var b bytes.Buffer
	var err error
	if asPNG {
		err = png.Encode(&b, m)
	} else {
		err = jpeg.Encode(&b, m, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestCovers(t *testing.T) {
	path := copyOf(t, fixture.BFrames(t))
	s := serve(t, path)
	if _, err := s.plan("cover"); !errors.Is(err, media.ErrNotFound) {
		t.Errorf("without a picture: %v; want ErrNotFound", err)
	}
	original := encoded(t, photo(400, 200), true)
	beside := filepath.Join(filepath.Dir(path), "Cover.PNG")
	write(t, beside, original)
	p, err := s.plan("cover")
	if err != nil || p.Type != "image/png" || p.Parts[0].Path != beside {
		t.Fatalf("%+v, %v", p, err)
	}
	for range 2 { // the second comes from the cache
		small, kind, err := image.Decode(bytes.NewReader(s.body(t, "cover?size=100")))
		if err != nil || kind != "jpeg" || small.Bounds() != image.Rect(0, 0, 100, 50) {
			t.Fatalf("%s %v, %v; want a JPEG of 100 by 50", kind, small.Bounds(), err)
		}
		if r, _, b, _ := small.At(10, 25).RGBA(); r < 0xE000 || b > 0x2000 {
			t.Errorf("the left is %x %x; want red", r, b)
		}
	}
	if got := s.body(t, "cover?size=800"); !bytes.Equal(got, original) {
		t.Error("a picture that is small enough is changed")
	}
	for _, bad := range []string{"0", "-1", "x", "99999"} {
		if _, err := s.plan("cover?size=" + bad); !errors.Is(err, media.ErrInvalid) {
			t.Errorf("size=%s: %v; want ErrInvalid", bad, err)
		}
	}
	write(t, beside, append(original[:200:200], make([]byte, 500)...))
	if _, err := s.plan("cover?size=100"); !errors.Is(err, media.ErrCorrupt) {
		t.Errorf("a damaged picture: %v; want ErrCorrupt", err)
	}
}

func TestEmbeddedCoverWins(t *testing.T) {
	path := copyOf(t, fixture.BFrames(t))
	write(t, filepath.Join(filepath.Dir(path), "cover.jpg"), encoded(t, photo(40, 40), false))
	f := item(t, path)
	f.Item.Cover = &media.Range{Offset: 100, Length: 50, Type: "image/jpeg"}
	s := server{New(Options{Library: shelf{"film": f}}), nil}
	s.h = s.routes()
	if p, err := s.plan("cover"); err != nil || p.Parts[0].Path != path || p.Parts[0].Offset != 100 || p.Parts[0].Length != 50 {
		t.Errorf("%+v, %v", p, err)
	}
	f.Item.Cover.Length = 1 << 40 // of a file that was cut since it was scanned
	if p, err := s.plan("cover"); err != nil || p.Parts[0].Path == path {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestThumbnailsAreEvicted(t *testing.T) {
	c := newCovers(t.TempDir())
	for i, name := range []string{"old", "new"} {
		path := write(t, filepath.Join(c.dir, name), nil)
		if err := os.Truncate(path, maxThumbnails*2/3); err != nil {
			t.Fatal(err)
		}
		at := time.Unix(int64(i)*1000, 0)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	c.account(0)
	if _, err := os.Stat(filepath.Join(c.dir, "new")); err != nil || c.size != maxThumbnails*2/3 {
		t.Errorf("%d bytes are left, %v; want the newer file", c.size, err)
	}
}

func TestStatusNamesTheEngine(t *testing.T) {
	fixture.Program(t, "ffmpeg")
	if v := newEngine("ffmpeg").version(t.Context()); v == "" {
		t.Error("no version of ffmpeg")
	}
	if v := newEngine("/nonexistent").version(t.Context()); v != "" {
		t.Errorf("version %q of nothing", v)
	}
}

var _ library = (*catalog.Client)(nil)
