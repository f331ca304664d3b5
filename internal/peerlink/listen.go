package peerlink

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"manofwar/internal/identity"
	"manofwar/internal/ipc"
)

// The bounds of a listener.
const (
	maxConnections = 96
	maxPerAddress  = 16 // of one IP address, and by one dialler: news, commands, time, and what an item and the next are read by
	maxHeader      = 16 << 10
	headerTimeout  = 10 * time.Second // the handshake included
	idleTimeout    = 90 * time.Second // longer than a dialler's, which closes first
	shutdownGrace  = time.Second
	briefly        = 5 * time.Second // what a request may take of somebody whom nobody trusts
)

// Listen opens the port that devices are expected at, or another where that one is taken.
func Listen(ctx context.Context) (net.Listener, error) {
	var l net.ListenConfig
	ln, err := l.Listen(ctx, "tcp", fmt.Sprintf(":%d", Port))
	if err != nil {
		if ln, err = l.Listen(ctx, "tcp", ":0"); err != nil {
			return nil, fmt.Errorf("listen for devices: %w", err)
		}
	}
	return ln, nil
}

// Serve answers devices until ctx ends, and closes ln. Handlers ask [Peer] who has come.
func Serve(ctx context.Context, ln net.Listener, holder identity.Holder, h http.Handler, log *slog.Logger) error {
	cfg, err := config(holder, func(identity.ID) error { return nil })
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	srv := &http.Server{
		Handler: h, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		BaseContext: func(net.Listener) context.Context { return ctx },
		// The handler answers everything, so that it can be brief with whomever it likes.
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(log.Handler(), slog.LevelDebug), // strangers' mistakes
	}
	return ipc.Until(ctx, srv, tls.NewListener(&bounded{Listener: ln, from: make(map[string]int)}, cfg), shutdownGrace)
}

// Peer returns who has sent a request that [Serve] took.
func Peer(r *http.Request) identity.ID {
	if r.TLS == nil {
		return ""
	}
	id, _ := peerID(*r.TLS) // the handshake would not have been completed without one
	return id
}

// Brief has a request that [Serve] took be the only one of its connection, and a short one: a body that never comes, or an answer
// that nobody reads, would hold the connection else.
func Brief(w http.ResponseWriter) {
	w.Header().Set("Connection", "close")
	rc, end := http.NewResponseController(w), time.Now().Add(briefly)
	_, _ = rc.SetReadDeadline(end), rc.SetWriteDeadline(end) // else the connection has ended already
}

// CutOff ends the connection of a request that [Serve] took: what is being read and written fails at once.
func CutOff(w http.ResponseWriter) {
	rc, past := http.NewResponseController(w), time.Unix(1, 0)
	_, _ = rc.SetReadDeadline(past), rc.SetWriteDeadline(past) // else the connection has ended already
}

// bounded closes connections at once that are too many.
type bounded struct {
	net.Listener

	mu   sync.Mutex // guards the rest
	all  int
	from map[string]int // open connections by IP address
}

func (b *bounded) Accept() (net.Conn, error) {
	for {
		c, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		host := hostOf(c.RemoteAddr())
		if b.enter(host) {
			return &counted{Conn: c, leave: sync.OnceFunc(func() { b.leave(host) })}, nil
		}
		_ = c.Close() // it is told nothing
	}
}

func (b *bounded) enter(host string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all >= maxConnections || b.from[host] >= maxPerAddress {
		return false
	}
	b.all++
	b.from[host]++
	return true
}

func (b *bounded) leave(host string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all--
	if b.from[host]--; b.from[host] == 0 {
		delete(b.from, host)
	}
}

// counted is a connection that is counted until it is closed.
type counted struct {
	net.Conn
	leave func()
}

func (c *counted) Close() error {
	c.leave()
	return c.Conn.Close()
}

// hostOf returns the IP address of a network address.
func hostOf(a net.Addr) string {
	host, _, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	return host
}
