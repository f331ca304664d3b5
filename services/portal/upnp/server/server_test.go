package server

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
	catalogapi "manofwar/services/catalog/api"
	"manofwar/services/portal/upnp/soap"
)

// house is a library: songs on albums of ten, and films.
type house struct {
	songs, films int
	revision     uint64
}

func (h *house) song(i int) media.Item {
	it := media.Item{
		ID: media.ID(fmt.Sprintf("s%d", i)), Kind: media.Music, Path: fmt.Sprintf("a/%d.flac", i), Size: 1000, Container: "flac",
		Duration: media.Duration(3 * time.Minute), Streams: []media.Stream{{Kind: media.Audio, Codec: "flac", SampleRate: 44100, Channels: 2}},
	}
	it.Title, it.Album, it.AlbumID, it.Track = fmt.Sprintf("Song %d & more", i), fmt.Sprintf("Album %d", i/10), media.ID(fmt.Sprintf("a%d", i/10)), i%10+1
	it.Artists, it.Genres, it.Year = []string{fmt.Sprintf("Artist %d", i/30)}, []string{"Rock", ""}, 1990
	if i%3 == 0 {
		it.Cover = &media.Range{Length: 1}
	}
	if i%17 == 0 {
		it.Problem = "damaged"
	}
	return it
}

func (h *house) film(i int) media.Item {
	return media.Item{
		ID: media.ID(fmt.Sprintf("f%d", i)), Kind: media.Film, Path: fmt.Sprintf("Film <%d>.mkv", i), Size: 1 << 40, Container: "matroska", Duration: media.Duration(2 * time.Hour),
		Streams: []media.Stream{{Kind: media.Video, Codec: "h264", Width: 1920, Height: 800}},
	}
}

func run[T any](q catalogapi.Query, n int, make func(int) T, has func(T) bool) (total int, page []T) {
	for i := range n {
		x := make(i)
		if !has(x) {
			continue
		}
		if total >= q.Offset && len(page) < q.Limit {
			page = append(page, x)
		}
		total++
	}
	return total, page
}

func (h *house) Items(_ context.Context, q catalogapi.Query) (p catalogapi.Page, err error) {
	if q.Limit < 1 || q.Limit > catalogapi.MaxLimit || q.Offset > catalogapi.MaxOffset {
		return p, media.ErrInvalid
	}
	p.Total, p.Items = run(q, h.songs+h.films, func(i int) media.Item {
		if i < h.songs {
			return h.song(i)
		}
		return h.film(i - h.songs)
	}, func(it media.Item) bool {
		return (q.Kind == "" || it.Kind == q.Kind) && hasWords(q.Text, it.Title+" "+it.Album+" "+strings.Join(it.Artists, " ")+" "+it.Path)
	})
	return p, nil
}

func hasWords(words, text string) bool {
	for w := range strings.FieldsSeq(strings.ToLower(words)) {
		if !strings.Contains(" "+strings.ToLower(text), " "+w) {
			return false
		}
	}
	return true
}

func (h *house) Item(_ context.Context, id media.ID) (media.Item, error) {
	n, err := strconv.Atoi(strings.TrimLeft(string(id), "sf"))
	switch {
	case err == nil && strings.HasPrefix(string(id), "s") && n < h.songs:
		return h.song(n), nil
	case err == nil && strings.HasPrefix(string(id), "f") && n < h.films:
		return h.film(n), nil
	}
	return media.Item{}, &media.Error{Op: "find", Err: media.ErrNotFound}
}

func (h *house) album(i int) media.Album {
	return media.Album{
		ID: media.ID(fmt.Sprintf("a%d", i)), Title: fmt.Sprintf("Album %d", i), Artists: []string{fmt.Sprintf("Artist %d", i/3)}, Year: 1990,
		Tracks: min(10, h.songs-10*i), CoverOf: media.ID(fmt.Sprintf("s%d", 10*i)),
	}
}

