// Package mpd lets the clients of the Music Player Daemon in: M.A.L.P., ncmpcpp, mpc and their like browse the libraries that
// the owner shares with them, and play on what cast has. It speaks the protocol of MPD 0.23.5 as musicpd.org's protocol
// reference describes it, over TCP.
//
// MPD has one queue and one player; here they are the session on one renderer, at first the TV's ([house]). The renderers
// are MPD's outputs, of which one is enabled: enabling another moves the session. The database is the shared music as a
// tree of files ([database]), read when a client first needs it and forgotten when none has come for a while.
//
// There is no password in this: who may come is decided by package guest, and by the address they come from. Not here, and
// refused as unknown: stored playlists, stickers, partitions, mounts, messages between clients, priorities. Refused with a
// reason: what is the owner's to set (crossfade, ReplayGain), and consume, which cast does not have.
package mpd

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"sync"
	"time"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
	playerapi "manofwar/player/api"
	castapi "manofwar/services/cast/api"
	catalogapi "manofwar/services/catalog/api"
	streamapi "manofwar/services/stream/api"
)

// version is that of the protocol, told in the greeting: clients take what it says for granted.
const version = "0.23.5"

// Port is where clients look for MPD.
const Port = 6600

// caster is what plays where.
type caster interface {
	Renderers(context.Context) (castapi.Renderers, error)
	Sessions(context.Context) (castapi.Sessions, error)
	Keys(ctx context.Context, id string) (castapi.Keys, error)
	Open(context.Context, castapi.Open) (castapi.Session, error)
	Control(ctx context.Context, id string, do castapi.Control) (castapi.Session, error)
	Edit(ctx context.Context, id string, e castapi.Edit) (castapi.Session, error)
	Change(ctx context.Context, id string, ch castapi.Change) (castapi.Session, error)
	Move(ctx context.Context, id string, m castapi.Move) (castapi.Session, error)
	With(ctx context.Context, id string, w castapi.With) (castapi.Session, error)
	Events(context.Context) iter.Seq2[ipc.Event, error]
}

// library is what is shared.
type library interface {
	Items(context.Context, catalogapi.Query) (catalogapi.Page, error)
	Lookup(context.Context, []media.ID) ([]media.Item, error)
	Roots(context.Context) (roots []media.Root, revision uint64, err error)
}

// catalog is the whole library: what goes on in it, and what a queue's entries are called that are not shared.
type catalog interface {
	Lookup(context.Context, []media.ID) ([]media.Item, error)
	Status(context.Context) (catalogapi.Status, error)
	Scan(context.Context) error
	Events(context.Context) iter.Seq2[ipc.Event, error]
}

// planner says where a picture's bytes are.
type planner interface {
	Plan(ctx context.Context, id media.ID, what string, params url.Values) (streamapi.Plan, error)
}

// player knows the owner's choices for the sound.
type player interface {
	Status(context.Context) (playerapi.Status, error)
}

// Options are what a server works with.
type Options struct {
	Listen  string // the address, such as ":6600"
	Library library
	Catalog catalog
	Cast    caster
	Planner planner
	Player  player
	Open    func(path string) (*os.File, int64, error) // a regular file, and its size in bytes
	// Announce announces a service until ctx ends or the error comes; nil: nobody does.
	Announce func(ctx context.Context, kind string, port int) error
	Log      *slog.Logger
}

// Server speaks the protocol.
type Server struct {
	opts     Options
	house    *house
	database *database
	commands map[string]command
	begun    time.Time

	mu      sync.Mutex // guards the rest
	clients map[*client]bool
	lists   int // bytes of the command lists that are being sent
	scans   scans
}

// New returns a server that is ready to run, once.
func New(o Options) *Server {
	return &Server{
		opts: o, house: newHouse(o.Cast), commands: commandTable(), begun: time.Now(), clients: make(map[*client]bool),
		database: &database{library: o.Library, all: o.Catalog, log: o.Log},
	}
}

// The bounds.
const (
	maxClients    = 32
	maxClientsPer = 12       // of one address but this computer's own, so that others find room; a client has two or three
	maxLine       = 16 << 10 // of a command, in bytes
	maxList       = 2 << 20  // of a command list
	maxLists      = 8 << 20  // of all command lists together
	// idleTimeout ends a connection that says nothing, and does not wait for news either.
	idleTimeout = time.Minute
	// writeTimeout is how long a client may take to read a part of an answer.
	writeTimeout = 30 * time.Second
	// callTimeout is how long a command may take to find what it answers.
	callTimeout = time.Minute
)

