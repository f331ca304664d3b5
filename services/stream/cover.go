package stream

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"manofwar/internal/media"
	catalog "manofwar/services/catalog/api"
	"manofwar/services/stream/api"
)

const (
	// coverAge is how long a browser may show a cover without asking again.
	coverAge = time.Hour
	// maxCover is the largest width that can be asked for, in pixels.
	maxCover = 4096
)

// picture is where a cover's bytes are.
type picture struct {
	path           string
	offset, length int64
	kind           string // media type
	modified       time.Time
}

// cover plans the item's picture: the one in its file, else one beside it. ?size=N makes it no wider or higher than N
// pixels where it is larger and of a kind that can be scaled.
func (s *Service) cover(r *http.Request, f catalog.File) (api.Plan, error) {
	size := 0
	if text := r.FormValue("size"); text != "" {
		var err error
		if size, err = strconv.Atoi(text); err != nil || size < 1 || size > maxCover {
			return api.Plan{}, &media.Error{Op: "read parameter", Path: "size", Err: fmt.Errorf("it is a number of pixels from 1 to %d: %w", maxCover, media.ErrInvalid)}
		}
	}
	src, err := openSource(f)
	if err != nil {
		return api.Plan{}, err
	}
	defer src.close()
	p, err := findPicture(src)
	if err != nil {
		return api.Plan{}, err
	}
	version := key{p.path, p.offset<<20 ^ p.length, p.modified.UnixNano()}.version()
	plan := api.Plan{Type: p.kind, ETag: strconv.Quote(version), Modified: p.modified, MaxAge: coverAge}
	if size > 0 {
		small, err := s.covers.thumbnail(r.Context(), p, version, size)
		switch {
		case err == nil:
			plan.Type, plan.ETag = "image/jpeg", fmt.Sprintf("\"%s-%d\"", version, size)
			plan.Parts = []api.Part{{Inline: small}}
			return plan, nil
		case !errors.Is(err, errKeep):
			return api.Plan{}, src.explain(err)
		}
	}
	plan.Parts = []api.Part{{Path: p.path, Offset: p.offset, Length: p.length}}
	return plan, nil
}

// findPicture returns where the item's cover is.
func findPicture(src *source) (picture, error) {
	if c := src.Item.Cover; c != nil && c.Path == "" && c.Offset >= 0 && c.Length > 0 && c.Offset <= src.size-c.Length {
		return picture{src.Path, c.Offset, c.Length, c.Type, src.modified}, nil
	}
	if p, ok := pictureBeside(src.Path); ok {
		return p, nil
	}
	return picture{}, &media.Error{Op: "show the cover of", Path: src.Item.Path, Err: fmt.Errorf("it has none: %w", media.ErrNotFound)}
}

// pictureNames are the names under which programs and people keep covers, the best first; "*" is the item's own name.
var pictureNames = []string{"*", "*-poster", "cover", "folder", "front", "poster", "album", "albumart", "movie"}

// pictureBeside returns the picture in a file's directory that is its cover by its name.
func pictureBeside(path string) (picture, bool) {
	dir, base := filepath.Split(path)
	base = strings.ToLower(strings.TrimSuffix(base, filepath.Ext(base)))
	entries, err := os.ReadDir(dir)
	if err != nil {
		return picture{}, false
	}
	best, found := len(pictureNames), picture{}
	for _, e := range entries {
		kind := fileType(e.Name())
		if !strings.HasPrefix(kind, "image/") {
			continue
		}
		name := strings.ToLower(strings.TrimSuffix(e.Name(), filepath.Ext(e.Name())))
		for rank, n := range pictureNames[:best] {
			if strings.ReplaceAll(n, "*", base) != name {
				continue
			}
			if info, err := os.Stat(filepath.Join(dir, e.Name())); err == nil && info.Mode().IsRegular() && info.Size() > 0 {
				best, found = rank, picture{filepath.Join(dir, e.Name()), 0, info.Size(), kind, info.ModTime()}
			}
			break
		}
	}
	return found, best < len(pictureNames)
}
