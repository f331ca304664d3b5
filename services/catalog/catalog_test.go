package catalog_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"manofwar/internal/media"
	"manofwar/internal/service"
	"manofwar/services/catalog"
	"manofwar/services/catalog/api"
	"manofwar/services/catalog/mediatest"
)

// host runs one catalog, as a supervisor would.
type host struct {
	*api.Client
	stop func() // ends it and waits
}

// start runs a catalog whose index is in state until the test ends or stop is called.
func start(t testing.TB, state string, o catalog.Options) *host {
	t.Helper()
	run, err := os.MkdirTemp("", "catalog") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	ready, ended := make(chan struct{}), make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	env := service.Env{
		Name: api.Name, StateDir: state, RunDir: run, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Ready: func() { close(ready) }, Healthy: func(error) {},
	}
	go func() { ended <- catalog.New(o).Run(ctx, env) }()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatalf("ended at once: %v", err)
	case <-time.After(10 * time.Second):
		t.Fatal("not ready")
	}
	stopped := false
	h := &host{Client: api.NewClient(run)}
	h.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		os.RemoveAll(run)
	}
	t.Cleanup(h.stop)
	return h
}

// until asks for the status until it is as wanted.
func (h *host) until(t testing.TB, what string, ok func(api.Status) bool) api.Status {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		st, err := h.Status(t.Context())
		if err == nil && ok(st) {
			return st
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s: not within 30 s; status %+v, %v", what, st, err)
		}
	}
}

func scanned(st api.Status) bool { return !st.Scan.Running && !st.Scan.Finished.IsZero() }

// write puts a file into a library.
func write(t testing.TB, dir, name string, data []byte) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// library makes a folder of n songs, ten on each album.
func library(t testing.TB, n int) string {
	t.Helper()
	dir := t.TempDir()
	addSongs(t, dir, n)
	return dir
}

func addSongs(t testing.TB, dir string, n int) {
	t.Helper()
	for i := range n {
		artist, album := fmt.Sprintf("Artist %d", i/100), fmt.Sprintf("Album %d", i/10)
		song := mediatest.Song(fmt.Sprintf("Söng %d", i), artist, album, strconv.Itoa(i%10+1))
		write(t, dir, fmt.Sprintf("%s/%s/%02d.mp3", artist, album, i%10+1), song)
	}
}

// paths returns the paths of all items, with the ID of each.
func (h *host) paths(t *testing.T) map[string]media.ID {
	t.Helper()
	all := map[string]media.ID{}
	for {
		p, err := h.Items(t.Context(), api.Query{Offset: len(all), Limit: api.MaxLimit})
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range p.Items {
			all[it.Path] = it.ID
		}
		if len(p.Items) == 0 || len(all) >= p.Total {
			return all
		}
	}
}

// rescan has all libraries scanned and waits for the outcome to be listed.
func (h *host) rescan(t testing.TB) api.Status {
	t.Helper()
	before, err := h.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	return h.until(t, "another scan", func(st api.Status) bool { return scanned(st) && st.Scan.Finished.After(before.Scan.Finished) })
}

