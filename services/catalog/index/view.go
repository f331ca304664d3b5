package index

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"manofwar/internal/media"
)

// View is the items and albums in order at one moment. It never changes.
type View struct {
	Revision uint64
	Music    int // items that can be played
	Films    int
	Problems int // items that cannot

	index  *Index
	rows   []*entry // music first, then films
	music  int      // how many of the rows are music
	words  wordIndex
	albums []albumRow
	byID   map[uint64]int32 // albums by ID
	titles wordIndex        // of the albums
}

// albumRow is an album: a run of rows.
type albumRow struct {
	id       uint64
	title    string
	artists  []string
	year     int
	duration time.Duration
	from, to int32
	coverOf  uint64
}

// sorting is what one row is sorted by.
type sorting struct {
	e           *entry
	it          media.Item // the head of the facts only
	album       uint64
	artist      string // folded; of the album where there is one
	albumTitle  string
	year        int
	title       string
	disc, track int
}

// Refresh makes a new view if anything has changed, and returns the current one.
func (x *Index) Refresh() *View {
	x.mu.RLock()
	if v := x.view.Load(); v != nil && v.Revision == x.revision {
		x.mu.RUnlock()
		return v
	}
	v := &View{Revision: x.revision, index: x, byID: map[uint64]int32{}}
	rows := make([]sorting, 0, len(x.byID))
	for _, e := range x.byID {
		if x.roots[e.root] != nil {
			rows = append(rows, sorting{e: e})
		}
	}
	x.mu.RUnlock()
	v.sort(rows)
	v.group(rows)
	v.search(rows)
	x.view.Store(v)
	return v
}

// View returns the last view that was made.
func (x *Index) View() *View { return x.view.Load() }

func (v *View) sort(rows []sorting) {
	groups := map[uint64]*group{}
	for i := range rows {
		r := &rows[i]
		d := decoder{rest: r.e.facts}
		d.head(&r.it)
		r.album = albumHash(r.e, &r.it)
		r.disc, r.track = r.it.Disc, r.it.Track
		r.title = fold(cmp.Or(r.it.Title, r.e.name))
		r.artist = fold(strings.Join(r.it.Artists, " "))
		r.year = r.it.Year
		switch {
		case r.it.Problem != "":
			v.Problems++
		case r.it.Kind == media.Film:
			v.Films++
		default:
			v.Music++
		}
		if r.album != 0 {
			g := groups[r.album]
			if g == nil {
				g = &group{}
				groups[r.album] = g
			}
			g.add(&r.it)
		}
	}
	for i := range rows {
		if r := &rows[i]; r.album != 0 {
			g := groups[r.album]
			r.artist, r.year, r.albumTitle = fold(g.sortArtist()), g.year, fold(r.it.Album)
		}
	}
	slices.SortFunc(rows, compareRows)
	v.rows = make([]*entry, len(rows))
	for i := range rows {
		v.rows[i] = rows[i].e
		if rows[i].it.Kind == media.Music {
			v.music++
		}
	}
}

// group is what the tracks of an album have in common.
type group struct {
	artists []string
	given   bool // they are album artists
	year    int
}

// maxAlbumArtists bounds how many artists an album without an album artist is said to be by.
const maxAlbumArtists = 8

func (g *group) add(it *media.Item) {
	if g.year == 0 || it.Year != 0 && it.Year < g.year {
		g.year = it.Year
	}
	switch {
	case len(it.AlbumArtists) > 0:
		g.artists, g.given = it.AlbumArtists, true
	case !g.given:
		for _, a := range it.Artists {
			if len(g.artists) < maxAlbumArtists && !slices.Contains(g.artists, a) {
				g.artists = append(slices.Clip(g.artists), a)
			}
		}
	}
}

// sortArtist is the name that an album is sorted under. One by several artists without an album artist is a compilation.
func (g *group) sortArtist() string {
	if !g.given && len(g.artists) > 1 {
		return "Various Artists"
	}
	return strings.Join(g.artists, " ")
}

func compareRows(a, b sorting) int {
	if a.it.Kind != b.it.Kind {
		return int(ordinal(kinds[:], a.it.Kind)) - int(ordinal(kinds[:], b.it.Kind))
	}
	if a.it.Kind == media.Film {
		return cmp.Or(natural(a.title, b.title), strings.Compare(a.e.key(), b.e.key()))
	}
	return cmp.Or(
		natural(a.artist, b.artist),
		cmp.Compare(a.year, b.year),
		natural(a.albumTitle, b.albumTitle),
		cmp.Compare(a.album, b.album),
		cmp.Compare(a.disc, b.disc),
		cmp.Compare(a.track, b.track),
		natural(a.title, b.title),
		strings.Compare(a.e.key(), b.e.key()),
	)
}

