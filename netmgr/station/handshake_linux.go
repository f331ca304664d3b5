package station

import (
	"context"
	"errors"
	"time"

	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/nl80211"
	"manofwar/netmgr/wpa"
)

// handshake agrees on the keys.
func (a *attempt) handshake(ctx context.Context) error {
	if !a.secured || a.offloaded {
		return nil
	}
	if err := a.newSupplicant(); err != nil {
		return err
	}
	queued := a.queue
	a.queue = nil
	for _, frame := range queued {
		if err := a.receive(ctx, frame); err != nil {
			return err
		}
	}
	for over := time.After(handshakePatience); !a.supplicant.Authorized(); {
		ev, err := a.next(ctx, over)
		if errors.Is(err, errTimeout) {
			err = a.network.noAnswer(errors.New("4-way handshake"))
		}
		if err != nil {
			return err
		}
		if frame, ok := ev.(nl80211.ControlPort); ok {
			if err := a.receive(ctx, frame); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *attempt) newSupplicant() error {
	if a.pmk == nil {
		var err error
		if a.pmk, err = a.secrets.pmk(a.network); err != nil {
			return a.network.handshake(err)
		}
	}
	var err error
	a.supplicant, err = wpa.NewSupplicant(wpa.Link{
		AccessPoint: a.bss.BSSID, Station: a.mac, AKM: a.choice.AKM, PMK: a.pmk,
		AccessPointElements: a.bss.Elements, StationElements: a.choice.Elements,
	})
	if err != nil {
		return a.network.handshake(err)
	}
	return nil
}

// receive takes an 802.1X frame of the access point.
func (a *attempt) receive(ctx context.Context, frame nl80211.ControlPort) error {
	actions, err := a.supplicant.Receive(frame.Data)
	if err != nil {
		a.log.Debug("802.1X frame ignored", "err", err)
	}
	for _, action := range actions {
		if err := a.carryOut(ctx, action); err != nil {
			return err
		}
	}
	return nil
}

func (a *attempt) carryOut(ctx context.Context, action wpa.Action) error {
	switch act := action.(type) {
	case wpa.Send:
		return a.eapol.send(ctx, act.Frame, !a.keyed)
	case wpa.InstallPairwise:
		a.keyed = true
		return a.conn.InstallKey(ctx, nl80211.Key{Index: a.index, Peer: a.bss.BSSID, Cipher: ieee80211.CipherCCMP, Key: act.Key})
	case wpa.InstallGroup:
		return a.conn.InstallKey(ctx, nl80211.Key{
			Index: a.index, Number: act.Index, Cipher: act.Cipher, Key: act.Key, Sequence: act.Sequence[:],
		})
	case wpa.InstallManagement:
		return a.conn.InstallKey(ctx, nl80211.Key{
			Index: a.index, Number: act.Index, Cipher: ieee80211.CipherBIP, Key: act.Key, Sequence: act.Sequence[:],
		})
	case wpa.Authorize:
		return a.conn.Authorize(ctx, a.index, a.bss.BSSID, true)
	case wpa.Deauth:
		a.leave(act.Reason)
		err := &leftError{a.network.handshake(act.Err)}
		if errors.Is(act.Err, wpa.ErrDowngrade) {
			return &staleError{err}
		}
		return err
	default:
		return nil
	}
}
