package control_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"manofwar/init/api"
	"manofwar/init/control"
	"manofwar/init/supervise"
	"manofwar/internal/ipc"
	"manofwar/internal/media"
	"manofwar/internal/service"
)

// machine notes what it is asked to do.
type machine struct {
	control.Laptop

	mu   sync.Mutex // guards all below
	done []string
	err  error
}

func (m *machine) note(format string, args ...any) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done = append(m.done, fmt.Sprintf(format, args...))
	return m.err
}

// fail sets what every verb returns from now on, and forgets what was done.
func (m *machine) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done, m.err = nil, err
}

func (m *machine) deeds() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return fmt.Sprint(m.done)
}

func (m *machine) Status() api.Status {
	return api.Status{Boot: api.Boot{Board: "qemu", Slot: 2, Verify: time.Second}, Watchdog: api.WatchdogFed}
}

func (m *machine) Disks() []api.Disk { return []api.Disk{{ID: "d1", Path: "/media/MUSIC"}} }

func (m *machine) Mount(id string) error           { return m.note("mount %s", id) }
func (m *machine) Eject(id string) error           { return m.note("eject %s", id) }
func (m *machine) RetryData(context.Context) error { return m.note("retry") }
func (m *machine) EraseData(code string) error     { return m.note("erase %s", code) }
func (m *machine) Trial(context.Context) error     { return m.note("trial") }
func (m *machine) Commit(context.Context) error    { return m.note("commit") }
func (m *machine) Restart() error                  { return m.note("restart") }
func (m *machine) PowerOff() error                 { return m.note("power off") }
func (m *machine) FactoryReset() error             { return m.note("factory reset") }

func (m *machine) OpenSlot() (*os.File, error) {
	if err := m.note("open slot"); err != nil {
		return nil, err
	}
	return os.Open(os.DevNull)
}

func (m *machine) ExportData(_ context.Context, w io.Writer) error {
	err := m.note("export")
	if err == nil {
		io.WriteString(w, "archive")
	}
	return err
}

// services is a supervisor of one service that has logged a little.
type services struct{ ring supervise.Ring }

func (s *services) Status() []api.Service {
	return []api.Service{{Name: "portal", State: api.Running, Ready: true}}
}

func (s *services) Log(name string) *supervise.Ring {
	if name != "portal" {
		return nil
	}
	return &s.ring
}

