package server

import (
	"context"
	"errors"
	"slices"
	"strings"

	"manofwar/internal/media"
	catalogapi "manofwar/services/catalog/api"
	"manofwar/services/portal/upnp/didl"
)

// The containers that are always there. An object within one has its ID, a slash, and its own.
const (
	root    = "0"
	music   = "music"
	films   = "films"
	artists = "artists"
	albums  = "albums"
	songs   = "songs"
	recent  = "recent"
)

// maxRecent bounds the albums that were added recently.
const maxRecent = 100

// The classes of objects.
const (
	classFolder = "object.container.storageFolder"
	classArtist = "object.container.person.musicArtist"
	classAlbum  = "object.container.album.musicAlbum"
	classSong   = "object.item.audioItem.musicTrack"
	classFilm   = "object.item.videoItem.movie"
)

// view is the library to one call.
type view struct {
	*Server
	shelf *shelf
	ctx   context.Context
}

// folder is a container that is always there.
type folder struct{ id, parent, title string }

// folders are these, each after its parent. Guests may be in any language; those who browse mostly show their own words for
// music and films beside these.
var folders = []folder{
	{root, "-1", "manofwar"},
	{music, root, "Music"},
	{films, root, "Films"},
	{artists, music, "Artists"},
	{albums, music, "Albums"},
	{songs, music, "All songs"},
	{recent, music, "Recently added"},
}

// notFound makes an answer in UPnP's words of what is not there.
func notFound(err error) error {
	if errors.Is(err, media.ErrNotFound) {
		return errNoObject
	}
	return err
}

var errGone = &media.Error{Op: "browse", Path: "it", Err: media.ErrNotFound}

// object returns one object.
func (v view) object(id string) (didl.Object, error) {
	for _, f := range folders {
		if f.id == id {
			return v.folder(f)
		}
	}
	parent, last, ok := cutLast(id)
	if !ok {
		return didl.Object{}, errGone
	}
	switch {
	case parent == artists:
		if i, ok := v.shelf.byID[last]; ok {
			return v.artist(v.shelf.artists[i]), nil
		}
	case v.isAlbum(id):
		a, err := v.opts.Library.Album(v.ctx, media.ID(last))
		if err != nil {
			return didl.Object{}, err
		}
		return v.album(parent, a.Album), nil
	case v.holdsItems(parent):
		it, err := v.opts.Library.Item(v.ctx, media.ID(last))
		if err != nil {
			return didl.Object{}, err
		}
		if album, ok := v.albumOf(parent); it.Kind != kinds[parent] && !ok || ok && it.AlbumID != album {
			return didl.Object{}, errGone
		}
		return v.item(parent, it), nil
	}
	return didl.Object{}, errGone
}

// holdsItems reports whether a container of that ID would hold items.
func (v view) holdsItems(id string) bool {
	return id == songs || id == films || v.isAlbum(id)
}

// kinds are those of the items in the containers that hold one.
var kinds = map[string]media.Kind{songs: media.Music, films: media.Film}

// isAlbum reports whether a container of that ID would be an album, of whoever has made it where it is an artist's.
func (v view) isAlbum(id string) bool {
	_, ok := v.albumOf(id)
	return ok
}

func (v view) albumOf(id string) (media.ID, bool) {
	parent, last, ok := cutLast(id)
	if !ok {
		return "", false
	}
	if within, name, _ := cutLast(parent); within == artists {
		i, known := v.shelf.byID[name]
		return media.ID(last), known && slices.ContainsFunc(v.shelf.artists[i].albums, func(a media.Album) bool { return a.ID == media.ID(last) })
	}
	return media.ID(last), parent == albums || parent == recent
}

func cutLast(id string) (parent, last string, ok bool) {
	i := strings.LastIndexByte(id, '/')
	if i < 0 {
		return "", "", false
	}
	return id[:i], id[i+1:], true
}

// folder describes a container that is always there, with the number of what is in it.
func (v view) folder(f folder) (didl.Object, error) {
	_, total, err := v.children(f.id, page{0, 1})
	return didl.Container(f.id, f.parent, f.title, classFolder, total), err
}

// children returns a page of what is in a container, and how much that is in all.
func (v view) children(id string, p page) ([]didl.Object, int, error) {
	switch id {
	case root, music:
		return v.foldersIn(id, p)
	case artists:
		return pick(v.shelf.artists, p, v.artist), len(v.shelf.artists), nil
	case albums:
		return v.albums(id, catalogapi.Query{}, p)
	case recent:
		p.count = min(p.count, max(0, maxRecent-p.start))
		list, total, err := v.albums(id, catalogapi.Query{Sort: catalogapi.Newest}, p)
		return list, min(total, maxRecent), err
	case songs:
		return v.items(id, catalogapi.Query{Kind: media.Music}, p)
	case films:
		return v.items(id, catalogapi.Query{Kind: media.Film}, p)
	}
	parent, last, ok := cutLast(id)
	if !ok {
		return nil, 0, errGone
	}
	if parent == artists {
		i, ok := v.shelf.byID[last]
		if !ok {
			return nil, 0, errGone
		}
		list := v.shelf.artists[i].albums
		return pick(list, p, func(a media.Album) didl.Object { return v.album(id, a) }), len(list), nil
	}
	if !v.holdsItems(id) {
		if o, err := v.object(id); err == nil && o.XMLName.Local == "item" {
			return nil, 0, errNoContainer
		}
		return nil, 0, errGone
	}
	a, err := v.opts.Library.Album(v.ctx, media.ID(last))
	if err != nil {
		return nil, 0, err
	}
	return pick(a.Items, p, func(it media.Item) didl.Object { return v.item(id, it) }), len(a.Items), nil
}

// pick describes a page of a list.
func pick[T any](list []T, p page, describe func(T) didl.Object) []didl.Object {
	from := min(p.start, len(list))
	list = list[from:min(from+p.count, len(list))]
	out := make([]didl.Object, len(list))
	for i, x := range list {
		out[i] = describe(x)
	}
	return out
}

func (v view) foldersIn(id string, p page) ([]didl.Object, int, error) {
	var all []didl.Object
	for _, f := range folders {
		if f.parent != id {
			continue
		}
		o, err := v.folder(f)
		if err != nil {
			return nil, 0, err
		}
		all = append(all, o)
	}
	return pick(all, p, func(o didl.Object) didl.Object { return o }), len(all), nil
}

func (v view) albums(parent string, q catalogapi.Query, p page) ([]didl.Object, int, error) {
	if q.Offset, q.Limit = p.start, max(p.count, 1); p.start >= 1<<30 {
		q.Offset = 1<<30 - 1
	}
	a, err := v.opts.Library.Albums(v.ctx, q)
	a.Albums = a.Albums[:min(len(a.Albums), p.count)]
	return pick(a.Albums, page{0, p.count}, func(a media.Album) didl.Object { return v.album(parent, a) }), a.Total, err
}

func (v view) items(parent string, q catalogapi.Query, p page) ([]didl.Object, int, error) {
	if q.Offset, q.Limit = p.start, max(p.count, 1); p.start >= 1<<30 {
		q.Offset = 1<<30 - 1
	}
	found, err := v.opts.Library.Items(v.ctx, q)
	return pick(found.Items, page{0, p.count}, func(it media.Item) didl.Object { return v.item(parent, it) }), found.Total, err
}
