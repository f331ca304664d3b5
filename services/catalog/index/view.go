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
	added    int64 // when the last of its rows was, Unix, in seconds
}

// sorting is what one row is sorted by.
type sorting struct {
	e      *entry
	head   head
	album  uint64
	artist int32 // the place of its name, or of the album's, among all
	title  int32 // of the album, likewise
	name   string
	year   int
}

// Refresh makes a new view if anything has changed, and returns the current one.
func (x *Index) Refresh() *View {
	x.mu.RLock()
	if v := x.view.Load(); v != nil && v.Revision == x.revision {
		x.mu.RUnlock()
		return v
	}
	v := &View{Revision: x.revision, index: x, byID: map[uint64]int32{}}
	all := make([]sorting, 0, len(x.byID))
	for _, e := range x.byID {
		if x.roots[e.root] != nil {
			all = append(all, sorting{e: e})
		}
	}
	x.mu.RUnlock()
	rows := make([]*sorting, len(all)) // they are large to be moved about
	for i := range all {
		rows[i] = &all[i]
	}
	v.sort(rows)
	v.group(rows)
	v.search(rows)
	x.view.Store(v)
	return v
}

// View returns the last view that was made.
func (x *Index) View() *View { return x.view.Load() }

// sort puts the rows in order and counts them.
func (v *View) sort(rows []*sorting) {
	albums := map[albumKey]uint64{}
	groups := map[uint64]*group{}
	for _, r := range rows {
		d := decoder{rest: r.e.facts}
		r.head = d.head()
		v.count(&r.head)
		r.name, r.year = fold(cmp.Or(r.head.title, r.e.name)), r.head.year
		key, ok := albumKeyOf(r.e, &r.head)
		if !ok {
			continue
		}
		if r.album = albums[key]; r.album == 0 {
			r.album = key.hash()
			albums[key] = r.album
		}
		g := groups[r.album]
		if g == nil {
			g = &group{}
			groups[r.album] = g
		}
		g.add(&r.head)
	}
	var artists, titles ranking
	for pass := range 2 { // learn the names, then take their places
		for _, r := range rows {
			artist, title := join(r.head.artists), ""
			if g := groups[r.album]; g != nil {
				artist, title, r.year = g.sortArtist(), r.head.album, g.year
			}
			r.artist, r.title = artists.place(artist), titles.place(title)
		}
		if pass == 0 {
			artists.sort()
			titles.sort()
		}
	}
	slices.SortFunc(rows, compareRows)
	v.rows = make([]*entry, len(rows))
	for i, r := range rows {
		v.rows[i] = r.e
		if r.head.kind == media.Music {
			v.music++
		}
	}
}

func (v *View) count(h *head) {
	switch {
	case h.problem != "":
		v.Problems++
	case h.kind == media.Film:
		v.Films++
	default:
		v.Music++
	}
}

func join(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	return strings.Join(names, " ")
}

// ranking gives names their places in the order of a person's eye, so that rows are sorted by numbers. Names that fold
// to the same have the same place.
type ranking struct{ places map[string]int32 }

func (r *ranking) place(name string) int32 {
	p, ok := r.places[name]
	if !ok {
		if r.places == nil {
			r.places = map[string]int32{}
		}
		r.places[name] = 0
	}
	return p
}

