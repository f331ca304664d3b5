package station

import (
	"context"
	"errors"
	"time"

	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/wpa/sae"
)

// air is how authentication frames of SAE come and go. receive's error wraps errTimeout when over has come.
type air struct {
	send    func(context.Context, *ieee80211.Auth) error
	receive func(_ context.Context, over <-chan time.Time) (ieee80211.Auth, error)
}

// A frame that is not answered is sent again after half a second, then after one more, and so on: the kernel would wait
// for two.
const (
	proofPause = 500 * time.Millisecond
	proofTries = 4
)

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
	frames, pause, over := []ieee80211.Auth{commit}, proofPause, (<-chan time.Time)(nil)
	for tries := 1; ; {
		for _, f := range frames {
			if err := by.send(ctx, &f); err != nil {
				return ieee80211.PMKID{}, err
			}
			over = time.After(pause)
		}
		answer, err := by.receive(ctx, over)
		if errors.Is(err, errTimeout) {
			again, ok := x.Again()
			if tries++; !ok || tries > proofTries {
				return ieee80211.PMKID{}, a.network.noAnswer(err)
			}
			frames, pause = []ieee80211.Auth{again}, 2*pause
			continue
		}
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
