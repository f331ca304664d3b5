package mpd

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"manofwar/internal/media"
	catalogapi "manofwar/services/catalog/api"
)

// database is the shared music. What has been read of it is kept while clients use it.
type database struct {
	library library
	all     catalog
	log     *slog.Logger

	reading sync.Mutex // held by who reads it

	mu   sync.Mutex // guards the rest
	tree *tree      // nil: not read
	used time.Time
	next time.Time // when it may be read again, while it changes all the time
}

const (
	// maxSongs bounds those that are read.
	maxSongs = catalogapi.MaxIDs
	// keepTree is how long the tree is kept once nobody has asked for it.
	keepTree = 10 * time.Minute
	// rest is how many times as long as it took the reading is left alone.
	rest = 10
)

// tree is the shared music at one moment, and never changes.
type tree struct {
	revision uint64
	names    shares
	songs    []*song // in the library's order: by artist, album, disc and track
	byID     map[media.ID]*song
	dirs     map[string]*directory // by path; the root's is empty
}

// directory is one in the tree.
type directory struct {
	path  string
	dirs  []*directory // by path
	songs []*song      // by URI
}

// shares are the names of the shared libraries: the first part of their songs' URIs.
type shares map[media.ID]string

// sharesOf gives every library a name of its own that can be part of a path. None begins with a dot.
func sharesOf(roots []media.Root) shares {
	names, taken := make(shares, len(roots)), make(map[string]bool)
	for _, r := range roots {
		name := strings.TrimLeft(strings.NewReplacer("/", "-", "\n", " ", "\r", " ", "\x00", " ").Replace(r.Name), ". ")
		if name = strings.TrimRight(name, " "); name == "" {
			name = "Music"
		}
		for taken[name] {
			name += "'"
		}
		names[r.ID], taken[name] = name, true
	}
	return names
}

func (a shares) equal(b shares) bool {
	if len(a) != len(b) {
		return false
	}
	for id, name := range a {
		if b[id] != name {
			return false
		}
	}
	return true
}

// shares returns the names of what is shared now, and the catalog's revision.
func (d *database) shares(ctx context.Context) (shares, uint64, error) {
	roots, revision, err := d.library.Roots(ctx)
	if err != nil {
		return nil, 0, err
	}
	return sharesOf(roots), revision, nil
}

// read returns the tree, as fresh as may be. It takes a while where much has changed.
func (d *database) read(ctx context.Context) (*tree, error) {
	d.reading.Lock()
	defer d.reading.Unlock()
	names, revision, err := d.shares(ctx)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	d.mu.Lock()
	d.used = now
	t, next := d.tree, d.next
	d.mu.Unlock()
	if t != nil && t.names.equal(names) && (t.revision == revision || now.Before(next)) {
		return t, nil
	}
	if t, err = d.load(ctx, names, revision); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tree, d.used = t, time.Now()
	d.next = d.used.Add(rest * d.used.Sub(now))
	return t, nil
}

// fresh returns the tree if it is read and nothing has changed since, else nil.
func (d *database) fresh(names shares, revision uint64) *tree {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.tree == nil || d.tree.revision != revision || !d.tree.names.equal(names) {
		return nil
	}
	d.used = time.Now()
	return d.tree
}

// wait is how long until a change can be read.
func (d *database) wait() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return max(0, time.Until(d.next))
}

// forget lets go of the tree if nobody has used it for long.
func (d *database) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if time.Since(d.used) >= keepTree {
		d.tree = nil
	}
}

// load reads all music that is shared.
func (d *database) load(ctx context.Context, names shares, revision uint64) (*tree, error) {
	t := &tree{revision: revision, names: names, byID: make(map[media.ID]*song), dirs: map[string]*directory{"": {}}}
	same := make(interned)
	for offset := 0; ; {
		page, err := d.library.Items(ctx, catalogapi.Query{Kind: media.Music, Offset: offset, Limit: catalogapi.MaxLimit})
		if err != nil {
			return nil, err
		}
		for i := range page.Items {
			t.add(&page.Items[i], same)
		}
		offset += len(page.Items)
		if len(t.songs) >= maxSongs {
			d.log.Warn("more music than clients can be shown", "songs", page.Total, "shown", maxSongs)
			break
		}
		if len(page.Items) == 0 || offset >= page.Total {
			break
		}
	}
	for _, dir := range t.dirs {
		slices.SortFunc(dir.dirs, func(a, b *directory) int { return strings.Compare(a.path, b.path) })
		slices.SortFunc(dir.songs, func(a, b *song) int { return strings.Compare(a.uri, b.uri) })
	}
	return t, nil
}

