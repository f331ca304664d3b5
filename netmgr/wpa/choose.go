package wpa

import (
	"errors"
	"fmt"
	"slices"

	"manofwar/netmgr/ieee80211"
)

// Choice is how a station joins a network.
type Choice struct {
	AKM      ieee80211.Suite
	Group    ieee80211.Suite
	MFP      bool               // management frames are protected
	Hashed   bool               // with SAE: by hash-to-element
	Elements ieee80211.Elements // for the association request, and [Link.StationElements]
}

// ErrUnsuitable says that a network offers nothing that this station can use. [ieee80211.BSS.Security] has words for people.
var ErrUnsuitable = errors.New("the network offers no security that can be used")

// Choose picks the best that a network with a password offers: SAE where the caller can do it, which needs the password
// itself and a driver that lets it authenticate, then PSK with SHA-256, then PSK; protected management frames wherever
// possible. It wraps [ErrUnsuitable] where nothing is left.
func Choose(b *ieee80211.BSS, sae bool) (Choice, error) {
	r := b.RSN
	if r == nil || !slices.Contains(r.Pairwise, ieee80211.CipherCCMP) {
		return Choice{}, fmt.Errorf("wpa: %w", ErrUnsuitable)
	}
	c := Choice{Group: r.Group, MFP: r.Protects()}
	switch {
	case sae && r.Offers(ieee80211.AKMSAE) && c.MFP:
		c.AKM, c.Hashed = ieee80211.AKMSAE, b.RSNX&ieee80211.RSNXHashToElement != 0
	case r.Offers(ieee80211.AKMPSKSHA256):
		c.AKM = ieee80211.AKMPSKSHA256
	case r.Offers(ieee80211.AKMPSK):
		c.AKM = ieee80211.AKMPSK
	}
	known := c.Group == ieee80211.CipherCCMP || c.Group == ieee80211.CipherTKIP
	if c.AKM == 0 || !known || r.Capabilities&ieee80211.MFPRequired != 0 && !c.MFP {
		return Choice{}, fmt.Errorf("wpa: %w", ErrUnsuitable)
	}
	c.Elements = c.elements()
	return c, nil
}

func (c Choice) elements() ieee80211.Elements {
	own := ieee80211.RSN{Group: c.Group, Pairwise: []ieee80211.Suite{ieee80211.CipherCCMP}, AKMs: []ieee80211.Suite{c.AKM}}
	if c.MFP {
		own.Capabilities, own.GroupManagement = ieee80211.MFPCapable, ieee80211.CipherBIP
	}
	if c.AKM == ieee80211.AKMSAE {
		own.Capabilities |= ieee80211.MFPRequired
	}
	b := own.Element().Append(nil)
	if c.Hashed {
		b = ieee80211.RSNXHashToElement.Element().Append(b)
	}
	return b
}
