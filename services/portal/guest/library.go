package guest

import (
	"context"
	"slices"

	"manofwar/internal/media"
	catalogapi "manofwar/services/catalog/api"
)

// Shelves is what is asked of the catalog. Its client is one.
type Shelves interface {
	Items(context.Context, catalogapi.Query) (catalogapi.Page, error)
	IDs(context.Context, catalogapi.Query) ([]media.ID, error)
	Lookup(context.Context, []media.ID) ([]media.Item, error)
	Item(context.Context, media.ID) (media.Item, error)
	Albums(context.Context, catalogapi.Query) (catalogapi.Albums, error)
	Album(context.Context, media.ID) (catalogapi.AlbumPage, error)
	Status(context.Context) (catalogapi.Status, error)
}

// Library is the catalog as the guests of one protocol see it: the libraries chosen for it, and nothing else. Each call
// follows the choice of the moment. What is not shared is [media.ErrNotFound], as is what is not there; other errors are
// the catalog's.
type Library struct {
	guests  *Guests
	of      Protocol
	shelves Shelves
}

// Library returns what the guests of p see of shelves.
func (g *Guests) Library(p Protocol, shelves Shelves) *Library { return &Library{g, p, shelves} }

// Chosen returns the libraries that are shared now; none while the protocol is off.
func (l *Library) Chosen() []media.ID {
	c, _ := l.guests.choice(l.of)
	if !c.On {
		return nil
	}
	return slices.Clone(c.Libraries)
}

// narrow keeps q to what is shared; false: nothing of it is.
func (l *Library) narrow(q *catalogapi.Query) bool {
	chosen := l.Chosen()
	if len(q.Libraries) > 0 {
		chosen = slices.DeleteFunc(chosen, func(id media.ID) bool { return !slices.Contains(q.Libraries, id) })
	}
	q.Libraries = chosen
	return len(chosen) > 0
}

// Items returns the items that q selects.
func (l *Library) Items(ctx context.Context, q catalogapi.Query) (catalogapi.Page, error) {
	if !l.narrow(&q) {
		return catalogapi.Page{}, nil
	}
	return l.shelves.Items(ctx, q)
}

// IDs returns the IDs of all items that q selects.
func (l *Library) IDs(ctx context.Context, q catalogapi.Query) ([]media.ID, error) {
	if !l.narrow(&q) {
		return nil, nil
	}
	return l.shelves.IDs(ctx, q)
}

// Albums returns the albums that q selects.
func (l *Library) Albums(ctx context.Context, q catalogapi.Query) (catalogapi.Albums, error) {
	if !l.narrow(&q) {
		return catalogapi.Albums{}, nil
	}
	return l.shelves.Albums(ctx, q)
}

// Lookup returns those of the items that there are, in the order asked for.
func (l *Library) Lookup(ctx context.Context, ids []media.ID) ([]media.Item, error) {
	chosen := l.Chosen()
	if len(chosen) == 0 {
		return nil, nil
	}
	items, err := l.shelves.Lookup(ctx, ids)
	return slices.DeleteFunc(items, func(it media.Item) bool { return !slices.Contains(chosen, it.Root) }), err
}

// Item returns one item.
func (l *Library) Item(ctx context.Context, id media.ID) (media.Item, error) {
	it, err := l.shelves.Item(ctx, id)
	if err == nil && !slices.Contains(l.Chosen(), it.Root) {
		return media.Item{}, errNotShared("find item", id)
	}
	return it, err
}

// Album returns one album with its tracks, all of which are in one library.
func (l *Library) Album(ctx context.Context, id media.ID) (catalogapi.AlbumPage, error) {
	a, err := l.shelves.Album(ctx, id)
	if err != nil {
		return catalogapi.AlbumPage{}, err
	}
	chosen := l.Chosen()
	if len(a.Items) == 0 || slices.ContainsFunc(a.Items, func(it media.Item) bool { return !slices.Contains(chosen, it.Root) }) {
		return catalogapi.AlbumPage{}, errNotShared("find album", id)
	}
	return a, nil
}

// Roots returns the libraries that are shared and known, by name, and the revision of the whole catalog.
func (l *Library) Roots(ctx context.Context) (roots []media.Root, revision uint64, err error) {
	s, err := l.shelves.Status(ctx)
	if err != nil {
		return nil, 0, err
	}
	chosen := l.Chosen()
	for _, r := range s.Roots {
		if slices.Contains(chosen, r.ID) {
			roots = append(roots, r)
		}
	}
	return roots, s.Revision, nil
}

func errNotShared(op string, id media.ID) error {
	return &media.Error{Op: op, Path: string(id), Err: media.ErrNotFound}
}
