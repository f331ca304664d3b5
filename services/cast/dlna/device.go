package dlna

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"manofwar/services/cast/api"
	"manofwar/services/cast/renderer"
)

// control is what a device does. [upnp] is one.
type control interface {
	SetURI(ctx context.Context, uri, meta string) error
	SetNext(ctx context.Context, uri, meta string) error
	Play(context.Context) error
	Pause(context.Context) error
	Stop(context.Context) error
	Seek(context.Context, time.Duration) error
	Playback(context.Context) (playback, error)
	Volume(context.Context) (volume int, muted bool, err error)
	SetVolume(context.Context, int) error
	SetMute(context.Context, bool) error
	Takes() []string
	CanNext() bool
	HasVolume() bool
}

// device is one renderer. Its fields below the mutex belong to run's goroutine.
type device struct {
	control  control
	info     api.Renderer
	base     string // of the portal's addresses
	listener renderer.Listener
	log      *slog.Logger
	wake     chan struct{}

	mu    sync.Mutex // guards order
	order *renderer.Order

	loaded   string // the key that it has
	loading  time.Time
	next     string // the key that it was told to go on with
	plays    bool   // it was told to play
	told     time.Time
	began    bool           // it has played what is loaded
	pending  *time.Duration // where to go once it plays
	followed uint64
	at       time.Duration // where it was, as far as is known
	since    time.Time     // when; zero: it stands
	duration time.Duration
	level    renderer.Level
	levelAt  time.Time // when it was last asked or told
	refusals int       // of what comes next, in a row
	misses   int       // calls in a row that it did not answer
}

const (
	// lookEvery is how often a device that plays is asked what it does; restEvery how often one that does not.
	lookEvery = time.Second
	restEvery = 15 * time.Second
	// settle is how long a device may take to show the effect of a command: televisions fetch the beginning first.
	settle = 4 * time.Second
	// beginWithin is how long it may take to begin.
	beginWithin = 25 * time.Second
	// nearEnd is how close to the end a device that stops has finished.
	nearEnd = 6 * time.Second
	// missesAllowed is how many calls may go unanswered before people are told.
	missesAllowed = 3
)

func newDevice(n *Network, c control, info api.Renderer) *device {
	return &device{control: c, info: info, listener: n.listener, log: n.log.With("device", info.Name), wake: make(chan struct{}, 1)}
}

// Order implements [renderer.Renderer].
func (d *device) Order(o renderer.Order) {
	d.mu.Lock()
	d.order = &o
	d.mu.Unlock()
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

func (d *device) wanted() *renderer.Order {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.order
}

// run follows the orders until ctx ends.
func (d *device) run(ctx context.Context) {
	t := time.NewTimer(0)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.wake:
		case <-t.C:
			d.look(ctx)
		}
		d.follow(ctx)
		if d.loaded != "" && (d.plays || time.Since(d.told) < settle) {
			t.Reset(lookEvery)
		} else {
			t.Reset(restEvery)
		}
	}
}

// call does one thing within its time, and notes whether the device answers.
func (d *device) call(ctx context.Context, what string, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := do(ctx)
	if ctx.Err() != nil && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		d.log.Debug("device refused", "what", what, "err", err)
	}
	return err
}

// look asks what the device does, and tells.
func (d *device) look(ctx context.Context) {
	var p playback
	err := d.call(ctx, "state", func(ctx context.Context) (err error) {
		p, err = d.control.Playback(ctx)
		return err
	})
	d.answered(err == nil)
	if err != nil {
		return
	}
	r := d.report(p)
	if time.Since(d.levelAt) > settle && d.control.HasVolume() {
		d.hear(ctx, &r)
	}
	d.listener.Reported(d.info.ID, r)
}

// answered tells people of a device that no longer answers, or does again.
func (d *device) answered(yes bool) {
	if d.misses++; yes {
		d.misses = 0
	}
	problem := ""
	if d.misses >= missesAllowed {
		problem = d.info.Name + " does not answer."
	}
	if (d.misses == 0 || d.misses == missesAllowed) && problem != d.info.Problem {
		d.info.Problem = problem
		d.listener.Found(d.info, d)
	}
}

