package networkmanager

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	nm "github.com/Wifx/gonetworkmanager/v2"
	"github.com/godbus/dbus/v5"

	"manofwar/netmgr"
	"manofwar/netmgr/nl80211"
)

// session is one connection to the bus and the radios that are known by it.
type session struct {
	*Backend
	*bus
	host
	kernel ears
	radios map[dbus.ObjectPath]*radio
	unfit  map[dbus.ObjectPath]bool // devices that are no radios for us, until they go away
}

// connectLimit is how long the bus may take to let us in.
const connectLimit = 15 * time.Second

var errConnect = errors.New("the message bus does not answer")

// session connects and works until ctx ends or the connection breaks, which is its error.
func (b *Backend) session(parent context.Context, tell func(netmgr.Event)) error {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	kernel, err := b.listen(ctx)
	if err != nil {
		return fmt.Errorf("%w (%w)", ErrNoWiFi, err)
	}
	patience := time.AfterFunc(connectLimit, func() { cancel(errConnect) })
	bus, err := connect(ctx, b.options.Address)
	if !patience.Stop() {
		err = fmt.Errorf("%w (%w)", ErrNoBus, errConnect)
	}
	if bus != nil {
		if err == nil {
			err = b.work(bus, kernel, tell)
		}
		cancel(nil)
		bus.close()
	}
	return errors.Join(err, kernel.close())
}

// work works until the connection breaks, which is its error.
func (b *Backend) work(bus *bus, kernel ears, tell func(netmgr.Event)) error {
	s := &session{Backend: b, bus: bus, kernel: kernel, radios: make(map[dbus.ObjectPath]*radio), host: host{
		mirror: newMirror(), caller: bus, senses: kernel, tell: tell, user: b.user, now: time.Now, log: b.options.Log,
	}}
	defer s.drop()
	return s.run()
}

// run works until the connection breaks.
func (s *session) run() error {
	if err := s.restart(); err != nil {
		return err
	}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		s.find()
		timer.Reset(s.rest())
		select {
		case <-s.ctx.Done():
			return s.ctx.Err()
		case err := <-s.broken:
			return err
		case signal := <-s.signals:
			if err := s.hear(signal); err != nil {
				return err
			}
			continue // each change is looked at by itself: reasons do not last
		case then := <-s.answers:
			if err := s.hearAll(); err != nil { // what was sent before the answer comes before it
				return err
			}
			then()
		case ev, open := <-s.kernel.events():
			if !open {
				return errKernel
			}
			s.hearKernel(ev)
			continue
		case <-s.changed:
			s.follow()
			continue
		case <-timer.C:
		}
		s.lookAll()
	}
}

// rest is how long nothing needs to be looked at.
func (s *session) rest() time.Duration {
	rest := time.Hour
	for _, r := range s.radios {
		if !r.deadline.IsZero() {
			rest = min(rest, r.deadline.Sub(s.now()))
		}
	}
	return max(rest, 0)
}

// restart reads all anew, as NetworkManager is now.
func (s *session) restart() error {
	s.drop()
	if s.owner == "" {
		s.Backend.fail(ErrAbsent)
		s.log.Warn("NetworkManager does not run")
		return nil
	}
	var all map[dbus.ObjectPath]interfaces
	if err := s.ask(objectsPath, objectManager+".GetManagedObjects", &all); err != nil {
		return fmt.Errorf("read what NetworkManager has: %w", err)
	}
	for path, of := range all {
		s.add(path, of)
	}
	s.sweep(all)
	s.Backend.fail(nil)
	s.log.Info("NetworkManager found", "version", s.version, "radios", len(s.devices))
	return nil
}

// drop forgets all that NetworkManager has said.
func (s *session) drop() {
	for path := range s.radios {
		s.lose(path)
	}
	*s.mirror = *newMirror()
	s.unfit = make(map[dbus.ObjectPath]bool)
}

func (s *session) lose(path dbus.ObjectPath) {
	s.forget(s.radios[path].Phy)
	s.radios[path].gone()
	delete(s.radios, path)
}

// volatile is the flag of connections that are gone once they are not active (NMSettingsConnectionFlags).
const volatile = 0x4

// sweep deletes what a predecessor has left behind. Its connection to the bus has ended, so there is nothing unless
// NetworkManager has not yet come to it.
func (s *session) sweep(all map[dbus.ObjectPath]interfaces) {
	for path, of := range all {
		connection, ok := of[nm.ConnectionInterface]
		if !ok || number(connection, "Flags", uint32(0))&volatile == 0 {
			continue
		}
		var content map[string]map[string]dbus.Variant
		if err := s.ask(path, nm.ConnectionGetSettings, &content); err != nil {
			continue // it is gone, or somebody else's
		}
		var id string
		if take(content["connection"], "id", &id); !isOurs(id) {
			continue
		}
		err := s.ask(path, nm.ConnectionDelete, nil)
		s.log.Info("connection of a predecessor deleted", "id", id, "err", err)
	}
}