func (h *house) Albums(_ context.Context, q catalogapi.Query) (a catalogapi.Albums, err error) {
	if q.Limit < 1 || q.Limit > catalogapi.MaxLimit || q.Offset > catalogapi.MaxOffset {
		return a, media.ErrInvalid
	}
	a.Total, a.Albums = run(q, (h.songs+9)/10, h.album, func(a media.Album) bool { return hasWords(q.Text, a.Title+" "+a.Artists[0]) })
	return a, nil
}

func (h *house) Album(_ context.Context, id media.ID) (p catalogapi.AlbumPage, err error) {
	n, err := strconv.Atoi(strings.TrimPrefix(string(id), "a"))
	if err != nil || n*10 >= h.songs {
		return p, &media.Error{Op: "find", Err: media.ErrNotFound}
	}
	p.Album = h.album(n)
	for i := n * 10; i < min(n*10+10, h.songs); i++ {
		p.Items = append(p.Items, h.song(i))
	}
	return p, nil
}

func (h *house) Roots(context.Context) ([]media.Root, uint64, error) {
	return []media.Root{{ID: "r"}}, h.revision, nil
}

func newServer(h *house) *Server {
	return New(Options{
		Library: h, Log: slog.New(slog.DiscardHandler),
		News: func(context.Context) iter.Seq2[ipc.Event, error] { return func(func(ipc.Event, error) bool) {} },
		Deliver: func(w http.ResponseWriter, _ *http.Request, id media.ID, part string) error {
			_, err := io.WriteString(w, string(id)+" "+part)
			return err
		},
		Fail: func(w http.ResponseWriter, _ *http.Request, err error) {
			if errors.Is(err, media.ErrNotFound) {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			w.WriteHeader(http.StatusInternalServerError)
		},
	})
}

// thing is an object as somebody else reads it.
type thing struct {
	XMLName  xml.Name
	ID       string `xml:"id,attr"`
	Parent   string `xml:"parentID,attr"`
	Children string `xml:"childCount,attr"`
	Inner    string `xml:",innerxml"`
	Res      []struct {
		Protocol string `xml:"protocolInfo,attr"`
		URL      string `xml:",chardata"`
	} `xml:"res"`
}

// ask browses or searches, and holds the answer to the schema.
func ask(t *testing.T, s *Server, search bool, id, how string, start, count int) (things []thing, total int, err error) {
	t.Helper()
	in := map[string]string{"ObjectID": id, "BrowseFlag": how, "ContainerID": id, "SearchCriteria": how, "StartingIndex": strconv.Itoa(start), "RequestedCount": strconv.Itoa(count)}
	do := s.browse
	if search {
		do = s.search
	}
	out, err := do(t.Context(), in)
	if err != nil {
		return nil, 0, err
	}
	var all struct {
		XMLName xml.Name
		Things  []thing `xml:",any"`
	}
	if err := xml.Unmarshal([]byte(out["Result"]), &all); err != nil {
		t.Fatalf("%s of %s: %v", how, id, err)
	}
	if strconv.Itoa(len(all.Things)) != out["NumberReturned"] {
		t.Errorf("%s of %s: %d objects, and %s are said to be", how, id, len(all.Things), out["NumberReturned"])
	}
	strict(t, out["Result"])
	total, err = strconv.Atoi(out["TotalMatches"])
	return all.Things, total, err
}

// order is that of the elements in an object, as the schema of DIDL-Lite 1.0 has the title first, and here the class before all
// that is of the class. The number is how many there may be; 0: any.
var order = []struct {
	name string
	most int
}{
	{"title", 1}, {"creator", 1}, {"date", 1}, {"class", 1}, {"artist", 0}, {"album", 1}, {"genre", 0}, {"originalTrackNumber", 1}, {"albumArtURI", 1}, {"res", 0},
}

// strict holds a description to the schema: namespaces, attributes that must be there, elements in order, values in form.
func strict(t *testing.T, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	last, n, depth := -1, 0, 0
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := tok.(xml.EndElement); ok {
			depth--
		}
		e, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		depth++
		attr := map[string]string{}
		for _, a := range e.Attr {
			attr[a.Name.Local] = a.Value
		}
		switch depth {
		case 1:
			if e.Name.Local != "DIDL-Lite" || e.Name.Space != "urn:schemas-upnp-org:metadata-1-0/DIDL-Lite/" {
				t.Errorf("begins with %v", e.Name)
			}
		case 2:
			last, n = -1, 0
			if attr["id"] == "" || attr["parentID"] == "" || attr["restricted"] != "1" {
				t.Errorf("%s has %v", e.Name.Local, attr)
			}
		case 3:
			i := slices.IndexFunc(order, func(o struct {
				name string
				most int
			},
			) bool {
				return o.name == e.Name.Local
			})
			if n++; i != last {
				n = 1
			}
			if i < last || i < 0 || order[max(i, 0)].most > 0 && n > order[i].most {
				t.Errorf("%s is out of place in %s", e.Name.Local, text)
			}
			last = i
			space := map[string]string{"title": "http://purl.org/dc/elements/1.1/", "creator": "http://purl.org/dc/elements/1.1/", "date": "http://purl.org/dc/elements/1.1/", "res": "urn:schemas-upnp-org:metadata-1-0/DIDL-Lite/"}[e.Name.Local]
			if space == "" {
				space = "urn:schemas-upnp-org:metadata-1-0/upnp/"
			}
			if e.Name.Space != space {
				t.Errorf("%s is of %s", e.Name.Local, e.Name.Space)
			}
			if e.Name.Local == "res" && (strings.Count(attr["protocolInfo"], ":") != 3 || attr["size"] == "") {
				t.Errorf("res has %v", attr)
			}
		default:
			t.Errorf("%s is too deep", e.Name.Local)
		}
	}
}

