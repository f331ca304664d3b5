package station

import (
	"context"

	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/wpa/sae"
)

// air is how authentication frames of SAE come and go.
type air struct {
	send    func(context.Context, *ieee80211.Auth) error
	receive func(context.Context) (ieee80211.Auth, error)
}

// prove runs one exchange of SAE, whose key is the link's then. It returns the key's name.
func (a *attempt) prove(ctx context.Context, by air) (ieee80211.PMKID, error) {
	x, err := a.newExchange()
	if err != nil {
		return ieee80211.PMKID{}, err
	}
	commit, err := x.Start()
	if err != nil {
		return ieee80211.PMKID{}, a.network.handshake(err)
	}
	for frames := []ieee80211.Auth{commit}; ; {
		for _, f := range frames {
			if err := by.send(ctx, &f); err != nil {
				return ieee80211.PMKID{}, err
			}
		}
		answer, err := by.receive(ctx)
		if err != nil {
			return ieee80211.PMKID{}, err
		}
		if frames, err = x.Receive(answer); err != nil && x.Over() {
			return ieee80211.PMKID{}, stale(answer.Status, a.network.unproved(answer, err))
		}
		if key, id, ok := x.Key(); ok {
			a.pmk = key
			return id, nil
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