func TestScanFindsAndAnswers(t *testing.T) {
	dir := mediatest.Dir(t)
	h := start(t, t.TempDir(), catalog.Options{Dirs: []string{dir}})
	st := h.until(t, "scan", scanned)
	films := 0
	for _, f := range mediatest.Files {
		if strings.HasPrefix(f.Args, "-map 1:v") {
			films++
		}
	}
	if st.Films != films || st.Music != len(mediatest.Files)-films || st.Problems != 0 || len(st.Roots) != 1 || st.Roots[0].Items != len(mediatest.Files) {
		t.Errorf("status %+v, want %d films of %d files", st, films, len(mediatest.Files))
	}
	page, err := h.Items(t.Context(), api.Query{Text: "nandu BJORK ca alb", Kind: media.Music, Limit: 3})
	if err != nil || len(page.Items) != 3 || page.Total <= 3 {
		t.Fatalf("search: %+v, %v", page, err)
	}
	it := page.Items[0]
	f, err := h.File(t.Context(), it.ID)
	if err != nil || f.Path != filepath.Join(dir, it.Path) || f.Item.Path != it.Path {
		t.Errorf("file: %+v, %v", f, err)
	}
	albums, err := h.Albums(t.Context(), api.Query{Text: "alb"})
	if err != nil || albums.Total == 0 || albums.Albums[0].Title != mediatest.Album || albums.Albums[0].CoverOf == "" {
		t.Fatalf("albums: %+v, %v", albums, err)
	}
	album, err := h.Album(t.Context(), albums.Albums[0].ID)
	if err != nil || len(album.Items) != album.Tracks || album.Items[0].AlbumID != album.ID {
		t.Errorf("album: %+v, %v", album, err)
	}
	if p, err := h.Items(t.Context(), api.Query{Album: album.ID}); err != nil || p.Total != album.Tracks {
		t.Errorf("items of the album: %+v, %v", p, err)
	}
	if p, err := h.Items(t.Context(), api.Query{Text: "no such thing"}); err != nil || p.Total != 0 || p.Items == nil {
		t.Errorf("nothing: %+v, %v", p, err)
	}
}

func TestPagesAreInOrder(t *testing.T) {
	h := start(t, t.TempDir(), catalog.Options{Dirs: []string{library(t, 250)}})
	h.until(t, "scan", scanned)
	var got []string
	for {
		p, err := h.Items(t.Context(), api.Query{Offset: len(got), Limit: 7})
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Items) == 0 {
			break
		}
		for _, it := range p.Items {
			got = append(got, it.Title)
		}
	}
	for i, title := range got {
		if want := fmt.Sprintf("Söng %d", i); title != want {
			t.Fatalf("place %d: %s, want %s", i, title, want)
		}
	}
	if len(got) != 250 {
		t.Errorf("%d items, want 250", len(got))
	}
}

// TestIDsAndLookup reads the library as a queue does: what there is in order, and later some of it.
func TestIDsAndLookup(t *testing.T) {
	h := start(t, t.TempDir(), catalog.Options{Dirs: []string{library(t, 700)}})
	h.until(t, "scan", scanned)
	ids, err := h.IDs(t.Context(), api.Query{Kind: media.Music})
	if err != nil || len(ids) != 700 {
		t.Fatalf("%d IDs, %v", len(ids), err)
	}
	if none, err := h.IDs(t.Context(), api.Query{Kind: media.Film}); err != nil || len(none) != 0 {
		t.Errorf("films: %v, %v", none, err)
	}
	items, err := h.Lookup(t.Context(), []media.ID{ids[600], "nonesuch", ids[3]})
	if err != nil || len(items) != 2 || items[0].Title != "Söng 600" || items[1].Title != "Söng 3" {
		t.Errorf("looked up %+v, %v", items, err)
	}
	if _, err := h.Lookup(t.Context(), ids[:api.MaxLimit+1]); !errors.Is(err, media.ErrInvalid) {
		t.Errorf("too many: %v; want invalid", err)
	}
}

// TestRescan adds, changes, removes and renames files.
func TestRescan(t *testing.T) {
	dir, state := library(t, 30), t.TempDir()
	h := start(t, state, catalog.Options{Dirs: []string{dir}})
	h.until(t, "scan", scanned)
	before := h.paths(t)

	if err := os.Remove(filepath.Join(dir, "Artist 0/Album 0/01.mp3")); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "Artist 0/Album 1")); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "Artist 0/Album 0/02.mp3", mediatest.Song("Changed", "A", "B", "1"))
	write(t, dir, "new.mp3", mediatest.Song("New", "A", "B", "1"))
	write(t, dir, "Artist 0/Album 2/Folder.JPG", []byte("a picture"))
	st := h.rescan(t)
	if st.Music != 20 {
		t.Errorf("%d items, want 20", st.Music)
	}
	after := h.paths(t)
	if after["Artist 0/Album 0/02.mp3"] != before["Artist 0/Album 0/02.mp3"] || after["new.mp3"] == "" {
		t.Errorf("IDs %v", after)
	}
	if it, err := h.Item(t.Context(), after["Artist 0/Album 0/02.mp3"]); err != nil || it.Title != "Changed" {
		t.Errorf("the changed file is %+v, %v", it, err)
	}
	want := media.Range{Path: "Artist 0/Album 2/Folder.JPG", Length: 9, Type: "image/jpeg"}
	if it, err := h.Item(t.Context(), after["Artist 0/Album 2/05.mp3"]); err != nil || it.Cover == nil || *it.Cover != want {
		t.Errorf("the cover beside it is %+v, %v", it.Cover, err)
	}
	h.stop()

	h = start(t, state, catalog.Options{Dirs: []string{dir}})
	if got := h.paths(t); !maps.Equal(got, after) {
		t.Errorf("after a restart %d items, want %d", len(got), len(after))
	}
}

