package catalog_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"manofwar/internal/media"
	"manofwar/services/catalog"
	"manofwar/services/catalog/api"
	"manofwar/services/catalog/mediatest"
)

// TestOddFolders is what people's disks look like.
func TestOddFolders(t *testing.T) {
	dir := t.TempDir()
	song := mediatest.Song("T", "A", "B", "1")
	for _, name := range []string{
		"plain.mp3", ".hidden.mp3", "._plain.mp3", ".Trash/gone.mp3", "$RECYCLE.BIN/gone.mp3", "quiet/.nomedia", "quiet/ringtone.mp3", "quiet/below/too.mp3",
		"deep/a/b/c/d.MP3", "text.txt", "spaces  and #?%&+.mp3", "new\nline.mp3", "日本語/曲.mp3", "bad\xff name.mp3", "bad\xfefolder/song.mp3",
	} {
		write(t, dir, name, song)
	}
	write(t, dir, "program.ts", []byte("export const x: number = 1;\n"))
	write(t, dir, "empty.mp3", nil)
	write(t, dir, "noise.flac", []byte("this is not a flac file, whatever its name says"))
	elsewhere := t.TempDir()
	write(t, elsewhere, "linked.mp3", song)
	for link, target := range map[string]string{
		"loop": ".", "deep/a/up": "../..", "nowhere.mp3": "missing", "elsewhere": elsewhere, "link.mp3": "plain.mp3",
	} {
		if err := os.Symlink(target, filepath.Join(dir, filepath.FromSlash(link))); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "folder.mp3"), 0o755); err != nil {
		t.Fatal(err)
	}
	h := start(t, t.TempDir(), catalog.Options{Dirs: []string{dir}})
	st := h.until(t, "scan", scanned)
	got := h.paths(t)
	want := []string{
		"plain.mp3", "deep/a/b/c/d.MP3", "spaces  and #?%&+.mp3", "new\nline.mp3", "日本語/曲.mp3", "bad\uFFFD name.mp3", "bad\uFFFDfolder/song.mp3",
		"empty.mp3", "noise.flac", "elsewhere/linked.mp3", "link.mp3",
	}
	if names := slices.Sorted(maps.Keys(got)); !slices.Equal(names, slices.Sorted(slices.Values(want))) {
		t.Errorf("listed %q", names)
	}
	if st.Problems != 4 {
		t.Errorf("%d problems, want 4", st.Problems)
	}
	for name, problem := range map[string]string{
		"empty.mp3": "empty", "noise.flac": "FLAC", "bad\uFFFD name.mp3": "UTF-8", "bad\uFFFDfolder/song.mp3": "UTF-8", "plain.mp3": "",
	} {
		it, err := h.Item(t.Context(), got[name])
		if err != nil || !strings.Contains(it.Problem, problem) || (problem == "") != (it.Problem == "") {
			t.Errorf("%s: problem %q, %v; want %q", name, it.Problem, err, problem)
		}
	}
	if _, err := h.File(t.Context(), got["bad\uFFFD name.mp3"]); !errors.Is(err, media.ErrUnsupported) {
		t.Errorf("a file that cannot be named in JSON: %v", err)
	}
	if f, err := h.File(t.Context(), got["new\nline.mp3"]); err != nil {
		t.Errorf("a new line in a name: %+v, %v", f, err)
	}
}

// TestPicturesBeside finds covers in files of their own.
func TestPicturesBeside(t *testing.T) {
	dir := t.TempDir()
	song := mediatest.Song("T", "A", "B", "1")
	for name, data := range map[string][]byte{
		"album/1.mp3": song, "album/2.mp3": song, "album/Folder.jpg": []byte("f"), "album/COVER.PNG": []byte("cc"), "album/2.webp": []byte("own"), "album/back.jpg": []byte("b"),
		"one/film.mkv": []byte("film"), "one/poster.jpg": []byte("p"), "one/empty.jpg": nil,
		"many/a.avi": []byte("a"), "many/b.avi": []byte("b"), "many/folder.jpg": []byte("f"), "many/b-poster.jpeg": []byte("bp"),
	} {
		write(t, dir, name, data)
	}
	h := start(t, t.TempDir(), catalog.Options{Dirs: []string{dir}})
	h.until(t, "scan", scanned)
	ids := h.paths(t)
	for path, want := range map[string]*media.Range{
		"album/1.mp3":  {Path: "album/COVER.PNG", Length: 2, Type: "image/png"},
		"album/2.mp3":  {Path: "album/2.webp", Length: 3, Type: "image/webp"},
		"one/film.mkv": {Path: "one/poster.jpg", Length: 1, Type: "image/jpeg"},
		"many/a.avi":   nil,
		"many/b.avi":   {Path: "many/b-poster.jpeg", Length: 2, Type: "image/jpeg"},
	} {
		it, err := h.Item(t.Context(), ids[path])
		if err != nil || (it.Cover == nil) != (want == nil) || want != nil && *it.Cover != *want {
			t.Errorf("%s: %+v, %v; want %+v", path, it.Cover, err, want)
		}
	}
}