// add takes an item in, unless it cannot be played or named, or changed its place while the pages were read.
func (t *tree) add(it *media.Item, same interned) {
	name, shared := t.names[it.Root]
	if !shared || it.Problem != "" || strings.ContainsAny(it.Path, "\n\r") || t.byID[it.ID] != nil {
		return
	}
	s := songOf(it, name)
	s.artists, s.by, s.genres, s.album = same.list(s.artists), same.list(s.by), same.list(s.genres), same.text(s.album)
	t.songs = append(t.songs, s)
	t.byID[s.id] = s
	dir := t.directory(parent(s.uri))
	dir.songs = append(dir.songs, s)
}

// directory returns the one at path, made with all that it is in where it is not there yet.
func (t *tree) directory(path string) *directory {
	if d := t.dirs[path]; d != nil {
		return d
	}
	path = strings.Clone(path) // or it would keep a song's URI
	d := &directory{path: path}
	t.dirs[path] = d
	in := t.directory(parent(path))
	in.dirs = append(in.dirs, d)
	return d
}

// parent returns the directory of a path; empty: the root.
func parent(path string) string { return path[:max(0, strings.LastIndexByte(path, '/'))] }

// find returns the directory or the song at uri; both nil: there is neither. Slashes around it do not count.
func (t *tree) find(uri string) (*directory, *song) {
	uri = strings.Trim(uri, "/")
	if d := t.dirs[uri]; d != nil {
		return d, nil
	}
	d := t.dirs[parent(uri)]
	if d == nil {
		return nil, nil
	}
	i, ok := slices.BinarySearchFunc(d.songs, uri, func(s *song, uri string) int { return strings.Compare(s.uri, uri) })
	if !ok {
		return nil, nil
	}
	return nil, d.songs[i]
}

// each yields what is below d, directories first: the directories themselves, then their songs.
func (d *directory) each(yieldDir func(*directory), yieldSong func(*song)) {
	for _, sub := range d.dirs {
		yieldDir(sub)
		sub.each(yieldDir, yieldSong)
	}
	for _, s := range d.songs {
		yieldSong(s)
	}
}

// below returns the songs in d and in all that is in it, in the order of their paths.
func (d *directory) below() (songs []*song) {
	d.each(func(*directory) {}, func(s *song) { songs = append(songs, s) })
	return songs
}

// interned keeps one of each text.
type interned map[string][]string

func (i interned) text(s string) string {
	if s == "" {
		return ""
	}
	return i.list([]string{s})[0]
}

func (i interned) list(l []string) []string {
	if len(l) == 0 {
		return nil
	}
	key := strings.Join(l, "\x00")
	if known, ok := i[key]; ok {
		return known
	}
	i[key] = l
	return l
}

// named returns the songs of those IDs, in their order: whole where they are shared, else what they are called. What is in no
// library any more is called nothing.
func (d *database) named(ctx context.Context, ids []media.ID) ([]*song, error) {
	names, revision, err := d.shares(ctx)
	if err != nil {
		return nil, err
	}
	songs := make([]*song, len(ids))
	t := d.fresh(names, revision)
	missing := make(map[media.ID]*song)
	for i, id := range ids {
		if t != nil {
			songs[i] = t.byID[id]
		}
		if songs[i] == nil {
			missing[id] = nil
		}
	}
	if len(missing) == 0 {
		return songs, nil
	}
	if err := d.look(ctx, names, missing); err != nil {
		return nil, err
	}
	for i, id := range ids {
		if songs[i] == nil {
			songs[i] = missing[id]
		}
	}
	return songs, nil
}

// look finds what is missing, in runs that the catalog answers at once.
func (d *database) look(ctx context.Context, names shares, missing map[media.ID]*song) error {
	ids := make([]media.ID, 0, len(missing))
	for id := range missing {
		ids = append(ids, id)
	}
	for some := range slices.Chunk(ids, catalogapi.MaxLimit) {
		items, err := d.all.Lookup(ctx, some)
		if err != nil {
			return err
		}
		for i := range items {
			missing[items[i].ID] = names.song(&items[i])
		}
	}
	for id, s := range missing {
		if s == nil {
			missing[id] = stranger(&media.Item{ID: id})
		}
	}
	return nil
}

// song returns an item as it may be seen.
func (a shares) song(it *media.Item) *song {
	name, shared := a[it.Root]
	if !shared || it.Path == "" || strings.ContainsAny(it.Path, "\n\r") {
		return stranger(it)
	}
	return songOf(it, name)
}
