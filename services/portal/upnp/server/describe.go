package server

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"manofwar/internal/media"
	"manofwar/internal/upnpav"
	"manofwar/services/portal/upnp/didl"
)

func (v view) artist(a artist) didl.Object {
	return didl.Container(artists+"/"+a.id, artists, a.name, classArtist, len(a.albums))
}

func (v view) album(parent string, a media.Album) didl.Object {
	o := didl.Container(parent+"/"+string(a.ID), parent, a.Title, classAlbum, a.Tracks)
	o.Artists = cleaned(a.Artists)
	if len(o.Artists) > 0 {
		o.Creator = o.Artists[0]
	}
	o.Date = date(a.Year)
	if a.CoverOf != "" {
		o.Art = v.art(a.CoverOf)
	}
	return o
}

// item describes one. What cannot be played is listed without a place to fetch it from.
func (v view) item(parent string, it media.Item) didl.Object {
	class := classSong
	if it.Kind == media.Film {
		class = classFilm
	}
	o := didl.Item(parent+"/"+string(it.ID), parent, titleOf(it), class)
	o.Artists, o.Album, o.Genres, o.Track = cleaned(it.Artists), didl.Clean(it.Album), cleaned(it.Genres), it.Track
	if len(o.Artists) > 0 {
		o.Creator = o.Artists[0]
	}
	o.Date = date(it.Year)
	if it.Cover != nil {
		o.Art = v.art(it.ID)
	}
	if it.Problem == "" && !it.Away {
		o.Resources = []didl.Resource{v.resource(it)}
	}
	return o
}

func (v view) resource(it media.Item) didl.Resource {
	mime := map[media.Kind]string{media.Music: "audio/*", media.Film: "video/*"}[it.Kind]
	if types := upnpav.Types(it); len(types) > 0 {
		mime = types[0]
	}
	r := didl.Resource{
		Protocol: upnpav.ProtocolInfo(mime, upnpav.Profile(it)), Size: it.Size,
		URL: v.address(v.ctx, "media", it.ID, "file"+ending(it)),
	}
	if d := time.Duration(it.Duration); d > 0 {
		r.Duration = upnpav.FormatTime(d)
		r.Bitrate = int(float64(it.Size) / d.Seconds())
	}
	for _, s := range it.Streams {
		switch {
		case s.Kind == media.Audio && r.SampleRate == 0:
			r.SampleRate, r.Channels = s.SampleRate, s.Channels
		case s.Kind == media.Video && r.Resolution == "" && s.Width > 0 && it.Kind == media.Film:
			r.Resolution = fmt.Sprintf("%dx%d", s.Width, s.Height)
		}
	}
	return r
}

// ending is that of the file's name, by which some tell what it is.
func ending(it media.Item) string {
	e := strings.ToLower(path.Ext(it.Path))
	for _, c := range strings.TrimPrefix(e, ".") {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return ""
		}
	}
	if len(e) > 6 || len(e) < 2 {
		return ""
	}
	return e
}

func (v view) art(id media.ID) *didl.Art {
	return &didl.Art{URL: v.address(v.ctx, "cover", id, "cover.jpg")}
}

func titleOf(it media.Item) string {
	if it.Title != "" {
		return it.Title
	}
	name := path.Base(it.Path)
	return strings.TrimSuffix(name, path.Ext(name))
}

func date(year int) string {
	if year <= 0 || year > 9999 {
		return ""
	}
	return fmt.Sprintf("%04d-01-01", year)
}

func cleaned(names []string) []string {
	out := make([]string, 0, len(names))
	for _, n := range names {
		if n = didl.Clean(n); n != "" {
			out = append(out, n)
		}
	}
	return out
}

// sources are what the server has, as ConnectionManager:1 lists it.
func sources() string {
	var all []string
	for _, t := range upnpav.AllTypes() {
		if p := "http-get:*:" + t + ":*"; !slices.Contains(all, p) {
			all = append(all, p)
		}
	}
	return strings.Join(all, ",")
}
