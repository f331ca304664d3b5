package networkmanager

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/user"
	"sync"
	"time"

	"manofwar/netmgr"
)

// Options say how to reach NetworkManager. The zero value reaches the system's.
type Options struct {
	Address string // of the message bus (D-Bus Specification, "Server Addresses"); empty: the system's
	Log     *slog.Logger
}

// Backend drives WiFi radios through NetworkManager. It is made by [New].
type Backend struct {
	options Options
	user    string        // whom our connections belong to; empty: to everybody
	changed chan struct{} // there is another plan
	listen  func(context.Context) (ears, error)

	mu      sync.Mutex // guards all below
	plans   []plan
	trouble error // why nothing can be carried out
}

// New returns a backend. It does nothing until it runs.
func New(o Options) *Backend {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	b := &Backend{options: o, changed: make(chan struct{}, 1), listen: openKernel, trouble: ErrAbsent}
	if os.Geteuid() != 0 { // others may add connections of their own only, unless polkit asks for root's password
		if u, err := user.Current(); err == nil {
			b.user = u.Username
		}
	}
	return b
}

// Why [Backend.CarryOut] fails, in words for a person.
var (
	ErrAbsent = errors.New("NetworkManager does not run on this computer: start it (systemctl start NetworkManager), or start manofwar without managing WiFi")
	ErrNoWiFi = errors.New("the kernel of this computer knows no WiFi: plug in an adapter, or start manofwar without managing WiFi")
	ErrNoBus  = errors.New("the message bus of this computer is not reached: start dbus, or start manofwar without managing WiFi")
)

// The pauses between two tries to reach the message bus.
const (
	firstPause = time.Second
	maxPause   = 30 * time.Second
)

// Run tells what happens to the radios, and carries plans out, until ctx ends; then it returns nil. tell is called from
// one goroutine. A message bus that is not there, or ends, is tried again for ever. When Run returns, NetworkManager
// takes away what was ours.
func (b *Backend) Run(ctx context.Context, tell func(netmgr.Event)) error {
	pause, last := firstPause, ""
	for {
		began := time.Now()
		err := b.session(ctx, tell)
		if ctx.Err() != nil {
			return nil
		}
		if time.Since(began) > maxPause {
			pause = firstPause
		}
		b.fail(err)
		if err.Error() != last { // what lasts is said once
			b.options.Log.Warn("NetworkManager not reached", "err", err)
			last = err.Error()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		pause = min(2*pause, maxPause)
	}
}

// CarryOut takes over what the radios should do. It returns at once: what becomes of it are events of [Backend.Run]. The
// same plan again does nothing. secret returns the password of a profile; that of our own access point is asked for by
// the ID "". The error says why nothing can be done at present, in words for a person; the plan is kept nevertheless.
func (b *Backend) CarryOut(_ context.Context, radios []netmgr.RadioPlan, secret func(profileID string) (password string, ok bool)) error {
	plans := make([]plan, 0, len(radios))
	for _, rp := range radios {
		p := plan{RadioPlan: rp}
		if rp.Join.Number != 0 && !rp.Join.Open {
			password, ok := secret(rp.Join.Profile)
			p.password, p.unknown = password, !ok
		}
		if rp.AccessPoint.Up && !rp.AccessPoint.Open {
			p.ownSecret, _ = secret("")
		}
		plans = append(plans, p)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.plans = plans
	select {
	case b.changed <- struct{}{}:
	default:
	}
	return b.trouble
}

// planned returns what radios should do.
func (b *Backend) planned() []plan {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.plans
}

// forget drops what was planned for radios that are gone: the policy numbers anew.
func (b *Backend) forget(phy int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var left []plan
	for _, p := range b.plans {
		if p.Phy != phy {
			left = append(left, p)
		}
	}
	b.plans = left
}

// fail takes down why nothing can be carried out; nil: nothing is in the way.
func (b *Backend) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.trouble = err
}