func TestBadParameters(t *testing.T) {
	h := start(t, t.TempDir(), catalog.Options{})
	for _, q := range []api.Query{{Kind: "book"}, {Offset: -1}, {Offset: api.MaxOffset + 1}, {Limit: api.MaxLimit + 1}, {Limit: -3}, {Text: strings.Repeat("x", api.MaxText+1)}} {
		if _, err := h.Items(t.Context(), q); !errors.Is(err, media.ErrInvalid) {
			t.Errorf("%+v: got %v, want invalid", q, err)
		}
	}
}

// TestEventsTellOfScans listens as the portal does, while songs are added and scanned until it has heard of one.
func TestEventsTellOfScans(t *testing.T) {
	dir := t.TempDir()
	h := start(t, t.TempDir(), catalog.Options{Dirs: []string{dir}})
	h.until(t, "scan", scanned)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		heard := map[string]bool{}
		for ev, err := range h.Events(ctx) {
			if heard[ev.Kind] = true; err != nil || heard["status"] && heard["changed"] {
				return
			}
		}
	}()
	for i := 0; ; i++ { // the first may come before the listener is there
		write(t, dir, fmt.Sprintf("%d.mp3", i), mediatest.Song("T", "A", "B", "1"))
		h.rescan(t)
		select {
		case <-done:
			if ctx.Err() != nil {
				t.Error("not told within 30 s")
			}
			return
		default:
		}
	}
}

func TestUnknownItemIsNotFound(t *testing.T) {
	h := start(t, t.TempDir(), catalog.Options{Dirs: []string{t.TempDir()}})
	h.until(t, "scan", scanned)
	for name, call := range map[string]func() error{
		"item":  func() error { _, err := h.Item(t.Context(), "nonsense"); return err },
		"file":  func() error { _, err := h.File(t.Context(), "aaaaaaaaaaaaa"); return err },
		"album": func() error { _, err := h.Album(t.Context(), "aaaaaaaaaaaaa"); return err },
	} {
		if err := call(); !errors.Is(err, media.ErrNotFound) {
			t.Errorf("%s: got %v, want not found", name, err)
		}
	}
}

// BenchmarkScan scans 2,000 songs that are new, and then again when nothing has changed.
func BenchmarkScan(b *testing.B) {
	const songs = 2000
	dir := library(b, songs)
	b.Run("full", func(b *testing.B) {
		for b.Loop() {
			h := start(b, b.TempDir(), catalog.Options{Dirs: []string{dir}})
			h.until(b, "scan", scanned)
			b.StopTimer()
			h.stop()
			b.StartTimer()
		}
		b.ReportMetric(float64(songs)*float64(b.N)/b.Elapsed().Seconds(), "files/s")
	})
	b.Run("unchanged", func(b *testing.B) {
		h := start(b, b.TempDir(), catalog.Options{Dirs: []string{dir}})
		h.until(b, "scan", scanned)
		for b.Loop() {
			h.rescan(b)
		}
		b.ReportMetric(float64(songs)*float64(b.N)/b.Elapsed().Seconds(), "files/s")
	})
}
