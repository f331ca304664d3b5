package index_test

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"manofwar/internal/media"
	"manofwar/services/catalog/index"
)

func open(_ testing.TB, dir string) *index.Index {
	return index.Open(dir, slog.New(slog.DiscardHandler))
}

func closeIndex(t testing.TB, x *index.Index) {
	t.Helper()
	if x.Close(); x.Trouble() != "" {
		t.Fatal(x.Trouble())
	}
}

var root = media.Root{ID: index.MakeID("folder", "/music"), Name: "music", Path: "/music"}

// song makes an item with all its fields set.
func song(n int) media.Item {
	return media.Item{
		Kind: media.Music, Root: root.ID, Path: fmt.Sprintf("Artist %d/Album %d/%02d Söng.flac", n/40, n/10, n%10+1),
		Size: int64(1000 + n), Modified: time.Unix(1700000000, int64(n)).UTC(), Added: time.Unix(1800000000, 0).UTC(),
		Container: "flac", Duration: media.Duration(time.Duration(n) * time.Second),
		Streams: []media.Stream{{Kind: media.Audio, Codec: "flac", Default: true, SampleRate: 44100, Channels: 2, Bitrate: 900000}},
		Tags: media.Tags{
			Title: fmt.Sprintf("Söng %d", n), Artists: []string{fmt.Sprintf("Artist %d", n/40), "Guest"}, Album: fmt.Sprintf("Album %d", n/10),
			AlbumArtists: []string{fmt.Sprintf("Artist %d", n/40)}, Track: n%10 + 1, Disc: 1, Year: 1970 + n%50, Genres: []string{"Rock"},
		},
		Cover: &media.Range{Offset: 500, Length: 3000, Type: "image/jpeg"},
	}
}

func fill(x *index.Index, n int) {
	x.SetRoot(root)
	for i := range n {
		x.Put(song(i), 1)
	}
}

func all(t testing.TB, x *index.Index) []media.Item {
	t.Helper()
	_, items := x.Refresh().Items(index.Query{Limit: 1 << 20})
	return items
}

func TestReopenKeepsEverything(t *testing.T) {
	dir := t.TempDir()
	x := open(t, dir)
	fill(x, 100)
	gone := song(1000)
	x.Put(gone, 0)
	film := media.Item{
		Kind: media.Film, Root: root.ID, Path: "film.mkv", Modified: time.Unix(5, 0).UTC(), Added: time.Unix(6, 0).UTC(), Container: "matroska",
		Streams: []media.Stream{
			{Kind: media.Video, Codec: "h264", RFC6381: "avc1.640028", Width: 1920, Height: 1080, FrameRate: 23.976, Default: true},
			{Kind: media.Subtitle, Codec: "subrip", Language: "de", Title: "Forced"},
		},
		Cover: &media.Range{Path: "poster.jpg", Length: 5, Type: "image/jpeg"}, Problem: "it has one",
	}
	x.Put(film, 1)
	if n := x.Sweep(root.ID, 1, func(string) bool { return false }); n != 1 {
		t.Errorf("%d items swept, want 1", n)
	}
	before := all(t, x)
	closeIndex(t, x)

	x = open(t, dir)
	defer closeIndex(t, x)
	if r, ok := x.Root(root.ID); !ok || r.Items != 101 || !r.Away {
		t.Fatalf("root %+v, %v: want 101 items, away until it is found", r, ok)
	}
	x.SetRoot(root)
	after := all(t, x)
	if !reflect.DeepEqual(before, after) {
		t.Errorf("got back %d items, want the %d put in:\n%+v\n%+v", len(after), len(before), after[:1], before[:1])
	}
	want := song(7)
	got, err := x.Item(index.MakeID(string(root.ID), want.Path))
	want.ID, want.AlbumID = got.ID, got.AlbumID
	if err != nil || got.AlbumID == "" || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
}

// TestStartWritesNothing spares the memory card: a start that finds everything as it was leaves the file alone.
func TestStartWritesNothing(t *testing.T) {
	dir := t.TempDir()
	x := open(t, dir)
	fill(x, 10)
	closeIndex(t, x)
	x = open(t, dir)
	x.SetRoot(root)
	fill(x, 10)
	if x.Pending() {
		t.Error("something is to be written")
	}
	x.UpdateRoot(root.ID, func(r *media.Root) { r.Away = true })
	x.UpdateRoot("unknown", func(r *media.Root) { r.Away = true })
	if r, _ := x.Root(root.ID); x.Pending() || !r.Away || r.Items != 10 {
		t.Errorf("root %+v", r)
	}
	x.UpdateRoot(root.ID, func(r *media.Root) { r.Name = "Another" })
	if !x.Pending() {
		t.Error("a new name is not to be written")
	}
	closeIndex(t, x)
	x = open(t, dir)
	defer closeIndex(t, x)
	if r, _ := x.Root(root.ID); r.Name != "Another" {
		t.Errorf("root %+v", r)
	}
}