// group finds the albums: the runs of rows that are on the same one.
func (v *View) group(rows []sorting) {
	for from := 0; from < v.music; {
		to := from + 1
		for to < v.music && rows[to].album == rows[from].album {
			to++
		}
		if rows[from].album != 0 {
			v.byID[rows[from].album] = int32(len(v.albums))
			v.albums = append(v.albums, makeAlbum(rows[from:to], int32(from)))
		}
		from = to
	}
}

func makeAlbum(rows []sorting, from int32) albumRow {
	var g group
	a := albumRow{id: rows[0].album, title: rows[0].it.Album, from: from, to: from + int32(len(rows))}
	for i := range rows {
		r := &rows[i]
		g.add(&r.it)
		a.duration += time.Duration(r.it.Duration)
		if a.coverOf == 0 && hasCover(r.e.facts) {
			a.coverOf = r.e.id
		}
	}
	a.artists, a.year = g.artists, g.year
	return a
}

func hasCover(facts string) bool {
	var it media.Item
	return decodeFacts(facts, &it) == nil && it.Cover != nil
}

// search makes the indexes of the rows' and of the albums' words.
func (v *View) search(rows []sorting) {
	var w wordBuilder
	for i := range rows {
		r := &rows[i]
		w.add(i, r.title)
		w.add(i, fold(r.it.Album))
		for _, a := range r.it.Artists {
			w.add(i, fold(a))
		}
		for _, a := range r.it.AlbumArtists {
			w.add(i, fold(a))
		}
		if r.it.Title != "" {
			w.add(i, fold(r.e.name))
		}
	}
	v.words = w.build(len(rows))
	w = wordBuilder{}
	for i := range v.albums {
		w.add(i, fold(v.albums[i].title))
		for _, a := range v.albums[i].artists {
			w.add(i, fold(a))
		}
	}
	v.titles = w.build(len(v.albums))
}

// Query selects items or albums, as the service's api has it.
type Query struct {
	Kind          media.Kind
	Album         media.ID
	Text          string
	Offset, Limit int
}

// Items returns a page of the items that q selects, and how many it selects in all.
func (v *View) Items(q Query) (total int, items []media.Item) {
	from, to := 0, len(v.rows)
	switch q.Kind {
	case media.Music:
		to = v.music
	case media.Film:
		from = v.music
	}
	if q.Album != "" {
		a, ok := v.album(q.Album)
		if !ok {
			return 0, []media.Item{}
		}
		from, to = max(from, int(a.from)), min(to, int(a.to))
	}
	total, page := v.words.page(q, from, max(from, to))
	items = make([]media.Item, len(page))
	v.index.mu.RLock()
	defer v.index.mu.RUnlock()
	for i, row := range page {
		items[i] = v.index.item(v.rows[row])
	}
	return total, items
}

// Albums returns a page of the albums that q selects, and how many it selects in all.
func (v *View) Albums(q Query) (total int, albums []media.Album) {
	total, page := v.titles.page(q, 0, len(v.albums))
	albums = make([]media.Album, len(page))
	for i, row := range page {
		albums[i] = v.albums[row].album()
	}
	return total, albums
}

// Album returns an album and its tracks in order, or [media.ErrNotFound].
func (v *View) Album(id media.ID) (media.Album, []media.Item, error) {
	a, ok := v.album(id)
	if !ok {
		return media.Album{}, nil, &media.Error{Op: "find album", Path: string(id), Err: media.ErrNotFound}
	}
	_, items := v.Items(Query{Album: id, Limit: int(a.to - a.from)})
	return a.album(), items, nil
}

func (v *View) album(id media.ID) (albumRow, bool) {
	n, ok := parseID(id)
	i, found := v.byID[n]
	if !ok || !found {
		return albumRow{}, false
	}
	return v.albums[i], true
}

func (a *albumRow) album() media.Album {
	album := media.Album{
		ID: formatID(a.id), Title: a.title, Artists: a.artists, Year: a.year,
		Tracks: int(a.to - a.from), Duration: media.Duration(a.duration),
	}
	if a.coverOf != 0 {
		album.CoverOf = formatID(a.coverOf)
	}
	return album
}
