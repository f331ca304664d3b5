// Package native runs the network manager on a host: it feeds [netmgr.Policy] with what the adapters see, lets them
// carry out its plan, and answers other services on the service's socket (see [manofwar/netmgr/api]).
//
// On the dongle it manages every wired network card. On somebody's computer ([Options.Observe]) it changes nothing: it
// tells how the network is, and on Linux answers the host's name on it. Elsewhere than on Linux it can only observe.
package native

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"manofwar/internal/ipc"
	"manofwar/internal/service"
	"manofwar/netmgr"
	"manofwar/netmgr/api"
	"manofwar/netmgr/serve"
)

// Options are what the network manager is told by whoever starts it. The zero value manages the network of the host.
type Options struct {
	Hostname    string    // wanted under .local, without it; empty: the host's own, or "manofwar" where its system answers that
	Observe     bool      // change nothing of the host's network, clock and name resolution
	ManageWiFi  bool      // with Observe: choose the WiFi network all the same, through the host's NetworkManager; Linux only
	WebPort     int       // of the web page, announced as _http._tcp; 0: not announced, and with Observe no name is answered
	TimeServers []string  // asked after those that DHCP names; nil: [DefaultTimeServers]; empty: none
	Serial      string    // the board's serial number, mixed into the key of what is kept secret; empty: it has none
	NotBefore   time.Time // the clock is never set to before this: when the program was built

	adjust func(time.Duration) error // moves the clock; nil: the system's
}

// DefaultTimeServers are asked for the time where the network names none.
var DefaultTimeServers = []string{"0.pool.ntp.org", "1.pool.ntp.org", "2.pool.ntp.org", "3.pool.ntp.org"}

// New returns the network manager as a service.
func New(o Options) *Service {
	if o.Hostname == "" && !o.Observe {
		o.Hostname, _ = os.Hostname() // the default below does as well
	}
	o.Hostname = hostLabel(o.Hostname)
	if o.TimeServers == nil {
		o.TimeServers = DefaultTimeServers
	}
	return &Service{options: o}
}

// hostLabel makes a name fit to be one label of a domain name (RFC 1123, section 2.1): letters, digits and hyphens.
func hostLabel(s string) string {
	s, _, _ = strings.Cut(s, ".")
	s = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, s)
	if s = strings.Trim(s[:min(len(s), 63)], "-"); s == "" {
		return "manofwar"
	}
	return s
}

// Service is the network manager.
type Service struct {
	options Options
	events  ipc.Events

	mu     sync.Mutex // guards status
	status api.Status
}

// inbox is how many events may wait for the policy. Whoever tells one blocks while it is full.
const inbox = 64

// Run runs the network manager until ctx ends. It is ready as soon as it answers: an address may take for ever. What it
// configured stays as it is when it ends, so that a restart disturbs nobody.
func (s *Service) Run(parent context.Context, env service.Env) error {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	var running sync.WaitGroup
	start := func(f func() error) {
		running.Go(func() {
			if err := f(); err != nil {
				cancel(err)
			}
		})
	}
	events := make(chan netmgr.Event, inbox)
	tell := func(ctx context.Context, ev netmgr.Event) {
		select {
		case events <- ev:
		case <-ctx.Done():
		}
	}
	h := newHost(s.options, env, tell)
	policy := netmgr.NewPolicy(s.options.Hostname, !s.options.Observe)
	if s.options.Observe && h.drives() {
		policy = netmgr.NewGuestPolicy(s.options.Hostname)
	}
	m := &manager{Service: s, env: env, policy: policy, host: h}
	if h.drives() {
		known, err := openNetworks(s.options, env, tell, s.events.Publish)
		if err != nil {
			return fmt.Errorf("network manager: %w", err)
		}
		m.networks = known
		policy.Handle(time.Now(), netmgr.Configured{Settings: known.store.Settings()}) // radios shall find it
		running.Go(func() { known.run(ctx, func() { h.choose(known.store.Country()) }) })
	}
	s.publish(env, policy.Status(time.Now()))
	start(func() error { return ipc.Serve(ctx, env, s.routes(m.networks, h)) })
	start(func() error { return h.run(ctx) })
	m.loop(ctx, events)
	running.Wait()
	h.stop()
	if parent.Err() != nil {
		return nil
	}
	return fmt.Errorf("network manager: %w", context.Cause(ctx))
}

const (
	tryAgain   = 5 * time.Second // after which a plan that could not be carried out is tried again, should nothing happen meanwhile
	carryAgain = time.Minute     // after which an unchanged one is compared with the world though nothing has happened
)

