package native

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"net/url"
	"os"
	"strconv"

	"manofwar/internal/media"
	"manofwar/player/api"
	"manofwar/player/screen"
	streamapi "manofwar/services/stream/api"
)

// gallery finds covers. It belongs to one goroutine.
type gallery struct {
	stream *streamapi.Client
	size   image.Point // of the screen
}

// of returns an item's cover, as whoever loaded it says; nil: it has none.
func (g *gallery) of(c *api.Cover) (*screen.Art, error) {
	if c == nil {
		return nil, nil
	}
	return g.read(streamapi.Part{Inline: c.Inline, Path: c.Path, Offset: c.Offset, Length: c.Length}, true)
}

// small returns the cover of an item of the library; nil: it has none.
func (g *gallery) small(ctx context.Context, id media.ID) (*screen.Art, error) {
	if id == "" {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	side := screen.ArtSide(g.size, false)
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
	return g.read(plan.Parts[0], false)
}

func (g *gallery) read(p streamapi.Part, full bool) (*screen.Art, error) {
	var from io.ReadSeeker = bytes.NewReader(p.Inline)
	if p.Path != "" {
		f, err := os.Open(p.Path)
		if err != nil {
			return nil, fmt.Errorf("open cover: %w", err)
		}
		defer f.Close()
		from = io.NewSectionReader(f, p.Offset, p.Length)
	}
	return screen.DecodeArt(from, screen.ArtSide(g.size, full))
}
