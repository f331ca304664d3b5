package player

import (
	"context"
	"errors"
	"image"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// projector shows the pictures of the track that is heard, each when it is due, and what else is to be seen while no film
// is on. It is told by a program, of which the latest counts. One goroutine runs it; it is the only one that shows.
type projector struct {
	display Display
	log     *slog.Logger
	line    *line
	report  func(report)
	wake    chan struct{}
	hungry  atomic.Bool
	sync    measure

	mu      sync.Mutex
	program program

	p       program // being carried out
	track   *track  // whose pictures are shown
	early   bool    // its first picture was shown before the line moved
	held    showing // on the screen
	still   Still
	stills  [2]*Frame // of the mode's size; one of them may be on the screen
	painted [2]Still  // what they hold
	ahead   prepared  // the picture that is shown next
	lastAt  time.Time // when something was shown
	blind   bool      // there is no screen
	failing bool      // the last picture could not be shown
}

// program is what the projector is to do.
type program struct {
	track   *track // with pictures; nil: the screen
	next    *track
	screen  Still // nil: black
	offset  time.Duration
	mode    Mode // zero: the one in force
	screens int  // counts changes of the display
}

// showing is what lies on the screen.
type showing struct {
	frame *Frame
	pool  frames // whose it is; nil: one of the stills
}

const (
	maxBlind = 500 * time.Millisecond // that pictures which come too late are left out before one is shown nevertheless
	maxAhead = 30 * time.Second       // a picture that is due later has a broken timestamp, and must not hold up the rest
)

func newProjector(d Display, l *line, log *slog.Logger, report func(report)) *projector {
	return &projector{display: d, line: l, log: log, report: report, wake: make(chan struct{}, 1)}
}

// set replaces the program.
func (p *projector) set(g program) {
	p.mu.Lock()
	same := p.program == g
	p.program = g
	p.mu.Unlock()
	if !same {
		p.poke()
	}
}

func (p *projector) poke() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// fed says that a track has another picture.
func (p *projector) fed() {
	if p.hungry.Load() {
		p.poke()
	}
}

// run shows until ctx ends.
func (p *projector) run(ctx context.Context) {
	timer := time.NewTimer(never)
	defer timer.Stop()
	defer p.dropStills()
	for ctx.Err() == nil {
		wait := p.step(time.Now())
		if wait == 0 {
			continue
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
		case <-p.wake:
		case <-p.line.changed:
		case <-timer.C:
		}
	}
}

// step does one thing and returns when to come back, 0 for at once.
func (p *projector) step(now time.Time) time.Duration {
	p.follow()
	if p.track == nil {
		p.hungry.Store(false)
		if p.p.track == nil {
			p.showScreen()
		}
		return never
	}
	p.hungry.Store(true)
	pic, ok, none := p.track.peek()
	if none && p.p.next != nil && p.track != p.p.next && p.p.next.pool != nil {
		p.track, p.early = p.p.next, false
		return 0
	}
	if !ok {
		return never
	}
	due, moving := p.line.due(p.track, pic.pts)
	if !moving {
		if p.early || p.line.moves() { // of another track: ours is not on the line yet
			return never
		}
		p.early = true
		p.present(pic, time.Time{})
		return 0
	}
	p.hungry.Store(false)
	due = due.Add(-max(p.p.offset, -p.track.patience()))
	screen, _ := p.display.Screen()
	start := due
	if screen.VBlank && screen.Mode.Refresh > 0 {
		start = due.Add(-time.Duration(float64(time.Second) / screen.Mode.Refresh / 2))
	}
	if wait := start.Sub(now); wait > 0 && wait < maxAhead {
		if p.prepare(pic, screen) {
			return 0
		}
		return wait
	}
	p.early = true
	if now.Sub(due) > p.track.frameTime() && now.Sub(p.lastAt) < maxBlind {
		p.skip(pic)
		return 0
	}
	p.present(pic, due)
	return 0
}

// follow takes over the latest program.
func (p *projector) follow() {
	p.mu.Lock()
	g := p.program
	p.mu.Unlock()
	if g.screens != p.p.screens {
		p.blind, p.still, p.painted = false, nil, [2]Still{}
		p.repeat()
	}
	if g.mode != p.p.mode && g.mode != (Mode{}) {
		p.setMode(g.mode)
	}
	p.p = g
	if p.track != g.track && (p.track == nil || p.track != g.next) {
		p.track, p.early = g.track, false
	}
	if p.track != nil {
		p.still = nil
	}
}

// repeat shows what was on a screen that was away: a film that waits has nothing new for it.
func (p *projector) repeat() {
	screen, ok := p.display.Screen()
	if !ok || p.held.pool == nil || p.track == nil {
		return
	}
	size := image.Pt(p.held.frame.Width, p.held.frame.Height)
	if _, err := p.display.Show(p.held.frame, fit(screen, size, p.track.req.Info.Aspect)); err != nil {
		p.failed(err)
	}
}

func (p *projector) setMode(m Mode) {
	if err := p.display.SetMode(m); err != nil {
		p.log.Warn("set mode", "width", m.Width, "height", m.Height, "refresh", m.Refresh, "err", err)
	}
	p.report(report{kind: modeSet})
}

// skip leaves out a picture that comes too late.
func (p *projector) skip(pic picture) {
	if !p.track.pop() {
		return
	}
	p.track.pool.put(pic.frame)
	if !p.blind {
		p.sync.drop()
	}
}

// present shows a picture, due at that time; zero: whenever.
func (p *projector) present(pic picture, due time.Time) {
	t := p.track
	if !t.pop() {
		return
	}
	screen, ok := p.display.Screen()
	if !ok || p.blind {
		t.pool.put(pic.frame)
		return
	}
	at, err := p.show(pic, screen)
	if err != nil {
		t.pool.put(pic.frame)
		t.refuse(err)
		p.failed(err)
		return
	}
	p.shown(showing{pic.frame, t.pool}, at)
	if !due.IsZero() {
		p.sync.show(at.Sub(due))
	}
}

// shown gives back what was on the screen before.
func (p *projector) shown(s showing, at time.Time) {
	if old := p.held; old.pool != nil {
		old.pool.put(old.frame)
	}
	p.held, p.lastAt, p.failing = s, at, false
	if s.pool != nil {
		p.dropStills()
	}
}

// failed notes that nothing can be shown, and says so once.
func (p *projector) failed(err error) {
	if errors.Is(err, ErrGone) {
		p.blind = true
	} else if !p.failing {
		p.log.Warn("show", "err", err)
	}
	p.failing = true
}
