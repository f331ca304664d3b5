package native

import (
	"context"
	"image"
	"time"

	"manofwar/internal/media"
	"manofwar/player/screen"
)

// painter turns scenes into pictures. It belongs to the stage's goroutine.
type painter struct {
	stage    *stage
	size     image.Point
	canvas   [2]*image.RGBA // the one is shown while the other is painted
	turn     int
	base     *screen.Picture // shown; nil: nothing of ours
	over     *screen.Picture // overlays shown; nil: none
	behind   [2]*screen.Picture
	cover    *screen.Art // of the item with that key
	coverKey string
	tiles    []screen.Tile
	albums   []media.Album // that the tiles are of
}

// paint has a scene shown, and returns when to come back; zero: when something is told.
func (p *painter) paint(ctx context.Context, now time.Time, s scene) (next time.Time) {
	size := p.stage.out.Size()
	if size != p.size {
		*p = painter{stage: p.stage, size: size, albums: nil}
		p.stage.art.size = size
	}
	if size == (image.Point{}) {
		return time.Time{} // a screen that comes is told
	}
	next = s.until
	if s.film {
		p.canvas, p.behind, p.base = [2]*image.RGBA{}, [2]*screen.Picture{}, nil // a film needs the memory
		return sooner(next, p.lay(now, s.over))
	}
	p.lay(now, nil)
	pic := p.stage.artist.Compose(size, now, append([]screen.Layer{p.complete(ctx, s)}, s.over...)...)
	p.show(pic)
	return sooner(next, pic.Next)
}

// show paints what has changed since this canvas was shown last, and shows it.
func (p *painter) show(pic *screen.Picture) {
	if p.base != nil && len(pic.Changes(p.base)) == 0 {
		p.base = pic
		return
	}
	canvas := p.canvas[p.turn]
	if canvas == nil {
		canvas = image.NewRGBA(image.Rectangle{Max: p.size})
		p.canvas[p.turn] = canvas
	}
	for _, r := range pic.Changes(p.behind[p.turn]) {
		pic.Paint(canvas.SubImage(r).(*image.RGBA))
	}
	p.behind[p.turn], p.base = pic, pic
	p.stage.out.SetScreen(canvas)
	p.turn = 1 - p.turn
}

// lay puts overlays over the film.
func (p *painter) lay(now time.Time, layers []screen.Layer) (next time.Time) {
	pic := p.stage.artist.Compose(p.size, now, layers...)
	if p.over == nil && pic.Bounds.Empty() || p.over != nil && len(pic.Changes(p.over)) == 0 {
		return pic.Next
	}
	img, at := p.stage.artist.Overlay(p.size, now, layers...)
	p.stage.out.Overlay(img, at)
	p.over = pic
	if img == nil {
		p.over = nil
	}
	return pic.Next
}

// complete gives a scene its covers. One that cannot be read is left out: the artist makes one of the title.
func (p *painter) complete(ctx context.Context, s scene) screen.Layer {
	switch l := s.base.(type) {
	case screen.Playing:
		l.Art = p.coverOf(s)
		return l
	case screen.Loading:
		l.Art = p.coverOf(s)
		return l
	case screen.Idle:
		l.Fresh = p.tilesOf(ctx, s.fresh)
		return l
	}
	return s.base
}

func (p *painter) coverOf(s scene) *screen.Art {
	if key := keyOf(s.player); key != p.coverKey {
		art, err := p.stage.art.of(s.cover)
		if err != nil {
			p.stage.log.Info("cover left out", "of", s.player.Item.Title, "err", err)
		}
		p.cover, p.coverKey = art, key
	}
	return p.cover
}

func (p *painter) tilesOf(ctx context.Context, albums []media.Album) []screen.Tile {
	same := len(albums) == len(p.albums)
	for i := range albums {
		same = same && albums[i].ID == p.albums[i].ID && albums[i].CoverOf == p.albums[i].CoverOf
	}
	if same {
		return p.tiles
	}
	p.albums, p.tiles = albums, nil
	for _, a := range albums {
		art, err := p.stage.art.small(ctx, a.CoverOf)
		if err != nil {
			p.stage.log.Info("cover left out", "of", a.Title, "err", err)
		}
		tile := screen.Tile{Title: a.Title, Art: art}
		if len(a.Artists) > 0 {
			tile.Subtitle = a.Artists[0]
		}
		p.tiles = append(p.tiles, tile)
	}
	return p.tiles
}

// sooner returns the earlier of two times; a zero time is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
