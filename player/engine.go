package player

import (
	"context"
	"image"
	"log/slog"
	"reflect"
	"slices"
	"sync"
	"time"

	"manofwar/player/api"
)

// Engine plays one item after the other on a display and a sound card. Its commands may be called from any goroutine and
// at any time: each is defined in every state, none waits for a device or a decoder, and each replaces what an earlier one
// began. [Engine.Run] has to run for anything to happen.
//
// One goroutine owns what is played. It tells two others what should be so, and they carry that out: the deck plays
// sound and with it moves the line on which everything happens, the projector shows pictures when the line is where they
// are due.
type Engine struct {
	opt       Options
	deck      *deck
	projector *projector
	line      *line
	wake      chan struct{}
	teller    *teller

	mu      sync.Mutex // guards what follows
	todo    []func()   // for the goroutine that runs
	running bool
	over    bool
	status  api.Status // as last told, but for what changes by itself
	onAir   *track     // that status is of
	screen  Still

	laying  sync.Mutex // guards overlay; held while the display takes it
	overlay overlay

	// Of the goroutine that runs.
	ctx      context.Context
	wg       sync.WaitGroup // openers and closers
	now      time.Time
	current  *entry // nil: idle
	next     *entry
	paused   bool
	volume   int
	muted    bool
	speed    float64
	settings api.Settings
	outputs  outputs
	pool     *pool
	film     *track // whose pictures the projector has
	mode     Mode   // that a film asked for
	shifting bool   // the screen is changing its mode
	pursuit  pursuit
	problem  *api.Problem
	failures int // in a row
	failedAt time.Time
	cues     []Cue           // to be seen
	urgent   bool            // the status is to be told although it looks the same
	callers  []chan struct{} // of commands that were carried out
}

// Options are what an engine is made of. Status, Ended and Cues are called one at a time, by a goroutine that does
// nothing else, and may call the engine; each may be nil.
type Options struct {
	Display  Display
	Sound    Sound
	Decoder  Decoder
	Log      *slog.Logger
	Settings api.Settings
	Volume   int // at first, 1 to 100; 0: 100

	Status func(api.Status) // something but the position has changed
	Ended  func(api.Ended)
	Cues   func([]Cue) // these subtitles are to be seen now, or none, pictures in pixels of the mode; to be laid over by SetOverlay
}

type overlay struct {
	img *image.RGBA
	at  image.Point
}

// New returns an engine that is idle.
func New(opt Options) *Engine {
	e := &Engine{opt: opt, line: newLine(), wake: make(chan struct{}, 1), teller: newTeller(), volume: opt.Volume, speed: 1}
	if e.volume <= 0 || e.volume > 100 {
		e.volume = 100
	}
	e.settings = sane(opt.Settings)
	report := func(r report) { e.post(func() { e.handle(r) }) }
	e.deck = newDeck(opt.Sound, e.line, opt.Log, report)
	e.projector = newProjector(opt.Display, e.line, opt.Log, report)
	e.outputs.formats = make(map[wish]SoundFormat)
	e.outputs.look(opt)
	e.now = time.Now()
	e.status = e.describe()
	return e
}

// Run plays until ctx ends, then lets everything go and returns nil. The last picture stays on the screen, and its frame
// with the display. It is called once.
func (e *Engine) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	e.ctx = ctx
	var parts sync.WaitGroup
	parts.Go(func() { e.deck.run(ctx) })
	parts.Go(func() { e.projector.run(ctx) })
	parts.Go(e.teller.run)
	e.loop(ctx)
	e.now = time.Now()
	e.drop(e.current)
	e.drop(e.next)
	cancel()
	e.wg.Wait()
	e.teller.close()
	parts.Wait()
	e.pool.close()
	return nil
}

func (e *Engine) loop(ctx context.Context) {
	e.mu.Lock()
	e.running = true
	e.mu.Unlock()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-e.wake:
		case <-timer.C:
		case <-e.opt.Display.Changed():
			e.now = time.Now()
			e.screensChanged()
		case <-e.opt.Sound.Changed():
			e.cardsChanged()
		}
		timer.Reset(e.step())
	}
	e.mu.Lock()
	todo := e.todo
	e.todo, e.over = nil, true
	e.mu.Unlock()
	e.now = time.Now()
	for _, f := range todo { // whoever waits for a command is let go, and an opened stream is closed
		f()
	}
	e.answer()
}

