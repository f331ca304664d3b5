package server

import (
	"context"
	"errors"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
)

func newServer(h *house) *Server {
	return New(Options{
		Library: h, Log: slog.New(slog.DiscardHandler),
		News: func(context.Context) iter.Seq2[ipc.Event, error] { return func(func(ipc.Event, error) bool) {} },
		Deliver: func(w http.ResponseWriter, _ *http.Request, id media.ID, part string) error {
			_, err := io.WriteString(w, string(id)+" "+part)
			return err
		},
		Fail: func(w http.ResponseWriter, _ *http.Request, err error) {
			if errors.Is(err, media.ErrNotFound) {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			w.WriteHeader(http.StatusInternalServerError)
		},
	})
}

// TestAddresses lead to what is shared, for who knows the word in them.
func TestAddresses(t *testing.T) {
	h := &house{songs: 20, films: 1}
	s := newServer(h)
	things, _, err := ask(t, s, false, "songs/s12", "BrowseMetadata", 0, 0)
	if err != nil || len(things[0].Res) != 1 {
		t.Fatalf("%+v, %v", things, err)
	}
	address := strings.TrimPrefix(things[0].Res[0].URL, "http://")
	get := func(path string) (int, string) {
		w := httptest.NewRecorder()
		s.device.Other.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		return w.Code, w.Body.String()
	}
	if code, body := get(address); code != 200 || body != "s12 file" || !strings.HasSuffix(address, ".flac") {
		t.Errorf("%s: %d %s", address, code, body)
	}
	if id, ok, err := s.Item(t.Context(), "http://192.168.1.5:8200"+address); !ok || id != "s12" || err != nil {
		t.Errorf("%s is of %s, %v", address, id, err)
	}
	if id, ok, err := s.Item(t.Context(), "http://192.168.1.5:8200"+strings.Replace(address, "s12", "s99", 1)); !ok || id != "" || !errors.Is(err, media.ErrNotFound) {
		t.Errorf("of what is not shared: %s, %v, %v", id, ok, err)
	}
	for _, other := range []string{
		strings.Replace(address, s.token, "AAAAAAAAAAAAAAAAAAAAAAAAAA", 1), strings.Replace(address, "s12", "s99", 1), "/media/", "/",
	} {
		if code, _ := get(other); code != 404 {
			t.Errorf("%s: %d", other, code)
		}
	}
	if _, ok, err := s.Item(t.Context(), "http://192.168.1.5/media/other/s12/file.flac"); ok || err != nil {
		t.Error("another's address is taken for one of ours")
	}
	damaged, _, err := ask(t, s, false, "songs/s17", "BrowseMetadata", 0, 0)
	if err != nil || len(damaged[0].Res) != 0 {
		t.Errorf("what cannot be played is offered: %+v, %v", damaged, err)
	}
}
