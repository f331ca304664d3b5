package dongle

import (
	"context"
	"time"

	"manofwar/internal/peerlink"
)

const (
	// beginWith is how many samples of the other's clock are taken at once, soonEvery apart, before anything relies on it.
	beginWith = 8
	soonEvery = 50 * time.Millisecond
	// oftenEvery is how often its clock is asked while rooms are kept in step, and seldomEvery else: that it answers also
	// says that it is still there.
	oftenEvery  = 250 * time.Millisecond
	seldomEvery = 4 * time.Second
	oftenFor    = 10 * time.Second
	// maxMissed is how many answers in a row may be missing before the connection is given up.
	maxMissed = 3
)

// Time is what a device answers of its clock: when it was asked and when it answered, in nanoseconds.
type Time struct {
	Received int64 `json:"received"`
	Replied  int64 `json:"replied"`
}

// keepTime asks for the device's clock until ctx ends, or it no longer answers.
func (l *link) keepTime(ctx context.Context) {
	missed := 0
	for {
		if err := l.askTime(ctx); err == nil {
			missed = 0
		} else if missed++; missed >= maxMissed || ctx.Err() != nil {
			return
		}
		if !pause(ctx, l.askAgain(), nil) {
			return
		}
	}
}

// askTime takes one sample.
func (l *link) askTime(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var t Time
	sent := time.Now()
	if err := l.client.Get(ctx, "/clock", &t); err != nil {
		return err
	}
	answered := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.offset.Add(peerlink.Sample{
		Sent: l.n.clock.At(sent), Answered: l.n.clock.At(answered),
		Received: time.Duration(t.Received), Replied: time.Duration(t.Replied),
	})
	return nil
}

// askAgain returns how long to wait until the next sample.
func (l *link) askAgain() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.offset.Samples() < beginWith:
		return soonEvery
	case time.Since(l.used) < oftenFor:
		return oftenEvery
	}
	return seldomEvery
}

// settled waits until the device's clock is known well enough to begin with, and reports whether ctx is still on.
func (l *link) settled(ctx context.Context) bool {
	for {
		l.mu.Lock()
		enough := l.offset.Samples() >= beginWith
		l.mu.Unlock()
		if enough {
			return true
		}
		if !pause(ctx, soonEvery, nil) {
			return false
		}
	}
}

// theirs returns what the device's clock says at a time of ours.
func (l *link) theirs(t time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.offset.Theirs(l.n.clock.At(t))
}

// ours returns when the device's clock says that.
func (l *link) ours(d time.Duration) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.n.clock.Time(l.offset.Ours(d))
}

// matters notes that its clock has to be known well for now.
func (l *link) matters() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.used = time.Now()
}

// On the wire a time is a moment of the clock of the device that is spoken to, as if that had begun with the year 1970.

func onWire(d time.Duration) time.Time   { return time.Unix(0, int64(d)).UTC() }
func fromWire(t time.Time) time.Duration { return time.Duration(t.UnixNano()) }