// start serves init.sock until the test ends.
func start(t *testing.T) (*api.Client, *control.Server, *machine, *services) {
	t.Helper()
	m, svcs := new(machine), new(services)
	s := &control.Server{Services: svcs, Machine: m}
	ready := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	dir := t.TempDir()
	go func() {
		done <- s.Run(ctx, service.Env{
			Name: api.Name, RunDir: dir, Log: slog.New(slog.DiscardHandler), Ready: func() { close(ready) }, Healthy: func(error) {},
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	<-ready
	return api.NewClient(dir), s, m, svcs
}

func TestVerbs(t *testing.T) {
	c, _, m, _ := start(t)
	ctx := t.Context()
	for want, call := range map[string]func() error{
		"mount d1":     func() error { return c.Mount(ctx, "d1") },
		"eject d1":     func() error { return c.Eject(ctx, "d1") },
		"retry":        func() error { return c.RetryData(ctx) },
		"erase 123456": func() error { return c.EraseData(ctx, "123456") },
		"open slot": func() error {
			f, err := c.OpenSlot(ctx)
			if err != nil {
				return err
			}
			return f.Close()
		},
		"trial":         func() error { return c.Trial(ctx) },
		"commit":        func() error { return c.Commit(ctx) },
		"restart":       func() error { return c.Restart(ctx) },
		"power off":     func() error { return c.PowerOff(ctx) },
		"factory reset": func() error { return c.FactoryReset(ctx) },
	} {
		m.fail(nil)
		if err := call(); err != nil || m.deeds() != "["+want+"]" {
			t.Errorf("%s: did %s, %v", want, m.deeds(), err)
		}
		m.fail(&media.Error{Op: "do it", Err: media.ErrBusy, Hint: "Wait."})
		err := call()
		if e, ok := errors.AsType[*ipc.Error](err); !ok || !errors.Is(err, media.ErrBusy) || e.Hint != "Wait." {
			t.Errorf("%s: its error came back as %v", want, err)
		}
	}
}

func TestStatusAndDisks(t *testing.T) {
	c, _, _, _ := start(t)
	s, err := c.Status(t.Context())
	if err != nil || s.Boot.Slot != 2 || s.Boot.Verify != time.Second || len(s.Services) != 1 || s.Services[0].Name != "portal" {
		t.Errorf("%+v, %v", s, err)
	}
	d, err := c.Disks(t.Context())
	if err != nil || len(d) != 1 || d[0].ID != "d1" {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestExport(t *testing.T) {
	c, _, m, _ := start(t)
	body, err := c.ExportData(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if got, err := io.ReadAll(body); string(got) != "archive" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	m.fail(media.ErrInvalid)
	if _, err := c.ExportData(t.Context()); !errors.Is(err, media.ErrInvalid) {
		t.Errorf("%v", err)
	}
}

func TestLogs(t *testing.T) {
	c, _, _, svcs := start(t)
	for i := range 5 {
		fmt.Fprintln(&svcs.ring, "line", i)
	}
	lines, err := c.Log(t.Context(), "portal", 2)
	if err != nil || len(lines) != 2 || lines[1].Text != "line 4" || lines[1].Seq != 5 {
		t.Errorf("%v, %v", lines, err)
	}
	if _, err := c.Log(t.Context(), "unknown", 2); !errors.Is(err, media.ErrNotFound) {
		t.Errorf("%v", err)
	}
	if _, err := c.Log(t.Context(), "portal", -1); !errors.Is(err, media.ErrInvalid) {
		t.Errorf("%v", err)
	}
	var got []string
	for ev, err := range c.FollowLog(t.Context(), "portal", 1) {
		if err != nil {
			t.Fatal(err)
		}
		var line api.Line
		if err := json.Unmarshal(ev.Data, &line); err != nil {
			t.Fatal(err)
		}
		got = append(got, line.Text)
		if len(got) == 1 {
			fmt.Fprintln(&svcs.ring, "news")
		} else {
			break
		}
	}
	if fmt.Sprint(got) != "[line 4 news]" {
		t.Errorf("followed %q", got)
	}
}

func TestEvents(t *testing.T) {
	c, s, _, _ := start(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	stop := make(chan struct{})
	published := make(chan struct{})
	go func() { // until somebody has listened
		defer close(published)
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
				if err := s.Events.Publish(api.EventDisks, []api.Disk{{ID: "d2"}}); err != nil {
					t.Error(err)
				}
			}
		}
	}()
	for ev, err := range c.Events(ctx) {
		if err != nil || ev.Kind != api.EventDisks || !strings.Contains(string(ev.Data), "d2") {
			t.Errorf("%+v, %v", ev, err)
		}
		break
	}
	close(stop)
	<-published
}

// TestTable holds the table of verbs against what they do, and against who may use them.
func TestTable(t *testing.T) {
	h := (&control.Server{Services: new(services), Machine: new(machine)}).Handler()
	for _, v := range api.Verbs {
		method, path, _ := strings.Cut(v.Pattern, " ")
		if len(v.Callers) == 0 {
			t.Errorf("%s has no callers", v.Pattern)
		}
		if path == "/events" || path == "/slot" {
			continue // the one does not end, the other wants a real socket: TestVerbs
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, strings.ReplaceAll(path, "{service}", "portal"), strings.NewReader(`{}`)))
		if w.Code != http.StatusOK && w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d %s", v.Pattern, w.Code, w.Body)
		}
	}
	for _, path := range []string{"/", "/shell", "/data", "/logs/"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, nil))
		if w.Code != http.StatusNotFound && w.Code != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestLaptop(t *testing.T) {
	l := control.Laptop{Version: "1", Started: time.Now().Add(-time.Minute)}
	if s := l.Status(); s.Boot.Board != "host" || s.Boot.Uptime < time.Minute || s.Data.Rescue != "" {
		t.Errorf("%+v", s)
	}
	_, noSlot := l.OpenSlot()
	for _, err := range []error{
		noSlot, l.Mount(""), l.Eject(""), l.RetryData(t.Context()), l.ExportData(t.Context(), io.Discard), l.EraseData(""),
		l.Trial(t.Context()), l.Commit(t.Context()), l.Restart(), l.PowerOff(), l.FactoryReset(),
	} {
		if !errors.Is(err, media.ErrUnsupported) {
			t.Errorf("%v", err)
		}
	}
}
