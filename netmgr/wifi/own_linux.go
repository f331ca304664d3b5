package wifi

import (
	"context"
	"errors"
	"time"

	"manofwar/netmgr"
	"manofwar/netmgr/accesspoint"
)

// ownPoint is our own access point on one radio. It is for the radio's goroutine.
type ownPoint struct {
	radio *radio
	retry *time.Timer // when to look at the plan again by itself
	run   *ownRun     // nil: it is down
}

// ownRun is an access point that is up, or ended by itself.
type ownRun struct {
	ap       *accesspoint.AccessPoint
	name     string // SSID
	password string
	mhz      int
	cancel   context.CancelFunc
	done     chan struct{}
}

// restart is after how long an access point that ended by itself is made again where the plan has not changed: the policy,
// which is told, plans that as a rule.
const restart = 3 * time.Second

// follow makes, moves and ends the access point.
func (o *ownPoint) follow(ctx context.Context, p plan) {
	want := p.AccessPoint
	if o.run != nil && (!want.Up || !o.run.is(p)) {
		o.end()
	}
	if !want.Up {
		return
	}
	if o.run != nil && o.run.ended() {
		o.end()
	}
	switch {
	case o.run == nil:
		o.start(ctx, p)
	case o.run.mhz != want.MHz:
		o.move(ctx, p)
	}
}

// is reports whether a plan is of this network.
func (r *ownRun) is(p plan) bool { return r.name == p.AccessPoint.SSID && r.password == p.own }

// ended reports whether it ended by itself.
func (r *ownRun) ended() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// start makes the access point.
func (o *ownPoint) start(ctx context.Context, p plan) {
	ctx, cancel := context.WithCancel(ctx)
	phy := o.radio.radio.Phy
	ap, err := accesspoint.New(accesspoint.Options{
		Phy: phy, SSID: p.AccessPoint.SSID, Passphrase: p.own, MHz: p.AccessPoint.MHz,
		Log: o.radio.backend.log,
		Tell: func(ev netmgr.Event) {
			if _, down := ev.(netmgr.AccessPointDown); down && ctx.Err() != nil {
				return // the plan was that it ends
			}
			o.radio.tell(ev)
		},
	})
	if err != nil {
		cancel()
		o.radio.tell(netmgr.AccessPointDown{Phy: phy, Reason: accesspoint.Reason(err)})
		o.retry.Reset(restart)
		return
	}
	run := &ownRun{
		ap: ap, name: p.AccessPoint.SSID, password: p.own, mhz: p.AccessPoint.MHz, cancel: cancel, done: make(chan struct{}),
	}
	o.run = run
	go func() {
		defer close(run.done)
		if err := ap.Run(ctx); err != nil {
			o.radio.backend.log.Warn("access point ended", "err", err)
			o.retry.Reset(restart)
		}
	}()
}

// move takes the access point to another channel. Where that fails it stays where it is, with its clients, and the plan is
// tried again; one that is down is made anew.
func (o *ownPoint) move(ctx context.Context, p plan) {
	err := o.run.ap.Move(ctx, p.AccessPoint.MHz)
	switch {
	case err == nil:
		o.run.mhz = p.AccessPoint.MHz
	case ctx.Err() != nil:
	default:
		o.radio.backend.log.Info("access point not moved", "mhz", p.AccessPoint.MHz, "err", err)
		if errors.Is(err, accesspoint.ErrDown) {
			o.end()
		}
		o.retry.Reset(restart)
	}
}

// end ends the access point and waits until nothing is left of it.
func (o *ownPoint) end() {
	if o.run == nil {
		return
	}
	o.run.cancel()
	<-o.run.done
	o.run = nil
}
