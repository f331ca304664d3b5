package stream

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"manofwar/internal/container/probe"
	"manofwar/internal/ipc"
	"manofwar/internal/media"
	catalog "manofwar/services/catalog/api"
	"manofwar/services/stream/api"
)

// shelf is a library of files named by their place in it.
type shelf map[media.ID]catalog.File

func (s shelf) File(_ context.Context, id media.ID) (catalog.File, error) {
	f, ok := s[id]
	if !ok {
		return f, &media.Error{Op: "find", Path: string(id), Err: media.ErrNotFound}
	}
	return f, nil
}

// item describes a file as the catalog would.
func item(t testing.TB, path string) catalog.File {
	t.Helper()
	f := catalog.File{Path: path, Item: media.Item{Path: filepath.Base(path)}}
	file, err := os.Open(path)
	if err != nil {
		return f
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if m, err := probe.Open(file, info.Size()); err == nil {
		f.Item.Streams, f.Item.Cover = m.Info().Streams(), m.Info().Cover
	}
	return f
}

// server is the service with one file in its library, "film".
type server struct {
	*Service
	h http.Handler
}

func serve(t testing.TB, path string) server {
	t.Helper()
	s := New(Options{Library: shelf{"film": item(t, path)}})
	s.covers = newCovers(t.TempDir())
	s.log = slog.New(slog.DiscardHandler)
	return server{s, s.routes()}
}

// plan asks for a plan of the film.
func (s server) plan(what string) (p api.Plan, err error) { return s.planOf("film", what) }

func (s server) planOf(id, what string) (p api.Plan, err error) {
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/plan/"+url.PathEscape(id)+"/"+what, nil))
	if w.Code != http.StatusOK {
		e := &ipc.Error{Status: w.Code}
		return p, errors.Join(json.Unmarshal(w.Body.Bytes(), e), e)
	}
	return p, json.Unmarshal(w.Body.Bytes(), &p)
}

// body returns what the portal would send.
func (s server) body(t testing.TB, what string) []byte {
	t.Helper()
	p, err := s.plan(what)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	data, err := assemble(p)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	return data
}

func assemble(p api.Plan) ([]byte, error) {
	var b bytes.Buffer
	for _, part := range p.Parts {
		if part.Path == "" {
			b.Write(part.Inline)
			continue
		}
		f, err := os.Open(part.Path)
		if err != nil {
			return nil, err
		}
		n, err := io.Copy(&b, io.NewSectionReader(f, part.Offset, part.Length))
		_ = f.Close()
		if err != nil || n != part.Length {
			return nil, fmt.Errorf("part %+v: %d bytes, %w", part, n, err)
		}
	}
	if int64(b.Len()) != p.Size() {
		return nil, fmt.Errorf("plan of %d bytes came to %d", p.Size(), b.Len())
	}
	return b.Bytes(), nil
}
