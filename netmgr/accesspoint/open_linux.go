package accesspoint

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/netmgr"
	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/nl80211"
)

// open makes the interface and listens to it.
func (r *runner) open(ctx context.Context) error {
	o := &r.ap.options
	radios, err := r.conn.Radios(r.ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(radios, func(x nl80211.Radio) bool { return x.Phy == o.Phy })
	if i < 0 {
		return errGone
	}
	r.radio = radios[i]
	if r.ap.adjust != nil {
		r.ap.adjust(&r.radio)
	}
	if !r.radio.Supports(nl80211.AccessPointInterface) || !r.radio.Commands.StartAP {
		return ErrUnsupported
	}
	if err := r.allowed(o.MHz); err != nil {
		return err
	}
	if err := r.makeInterface(ctx); err != nil {
		return err
	}
	if err := r.switchOn(); err != nil {
		return err
	}
	r.listener = r.conn.Listen(r.iface.Index)
	if r.radio.Features.ControlPort || r.ap.pmk == nil {
		return nil
	}
	r.eapol, err = r.ap.system.listen(r.iface.Index)
	return err
}

// switchOn switches the interface on. Some radios can be an access point only while no other interface is on.
func (r *runner) switchOn() error {
	if !r.radio.Together() {
		all, err := r.conn.Interfaces(r.ctx)
		if err != nil {
			return err
		}
		for _, i := range all {
			if i.Phy == r.iface.Phy && i.Type == nl80211.StationInterface {
				r.off = append(r.off, i.Index)
			}
		}
	}
	for _, i := range r.off {
		if err := r.ap.system.down(i); err != nil {
			return err
		}
	}
	err := r.ap.system.up(r.iface.Index)
	if errors.Is(err, unix.ERFKILL) {
		return fmt.Errorf("%w: %w", ErrBlocked, err)
	}
	return err
}

// makeInterface makes the interface, in the place of one that a predecessor may have left.
func (r *runner) makeInterface(ctx context.Context) error {
	o := &r.ap.options
	all := r.conn.Listen(0)
	defer all.Close()
	present, err := r.conn.Interfaces(r.ctx)
	if err != nil {
		return err
	}
	wanted := nl80211.NewInterface{Phy: o.Phy, Name: o.Name, Type: nl80211.AccessPointInterface, Owned: true}
	for _, i := range present {
		switch {
		case i.Phy == o.Phy && i.Name == o.Name && i.Type == nl80211.AccessPointInterface:
			if err := r.conn.DeleteInterface(r.ctx, i.Index); err != nil && !errors.Is(err, unix.ENODEV) {
				return err
			}
		case i.Phy == o.Phy && i.Type == nl80211.StationInterface:
			wanted.MAC = own(i.MAC)
		}
	}
	for tries := 0; ; tries++ {
		r.iface, err = r.conn.CreateInterface(r.ctx, wanted)
		// The kernel takes the interface of a process that was killed away at its own pace.
		if !errors.Is(err, unix.EEXIST) && !errors.Is(err, unix.ENFILE) || tries == 3 || !somethingHappens(ctx, all) {
			break
		}
	}
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EBUSY) {
		return fmt.Errorf("%w beside a station: %w", ErrUnsupported, err)
	}
	if err != nil {
		return err
	}
	return r.giveAddress(present, wanted.MAC)
}

// somethingHappens waits for an event. It reports false where there is none.
func somethingHappens(ctx context.Context, l *nl80211.Listener) bool {
	select {
	case _, ok := <-l.Events():
		return ok
	case <-time.After(time.Second):
		return true // the event may have come before
	case <-ctx.Done():
		return false
	}
}

// giveAddress gives the interface an address of its own, where the driver has not.
func (r *runner) giveAddress(others []nl80211.Interface, mac ieee80211.MAC) error {
	taken := slices.ContainsFunc(others, func(i nl80211.Interface) bool { return i.MAC == r.iface.MAC })
	if mac == (ieee80211.MAC{}) || r.iface.MAC != (ieee80211.MAC{}) && !taken {
		return nil
	}
	r.iface.MAC = mac
	return r.ap.system.setMAC(r.iface.Index, mac[:])
}

// allowed reports whether an access point may be on a channel.
func (r *runner) allowed(mhz int) error {
	i := slices.IndexFunc(r.radio.Channels, func(c nl80211.Channel) bool { return c.MHz == mhz })
	switch {
	case i < 0 || r.radio.Channels[i].Disabled:
		return &ChannelError{mhz, ErrForbidden}
	case r.radio.Channels[i].Radar:
		return &ChannelError{mhz, ErrRadar}
	case r.radio.Channels[i].NoIR:
		return &ChannelError{mhz, ErrForbidden}
	}
	return nil
}

