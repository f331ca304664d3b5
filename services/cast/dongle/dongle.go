// Package dongle plays on the home's other dongles, and lets them play here.
//
// Dongles find each other by DNS-SD and speak over package peerlink. What they say to each other is a closed table (see
// [Network.handler]): anybody may say hello and ask to be trusted; whom the owner trusts, on both sides, may tell the player
// what to do and read the files of what it was told to play here. A trusted dongle that answers is a place to play at: the
// same machine as our own television's (package tv), with a player behind a link ([remote]).
//
// Whose clock is whose is settled here: what crosses a link is by the clock of the device that is spoken to, and the caller
// relates it to its own ([peerlink.Offset]).
package dongle

import (
	"context"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	"manofwar/internal/identity"
	"manofwar/internal/peerlink"
	"manofwar/services/cast/api"
	"manofwar/services/cast/renderer"
)

// Options are what a network is made of.
type Options struct {
	Listener renderer.Listener
	Holder   identity.Holder
	Trusted  *identity.List
	Player   Player
	Name     func(context.Context) string // what the owner calls this device
	Changed  func()                       // the devices are other than they were
	Log      *slog.Logger

	Skew   peerlink.Skew                                                     // of this device's clock, for tests
	Listen func(context.Context) (net.Listener, error)                       // nil: [peerlink.Listen]
	Browse func(context.Context, func(peerlink.Found)) error                 // nil: [peerlink.Browse]
	Tell   func(id identity.ID, name string, port int) (end func(), e error) // nil: [peerlink.Announce]
}

// Network is the other dongles.
type Network struct {
	Options
	clock *peerlink.Clock
	port  int // that we listen on
	door  door
	asked peerlink.Limiter // hellos of strangers, by address
	calls peerlink.Limiter // of those who are trusted, by ID

	life    context.Context
	running sync.WaitGroup

	mu      sync.Mutex // guards the rest
	name    string     // our own
	devices map[identity.ID]*device
}

// device is another dongle that was found, has asked, or is trusted.
type device struct {
	id        identity.ID
	name      string
	addresses []string  // where it may be, the likeliest first
	found     time.Time // when it was last seen in the network
	asks      time.Time // when it last asked to be trusted
	trusts    bool      // us
	here      bool      // it answers
	problem   string
	wake      chan struct{} // try it now; holds one

	trust context.Context // ends when it is trusted no more; nil: it is not
	end   context.CancelFunc
	done  chan struct{} // closed once the last link has ended; nil: there was none
	link  *link         // of its own goroutine, but for what it says of itself; nil: it is not trusted
}

const (
	// maxDevices bounds how many are remembered that are not trusted.
	maxDevices = 32
	// foundFor is how long a device counts as being in the network after it was found.
	foundFor = 4 * time.Minute
	// asksFor is how long a wish to be trusted is shown.
	asksFor = 15 * time.Minute
)

// New returns a network that is ready to run.
func New(o Options) *Network {
	if o.Listen == nil {
		o.Listen = peerlink.Listen
	}
	if o.Browse == nil {
		o.Browse = peerlink.Browse
	}
	if o.Tell == nil {
		o.Tell = peerlink.Announce
	}
	return &Network{
		Options: o, clock: peerlink.NewClock(o.Skew), devices: make(map[identity.ID]*device),
		asked: peerlink.Limiter{Rate: 0.5, Burst: 10, Max: 256},
		calls: peerlink.Limiter{Rate: 50, Burst: 200, Max: identity.MaxTrusted},
	}
}

// Run finds, answers and follows other dongles until ctx ends. Without a port to listen on there are none, and it says why.
func (n *Network) Run(ctx context.Context) {
	n.life = ctx
	ln, err := n.Listen(ctx)
	if err != nil {
		n.Log.Warn("other dongles not reached", "err", err)
		return
	}
	if at, ok := ln.Addr().(*net.TCPAddr); ok {
		n.port = at.Port
	}
	if err := n.door.open(ctx); err != nil {
		n.Log.Warn("other dongles not reached", "err", err)
		_ = ln.Close() // nobody has come yet
		return
	}
	n.running.Go(func() {
		if err := peerlink.Serve(ctx, ln, n.Holder, n.handler(), n.Log); err != nil {
			n.Log.Warn("other dongles not answered", "err", err)
		}
	})
	n.running.Go(func() { n.door.serve(ctx, n) })
	n.running.Go(func() { n.announce(ctx) })
	n.running.Go(func() { n.browse(ctx) })
	n.mu.Lock()
	for _, t := range n.Trusted.All() {
		d := n.device(t.ID)
		d.name = t.Name
		n.begin(d)
	}
	n.mu.Unlock()
	<-ctx.Done()
	n.running.Wait()
}

