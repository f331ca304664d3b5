package station

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/nl80211"
)

// external runs SAE for a driver that joins by itself but has that done by us (NL80211_CMD_EXTERNAL_AUTH): the frames are
// sent and received as such.
func (a *attempt) external(ctx context.Context, request nl80211.ExternalAuth) error {
	if !request.Start || request.BSSID != a.bss.BSSID && !a.joined {
		return nil
	}
	if request.BSSID != a.bss.BSSID { // the driver is about to roam
		if err := a.retarget(ctx, request.BSSID); err != nil {
			return err
		}
	}
	id, err := a.prove(ctx, air{a.sendAuth, a.receiveAuth})
	if err != nil {
		refused := a.conn.FinishExternalAuth(ctx, request, ieee80211.StatusUnspecified, nil)
		return errors.Join(err, refused)
	}
	return a.conn.FinishExternalAuth(ctx, request, ieee80211.StatusSuccess, &id)
}

// registerAuth asks for the frames of SAE.
func (a *attempt) registerAuth(ctx context.Context) error {
	match := binary.LittleEndian.AppendUint16(nil, uint16(ieee80211.AuthSAE))
	return a.register(ctx, ieee80211.Authentication, match)
}

// register asks for management frames. That lasts for as long as the station.
func (a *attempt) register(ctx context.Context, kind ieee80211.Kind, match []byte) error {
	err := a.conn.RegisterFrame(ctx, a.index, kind, match)
	if errors.Is(err, unix.EALREADY) { // at an earlier attempt
		return nil
	}
	return err
}

func (a *attempt) sendAuth(ctx context.Context, frame *ieee80211.Auth) error {
	return a.sendFrame(ctx, ieee80211.Authentication, frame.Append(nil))
}

// sendFrame sends a management frame to the access point. The driver repeats it until it is acknowledged.
func (a *attempt) sendFrame(ctx context.Context, kind ieee80211.Kind, body []byte) error {
	return a.conn.SendFrame(ctx, nl80211.Frame{Index: a.index, MHz: a.bss.MHz, Frame: ieee80211.Frame{
		Kind: kind, To: a.bss.BSSID, From: a.mac, BSSID: a.bss.BSSID, Body: body,
	}})
}

func (a *attempt) receiveAuth(ctx context.Context, over <-chan time.Time) (ieee80211.Auth, error) {
	for {
		ev, err := a.next(ctx, over)
		if err != nil {
			return ieee80211.Auth{}, err
		}
		if f, ok := a.received(ev, ieee80211.Authentication); ok {
			if auth, err := ieee80211.ParseAuth(f.Body); err == nil {
				return auth, nil
			}
		}
	}
}

// received returns a management frame of a kind that the access point sent.
func (a *attempt) received(ev nl80211.Event, kind ieee80211.Kind) (ieee80211.Frame, bool) {
	r, ok := ev.(nl80211.FrameReceived)
	if !ok {
		return ieee80211.Frame{}, false
	}
	f, err := ieee80211.ParseFrame(r.Frame)
	return f, err == nil && f.Kind == kind && f.From == a.bss.BSSID
}
