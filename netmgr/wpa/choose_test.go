package wpa

import (
	"errors"
	"testing"

	"manofwar/netmgr/ieee80211"
)

func TestChoose(t *testing.T) {
	const (
		capable  = ieee80211.MFPCapable
		required = ieee80211.MFPCapable | ieee80211.MFPRequired
		psk      = ieee80211.AKMPSK
		sha      = ieee80211.AKMPSKSHA256
		sae      = ieee80211.AKMSAE
		ccmp     = ieee80211.CipherCCMP
	)
	offer := func(caps ieee80211.RSNCapabilities, akms ...ieee80211.Suite) ieee80211.RSN {
		return ieee80211.RSN{Group: ccmp, Pairwise: []ieee80211.Suite{ccmp}, AKMs: akms, Capabilities: caps}
	}
	with := func(r ieee80211.RSN, change func(*ieee80211.RSN)) ieee80211.RSN {
		change(&r)
		return r
	}
	strange := func(r *ieee80211.RSN) { r.GroupManagement = ieee80211.CipherGCMP }
	tests := []struct {
		name  string
		offer ieee80211.RSN
		noSAE bool
		akm   ieee80211.Suite // zero: nothing is suitable
		mfp   bool
	}{
		{"WPA2", offer(0, psk), false, psk, false},
		{"WPA2 with protected frames", offer(capable, psk), false, psk, true},
		{"WPA2 of both", offer(capable, psk, sha), false, sha, true},
		{"WPA3", offer(required, sae), false, sae, true},
		{"transition", offer(capable, psk, sae), false, sae, true},
		{"transition without SAE here", offer(capable, psk, sae), true, psk, true},
		{"SAE without protected frames", offer(0, psk, sae), false, psk, false},
		{"WPA3 without SAE here", offer(required, sae), true, 0, false},
		{"enterprise", offer(0, 0x000fac01), false, 0, false},
		{"pairwise TKIP", with(offer(0, psk), func(r *ieee80211.RSN) { r.Pairwise[0] = ieee80211.CipherTKIP }), false, 0, false},
		{"group TKIP", with(offer(0, psk), func(r *ieee80211.RSN) { r.Group = ieee80211.CipherTKIP }), false, psk, false},
		{"group of none", with(offer(0, psk), func(r *ieee80211.RSN) { r.Group = ieee80211.CipherNoGroup }), false, 0, false},
		{"strange protection", with(offer(capable, psk), strange), false, psk, false},
		{"strange protection required", with(offer(required, psk), strange), false, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			beacon := ieee80211.RSNXHashToElement.Element().Append(tt.offer.Element().Append(nil))
			bss := ieee80211.ParseBSS(beacon)
			if _, err := Choose(bss, true); (err == nil) != bss.Security().Personal() {
				t.Errorf("people are told %v, and yet %v", bss.Security().Protection, err)
			}
			c, err := Choose(bss, !tt.noSAE)
			if tt.akm == 0 {
				if !errors.Is(err, ErrUnsuitable) {
					t.Fatalf("got %+v, %v", c, err)
				}
				return
			}
			if err != nil || c.AKM != tt.akm || c.MFP != tt.mfp || c.Hashed != (tt.akm == sae) || c.Group != tt.offer.Group {
				t.Fatalf("got %+v, %v", c, err)
			}
			l := Link{AKM: c.AKM, PMK: make([]byte, PMKSize), AccessPointElements: beacon, StationElements: c.Elements}
			s, err := NewSupplicant(l)
			if err != nil || s.mfp != tt.mfp {
				t.Errorf("a supplicant that protects: %v, %v", s.mfp, err)
			}
		})
	}
	if _, err := Choose(ieee80211.ParseBSS(nil), true); !errors.Is(err, ErrUnsuitable) {
		t.Errorf("open: %v", err)
	}
}
