package wifi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"manofwar/netmgr"
	"manofwar/netmgr/nl80211"
)

// Options are what a [Backend] is told.
type Options struct {
	Log *slog.Logger // nil: nothing is logged
}

// Backend drives the radios of this host. It is made by [New].
type Backend struct {
	log *slog.Logger

	mu      sync.Mutex // guards all below
	plans   map[int]plan
	radios  map[int]*radio
	country string // wanted; empty: the kernel's choice
	rules   string // the country whose rules are in force; empty: unknown, or the world's common ones
	conn    *nl80211.Conn
}

// plan is what one radio should do, with the passwords that it takes.
type plan struct {
	netmgr.RadioPlan
	password string // of the network to join
	unknown  bool   // it should have a password, and nobody knows it
	own      string // of our own access point
}

// New returns a backend. It does nothing until it runs.
func New(o Options) *Backend {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Backend{log: o.Log, plans: make(map[int]plan), radios: make(map[int]*radio)}
}

// lookAgain is after how long the kernel is asked anew after it could not be.
const lookAgain = 5 * time.Second

// Run tells what happens to the radios, and carries plans out, until ctx ends; then it returns nil, and all networks are
// left. A kernel without WiFi is asked again: a USB stick brings its driver along.
func (b *Backend) Run(ctx context.Context, tell func(netmgr.Event)) error {
	for {
		err := b.session(ctx, tell)
		if ctx.Err() != nil {
			return nil
		}
		b.log.Debug("no radios", "err", err, "again", lookAgain)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(lookAgain):
		}
	}
}

// session runs until the connection to the kernel ends, or knows nothing for certain any more.
func (b *Backend) session(ctx context.Context, tell func(netmgr.Event)) error {
	conn, err := nl80211.Dial(nl80211.GroupConfig, nl80211.GroupScan, nl80211.GroupMLME, nl80211.GroupRegulatory)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // nothing is lost with a socket
	events := conn.Listen(0)
	defer events.Close()
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	b.connect(conn)
	defer b.connect(nil)
	defer b.forget(tell)
	for {
		if err := b.refresh(ctx, conn, &running, tell); err != nil {
			return err
		}
		if !b.news(ctx, events) {
			return errors.New("the connection to nl80211 ended")
		}
	}
}

// settle is for how long events are gathered before radios are looked at: a driver announces itself in several steps.
const settle = 50 * time.Millisecond

// news waits until radios may be other ones than they were. It reports false when nothing more will be heard.
func (b *Backend) news(ctx context.Context, events *nl80211.Listener) bool {
	var timer <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return false
		case <-timer:
			return true
		case ev, ok := <-events.Events():
			if !ok {
				return false
			}
			if changesRadios(ev) && timer == nil {
				timer = time.After(settle)
			}
		}
	}
}

// changesRadios reports whether there may be other radios, interfaces or channels after an event.
func changesRadios(ev nl80211.Event) bool {
	switch ev := ev.(type) {
	case nl80211.RadioChanged, nl80211.RadioGone, nl80211.InterfaceGone, nl80211.RegulatoryChanged, nl80211.Overrun:
		return true
	case nl80211.InterfaceChanged:
		return ev.Interface.Type == nl80211.StationInterface
	}
	return false
}

// refresh compares the kernel's radios with those known, starts and ends what runs on them, and tells.
func (b *Backend) refresh(ctx context.Context, conn *nl80211.Conn, running *sync.WaitGroup, tell func(netmgr.Event)) error {
	radios, err := conn.Radios(ctx)
	if err != nil {
		return err
	}
	interfaces, err := conn.Interfaces(ctx)
	if err != nil {
		return err
	}
	present := make(map[int]bool)
	for _, info := range radios {
		face, err := stationInterface(ctx, conn, info, interfaces)
		if err != nil {
			b.log.Warn("radio not used", "radio", info.Name, "err", err)
			continue
		}
		present[info.Phy] = true
		b.appear(ctx, conn, found{info, face}, running, tell)
	}
	for phy := range b.known() {
		if !present[phy] {
			b.end(phy)
			tell(netmgr.RadioGone{Phy: phy})
		}
	}
	b.readCountry(ctx, conn, tell)
	return nil
}

// found is a radio with the interface that joins networks.
type found struct {
	radio nl80211.Radio
	face  nl80211.Interface
}

// stationInterface returns a radio's first interface for joining networks. One that has none gets one.
func stationInterface(ctx context.Context, conn *nl80211.Conn, r nl80211.Radio, all []nl80211.Interface) (nl80211.Interface, error) {
	var best nl80211.Interface
	for _, i := range all {
		if i.Phy == r.Phy && i.Type == nl80211.StationInterface && (best.Index == 0 || i.Index < best.Index) {
			best = i
		}
	}
	if best.Index != 0 {
		return best, nil
	}
	if !r.Supports(nl80211.StationInterface) {
		return best, errors.New("it cannot join networks")
	}
	return conn.CreateInterface(ctx, nl80211.NewInterface{
		Phy: r.Phy, Name: fmt.Sprintf("wlan%d", r.Phy), Type: nl80211.StationInterface,
	})
}

