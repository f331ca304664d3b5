package accesspoint

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"manofwar/netmgr"
	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/nl80211"
)

// AccessPoint is one access point. [AccessPoint.Run] runs it, once; the other methods may be called from anywhere.
type AccessPoint struct {
	options Options
	pmk     []byte
	moves   chan move
	over    chan struct{} // closed when Run returns

	lifetime time.Duration        // of group keys
	idle     time.Duration        // until a silent station is asked for a sign of life
	patience time.Duration        // with a scan that keeps the radio from moving
	system   system               // the kernel's; a test's
	adjust   func(*nl80211.Radio) // changes what a radio says that it can do, for tests; nil: nothing

	mu      sync.Mutex // guards clients
	clients map[ieee80211.MAC]Client
}

// New returns an access point. The error wraps [ErrOptions] or [wpa.ErrPassphrase].
func New(o Options) (*AccessPoint, error) {
	pmk, err := o.check()
	if err != nil {
		return nil, fmt.Errorf("access point: %w", err)
	}
	return &AccessPoint{
		options: o, pmk: pmk, moves: make(chan move), over: make(chan struct{}),
		lifetime: groupLifetime, idle: idleLimit, patience: scanWait, system: kernel, clients: make(map[ieee80211.MAC]Client),
	}, nil
}

// Run makes the access point and runs it until ctx ends, which is no error, or until it fails. Nothing of it is left then. The
// error wraps a [ChannelError], [ErrUnsupported], [ErrBlocked], or what the kernel said; [Reason] has words for it.
func (a *AccessPoint) Run(ctx context.Context) error {
	defer close(a.over)
	err := a.run(ctx)
	a.forgetClients()
	if ctx.Err() != nil {
		err = nil
	}
	a.options.Tell(netmgr.AccessPointDown{Phy: a.options.Phy, Reason: Reason(err)})
	if err != nil {
		return fmt.Errorf("access point: %w", err)
	}
	return nil
}

func (a *AccessPoint) run(ctx context.Context) (err error) {
	conn, err := a.system.dial()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	r := &runner{ap: a, conn: conn, ctx: context.WithoutCancel(ctx)}
	defer r.close()
	if err := r.open(ctx); err != nil {
		return err
	}
	if err := r.start(); err != nil {
		return err
	}
	a.options.Log.Info("access point is up", "iface", a.options.Name, "ssid", a.options.SSID, "mhz", r.sme.mhz, "mac", r.sme.mac)
	err = r.loop(ctx)
	return errors.Join(err, r.stop())
}

// Clients returns who is in the access point.
func (a *AccessPoint) Clients() []Client {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []Client
	for _, c := range a.clients {
		out = append(out, c)
	}
	slices.SortFunc(out, func(x, y Client) int { return x.Since.Compare(y.Since) })
	return out
}

// change changes who is in the access point, and tells when their number has changed.
func (a *AccessPoint) change(f func(map[ieee80211.MAC]Client)) {
	a.mu.Lock()
	before := len(a.clients)
	f(a.clients)
	after := len(a.clients)
	a.mu.Unlock()
	if before != after {
		a.options.Tell(netmgr.AccessPointClients{Phy: a.options.Phy, Count: after})
	}
}

func (a *AccessPoint) forgetClients() {
	a.change(func(c map[ieee80211.MAC]Client) { clear(c) })
}

// runner is an access point that runs. Everything of it happens in one goroutine.
type runner struct {
	ap       *AccessPoint
	conn     *nl80211.Conn
	ctx      context.Context // of requests to the kernel, which is quick: none is left half done when the end comes
	radio    nl80211.Radio
	iface    nl80211.Interface
	off      []int // interfaces that are switched off as long
	listener *nl80211.Listener
	eapol    port // nil: 802.1X frames come and go over nl80211
	sme      *sme
	moving   *move // under way
	stale    bool  // the beacon could not be replaced during a move
}

// pollEvery is how often the kernel is asked how the stations are doing.
const pollEvery = 10 * time.Second

