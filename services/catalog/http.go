package catalog

import (
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"unicode/utf8"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
	"manofwar/services/catalog/api"
	"manofwar/services/catalog/index"
)

// defaultLimit is how long a page is when the client does not say.
const defaultLimit = 100

// handler answers what package api documents.
func (s *Service) handler() http.Handler {
	mux := http.NewServeMux()
	routes := map[string]func(w http.ResponseWriter, r *http.Request) error{
		"GET /items":           s.getItems,
		"GET /items/{id}":      s.getItem,
		"GET /items/{id}/file": s.getFile,
		"GET /ids":             s.getIDs,
		"POST /lookup":         s.postLookup,
		"GET /albums":          s.getAlbums,
		"GET /albums/{id}":     s.getAlbum,
		"GET /status":          s.getStatus,
		"POST /scan":           s.postScan,
	}
	for pattern, f := range routes {
		mux.Handle(pattern, ipc.Handler(f))
	}
	mux.Handle("GET /events", &s.events)
	return mux
}

func (s *Service) getItems(w http.ResponseWriter, r *http.Request) error {
	q, err := parseQuery(r)
	if err != nil {
		return err
	}
	total, items := s.index.View().Items(q)
	ipc.WriteJSON(w, api.Page{Total: total, Items: items})
	return nil
}

// getIDs answers for all that is selected: one page, however long.
func (s *Service) getIDs(w http.ResponseWriter, r *http.Request) error {
	q, err := parseQuery(r)
	if err != nil {
		return err
	}
	if q.Limit = api.MaxIDs; r.URL.Query().Get("limit") != "" {
		return &media.Error{Op: "read parameter", Path: "limit", Err: media.ErrInvalid, Hint: "There is none here."}
	}
	total, ids := s.index.View().IDs(q)
	ipc.WriteJSON(w, api.IDs{Total: total, IDs: ids})
	return nil
}

func (s *Service) postLookup(w http.ResponseWriter, r *http.Request) error {
	var in api.Lookup
	if err := ipc.ReadJSON(w, r, &in); err != nil {
		return err
	}
	if len(in.IDs) > api.MaxLimit {
		return &media.Error{Op: "look up", Path: "ids", Err: media.ErrInvalid, Hint: fmt.Sprintf("At most %d at once.", api.MaxLimit)}
	}
	found := api.Found{Items: make([]media.Item, 0, len(in.IDs))}
	for _, id := range in.IDs {
		if it, err := s.index.Item(id); err == nil {
			found.Items = append(found.Items, it)
		}
	}
	ipc.WriteJSON(w, found)
	return nil
}

func (s *Service) getItem(w http.ResponseWriter, r *http.Request) error {
	it, err := s.index.Item(media.ID(r.PathValue("id")))
	if err != nil {
		return err
	}
	ipc.WriteJSON(w, it)
	return nil
}

func (s *Service) getFile(w http.ResponseWriter, r *http.Request) error {
	f, err := s.file(media.ID(r.PathValue("id")))
	if err != nil {
		return err
	}
	ipc.WriteJSON(w, f)
	return nil
}

// file finds an item's file and makes sure that it is there.
func (s *Service) file(id media.ID) (api.File, error) {
	it, err := s.index.Item(id)
	if err != nil {
		return api.File{}, err
	}
	root, ok := s.index.Root(it.Root)
	if it.Away || !ok {
		return api.File{}, &media.Error{Op: "open", Path: it.Path, Err: media.ErrAway, Hint: fmt.Sprintf("Connect %q and try again.", root.Name)}
	}
	path := filepath.Join(root.Path, filepath.FromSlash(it.Path))
	if !utf8.ValidString(path) {
		return api.File{}, &media.Error{Op: "open", Path: it.Path, Err: media.ErrUnsupported, Hint: badName}
	}
	info, err := os.Lstat(path)
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		_, err = follow(path)
	}
	if err != nil {
		s.scans.add(it.Root) // it has gone without notice: see what else has
		return api.File{}, &media.Error{Op: "open", Path: it.Path, Err: fmt.Errorf("%w: %s", media.ErrNotFound, problemOf(err))}
	}
	return api.File{Item: it, Path: path}, nil
}

func (s *Service) getAlbums(w http.ResponseWriter, r *http.Request) error {
	q, err := parseQuery(r)
	if err != nil {
		return err
	}
	total, albums := s.index.View().Albums(q)
	ipc.WriteJSON(w, api.Albums{Total: total, Albums: albums})
	return nil
}

func (s *Service) getAlbum(w http.ResponseWriter, r *http.Request) error {
	album, items, err := s.index.View().Album(media.ID(r.PathValue("id")))
	if err != nil {
		return err
	}
	ipc.WriteJSON(w, api.AlbumPage{Album: album, Items: items})
	return nil
}

func (s *Service) getStatus(w http.ResponseWriter, _ *http.Request) error {
	ipc.WriteJSON(w, s.status())
	return nil
}

func (s *Service) postScan(w http.ResponseWriter, _ *http.Request) error {
	select {
	case s.scans.asked <- struct{}{}:
	default: // it has been asked already
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// status gathers the state of the libraries.
func (s *Service) status() api.Status {
	v := s.index.View()
	return api.Status{
		Roots: s.index.Roots(), Music: v.Music, Films: v.Films, Problems: v.Problems,
		Revision: v.Revision, Scan: s.scans.progress(), Trouble: s.index.Trouble(),
	}
}

func sameStatus(a, b api.Status) bool { return reflect.DeepEqual(a, b) }

// parseQuery reads the URL's parameters. Its error wraps [media.ErrInvalid] and names the one that is wrong.
func parseQuery(r *http.Request) (index.Query, error) {
	v := r.URL.Query()
	q := index.Query{Kind: media.Kind(v.Get("kind")), Album: media.ID(v.Get("album")), Text: v.Get("q")}
	if q.Kind != "" && q.Kind != media.Music && q.Kind != media.Film {
		return q, &media.Error{Op: "read parameter", Path: "kind", Err: media.ErrInvalid, Hint: `It is "music" or "film".`}
	}
	if len(q.Text) > api.MaxText {
		return q, &media.Error{Op: "read parameter", Path: "q", Err: media.ErrInvalid, Hint: "It is too long."}
	}
	if len(v["library"]) > api.MaxLibraries {
		return q, &media.Error{Op: "read parameter", Path: "library", Err: media.ErrInvalid, Hint: fmt.Sprintf("At most %d at once.", api.MaxLibraries)}
	}
	for _, id := range v["library"] {
		q.Libraries = append(q.Libraries, media.ID(id))
	}
	switch v.Get("sort") {
	case "":
	case api.Newest:
		q.Newest = true
	default:
		return q, &media.Error{Op: "read parameter", Path: "sort", Err: media.ErrInvalid, Hint: `It is "added", or left out.`}
	}
	var err error
	if q.Offset, err = parseCount(v.Get("offset"), "offset", 0, api.MaxOffset); err != nil {
		return q, err
	}
	q.Limit, err = parseCount(v.Get("limit"), "limit", 1, api.MaxLimit)
	if v.Get("limit") == "" {
		q.Limit, err = defaultLimit, nil
	}
	return q, err
}

func parseCount(s, name string, least, most int) (int, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < least || n > most {
		return 0, &media.Error{Op: "read parameter", Path: name, Err: media.ErrInvalid, Hint: fmt.Sprintf("It is a number from %d to %d.", least, most)}
	}
	return n, nil
}
