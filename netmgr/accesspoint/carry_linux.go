package accesspoint

import (
	"errors"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/netmgr"
	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/nl80211"
	"manofwar/netmgr/wpa"
)

// carryOut does what the SME wants, in its order. Where something cannot be done for a station, that station is sent away and the
// access point goes on; the error is of what concerns all.
func (r *runner) carryOut(actions []action) error {
	for len(actions) > 0 {
		do := actions[0]
		actions = actions[1:]
		mac, err := r.carryOutOne(do)
		switch {
		case err == nil:
		case mac == ieee80211.MAC{}:
			return err
		default:
			r.ap.options.Log.Warn("station not served", "station", mac, "err", err)
			actions = slices.DeleteFunc(slices.Clone(actions), func(a action) bool { return concerns(a) == mac })
			actions = append(actions, r.sme.failed(mac)...)
		}
	}
	return nil
}

// concerns returns the station that the success of an action matters to; zero: all.
func concerns(a action) ieee80211.MAC {
	switch a := a.(type) {
	case add:
		return a.mac
	case authorize:
		return a.mac
	case pairwise:
		return a.mac
	case transmit:
		return a.frame.To
	case send:
		return a.to
	case joined:
		return a.mac
	default:
		return ieee80211.MAC{}
	}
}

// carryOutOne does one thing. With an error comes the station that it is about.
func (r *runner) carryOutOne(do action) (ieee80211.MAC, error) {
	index := r.iface.Index
	switch do := do.(type) {
	case transmit:
		r.transmit(do)
	case send:
		r.sendEAPOL(do)
	case add:
		return do.mac, r.add(do)
	case authorize:
		return do.mac, r.conn.Authorize(r.ctx, index, do.mac, true)
	case remove:
		if err := r.conn.RemoveStation(r.ctx, index, do.mac, do.reason); err != nil && !errors.Is(err, unix.ENOENT) {
			r.ap.options.Log.Debug("station not removed", "station", do.mac, "err", err)
		}
	case pairwise:
		return do.mac, r.conn.InstallKey(r.ctx, nl80211.Key{Index: index, Peer: do.mac, Cipher: ieee80211.CipherCCMP, Key: do.key})
	case group:
		return ieee80211.MAC{}, r.installGroup(do.Action)
	case probe:
		if err := r.conn.ProbeStation(r.ctx, index, do.mac); err != nil {
			r.ap.options.Log.Debug("station not probed", "station", do.mac, "err", err)
		}
	case update:
		return ieee80211.MAC{}, r.update()
	case joined, left, refused:
		r.tell(do)
	}
	return ieee80211.MAC{}, nil
}

// transmit sends a management frame. One that cannot be sent is as one that is lost in the air.
func (r *runner) transmit(t transmit) {
	err := r.conn.SendFrame(r.ctx, nl80211.Frame{Index: r.iface.Index, MHz: r.sme.mhz, Confirm: t.confirm, Frame: t.frame})
	if err != nil {
		r.ap.options.Log.Debug("frame not sent", "kind", t.frame.Kind, "to", t.frame.To, "err", err)
	}
}

// sendEAPOL sends an EAPOL frame. One that cannot be sent is sent again by the handshake.
func (r *runner) sendEAPOL(s send) {
	var err error
	if r.eapol != nil {
		err = r.eapol.send(s.to, s.packet)
	} else {
		err = r.conn.SendControlFrame(r.ctx, nl80211.ControlFrame{Index: r.iface.Index, To: s.to, Data: s.packet})
	}
	if err != nil {
		r.ap.options.Log.Debug("EAPOL frame not sent", "station", s.to, "err", err)
	}
}

func (r *runner) add(a add) error {
	es := a.request.Elements
	_, qos := es.FindVendor(vendorWMM)
	s := nl80211.NewStation{
		Index: r.iface.Index, MAC: a.mac, AID: a.aid, ListenInterval: a.request.ListenInterval,
		Capabilities: a.request.Capabilities, Rates: ieee80211.FindRates(es), QoS: qos && r.sme.ht != nil, MFP: a.mfp,
	}
	if r.sme.speaksHT(es) {
		b, _ := es.Find(ieee80211.ElementHT)
		s.HT = b[:lengthHT]
	}
	return r.conn.AddStation(r.ctx, s)
}

// installGroup installs a group key and sends with it from then on.
func (r *runner) installGroup(a wpa.Action) error {
	k := nl80211.Key{Index: r.iface.Index}
	switch a := a.(type) {
	case wpa.InstallGroup:
		k.Number, k.Cipher, k.Key = a.Index, a.Cipher, a.Key
	case wpa.InstallManagement:
		k.Number, k.Cipher, k.Key = a.Index, ieee80211.CipherBIP, a.Key
	}
	if err := r.conn.InstallKey(r.ctx, k); err != nil {
		return err
	}
	return r.conn.SetDefaultKey(r.ctx, k.Index, k.Number)
}

// update replaces what is sent by itself, or notes that this is to be done after the move that is under way.
func (r *runner) update() error {
	err := r.conn.SetBeacon(r.ctx, r.iface.Index, r.sme.templates(nil))
	if errors.Is(err, unix.EBUSY) {
		r.stale = true
		return nil
	}
	if err != nil {
		return err
	}
	r.stale = false
	return r.conn.SetManners(r.ctx, r.iface.Index, r.manners())
}

// templates returns what is sent by itself, with the announcement of a channel switch or without.
func (b *bss) templates(sw *ieee80211.ChannelSwitch) nl80211.Templates {
	tail, _ := b.beaconTail(sw)
	probe, _ := b.probeResponseWith(ieee80211.Broadcast, sw)
	return nl80211.Templates{Head: b.beaconHead(), Tail: tail, Probe: probe.Append(nil)}
}

func (r *runner) manners() nl80211.Manners {
	s := r.sme
	return nl80211.Manners{Protect: s.nonERP, ShortSlot: !s.longSlot, HT: s.htProtection(), BasicRates: s.rates()}
}

// tell tells of members.
func (r *runner) tell(a action) {
	log := r.ap.options.Log
	switch a := a.(type) {
	case joined:
		log.Info("station joined", "station", a.mac)
		r.ap.change(func(c map[ieee80211.MAC]Client) {
			c[a.mac] = Client{MAC: netmgr.MAC(a.mac), Since: time.Now()}
		})
	case left:
		log.Info("station left", "station", a.mac, "reason", a.reason)
		r.ap.change(func(c map[ieee80211.MAC]Client) { delete(c, a.mac) })
	case refused:
		log.Info("wrong password", "station", a.mac)
	}
}
