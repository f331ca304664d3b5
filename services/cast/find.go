package cast

import (
	"context"
	"fmt"

	"manofwar/internal/media"
	"manofwar/services/cast/api"
	catalogapi "manofwar/services/catalog/api"
)

// find returns the items that are meant. That they are named one by one is no proof that they are in the library: what is
// not is left out when its turn comes.
func (c *Service) find(ctx context.Context, w api.What) (ids []media.ID, err error) {
	if err := checkWhat(w); err != nil {
		return nil, err
	}
	switch {
	case w.Album != "":
		page, err := c.library.Album(ctx, w.Album)
		if err != nil {
			return nil, err
		}
		for _, it := range page.Items {
			ids = append(ids, it.ID)
		}
	case w.Search != nil:
		if ids, err = c.library.IDs(ctx, catalogapi.Query{Kind: w.Search.Kind, Text: w.Search.Text}); err != nil {
			return nil, err
		}
	case len(w.Links) > 0:
		for _, l := range w.Links {
			ids = append(ids, linkID(l))
		}
	default:
		ids = w.Items
	}
	if len(ids) == 0 {
		return nil, &media.Error{Op: "find", Path: "something to play", Err: media.ErrNotFound, Hint: "The library has nothing like that."}
	}
	return ids, nil
}

func checkWhat(w api.What) error {
	named := 0
	for _, is := range []bool{len(w.Items) > 0, w.Album != "", w.Search != nil, len(w.Links) > 0} {
		if is {
			named++
		}
	}
	switch {
	case named != 1:
		return invalid("items", "expected one of items, album, search and links")
	case len(w.Links) > api.MaxLinks:
		return invalid("links", fmt.Sprintf("expected at most %d", api.MaxLinks))
	case len(w.Items) > api.MaxItems:
		return &media.Error{
			Op: "play", Path: fmt.Sprintf("%d items", len(w.Items)), Err: media.ErrFull,
			Hint: fmt.Sprintf("A queue holds %d entries.", api.MaxItems),
		}
	case w.Album != "" && !validID(w.Album):
		return invalid("album", "not an album's id")
	case w.Search != nil && len(w.Search.Text) > catalogapi.MaxText:
		return invalid("search", fmt.Sprintf("expected at most %d bytes", catalogapi.MaxText))
	}
	for _, l := range w.Links {
		if err := checkLink(l); err != nil {
			return err
		}
	}
	for _, id := range w.Items {
		if !validID(id) {
			return invalid("items", fmt.Sprintf("%.40q is no item's id", id))
		}
	}
	return nil
}

// maxID is far above the length of any ID, in bytes.
const maxID = 64

// validID reports whether id is of the characters that mean nothing in a URL (RFC 3986, section 2.3).
func validID(id media.ID) bool {
	for _, c := range []byte(id) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.', c == '~':
		default:
			return false
		}
	}
	return id != "" && len(id) <= maxID
}
