package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"manofwar/internal/service"
)

// runProcess runs what build makes as the one service of this process, in the environment that PID 1 gave it
// (init/supervise sets the variables).
func runProcess(ctx context.Context, name string, build func(service.Env) service.Service) error {
	env, err := environment(name)
	if err != nil {
		return err
	}
	return build(env).Run(ctx, env)
}

// environment builds the service's Env from what PID 1 set. Run by hand, with nothing set, the service keeps its state
// and its socket below the current directory's .manofwar.
func environment(name string) (service.Env, error) {
	env := service.Env{
		Name:     name,
		StateDir: getenv("STATE_DIRECTORY", filepath.Join(".manofwar", name)),
		RunDir:   getenv("RUNTIME_DIRECTORY", ".manofwar"),
		Log:      newLogger(os.Stderr),
	}
	if err := os.MkdirAll(env.StateDir, 0o700); err != nil {
		return env, fmt.Errorf("state directory: %w", err)
	}
	var err error
	if env.Callers, err = callers(os.Getenv("MANOFWAR_CALLERS"), os.Getenv("MANOFWAR_CALLER_UIDS")); err != nil {
		return env, err
	}
	if env.Listener, err = inheritedListener(); err != nil {
		return env, err
	}
	n := &notifier{socket: os.Getenv("NOTIFY_SOCKET"), log: env.Log}
	env.Ready = sync.OnceFunc(func() { n.send("READY=1") })
	env.Healthy = n.health
	return env, nil
}

func getenv(key, otherwise string) string {
	if v := os.Getenv(key); v != "" {
		return v
	}
	return otherwise
}

// withoutTime leaves the time to PID 1, which stamps every line it keeps.
func withoutTime(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

// callers pairs the names and the user IDs of those who may use the service's socket.
func callers(names, uids string) (map[int]string, error) {
	if names == "" {
		return nil, nil
	}
	n, u := strings.Split(names, ","), strings.Split(uids, ",")
	if len(n) != len(u) {
		return nil, fmt.Errorf("MANOFWAR_CALLERS names %d services, MANOFWAR_CALLER_UIDS %d users: %w", len(n), len(u), service.ErrFinal)
	}
	m := make(map[int]string, len(n))
	for i, name := range n {
		uid, err := strconv.Atoi(u[i])
		if err != nil {
			return nil, fmt.Errorf("MANOFWAR_CALLER_UIDS: %q is no user ID: %w", u[i], service.ErrFinal)
		}
		m[uid] = name
	}
	return m, nil
}

// firstListenFD is where passed sockets begin: sd_listen_fds(3), SD_LISTEN_FDS_START.
const firstListenFD = 3

// inheritedListener returns the socket that PID 1 passed, or nil if it passed none.
func inheritedListener() (net.Listener, error) {
	if os.Getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) {
		return nil, nil
	}
	if n := os.Getenv("LISTEN_FDS"); n != "1" {
		return nil, fmt.Errorf("LISTEN_FDS=%s: a service has one socket: %w", n, service.ErrFinal)
	}
	f := os.NewFile(firstListenFD, "listener")
	ln, err := net.FileListener(f)
	return ln, errors.Join(err, f.Close())
}

// notifier tells the supervisor how the service is: sd_notify(3), with one variable of our own for health.
type notifier struct {
	socket string
	log    *slog.Logger

	mu   sync.Mutex // guards last
	last string     // the health last sent
}

// health sends what has changed, so that a service may report as often as it likes.
func (n *notifier) health(err error) {
	reason := ""
	if err != nil {
		reason = strings.ReplaceAll(err.Error(), "\n", "; ")
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if reason != n.last {
		n.last = reason
		n.send("X_MANOFWAR_HEALTH=" + reason)
	}
}

// send never fails the service: without a supervisor nobody listens.
func (n *notifier) send(state string) {
	if n.socket == "" {
		return
	}
	conn, err := net.Dial("unixgram", n.socket)
	if err == nil {
		_, err = conn.Write([]byte(state))
		err = errors.Join(err, conn.Close())
	}
	if err != nil {
		n.log.Warn("supervisor not told", "state", state, "err", err)
	}
}
