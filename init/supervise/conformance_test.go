package supervise

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"manofwar/internal/ipc"
	"manofwar/internal/service"
)

// grace is how long a service may take to stop in these tests.
const grace = 300 * time.Millisecond

// testServices are what the conformance suite runs: in this process, and as processes of this test binary.
var testServices = map[string]service.Service{
	"serves": service.Func(func(ctx context.Context, env service.Env) error {
		return ipc.Serve(ctx, env, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") }))
	}),
	"finishes": service.Func(func(_ context.Context, env service.Env) error {
		env.Ready()
		return nil
	}),
	"fails": service.Func(func(context.Context, service.Env) error { return errors.New("no luck") }),
	"final": service.Func(func(context.Context, service.Env) error { return fmt.Errorf("setting: %w", service.ErrFinal) }),
	"panics": service.Func(func(context.Context, service.Env) error {
		var none []error
		return none[len(os.Args)]
	}),
	"sick": service.Func(func(ctx context.Context, env service.Env) error {
		env.Ready()
		env.Healthy(errors.New("no memory card"))
		env.Healthy(nil)
		<-ctx.Done()
		return nil
	}),
	"talks": service.Func(func(_ context.Context, env service.Env) error {
		env.Log.Info("ahoy", "who", env.Name)
		return nil
	}),
	"keeps": service.Func(func(_ context.Context, env service.Env) error {
		env.Log.Info("state", "err", os.WriteFile(filepath.Join(env.StateDir, "file"), []byte(env.Name), 0o600))
		return nil
	}),
	"deaf": service.Func(func(ctx context.Context, env service.Env) error {
		env.Ready()
		<-context.WithoutCancel(ctx).Done()
		return nil
	}),
}

// history is what a run reported.
type history struct {
	mu     sync.Mutex // guards events
	events []string
	ready  chan struct{}
	log    Ring
}

func (h *history) note(event string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, event)
	if event == "ready" {
		close(h.ready)
	}
}

func (h *history) report() Report {
	return Report{
		Started: func(int) { h.note("started") },
		Ready:   func() { h.note("ready") },
		Healthy: func(err error) { h.note("healthy " + text(err)) },
		Log:     &h.log,
	}
}

func (h *history) has(event string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Contains(h.events, event)
}

// runner is a family member under test.
type runner struct {
	Runner
	stateDir, runDir string
}

// testRunner is the suite that every Runner passes. run returns a Runner of the test services.
func testRunner(t *testing.T, newRunner func(t *testing.T) runner) {
	once := func(t *testing.T, name string) (*history, error) {
		t.Helper()
		h := &history{ready: make(chan struct{})}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		err := newRunner(t).Run(ctx, service.Spec{Name: name}, h.report())
		if ctx.Err() != nil {
			t.Fatal("it did not end")
		}
		if !h.has("started") {
			t.Error("its start was not reported")
		}
		return h, err
	}
	t.Run("a service that finishes", func(t *testing.T) {
		h, err := once(t, "finishes")
		if err != nil || !h.has("ready") {
			t.Errorf("%v after %v", err, h.events)
		}
	})
	t.Run("one that fails is to be restarted", func(t *testing.T) {
		h, err := once(t, "fails")
		if err == nil || errors.Is(err, service.ErrFinal) || h.has("ready") {
			t.Errorf("%v after %v", err, h.events)
		}
	})
	t.Run("one that fails for good is not", func(t *testing.T) {
		if _, err := once(t, "final"); !errors.Is(err, service.ErrFinal) {
			t.Errorf("%v", err)
		}
	})
	t.Run("a panic is an error, and its stack is in the log", func(t *testing.T) {
		h, err := once(t, "panics")
		if err == nil || errors.Is(err, service.ErrFinal) {
			t.Errorf("%v", err)
		}
		if log := strings.Join(texts(h.log.After(0)), "\n"); !strings.Contains(log, "index out of range") || !strings.Contains(log, "conformance_test.go") {
			t.Errorf("log %q", log)
		}
	})
	t.Run("its log is kept", func(t *testing.T) {
		h, _ := once(t, "talks")
		if log := fmt.Sprint(texts(h.log.After(0))); !strings.Contains(log, "ahoy") || !strings.Contains(log, "who=talks") {
			t.Errorf("log %s", log)
		}
	})
	t.Run("it has a directory of its own", func(t *testing.T) {
		h, _ := once(t, "keeps")
		if log := fmt.Sprint(texts(h.log.After(0))); !strings.Contains(log, "err=<nil>") {
			t.Errorf("log %s", log)
		}
	})
	t.Run("an unknown service fails for good", func(t *testing.T) {
		err := newRunner(t).Run(t.Context(), service.Spec{Name: "unknown"}, (&history{}).report())
		if !errors.Is(err, service.ErrFinal) {
			t.Errorf("%v", err)
		}
	})
	t.Run("health is reported, and it stops when asked to", func(t *testing.T) {
		h, err := untilReady(t, newRunner(t), "sick", func() {})
		if err != nil || !h.has("healthy no memory card") || !h.has("healthy ") {
			t.Errorf("%v after %v", err, h.events)
		}
	})
	t.Run("it serves its socket", func(t *testing.T) {
		r := newRunner(t)
		_, err := untilReady(t, r, "serves", func() {
			if got := ask(t, r.runDir, "serves"); got != "hello" {
				t.Errorf("got %q", got)
			}
		})
		if err != nil {
			t.Error(err)
		}
	})
	t.Run("one that does not stop is not waited for", func(t *testing.T) {
		begin := time.Now()
		_, err := untilReady(t, newRunner(t), "deaf", func() {})
		if err == nil || time.Since(begin) > 20*time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
	})
}

// untilReady runs the service, does something once it is ready, and stops it.
func untilReady(t *testing.T, r runner, name string, do func()) (*history, error) {
	t.Helper()
	h := &history{ready: make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx, service.Spec{Name: name}, h.report()) }()
	select {
	case <-h.ready:
		do()
	case err := <-ended:
		t.Fatalf("it ended before it was ready: %v; log %v", err, texts(h.log.After(0)))
	case <-time.After(30 * time.Second):
		t.Fatal("it does not get ready")
	}
	cancel()
	return h, <-ended
}

// ask calls a service's socket and returns the body.
func ask(t *testing.T, runDir, name string) string {
	t.Helper()
	c := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", ipc.SocketPath(runDir, name))
	}}, Timeout: 10 * time.Second}
	defer c.CloseIdleConnections()
	resp, err := c.Get("http://service/")
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	return string(body)
}

func TestGoroutine(t *testing.T) {
	testRunner(t, func(t *testing.T) runner {
		r := runner{stateDir: t.TempDir(), runDir: t.TempDir()}
		r.Runner = &Goroutine{Services: testServices, StateDir: r.stateDir, RunDir: r.runDir, Grace: grace}
		return r
	})
}
