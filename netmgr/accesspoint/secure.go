package accesspoint

import (
	"time"

	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/wpa"
)

// begins prepares the handshake with a station. It reports false where there can be none.
func (s *sme) begins(st *station, request ieee80211.Elements) bool {
	own := s.rsn.Element().Append(nil)
	theirs := append(request.Whole(ieee80211.ElementRSN), request.Whole(ieee80211.ElementRSNX)...)
	var err error
	st.handshake, err = wpa.NewAuthenticator(wpa.Association{
		Link: wpa.Link{
			AccessPoint: s.mac, Station: st.mac, AKM: s.rsn.AKMs[0], PMK: s.pmk,
			AccessPointElements: own, StationElements: theirs,
		},
		Group: s.group,
	})
	return err == nil
}

// secure goes on once a station is associated: with the handshake, or where there is none with its data.
func (s *sme) secure(now time.Time, st *station) {
	st.answered = time.Time{}
	if st.phase != answering {
		return
	}
	st.phase = securing
	switch {
	case s.secures():
		s.carryOut(now, st, st.handshake.Start(now))
	case s.offload: // the firmware lets its data pass
		s.welcome(now, st)
	default:
		s.do(authorize{mac: st.mac})
		s.welcome(now, st)
	}
}

// eapol takes an EAPOL frame. The error says why it is ignored, and is worth a debug message.
func (s *sme) eapol(now time.Time, from ieee80211.MAC, packet []byte) ([]action, error) {
	st := s.stations[from]
	if st == nil || st.handshake == nil {
		return nil, nil
	}
	answers, err := st.handshake.Receive(now, packet)
	s.carryOut(now, st, answers)
	return s.take(), err
}

// carryOut turns what a handshake wants into what this station needs.
func (s *sme) carryOut(now time.Time, st *station, wants []wpa.Action) {
	for _, w := range wants {
		switch w := w.(type) {
		case wpa.Send:
			s.do(send{to: st.mac, packet: w.Frame})
		case wpa.InstallPairwise:
			s.do(pairwise{mac: st.mac, key: w.Key})
		case wpa.Authorize:
			s.do(authorize{mac: st.mac})
			s.welcome(now, st)
		case wpa.WrongPassword:
			s.do(refused{mac: st.mac})
		case wpa.Deauth:
			s.dismiss(st, w.Reason)
			return
		}
	}
	s.finishRotation()
}

// rotateGroup replaces the group keys: every station gets them, and when the last one has, they are used. Who leaves keeps
// keys that still decrypt what is sent to all for up to an hour; he knows the password anyway.
func (s *sme) rotateGroup(now time.Time) {
	s.rotate = now.Add(s.lifetime)
	s.group.Rotate()
	s.rotating = true
	for _, st := range s.sorted() {
		if st.handshake != nil {
			s.carryOut(now, st, st.handshake.Rekey(now))
		}
	}
	s.finishRotation()
}

// finishRotation uses the new group keys as soon as everybody has them.
func (s *sme) finishRotation() {
	if !s.rotating {
		return
	}
	for _, st := range s.stations {
		if st.handshake != nil && st.handshake.Rekeying() {
			return
		}
	}
	s.rotating = false
	s.installGroup()
}

func (s *sme) installGroup() {
	for _, a := range s.group.Install() {
		if _, management := a.(wpa.InstallManagement); !management || s.rsn.Protects() && s.rsn.Capabilities&ieee80211.MFPCapable != 0 {
			s.do(group{a})
		}
	}
}
