//go:build linux

package decode_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/internal/container/fixture"
	"manofwar/internal/media"
	"manofwar/player"
	"manofwar/player/decode"
)

func write(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func contents(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestWhatCannotBePlayedSaysWhy(t *testing.T) {
	whole := contents(t, fixture.File(t, "end.mp4", fixture.Args(fixture.Picture(1, "64x64"), fixture.H264(0))...))
	song := file(t, "cbr.mp3")
	secret := write(t, "secret.txt", []byte("private"))
	noise := make([]byte, 100_000)
	for i, x := 0, uint32(1); i < len(noise); i++ {
		x = x*1664525 + 1013904223
		noise[i] = byte(x >> 24)
	}
	eachDecoder(t, func(t *testing.T, d *decode.Decoder) {
		for _, c := range []struct {
			name string
			from player.Source
			want error
			says string
		}{
			{"gone", player.Source{Path: "/nowhere/film.mkv"}, media.ErrNotFound, "film.mkv"},
			{"a folder", player.Source{Path: t.TempDir()}, media.ErrUnsupported, "folder"},
			{"an image of a disc", player.Source{Path: write(t, "film.iso", noise)}, media.ErrUnsupported, "VIDEO_TS"},
			{"empty", player.Source{Path: write(t, "empty.mp4", nil)}, media.ErrCorrupt, "empty"},
			{"half an MP4", player.Source{Path: write(t, "half.mp4", whole[:len(whole)/2])}, media.ErrCorrupt, "its end is missing"},
			{"noise", player.Source{Path: write(t, "noise.mkv", noise)}, media.ErrCorrupt, "noise.mkv"},
			{"a playlist", player.Source{Path: write(t, "list.mkv", []byte("#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n"+song+"\n#EXT-X-ENDLIST\n"))}, nil, "list.mkv"}, // damaged, or not supported: versions differ
			{"a concatenation", player.Source{Path: write(t, "list.mp3", []byte("ffconcat version 1.0\nfile '"+secret+"'\n"))}, media.ErrUnsupported, "list.mp3"},
			{"a protocol as a name", player.Source{Path: "concat:" + song + "|" + song}, media.ErrNotFound, ""},
			{"https", player.Source{URL: "https://127.0.0.1/a.mp3"}, media.ErrUnsupported, "http://"},
			{"a protocol as an address", player.Source{URL: "file:///etc/passwd"}, media.ErrUnsupported, "http://"},
			{"nobody there", player.Source{URL: "http://127.0.0.1:1/a.mp3"}, nil, "does not answer"},
			{"nothing", player.Source{}, media.ErrInvalid, ""},
			{"subtitles alone", player.Source{Path: write(t, "words.srt", []byte(fixture.Words))}, media.ErrUnsupported, "no picture and no sound"},
		} {
			_, err := d.Probe(t.Context(), c.from)
			if err == nil || (c.want != nil && !errors.Is(err, c.want)) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v; want %v with %q", c.name, err, c.want, c.says)
			}
		}
	})
}

func TestWithoutFFmpeg(t *testing.T) {
	d := &decode.Decoder{FFmpeg: "/nowhere/ffmpeg", FFprobe: "no-such-ffprobe"}
	path := file(t, "cbr.mp3")
	if _, err := d.Probe(t.Context(), player.Source{Path: path}); !errors.Is(err, player.ErrNoDecoder) {
		t.Errorf("Probe: %v", err)
	}
	if _, err := d.Open(t.Context(), request(t, decoders(t)["installed"], path)); !errors.Is(err, player.ErrNoDecoder) {
		t.Errorf("Open: %v", err)
	}
}

func TestPlaysFromAServer(t *testing.T) {
	path := file(t, "h264-aac.mp4")
	served := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/film.mp4":
			http.ServeFile(w, r, path)
		case "/moved.mp4":
			http.Redirect(w, r, "file://"+path, http.StatusFound)
		default:
			http.NotFound(w, r)
		}
	}))
	defer served.Close()
	eachDecoder(t, func(t *testing.T, d *decode.Decoder) {
		r := request(t, d, path)
		r.Source = player.Source{URL: served.URL + "/film.mp4"}
		r.From = 2 * time.Second
		if got := play(open(t, d, r), r); len(got.errs) > 0 || len(got.pictures) != 50 {
			t.Errorf("%d pictures, %v", len(got.pictures), got.errs)
		}
		if _, err := d.Probe(t.Context(), player.Source{URL: served.URL + "/none.mp4"}); !errors.Is(err, media.ErrNotFound) {
			t.Errorf("a file that is not there: %v", err)
		}
		if _, err := d.Probe(t.Context(), player.Source{URL: served.URL + "/moved.mp4"}); err == nil {
			t.Error("a redirection led to a file")
		}
	})
}

