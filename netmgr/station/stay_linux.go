package station

import (
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/netmgr"
	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/nl80211"
)

const (
	listenEvery = 5 * time.Second // the time between two looks at the signal
	audible     = 3               // dB by which it has to have changed to be told: less is noise, and nobody's news
)

// stay keeps the link secured until it ends.
func (a *attempt) stay(ctx context.Context) error {
	tick := time.NewTicker(listenEvery)
	defer tick.Stop()
	for {
		over := tick.C
		if a.query.again != nil {
			over = a.query.again
		}
		ev, err := a.next(ctx, over)
		switch {
		case errors.Is(err, errTimeout) && a.query.again != nil:
			err = a.ask(ctx)
		case errors.Is(err, errTimeout):
			err = a.listen(ctx)
		case err == nil:
			err = a.happened(ctx, ev)
		}
		if err != nil {
			return err
		}
	}
}

// happened takes an event of the time after joining.
func (a *attempt) happened(ctx context.Context, ev nl80211.Event) error {
	switch ev := ev.(type) {
	case nl80211.ControlPort:
		if a.supplicant != nil {
			return a.receive(ctx, ev)
		}
	case nl80211.ChannelSwitched:
		a.bss.MHz = ev.MHz
		a.roamed()
	case nl80211.DriverRoamed:
		return a.follow(ctx, ev)
	case nl80211.ExternalAuth:
		return a.external(ctx, ev)
	case nl80211.Unprotected:
		if ev.BSSID == a.bss.BSSID {
			return a.doubt(ctx)
		}
	case nl80211.FrameReceived:
		a.answered(ev)
	case nl80211.Overrun:
		return a.listen(ctx) // the end may be among what was lost
	case nl80211.BeaconLost:
		a.log.Debug("no beacons", "ssid", a.network.SSID)
	}
	return nil
}

// follow goes along where a driver went to another access point by itself. What keys its firmware has not made are
// made with that one.
func (a *attempt) follow(ctx context.Context, ev nl80211.DriverRoamed) error {
	if ev.BSSID != a.bss.BSSID {
		if err := a.retarget(ctx, ev.BSSID); err != nil {
			return err
		}
	}
	if !ev.Authorized {
		if ieee80211.Elements(ev.Request).Has(ieee80211.ElementRSN) {
			a.choice.Elements = ev.Request
		}
		a.supplicant, a.keyed = nil, false
		if err := a.handshake(ctx); err != nil {
			return err
		}
	}
	a.roamed()
	return nil
}

// retarget makes another access point the one that this is about.
func (a *attempt) retarget(ctx context.Context, bssid ieee80211.MAC) error {
	heard, err := a.conn.Results(ctx, a.index)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(heard, func(b nl80211.BSS) bool { return b.BSSID == bssid })
	if i < 0 {
		return errors.New("the driver has roamed to an unknown access point")
	}
	if err := a.fits(a.network, heard[i]); err != nil {
		return err
	}
	a.bss = heard[i]
	return nil
}

func (a *attempt) roamed() {
	a.signal = 0
	a.tell(netmgr.Roamed{Phy: a.radio.Phy, Number: a.network.Number, BSSID: netmgr.MAC(a.bss.BSSID), MHz: a.bss.MHz})
}

// listen tells the signal if it is another one. An association that is no more is found out here at the latest.
func (a *attempt) listen(ctx context.Context) error {
	info, err := a.conn.Station(ctx, a.index, a.bss.BSSID)
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENODEV):
		return &leftError{a.network.silent(err)}
	case err != nil:
		return err
	}
	if a.another(info.Signal) {
		a.tell(netmgr.Heard{Phy: a.radio.Phy, Number: a.network.Number, Signal: info.Signal})
	}
	return nil
}

// another takes note of the signal that will be told, and reports whether it is so much another one that it should be.
func (a *attempt) another(signal int) bool {
	change := signal - a.signal
	if signal == 0 || a.signal != 0 && max(change, -change) < audible {
		return false
	}
	a.signal = signal
	return true
}
