package guest

import (
	"context"
	"time"
)

// A protocol that ends by itself is begun again after a moment, which grows.
const (
	firstPause = time.Second
	lastPause  = time.Minute
)

// While runs speak whenever p is turned on, until ctx ends. The context of speak ends when p is turned off, and While waits for
// it to return: by then all that it opened must be closed. It calls up once guests can come. What it returns by itself is
// told to the owner as the protocol's trouble, and it is begun again after a moment. A change of the libraries does not
// end it.
func (g *Guests) While(ctx context.Context, p Protocol, speak func(ctx context.Context, up func()) error) {
	pause := firstPause
	for ctx.Err() == nil {
		choice, changed := g.choice(p)
		if !choice.On {
			g.trouble(p, nil)
			pause = firstPause
			select {
			case <-ctx.Done():
			case <-changed:
			}
			continue
		}
		begun := time.Now()
		err := g.whileOn(ctx, p, speak)
		if now, _ := g.choice(p); ctx.Err() != nil || !now.On {
			continue
		}
		if err != nil {
			g.log.Warn("guests are not served", "protocol", string(p), "err", err)
		}
		g.trouble(p, err)
		if time.Since(begun) > lastPause {
			pause = firstPause
		}
		_, changed = g.choice(p)
		rest(ctx, pause, changed)
		pause = min(2*pause, lastPause)
	}
}

// whileOn runs speak once, for no longer than p is on.
func (g *Guests) whileOn(ctx context.Context, p Protocol, speak func(context.Context, func()) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- speak(ctx, func() { g.trouble(p, nil) }) }()
	for {
		choice, changed := g.choice(p)
		if !choice.On {
			cancel()
			return <-ended
		}
		select {
		case err := <-ended:
			return err
		case <-changed:
		}
	}
}

// rest waits for d, or less if early is closed or ctx ends.
func rest(ctx context.Context, d time.Duration, early <-chan struct{}) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-early:
	case <-t.C:
	}
}