// device returns what is known of a device. The caller holds mu.
func (n *Network) device(id identity.ID) *device {
	d := n.devices[id]
	if d == nil {
		d = &device{id: id, wake: make(chan struct{}, 1)}
		n.devices[id] = d
	}
	return d
}

// begin follows a device that is trusted. The caller holds mu.
func (n *Network) begin(d *device) {
	if d.trust != nil || n.life == nil || n.life.Err() != nil {
		return
	}
	l, err := newLink(n, d)
	if err != nil {
		n.Log.Warn("device not reached", "name", d.name, "err", err)
		return
	}
	d.trust, d.end = context.WithCancel(n.life)
	d.link = l
	trust, before, done := d.trust, d.done, make(chan struct{})
	d.done = done
	n.running.Go(func() {
		defer close(done)
		if before != nil {
			<-before
		}
		l.run(trust)
	})
}

const (
	firstLook = 5 * time.Second // a device that has just started is in a hurry
	lastLook  = time.Minute
)

// browse looks for devices, again and again: links come and go.
func (n *Network) browse(ctx context.Context) {
	for d := firstLook; ctx.Err() == nil; d = min(2*d, lastLook) {
		look, cancel := context.WithTimeout(ctx, d)
		if err := n.Browse(look, n.Found); err != nil {
			n.Log.Debug("devices not looked for", "err", err)
		}
		<-look.Done() // where there is no link yet, or an error, it returns at once
		cancel()
		n.forget(time.Now())
	}
}

// announce says that we are there, anew whenever the links or the name have changed.
func (n *Network) announce(ctx context.Context) {
	said, end := "", func() {}
	defer func() { end() }()
	for d := firstLook; ; d = min(2*d, lastLook) {
		name := n.named(ctx)
		if is := name + "\x00" + peerlink.Links(); is != said {
			end()
			var err error
			if end, err = n.Tell(n.Holder.ID, name, n.port); err != nil {
				n.Log.Debug("not announced to other devices", "err", err)
				end = func() {}
			}
			said = is
		}
		if !pause(ctx, d, nil) {
			return
		}
	}
}

// named returns this device's name as it is now.
func (n *Network) named(ctx context.Context) string {
	name := peerlink.CleanName(n.Name(ctx))
	n.mu.Lock()
	changed := n.name != name
	n.name = name
	n.mu.Unlock()
	if changed {
		n.Changed()
	}
	return name
}

// Found takes in a device that says that it is in the network. Nothing of that is proved.
func (n *Network) Found(f peerlink.Found) {
	if f.ID == n.Holder.ID {
		return
	}
	n.mu.Lock()
	d := n.devices[f.ID]
	if d == nil {
		if n.strangers() >= maxDevices {
			n.mu.Unlock()
			return
		}
		d = n.device(f.ID)
	}
	now := time.Now()
	news := now.Sub(d.found) > foundFor
	if d.trust == nil && d.name != f.Name {
		d.name, news = f.Name, true
	}
	if d.found = now; d.here && len(d.addresses) > 0 { // it answers where it proved to be
		d.addresses = addresses(d.addresses[0], f.Addresses)
	} else {
		d.addresses = f.Addresses
	}
	n.mu.Unlock()
	if news {
		n.Changed()
	}
	tell(d.wake)
}

// maxAddresses bounds where a device may be.
const maxAddresses = 4

// addresses returns where a device may be: first where it most likely is, then where else it may be.
func addresses(first string, others []string) []string {
	out := append([]string{first}, slices.DeleteFunc(slices.Clone(others), func(at string) bool { return at == first })...)
	return out[:min(len(out), maxAddresses)]
}

// strangers is how many devices are known that are not trusted. The caller holds mu.
func (n *Network) strangers() (count int) {
	for _, d := range n.devices {
		if d.trust == nil {
			count++
		}
	}
	return count
}

// forget lets go of strangers that are no longer there.
func (n *Network) forget(now time.Time) {
	n.mu.Lock()
	news := false
	for id, d := range n.devices {
		if d.trust == nil && now.Sub(d.found) > foundFor && now.Sub(d.asks) > asksFor {
			delete(n.devices, id)
			news = true
		}
	}
	n.mu.Unlock()
	if news {
		n.Changed()
	}
}

// pause waits until d has passed or wake receives, and reports whether ctx is still on.
func pause(ctx context.Context, d time.Duration, wake <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
	case <-wake:
	}
	return ctx.Err() == nil
}

// tell puts something into a channel that holds one. It never blocks.
func tell(ch chan<- struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// rendererID is that of a device's television.
func rendererID(id identity.ID) string { return api.DonglePrefix + string(id) }
