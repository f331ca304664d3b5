package server

import (
	"context"
	"slices"
	"strings"

	"manofwar/internal/media"
	catalogapi "manofwar/services/catalog/api"
	"manofwar/services/portal/upnp/didl"
)

// maxFound bounds what one search finds among what has to be looked at one by one.
const maxFound = 5000

// source is a kind of objects that a search may find: page returns a run of those that have words.
type source struct {
	class  string
	within []string // the containers in which a search finds them
	page   func(v view, text string, p page) ([]didl.Object, int, error)
}

var inAll = []string{root, music}

// sourcesOf are the kinds, in the order in which they are found.
func sourcesOf() []source {
	items := func(parent string, kind media.Kind) func(v view, text string, p page) ([]didl.Object, int, error) {
		return func(v view, text string, p page) ([]didl.Object, int, error) {
			return v.items(parent, catalogapi.Query{Kind: kind, Text: text}, p)
		}
	}
	return []source{
		{classArtist, append([]string{artists}, inAll...), func(v view, text string, p page) ([]didl.Object, int, error) {
			list := v.shelf.artists
			for word := range strings.FieldsSeq(strings.ToLower(text)) {
				list = slices.DeleteFunc(slices.Clone(list), func(a artist) bool { return !strings.Contains(strings.ToLower(a.name), word) })
			}
			return pick(list, p, v.artist), len(list), nil
		}},
		{classAlbum, append([]string{albums, recent}, inAll...), func(v view, text string, p page) ([]didl.Object, int, error) {
			return v.albums(albums, catalogapi.Query{Text: text}, p)
		}},
		{classSong, append([]string{songs}, inAll...), items(songs, media.Music)},
		{classFilm, []string{root, films}, items(films, media.Film)},
	}
}

// search answers with the objects that criteria hold for (section 2.7.5). The library finds words by how they begin; what
// it finds is then held to the criteria.
func (s *Server) search(ctx context.Context, in map[string]string) (map[string]string, error) {
	c, err := parseCriteria(in["SearchCriteria"])
	if err != nil {
		return nil, err
	}
	sh, err := s.look(ctx)
	if err != nil {
		return nil, err
	}
	v := view{s, sh, ctx}
	if o, err := v.object(in["ContainerID"]); err != nil || o.XMLName.Local != "container" {
		return nil, errNoContainer
	}
	var objects []didl.Object
	total, p := 0, pageOf(in)
	for _, from := range sourcesOf() {
		hold, fail := c.may(from.class)
		if !hold || !slices.Contains(from.within, in["ContainerID"]) {
			continue
		}
		rest := page{max(0, p.start-total), p.count - len(objects)}
		var list []didl.Object
		var n int
		if fail {
			list, n, err = v.sift(from, c, rest)
		} else {
			list, n, err = from.page(v, "", rest)
		}
		if err != nil {
			return nil, err
		}
		objects, total = append(objects, list...), total+n
	}
	return s.answer(objects, total), nil
}

// sift holds what has the words of a search to its criteria, and returns a page of what is left, and how much that is.
func (v view) sift(from source, c criterion, p page) (objects []didl.Object, total int, err error) {
	seen := map[string]bool{}
	for _, words := range c.words() {
		text := strings.Join(words, " ")
		text = strings.ToValidUTF8(text[:min(len(text), catalogapi.MaxText)], "")
		for start := 0; ; start += maxPage {
			list, n, err := from.page(v, text, page{start, maxPage})
			if err != nil {
				return nil, 0, err
			}
			for i := range list {
				o := &list[i]
				if seen[o.ID] || len(seen) >= maxFound || !c.holds(o) {
					continue
				}
				seen[o.ID] = true
				if total >= p.start && len(objects) < p.count {
					objects = append(objects, *o)
				}
				total++
			}
			if start+maxPage >= n || len(seen) >= maxFound {
				break
			}
		}
	}
	return objects, total, nil
}
