package ieee80211

import "slices"

// Protection is how a network is secured, in kinds that a person tells apart.
type Protection int

// The kinds.
const (
	Unsupported Protection = iota // Security.Reason says why
	Open
	WPA2
	WPA3
	WPA2And3 // each station chooses
	Enterprise
)

// String returns the name that people know it by.
func (p Protection) String() string {
	return [...]string{"unsupported", "open", "WPA2", "WPA3", "WPA2/WPA3", "enterprise"}[p]
}

// Security is what a network demands of those who join.
type Security struct {
	Protection
	Reason string // for a person, where the protection is Unsupported or Enterprise: why this device cannot join
}

// Personal reports whether a password lets one join.
func (s Security) Personal() bool {
	return s.Protection == WPA2 || s.Protection == WPA3 || s.Protection == WPA2And3
}

// Security judges a network by its beacon. Only what this device can join is given as such: CCMP for the pair and a
// password or nothing. A network in WPA's transition from TKIP is WPA2.
func (s *BSS) Security() Security {
	switch {
	case s.brokenRSN:
		return Security{Reason: "its security settings are unreadable"}
	case s.RSN != nil:
		return s.RSN.security()
	case s.WPA1:
		return Security{Reason: "it uses WPA1, which is broken; set the router to WPA2"}
	case s.Capabilities&CapabilityPrivacy != 0:
		return Security{Reason: "it uses WEP, which is broken; set the router to WPA2"}
	default:
		return Security{Protection: Open}
	}
}

// Protects reports whether management frames can be protected: with BIP-CMAC-128 for groups.
func (r *RSN) Protects() bool {
	return r.Capabilities&MFPCapable != 0 && (r.GroupManagement == 0 || r.GroupManagement == CipherBIP)
}

func (r *RSN) security() Security {
	psk := r.Offers(AKMPSK) || r.Offers(AKMPSKSHA256)
	sae := r.Offers(AKMSAE) && r.Protects()
	switch {
	case !psk && !r.Offers(AKMSAE):
		return r.stranger()
	case !r.Protects() && (!psk || r.Capabilities&MFPRequired != 0):
		return Security{Reason: "it protects management frames in a way this device does not know; set the router's to optional"}
	case !slices.Contains(r.Pairwise, CipherCCMP):
		return Security{Reason: "it encrypts without AES-CCMP; set the router to WPA2 (AES)"}
	case r.Group != CipherCCMP && r.Group != CipherTKIP:
		return Security{Reason: "it encrypts broadcasts by neither AES-CCMP nor TKIP; set the router to WPA2 (AES)"}
	case psk && sae:
		return Security{Protection: WPA2And3}
	case sae:
		return Security{Protection: WPA3}
	default:
		return Security{Protection: WPA2}
	}
}

// stranger names what a network is that no password opens.
func (r *RSN) stranger() Security {
	for _, akm := range r.AKMs {
		switch akm {
		case akm8021X, akm8021XSHA256, akmFT8021X, akmSuiteB, akmSuiteB192:
			return Security{Protection: Enterprise, Reason: "it wants a user account (WPA-Enterprise), not a password"}
		case akmOWE:
			return Security{Reason: "it uses Enhanced Open (OWE)"}
		case AKMFTPSK, AKMFTSAE:
			return Security{Reason: "it allows fast transition only; allow WPA2 without 802.11r on the router"}
		case AKMSAEExt:
			return Security{Reason: "it allows only the newest form of WPA3; allow WPA3 (SAE) on the router"}
		}
	}
	return Security{Reason: "it authenticates in an unknown way"}
}
