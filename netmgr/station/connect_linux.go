package station

import (
	"context"
	"errors"
	"time"

	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/nl80211"
)

// connect lets the driver authenticate and associate, and do whatever more of it its firmware can.
func (a *attempt) connect(ctx context.Context) error {
	r, err := a.connection()
	if err != nil {
		return err
	}
	if r.External {
		if err := a.registerAuth(ctx); err != nil {
			return err
		}
	}
	if err := a.told(a.conn.Connect(ctx, r)); err != nil {
		return err
	}
	for over := time.After(connectPatience); ; {
		ev, err := a.next(ctx, over)
		if errors.Is(err, errTimeout) {
			err = a.network.noAnswer(err)
		}
		if err != nil {
			return err
		}
		switch ev := ev.(type) {
		case nl80211.ExternalAuth:
			if err := a.external(ctx, ev); err != nil {
				return err
			}
		case nl80211.Connected:
			return a.connected(ev)
		}
	}
}

func (a *attempt) connection() (nl80211.Connection, error) {
	f := a.radio.Features
	r := nl80211.Connection{Association: a.association()}
	if !a.secured {
		return r, nil
	}
	r.OptionalMFP = f.MFPOptional && a.bss.RSN.Capabilities&ieee80211.MFPRequired == 0
	r.SAE = a.choice.AKM == ieee80211.AKMSAE
	switch {
	case r.SAE && f.SAEOffload:
		r.Password, a.offloaded = a.network.Password, true
	case r.SAE:
		r.External = true
	case f.HandshakeOffload:
		pmk, err := a.secrets.pmk(a.network)
		if err != nil {
			return r, a.network.handshake(err)
		}
		r.PMK, a.offloaded = pmk, true
	}
	return r, nil
}

// connected takes the driver's word. The elements of the request are repeated in the handshake: a driver may have written
// its own.
func (a *attempt) connected(ev nl80211.Connected) error {
	switch {
	case ev.TimedOut:
		return a.network.noAnswer(errors.New("connect"))
	case ev.Status != ieee80211.StatusSuccess && a.offloaded:
		return a.network.maybeWrong(ev.Status)
	case ev.Status != ieee80211.StatusSuccess:
		return a.turnedDown(ev.Status)
	}
	a.connectedNow = true
	if ieee80211.Elements(ev.Request).Has(ieee80211.ElementRSN) {
		a.choice.Elements = ev.Request
	}
	return nil
}
