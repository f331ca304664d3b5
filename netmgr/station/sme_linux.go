package station

import (
	"context"
	"errors"
	"time"

	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/nl80211"
	"manofwar/netmgr/wpa/sae"
)

// authenticate proves the password where SAE does that, else it is but a formality.
func (a *attempt) authenticate(ctx context.Context) error {
	if a.secured && a.choice.AKM == ieee80211.AKMSAE {
		return a.authenticateSAE(ctx)
	}
	if err := a.send(ctx, nil); err != nil {
		return err
	}
	answer, err := a.answer(ctx, time.After(authPatience))
	if err == nil && answer.Status != ieee80211.StatusSuccess {
		err = a.network.refusal(answer.Status)
	}
	return err
}

func (a *attempt) authenticateSAE(ctx context.Context) error {
	x, err := a.newExchange()
	if err != nil {
		return err
	}
	commit, err := x.Start()
	if err != nil {
		return a.network.handshake(err)
	}
	over := time.After(authPatience)
	for frames := []ieee80211.Auth{commit}; ; {
		for _, f := range frames {
			if err := a.send(ctx, &f); err != nil {
				return err
			}
		}
		answer, err := a.answer(ctx, over)
		if err != nil {
			return err
		}
		if frames, err = x.Receive(answer); err != nil && x.Over() {
			return a.network.unproved(answer, err)
		}
		if key, _, ok := x.Key(); ok {
			a.pmk = key
			return nil
		}
	}
}

func (a *attempt) newExchange() (*sae.Exchange, error) {
	c := sae.Config{Own: a.mac, Peer: a.bss.BSSID, Password: a.network.Password}
	if a.choice.Hashed {
		secret, err := a.secrets.element(a.network)
		if err != nil {
			return nil, a.network.handshake(err)
		}
		c.Secret = secret
	}
	return sae.New(c), nil
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
		return &staleError{err}
	case isBusy(err):
		return a.network.occupied(err)
	default:
		return err
	}
}

// answer waits for the access point's authentication frame.
func (a *attempt) answer(ctx context.Context, over <-chan time.Time) (ieee80211.Auth, error) {
	for {
		ev, err := a.next(ctx, over)
		if errors.Is(err, errTimeout) {
			err = a.network.noAnswer(err)
		}
		if err != nil {
			return ieee80211.Auth{}, err
		}
		ok, is := ev.(nl80211.Authenticated)
		switch {
		case !is || ok.BSSID != a.bss.BSSID:
		case ok.TimedOut:
			return ieee80211.Auth{}, a.network.noAnswer(errors.New("authentication"))
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
			return a.network.noAnswer(errors.New("association"))
		case ok.Status != ieee80211.StatusSuccess:
			return a.network.refusal(ok.Status)
		default:
			return nil
		}
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