// step does what was asked for, brings everything in line, and returns when to come back.
func (e *Engine) step() time.Duration {
	for {
		e.now = time.Now()
		e.mu.Lock()
		todo := e.todo
		e.todo = nil
		e.mu.Unlock()
		if len(todo) == 0 {
			break
		}
		for _, f := range todo {
			f()
		}
	}
	wait := e.advance()
	e.instruct()
	e.announce()
	e.answer()
	return wait
}

// answer lets go whoever waits for a command.
func (e *Engine) answer() {
	for _, c := range e.callers {
		close(c)
	}
	e.callers = nil
}

// post lets the goroutine that runs call f. It reports whether that will be.
func (e *Engine) post(f func()) bool {
	e.mu.Lock()
	over := e.over
	if !over {
		e.todo = append(e.todo, f)
	}
	e.mu.Unlock()
	select {
	case e.wake <- struct{}{}:
	default:
	}
	return !over
}

// do is post for commands: it returns when f was called, so that the status shows it. Before Run it does not wait.
func (e *Engine) do(f func()) {
	done := make(chan struct{})
	e.mu.Lock()
	running := e.running
	e.mu.Unlock()
	if e.post(func() { f(); e.callers = append(e.callers, done) }) && running {
		<-done
	}
}

// instruct gives the deck and the projector their orders.
func (e *Engine) instruct() {
	o := order{
		paused: e.paused, gain: e.settings.ReplayGain, crossfade: time.Duration(e.settings.Crossfade),
		offset: e.offset(), card: e.outputs.choose(e.settings.Card), any: e.settings.Card == "", cards: e.outputs.cardChanges,
	}
	if !e.muted {
		o.volume = loudness(e.volume)
	}
	o.start, o.bend = e.pursuit.start, e.pursuit.bend
	g := program{offset: o.offset, mode: e.mode, screens: e.outputs.screenChanges}
	if c := e.current; c == nil {
		e.film = nil
	} else if c.track != nil && !e.shifting {
		o.track = c.track
		if e.film = nil; c.track.pool != nil {
			e.film = c.track
		}
		if n := e.next; n != nil && n.track != nil && !n.alone {
			o.next = n.track
			g.next = n.track
		}
	} else if !c.wantsVideo() {
		e.film = nil
	}
	g.track = e.film
	e.mu.Lock()
	g.screen = e.screen
	e.mu.Unlock()
	e.deck.set(o)
	e.projector.set(g)
}

// announce tells the status if it has changed.
func (e *Engine) announce() {
	s := e.describe()
	e.mu.Lock()
	changed := e.urgent || !same(s, e.status)
	e.status, e.onAir, e.urgent = s, nil, false
	if e.current != nil {
		e.onAir = e.current.track
	}
	e.mu.Unlock()
	if changed && e.opt.Status != nil {
		e.teller.tell(func() { e.opt.Status(s) })
	}
}

// same compares two states but for what changes by itself.
func same(a, b api.Status) bool {
	a.Position, a.At, a.Sync = b.Position, b.At, b.Sync
	return reflect.DeepEqual(a, b)
}

// Status returns what is played and how, with the position of this moment.
func (e *Engine) Status() api.Status {
	e.mu.Lock()
	s, t := e.status, e.onAir
	e.mu.Unlock()
	s.At = time.Now()
	if heard, at := e.line.at(s.At); t != nil && heard == t {
		s.Position = duration(at)
	}
	s.Sync = e.measured()
	s.Streams, s.Chapters = slices.Clone(s.Streams), slices.Clone(s.Chapters)
	return s
}

// SetScreen says what the screen shows while no film is on; nil is black.
func (e *Engine) SetScreen(s Still) {
	e.mu.Lock()
	e.screen = s
	e.mu.Unlock()
	e.post(func() {})
}

// SetOverlay lays img over whatever is shown, film or screen, at a point of the mode's pixels; nil takes it away. It stays
// when the screen was away, and must not be written to afterwards but in DrawOverlay.
func (e *Engine) SetOverlay(img *image.RGBA, at image.Point) {
	e.DrawOverlay(func() (*image.RGBA, image.Point) { return img, at })
}

// DrawOverlay is SetOverlay with what draw returns. Nobody looks at the overlay before while draw runs: it may paint into
// its memory.
func (e *Engine) DrawOverlay(draw func() (*image.RGBA, image.Point)) {
	e.laying.Lock()
	defer e.laying.Unlock()
	img, at := draw()
	e.overlay = overlay{img, at}
	e.layOver()
}

// layOver gives the overlay to the display. A screen that is away gets it when it returns.
func (e *Engine) layOver() {
	if err := e.opt.Display.Overlay(e.overlay.img, e.overlay.at); err != nil {
		e.opt.Log.Debug("overlay", "err", err)
	}
}
