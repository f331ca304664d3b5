// Package ipc is how services talk: HTTP with JSON bodies over one Unix socket per service.
//
// [Serve] is the server's side, [Client] the caller's. Errors keep their meaning across the socket: a handler's error
// goes through [WriteError] and comes out of the client as an [*Error] that [errors.Is] the same sentinel of
// internal/media. [Events] and [Client.Events] carry news as server-sent events. Media bytes do not travel this way:
// a service answers with a plan of file ranges instead.
//
// Every connection's peer is checked by the kernel's word (SO_PEERCRED) against the callers that the service's Spec
// names. Its own user and root are always let in. Where the kernel gives no such word (Windows), the socket's directory
// guards it.
package ipc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"manofwar/internal/media"
	"manofwar/internal/service"
)

// MaxBody bounds a JSON request body, in bytes.
const MaxBody = 1 << 20

// shutdownGrace is how long requests under way may take to end once the service is told to stop.
const shutdownGrace = 2 * time.Second

// SocketPath returns where the named service's socket is.
func SocketPath(runDir, name string) string { return filepath.Join(runDir, name+".sock") }

// Serve answers on the service's socket until ctx ends, and reports readiness once it does. Requests under way are
// cancelled when ctx ends and given a moment to return.
func Serve(ctx context.Context, env service.Env, h http.Handler) error {
	ln, err := listen(env)
	if err != nil {
		return err
	}
	srv := &http.Server{
		Handler:           admit(env, h),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute, // longer than a client's, which closes first
		MaxHeaderBytes:    16 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnContext:       withPeer,
		ErrorLog:          slog.NewLogLogger(env.Log.Handler(), slog.LevelWarn),
	}
	env.Ready() // the socket is there: who calls now is answered
	return Until(ctx, srv, ln, shutdownGrace)
}

// Until has srv answer on ln until ctx ends. Requests under way are given grace to return then; their contexts are the server's
// own affair (its BaseContext).
func Until(ctx context.Context, srv *http.Server, ln net.Listener, grace time.Duration) error {
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve %s: %w", ln.Addr(), err)
	case <-ctx.Done():
	}
	Shut(ctx, srv, grace)
	<-served
	return nil
}

// Shut ends a server: answers under way are given grace, whether ctx has ended or not. Its Serve returns at once.
func Shut(ctx context.Context, srv *http.Server, grace time.Duration) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if srv.Shutdown(ctx) != nil {
		_ = srv.Close() // whoever still holds a connection has had the grace
	}
}

// listen returns the socket that the supervisor passed, or makes it, removing what a killed predecessor left behind.
func listen(env service.Env) (net.Listener, error) {
	if env.Listener != nil {
		return env.Listener, nil
	}
	path := SocketPath(env.RunDir, env.Name)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("listen: %w", err)
	}
	ln, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return ln, nil
}

type peerKey struct{}

// peer is the other end of a connection.
type peer struct {
	uid int
	err error // why the kernel did not say
}

func withPeer(ctx context.Context, c net.Conn) context.Context {
	uid, err := peerUID(c)
	return context.WithValue(ctx, peerKey{}, peer{uid, err})
}

// admit lets in the service's own user, root and the callers of its Spec.
func admit(env service.Env, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, _ := r.Context().Value(peerKey{}).(peer)
		name, listed := env.Callers[p.uid]
		switch {
		case p.err != nil:
			WriteError(w, r, &media.Error{Op: "identify the caller", Err: p.err})
		case !listed && p.uid != 0 && p.uid != os.Geteuid():
			WriteError(w, r, &media.Error{Op: "call " + env.Name, Path: fmt.Sprintf("as user %d", p.uid), Err: media.ErrDenied})
		default:
			h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, name)))
		}
	})
}

type callerKey struct{}

// Caller returns the name of the service that sent the request; empty for root and for the service's own user.
func Caller(r *http.Request) string {
	name, _ := r.Context().Value(callerKey{}).(string)
	return name
}

// ReadJSON decodes the request's body into v. Its error wraps [media.ErrInvalid] and says what is wrong where.
func ReadJSON(w http.ResponseWriter, r *http.Request, v any) error {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, MaxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("%w: body: %w", media.ErrInvalid, err)
	}
	return nil
}

// WriteJSON answers with v. An encoding error cannot be told to the client any more: it ends the connection.
func WriteJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		panic(http.ErrAbortHandler)
	}
}
