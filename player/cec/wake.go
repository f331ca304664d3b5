package cec

import (
	"context"
	"time"
)

// bus carries messages. Its calls wait until the message was sent.
type bus interface {
	// send returns an error if nobody has taken the message.
	send(m message) error
	// ask sends a message and returns the answer of that kind.
	ask(m message, answer opcode) (message, error)
}

// How long a television is given to wake up, and how often it is asked.
const (
	wakeLimit = 15 * time.Second
	wakeStep  = time.Second
)

// waker has one wake in progress at most: a television has all of wakeLimit to wake up, and meanwhile somebody may begin another
// film, which wants to be seen as well.
type waker struct {
	end context.CancelFunc // of the wake in progress, or of the last one; nil: there was none
}

// begin gives the wake in progress up and returns one in its place, which is to be run.
func (w *waker) begin(ctx context.Context, b bus, self func() device) func() error {
	if w.end != nil {
		w.end()
	}
	ctx, end := context.WithCancel(ctx)
	w.end = end
	return func() error {
		defer end()
		return wake(ctx, b, self)
	}
}

// wake turns the television on and switches it to us. A television that was asleep forgets what it was told on the way: it is
// told again when it is awake, unless somebody else has been switched to meanwhile. self returns what we are now.
func wake(ctx context.Context, b bus, self func() device) error {
	d := self()
	if !d.present() {
		return nil
	}
	if err := b.send(message{from: d.self, to: tv, op: imageViewOn}); err != nil {
		return err
	}
	if err := b.send(d.shown()); err != nil || isOn(b, d) {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, wakeLimit)
	defer cancel()
	tick := time.NewTicker(wakeStep)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil // it does not tell whether it is on, or is woken anew
		case <-tick.C:
		}
		d = self()
		if ctx.Err() != nil || !d.present() || !d.active { // of two that are ready, select takes any
			return nil
		}
		if isOn(b, d) {
			return b.send(d.shown())
		}
	}
}

// isOn asks the television.
func isOn(b bus, d device) bool {
	m, err := b.ask(message{from: d.self, to: tv, op: givePowerStatus}, reportPowerStatus)
	return err == nil && len(m.operands) > 0 && m.operands[0] == powerOn
}

// sleep turns the television off if it shows us: who watches something else goes on.
func sleep(b bus, d device) error {
	if !d.present() || !d.active {
		return nil
	}
	return b.send(message{from: d.self, to: tv, op: standby})
}
