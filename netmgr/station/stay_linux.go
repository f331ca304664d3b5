package station

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/netmgr"
	"manofwar/netmgr/nl80211"
)

// listenEvery is how often the signal is told.
const listenEvery = 5 * time.Second

// stay keeps the link secured until it ends.
func (a *attempt) stay(ctx context.Context) error {
	tick := time.NewTicker(listenEvery)
	defer tick.Stop()
	for {
		ev, err := a.next(ctx, tick.C)
		if errors.Is(err, errTimeout) {
			err = a.listen(ctx)
		}
		if err == nil {
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
	case nl80211.Overrun:
		return a.listen(ctx) // the end may be among what was lost
	case nl80211.BeaconLost:
		a.log.Debug("no beacons", "ssid", a.network.SSID)
	}
	return nil
}

func (a *attempt) roamed() {
	a.tell(netmgr.Roamed{Phy: a.radio.Phy, Number: a.network.Number, BSSID: netmgr.MAC(a.bss.BSSID), MHz: a.bss.MHz})
}

// listen tells the signal. An association that is no more is found out here at the latest.
func (a *attempt) listen(ctx context.Context) error {
	info, err := a.conn.Station(ctx, a.index, a.bss.BSSID)
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENODEV):
		return &leftError{a.network.silent(err)}
	case err != nil:
		return err
	}
	if info.Signal != 0 {
		a.tell(netmgr.Heard{Phy: a.radio.Phy, Number: a.network.Number, Signal: info.Signal})
	}
	return nil
}
