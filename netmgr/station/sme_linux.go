package station

import (
	"context"
	"errors"
	"time"

	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/nl80211"
)

// authenticate proves the password where SAE does that, else it is but a formality.
func (a *attempt) authenticate(ctx context.Context) error {
	if a.secured && a.choice.AKM == ieee80211.AKMSAE {
		_, err := a.prove(ctx, air{a.send, a.answer})
		return err
	}
	if err := a.send(ctx, nil); err != nil {
		return err
	}
	answer, err := a.answer(ctx, time.After(authPatience))
	if errors.Is(err, errTimeout) {
		err = a.network.noAnswer(err)
	}
	if err == nil && answer.Status != ieee80211.StatusSuccess {
		err = a.turnedDown(answer.Status)
	}
	return err
}

// send sends an authentication frame: SAE's, or with nil that of an open network.
func (a *attempt) send(ctx context.Context, frame *ieee80211.Auth) error {
	err := a.conn.Authenticate(ctx, nl80211.Authentication{
		Index: a.index, BSSID: a.bss.BSSID, MHz: a.bss.MHz, SSID: a.network.SSID, SAE: frame,
	})
	return a.told(err)
}

// told says what it means that the kernel refuses a request to join.
func (a *attempt) told(err error) error {
	switch {
	case isForgotten(err):
		return &staleError{a.network.notFound()}
	case isBusy(err):
		return a.network.occupied(err)
	default:
		return err
	}
}

// answer waits for the access point's authentication frame. It wraps errTimeout when over has come.
func (a *attempt) answer(ctx context.Context, over <-chan time.Time) (ieee80211.Auth, error) {
	for {
		ev, err := a.next(ctx, over)
		if err != nil {
			return ieee80211.Auth{}, err
		}
		ok, is := ev.(nl80211.Authenticated)
		switch {
		case !is || ok.BSSID != a.bss.BSSID:
		case ok.TimedOut:
			return ieee80211.Auth{}, &silentError{a.network.noAnswer(errors.New("authentication"))}
		default:
			return ok.Auth, nil
		}
	}
}

// associate asks to be let in.
func (a *attempt) associate(ctx context.Context) error {
	if err := a.told(a.conn.Associate(ctx, a.association())); err != nil {
		return err
	}
	for over := time.After(assocPatience); ; {
		ev, err := a.next(ctx, over)
		if errors.Is(err, errTimeout) {
			err = a.network.noAnswer(err)
		}
		if err != nil {
			return err
		}
		ok, is := ev.(nl80211.Associated)
		switch {
		case !is || ok.BSSID != a.bss.BSSID:
		case ok.TimedOut:
			return &silentError{a.network.noAnswer(errors.New("association"))}
		case ok.Status != ieee80211.StatusSuccess:
			return a.turnedDown(ok.Status)
		default:
			return nil
		}
	}
}

// turnedDown says what it means that the access point does not let us in.
func (a *attempt) turnedDown(s ieee80211.Status) error { return stale(s, a.network.refusal(s)) }

// stale marks a refusal for which the access point's settings are the reason: it may have other ones by now.
func stale(s ieee80211.Status, err *Error) error {
	switch s {
	case ieee80211.StatusUnsupportedAuth, ieee80211.StatusUnprotected, ieee80211.StatusInvalidElement, ieee80211.StatusInvalidGroup,
		ieee80211.StatusInvalidPairwise, ieee80211.StatusInvalidAKM, ieee80211.StatusUnsupportedRSN, ieee80211.StatusInvalidRSN:
		return &staleError{err}
	default:
		return err
	}
}

func (a *attempt) association() nl80211.Association {
	r := nl80211.Association{
		Index: a.index, BSSID: a.bss.BSSID, MHz: a.bss.MHz, SSID: a.network.SSID, Previous: a.previous, Port: a.radio.Features.ControlPort,
	}
	if a.secured {
		r.Security = &nl80211.Security{AKM: a.choice.AKM, Group: a.choice.Group, MFP: a.choice.MFP, Elements: a.choice.Elements}
	}
	return r
}
