package server

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"manofwar/internal/media"
	catalogapi "manofwar/services/catalog/api"
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
