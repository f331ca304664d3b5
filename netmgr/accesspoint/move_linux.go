package accesspoint

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"manofwar/netmgr"
	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/nl80211"
)

// move is a move to another channel.
type move struct {
	mhz       int
	announced bool
	due       time.Time // when the driver should have been done with it, or should be asked again to begin
	until     time.Time // how long it is asked again
	done      chan<- error
}

// announced is how many beacons tell the stations of a move: one that sleeps hears some of them.
const announced = 5

// The waits of a move.
const (
	moveWait  = 5 * time.Second        // beyond the announcement, for the driver: a jump in the midst of a move loses everybody
	scanWait  = 5 * time.Second        // for a scan to end, which keeps the radio from moving
	scanRetry = 200 * time.Millisecond // after which it is asked again
)

// Move takes the access point and its stations to another channel: they are told and follow, and nobody is lost. Where the driver
// does not do that, or the channel is in another band, the access point ends here and begins there, and stations have to find it.
// The error wraps a [ChannelError], or [ErrDown] where the access point is not up; unless it is down, it stays where it was.
// When ctx ends before it, the move goes on.
func (a *AccessPoint) Move(ctx context.Context, mhz int) error {
	done := make(chan error, 1)
	select {
	case a.moves <- move{mhz: mhz, done: done}:
	case <-a.over:
		return ErrDown
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// begin begins a move. How it went is told to whoever wants it; the error is that of an access point that is lost by it.
func (r *runner) begin(m move) error {
	err := r.allowed(m.mhz)
	switch {
	case r.moving != nil:
		err = &ChannelError{m.mhz, ErrBusy}
	case m.mhz == r.sme.mhz:
		err = nil
	case err == nil:
		if err = r.free(m.mhz); err != nil {
			break
		}
		r.moving = &m
		if !r.radio.Commands.ChannelSwitch || low(m.mhz) != low(r.sme.mhz) {
			return r.overdue()
		}
		m.until = time.Now().Add(r.ap.patience)
		r.announce()
		return nil
	}
	m.done <- err
	return nil
}

// announce lets the driver tell the stations of the move that is wanted, and carry it out. While the radio is busy otherwise it is tried
// again.
func (r *runner) announce() {
	m, now := r.moving, time.Now()
	err := r.switchChannel(m.mhz)
	switch {
	case err == nil:
		m.announced, m.due = true, now.Add(announced*beaconInterval*timeUnit+moveWait)
	case errors.Is(err, ErrBusy) && now.Before(m.until):
		m.due = now.Add(scanRetry)
	default:
		r.moving = nil
		m.done <- err
	}
}

// free reports whether the radio's other interfaces leave it a channel. The kernel does not look at them before it is too late, and
// then takes the access point down.
func (r *runner) free(mhz int) error {
	if slices.ContainsFunc(r.radio.Combinations, func(c nl80211.Combination) bool { return c.Channels > 1 }) {
		return nil
	}
	all, err := r.conn.Interfaces(r.ctx)
	if err != nil {
		return err
	}
	for _, i := range all {
		if i.Phy == r.iface.Phy && i.Index != r.iface.Index && i.MHz != 0 && i.MHz != mhz {
			return &ChannelError{mhz, ErrBusy}
		}
	}
	return nil
}

// switchChannel begins the announcement.
func (r *runner) switchChannel(mhz int) error {
	there := r.sme.bss
	there.mhz = mhz
	sw := ieee80211.ChannelSwitch{Quiet: true, Channel: there.channel(), Beacons: announced}
	_, inTail := r.sme.beaconTail(&sw)
	_, inProbe := r.sme.probeResponseWith(ieee80211.Broadcast, &sw)
	return refusal(mhz, r.conn.SwitchChannel(r.ctx, nl80211.ChannelSwitch{
		Index: r.iface.Index, MHz: mhz, HT: r.sme.ht != nil, Beacons: announced, Quiet: true,
		Announcing: r.sme.templates(&sw), InTail: inTail, InProbe: inProbe, After: there.templates(nil),
	}))
}

// moved takes the news that the channel is another. Some firmware follows the network that is joined by itself.
func (r *runner) moved(mhz int) error {
	if mhz == 0 || mhz == r.sme.mhz {
		return nil
	}
	r.sme.mhz = mhz
	if m := r.moving; m != nil {
		r.moving = nil
		var err error
		if m.mhz != mhz {
			err = &ChannelError{m.mhz, ErrBusy}
		}
		m.done <- err
	}
	r.ap.options.Log.Info("access point has moved", "mhz", mhz)
	r.ap.options.Tell(netmgr.AccessPointUp{Phy: r.ap.options.Phy, Index: r.iface.Index, MHz: mhz})
	if r.stale {
		return r.update()
	}
	return nil
}

// jump ends the access point here and begins it there, or if that does not work here again. Keys are new: packet numbers start over.
func (r *runner) jump() error {
	m := r.moving
	r.moving = nil
	here := r.sme.mhz
	if err := r.stop(); err != nil {
		return err
	}
	r.again(m.mhz)
	err := r.beacon()
	m.done <- err
	if err == nil {
		r.ap.options.Log.Info("access point has jumped", "mhz", m.mhz)
		return nil
	}
	if err := r.silence(); err != nil {
		return err
	}
	r.again(here)
	if again := r.beacon(); again != nil {
		return fmt.Errorf("back on %d MHz: %w", here, again)
	}
	return nil
}

// again makes the access point new, on a channel.
func (r *runner) again(mhz int) {
	b := r.network()
	b.mhz = mhz
	r.sme = newSME(r.config(), b)
}

// late does what the time of a move has come for.
func (r *runner) late() error {
	if r.moving.announced {
		return r.overdue()
	}
	r.announce()
	return nil
}

// overdue moves where the driver does not say that it has: some firmware goes to the channel of a network that is joined by itself,
// else it is a jump.
func (r *runner) overdue() error {
	i, err := r.conn.Interface(r.ctx, r.iface.Index)
	if err != nil {
		return err
	}
	if i.MHz == r.moving.mhz {
		return r.moved(i.MHz)
	}
	return r.jump()
}

// low reports whether a channel is in the band at 2.4 GHz.
func low(mhz int) bool { return mhz < 3000 }
