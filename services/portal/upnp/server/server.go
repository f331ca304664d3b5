// Package server is UPnP's MediaServer:1: what televisions, consoles and players browse to find the owner's music and films.
// It speaks ContentDirectory:1 and ConnectionManager:1, and hands out addresses under which the files themselves can be
// fetched, range by range.
//
// Guests see the libraries that were chosen for them and nothing else. The addresses need no sign-in, because such players
// know none: they carry a word that nobody can guess, which is another after every start, and lead to what is shared at
// that moment.
package server

import (
	"context"
	"crypto/rand"
	"iter"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
	catalogapi "manofwar/services/catalog/api"
	"manofwar/services/portal/upnp"
)

// library is what is shared.
type library interface {
	Items(context.Context, catalogapi.Query) (catalogapi.Page, error)
	Item(context.Context, media.ID) (media.Item, error)
	Albums(context.Context, catalogapi.Query) (catalogapi.Albums, error)
	Album(context.Context, media.ID) (catalogapi.AlbumPage, error)
	Roots(context.Context) (roots []media.Root, revision uint64, err error)
}

// Options are what a server works with.
type Options struct {
	Library library
	News    func(context.Context) iter.Seq2[ipc.Event, error]                            // of the catalog
	Deliver func(w http.ResponseWriter, r *http.Request, id media.ID, part string) error // sends an item's "file" or "cover"
	Fail    func(w http.ResponseWriter, r *http.Request, err error)
	Device  upnp.Device // without kind and services
	Log     *slog.Logger
}

// Server is one. It is run once.
type Server struct {
	opts      Options
	device    upnp.Device
	directory *upnp.Service
	token     string
	filling   chan struct{} // holds one while somebody reads the shelf

	mu      sync.Mutex // guards the rest
	update  uint32     // SystemUpdateID
	version string     // of the library and of what is shared of it, that update is of
	shelf   *shelf     // of that version; nil: nobody has asked yet
}

// Port is the one that is tried first: where such servers are looked for on computers.
const Port = 8200

// New returns a server.
func New(o Options) *Server {
	s := &Server{opts: o, device: o.Device, token: rand.Text(), filling: make(chan struct{}, 1), update: uint32(time.Now().Unix())}
	s.directory = s.newDirectory()
	s.device.Kind, s.device.DLNA, s.device.Port = "MediaServer", "DMS-1.50", Port
	s.device.Services = []*upnp.Service{s.directory, s.newConnection()}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /media/{token}/{id}/{name}", s.deliver("file"))
	mux.HandleFunc("GET /cover/{token}/{id}/{name}", s.deliver("cover"))
	s.device.Other, s.device.Follow = mux, s.follow
	return s
}

// Run is there until ctx ends, and calls up once guests can come.
func (s *Server) Run(ctx context.Context, up func()) error { return s.device.Run(ctx, up) }

// follow tells subscribers when the library has changed, until ctx ends.
func (s *Server) follow(ctx context.Context) {
	ipc.Hear(ctx, s.opts.Log.With("of", catalogapi.Name), s.opts.News, func(ev ipc.Event) {
		if ev.Kind == "changed" {
			_, _ = s.note(ctx) // it is looked at again when somebody asks
		}
	})
}

// deliver sends a part of an item that is shared now.
func (s *Server) deliver(part string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := s.send(w, r, part)
		if err != nil {
			s.opts.Fail(w, r, err)
		}
	}
}

func (s *Server) send(w http.ResponseWriter, r *http.Request, part string) error {
	if r.PathValue("token") != s.token {
		return &media.Error{Op: "find", Path: "it", Err: media.ErrNotFound, Hint: "Open the list again: addresses hold until the device is restarted."}
	}
	it, err := s.opts.Library.Item(r.Context(), media.ID(r.PathValue("id")))
	if err != nil {
		return err
	}
	return s.opts.Deliver(w, r, it.ID, part)
}

// address is where a part of an item is fetched.
func (s *Server) address(ctx context.Context, part string, id media.ID, name string) string {
	return "http://" + upnp.Host(ctx) + "/" + part + "/" + s.token + "/" + url.PathEscape(string(id)) + "/" + name
}

// Item returns what an address of this server is the file of; false: it is none of this server's. The error is a
// [media.ErrNotFound] if it is one that is not shared now: who has seen one address can write another.
func (s *Server) Item(ctx context.Context, address string) (id media.ID, ours bool, err error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", false, nil
	}
	rest, ok := strings.CutPrefix(u.Path, "/media/"+s.token+"/")
	first, name, _ := strings.Cut(rest, "/")
	if !ok || first == "" || name != path.Base(name) {
		return "", false, nil
	}
	it, err := s.opts.Library.Item(ctx, media.ID(first))
	return it.ID, true, err
}