// hearAll takes all signals that wait.
func (s *session) hearAll() error {
	for {
		select {
		case signal := <-s.signals:
			if err := s.hear(signal); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

// hear takes over what a signal says. Those that NetworkManager has not sent are passed over.
func (s *session) hear(signal *dbus.Signal) error {
	if owner, ok := ownerChange(signal); ok {
		if owner == s.owner { // it was asked for in the meantime
			return nil
		}
		s.owner = owner
		return s.restart()
	}
	if signal.Sender != s.owner || s.owner == "" || !s.learn(signal) {
		return nil
	}
	s.find()
	s.lookAll()
	return nil
}

// learn takes a signal over into the mirror and reports whether it was of a kind that matters.
func (s *session) learn(signal *dbus.Signal) bool {
	var (
		path    dbus.ObjectPath
		of      interfaces
		name    string
		names   []string
		changed map[string]dbus.Variant
	)
	switch signal.Name {
	case objectManager + ".InterfacesAdded":
		if dbus.Store(signal.Body, &path, &of) == nil {
			s.add(path, of)
			return true
		}
	case objectManager + ".InterfacesRemoved":
		if dbus.Store(signal.Body, &path, &names) == nil {
			s.remove(path, names)
			return true
		}
	case propertiesName + ".PropertiesChanged":
		if dbus.Store(signal.Body, &name, &changed, &names) == nil {
			s.set(signal.Path, name, changed)
			return true
		}
	}
	return false
}

func (s *session) lookAll() {
	for _, path := range slices.Sorted(maps.Keys(s.radios)) {
		s.radios[path].look()
	}
}

// follow hands the plans to their radios.
func (s *session) follow() {
	plans := s.planned()
	for _, path := range slices.Sorted(maps.Keys(s.radios)) {
		r := s.radios[path]
		for _, p := range plans {
			if p.Phy == r.Phy {
				r.follow(p)
			}
		}
	}
}

// find finds out which devices are radios for us now, and tells of each when it comes and goes.
func (s *session) find() {
	for path := range s.radios {
		if d := s.devices[path]; d == nil || d.state < nm.NmDeviceStateDisconnected {
			s.lose(path)
		}
	}
	maps.DeleteFunc(s.unfit, func(path dbus.ObjectPath, _ bool) bool { return s.devices[path] == nil })
	for _, path := range slices.Sorted(maps.Keys(s.devices)) {
		d := s.devices[path]
		if s.radios[path] != nil || s.unfit[path] || d.state < nm.NmDeviceStateDisconnected {
			continue
		}
		r, err := s.newRadio(path, d)
		if err != nil {
			s.unfit[path] = true
			s.log.Info("radio not used", "link", d.name, "err", err)
			continue
		}
		s.radios[path] = r
		s.tell(netmgr.RadioChanged{Radio: r.Radio})
	}
}

var errKernel = errors.New("the kernel's events were lost")

var errSecond = errors.New("another interface of the same radio is used")

// newRadio asks the kernel for the radio of a device.
func (s *session) newRadio(path dbus.ObjectPath, d *device) (*radio, error) {
	about, err := s.kernel.radio(d.name)
	if err != nil {
		return nil, err
	}
	for _, r := range s.radios {
		if r.Phy == about.Phy {
			return nil, errSecond
		}
	}
	about.AccessPoint = d.can&canBeAccessPoint != 0
	return &radio{host: s.host, path: path, name: d.name, Radio: about}, nil
}

// hearKernel takes over what the kernel says and NetworkManager does not.
func (s *session) hearKernel(ev nl80211.Event) {
	if index, is := wrongPassword(ev); is {
		s.each(index, (*radio).refusePassword)
	}
	switch ev := ev.(type) {
	case nl80211.ScanStarted:
		s.each(ev.Index, (*radio).scanStarted)
	case nl80211.ScanDone:
		s.each(ev.Index, (*radio).scanDone)
	case nl80211.StationAdded:
		s.each(ev.Index, (*radio).countClients)
	case nl80211.StationGone:
		s.each(ev.Index, (*radio).countClients)
	case nl80211.RegulatoryChanged:
		s.recheck()
	}
}

// each does something with the radio of an interface, if it is one of ours.
func (s *session) each(index int, do func(*radio)) {
	for _, r := range s.radios {
		if r.Station == index && r.taken.IsZero() {
			do(r)
		}
	}
}

// recheck tells which channels the country leaves to the radios now.
func (s *session) recheck() {
	for _, r := range s.radios {
		about, err := s.kernel.radio(r.name)
		if err == nil && !slices.Equal(about.Channels, r.Channels) {
			r.Channels = about.Channels
			s.tell(netmgr.RadioChanged{Radio: r.Radio})
		}
	}
}
