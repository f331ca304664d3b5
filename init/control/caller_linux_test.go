package control_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"manofwar/init/api"
	"manofwar/init/control"
	"manofwar/internal/ipc"
	"manofwar/internal/service"
)

// TestCallersAreHeldToTheTable calls as other users: the kernel says who connects.
func TestCallersAreHeldToTheTable(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: it calls as other users")
	}
	const portal, update, stranger = 61001, 61002, 61003
	dir := t.TempDir()
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	ln, err := net.Listen("unix", ipc.SocketPath(dir, api.Name))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(ipc.SocketPath(dir, api.Name), 0o666); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	s := &control.Server{Services: new(services), Machine: new(machine)}
	go func() {
		done <- s.Run(ctx, service.Env{
			Name: api.Name, RunDir: dir, Log: slog.New(slog.DiscardHandler), Listener: ln, Ready: func() {}, Healthy: func(error) {},
			Callers: map[int]string{portal: "portal", update: "update"},
		})
	}()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	for _, tt := range []struct {
		uid  int
		verb string
		want int
	}{
		{portal, "GET /status", 200},
		{update, "GET /status", 200},
		{stranger, "GET /status", 403},
		{portal, "POST /poweroff", 200},
		{update, "POST /poweroff", 403},
		{stranger, "POST /poweroff", 403},
		{portal, "POST /commit", 403},
		{update, "POST /commit", 200},
		{update, "GET /logs/portal", 403},
		{portal, "GET /data/export", 200},
		{update, "GET /data/export", 403},
		{0, "POST /commit", 200},
	} {
		if got := callAs(t, tt.uid, dir, tt.verb); got != tt.want {
			t.Errorf("user %d, %s: %d; want %d", tt.uid, tt.verb, got, tt.want)
		}
	}
}

// callAs makes the call over a connection that another user dialled, and returns the answer's status.
func callAs(t *testing.T, uid int, dir, verb string) int {
	t.Helper()
	type dialled struct {
		conn net.Conn
		err  error
	}
	result := make(chan dialled)
	go func() { // on a thread of its own, which ends with the goroutine
		runtime.LockOSThread()
		var d dialled
		if _, _, e := unix.RawSyscall(unix.SYS_SETRESUID, uintptr(uid), uintptr(uid), uintptr(uid)); e != 0 {
			d.err = e
		} else {
			d.conn, d.err = net.Dial("unix", ipc.SocketPath(dir, api.Name))
		}
		result <- d
	}()
	d := <-result
	if d.err != nil {
		t.Fatal(d.err)
	}
	used := false
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(context.Context, string, string) (net.Conn, error) {
		if used {
			return nil, errors.New("one connection only")
		}
		used = true
		return d.conn, nil
	}}}
	method, path, _ := strings.Cut(verb, " ")
	req, err := http.NewRequestWithContext(t.Context(), method, "http://init"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}
