package portal

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"path/filepath"
	"sync"
	"sync/atomic"

	"manofwar/internal/atomicfile"
	"manofwar/internal/media"
	"manofwar/internal/service"
	netapi "manofwar/netmgr/api"
	playerapi "manofwar/player/api"
	castapi "manofwar/services/cast/api"
	catalogapi "manofwar/services/catalog/api"
	"manofwar/services/portal/guest"
	"manofwar/services/portal/mpd"
	"manofwar/services/portal/upnp"
	"manofwar/services/portal/upnp/renderer"
	"manofwar/services/portal/upnp/server"
	"manofwar/services/portal/upnp/ssdp"
	streamapi "manofwar/services/stream/api"
)

// ways are the ways in that need no password. Each is open while the owner wants it.
type ways struct {
	p       *Service
	env     service.Env
	cast    *castapi.Client
	catalog *catalogapi.Client
	player  *playerapi.Client
	media   *atomic.Pointer[server.Server] // while it is there
	naming  *sync.Mutex                    // held while the seed is made
}

func newWays(p *Service, env service.Env) ways {
	return ways{
		p: p, env: env, cast: castapi.NewClient(env.RunDir), catalog: catalogapi.NewClient(env.RunDir), player: playerapi.NewClient(env.RunDir),
		media: new(atomic.Pointer[server.Server]), naming: new(sync.Mutex),
	}
}

// run opens and closes them until ctx ends.
func (w ways) run(ctx context.Context) {
	var open sync.WaitGroup
	open.Go(func() { w.p.sharing.While(ctx, guest.Renderer, w.renderer) })
	open.Go(func() { w.p.sharing.While(ctx, guest.Server, w.server) })
	open.Go(func() { w.p.sharing.While(ctx, guest.MPD, w.mpd) })
	open.Wait()
}

// mpd is the library and what plays, for the clients of the Music Player Daemon.
func (w ways) mpd(ctx context.Context, up func()) error {
	if w.p.opts.MPD == "" {
		return &media.Error{Op: "let MPD clients in", Err: errNoPort}
	}
	return mpd.New(mpd.Options{
		Listen: w.p.opts.MPD, Library: w.p.sharing.Library(guest.MPD, w.catalog), Catalog: w.catalog, Cast: w.cast, Player: w.player,
		Planner: streamapi.NewClient(w.env.RunDir), Open: openRegular, Announce: netapi.NewClient(w.env.RunDir).Announce, Log: w.env.Log,
	}).Run(ctx, up)
}

// renderer is the TV as UPnP's MediaRenderer.
func (w ways) renderer(ctx context.Context, up func()) error {
	d, err := w.device("renderer")
	if err != nil {
		return err
	}
	return renderer.New(renderer.Options{
		Cast: w.cast, Level: w.level, Local: w.local, Device: d, Log: w.env.Log,
	}).Run(ctx, up)
}

// level is how loud the TV is.
func (w ways) level(ctx context.Context) (volume int, muted bool, err error) {
	s, err := w.player.Status(ctx)
	return s.Volume, s.Muted, err
}

// local finds what our own server hands out: it is played from its file.
func (w ways) local(ctx context.Context, address string) (what castapi.What, ours bool, err error) {
	s := w.media.Load()
	if s == nil {
		return castapi.What{}, false, nil
	}
	id, ours, err := s.Item(ctx, address)
	return castapi.What{Items: []media.ID{id}}, ours, err
}

// server is the library as UPnP's MediaServer.
func (w ways) server(ctx context.Context, up func()) error {
	d, err := w.device("server")
	if err != nil {
		return err
	}
	s := server.New(server.Options{
		Library: w.p.sharing.Library(guest.Server, w.catalog), News: w.catalog.Events, Deliver: w.p.hand, Fail: w.p.fail, Device: d, Log: w.env.Log,
	})
	w.media.Store(s)
	defer w.media.Store(nil)
	return s.Run(ctx, up)
}

// hand sends a guest an item's file, or its picture.
func (p *Service) hand(w http.ResponseWriter, r *http.Request, id media.ID, part string) error {
	w.Header().Set("Content-Security-Policy", mediaPolicy)
	ctx, cancel := context.WithTimeout(r.Context(), planTimeout)
	defer cancel()
	if part == "cover" {
		plan, err := p.planner.Plan(ctx, id, part, url.Values{"size": {"640"}})
		if err != nil {
			return err
		}
		return deliver(w, r, plan)
	}
	defer p.playing.begin()()
	dlna(w.Header(), r)
	plan, err := p.plans.of(ctx, id, func(ctx context.Context) (streamapi.Plan, error) { return p.planner.Plan(ctx, id, part, nil) })
	cancel() // sending takes as long as it takes
	if err != nil {
		return err
	}
	return deliver(w, r, plan)
}

// device is what the UPnP devices have in common.
func (w ways) device(kind string) (upnp.Device, error) {
	seed, err := w.seed()
	if err != nil {
		return upnp.Device{}, err
	}
	return upnp.Device{
		UUID: upnp.UUID(seed, kind), Name: w.p.name, Version: w.p.opts.Version, Server: w.p.server, Announce: ssdp.Run, Log: w.env.Log,
	}, nil
}

// seed is what makes the names of this device's own among all that there are. It is made once.
func (w ways) seed() (string, error) {
	w.naming.Lock()
	defer w.naming.Unlock()
	var kept struct {
		Seed string `json:"seed"`
	}
	name := filepath.Join(w.env.StateDir, "upnp.json")
	err := atomicfile.ReadJSON(name, &kept)
	if err == nil && kept.Seed != "" {
		return kept.Seed, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.env.Log.Warn("name among UPnP devices not read: this is another one now", "err", err)
	}
	kept.Seed = rand.Text()
	return kept.Seed, atomicfile.WriteJSON(name, kept, 0o600)
}
