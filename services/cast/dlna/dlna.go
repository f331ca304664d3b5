// Package dlna plays on televisions and loudspeakers of the home's network: UPnP's MediaRenderer:1, as a control point.
//
// Devices are found by SSDP ([search]), read ([describe]), and told by SOAP what to play: an address of the portal, which
// they fetch themselves. UPnP knows no trust, so nothing is searched for until the owner wants it, a device may only
// speak for the address that it answered from, and everything that it says is bounded.
//
// A device goes on to the next item by itself where it can (SetNextAVTransportURI, an option in AVTransport:1, section
// 2.4.2); elsewhere there is a gap. It tells its position in whole seconds when asked, which is once a second while it
// plays; events (GENA) would not say more.
package dlna

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"manofwar/services/cast/api"
	"manofwar/services/cast/renderer"
)

// Network is the devices of the home's network.
type Network struct {
	listener renderer.Listener
	port     int
	log      *slog.Logger
	http     *http.Client
	find     func(ctx context.Context, found func(location string)) // searches once
	wake     chan struct{}                                          // on has changed; holds one

	mu sync.Mutex // guards on
	on bool

	// Of Run's goroutine:
	devices  map[string]*running // by the location of their description
	meetings *meetings
	searched time.Time // last
}

// running is a device that is followed.
type running struct {
	*device
	stop func() // and wait
	seen time.Time
}

const (
	// searchEvery is how often devices are searched for. Some announce themselves, some forget to, all answer.
	searchEvery = time.Minute
	// searchSoon is how soon after the first search another is made: answers get lost.
	searchSoon = 5 * time.Second
	// forgetAfter is how long a device that no longer answers to a search is kept.
	forgetAfter = 3*searchEvery + searchSoon
	// maxDevices bounds them.
	maxDevices = 32
)

// New returns the network's devices, which fetch media from the portal's port. Nothing is searched for until Set.
func New(l renderer.Listener, port int, log *slog.Logger) *Network {
	return &Network{
		listener: l, port: port, log: log, http: newClient(), find: search,
		wake: make(chan struct{}, 1), devices: make(map[string]*running), meetings: newMeetings(),
	}
}

// Set begins or ends the search. What plays on devices stops when it ends.
func (n *Network) Set(on bool) {
	n.mu.Lock()
	n.on = on
	n.mu.Unlock()
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

func (n *Network) wanted() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.on && n.port != 0
}

// Run searches and follows devices until ctx ends.
func (n *Network) Run(ctx context.Context) {
	next := time.NewTimer(searchEvery)
	defer next.Stop()
	defer func() {
		n.meetings.cancel()
		for _, d := range n.devices {
			d.stop()
		}
	}()
	for look, soon := true, true; ; {
		switch {
		case !n.wanted():
			n.drop(ctx)
			next.Stop()
			soon = true
		case look:
			n.look(ctx)
			wait := searchEvery
			if soon {
				wait, soon = searchSoon, false
			}
			next.Reset(wait)
		}
		look = true
		select {
		case <-ctx.Done():
			return
		case <-next.C:
		case <-n.wake:
		case m := <-n.meetings.results:
			n.meetings.end(m.location)
			n.add(ctx, m)
			look = false
		}
	}
}

// look searches once, has who is new read and forgets who has gone.
func (n *Network) look(ctx context.Context) {
	var found []string
	n.find(ctx, func(location string) { found = append(found, location) })
	n.searched = time.Now()
	for _, location := range found {
		if d := n.devices[location]; d != nil {
			d.seen = n.searched
		} else if len(n.devices) < maxDevices {
			n.meetings.begin(ctx, location, n.read)
		}
	}
	for location, d := range n.devices {
		if n.searched.Sub(d.seen) > forgetAfter {
			n.lose(location, d)
		}
	}
}

func (n *Network) lose(location string, d *running) {
	d.stop()
	delete(n.devices, location)
	n.listener.Lost(d.info.ID)
}

// drop silences and forgets every device.
func (n *Network) drop(ctx context.Context) {
	n.meetings.cancel()
	var all sync.WaitGroup
	for _, d := range n.devices {
		all.Go(func() { n.silence(ctx, d) })
	}
	all.Wait()
	for location, d := range n.devices {
		n.lose(location, d)
	}
}

// silence ends what plays on a device.
func (n *Network) silence(ctx context.Context, d *running) {
	d.stop()
	if d.loaded == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if err := d.control.Stop(ctx); err != nil {
		n.log.Debug("device not stopped", "name", d.info.Name, "err", err)
	}
}

// rendererOf is a device as people see it.
func rendererOf(id, name, model string, films, volume bool) api.Renderer {
	return api.Renderer{ID: id, Kind: api.DLNA, Name: name, Detail: model, Films: films, Volume: volume}
}
