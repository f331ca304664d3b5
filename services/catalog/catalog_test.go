package catalog_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"testing"
	"time"

	"manofwar/internal/media"
	"manofwar/internal/service"
	"manofwar/services/catalog"
	"manofwar/services/catalog/api"
)

// host runs one catalog, as a supervisor would.
type host struct {
	*api.Client
	stop func() // ends it and waits
}

// start runs a catalog whose index is in state until the test ends or stop is called.
func start(t *testing.T, state string, o catalog.Options) *host {
	t.Helper()
	run, err := os.MkdirTemp("", "catalog") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	ready, ended := make(chan struct{}), make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	env := service.Env{
		Name: api.Name, StateDir: state, RunDir: run, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Ready: func() { close(ready) }, Healthy: func(error) {},
	}
	go func() { ended <- catalog.New(o).Run(ctx, env) }()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatalf("ended at once: %v", err)
	case <-time.After(10 * time.Second):
		t.Fatal("not ready")
	}
	stopped := false
	h := &host{Client: api.NewClient(run)}
	h.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		os.RemoveAll(run)
	}
	t.Cleanup(h.stop)
	return h
}

// until asks for the status until it is as wanted.
func (h *host) until(t *testing.T, what string, ok func(api.Status) bool) api.Status {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		st, err := h.Status(t.Context())
		if err == nil && ok(st) {
			return st
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s: not within 30 s; status %+v, %v", what, st, err)
		}
	}
}

func scanned(st api.Status) bool { return !st.Scan.Running && !st.Scan.Finished.IsZero() }

func TestUnknownItemIsNotFound(t *testing.T) {
	h := start(t, t.TempDir(), catalog.Options{Dirs: []string{t.TempDir()}})
	h.until(t, "scan", scanned)
	for name, call := range map[string]func() error{
		"item":  func() error { _, err := h.Item(t.Context(), "nonsense"); return err },
		"file":  func() error { _, err := h.File(t.Context(), "aaaaaaaaaaaaa"); return err },
		"album": func() error { _, err := h.Album(t.Context(), "aaaaaaaaaaaaa"); return err },
	} {
		if err := call(); !errors.Is(err, media.ErrNotFound) {
			t.Errorf("%s: got %v, want not found", name, err)
		}
	}
}
