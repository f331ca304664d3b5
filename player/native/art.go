package native

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"log/slog"
	"net/url"
	"os"
	"strconv"
	"sync"

	"manofwar/internal/media"
	"manofwar/player/api"
	"manofwar/player/screen"
	streamapi "manofwar/services/stream/api"
)

// gallery finds covers while the screen goes on. It is told what is wanted, of which the latest counts, and hangs what it has
// found.
type gallery struct {
	stream *streamapi.Client
	log    *slog.Logger
	kick   chan struct{} // something is wanted; holds one

	mu   sync.Mutex // guards want
	want wall
}

// wall is where covers are to hang.
type wall struct {
	size  image.Point // of the screen; zero: there is none
	item  *api.Item   // that plays; nil: none
	next  *api.Item   // that follows; nil: none
	fresh []media.Album
}

// hung is what the gallery has found.
type hung struct {
	key   string // of the item
	cover *screen.Art
	tiles []screen.Tile // of the albums, in their order

	next      string // the key of what follows
	nextCover *screen.Art
}

func newGallery(stream *streamapi.Client, log *slog.Logger) *gallery {
	return &gallery{stream: stream, log: log, kick: make(chan struct{}, 1)}
}

// ask says what is wanted.
func (g *gallery) ask(w wall) {
	g.mu.Lock()
	g.want = w
	g.mu.Unlock()
	select {
	case g.kick <- struct{}{}:
	default:
	}
}

// run looks for covers until ctx ends.
func (g *gallery) run(ctx context.Context, hang func(hung)) {
	var have hung
	var last wall
	for {
		select {
		case <-ctx.Done():
			return
		case <-g.kick:
		}
		g.mu.Lock()
		want := g.want
		g.mu.Unlock()
		if want.size == (image.Point{}) {
			continue
		}
		again := want.size != last.size
		if key := keyOf(want.item); again || key != have.key {
			have.key, have.cover = key, g.coverOf(ctx, want.item, screen.ArtSide(want.size, true))
			hang(have)
		}
		if key := keyOf(want.next); again || key != have.next {
			have.next, have.nextCover = key, g.coverOf(ctx, want.next, screen.ArtSide(want.size, false))
			hang(have)
		}
		if again || !sameCovers(want.fresh, last.fresh) {
			have.tiles = g.tiles(ctx, want)
			hang(have)
		}
		last = want
	}
}

// coverOf returns the cover of an item: where whoever loaded it says, or as the library knows it; nil: there is none.
func (g *gallery) coverOf(ctx context.Context, it *api.Item, side int) *screen.Art {
	if it == nil {
		return nil
	}
	var art *screen.Art
	var err error
	if c := it.Cover; c != nil {
		art, err = read(streamapi.Part{Inline: c.Inline, Path: c.Path, Offset: c.Offset, Length: c.Length}, side)
	} else {
		art, err = g.find(ctx, it.ID, side)
	}
	if err != nil {
		g.log.Info("cover left out", "of", it.Title, "err", err)
	}
	return art
}

// tiles returns albums as the idle screen has them. The artist makes a cover for one without.
func (g *gallery) tiles(ctx context.Context, w wall) (tiles []screen.Tile) {
	for _, a := range w.fresh {
		art, err := g.find(ctx, a.CoverOf, screen.ArtSide(w.size, false))
		if err != nil {
			g.log.Info("cover left out", "of", a.Title, "err", err)
		}
		tile := screen.Tile{Title: a.Title, Art: art}
		if len(a.Artists) > 0 {
			tile.Subtitle = a.Artists[0]
		}
		tiles = append(tiles, tile)
	}
	return tiles
}

// find returns the cover of an item of the library; nil: it has none.
func (g *gallery) find(ctx context.Context, id media.ID, side int) (*screen.Art, error) {
	if id == "" {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	plan, err := g.stream.Plan(ctx, id, "cover", url.Values{"size": {strconv.Itoa(side)}})
	if errors.Is(err, media.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if len(plan.Parts) != 1 {
		return nil, fmt.Errorf("cover of %s: it is in %d parts", id, len(plan.Parts))
	}
	return read(plan.Parts[0], side)
}

func read(p streamapi.Part, side int) (*screen.Art, error) {
	var from io.ReadSeeker = bytes.NewReader(p.Inline)
	if p.Path != "" {
		f, err := os.Open(p.Path)
		if err != nil {
			return nil, fmt.Errorf("open cover: %w", err)
		}
		defer f.Close()
		from = io.NewSectionReader(f, p.Offset, p.Length)
	}
	return screen.DecodeArt(from, side)
}

// sameCovers reports whether two lists of albums look the same.
func sameCovers(a, b []media.Album) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].ID != b[i].ID || a[i].CoverOf != b[i].CoverOf || a[i].Title != b[i].Title {
			return false
		}
	}
	return true
}