// loop takes in what happens until ctx ends.
func (r *runner) loop(ctx context.Context) error {
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var eapol <-chan received
	if r.eapol != nil {
		eapol = r.eapol.frames()
	}
	for {
		timer.Reset(time.Until(r.deadline()))
		var err error
		select {
		case <-ctx.Done():
			return nil
		case ev, ok := <-r.listener.Events():
			if !ok {
				err = r.listenAgain()
				break
			}
			err = r.handle(time.Now(), ev)
		case f := <-eapol:
			err = r.carryOut(r.receiveEAPOL(time.Now(), f.from, f.data))
		case m := <-r.ap.moves:
			err = r.begin(m)
		case <-timer.C:
			err = r.expire(time.Now())
		case <-poll.C:
			err = r.poll(time.Now())
		}
		if err != nil {
			return err
		}
	}
}

// deadline returns when something has to be done by itself.
func (r *runner) deadline() time.Time {
	next, ok := r.sme.deadline()
	if !ok {
		next = time.Now().Add(time.Hour)
	}
	if r.moving != nil && r.moving.due.Before(next) {
		return r.moving.due
	}
	return next
}

func (r *runner) expire(now time.Time) error {
	if r.moving != nil && !now.Before(r.moving.due) {
		if err := r.late(); err != nil {
			return err
		}
	}
	return r.carryOut(r.sme.expire(now))
}

// handle takes an event.
func (r *runner) handle(now time.Time, ev nl80211.Event) error {
	switch ev := ev.(type) {
	case nl80211.FrameReceived:
		if f, err := ieee80211.ParseFrame(ev.Frame); err == nil {
			return r.carryOut(r.sme.receive(now, f))
		}
	case nl80211.FrameSent:
		if f, err := ieee80211.ParseFrame(ev.Frame); err == nil && f.From == r.sme.mac {
			return r.carryOut(r.sme.sent(now, f, ev.Acked))
		}
	case nl80211.ControlPort:
		if ev.Protocol == nl80211.EAPOL {
			return r.carryOut(r.receiveEAPOL(now, ev.From, ev.Data))
		}
	case nl80211.StationAdded:
		return r.carryOut(r.sme.associated(now, ev.MAC, ev.Request))
	case nl80211.StationGone:
		return r.carryOut(r.sme.departed(ev.MAC))
	case nl80211.StationProbed:
		return r.carryOut(r.sme.probed(ev.MAC, ev.Acked))
	case nl80211.Stray:
		return r.carryOut(r.sme.stray(now, ev.MAC))
	case nl80211.ChannelSwitched:
		return r.moved(ev.MHz)
	case nl80211.AccessPointStopped:
		return errStopped
	case nl80211.InterfaceGone:
		if ev.Index == r.iface.Index {
			return errGone
		}
	}
	return nil
}

func (r *runner) receiveEAPOL(now time.Time, from ieee80211.MAC, packet []byte) []action {
	out, err := r.sme.eapol(now, from, packet)
	if err != nil {
		r.ap.options.Log.Debug("EAPOL frame ignored", "station", from, "err", err)
	}
	return out
}

// poll asks the kernel how the stations are doing.
func (r *runner) poll(now time.Time) error {
	if len(r.sme.stations) == 0 {
		return nil
	}
	all, err := r.conn.Clients(r.ctx, r.iface.Index)
	if err != nil {
		return err
	}
	r.ap.change(func(known map[ieee80211.MAC]Client) {
		for _, c := range all {
			if k, ok := known[c.MAC]; ok {
				k.Signal, k.Received, k.Sent = c.Signal, c.Received, c.Sent
				known[c.MAC] = k
			}
		}
	})
	for _, c := range all {
		if err := r.carryOut(r.sme.heard(now, c.MAC, c.Silent)); err != nil {
			return err
		}
	}
	return nil
}

// listenAgain goes on after events were lost because there were too many. What was lost, stations and timers make up for, but
// not where a firmware tells of its stations once.
func (r *runner) listenAgain() error {
	if _, err := r.conn.Interface(r.ctx, r.iface.Index); err != nil {
		return err
	}
	if r.sme.firmware {
		return errors.New("the driver tells more than can be taken in")
	}
	r.listener = r.conn.Listen(r.iface.Index)
	return nil
}
