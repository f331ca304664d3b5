package portal

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"sync"
	"time"

	"manofwar/internal/ipc"
	netapi "manofwar/netmgr/api"
	castapi "manofwar/services/cast/api"
	catalogapi "manofwar/services/catalog/api"
)

// watch follows the services and tells the browsers what has changed. It holds one stream of events per service, however
// many browsers listen, and asks for the whole state when one of them says something: what a browser is told is always
// the same as what the status would have answered.
type watch struct {
	sources sources
	hosted  bool
	log     *slog.Logger
	shape   func(parts) *device // what the web API says of the device
	kick    chan struct{}       // something has changed; holds one
	arrived chan struct{}       // somebody has begun to read, or a service to speak; holds one

	news ipc.Events // to the browsers

	mu      sync.Mutex    // guards the rest
	network netapi.Status // what was last heard of the network
	heard   int           // how often it has told of itself
	since   map[string]time.Time
	readers int
}

const (
	// pace is the least time between two looks at the state while somebody reads, so that a scan's progress does not
	// keep everyone busy. idlePace is that while nobody does.
	pace     = 500 * time.Millisecond
	idlePace = 10 * time.Second
	// againAfter is when to look again while a part does not answer: nothing announces its return.
	againAfter = 2 * time.Second
	// maxReaders bounds the browsers that listen.
	maxReaders = 64
)

// run follows the services until ctx ends.
func (w *watch) run(ctx context.Context) {
	var wg sync.WaitGroup
	for name, events := range w.sources.events {
		wg.Go(func() { w.follow(ctx, name, events) })
	}
	last := make(map[string]string)
	for ctx.Err() == nil {
		now := w.ask(ctx)
		for _, ev := range w.state(now) {
			if last[ev.Kind] != ev.gist {
				last[ev.Kind] = ev.gist
				w.news.Send(ev.Event)
			}
		}
		if !w.rest(ctx, now) {
			break
		}
	}
	wg.Wait()
}

// rest returns when it is time to look again, or false when ctx has ended.
func (w *watch) rest(ctx context.Context, now parts) bool {
	least := pace
	if w.listening() == 0 && w.hostname() != "" { // without it the door turns away who comes by that name
		least = idlePace
	}
	if !w.pause(ctx, least, w.arrived) {
		return false
	}
	if now.Library == nil || now.Stream == nil || now.Network == nil || now.Device == nil {
		return w.pause(ctx, againAfter, w.kick)
	}
	select {
	case <-ctx.Done():
		return false
	case <-w.kick:
		return true
	}
}

// pause waits for d, or less if early has something, and reports whether ctx is still on.
func (w *watch) pause(ctx context.Context, d time.Duration, early <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
	case <-early:
	}
	return true
}

// tell puts something into a channel that holds one. It never blocks.
func tell(ch chan<- struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

const (
	firstBackoff = 250 * time.Millisecond
	lastBackoff  = 5 * time.Second
)

// follow holds one service's stream of events, and connects again whenever it breaks.
func (w *watch) follow(ctx context.Context, name string, events follow) {
	backoff := firstBackoff
	for {
		connected := time.Now()
		if err := w.listen(ctx, name, events); err != nil && ctx.Err() == nil {
			w.log.Debug("events broke off", "of", name, "err", err)
		}
		tell(w.kick)
		if time.Since(connected) > lastBackoff {
			backoff = firstBackoff
		}
		if !w.pause(ctx, backoff, nil) {
			return
		}
		backoff = min(2*backoff, lastBackoff)
	}
}

// listen passes on what one stream of events says, until it breaks. What happened before it was open is asked for, and soon:
// nobody says it again.
func (w *watch) listen(ctx context.Context, name string, events follow) error {
	news, err := events(ctx)
	if err != nil {
		return err
	}
	tell(w.kick)
	tell(w.arrived)
	for ev, err := range news {
		if err != nil {
			return err
		}
		switch {
		case name == castapi.Name: // whole and at its own pace: nobody else has to be asked
			w.news.Send(ev)
			continue
		case name == catalogapi.Name && ev.Kind == "changed", name == netapi.Name && ev.Kind == "attempt":
			w.news.Send(ev)
		case name == netapi.Name && ev.Kind == "status":
			w.overhear(ev.Data)
		}
		tell(w.kick)
	}
	return nil
}

// ask asks everybody, and keeps what is needed between two looks. Had the network told of itself before its answer came, that
// may be the newer of the two; and if it is not, its news are still on their way.
func (w *watch) ask(ctx context.Context) parts {
	w.mu.Lock()
	heard := w.heard
	w.mu.Unlock()
	now := w.sources.ask(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	if now.Network != nil && w.heard == heard {
		w.network = *now.Network
	}
	return now
}

// overhear learns from the network manager's own news: a phone that joins our access point asks for its probe before
// the next look.
func (w *watch) overhear(status []byte) {
	var s netapi.Status
	if err := json.Unmarshal(status, &s); err != nil {
		w.log.Warn("news of the network not understood", "err", err)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.network = s
	w.heard++
}

// hostname returns the name that was won on the network, without a domain; empty until it is known.
func (w *watch) hostname() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.network.Hostname
}

// notices returns what a person should know, with the time since which it has been so.
func (w *watch) notices(now parts) []Notice {
	found := look(view{now, w.hosted})
	w.mu.Lock()
	defer w.mu.Unlock()
	since := make(map[string]time.Time, len(found))
	for i, n := range found {
		key := n.Code + "\x00" + n.Subject
		first, ok := w.since[key]
		if !ok {
			first = time.Now().UTC().Truncate(time.Second)
		}
		since[key] = first
		if n.Since.IsZero() {
			found[i].Since = first
		}
	}
	w.since = since
	return found
}

// bulletin is an event, with what has to differ from the last of its kind to be news.
type bulletin struct {
	ipc.Event
	gist string
}

// state returns the events that tell a browser everything. A part that is missing is left out: a notice tells of it.
func (w *watch) state(now parts) (all []bulletin) {
	if now.Library != nil {
		all = append(all, w.bulletin("library", now.Library, now.Library))
	}
	if now.Network != nil {
		n := public(now.Network)
		all = append(all, w.bulletin("network", n, n))
	}
	if now.Device != nil {
		d := w.shape(now)
		all = append(all, w.bulletin("device", d, d.steady()))
	}
	notices := w.notices(now)
	return append(all, w.bulletin("notices", notices, notices))
}

func (w *watch) bulletin(kind string, v, gist any) bulletin {
	return bulletin{ipc.Event{Kind: kind, Data: w.encode(v)}, string(w.encode(gist))}
}

func (w *watch) encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		w.log.Error("state not encoded", "err", err)
		return []byte("null")
	}
	return data
}

// steady returns d without what changes by itself all the time and is no news, such as the uptime.
func (d *device) steady() device {
	s := *d
	data := *d.Data
	data.Free = 0
	s.Uptime, s.Data = 0, &data
	s.Services, s.Disks = slices.Clone(d.Services), slices.Clone(d.Disks)
	for i := range s.Services {
		s.Services[i].Memory = 0
	}
	for i := range s.Disks {
		s.Disks[i].Free = 0
	}
	return s
}

// enter counts a browser in, or reports that there are enough.
func (w *watch) enter() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.readers == maxReaders {
		return false
	}
	w.readers++
	tell(w.arrived)
	return true
}

func (w *watch) leave() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.readers--
}

func (w *watch) listening() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.readers
}
