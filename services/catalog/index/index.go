// Package index is the catalog's memory: what every item is, sorted and searchable, and the file that keeps it.
//
// All of it is held in memory, compactly; the file (bbolt, in the service's state directory) only has to bring it back
// after a restart. Where the file cannot be written or turns out to be damaged, everything is served from memory, the
// trouble is told, and a scan restores what was lost: nothing is kept here that the media files do not say again.
//
// Changes go to the [Index] one by one. Queries see a sorted [View] of them, made by [Index.Refresh], so that a page of
// results never shifts while a scan runs.
package index

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unique"

	"manofwar/internal/media"
)

// Index holds the items of all roots. Its methods may be called from any goroutine.
type Index struct {
	mu       sync.RWMutex // guards all that follows up to view
	roots    map[media.ID]*root
	byID     map[uint64]*entry
	byPath   map[uint64]*entry // by pathID of where it is now
	pending  map[string]*entry // changes that are not in the file yet, by key; nil: deleted
	revision uint64            // rises with every change
	store    *store

	view atomic.Pointer[View]
}

// root is a library. It is replaced, never altered, when something about it changes.
type root struct {
	media.Root
	items *atomic.Int64
}

// entry is one item. It is replaced, never altered, when its file changes.
type entry struct {
	id       uint64
	root     media.ID
	dir      unique.Handle[string] // slash-separated, below the root, with a slash at its end unless empty
	name     string
	size     int64
	modified int64 // Unix, in nanoseconds
	added    int64 // Unix, in seconds
	facts    string
	seen     atomic.Uint32 // the last pass over its root that met it
	picture  uint32        // as coverMark has it
}

func (e *entry) path() string { return e.dir.Value() + e.name }

// key is the entry's key in the file: sorted, so that what is scanned together is written together.
func (e *entry) key() string { return string(e.root) + "\x00" + e.path() }

// encoding writes IDs: lower case, safe in URLs and file names.
var encoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// MakeID returns an ID that follows from the parts alone, so that a lost index does not change it.
func MakeID(parts ...string) media.ID { return formatID(hash(parts...)) }

func hash(parts ...string) uint64 {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return binary.BigEndian.Uint64(sum[:])
}

func pathID(rootID media.ID, path string) uint64 { return hash(string(rootID), path) }

func formatID(id uint64) media.ID {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], id)
	return media.ID(encoding.EncodeToString(b[:]))
}

func parseID(s media.ID) (uint64, bool) {
	var b [8]byte
	if len(s) != encoding.EncodedLen(len(b)) {
		return 0, false
	}
	if n, err := encoding.Decode(b[:], []byte(s)); err != nil || n != len(b) {
		return 0, false
	}
	return binary.BigEndian.Uint64(b[:]), true
}

// SetRoot adds a library or replaces what is known of it; Items is kept by the index.
func (x *Index) SetRoot(r media.Root) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.setRoot(r)
}

// setRoot is [Index.SetRoot] for who holds mu. It notes whether the file has to learn of it.
func (x *Index) setRoot(r media.Root) {
	next := &root{r, new(atomic.Int64)}
	old := x.roots[r.ID]
	if old != nil {
		next.items = old.items
	}
	if old == nil || old.Name != r.Name || old.Path != r.Path || old.Disk != r.Disk {
		x.store.dirtyRoots = true
	}
	x.roots[r.ID] = next
	x.revision++
}

// UpdateRoot changes what is known of a library, if it is known.
func (x *Index) UpdateRoot(id media.ID, change func(r *media.Root)) {
	x.mu.Lock()
	defer x.mu.Unlock()
	old := x.roots[id]
	if old == nil {
		return
	}
	r := old.Root
	if change(&r); r != old.Root {
		x.setRoot(r)
	}
}

// Root returns a library.
func (x *Index) Root(id media.ID) (media.Root, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	r := x.roots[id]
	if r == nil {
		return media.Root{}, false
	}
	return r.snapshot(), true
}

// Roots returns the libraries, by name.
func (x *Index) Roots() []media.Root {
	x.mu.RLock()
	defer x.mu.RUnlock()
	list := make([]media.Root, 0, len(x.roots))
	for _, r := range x.roots {
		list = append(list, r.snapshot())
	}
	slices.SortFunc(list, func(a, b media.Root) int {
		return strings.Compare(fold(a.Name)+"\x00"+string(a.ID), fold(b.Name)+"\x00"+string(b.ID))
	})
	return list
}

func (r *root) snapshot() media.Root {
	out := r.Root
	out.Items = int(r.items.Load())
	return out
}

// Drop removes a library and its items from memory. The file keeps them, for when it is configured again.
func (x *Index) Drop(id media.ID) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.roots, id)
	maps.DeleteFunc(x.byID, func(_ uint64, e *entry) bool { return e.root == id })
	maps.DeleteFunc(x.byPath, func(_ uint64, e *entry) bool { return e.root == id })
	maps.DeleteFunc(x.pending, func(_ string, e *entry) bool { return e != nil && e.root == id })
	x.revision++
}

// Stamp is what tells whether a file has changed since it was read.
type Stamp struct {
	Size     int64
	Modified time.Time
	Cover    *media.Range // the picture in its folder; nil: there is none
}

// Marks of where an item's cover is.
const (
	noCover  = iota
	embedded // in the file: one beside it does not count
	retry    // the file could not be read: it is tried again in every pass
	beside   // and more: a hash of the picture's path and size
)

func coverMark(c *media.Range, problem string) uint32 {
	switch {
	case problem != "":
		return retry
	case c == nil:
		return noCover
	case c.Path == "":
		return embedded
	}
	return max(beside, uint32(hash(c.Path, strconv.FormatInt(c.Length, 10))))
}