func (r *ranking) sort() {
	type pair struct{ folded, name string }
	list := make([]pair, 0, len(r.places))
	for name := range r.places {
		list = append(list, pair{fold(name), name})
	}
	slices.SortFunc(list, func(a, b pair) int { return natural(a.folded, b.folded) })
	place := int32(0)
	for i := range list {
		if i > 0 && list[i].folded != list[i-1].folded {
			place++
		}
		r.places[list[i].name] = place
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

func (g *group) add(h *head) {
	if g.year == 0 || h.year != 0 && h.year < g.year {
		g.year = h.year
	}
	switch {
	case g.given:
	case len(h.albumArtists) > 0:
		g.artists, g.given = h.albumArtists, true
	default:
		for _, a := range h.artists {
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
	return join(g.artists)
}

func compareRows(a, b *sorting) int {
	if a.head.kind != b.head.kind {
		return int(ordinal(kinds[:], a.head.kind)) - int(ordinal(kinds[:], b.head.kind))
	}
	if c := cmp.Or(
		cmp.Compare(a.artist, b.artist),
		cmp.Compare(a.year, b.year),
		cmp.Compare(a.title, b.title),
		cmp.Compare(a.album, b.album),
		cmp.Compare(a.head.disc, b.head.disc),
		cmp.Compare(a.head.track, b.head.track),
	); c != 0 && a.head.kind == media.Music {
		return c
	}
	if c := natural(a.name, b.name); c != 0 {
		return c
	}
	return strings.Compare(a.e.key(), b.e.key())
}

// group finds the albums: the runs of rows that are on the same one.
func (v *View) group(rows []*sorting) {
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

func makeAlbum(rows []*sorting, from int32) albumRow {
	var g group
	a := albumRow{id: rows[0].album, title: rows[0].head.album, from: from, to: from + int32(len(rows))}
	for _, r := range rows {
		g.add(&r.head)
		a.duration += r.head.duration
		a.added = max(a.added, r.e.added)
		if a.coverOf == 0 && (r.e.picture == embedded || r.e.picture >= beside) {
			a.coverOf = r.e.id
		}
	}
	a.artists, a.year = g.artists, g.year
	return a
}

// search makes the indexes of the rows' and of the albums' words.
func (v *View) search(rows []*sorting) {
	f := folder{}
	w := newWordBuilder()
	for i, r := range rows {
		w.add(i, r.name)
		w.addAgain(i, f.fold(r.head.album))
		for _, list := range [][]string{r.head.artists, r.head.albumArtists} {
			for _, name := range list {
				w.addAgain(i, f.fold(name))
			}
		}
		if r.head.title != "" {
			w.add(i, fold(r.e.name))
		}
	}
	v.words = w.build(len(rows))
	w = newWordBuilder()
	for i := range v.albums {
		w.add(i, f.fold(v.albums[i].title))
		for _, a := range v.albums[i].artists {
			w.addAgain(i, f.fold(a))
		}
	}
	v.titles = w.build(len(v.albums))
}

// Query selects items or albums, as the service's api has it.
type Query struct {
	Kind          media.Kind
	Album         media.ID
	Text          string
	Libraries     []media.ID // empty: all
	Newest        bool       // those that were added last come first
	Offset, Limit int
}

// Items returns a page of the items that q selects, and how many it selects in all.
func (v *View) Items(q Query) (total int, items []media.Item) {
	total, page := v.page(q)
	items = make([]media.Item, len(page))
	v.index.mu.RLock()
	defer v.index.mu.RUnlock()
	for i, row := range page {
		items[i] = v.index.item(v.rows[row])
	}
	return total, items
}

// IDs is [View.Items] for a caller that wants no more than their IDs.
func (v *View) IDs(q Query) (total int, ids []media.ID) {
	total, page := v.page(q)
	ids = make([]media.ID, len(page))
	for i, row := range page {
		ids[i] = formatID(v.rows[row].id)
	}
	return total, ids
}

// page returns the rows that q selects.
func (v *View) page(q Query) (total int, rows []int) {
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
			return 0, nil
		}
		from, to = max(from, int(a.from)), min(to, int(a.to))
	}
	r := run{from: from, to: max(from, to), added: func(row int) int64 { return v.rows[row].added }}
	if len(q.Libraries) > 0 {
		r.keep = func(row int) bool { return slices.Contains(q.Libraries, v.rows[row].root) }
	}
	return r.page(v.words, q)
}

// run is the rows from which a query takes its page.
type run struct {
	from, to int
	keep     func(row int) bool  // nil: all of them
	added    func(row int) int64 // when one was
}

// page returns the page that q asks for of the rows that match its text: in their order, or by when they were added.
func (r run) page(words wordIndex, q Query) (total int, rows []int) {
	if !q.Newest {
		return words.page(q, r)
	}
	all := q
	all.Offset, all.Limit = 0, r.to-r.from
	total, rows = words.page(all, r)
	slices.SortStableFunc(rows, func(a, b int) int { return cmp.Compare(r.added(b), r.added(a)) })
	first := min(q.Offset, total)
	return total, rows[first:min(first+q.Limit, total)]
}

// Albums returns a page of the albums that q selects, and how many it selects in all.
func (v *View) Albums(q Query) (total int, albums []media.Album) {
	r := run{to: len(v.albums), added: func(row int) int64 { return v.albums[row].added }}
	if len(q.Libraries) > 0 { // an album is in one
		r.keep = func(row int) bool { return slices.Contains(q.Libraries, v.rows[v.albums[row].from].root) }
	}
	total, page := r.page(v.titles, q)
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
