package ipc

import (
	"context"
	"iter"
	"log/slog"
	"time"
)

// The pause before a stream of events that broke off is asked for again: it doubles up to the last, and is the first again after a
// stream that held for longer than the last.
const (
	firstPause = 250 * time.Millisecond
	lastPause  = 5 * time.Second
)

// Hear calls hear for everything that events says until ctx ends, one event after the other, and calls events again whenever its
// sequence ends, as it does while the service that it is of is restarted. What happens in between is not heard: the service says
// first how things are, or events asks.
func Hear(ctx context.Context, log *slog.Logger, events func(context.Context) iter.Seq2[Event, error], hear func(Event)) {
	pause := firstPause
	for ctx.Err() == nil {
		begun := time.Now()
		for ev, err := range events(ctx) {
			if err != nil {
				log.Debug("events broke off", "err", err)
				break
			}
			hear(ev)
		}
		if time.Since(begun) > lastPause {
			pause = firstPause
		}
		rest(ctx, pause)
		pause = min(2*pause, lastPause)
	}
}

// rest waits for d, or until ctx ends.
func rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