// TestWalk goes through all that there is, in pages of several sizes.
func TestWalk(t *testing.T) {
	s := newServer(&house{songs: 1203, films: 7})
	seen := map[string]bool{}
	var into func(id string, page int)
	into = func(id string, page int) {
		for start := 0; ; {
			things, total, err := ask(t, s, false, id, "BrowseDirectChildren", start, page)
			if err != nil {
				t.Fatalf("%s: %v", id, err)
			}
			for _, o := range things {
				if seen[o.ID] || o.Parent != id {
					t.Errorf("%s in %s is said to be in %s, seen before: %v", o.ID, id, o.Parent, seen[o.ID])
				}
				seen[o.ID] = true
				if o.XMLName.Local == "container" {
					_, children, err := ask(t, s, false, o.ID, "BrowseDirectChildren", 0, 1)
					if err != nil || strconv.Itoa(children) != o.Children {
						t.Errorf("%s has %d children and says %s, %v", o.ID, children, o.Children, err)
					}
					into(o.ID, page)
				}
			}
			if start += len(things); start >= total || len(things) == 0 {
				if start != total {
					t.Errorf("%s ends at %d of %d", id, start, total)
				}
				return
			}
		}
	}
	into(root, 0)
	for id, want := range map[string]bool{
		"songs/s1202": true, "albums/a120/s1201": true, "artists": true, "films/f6": true, "recent/a99": true, "recent/a100": false, "recent/a99/s990": true, "films/f7": false,
	} {
		if seen[id] != want {
			t.Errorf("%s: seen %v", id, seen[id])
		}
	}
	seen = map[string]bool{}
	into(films, 3)
	if len(seen) != 7 {
		t.Errorf("in threes: %v", seen)
	}
	if things, total, err := ask(t, s, false, songs, "BrowseDirectChildren", 0, 100000); len(things) != 500 || total != 1203 || err != nil {
		t.Errorf("all at once: %d of %d, %v", len(things), total, err)
	}
	if things, total, err := ask(t, s, false, songs, "BrowseDirectChildren", 1<<31, 10); len(things) != 0 || total != 1203 || err != nil {
		t.Errorf("behind the end: %d of %d, %v", len(things), total, err)
	}
}