// manager is what the loop works with.
type manager struct {
	*Service
	env      service.Env
	policy   *netmgr.Policy
	host     *host
	networks *networks // nil: WiFi is not ours to manage

	carried netmgr.Plan // out, last
	at      time.Time   // when that was
}

// loop is the one goroutine that knows the policy. It is healthy as long as it runs: a network that cannot be configured is told, and
// a reboot seldom mends it.
func (m *manager) loop(ctx context.Context, events <-chan netmgr.Event) {
	wake := time.NewTimer(0)
	defer wake.Stop()
	var last error
	m.env.Healthy(nil)
	for {
		var first netmgr.Event = netmgr.Tick{}
		select {
		case <-ctx.Done():
			return
		case first = <-events:
		case <-wake.C:
		}
		news := m.handle(first)
		for range len(events) { // what came together is carried out together
			news = m.handle(<-events) || news
		}
		plan, err := m.policy.Plan(), last
		if news || last != nil || time.Since(m.at) > carryAgain || !reflect.DeepEqual(plan, m.carried) {
			err = m.host.carryOut(ctx, plan, m.wanted())
			m.carried, m.at = plan, time.Now()
		}
		if ctx.Err() != nil {
			return
		}
		if fmt.Sprint(err) != fmt.Sprint(last) {
			if err != nil {
				m.env.Log.Warn("network not configured", "err", err)
			}
			m.handle(trouble(err))
			last = err
		}
		m.tellStatus(plan)
		wake.Reset(m.pause(err))
	}
}

// handle tells the policy what happened. It reports whether more than a change of the plan may follow from it: that time
// passes and that networks are heard, which is most of what happens, changes nothing that was carried out.
func (m *manager) handle(ev netmgr.Event) (news bool) {
	m.host.heard(ev)
	if m.networks != nil {
		m.networks.heard(ev)
	}
	m.policy.Handle(time.Now(), ev)
	switch ev.(type) {
	case netmgr.Tick, netmgr.Heard, netmgr.Scanned:
		return false
	}
	return true
}

// wanted returns what the owner has chosen.
func (m *manager) wanted() wanted {
	if m.networks == nil {
		return wanted{}
	}
	return wanted{secret: m.networks.secret, judge: m.networks.store.Judge()}
}

// never is a pause without an end in sight.
const never = time.Hour

// pause returns for how long there is nothing to do unless something happens.
func (m *manager) pause(err error) time.Duration {
	pause := never
	if next, ok := m.policy.Next(); ok {
		pause = max(time.Until(next), 0)
	}
	if err != nil {
		pause = min(pause, tryAgain)
	}
	return pause
}

// tellStatus tells others how the network is.
func (m *manager) tellStatus(plan netmgr.Plan) {
	status := m.policy.Status(time.Now())
	status.Country = m.host.country()
	if m.networks != nil {
		m.networks.complete(&status)
		m.networks.observe(m.policy, plan, status)
	}
	m.publish(m.env, status)
}

// trouble tells a person what keeps the manager from working.
func trouble(err error) netmgr.Event {
	if err == nil {
		return netmgr.Troubled{}
	}
	return netmgr.Troubled{Reason: "The network could not be configured: " + err.Error()}
}

// publish makes a status the current one and tells listeners if it is news.
func (s *Service) publish(env service.Env, status api.Status) {
	s.mu.Lock()
	old := s.status
	s.status = status
	s.mu.Unlock()
	if same(old, status) {
		return
	}
	if err := s.events.Publish("status", status); err != nil {
		env.Log.Error("status not published", "err", err)
	}
}

// same compares all but since when links are as they are: that follows from the rest, and wobbles with the clock.
func same(a, b api.Status) bool {
	a.Links, b.Links = slices.Clone(a.Links), slices.Clone(b.Links)
	for _, links := range [][]api.Link{a.Links, b.Links} {
		for i := range links {
			links[i].Since = time.Time{}
		}
	}
	return reflect.DeepEqual(a, b)
}

func (s *Service) routes(known *networks, h *host) http.Handler {
	mux := http.NewServeMux()
	if known != nil {
		known.mount(mux)
	} else {
		serve.MountRefusal(mux, "This computer manages its network itself.", "Use its own network settings.")
	}
	mux.Handle("GET /events", &s.events)
	mux.Handle("GET /announce", announcing(h.announce))
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		status := s.status
		s.mu.Unlock()
		ipc.WriteJSON(w, status)
	})
	return mux
}
