package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// dialLimit bounds the wait for a connection.
const dialLimit = 10 * time.Second

// dial makes a connection as a program in a namespace would, and hands it to the lab.
func dial(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), dialLimit)
	defer cancel()
	there, err := dialIn(ctx, r.FormValue("place"), r.FormValue("address"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer there.Close()
	w.Header().Set("Connection", "Upgrade")
	w.Header().Set("Upgrade", "tcp")
	w.WriteHeader(http.StatusSwitchingProtocols)
	here, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer here.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(there, buffered) // either end ends both
		_ = there.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(here, there)
	_ = here.(*net.TCPConn).CloseWrite()
	<-done
}

// dialIn connects from inside a namespace, or from this program's own. address must be numbers: names would be asked for elsewhere.
func dialIn(ctx context.Context, place, address string) (net.Conn, error) {
	if place == "" {
		return (&net.Dialer{}).DialContext(ctx, "tcp", address)
	}
	ns, err := os.Open(filepath.Join("/run/netns", place))
	if err != nil {
		return nil, err
	}
	defer ns.Close()
	var conn net.Conn
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread belongs to the namespace, and ends with this goroutine
		if err = unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
			return
		}
		conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", address)
	}()
	<-done
	if err != nil {
		return nil, errors.Join(err, ctx.Err())
	}
	return conn, nil
}
