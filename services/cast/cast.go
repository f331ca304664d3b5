// Package cast is what plays where: the places where something can play ([renderer.Renderer]), the sessions that play
// there, and their live queues ([queue.Queue]). Several people control a session at once and all see the same; a session
// moves to another place with its queue and its position.
//
// A [session] is a machine without a clock or a connection. It is told what people want and what its place does, and
// says how things should be there; the places, in the packages tv, browser and dlna, see to it. So whatever is restarted
// meanwhile (the player, this service, a page) finds its way back by the last order. What a session needs is kept across
// a restart of this service, and of the whole device, after which it waits, paused.
//
// The library is the catalog's: a queue holds IDs, and an item is looked up when it is about to play or to be seen.
// Playing itself, decoding and the TV's screen are the player's.
package cast

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"strconv"
	"sync"
	"time"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
	"manofwar/internal/peerlink"
	"manofwar/internal/service"
	playerapi "manofwar/player/api"
	"manofwar/services/cast/api"
	"manofwar/services/cast/browser"
	"manofwar/services/cast/dlna"
	"manofwar/services/cast/dongle"
	"manofwar/services/cast/renderer"
	"manofwar/services/cast/tv"
	catalogapi "manofwar/services/catalog/api"
	streamapi "manofwar/services/stream/api"
)

// Options are what cast is told.
type Options struct {
	Dongles bool                  // speak to the home's other dongles
	Skew    peerlink.Skew         // of the clock that they are told of, for tests
	WebPort int                   // of the portal, for devices of the network that fetch media themselves; 0: they cannot
	Home    func(netip.Addr) bool // whether a link may lead to an address; nil: to those that only the home's networks have
}

// library is what cast asks of the catalog.
type library interface {
	File(context.Context, media.ID) (catalogapi.File, error)
	Lookup(context.Context, []media.ID) ([]media.Item, error)
	IDs(context.Context, catalogapi.Query) ([]media.ID, error)
	Album(context.Context, media.ID) (catalogapi.AlbumPage, error)
}

// planner is what cast asks of the stream service.
type planner interface {
	Plan(ctx context.Context, id media.ID, what string, params url.Values) (streamapi.Plan, error)
}

// Service is cast.
type Service struct {
	opts    Options
	log     *slog.Logger
	library library
	planner planner
	pages   *browser.Pages
	devices *dlna.Network
	dongles *dongle.Network // nil: it has nothing to do with others
	events  ipc.Events
	store   *store
	work    work

	mu       sync.Mutex // guards the rest, sessions and all
	random   *rand.Rand
	sessions map[string]*session
	places   map[string]*place
	numbers  uint64    // of the session begun last
	told     api.Stamp // of what was told last
	settings api.Settings
	once     recent
	stale    stale
	stepping chan struct{} // somebody may follow; holds one
}

// place is a renderer, and what plays there.
type place struct {
	info    api.Renderer
	to      renderer.Renderer // nil: it has not been there since the start
	there   bool
	level   renderer.Level
	session string // that it leads
	follows string // the session that it plays in step with another place
	room    room   // while it follows
}

// New returns a service that is ready to run.
func New(o Options) *Service { return &Service{opts: o} }

// Run serves until ctx ends.
func (c *Service) Run(ctx context.Context, env service.Env) error {
	if err := c.prepare(env); err != nil {
		return err
	}
	if c.opts.Dongles {
		if err := c.meet(env); err != nil { // what plays here needs no others
			env.Log.Warn("no other dongles", "err", err)
		}
	}
	screen := tv.New(playerapi.NewClient(env.RunDir), c, env.Log)
	return c.run(ctx, screen, env.Healthy, func(ctx context.Context) error { return ipc.Serve(ctx, env, c.handler()) })
}

// run keeps everything going until ctx ends or serve returns.
func (c *Service) run(ctx context.Context, screen *tv.TV, healthy func(error), serve func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c.work.life = ctx
	c.told.Epoch = strconv.FormatUint(rand.Uint64(), 36)
	c.resume(screen)
	var running sync.WaitGroup
	running.Go(func() { screen.Run(ctx) })
	running.Go(func() { c.devices.Run(ctx) })
	if c.dongles != nil {
		running.Go(func() { c.dongles.Run(ctx) })
	}
	running.Go(func() { c.publish(ctx) })
	running.Go(func() { c.keepTime(ctx) })
	running.Go(func() { c.keepStep(ctx) })
	running.Go(func() { c.save(ctx, healthy) })
	err := serve(ctx)
	cancel()
	c.pages.Close()
	running.Wait()
	c.work.end()
	return err
}

