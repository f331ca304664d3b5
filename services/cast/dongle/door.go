package dongle

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"manofwar/internal/identity"
	"manofwar/internal/media"
	"manofwar/internal/peerlink"
)

// door is how our player gets the bytes of items that other devices have: an address on this computer's loopback that nobody
// else can guess, behind which the link is. And it knows which of our files other devices may fetch: those that they were
// told to play, and no others.
type door struct {
	token string
	ln    net.Listener

	mu     sync.Mutex // guards offers
	offers map[identity.ID][]offered
}

// offered is a file that a device was told to play.
type offered struct{ key, path string }

// maxOffered is how many of the last items a device may fetch: what plays, what is next, and what is being replaced.
const maxOffered = 8

func (d *door) open(ctx context.Context) (err error) {
	var l net.ListenConfig
	d.ln, err = l.Listen(ctx, "tcp", "127.0.0.1:0")
	d.token = rand.Text()
	return err
}

// address is where our player finds an item of a device.
func (d *door) address(id identity.ID, key string) string {
	return "http://" + d.ln.Addr().String() + "/" + d.token + "/" + string(id) + "/" + url.PathEscape(key)
}

// offer lets a device fetch a file.
func (d *door) offer(id identity.ID, key, path string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.offers == nil {
		d.offers = make(map[identity.ID][]offered)
	}
	list := d.offers[id]
	for i, o := range list {
		if o.key == key {
			list = append(list[:i], list[i+1:]...)
			break
		}
	}
	list = append(list, offered{key, path})
	d.offers[id] = list[max(0, len(list)-maxOffered):]
}

// forget lets a device fetch nothing any more.
func (d *door) forget(id identity.ID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.offers, id)
}

// offeredTo returns the file that a device may fetch under a key.
func (d *door) offeredTo(id identity.ID, key string) (path string, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, o := range d.offers[id] {
		if o.key == key {
			return o.path, true
		}
	}
	return "", false
}

// serve answers our player until ctx ends.
func (d *door) serve(ctx context.Context, n *Network) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /"+d.token+"/{id}/{key}", n.fetch)
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: callTimeout, BaseContext: func(net.Listener) context.Context { return ctx }}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := srv.Serve(d.ln); !errors.Is(err, http.ErrServerClosed) {
			n.Log.Warn("items of other dongles not fetched", "err", err)
		}
	}()
	<-ctx.Done()
	_ = srv.Close() // the player is ours: it asks again
	<-done
}

// fetch passes an item on from the device that has it, in the ranges that the player asks for.
func (n *Network) fetch(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	var l *link
	if d := n.devices[identity.ID(r.PathValue("id"))]; d != nil {
		l = d.link
	}
	n.mu.Unlock()
	if l == nil {
		http.Error(w, "it is trusted no more", http.StatusForbidden)
		return
	}
	req, err := http.NewRequestWithContext(r.Context(), r.Method, "http://device/items/"+url.PathEscape(r.PathValue("key")), nil)
	if err != nil {
		http.Error(w, "not a key", http.StatusBadRequest)
		return
	}
	for _, h := range []string{"Range", "If-Range"} {
		if v := r.Header.Get(h); v != "" {
			req.Header.Set(h, v)
		}
	}
	resp, err := l.transport.RoundTrip(req)
	if err != nil {
		http.Error(w, "the other dongle does not answer", http.StatusBadGateway)
		return
	}
	defer resp.Body.Close()
	for _, h := range []string{"Accept-Ranges", "Content-Length", "Content-Range", "Content-Type", "Last-Modified"} {
		if v := resp.Header.Get(h); v != "" {
			w.Header().Set(h, v)
		}
	}
	w.WriteHeader(resp.StatusCode)
	if _, err := io.Copy(w, resp.Body); err != nil && r.Context().Err() == nil {
		panic(http.ErrAbortHandler) // the player is to see that something is missing
	}
}

// getItem sends a file that the device was told to play.
func (n *Network) getItem(w http.ResponseWriter, r *http.Request) error {
	path, ok := n.door.offeredTo(peerlink.Peer(r), r.PathValue("key"))
	if !ok {
		return &media.Error{Op: "find item", Err: media.ErrNotFound}
	}
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() { // a named pipe would not even open
		return &media.Error{Op: "send", Path: filepath.Base(path), Err: media.ErrUnsupported, Hint: "A disc in a folder plays only where it is."}
	}
	var f *os.File
	if err == nil {
		f, err = os.Open(path)
	}
	if err != nil {
		return &media.Error{Op: "open", Path: filepath.Base(path), Err: errors.Join(media.ErrAway, err)}
	}
	defer f.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, strings.ToValidUTF8(filepath.Base(path), ""), info.ModTime(), f)
	return nil
}
