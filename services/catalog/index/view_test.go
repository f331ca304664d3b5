package index_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"manofwar/internal/media"
	"manofwar/services/catalog/index"
)

// track makes a song from "path | artist | album artist | album | disc.track | year".
func track(t *testing.T, line string) media.Item {
	t.Helper()
	f := strings.Split(line, "|")
	if len(f) != 6 {
		t.Fatalf("%q has %d fields", line, len(f))
	}
	for i := range f {
		f[i] = strings.TrimSpace(f[i])
	}
	it := media.Item{Kind: media.Music, Root: root.ID, Path: f[0]}
	list := func(s string) []string {
		if s == "" {
			return nil
		}
		return strings.Split(s, "+")
	}
	it.Artists, it.AlbumArtists, it.Album = list(f[1]), list(f[2]), f[3]
	_, _ = fmt.Sscanf(f[4], "%d.%d", &it.Disc, &it.Track)
	_, _ = fmt.Sscanf(f[5], "%d", &it.Year)
	return it
}

func TestNewest(t *testing.T) {
	x := open(t, t.TempDir())
	defer closeIndex(t, x)
	x.SetRoot(root)
	for i, line := range []string{
		"a/1.mp3 | Zed | Zed | First | 1.1 | 2001",
		"b/1.mp3 | Abe | Abe | Other | 1.1 | 1999",
		"c/1.mp3 | Mia | Mia | Later | 1.1 | 2010",
		"a/2.mp3 | Zed | Zed | First | 1.2 | 2001", // as new as its last track
	} {
		it := track(t, line)
		it.Added = time.Unix(int64(1000+i), 0)
		x.Put(it, 1)
	}
	v := x.Refresh()
	titles := func(q index.Query) string {
		q.Newest = true
		total, albums := v.Albums(q)
		var list []string
		for _, a := range albums {
			list = append(list, a.Title)
		}
		return fmt.Sprint(total, list)
	}
	_, items := v.Items(index.Query{Newest: true, Limit: 2, Offset: 1})
	for got, want := range map[string]string{
		titles(index.Query{Limit: 10}):                "3 [First Later Other]",
		titles(index.Query{Limit: 1, Offset: 1}):      "3 [Later]",
		titles(index.Query{Limit: 10, Offset: 9}):     "3 []",
		titles(index.Query{Limit: 10, Text: "other"}): "1 [Other]",
		items[0].Path + " " + items[1].Path:           "c/1.mp3 b/1.mp3",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// TestLibraries keeps queries of every kind to some libraries.
func TestLibraries(t *testing.T) {
	x := open(t, t.TempDir())
	defer closeIndex(t, x)
	other := media.Root{ID: "other", Name: "Other", Path: "/other"}
	x.SetRoot(root)
	x.SetRoot(other)
	for i, line := range []string{
		"a/1.mp3 | Abe | Abe | Sea | 1.1 | 2001",
		"b/1.mp3 | Zed | Zed | Sky | 1.1 | 1999",
		"c/1.mp3 | Mia | Mia | Sea | 1.1 | 2010",
		"d/1.mp3 | Kim | Kim | Sun | 1.1 | 2012",
	} {
		it := track(t, line)
		if i%2 == 1 {
			it.Root = other.ID
		}
		it.Added = time.Unix(int64(1000+i), 0)
		x.Put(it, 1)
	}
	v := x.Refresh()
	for _, tt := range []struct {
		q             index.Query
		items, albums string
	}{
		{index.Query{Limit: 9}, "4 a b c d", "4 Sea Sea Sky Sun"},
		{index.Query{Limit: 9, Libraries: []media.ID{root.ID}}, "2 a c", "2 Sea Sea"},
		{index.Query{Limit: 9, Libraries: []media.ID{other.ID, "gone"}}, "2 b d", "2 Sky Sun"},
		{index.Query{Limit: 9, Libraries: []media.ID{root.ID, other.ID}}, "4 a b c d", "4 Sea Sea Sky Sun"},
		{index.Query{Limit: 9, Libraries: []media.ID{"gone"}}, "0", "0"},
		{index.Query{Limit: 1, Offset: 1, Libraries: []media.ID{root.ID}}, "2 c", "2 Sea"},
		{index.Query{Limit: 9, Text: "s", Libraries: []media.ID{other.ID}}, "2 b d", "2 Sky Sun"},
		{index.Query{Limit: 9, Text: "sea", Libraries: []media.ID{other.ID}}, "0", "0"},
		{index.Query{Limit: 1, Newest: true, Libraries: []media.ID{root.ID}}, "2 c", "2 Sea"},
		{index.Query{Limit: 9, Kind: media.Film, Libraries: []media.ID{root.ID}}, "0", "2 Sea Sea"},
	} {
		total, items := v.Items(tt.q)
		got := []string{}
		for _, it := range items {
			got = append(got, it.Path[:1])
		}
		slices.Sort(got)
		if s := strings.TrimSpace(fmt.Sprint(total, " ", strings.Join(got, " "))); s != tt.items {
			t.Errorf("%+v: items %s; want %s", tt.q, s, tt.items)
		}
		if all, ids := v.IDs(tt.q); all != total || len(ids) != len(items) {
			t.Errorf("%+v: %d of %d IDs; want %d of %d", tt.q, len(ids), all, len(items), total)
		}
		total, albums := v.Albums(tt.q)
		got = got[:0]
		for _, a := range albums {
			got = append(got, a.Title)
		}
		slices.Sort(got)
		if s := strings.TrimSpace(fmt.Sprint(total, " ", strings.Join(got, " "))); s != tt.albums {
			t.Errorf("%+v: albums %s; want %s", tt.q, s, tt.albums)
		}
	}
}

func TestAlbums(t *testing.T) {
	x := open(t, t.TempDir())
	defer closeIndex(t, x)
	x.SetRoot(root)
	for _, line := range []string{
		"a/2.mp3        | Zed        | Zed  | Second | 1.2  | 2002",
		"a/10.mp3       | Zed+Guest  | Zed  | Second | 1.10 | 2002",
		"b/1.mp3        | Zed        | ZED  | second | 1.1  | 2002", // the same album elsewhere, written otherwise
		"c/1.mp3        | Zed        | Zed  | First  | 1.1  | 2001",
		"mix/1.mp3      | Älpha      |      | Mix    | 1.1  | 1999", // a compilation without album artist
		"mix/2.mp3      | Beta       |      | Mix    | 1.2  | 1999",
		"other/mix.mp3  | Gamma      |      | Mix    | 1.1  | 1980", // another one of that name
		"set/CD1/1.mp3  | Äbba       |      | Set    | 1.1  | 1970",
		"set/CD 2/1.mp3 | Äbba       |      | Set    | 2.1  | 1970",
		"loose.mp3      | Nobody     |      |        | 0.0  | 0",
		"notags.mp3     |            |      |        | 0.0  | 0",
	} {
		x.Put(track(t, line), 1)
	}
	v := x.Refresh()
	total, albums := v.Albums(index.Query{Limit: 100})
	var got []string
	for _, a := range albums {
		_, items, err := v.Album(a.ID)
		if err != nil || len(items) != a.Tracks {
			t.Fatalf("%s: %d tracks, %v", a.Title, len(items), err)
		}
		var paths []string
		for _, it := range items {
			paths = append(paths, it.Path)
			if it.AlbumID != a.ID {
				t.Errorf("%s is on %s, want %s", it.Path, it.AlbumID, a.ID)
			}
		}
		got = append(got, fmt.Sprintf("%s/%s/%d: %s", strings.Join(a.Artists, "+"), a.Title, a.Year, strings.Join(paths, " ")))
	}
	want := []string{
		"Äbba/Set/1970: set/CD1/1.mp3 set/CD 2/1.mp3",
		"Gamma/Mix/1980: other/mix.mp3",
		"Älpha+Beta/Mix/1999: mix/1.mp3 mix/2.mp3",
		"Zed/First/2001: c/1.mp3",
		"ZED/second/2002: b/1.mp3 a/2.mp3 a/10.mp3",
	}
	if total != 5 || !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestSearch(t *testing.T) {
	x := open(t, t.TempDir())
	defer closeIndex(t, x)
	x.SetRoot(root)
	x.Put(track(t, "Dont Stop.mp3 | Björk | | Début | 1.1 | 1993"), 1)
	x.Put(track(t, "two.mp3 | Sigur Rós+Björk | | Ágætis byrjun | 1.2 | 1999"), 1)
	film := media.Item{Kind: media.Film, Root: root.ID, Path: "films/Le Fabuleux Destin.mkv"}
	film.Title = "L'Amélie"
	x.Put(film, 1)
	v := x.Refresh()
	for _, c := range []struct {
		q    index.Query
		want string
	}{
		{index.Query{}, "Dont Stop.mp3 two.mp3 films/Le Fabuleux Destin.mkv"},
		{index.Query{Text: "bjo"}, "Dont Stop.mp3 two.mp3"},
		{index.Query{Text: "BJÖRK ros"}, "two.mp3"},
		{index.Query{Text: "don't"}, "Dont Stop.mp3"},
		{index.Query{Text: "agae"}, "two.mp3"},
		{index.Query{Text: "lamelie"}, "films/Le Fabuleux Destin.mkv"},
		{index.Query{Text: "fabul dest mkv"}, "films/Le Fabuleux Destin.mkv"},
		{index.Query{Text: "jork"}, ""},
		{index.Query{Text: "bjork", Kind: media.Film}, ""},
		{index.Query{Kind: media.Film}, "films/Le Fabuleux Destin.mkv"},
		{index.Query{Text: "  -- "}, "Dont Stop.mp3 two.mp3 films/Le Fabuleux Destin.mkv"},
		{index.Query{Offset: 1, Limit: 1}, "two.mp3"},
		{index.Query{Offset: 1000}, ""},
		{index.Query{Text: "b", Offset: 1}, "two.mp3"},
		{index.Query{Album: "aaaaaaaaaaaaa"}, ""},
	} {
		if c.q.Limit == 0 {
			c.q.Limit = 100
		}
		_, items := v.Items(c.q)
		var paths []string
		for _, it := range items {
			paths = append(paths, it.Path)
		}
		if got := strings.Join(paths, " "); got != c.want {
			t.Errorf("%+v: got %q, want %q", c.q, got, c.want)
		}
	}
}
