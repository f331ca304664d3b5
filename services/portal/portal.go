// Package portal is the web door of manofwar, the only one: it serves the user interface, the JSON API that
// docs/api.md describes, and the media.
//
// Media bytes never pass through this program. The stream service answers with a plan of inline bytes and file ranges;
// the portal opens the files read-only and lets the kernel copy them to the client ([deliver]). Lists come from the
// catalog, the state of the machine from PID 1. A service that does not answer leaves its part of the page empty and a
// [Notice] in its place; the rest stays useful.
//
// Everything that can be asked for is one table of routes with the right that each needs. Before a route sees a request
// it has passed the door: the Host it names must be this machine, a change must come from its own page, and its body
// must be small JSON.
//
// The clients of the device's own access point find the setup pages by themselves: whatever a phone fetches to see
// whether a network wants a sign-in is answered by [Service.capture], before the host it names is refused. The pages are
// forms without scripts or cookies, because that is what a phone's sign-in sheet lets work.
//
// Accounts and HTTPS are not here yet.
package portal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
	"manofwar/internal/service"
	"manofwar/services/portal/guest"
)

// Options are what the portal is told.
type Options struct {
	Listen    []string       // addresses, such as ":80"
	Names     []string       // host names it may be addressed by besides localhost, IP addresses and the name won on the network; one without a dot also under a home's domains
	Version   string         // of the program
	MPD       string         // the address for clients of the Music Player Daemon, once the owner lets them in; empty: they cannot come
	Hosted    bool           // it runs on somebody's computer, not on a dongle
	UI        fs.FS          // the user interface; nil: the embedded one
	Listening func(net.Addr) // called for each address once it is open, for a caller that asked for port 0; may be nil
}

// Service is the portal.
type Service struct {
	opts     Options
	log      *slog.Logger
	stateDir string

	shelves shelves
	planner planner
	machine machine
	plans   planCache

	cast     caster
	offer    func(ctx context.Context, id, name string) iter.Seq2[ipc.Event, error] // of a page to be played on
	tv       television
	networks networks
	guests   guests // of the access point
	tries    tries  // of the setup pages
	looking  looking
	playing  *playing
	sharing  *guest.Guests // what those may do who come without a password
	ways     ways          // by which they come

	site  *site
	hosts hosts
	watch *watch
}

// New returns a portal that is ready to run.
func New(opts Options) *Service {
	return &Service{opts: opts}
}

// Run serves until ctx ends.
func (p *Service) Run(ctx context.Context, env service.Env) error {
	if err := p.prepare(env); err != nil {
		return err
	}
	listeners, err := p.listen(ctx)
	if err != nil {
		return err
	}
	return p.serve(ctx, env, listeners)
}

// prepare puts the parts together.
func (p *Service) prepare(env service.Env) error {
	files := p.opts.UI
	if files == nil {
		var err error
		if files, err = fs.Sub(dist, "ui/dist"); err != nil {
			return fmt.Errorf("embedded user interface: %w", err)
		}
	}
	p.log, p.stateDir, p.site = env.Log, env.StateDir, newSite(files)
	p.watch = &watch{
		hosted: p.opts.Hosted, log: env.Log, shape: p.device,
		kick: make(chan struct{}, 1), arrived: make(chan struct{}, 1),
	}
	p.hosts = newHosts(p.opts.Names, p.watch.hostname)
	p.dial(env.RunDir)
	p.playing = newPlaying(env.Log, p.networks.Stream)
	p.sharing = guest.Open(env.StateDir, env.Log)
	p.ways = newWays(p, env)
	return nil
}

// listen opens every address, or none.
func (p *Service) listen(ctx context.Context) (listeners []net.Listener, err error) {
	var lc net.ListenConfig
	for _, addr := range p.opts.Listen {
		ln, err := lc.Listen(ctx, "tcp", addr)
		if err != nil {
			for _, open := range listeners {
				_ = open.Close() // nothing was accepted
			}
			return nil, listenError(addr, err)
		}
		listeners = append(listeners, ln)
		p.log.Info("listening", "addr", ln.Addr())
		if p.opts.Listening != nil {
			p.opts.Listening(ln.Addr())
		}
	}
	return listeners, nil
}

// Check opens every address and closes it again. It is for a program that a person started and that had better say now
// what is wrong than try again and again; the error is a [media.Error] with a hint.
func (o Options) Check(ctx context.Context) error {
	var lc net.ListenConfig
	for _, addr := range o.Listen {
		ln, err := lc.Listen(ctx, "tcp", addr)
		if err != nil {
			return listenError(addr, err)
		}
		_ = ln.Close() // nothing was accepted
	}
	return nil
}

// listenError says what to do about an address that cannot be had.
func listenError(addr string, err error) error {
	e := &media.Error{Op: "listen on", Path: addr, Err: err}
	if number, ok := errors.AsType[syscall.Errno](err); ok {
		e.Err = number // the rest repeats the address
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		e.Hint = "Another program uses this port: end it, or choose another port."
	case errors.Is(err, syscall.EACCES):
		e.Hint = "Ports below 1024 need a right that this program was not given: choose a higher one."
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		e.Hint = "This computer does not have that address."
	case errors.As(err, new(*net.AddrError)), errors.As(err, new(*net.DNSError)):
		e.Hint = "An address is a host and a port, such as 127.0.0.1:8080, or :8080 for all of this computer's."
	}
	return e
}

const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	// maxHeader bounds a request's header, in bytes. net/http adds 4 KiB of its own.
	maxHeader = 16 << 10
	// shutdownGrace is how long answers under way may take to end once the service is told to stop.
	shutdownGrace = 2 * time.Second
)

// serve answers on listeners and follows the other services until ctx ends or one listener fails.
func (p *Service) serve(ctx context.Context, env service.Env, listeners []net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p.looking.life = ctx
	srv := p.server(ctx, p.door(p.mux()))
	failed := make(chan error, len(listeners))
	for _, ln := range listeners {
		go func() { failed <- srv.Serve(ln) }()
	}
	var followed sync.WaitGroup
	followed.Go(func() { p.watch.run(ctx) })
	followed.Go(func() { p.playing.run(ctx) })
	followed.Go(func() { p.ways.run(ctx) })
	env.Ready()
	var err error
	left := len(listeners)
	select {
	case <-ctx.Done():
	case err = <-failed:
		err = fmt.Errorf("serve: %w", err)
		left--
	}
	cancel()
	ipc.Shut(ctx, srv, shutdownGrace)
	for range left {
		<-failed
	}
	followed.Wait()
	p.looking.wait()
	return err
}

// server returns an HTTP server with its limits. An answer that takes longer than [stall] moves its own deadline on.
func (p *Service) server(ctx context.Context, h http.Handler) *http.Server {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		WriteTimeout:      stall,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		Protocols:         &protocols,
		ConnState:         new(census).watch,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnContext:       func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) },
		ErrorLog:          slog.NewLogLogger(p.log.Handler(), slog.LevelDebug),

		DisableGeneralOptionsHandler: true,
	}
}
