package ipc_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
)

func TestFilesTravel(t *testing.T) {
	name := filepath.Join(t.TempDir(), "slot")
	if err := os.WriteFile(name, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := serve(t, nil, ipc.Handler(func(w http.ResponseWriter, r *http.Request) error {
		if r.URL.Path != "/slot" || r.Method != http.MethodPost {
			return &media.Error{Op: "open", Path: r.URL.Path, Err: media.ErrNotFound, Hint: "ask for /slot"}
		}
		f, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		return ipc.SendFile(w, f)
	}))
	c := ipc.NewClient(dir, "echo")
	for range 3 {
		f, err := c.File(t.Context(), http.MethodPost, "/slot")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt([]byte("after."), 0); err != nil {
			t.Error(err)
		}
		if flags, _, e := syscall.Syscall(syscall.SYS_FCNTL, f.Fd(), syscall.F_GETFD, 0); e != 0 || flags&syscall.FD_CLOEXEC == 0 {
			t.Error("the file would leak into programs that the caller starts")
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if got, err := os.ReadFile(name); err != nil || string(got) != "after." {
		t.Errorf("the file holds %q, %v", got, err)
	}
	_, err := c.File(t.Context(), http.MethodPost, "/nothing")
	if e, ok := errors.AsType[*ipc.Error](err); !ok || !errors.Is(err, media.ErrNotFound) || e.Hint != "ask for /slot" {
		t.Errorf("error %#v; want the handler's", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.File(gone, http.MethodPost, "/slot"); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v; want the context's", err)
	}
	if _, err := ipc.NewClient(t.TempDir(), "gone").File(t.Context(), http.MethodPost, "/slot"); !errors.Is(err, media.ErrBusy) {
		t.Errorf("error %v; want ErrBusy", err)
	}
}

func TestAnAnswerWithoutAFileIsAnError(t *testing.T) {
	dir := serve(t, nil, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { ipc.WriteJSON(w, "no file") }))
	if f, err := ipc.NewClient(dir, "echo").File(t.Context(), http.MethodPost, "/"); err == nil {
		t.Errorf("got %v", f)
	}
}