func TestSeen(t *testing.T) {
	x := open(t, t.TempDir())
	defer closeIndex(t, x)
	x.SetRoot(root)
	it := song(1)
	it.Cover = &media.Range{Path: "cover.jpg", Length: 9, Type: "image/jpeg"}
	id := x.Put(it, 1)
	broken := song(2)
	broken.Problem = "it is damaged"
	x.Put(broken, 1)
	stamp := index.Stamp{Size: it.Size, Modified: it.Modified, Cover: it.Cover}
	with := func(change func(*index.Stamp)) index.Stamp {
		s := stamp
		change(&s)
		return s
	}
	for name, c := range map[string]struct {
		path  string
		stamp index.Stamp
		want  bool
	}{
		"the same":         {it.Path, stamp, true},
		"another size":     {it.Path, with(func(s *index.Stamp) { s.Size++ }), false},
		"another time":     {it.Path, with(func(s *index.Stamp) { s.Modified = s.Modified.Add(1) }), false},
		"another cover":    {it.Path, with(func(s *index.Stamp) { s.Cover = &media.Range{Path: "cover.jpg", Length: 10} }), false},
		"no cover":         {it.Path, with(func(s *index.Stamp) { s.Cover = nil }), false},
		"another path":     {"elsewhere.flac", stamp, false},
		"one with trouble": {broken.Path, index.Stamp{Size: broken.Size, Modified: broken.Modified}, false},
	} {
		if got := x.Seen(root.ID, c.path, c.stamp, 2); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
	revision := x.Refresh().Revision
	if again := x.Put(it, 2); again != id || x.Refresh().Revision != revision {
		t.Errorf("the same item again: ID %s for %s, revision %d for %d", again, id, x.View().Revision, revision)
	}
	it.Size, it.Added = 5, time.Now()
	if again := x.Put(it, 2); again != id {
		t.Errorf("a changed file got the ID %s, want %s as before", again, id)
	}
	if got, _ := x.Item(id); !got.Added.Equal(time.Unix(1800000000, 0)) || got.Size != 5 {
		t.Errorf("got %+v: want the new size and the first time", got)
	}
}

// TestDamagedFile opens files that are damaged in many ways: what comes back is right, and it can be written again.
func TestDamagedFile(t *testing.T) {
	dir := t.TempDir()
	x := open(t, dir)
	fill(x, 400)
	want := map[media.ID]media.Item{}
	for _, it := range all(t, x) {
		it.Away = true
		want[it.ID] = it
	}
	closeIndex(t, x)
	good, err := os.ReadFile(filepath.Join(dir, "index.db"))
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	damage := map[string]func(b []byte) []byte{
		"empty":               func([]byte) []byte { return nil },
		"text":                func([]byte) []byte { return []byte("not a database, but some text") },
		"zeros":               func(b []byte) []byte { return make([]byte, len(b)) },
		"cut off":             func(b []byte) []byte { return b[:len(b)/2] },
		"cut off by a little": func(b []byte) []byte { return b[:len(b)-5000] },
		"header only":         func(b []byte) []byte { return b[:8192] },
	}
	for i := range 100 {
		damage[fmt.Sprintf("flipped %d", i)] = func(b []byte) []byte {
			b[random.IntN(len(b))] ^= byte(1 + random.IntN(255))
			return b
		}
	}
	for i := range 25 {
		damage[fmt.Sprintf("page lost %d", i)] = func(b []byte) []byte {
			at := random.IntN(len(b)/4096) * 4096
			clear(b[at : at+4096])
			return b
		}
	}
	for name, f := range damage {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "index.db"), f(append([]byte(nil), good...)), 0o600); err != nil {
				t.Fatal(err)
			}
			x := open(t, dir)
			for _, it := range all(t, x) {
				if w := want[it.ID]; !reflect.DeepEqual(it, w) {
					t.Fatalf("came back as\n%+v, was\n%+v", it, w)
				}
			}
			fill(x, 400)
			x.Flush()
			x.Flush() // a file that turned out to be damaged on writing is begun anew
			if s := x.Trouble(); s != "" {
				t.Errorf("trouble: %s", s)
			}
			closeIndex(t, x)
			x = open(t, dir)
			defer closeIndex(t, x)
			if n := len(all(t, x)); n != 400 {
				t.Errorf("%d items after writing again, want 400", n)
			}
		})
	}
}