// Seen notes that a pass met the file at path, and reports whether it is as the index has it: then nothing needs to be read.
func (x *Index) Seen(rootID media.ID, path string, s Stamp, pass uint32) (unchanged bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	e := x.byPath[pathID(rootID, path)]
	if e == nil || e.root != rootID || e.path() != path {
		return false
	}
	e.seen.Store(pass)
	if e.size != s.Size || e.modified != s.Modified.UnixNano() {
		return false
	}
	return e.picture == embedded || e.picture == coverMark(s.Cover, "")
}

// Put adds an item or replaces the one at its root and path, whose ID and time of addition stay. It returns the ID.
func (x *Index) Put(it media.Item, pass uint32) media.ID {
	slash := strings.LastIndexByte(it.Path, '/') + 1
	e := &entry{
		root: it.Root, dir: unique.Make(it.Path[:slash]), name: strings.Clone(it.Path[slash:]),
		size: it.Size, modified: it.Modified.UnixNano(), added: it.Added.Unix(),
		facts: encodeFacts(&it), picture: coverMark(it.Cover, it.Problem),
	}
	e.seen.Store(pass)
	x.mu.Lock()
	defer x.mu.Unlock()
	at := pathID(it.Root, it.Path)
	if old := x.byPath[at]; old != nil && old.root == e.root && old.path() == it.Path {
		if old.size == e.size && old.modified == e.modified && old.facts == e.facts {
			old.seen.Store(pass)
			return formatID(old.id)
		}
		e.id, e.added = old.id, old.added
	} else {
		e.id = x.freeID(at)
		x.count(e.root, 1)
	}
	x.byID[e.id], x.byPath[at] = e, e
	x.pending[e.key()] = e
	x.revision++
	return formatID(e.id)
}

// freeID returns id, or one derived from it where a file that has since moved has it already.
func (x *Index) freeID(id uint64) uint64 {
	for x.byID[id] != nil || id == 0 {
		id = hash(string(formatID(id)))
	}
	return id
}

func (x *Index) count(id media.ID, by int64) {
	if r := x.roots[id]; r != nil {
		r.items.Add(by)
	}
}

// Sweep removes the items of a root that the pass has not met, but for those that keep reports true for.
func (x *Index) Sweep(rootID media.ID, pass uint32, keep func(path string) bool) (removed int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for at, e := range x.byPath {
		if e.root != rootID || e.seen.Load() == pass || keep(e.path()) {
			continue
		}
		delete(x.byPath, at)
		delete(x.byID, e.id)
		x.pending[e.key()] = nil
		x.count(rootID, -1)
		x.revision++
		removed++
	}
	return removed
}

// Item returns one item, or [media.ErrNotFound].
func (x *Index) Item(id media.ID) (media.Item, error) {
	n, ok := parseID(id)
	x.mu.RLock()
	defer x.mu.RUnlock()
	e := x.byID[n]
	if !ok || e == nil {
		return media.Item{}, &media.Error{Op: "find item", Path: string(id), Err: media.ErrNotFound}
	}
	return x.item(e), nil
}

// item decodes an entry. The caller holds mu.
func (x *Index) item(e *entry) media.Item {
	it := media.Item{
		ID: formatID(e.id), Root: e.root, Path: e.path(), Size: e.size,
		Modified: time.Unix(0, e.modified).UTC(), Added: time.Unix(e.added, 0).UTC(),
	}
	h, _ := decodeFacts(e.facts, &it) // made by encodeFacts, or checked when it was loaded
	if r := x.roots[e.root]; r == nil || r.Away {
		it.Away = true
	}
	it.AlbumID = albumOf(e, &h)
	return it
}

// albumOf returns the ID of the album that an item is on; empty: it is on none.
func albumOf(e *entry, h *head) media.ID {
	if k, ok := albumKeyOf(e, h); ok {
		return formatID(k.hash())
	}
	return ""
}

// albumKey is what the tracks of an album have in common: the album artist where they say one, else the folder, so that
// a compilation without one stays together. A folder that only numbers a disc counts as the one it is in.
type albumKey struct {
	root    media.ID
	artists string // with \x01 in between
	dir     unique.Handle[string]
	title   string
}

// noDir is the folder of albums that are told by their artist.
var noDir = unique.Make("")

func albumKeyOf(e *entry, h *head) (albumKey, bool) {
	if h.album == "" || h.kind != media.Music {
		return albumKey{}, false
	}
	k := albumKey{root: e.root, title: h.album, dir: noDir}
	switch len(h.albumArtists) {
	case 0:
		k.dir = e.dir
	case 1:
		k.artists = h.albumArtists[0]
	default:
		k.artists = strings.Join(h.albumArtists, "\x01")
	}
	return k, true
}

// hash makes the ID, from texts that are folded, so that differences in writing do not split an album.
func (k albumKey) hash() uint64 {
	if k.artists != "" {
		return hash("album", string(k.root), fold(k.artists), fold(k.title))
	}
	return hash("folder", string(k.root), albumDir(k.dir.Value()), fold(k.title))
}

// albumDir cuts off a last folder like "CD 1" or "Disc2".
func albumDir(dir string) string {
	dir = strings.TrimSuffix(dir, "/")
	i := strings.LastIndexByte(dir, '/') + 1
	last := strings.ToLower(dir[i:])
	for _, prefix := range []string{"cd", "disc", "disk"} {
		if rest, ok := strings.CutPrefix(last, prefix); ok && strings.Trim(rest, " _-.0123456789") == "" {
			return strings.TrimSuffix(dir[:i], "/")
		}
	}
	return dir
}