// start puts beacons on the air.
func (r *runner) start() error {
	r.sme = newSME(r.config(), r.network())
	if !r.sme.firmware {
		if err := r.register(); err != nil {
			return err
		}
	}
	return r.beacon()
}

// beacon starts the access point on the channel that it is meant to be on.
func (r *runner) beacon() error {
	s := r.sme
	p := nl80211.AccessPoint{
		Index: r.iface.Index, SSID: s.ssid, MHz: s.mhz, HT: s.ht != nil, Interval: beaconInterval, DTIM: dtimPeriod,
		Templates: s.templates(nil), RSN: s.rsn, Port: r.radio.Features.ControlPort,
	}
	if s.offload {
		p.PMK = s.pmk
	}
	if err := r.conn.StartAccessPoint(r.ctx, p); err != nil {
		return refusal(s.mhz, err)
	}
	if !s.firmware {
		if err := r.conn.SetManners(r.ctx, r.iface.Index, r.manners()); err != nil {
			return err
		}
	}
	if err := r.carryOut(s.begin(time.Now())); err != nil {
		return err
	}
	r.ap.options.Tell(netmgr.AccessPointUp{Phy: r.ap.options.Phy, Index: r.iface.Index, MHz: s.mhz})
	return nil
}

// refusal says what it means that the kernel refuses a channel.
func refusal(mhz int, err error) error {
	switch {
	case errors.Is(err, unix.EBUSY):
		return errors.Join(&ChannelError{mhz, ErrBusy}, err)
	case errors.Is(err, unix.EINVAL):
		return errors.Join(&ChannelError{mhz, ErrForbidden}, err)
	}
	return err
}

func (r *runner) config() config {
	f := r.radio.Features
	return config{
		pmk:      r.ap.pmk,
		firmware: f.APSME,
		offload:  f.APSME && f.HandshakeAP && r.ap.pmk != nil,
		probe:    r.radio.Commands.ProbeStation,
		lifetime: r.ap.lifetime,
		idle:     r.ap.idle,
		sequence: r.sequence,
	}
}

// sequence returns how far a group key has been used. Where the driver does not tell, stations that join take what was sent
// to groups before for new, which they did not hear.
func (r *runner) sequence(index int) [6]byte {
	n, err := r.conn.GroupSequence(r.ctx, r.iface.Index, index)
	if err != nil {
		r.ap.options.Log.Debug("sequence of group key unknown", "key", index, "err", err)
	}
	return n
}

func (r *runner) network() bss {
	b := bss{ssid: ieee80211.SSID(r.ap.options.SSID), mac: r.iface.MAC, mhz: r.ap.options.MHz}
	if r.ap.pmk != nil {
		// Nobody has seen how firmware that associates by itself goes about protected management frames.
		b.rsn = offer(slices.Contains(r.radio.Ciphers, ieee80211.CipherBIP) && !r.radio.Features.APSME)
	}
	if ht := r.radio.HT; len(ht.MCS) == 16 {
		b.ht = &htCapability{info: ht.Capabilities, ampdu: ht.AMPDU[0] | ht.AMPDU[1]<<2, modulated: [16]byte(ht.MCS)}
	}
	return b
}

// register asks for the frames that the SME answers.
func (r *runner) register() error {
	for _, kind := range []ieee80211.Kind{
		ieee80211.Authentication, ieee80211.AssociationRequest, ieee80211.ReassociationRequest, ieee80211.ProbeRequest,
		ieee80211.Deauthentication, ieee80211.Disassociation,
	} {
		if err := r.conn.RegisterFrame(r.ctx, r.iface.Index, kind, nil); err != nil {
			return err
		}
	}
	if err := r.conn.RegisterFrame(r.ctx, r.iface.Index, ieee80211.Action, []byte{categoryQuery}); err != nil {
		return err
	}
	return r.conn.RegisterStrays(r.ctx, r.iface.Index)
}

// stop tells the stations and takes the beacon down.
func (r *runner) stop() error {
	_ = r.carryOut(r.sme.end()) // they would find out by themselves
	return r.silence()
}

// silence takes the beacon down, if it is not down.
func (r *runner) silence() error {
	err := r.conn.StopAccessPoint(r.ctx, r.iface.Index)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENETDOWN) {
		return nil
	}
	return err
}

// close takes away what open has made.
func (r *runner) close() {
	if r.moving != nil {
		r.moving.done <- ErrDown
	}
	if r.eapol != nil {
		r.eapol.close()
	}
	if r.listener != nil {
		r.listener.Close()
	}
	if r.iface.Index != 0 {
		_ = r.conn.DeleteInterface(r.ctx, r.iface.Index) // else it goes with the connection
	}
	for _, i := range r.off {
		if err := r.ap.system.up(i); err != nil {
			r.ap.options.Log.Warn("interface not switched on again", "err", err)
		}
	}
}
