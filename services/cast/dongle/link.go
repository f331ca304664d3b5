package dongle

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"manofwar/internal/ipc"
	"manofwar/internal/peerlink"
	playerapi "manofwar/player/api"
	"manofwar/services/cast/api"
	"manofwar/services/cast/tv"
)

const (
	firstBackoff = 500 * time.Millisecond
	lastBackoff  = 30 * time.Second
	// askEvery is how often a device is asked that does not trust us yet.
	askEvery = 10 * time.Second
	// missedAfter is how long a device may be away before its place is gone.
	missedAfter = 4 * time.Second
	// callTimeout is how long one answer may take.
	callTimeout = 3 * time.Second
)

// link is our side of what connects us with one trusted device.
type link struct {
	n         *Network
	d         *device
	transport *http.Transport
	client    *ipc.Client
	player    *playerapi.Client
	tv        *tv.TV // nil: it is not a place yet
	name      string // under which it is
	shown     bool
	remote    *remote

	mu     sync.Mutex // guards the rest
	offset *peerlink.Offset
	used   time.Time // when its clock last mattered
	at     int       // the address to try
}

func newLink(n *Network, d *device) (*link, error) {
	l := &link{n: n, d: d, offset: new(peerlink.Offset)}
	var err error
	if l.transport, err = peerlink.Dial(n.Holder, d.id, l.address); err != nil {
		return nil, err
	}
	dial := l.transport.DialContext
	l.transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err == nil {
			l.proved(c.RemoteAddr().String())
		}
		return c, err
	}
	l.client = ipc.NewClientOver(rendererID(d.id), l.transport)
	l.player = playerapi.Over(ipc.NewClientOver(rendererID(d.id), below{"/player", l.transport}))
	l.remote = &remote{l: l}
	return l, nil
}

// below sends requests to paths below one.
type below struct {
	path string
	to   http.RoundTripper
}

// RoundTrip implements [http.RoundTripper].
func (b below) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Path = b.path + r.URL.Path
	return b.to.RoundTrip(r)
}

// address returns where the device may be; each failure has another one tried.
func (l *link) address() string {
	l.n.mu.Lock()
	defer l.n.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.d.addresses) == 0 {
		return ""
	}
	return l.d.addresses[l.at%len(l.d.addresses)]
}

// proved has an address be the first to try: the device has just shown its key there.
func (l *link) proved(at string) {
	l.n.mu.Lock()
	defer l.n.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.d.addresses, l.at = addresses(at, l.d.addresses), 0
}

// run follows the device until it is trusted no more.
func (l *link) run(ctx context.Context) {
	defer l.transport.CloseIdleConnections()
	defer l.n.door.forget(l.d.id) // whoever is trusted again begins anew
	defer l.lose()
	backoff, since := firstBackoff, time.Now()
	for ctx.Err() == nil {
		trusts, err := l.hello(ctx)
		wait := backoff
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			l.mu.Lock()
			l.at++
			l.mu.Unlock()
			l.n.Log.Debug("device not reached", "name", l.name, "err", err)
			if time.Since(since) > missedAfter {
				l.lose()
			}
			backoff = min(2*backoff, lastBackoff)
		case !trusts:
			l.lose()
			wait, backoff = askEvery, firstBackoff
		default:
			if l.hold(ctx) {
				since, backoff, wait = time.Now(), firstBackoff, firstBackoff
			} else if backoff = min(2*backoff, lastBackoff); time.Since(since) > missedAfter {
				l.lose()
			}
		}
		if !pause(ctx, wait, l.d.wake) {
			return
		}
	}
}

// hello says who we are and learns who it is, and whether it trusts us.
func (l *link) hello(ctx context.Context) (trusts bool, err error) {
	if l.address() == "" {
		return false, errNoDevice()
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var answer Hello
	if err := l.client.Post(ctx, "/hello", Hello{Name: l.n.ownName(), Port: l.n.port, Asks: true}, &answer); err != nil {
		l.told(false, l.trusted())
		return false, err
	}
	l.named(answer.Name)
	l.told(true, answer.Trusts)
	return answer.Trusts, nil
}

func (n *Network) ownName() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.name
}

func (l *link) trusted() bool {
	l.n.mu.Lock()
	defer l.n.mu.Unlock()
	return l.d.trusts
}

// told notes whether the device answers and trusts us.
func (l *link) told(here, trusts bool) {
	l.n.mu.Lock()
	d := l.d
	if d.link != l { // trusted no more, or anew, while it was asked
		l.n.mu.Unlock()
		return
	}
	problem := ""
	if here && !trusts {
		problem = "It does not trust this device yet. Confirm it there."
	}
	news := d.here != here || d.trusts != trusts || d.problem != problem
	d.here, d.trusts, d.problem = here, trusts, problem
	l.n.mu.Unlock()
	if news {
		l.n.Changed()
	}
}

// named remembers what the device calls itself, and that it was seen.
func (l *link) named(name string) {
	name = peerlink.CleanName(name)
	l.n.mu.Lock()
	if l.d.link == l {
		l.d.name, l.d.found = name, time.Now()
	}
	l.n.mu.Unlock()
	if err := l.n.Trusted.Note(l.d.id, name, time.Now().UTC()); err != nil {
		l.n.Log.Warn("trusted device not remembered", "err", err)
	}
	if l.tv == nil || l.name != name {
		l.lose()
		l.name = name
		l.tv = tv.At(l.remote, api.Renderer{ID: rendererID(l.d.id), Kind: api.Another, Name: name}, l.n.Listener, l.n.Log)
	}
}

// hold keeps the connection to a device that trusts us until it breaks, and reports whether its player was reached.
func (l *link) hold(ctx context.Context) (reached bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l.mu.Lock()
	l.offset = new(peerlink.Offset) // it may have been restarted, and its clock with it
	l.mu.Unlock()
	var timing sync.WaitGroup
	timing.Go(func() {
		defer cancel()
		l.keepTime(ctx)
	})
	defer timing.Wait()
	defer cancel()
	if !l.settled(ctx) {
		return false
	}
	l.shown = true
	reached, err := l.tv.Connect(ctx)
	if err != nil && ctx.Err() == nil {
		l.n.Log.Debug("device left", "name", l.name, "err", err)
	}
	return reached
}

// lose has its place be gone.
func (l *link) lose() {
	if l.shown {
		l.shown = false
		l.tv.Forget()
		l.n.Listener.Lost(rendererID(l.d.id))
	}
}