func TestObjectsThemselves(t *testing.T) {
	s := newServer(&house{songs: 40, films: 2})
	for _, id := range []string{"0", "music", "films", "artists", "albums", "songs", "recent", "albums/a1", "albums/a1/s12", "songs/s12", "films/f1", "recent/a2/s21"} {
		itself, total, err := ask(t, s, false, id, "BrowseMetadata", 0, 0)
		if err != nil || total != 1 || len(itself) != 1 || itself[0].ID != id {
			t.Errorf("%s: %+v, %v", id, itself, err)
		}
	}
	for _, id := range []string{"", "x", "music/x", "songs/s99", "songs/", "albums/a9", "albums/a1/s99", "films/f1/x", "artists/x", "artists/x/a1", "/", "0/music", "songs/s1/s1", "albums/a1/s30", "films/s1", "songs/f1"} {
		if _, _, err := ask(t, s, false, id, "BrowseMetadata", 0, 0); !errors.Is(err, errNoObject) {
			t.Errorf("%q is there: %v", id, err)
		}
		if things, _, err := ask(t, s, false, id, "BrowseDirectChildren", 0, 0); err == nil {
			t.Errorf("%q has %d children", id, len(things))
		}
	}
	if _, _, err := ask(t, s, false, "songs/s12", "BrowseDirectChildren", 0, 0); err != errNoContainer {
		t.Errorf("children of a song: %v", err)
	}
}

func TestSearch(t *testing.T) {
	s := newServer(&house{songs: 40, films: 2})
	for _, tt := range []struct {
		container, criteria string
		want                int
	}{
		{root, "*", 2 + 4 + 40 + 2},
		{root, `upnp:class derivedfrom "object.item"`, 42},
		{root, `upnp:class derivedfrom "object.item.audioItem" and @refID exists false`, 40},
		{films, `upnp:class derivedfrom "object.item.audioItem"`, 0},
		{music, `upnp:class = "object.container.album.musicAlbum"`, 4},
		{root, `upnp:class = "object.container.person.musicArtist" and dc:title contains "artist 1"`, 1},
		{root, `upnp:class derivedfrom "object.item.audioItem" and dc:title contains "song 3 "`, 1},
		{root, `upnp:class derivedfrom "object.item.audioItem" and (dc:title contains "song 3 " or upnp:album contains "album 2")`, 11},
		{root, `dc:title doesNotContain "o" and upnp:class derivedfrom "object.item"`, 2},
		{root, `dc:title contains "nothing"`, 0},
	} {
		things, total, err := ask(t, s, true, tt.container, tt.criteria, 0, 0)
		if err != nil || total != tt.want || len(things) != tt.want {
			t.Errorf("%s in %s: %d of %d, %v; want %d", tt.criteria, tt.container, len(things), total, err, tt.want)
		}
		var paged int
		for start := 0; start < total; start += 5 {
			list, n, err := ask(t, s, true, tt.container, tt.criteria, start, 5)
			if err != nil || n != total {
				t.Errorf("%s from %d: %d, %v", tt.criteria, start, n, err)
			}
			for i, o := range list {
				if o.ID != things[start+i].ID {
					t.Errorf("%s: number %d is %s, and was %s", tt.criteria, start+i, o.ID, things[start+i].ID)
				}
			}
			paged += len(list)
		}
		if paged != total {
			t.Errorf("%s: %d in pages of five, %d in all", tt.criteria, paged, total)
		}
	}
	if _, _, err := ask(t, s, true, "songs/s1", "*", 0, 0); err != errNoContainer {
		t.Errorf("in a song: %v", err)
	}
	if _, _, err := ask(t, s, true, root, "dc:title like", 0, 0); !errors.Is(err, soapFault(708)) {
		t.Errorf("nonsense: %v", err)
	}
}

func soapFault(code int) error {
	if code == errCriteria.Code {
		return errCriteria
	}
	return soap.ErrFailed
}

