package portal

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"manofwar/internal/media"
	catalogapi "manofwar/services/catalog/api"
)

// callTimeout is how long a page waits for a list. Longer waits have lost the person already.
const callTimeout = 10 * time.Second

func (p *Service) items(w http.ResponseWriter, r *http.Request) error {
	return lookUp(w, r, query, p.shelves.Items)
}

func (p *Service) item(w http.ResponseWriter, r *http.Request) error {
	return lookUp(w, r, pathID, p.shelves.Item)
}

func (p *Service) albums(w http.ResponseWriter, r *http.Request) error {
	return lookUp(w, r, query, p.shelves.Albums)
}

func (p *Service) album(w http.ResponseWriter, r *http.Request) error {
	return lookUp(w, r, pathID, p.shelves.Album)
}

// lookUp parses what is asked for, gets it and answers with it.
func lookUp[Q, A any](w http.ResponseWriter, r *http.Request, parse func(*http.Request) (Q, error), get func(context.Context, Q) (A, error)) error {
	q, err := parse(r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), callTimeout)
	defer cancel()
	answer, err := get(ctx, q)
	if err != nil {
		return err
	}
	return writeJSON(w, r, answer)
}

// query reads what a list is to hold. A parameter that is not understood is an error rather than a longer list.
func query(r *http.Request) (q catalogapi.Query, err error) {
	v, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return q, invalid("query", err.Error())
	}
	q.Kind, q.Album, q.Text = media.Kind(v.Get("kind")), media.ID(v.Get("album")), v.Get("q")
	if q.Kind != "" && q.Kind != media.Music && q.Kind != media.Film {
		return q, invalid("kind", "expected music or film")
	}
	if q.Album != "" && !validID(string(q.Album)) {
		return q, invalid("album", "not an album's id")
	}
	if len(q.Text) > catalogapi.MaxText {
		return q, invalid("q", fmt.Sprintf("expected at most %d bytes", catalogapi.MaxText))
	}
	if q.Sort = v.Get("sort"); q.Sort != "" && q.Sort != catalogapi.Newest {
		return q, invalid("sort", "expected "+catalogapi.Newest)
	}
	if q.Offset, err = number(v, "offset", 0, catalogapi.MaxOffset); err != nil {
		return q, err
	}
	if v.Has("limit") {
		q.Limit, err = number(v, "limit", 1, catalogapi.MaxLimit)
	}
	return q, err
}

// number reads a parameter that must lie in low…high. Without it the result is low.
func number(v url.Values, name string, low, high int) (int, error) {
	if !v.Has(name) {
		return low, nil
	}
	n, err := strconv.Atoi(v.Get(name))
	if err != nil || n < low || n > high {
		return 0, invalid(name, fmt.Sprintf("expected a number from %d to %d", low, high))
	}
	return n, nil
}

func invalid(field, why string) error {
	return &media.Error{Op: "read parameter", Path: field, Err: fmt.Errorf("%w: %s", media.ErrInvalid, why)}
}

// pathID reads the {id} of a route. What cannot be an ID is not found.
func pathID(r *http.Request) (media.ID, error) {
	id := r.PathValue("id")
	if !validID(id) {
		return "", errNoPage(r.URL.Path)
	}
	return media.ID(id), nil
}

// maxID is far above the length of any ID, in bytes.
const maxID = 128

// validID reports whether s is of the characters that mean nothing in a URL (RFC 3986, section 2.3) nor in a path.
func validID(s string) bool {
	for _, c := range []byte(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.', c == '~':
		default:
			return false
		}
	}
	return s != "" && len(s) <= maxID && s != "." && s != ".."
}

func (p *Service) scan(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), callTimeout)
	defer cancel()
	if err := p.shelves.Scan(ctx); err != nil {
		return err
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}