// Run listens and serves until ctx ends or the address cannot be had, which is a [net.OpError]. It calls up once clients can
// come.
func (s *Server) Run(ctx context.Context, up func()) error {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", s.opts.Listen)
	if err != nil {
		return fmt.Errorf("let MPD clients in: %w", err)
	}
	s.opts.Log.Info("listening", "addr", ln.Addr())
	up()
	return s.serve(ctx, ln)
}

// serve answers on ln until ctx ends.
func (s *Server) serve(ctx context.Context, ln net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = ln.Close() }) // it only has to end Accept
	defer stop()
	var running sync.WaitGroup
	running.Go(func() { s.follow(ctx) })
	running.Go(func() { s.announce(ctx, ln.Addr()) })
	var err error
	for {
		conn, acceptErr := ln.Accept()
		if acceptErr != nil {
			if ctx.Err() == nil {
				err = fmt.Errorf("accept: %w", acceptErr)
			}
			break
		}
		if !near(conn) {
			s.opts.Log.Debug("refused", "from", conn.RemoteAddr())
			_ = conn.Close() // nothing was sent
			continue
		}
		running.Go(func() { s.attend(ctx, conn) })
	}
	cancel()
	_ = ln.Close() // or it was
	running.Wait()
	return err
}

const (
	// kind is what MPD is called by DNS-SD.
	kind = "_mpd._tcp"
	// announceAgain is when to try once more after it could not be announced.
	announceAgain = 10 * time.Second
)

// announce has clients find the server by themselves until ctx ends, if it is for others than this computer.
func (s *Server) announce(ctx context.Context, at net.Addr) {
	tcp, ok := at.(*net.TCPAddr)
	if s.opts.Announce == nil || !ok || tcp.IP.IsLoopback() {
		return
	}
	for {
		err := s.opts.Announce(ctx, kind, tcp.Port)
		if errors.Is(err, media.ErrUnsupported) {
			return
		}
		s.opts.Log.Debug("not announced any more", "err", err)
		if !pause(ctx, announceAgain) {
			return
		}
	}
}

// attend talks to a client until it leaves.
func (s *Server) attend(ctx context.Context, conn net.Conn) {
	c := newClient(s, conn)
	if !s.enter(c) {
		c.refuse("too many clients")
		return
	}
	defer s.leave(c)
	if err := c.run(ctx); err != nil && ctx.Err() == nil {
		s.opts.Log.Debug("client left", "from", conn.RemoteAddr(), "err", err)
	}
}

func (s *Server) enter(c *client) bool {
	from, _ := address(c.conn.RemoteAddr())
	s.mu.Lock()
	defer s.mu.Unlock()
	same := 0
	for other := range s.clients {
		if at, _ := address(other.conn.RemoteAddr()); at == from {
			same++
		}
	}
	if len(s.clients) >= maxClients || same >= maxClientsPer && !from.IsLoopback() {
		return false
	}
	s.clients[c] = true
	return true
}

func (s *Server) leave(c *client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.clients, c)
}

// errLists says that command lists hold too much already.
var errLists = errors.New("the command list is too long")

// reserve takes n bytes for a command list, or gives them back if n is negative.
func (s *Server) reserve(n int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lists+n > maxLists {
		return errLists
	}
	s.lists += n
	return nil
}

// near reports whether a client is in the home: this device, a private network (RFC 1918, RFC 4193), the same link. A
// home's public IPv6 addresses are known by being in the subnet that the connection came in by.
func near(conn net.Conn) bool {
	from, ok := address(conn.RemoteAddr())
	if !ok {
		return false
	}
	if from.IsLoopback() || from.IsPrivate() || from.IsLinkLocalUnicast() {
		return true
	}
	at, ok := address(conn.LocalAddr())
	return ok && from.Is6() && at.Is6() && netip.PrefixFrom(at, subnetBits).Masked().Contains(from)
}

// subnetBits is the length of a link's prefix (RFC 7421).
const subnetBits = 64

func address(a net.Addr) (netip.Addr, bool) {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}, false
	}
	return tcp.AddrPort().Addr().Unmap().WithZone(""), true
}