// TestAddresses lead to what is shared, for who knows the word in them.
func TestAddresses(t *testing.T) {
	h := &house{songs: 20, films: 1}
	s := newServer(h)
	things, _, err := ask(t, s, false, "songs/s12", "BrowseMetadata", 0, 0)
	if err != nil || len(things[0].Res) != 1 {
		t.Fatalf("%+v, %v", things, err)
	}
	address := strings.TrimPrefix(things[0].Res[0].URL, "http://")
	get := func(path string) (int, string) {
		w := httptest.NewRecorder()
		s.device.Other.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		return w.Code, w.Body.String()
	}
	if code, body := get(address); code != 200 || body != "s12 file" || !strings.HasSuffix(address, ".flac") {
		t.Errorf("%s: %d %s", address, code, body)
	}
	if id, ok, err := s.Item(t.Context(), "http://192.168.1.5:8200"+address); !ok || id != "s12" || err != nil {
		t.Errorf("%s is of %s, %v", address, id, err)
	}
	if id, ok, err := s.Item(t.Context(), "http://192.168.1.5:8200"+strings.Replace(address, "s12", "s99", 1)); !ok || id != "" || !errors.Is(err, media.ErrNotFound) {
		t.Errorf("of what is not shared: %s, %v, %v", id, ok, err)
	}
	for _, other := range []string{
		strings.Replace(address, s.token, "AAAAAAAAAAAAAAAAAAAAAAAAAA", 1), strings.Replace(address, "s12", "s99", 1), "/media/", "/",
	} {
		if code, _ := get(other); code != 404 {
			t.Errorf("%s: %d", other, code)
		}
	}
	if _, ok, err := s.Item(t.Context(), "http://192.168.1.5/media/other/s12/file.flac"); ok || err != nil {
		t.Error("another's address is taken for one of ours")
	}
	damaged, _, err := ask(t, s, false, "songs/s17", "BrowseMetadata", 0, 0)
	if err != nil || len(damaged[0].Res) != 0 {
		t.Errorf("what cannot be played is offered: %+v, %v", damaged, err)
	}
}

// counted counts how often all albums are read, and by how many at a time.
type counted struct {
	*house
	times, now, most atomic.Int32
}

func (c *counted) Albums(ctx context.Context, q catalogapi.Query) (catalogapi.Albums, error) {
	c.times.Add(1)
	if n := c.now.Add(1); n > c.most.Load() {
		c.most.Store(n)
	}
	defer c.now.Add(-1)
	time.Sleep(time.Second) // of the bubble
	return c.house.Albums(ctx, q)
}

// TestShelfIsReadOnce does not read all albums because the library has changed, but when somebody asks, for all who do.
func TestShelfIsReadOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counted{house: &house{songs: 20}}
		s := newServer(c.house)
		s.opts.Library = c
		ctx, cancel := context.WithCancel(t.Context())
		s.opts.News = func(context.Context) iter.Seq2[ipc.Event, error] {
			return func(yield func(ipc.Event, error) bool) {
				for range 50 {
					c.revision++
					yield(ipc.Event{Kind: "changed"}, nil)
				}
				cancel()
			}
		}
		first := s.update
		s.follow(ctx)
		if c.times.Load() != 0 || s.update != first+50 {
			t.Errorf("read %d times while nobody asked, %d updates", c.times.Load(), s.update-first)
		}
		var asking sync.WaitGroup
		for range 10 {
			asking.Go(func() {
				if sh, err := s.look(t.Context()); err != nil || len(sh.artists) != 1 {
					t.Errorf("%v, %v", sh, err)
				}
			})
		}
		asking.Wait()
		if c.times.Load() != 1 || c.most.Load() != 1 {
			t.Errorf("read %d times, by %d at a time", c.times.Load(), c.most.Load())
		}
	})
}

func TestUpdates(t *testing.T) {
	h := &house{songs: 20}
	s := newServer(h)
	id := func() string {
		out, err := s.systemUpdate(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		return out["Id"]
	}
	first := id()
	if again := id(); again != first {
		t.Errorf("%s, then %s, and nothing has changed", first, again)
	}
	h.revision++
	if next := id(); next == first {
		t.Error("a change is not told")
	}
}
