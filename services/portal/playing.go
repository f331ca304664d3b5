package portal

import (
	"context"
	"log/slog"
	"sync"
	"time"

	netapi "manofwar/netmgr/api"
)

// playing tells the network manager while media go out, so that it leaves no working network for a mere preference
// meanwhile. How much of it a player has ahead is not known here; none is claimed.
type playing struct {
	log  *slog.Logger
	tell func(context.Context, netapi.Streaming) error
	kick chan struct{} // an answer has begun; holds one

	mu    sync.Mutex // guards the rest
	under int        // answers under way
	last  time.Time  // when one began or ended
}

const (
	// playingFor is how long after a file or a segment somebody still counts as playing: players fetch ahead, then pause.
	playingFor = 30 * time.Second
	// playingAgain is how often it is said again. The manager believes it for a minute.
	playingAgain = 20 * time.Second
)

func newPlaying(log *slog.Logger, tell func(context.Context, netapi.Streaming) error) *playing {
	return &playing{log: log, tell: tell, kick: make(chan struct{}, 1)}
}

// begin notes that an answer with media goes out. The returned function notes its end.
func (p *playing) begin() (end func()) {
	p.note(1)
	tell(p.kick)
	return func() { p.note(-1) }
}

func (p *playing) note(change int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.under += change
	p.last = time.Now()
}

func (p *playing) on() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.under > 0 || !p.last.IsZero() && time.Since(p.last) < playingFor
}

// run says so until ctx ends. While nobody plays it sleeps.
func (p *playing) run(ctx context.Context) {
	tick := time.NewTicker(playingAgain)
	defer tick.Stop()
	for {
		tick.Stop()
		select {
		case <-ctx.Done():
			return
		case <-p.kick:
		}
		if !p.on() { // it was said already
			continue
		}
		tick.Reset(playingAgain)
		for p.on() {
			p.say(ctx, true)
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
		p.say(ctx, false)
	}
}

func (p *playing) say(ctx context.Context, active bool) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if err := p.tell(ctx, netapi.Streaming{Active: active}); err != nil {
		p.log.Debug("network manager not told of playing", "err", err) // it is being restarted, or manages nothing here
	}
}