// TestTruncated plays what there is of a film that is cut off.
func TestTruncated(t *testing.T) {
	whole := contents(t, file(t, "h264-opus-srt.mkv"))
	eachDecoder(t, func(t *testing.T, d *decode.Decoder) {
		r := request(t, d, write(t, "cut.mkv", whole[:len(whole)*2/3]))
		if got := play(open(t, d, r), r); len(got.errs) > 0 || len(got.pictures) < 40 || len(got.pictures) > 90 {
			t.Errorf("%d pictures, %v", len(got.pictures), got.errs)
		}
	})
}

// children are the processes that this one has started.
func children(t *testing.T) []int {
	t.Helper()
	var all []int
	tasks, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		data, err := os.ReadFile(task)
		if errors.Is(err, os.ErrNotExist) { // the thread has ended
			continue
		} else if err != nil {
			t.Skipf("the kernel does not list children: %v", err)
		}
		for _, f := range strings.Fields(string(data)) {
			pid, err := strconv.Atoi(f)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, pid)
		}
	}
	return all
}

// TestKilledDecoder kills ffmpeg in the middle. Every read says so, and none says that the item is over.
func TestKilledDecoder(t *testing.T) {
	path := fixture.BFrames(t)
	eachDecoder(t, func(t *testing.T, d *decode.Decoder) {
		r := request(t, d, path)
		before := children(t)
		s := open(t, d, r)
		f := frame(r.Format, r.Width, r.Height, 0)
		if _, err := s.Picture(f); err != nil {
			t.Fatal(err)
		}
		for _, pid := range children(t) {
			if !slices.Contains(before, pid) {
				if err := unix.Kill(pid, unix.SIGKILL); err != nil {
					t.Fatal(err)
				}
			}
		}
		var err error
		for err == nil {
			_, err = s.Picture(f)
		}
		_, _, err2 := s.Sound(make([]float32, 1<<20))
		for err2 == nil {
			_, _, err2 = s.Sound(make([]float32, 1<<20))
		}
		for _, err := range []error{err, err2} {
			if !errors.Is(err, player.ErrKilled) || !strings.Contains(err.Error(), filepath.Base(path)) {
				t.Errorf("after a kill: %v", err)
			}
		}
	})
}

// TestCloseEndsReads closes a stream while all three reads wait.
func TestCloseEndsReads(t *testing.T) {
	path := file(t, "h264-opus-srt.mkv")
	eachDecoder(t, func(t *testing.T, d *decode.Decoder) {
		r := request(t, d, path)
		s := open(t, d, r)
		ended := make(chan error)
		go func() { // nobody takes the pictures, so the subtitles do not come to an end
			var err error
			for err == nil {
				_, err = s.Subtitle()
			}
			ended <- err
		}()
		if _, _, err := s.Sound(make([]float32, 2)); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; !errors.Is(err, os.ErrClosed) && !errors.Is(err, io.EOF) {
			t.Errorf("the read ended with %v", err)
		}
		if _, err := s.Picture(frame(r.Format, r.Width, r.Height, 0)); !errors.Is(err, os.ErrClosed) {
			t.Errorf("a read after Close: %v", err)
		}
	})
}

// TestNothingIsLeft opens and closes often, at every point of a stream's life.
func TestNothingIsLeft(t *testing.T) {
	path := file(t, "h264-opus-srt.mkv")
	d := decoders(t)["installed"]
	if image := decoders(t)["image"]; image != nil {
		d = image // which starts sooner
	}
	r := request(t, d, path)
	f := frame(r.Format, r.Width, r.Height, 0)
	count := func() (fds, goroutines int) {
		list, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(list), runtime.NumGoroutine()
	}
	fds, goroutines := 0, 0
	for i := range 200 {
		s, err := d.Open(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		switch i % 4 {
		case 1:
			_, err = s.Picture(f)
		case 2:
			_, _, err = s.Sound(make([]float32, 2))
		case 3:
			p := play(s, r)
			err = errors.Join(p.errs...)
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if i == 3 {
			fds, goroutines = count()
		}
	}
	if f, g := count(); f > fds || g > goroutines {
		t.Errorf("%d descriptors and %d goroutines, %d and %d after the first", f, g, fds, goroutines)
	}
	if left := children(t); len(left) > 0 {
		t.Errorf("processes %v are left", left)
	}
}

// TestEndsWithItsContext cancels instead of closing.
func TestEndsWithItsContext(t *testing.T) {
	d := decoders(t)["installed"]
	r := request(t, d, fixture.BFrames(t))
	ctx, cancel := context.WithCancel(t.Context())
	s, err := d.Open(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	cancel()
	f := frame(r.Format, r.Width, r.Height, 0)
	for err == nil {
		_, err = s.Picture(f)
	}
	if errors.Is(err, io.EOF) {
		t.Errorf("the reads ended with %v", err)
	}
}