// TestDiedWhileReading leaves the marks of processes that died while they read the file.
func TestDiedWhileReading(t *testing.T) {
	dir := t.TempDir()
	x := open(t, dir)
	fill(x, 10)
	closeIndex(t, x)
	for deaths, want := range []int{10, 10, 0} {
		if err := os.WriteFile(filepath.Join(dir, "index.db.opening"), make([]byte, deaths), 0o600); err != nil {
			t.Fatal(err)
		}
		x := open(t, dir)
		if n := len(all(t, x)); n != want || x.Trouble() != "" {
			t.Errorf("after %d deaths: %d items, want %d; %s", deaths, n, want, x.Trouble())
		}
		closeIndex(t, x)
	}
}

func TestMissingStateDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "later")
	x := open(t, dir)
	fill(x, 10)
	x.Flush()
	if s := x.Trouble(); !strings.Contains(s, "missing") || len(all(t, x)) != 10 {
		t.Errorf("trouble %q, %d items: want it told and them served", s, len(all(t, x)))
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	x.Flush()
	if s := x.Trouble(); s != "" {
		t.Errorf("trouble %q after it was repaired", s)
	}
	closeIndex(t, x)
	x = open(t, dir)
	defer closeIndex(t, x)
	if n := len(all(t, x)); n != 10 {
		t.Errorf("%d items kept, want 10", n)
	}
}

func TestUnknownIDs(t *testing.T) {
	x := open(t, t.TempDir())
	defer closeIndex(t, x)
	for _, id := range []media.ID{"", "x", "aaaaaaaaaaaaa", "AAAAAAAAAAAAA", "a/../../etc", media.ID(strings.Repeat("a", 1000))} {
		if _, err := x.Item(id); !errors.Is(err, media.ErrNotFound) {
			t.Errorf("%q: got %v", id, err)
		}
		if _, _, err := x.View().Album(id); !errors.Is(err, media.ErrNotFound) {
			t.Errorf("album %q: got %v", id, err)
		}
	}
}

// TestMemory holds what 16,000 tracks take: 24 MB is the goal for the whole process.
func TestMemory(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	x := open(t, t.TempDir())
	defer closeIndex(t, x)
	fill(x, 16000)
	x.Refresh()
	x.Flush()
	got := heap() - before
	t.Logf("16,000 tracks: %.1f MB", float64(got)/1e6)
	if got > 12e6 {
		t.Errorf("16,000 tracks take %.1f MB of heap, want 12", float64(got)/1e6)
	}
	runtime.KeepAlive(x)
}

func benchIndex(b *testing.B, n int) *index.Index {
	x := open(b, b.TempDir())
	b.Cleanup(func() { closeIndex(b, x) })
	fill(x, n)
	x.Refresh()
	return x
}

func BenchmarkRefresh16000(b *testing.B) {
	x := benchIndex(b, 16000)
	for b.Loop() {
		x.SetRoot(root)
		x.Refresh()
	}
}

func BenchmarkPage100(b *testing.B) {
	v := benchIndex(b, 16000).View()
	for b.Loop() {
		v.Items(index.Query{Offset: 8000, Limit: 100})
	}
}

func BenchmarkAlbums50(b *testing.B) {
	v := benchIndex(b, 16000).View()
	for b.Loop() {
		v.Albums(index.Query{Offset: 800, Limit: 50})
	}
}

func BenchmarkSearch(b *testing.B) {
	for _, n := range []int{16000, 200000} {
		v := benchIndex(b, n).View()
		for _, q := range []string{"s", "song 15", "artist album 99"} {
			b.Run(fmt.Sprintf("%d/%s", n, q), func(b *testing.B) {
				for b.Loop() {
					v.Items(index.Query{Text: q, Limit: 20})
				}
			})
		}
	}
}

func BenchmarkOpen16000(b *testing.B) {
	dir := b.TempDir()
	x := open(b, dir)
	fill(x, 16000)
	closeIndex(b, x)
	for b.Loop() {
		x := open(b, dir)
		b.StopTimer()
		closeIndex(b, x)
		b.StartTimer()
	}
}
