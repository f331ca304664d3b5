package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"manofwar/internal/media"
	catalogapi "manofwar/services/catalog/api"
)

// shelf is what of the library has to be known at once: the artists, with their albums. It never changes.
type shelf struct {
	artists []artist // in the order of the library
	byID    map[string]int
}

// artist is somebody who has albums.
type artist struct {
	id, name string
	albums   []media.Album
}

// maxAlbums bounds the albums that are sorted by artist.
const maxAlbums = 50000

// note takes in which version of the library there is now, and returns it. If it has changed since the last time, subscribers
// are told.
func (s *Server) note(ctx context.Context) (version string, err error) {
	roots, revision, err := s.opts.Library.Roots(ctx)
	if err != nil {
		return "", err
	}
	version = fmt.Sprint(revision)
	for _, r := range roots {
		version += " " + string(r.ID)
	}
	s.mu.Lock()
	same := s.version == version
	if !same {
		s.version, s.shelf = version, nil
		s.update++
	}
	s.mu.Unlock()
	if !same {
		s.directory.Changed()
	}
	return version, nil
}

// look returns the shelf of the library as it is now. One caller at a time reads it, for those who wait too.
func (s *Server) look(ctx context.Context) (*shelf, error) {
	select {
	case s.filling <- struct{}{}:
		defer func() { <-s.filling }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	version, err := s.note(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	sh := s.shelf
	s.mu.Unlock()
	if sh != nil {
		return sh, nil
	}
	if sh, err = s.fill(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.version == version {
		s.shelf = sh
	}
	return sh, nil
}

// fill reads all albums.
func (s *Server) fill(ctx context.Context) (*shelf, error) {
	sh := &shelf{byID: map[string]int{}}
	for offset := 0; offset < maxAlbums; offset += catalogapi.MaxLimit {
		page, err := s.opts.Library.Albums(ctx, catalogapi.Query{Offset: offset, Limit: catalogapi.MaxLimit})
		if err != nil {
			return nil, err
		}
		for _, a := range page.Albums {
			for _, name := range a.Artists {
				sh.add(name, a)
			}
		}
		if offset+len(page.Albums) >= page.Total || len(page.Albums) == 0 {
			break
		}
	}
	slices.SortStableFunc(sh.artists, func(a, b artist) int { return strings.Compare(strings.ToLower(a.name), strings.ToLower(b.name)) })
	for i, a := range sh.artists {
		sh.byID[a.id] = i
	}
	return sh, nil
}

// add puts an album under an artist, whose name may be written in several ways.
func (sh *shelf) add(name string, a media.Album) {
	sum := sha256.Sum256([]byte(strings.ToLower(name)))
	id := hex.EncodeToString(sum[:8])
	i, ok := sh.byID[id]
	if !ok {
		i = len(sh.artists)
		sh.byID[id] = i
		sh.artists = append(sh.artists, artist{id: id, name: name})
	}
	if list := sh.artists[i].albums; len(list) == 0 || list[len(list)-1].ID != a.ID {
		sh.artists[i].albums = append(list, a)
	}
}
