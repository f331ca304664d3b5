package native

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"time"

	"manofwar/internal/atomicfile"
	"manofwar/internal/service"
	"manofwar/netmgr"
	"manofwar/netmgr/api"
	"manofwar/netmgr/link"
	"manofwar/netmgr/nat"
	"manofwar/netmgr/networkmanager"
	"manofwar/netmgr/sntp"
	"manofwar/netmgr/wifi"
)

// host carries plans out. All but run is for the loop's goroutine.
type host struct {
	options Options
	env     service.Env
	tell    func(context.Context, netmgr.Event)

	leases  *leases
	running map[int]*linkWork       // what runs on each link
	applied map[int]netmgr.LinkPlan // what each link was last made to be
	resolv  []byte                  // what resolv.conf was last made to be
	names   *names
	clock   chan sntp.Sources
	radios  radios // nil: nobody drives them
	judges  judges
	own     ownNet
	faces   map[int]face // where our access point is heard, by the radio that makes it
}

// radios drives the WiFi radios.
type radios interface {
	// Run tells what happens to them until ctx ends.
	Run(ctx context.Context, tell func(netmgr.Event)) error
	// CarryOut takes over what they should do and returns at once. The error says in words for a person why nothing can be
	// done at present.
	CarryOut(ctx context.Context, plans []netmgr.RadioPlan, secret func(profileID string) (password string, ok bool)) error
}

func newHost(o Options, env service.Env, tell func(context.Context, netmgr.Event)) *host {
	h := &host{
		options: o, env: env, tell: tell,
		names:   newNames(o, env.Log, tell),
		clock:   make(chan sntp.Sources, 1),
		leases:  openLeases(filepath.Join(env.StateDir, "leases.json"), env.Log),
		running: make(map[int]*linkWork),
		faces:   make(map[int]face),
		applied: make(map[int]netmgr.LinkPlan),
		judges:  judges{log: env.Log, tell: tell, running: make(map[int]*judging)},
		own:     ownNet{log: env.Log, dir: filepath.Join(env.RunDir, env.Name), kept: env.StateDir},
	}
	switch {
	case !o.Observe:
		h.radios = wifi.New(wifi.Options{Log: env.Log})
	case o.ManageWiFi:
		h.radios = networkmanager.New(networkmanager.Options{Log: env.Log})
	}
	return h
}

// drives reports whether WiFi is ours to manage.
func (h *host) drives() bool { return h.radios != nil }

// choose takes over the country that the owner has chosen.
func (h *host) choose(country string) {
	if r, ok := h.radios.(*wifi.Backend); ok {
		r.SetCountry(country)
	}
}

// country returns the country whose rules the radios keep to; empty: the world's common ones.
func (h *host) country() string {
	if r, ok := h.radios.(*wifi.Backend); ok {
		return r.Country()
	}
	return ""
}

// heard takes note of an event that the policy is told.
func (h *host) heard(ev netmgr.Event) {
	switch ev := ev.(type) {
	case netmgr.AccessPointUp:
		if i, err := net.InterfaceByIndex(ev.Index); err == nil { // else it has gone again
			h.faces[ev.Phy] = face{i.Index, i.Name, netmgr.MAC(i.HardwareAddr)}
		}
	case netmgr.AccessPointDown:
		delete(h.faces, ev.Phy)
	case netmgr.RadioGone:
		delete(h.faces, ev.Phy)
	case netmgr.Look, netmgr.Roamed: // somebody is looking, maybe after having signed in; or the way is another
		h.judges.nudge()
	}
}

// run tells what happens to the links, answers the name and keeps the clock until ctx ends.
func (h *host) run(ctx context.Context) error {
	var running sync.WaitGroup
	defer running.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if !h.options.Observe || h.options.WebPort != 0 { // a name that leads nowhere might be taken from a dongle
		running.Go(func() { h.names.run(ctx) })
	}
	if !h.options.Observe {
		if err := link.UpLoopback(); err != nil {
			return err
		}
		running.Go(func() { h.keepClock(ctx) })
		if err := nat.Remove(); err != nil { // a predecessor's
			h.env.Log.Warn("sharing not ended", "err", err)
		}
	}
	if h.radios != nil {
		running.Go(func() {
			if err := h.radios.Run(ctx, func(ev netmgr.Event) { h.tell(ctx, ev) }); err != nil {
				h.env.Log.Error("radios not driven", "err", err)
			}
		})
	}
	return link.Watch(ctx, func(ev netmgr.Event) { h.tell(ctx, ev) })
}