// prepare puts the parts together and reads what was kept.
func (c *Service) prepare(env service.Env) error {
	catalog := catalogapi.NewClient(env.RunDir)
	c.log, c.library, c.planner = env.Log, catalog, streamapi.NewClient(env.RunDir)
	c.random = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	c.sessions, c.places = make(map[string]*session), make(map[string]*place)
	c.stale, c.stepping = newStale(), make(chan struct{}, 1)
	c.pages, c.devices = browser.New(c, env.Log), dlna.New(c, c.opts.WebPort, env.Log)
	c.store = newStore(env.StateDir, env.RunDir)
	return c.restore()
}

// resume gives the places the orders that follow from what was kept. Places that are not there again soon have gone.
func (c *Service) resume(screen renderer.Renderer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.place(api.TV).to = screen
	now := time.Now()
	for _, s := range c.sessions {
		c.settle(s, now)
	}
	if tv := c.places[api.TV]; tv.session == "" && tv.follows == "" {
		screen.Order(renderer.Order{Speed: 1})
	}
	c.devices.Set(c.settings.DLNA)
	c.work.after(arriveWithin, c.absent)
}

// arriveWithin is how long a place that a session was at may take to be there again.
const arriveWithin = 15 * time.Second

// absent parks the sessions of places that have not come back.
func (c *Service) absent() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, p := range c.places {
		if !p.there && id != api.TV {
			c.lost(p)
		}
	}
}

// place returns the place of that ID, known or not.
func (c *Service) place(id string) *place {
	p := c.places[id]
	if p == nil {
		p = &place{info: api.Renderer{ID: id}}
		c.places[id] = p
	}
	return p
}

// settle makes everything follow from a session that may have changed: what comes next, the order to its place, what
// has to be looked up, told and kept. The caller holds mu.
func (c *Service) settle(s *session, now time.Time) {
	s.follow(now)
	p := c.place(s.place)
	if o, ok := s.order(p.level, now); ok && p.to != nil {
		p.to.Order(o)
	}
	c.instruct(s, now)
	c.resolve(s)
	c.stale.session(s.id)
}

// begin makes a new session at p, in place of what played there. The caller holds mu.
func (c *Service) begin(p *place) (*session, error) {
	if s := c.sessions[p.session]; s != nil {
		return s, nil
	}
	if len(c.sessions) >= maxSessions && !c.discard() {
		return nil, &media.Error{Op: "play on", Path: p.info.Name, Err: media.ErrFull, Hint: "Too much plays already. Stop something first."}
	}
	c.vacate(p)
	c.numbers++
	s := newSession(fmt.Sprintf("s%d", c.numbers), p.info.ID, c.newQueue())
	c.sessions[s.id], p.session = s, s.id
	c.stale.renderers()
	return s, nil
}

// maxSessions bounds them: a home has fewer rooms.
const maxSessions = 16

// discard forgets the session that was used least recently of those that are not at a place, and reports whether there
// was one.
func (c *Service) discard() bool {
	var oldest *session
	for _, s := range c.sessions {
		if s.want || c.place(s.place).there && !s.over && !s.parked {
			continue
		}
		if oldest == nil || s.used.Before(oldest.used) {
			oldest = s
		}
	}
	if oldest == nil {
		return false
	}
	c.end(oldest)
	return true
}

// end silences a session's place and forgets the session. The caller holds mu.
func (c *Service) end(s *session) {
	c.disband(s)
	p := c.place(s.place)
	if p.session == s.id {
		p.session = ""
		if p.to != nil {
			p.to.Order(renderer.Order{Level: p.level, Speed: 1})
		}
	}
	delete(c.sessions, s.id)
	if !p.there && p.info.ID != api.TV {
		delete(c.places, p.info.ID)
	}
	c.stale.gone(s.id)
}

// move has a session go on at another place, from where it is.
func (c *Service) move(s *session, p *place, now time.Time) {
	if s.place == p.info.ID {
		return
	}
	if p.follows == s.id {
		c.part(s, p) // it plays it already
	} else {
		c.vacate(p)
	}
	from := c.place(s.place)
	if from.session == s.id {
		from.session = ""
		if from.to != nil {
			from.to.Order(renderer.Order{Level: from.level, Speed: 1})
		}
	}
	s.place, p.session = p.info.ID, s.id
	if !p.info.Exact {
		c.disband(s)
	}
	if s.queue.Len() > 0 {
		s.again(now)
		s.now.tracks = nil
	}
	if s.problem != nil && s.problem.Code == codeGone {
		s.problem = nil
	}
	s.parked = s.parked && !s.want
	c.stale.renderers()
}

// snapshot returns a session as everybody sees it. The caller holds mu.
func (c *Service) snapshot(s *session, now time.Time) api.Session {
	p := c.place(s.place)
	out := s.snapshot(p.level, now)
	out.Stamp = c.stamp()
	out.With = c.rooms(s)
	if p.info.Kind == api.DLNA {
		out.Speed = 1 // it knows no other
	}
	return out
}

// stamp marks what is about to be told as newer than all before. The caller holds mu, and does since it read what it tells.
func (c *Service) stamp() api.Stamp {
	c.told.Sequence++
	return c.told
}
