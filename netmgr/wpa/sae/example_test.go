package sae_test

import (
	"fmt"
	"time"

	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/wpa"
	"manofwar/netmgr/wpa/sae"
)

// A station of WPA3 proves its password, then makes the link's keys. Here both sides are in one place, and nothing is lost.
func Example() {
	station, accessPoint := ieee80211.MAC{2, 0, 0, 0, 0, 2}, ieee80211.MAC{2, 0, 0, 0, 0, 1}
	secret, err := sae.NewSecret("home", "correct horse")
	if err != nil {
		fmt.Println(err)
		return
	}
	s := sae.New(sae.Config{Own: station, Peer: accessPoint, Secret: secret})
	a := sae.New(sae.Config{Own: accessPoint, Peer: station, Secret: secret, HashOnly: true})
	commit, err := s.Start()
	for frames, turn := []ieee80211.Auth{commit}, a; err == nil && len(frames) > 0; {
		if frames, err = turn.Receive(frames[0]); turn == a {
			turn = s
		} else {
			turn = a
		}
	}
	pmk, id, ok := s.Key()
	fmt.Println("proved:", ok, err)

	rsn := ieee80211.RSN{
		Group: ieee80211.CipherCCMP, Pairwise: []ieee80211.Suite{ieee80211.CipherCCMP}, AKMs: []ieee80211.Suite{ieee80211.AKMSAE},
		Capabilities: ieee80211.MFPCapable | ieee80211.MFPRequired, GroupManagement: ieee80211.CipherBIP,
	}
	elements := ieee80211.RSNXHashToElement.Element().Append(rsn.Element().Append(nil))
	link := wpa.Link{
		AccessPoint: accessPoint, Station: station, AKM: ieee80211.AKMSAE, PMK: pmk,
		AccessPointElements: elements, StationElements: elements,
	}
	supplicant, err := wpa.NewSupplicant(link)
	if err != nil {
		fmt.Println(err)
		return
	}
	authenticator, err := wpa.NewAuthenticator(wpa.Association{Link: link, Group: wpa.NewGroup(), PMKID: &id})
	if err != nil {
		fmt.Println(err)
		return
	}
	acts := authenticator.Start(time.Now())
	for fromStation := false; len(acts) > 0; fromStation = !fromStation {
		var next []wpa.Action
		for _, act := range acts {
			switch act := act.(type) {
			case wpa.Send:
				receive := supplicant.Receive
				if fromStation {
					receive = func(b []byte) ([]wpa.Action, error) { return authenticator.Receive(time.Now(), b) }
				}
				answer, err := receive(act.Frame)
				if err != nil {
					fmt.Println(err)
				}
				next = append(next, answer...)
			default:
				fmt.Printf("station %v: %T\n", fromStation, act)
			}
		}
		acts = next
	}
	// Output:
	// proved: true <nil>
	// station true: wpa.InstallPairwise
	// station true: wpa.InstallGroup
	// station true: wpa.InstallManagement
	// station true: wpa.Authorize
	// station false: wpa.InstallPairwise
	// station false: wpa.Authorize
}