// TestEmptyFolderIsAway has a disk unmounted from a library that is a folder: what is left is an empty folder.
func TestEmptyFolderIsAway(t *testing.T) {
	dir := library(t, 20)
	h := start(t, t.TempDir(), catalog.Options{Dirs: []string{dir}})
	h.until(t, "scan", scanned)
	before := h.paths(t)
	aside := t.TempDir() + "/aside"
	if err := os.Rename(dir, aside); err != nil {
		t.Fatal(err)
	}
	for _, gone := range []func() error{func() error { return nil }, func() error { return os.Mkdir(dir, 0o755) }} {
		if err := gone(); err != nil {
			t.Fatal(err)
		}
		if err := h.Scan(t.Context()); err != nil {
			t.Fatal(err)
		}
		st := h.until(t, "away", func(st api.Status) bool { return st.Roots[0].Away && !st.Scan.Running })
		if st.Roots[0].Items != 20 || st.Roots[0].Error == "" {
			t.Errorf("root %+v", st.Roots[0])
		}
		_, err := h.File(t.Context(), before["Artist 0/Album 0/01.mp3"])
		if !errors.Is(err, media.ErrAway) {
			t.Errorf("its file: %v, want away", err)
		}
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(aside, dir); err != nil {
		t.Fatal(err)
	}
	if st := h.rescan(t); st.Roots[0].Away || st.Roots[0].Error != "" || !maps.Equal(before, h.paths(t)) {
		t.Errorf("back: %+v", st.Roots[0])
	}
}

// TestFolderGoesAndComesBack checks that nobody has to ask: neither for a folder that plays no more, nor for its return.
func TestFolderGoesAndComesBack(t *testing.T) {
	dir := library(t, 10)
	aside := t.TempDir() + "/aside"
	for name, o := range map[string]catalog.Options{
		"somebody plays": {Look: time.Hour}, "nobody does": {Look: 20 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			o.Dirs = []string{dir}
			h := start(t, t.TempDir(), o)
			h.until(t, "scan", func(st api.Status) bool { return scanned(st) && st.Music == 10 })
			song := h.paths(t)["Artist 0/Album 0/01.mp3"]
			if err := os.Rename(dir, aside); err != nil {
				t.Fatal(err)
			}
			if _, err := h.File(t.Context(), song); err == nil {
				t.Error("a file that is not there was given")
			}
			h.until(t, "away", func(st api.Status) bool { return st.Roots[0].Away })
			if err := os.Rename(aside, dir); err != nil {
				t.Fatal(err)
			}
			if o.Look == time.Hour {
				return
			}
			st := h.until(t, "back", func(st api.Status) bool { return !st.Roots[0].Away && !st.Scan.Running })
			if _, err := h.File(t.Context(), song); err != nil || st.Roots[0].Error != "" || st.Roots[0].Items != 10 {
				t.Errorf("back: %v, %+v", err, st.Roots[0])
			}
		})
	}
}

// TestLinksShowMediaOnly checks that whoever can put a link into a library cannot have any file of the computer shown.
func TestLinksShowMediaOnly(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	write(t, elsewhere, "song.mp3", mediatest.Song("T", "A", "B", "1"))
	write(t, elsewhere, "secret", mediatest.Song("T", "A", "B", "1"))
	link := func(target, name string) {
		t.Helper()
		_ = os.Remove(filepath.Join(dir, name))
		if err := os.Symlink(filepath.Join(elsewhere, target), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	link("song.mp3", "song.mp3")
	link("secret", "secret.mp3")
	link("secret", "song.jpg")
	h := start(t, t.TempDir(), catalog.Options{Dirs: []string{dir}})
	h.until(t, "scan", scanned)
	found := h.paths(t)
	if it, err := h.Item(t.Context(), found["song.mp3"]); len(found) != 1 || err != nil || it.Cover != nil {
		t.Errorf("found %v; %+v, %v", found, it, err)
	}
	if f, err := h.File(t.Context(), found["song.mp3"]); err != nil {
		t.Errorf("a link to a song: %+v, %v", f, err)
	}
	link("secret", "song.mp3")
	if f, err := h.File(t.Context(), found["song.mp3"]); !errors.Is(err, media.ErrNotFound) {
		t.Errorf("a link that was turned elsewhere after the scan: %+v, %v", f, err)
	}
}
