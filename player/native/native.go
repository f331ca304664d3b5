// Package native is the player as a service: it opens a screen, a sound card and a decoder, lets a [player.Engine] play on
// them, decides what the screen shows beside the film, and answers other services on the service's socket (see
// [manofwar/player/api]).
//
// On the dongle the outputs are the television and its sound, or a HiFi's. On somebody's computer it plays to a sound card if
// asked to, and to nowhere in tests. It plays on Linux only.
package native

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"manofwar/internal/ipc"
	"manofwar/internal/service"
	netapi "manofwar/netmgr/api"
	"manofwar/player"
	"manofwar/player/api"
	"manofwar/player/screen"
	"manofwar/player/serve"
	catalogapi "manofwar/services/catalog/api"
	streamapi "manofwar/services/stream/api"
)

// Outputs says where to play.
type Outputs string

// The outputs.
const (
	Hardware  Outputs = ""       // the screen and the sound of a machine that is ours
	SoundOnly Outputs = "sound"  // the sound card of somebody's computer
	Silent    Outputs = "silent" // nowhere, in real time: for tests
)

// Options are what the player is told by whoever starts it.
type Options struct {
	Outputs Outputs
	Mode    player.Mode // with Silent: of the screen that nobody sees; zero: a small one
	Fonts   []fs.FS     // nil: the system's
}

// New returns the player as a service.
func New(o Options) *Service {
	if o.Fonts == nil {
		o.Fonts = screen.SystemFonts()
	}
	return &Service{options: o}
}

// Service is the player.
type Service struct {
	options Options
	events  ipc.Events
	store   store
	log     *slog.Logger

	mu   sync.Mutex // guards kept
	kept kept
}

// Run plays until ctx ends.
func (s *Service) Run(parent context.Context, env service.Env) error {
	s.log, s.store = env.Log, newStore(env.StateDir)
	var err error
	if s.kept, err = s.store.load(); err != nil {
		env.Log.Warn("settings are the first ones again", "err", err)
	}
	out, err := s.options.open(env.Log)
	if err != nil {
		return fmt.Errorf("player: %w", err)
	}
	defer out.close(env.Log)

	ctx, cancel := context.WithCancel(parent)
	defer cancel()
	house := &house{display: out.display}
	house.stage = newStage(screen.New(s.options.Fonts...), newGallery(streamapi.NewClient(env.RunDir), env.Log), house, env.Log)
	engine := player.New(player.Options{
		Display: out.display, Sound: out.sound, Decoder: out.decoder, Log: env.Log,
		Settings: s.kept.Settings, Volume: max(s.kept.Volume, 1),
		Status: func(now api.Status) { s.told(house, now) },
		Ended:  func(e api.Ended) { s.publish("ended", e) },
		Cues:   house.stage.setCues,
	})
	house.engine = engine
	if out.tv != nil {
		house.controls = newControls(out.tv, engine, func(k api.Key) { s.publish("key", k) }, house.stage.touch, env.Log)
	}

	var running sync.WaitGroup
	running.Go(func() { house.stage.run(ctx) })
	if house.controls != nil {
		running.Go(func() { house.controls.run(ctx) })
	}
	follow := &news{network: netapi.NewClient(env.RunDir), catalog: catalogapi.NewClient(env.RunDir), stage: house.stage, named: house.name, log: env.Log}
	running.Go(func() { follow.run(ctx) })
	running.Go(func() { s.keepVolume(ctx) })
	played := make(chan error, 1)
	running.Go(func() { played <- engine.Run(ctx); cancel() })
	err = ipc.Serve(ctx, env, serve.Handler(serve.Options{
		Engine: told{engine, house.stage.setNext}, Events: &s.events, Keep: s.keep, Notice: house.stage.notice,
	}))
	cancel()
	running.Wait()
	if parent.Err() != nil {
		return nil
	}
	return fmt.Errorf("player: %w", errors.Join(err, <-played))
}

// told is an engine that tells what was said to follow: its status has the key alone.
type told struct {
	*player.Engine
	next func(*api.Item)
}

// Load implements [serve.Engine].
func (t told) Load(l api.Load) {
	t.next(l.Next)
	t.Engine.Load(l)
}

// SetNext implements [serve.Engine].
func (t told) SetNext(it *api.Item) {
	t.next(it)
	t.Engine.SetNext(it)
}

// told spreads the news of the engine.
func (s *Service) told(h *house, now api.Status) {
	h.stage.setPlayer(now)
	if h.controls != nil {
		h.controls.tell(now)
	}
	s.mu.Lock()
	s.kept.Volume = now.Volume
	s.mu.Unlock()
	s.publish("status", now)
}

func (s *Service) publish(kind string, v any) {
	if err := s.events.Publish(kind, v); err != nil {
		s.log.Error("news not told", "err", err)
	}
}

// keep writes the owner's choices.
func (s *Service) keep(chosen api.Settings) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.kept
	k.Settings = chosen
	if err := s.store.save(k); err != nil {
		return fmt.Errorf("keep settings: %w", err)
	}
	s.kept = k
	return nil
}

// volumeEvery is how often a volume that was changed is written: a card wears out.
const volumeEvery = 30 * time.Second

// keepVolume writes the volume now and then, and at the end.
func (s *Service) keepVolume(ctx context.Context) {
	s.mu.Lock()
	last := s.kept.Volume
	s.mu.Unlock()
	tick := time.NewTicker(volumeEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
		s.mu.Lock() // until it is written, as another choice may be made meanwhile
		if k := s.kept; k.Volume != last {
			if err := s.store.save(k); err != nil {
				s.log.Warn("volume not kept", "err", err)
			}
			last = k.Volume
		}
		s.mu.Unlock()
		if ctx.Err() != nil {
			return
		}
	}
}

// house is what belongs to one screen. The stage's pictures go through it to the engine, which shows them when no film is on.
type house struct {
	display  player.Display
	engine   *player.Engine
	stage    *stage
	controls *controls // nil: there is no remote control
}

func (h *house) Size() image.Point {
	s, ok := h.display.Screen()
	if !ok {
		return image.Point{}
	}
	return image.Pt(s.Mode.Width, s.Mode.Height)
}

// name has the television's list of inputs call us so.
func (h *house) name(s string) {
	if h.controls != nil {
		h.controls.name(s)
	}
}

func (h *house) SetScreen(s player.Still) { h.engine.SetScreen(s) }

func (h *house) Overlay(draw func() (*image.RGBA, image.Point)) { h.engine.DrawOverlay(draw) }

// outputs are where to play, opened.
type outputs struct {
	display player.Display
	sound   player.Sound
	decoder player.Decoder
	tv      television // nil: its remote control is out of reach
	hangUp  func() error
}

func (o outputs) close(log *slog.Logger) {
	err := errors.Join(o.sound.Close(), o.display.Close())
	if o.hangUp != nil {
		err = errors.Join(err, o.hangUp())
	}
	if err != nil {
		log.Warn("close the outputs", "err", err)
	}
}