// keepClock sets the clock by the network's time.
func (h *host) keepClock(ctx context.Context) {
	client := sntp.Client{
		Sources: h.clock, NotBefore: h.options.NotBefore, Adjust: h.options.adjust, Log: h.env.Log,
		Tell: func(at time.Time) { h.tell(ctx, netmgr.ClockSet{At: at}) },
	}
	client.Run(ctx)
}

// wanted is what the owner has chosen, as far as it is carried out here.
type wanted struct {
	secret func(profileID string) (password string, ok bool)
	judge  api.JudgeSettings
}

// carryOut makes the network what the plan says. What fails is tried again with the next plan.
func (h *host) carryOut(ctx context.Context, p netmgr.Plan, w wanted) error {
	var errs []error
	if !h.options.Observe {
		errs = append(h.carryOutLinks(ctx, p), h.writeResolvConf(p.ResolvConf()), h.own.follow(ctx, planOwn(p, h.faces)))
		replace(h.clock, sntp.Sources{Servers: h.timeServers(p), DNS: p.DNS})
	}
	if h.radios != nil {
		errs = append(errs, h.radios.CarryOut(ctx, p.Radios, w.secret))
		h.judges.follow(ctx, p.Judge, w.judge)
	}
	h.names.follow(p)
	return errors.Join(errs...)
}

// timeServers returns whom to ask for the time: those that the network names, then those of the options, which need a
// way out of it.
func (h *host) timeServers(p netmgr.Plan) []string {
	var out []string
	for _, a := range p.Time {
		out = append(out, a.String())
	}
	if len(p.DNS) > 0 {
		out = append(out, h.options.TimeServers...)
	}
	return out
}

func (h *host) carryOutLinks(ctx context.Context, p netmgr.Plan) []error {
	var errs []error
	planned := make(map[int]bool)
	for _, lp := range p.Links {
		planned[lp.Index] = true
		errs = append(errs, h.carryOutLink(ctx, lp, p.Wanted))
	}
	for index, w := range h.running {
		if !planned[index] {
			w.stop()
			delete(h.running, index)
			delete(h.applied, index)
		}
	}
	return errs
}

// replace puts v into a channel of one, in the place of what was not yet taken. There is one sender.
func replace[T any](ch chan T, v T) {
	select {
	case <-ch:
	default:
	}
	ch <- v
}

// carryOutLink configures before it starts anything, so that what starts finds the link as planned.
func (h *host) carryOutLink(ctx context.Context, lp netmgr.LinkPlan, hostname string) error {
	if lp.SwitchOn {
		return link.Up(lp.Index)
	}
	if !lp.Keep && !reflect.DeepEqual(h.applied[lp.Index], lp) {
		if err := link.Apply(lp); err != nil {
			return err
		}
		h.applied[lp.Index] = lp
		if len(lp.Addresses) > 0 {
			h.env.Log.Info("link configured", "link", lp.Name, "address", lp.Addresses[0], "metric", lp.Metric)
		}
	}
	w := h.running[lp.Index]
	if w != nil && w.generation != lp.Generation {
		w.stop()
		w = nil
	}
	if w == nil {
		w = &linkWork{host: h, index: lp.Index, generation: lp.Generation}
		h.running[lp.Index] = w
	}
	return w.follow(ctx, lp, hostname)
}

// writeResolvConf writes the name servers where the root's /etc/resolv.conf points to.
func (h *host) writeResolvConf(data []byte) error {
	if bytes.Equal(data, h.resolv) {
		return nil
	}
	dir := filepath.Join(h.env.RunDir, h.env.Name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("name servers: %w", err)
	}
	if err := atomicfile.Write(filepath.Join(dir, "resolv.conf"), data, 0o644); err != nil {
		return fmt.Errorf("name servers: %w", err)
	}
	h.resolv = data
	return nil
}

// announce announces a service for as long as end is not called.
func (h *host) announce(o offered) (end func(), err error) { return h.names.offer(o) }

// stop ends what runs on the links and waits for it.
func (h *host) stop() {
	for _, w := range h.running {
		w.stop()
	}
	h.judges.stop()
	h.own.end()
	h.names.stop()
}
