package main

import (
	"context"
	"fmt"
	"mime/multipart"
	"net"
	"net/http"
	"net/textproto"
	"strconv"
	"sync"
	"time"
)

// television shows what is on a guest's screen to browsers: for a computer that has no screen itself.
type television struct {
	shot func(context.Context) ([]byte, error) // takes a picture, as PNG

	mu    sync.Mutex // guards the rest, and lets one picture at a time be taken
	last  []byte
	taken time.Time
}

// refresh is the time between two pictures. An emulated guest draws no faster than this by much.
const refresh = 150 * time.Millisecond

const televisionPage = `<!doctype html><meta charset="utf-8"><title>manofwar: the television</title>
<style>html{background:#000;height:100%}body{margin:0;height:100%}img{width:100%;height:100%;object-fit:contain}</style>
<img src="live" alt="What the television shows">`

// serve answers on ln until ctx ends.
func (t *television) serve(ctx context.Context, ln net.Listener) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(televisionPage)) // the browser has left if this fails
	})
	mux.HandleFunc("GET /live", t.live)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(ln); ctx.Err() == nil {
		return fmt.Errorf("television: %w", err)
	}
	return nil
}

// live sends one picture after the other in the same answer, each in the place of the one before
// (multipart/x-mixed-replace, which browsers show in an img).
func (t *television) live(w http.ResponseWriter, r *http.Request) {
	parts := multipart.NewWriter(w)
	w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary="+parts.Boundary())
	tick := time.NewTicker(refresh)
	defer tick.Stop()
	for {
		if picture, err := t.picture(r.Context()); err == nil { // between two boots there is none
			part, err := parts.CreatePart(textproto.MIMEHeader{"Content-Type": {"image/png"}, "Content-Length": {strconv.Itoa(len(picture))}})
			if err != nil {
				return
			}
			if _, err := part.Write(picture); err != nil {
				return
			}
			if err := http.NewResponseController(w).Flush(); err != nil {
				return
			}
		}
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
		}
	}
}

// picture returns one that is no older than a refresh, however many watch.
func (t *television) picture(ctx context.Context) ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if time.Since(t.taken) < refresh {
		return t.last, nil
	}
	picture, err := t.shot(ctx)
	if err != nil {
		return nil, err
	}
	t.last, t.taken = picture, time.Now()
	return picture, nil
}
