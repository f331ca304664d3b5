package station

import (
	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/wpa"
	"manofwar/netmgr/wpa/sae"
)

// secrets remembers what was derived from passwords: that costs tens of milliseconds, which a person who waits for the
// network to come back shall not pay twice.
type secrets struct {
	known map[credential]*secret
}

type credential struct {
	ssid     ieee80211.SSID
	password string
}

type secret struct {
	psk []byte      // nil: not derived yet
	pt  *sae.Secret // likewise
}

// maxSecrets bounds them. Nobody knows that many networks in reach.
const maxSecrets = 16

func (s *secrets) of(n Network) *secret {
	c := credential{n.SSID, n.Password}
	if k := s.known[c]; k != nil {
		return k
	}
	if s.known == nil || len(s.known) >= maxSecrets {
		s.known = make(map[credential]*secret)
	}
	k := new(secret)
	s.known[c] = k
	return k
}

// pmk returns the pairwise master key of WPA2-Personal. It wraps [wpa.ErrPassphrase].
func (s *secrets) pmk(n Network) ([]byte, error) {
	k := s.of(n)
	if k.psk == nil {
		psk, err := wpa.PSK(n.SSID, n.Password)
		if err != nil {
			return nil, err
		}
		k.psk = psk
	}
	return k.psk, nil
}

// element returns what SAE with hash-to-element needs.
func (s *secrets) element(n Network) (*sae.Secret, error) {
	k := s.of(n)
	if k.pt == nil {
		pt, err := sae.NewSecret(n.SSID, n.Password)
		if err != nil {
			return nil, err
		}
		k.pt = pt
	}
	return k.pt, nil
}

// isKey reports whether a password is the key of WPA2-Personal itself, of which SAE can make nothing.
func isKey(password string) bool { return len(password) == 2*wpa.PMKSize }