// hear asks how loud it is.
func (d *device) hear(ctx context.Context, r *renderer.Report) {
	is := renderer.Level{Known: true}
	err := d.call(ctx, "volume", func(ctx context.Context) (err error) {
		is.Volume, is.Muted, err = d.control.Volume(ctx)
		return err
	})
	d.levelAt = time.Now()
	if err == nil && is != d.level {
		d.level, r.Level = is, is
	}
}

// report makes of what the device says what cast understands.
func (d *device) report(p playback) renderer.Report {
	now := time.Now()
	r := renderer.Report{Key: d.loaded, State: api.Stopped, At: now, Speed: 1, Seek: d.followed}
	if d.loaded == "" {
		return r
	}
	if key := keyOf(p.uri, d.base); key != "" && key == d.next && key != d.loaded {
		d.arrived(key, now) // it has gone on by itself
		r.Key, r.Seek = key, d.followed
	} else if p.uri != "" && !strings.Contains(p.uri, d.base) && p.state == "PLAYING" && now.Sub(d.loading) > settle {
		d.loaded, d.next = "", ""
		return renderer.Report{State: api.Stopped, At: now, Taken: true}
	}
	if p.duration > 0 {
		d.duration = p.duration
	}
	r.Duration = d.duration
	fresh := now.Sub(d.told) < settle
	switch p.state {
	case "PLAYING":
		r.State, d.began = api.Playing, true
		d.approach(p.at, now)
		if !d.plays && !fresh {
			yes := true
			d.plays, r.Play = true, &yes
		}
	case "PAUSED_PLAYBACK":
		r.State = api.Paused
		d.stand(p.at)
		if d.plays && !fresh {
			no := false
			d.plays, r.Play = false, &no
		}
	case "TRANSITIONING":
		r.State = api.Loading
	default:
		d.stopped(p, &r, now)
	}
	if d.pending != nil && d.plays {
		r.State = api.Loading // it is not yet where it should be
	}
	r.Position = d.position(now)
	return r
}

// stopped finds out why a device does not play.
func (d *device) stopped(p playback, r *renderer.Report, now time.Time) {
	at := d.position(now)
	d.stand(at)
	switch {
	case !d.plays:
		r.State = api.Paused // it could not wait, and begins again where it was
		return
	case p.failed, !d.began && now.Sub(d.told) > beginWithin:
		r.Ended = &renderer.Ended{Key: d.loaded, Problem: &api.Problem{Code: "unsupported", Text: d.info.Name + " cannot play it."}}
	case !d.began || now.Sub(d.told) < settle && at < nearEnd:
		r.State = api.Loading
		return
	case d.duration == 0 || at > d.duration-nearEnd:
		r.Ended = &renderer.Ended{Key: d.loaded}
	default:
		r.Ended = &renderer.Ended{Key: d.loaded, Stopped: true, At: at}
	}
	d.loaded, d.next = "", ""
}

// arrived notes that the device plays what was to come next.
func (d *device) arrived(key string, now time.Time) {
	d.loaded, d.next, d.followed = key, "", 1
	d.loading, d.began, d.pending = now, true, nil
	d.at, d.since, d.duration = 0, now, 0
}

// position is where it is by our own clock.
func (d *device) position(now time.Time) time.Duration {
	if d.since.IsZero() {
		return d.at
	}
	return d.at + now.Sub(d.since)
}

// approach corrects the position by what the device says, which is whole seconds: between two of them our own clock
// knows better.
func (d *device) approach(at time.Duration, now time.Time) {
	ours := d.position(now)
	if d.since.IsZero() || ours < at-time.Second/4 || ours > at+time.Second+time.Second/4 {
		ours = at
	}
	d.at, d.since = ours, now
}

// stand notes that it stands there.
func (d *device) stand(at time.Duration) {
	if (at-d.at).Abs() > time.Second || !d.since.IsZero() {
		d.at = at
	}
	d.since = time.Time{}
}