// appear starts what runs on a radio, or makes it known that the radio is not what it was.
func (b *Backend) appear(ctx context.Context, conn *nl80211.Conn, f found, running *sync.WaitGroup, tell func(netmgr.Event)) {
	described := describe(f.radio, f.face.Index)
	old := b.radio(f.radio.Phy)
	if old != nil && old.face.Index == f.face.Index {
		if !equal(old.described, described) {
			old.described = described
			tell(netmgr.RadioChanged{Radio: described})
		}
		return
	}
	if old != nil {
		b.end(f.radio.Phy)
		tell(netmgr.RadioGone{Phy: f.radio.Phy})
	}
	r, err := newRadio(b, conn, f, tell)
	if err != nil {
		b.log.Warn("radio not used", "radio", f.radio.Name, "err", err)
		return
	}
	r.described = described
	ctx, r.cancel = context.WithCancel(ctx)
	b.mu.Lock()
	b.radios[f.radio.Phy] = r
	b.mu.Unlock()
	r.done = make(chan struct{})
	running.Go(func() {
		defer close(r.done)
		r.run(ctx)
	})
	tell(netmgr.RadioChanged{Radio: described})
}

func equal(a, b netmgr.Radio) bool { return fmt.Sprint(a) == fmt.Sprint(b) }

func (b *Backend) radio(phy int) *radio {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.radios[phy]
}

// known returns the radios that something runs on.
func (b *Backend) known() map[int]*radio {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make(map[int]*radio, len(b.radios))
	for phy, r := range b.radios {
		out[phy] = r
	}
	return out
}

// end ends what runs on a radio and drops its plan: the policy numbers anew.
func (b *Backend) end(phy int) {
	r := b.radio(phy)
	r.cancel()
	<-r.done
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.radios, phy)
	delete(b.plans, phy)
}

// forget ends everything and says that there are no radios.
func (b *Backend) forget(tell func(netmgr.Event)) {
	for phy := range b.known() {
		b.end(phy)
		tell(netmgr.RadioGone{Phy: phy})
	}
}

// CarryOut takes over what the radios should do. It returns at once: what becomes of it are events of [Backend.Run]. The
// same plan again does nothing. secret returns the password of a profile; that of our own access point is asked for by
// the ID "". Its error is nil: what cannot be done is told as an event.
func (b *Backend) CarryOut(_ context.Context, radios []netmgr.RadioPlan, secret func(profileID string) (password string, ok bool)) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, rp := range radios {
		p := plan{RadioPlan: rp}
		if rp.Join.Number != 0 && !rp.Join.Open {
			password, ok := secret(rp.Join.Profile)
			p.password, p.unknown = password, !ok
		}
		if rp.AccessPoint.Up && !rp.AccessPoint.Open {
			p.own, _ = secret("")
		}
		r := b.radios[rp.Phy]
		if r == nil { // it has gone, which is about to be heard; if it comes back it is another one
			continue
		}
		b.plans[rp.Phy] = p
		r.nudge()
	}
	return nil
}

// planned returns what a radio should do, and whether anything is planned for it.
func (b *Backend) planned(phy int) (plan, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, ok := b.plans[phy]
	return p, ok
}

// SetCountry asks the kernel for the rules of a country, as two letters; empty leaves them as they are. They are asked
// for again whenever radios are found anew.
func (b *Backend) SetCountry(country string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.country == country {
		return
	}
	b.country = country
	b.askCountry()
}

// Country returns the country whose rules are in force; empty: the world's common ones, or unknown.
func (b *Backend) Country() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rules
}

// readCountry asks the kernel whose rules are in force. Another answer than before is news, though none of the policy's.
func (b *Backend) readCountry(ctx context.Context, conn *nl80211.Conn, tell func(netmgr.Event)) {
	country, err := conn.Regulatory(ctx)
	if err != nil || country == nl80211.World {
		country = ""
	}
	b.mu.Lock()
	news := b.rules != country
	b.rules = country
	b.mu.Unlock()
	if news {
		tell(netmgr.Tick{})
	}
}

// connect takes over the connection of a session, or that it has ended.
func (b *Backend) connect(conn *nl80211.Conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.conn, b.rules = conn, ""
	b.askCountry()
}

// askCountry is called with mu held.
func (b *Backend) askCountry() {
	if b.conn == nil || b.country == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := b.conn.SetRegulatory(ctx, b.country); err != nil {
		b.log.Warn("country not set", "country", b.country, "err", err)
	}
}
