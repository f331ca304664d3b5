package accesspoint

import (
	"encoding/binary"
	"slices"
	"time"

	"manofwar/netmgr/ieee80211"
)

// probeRequest answers whoever looks for us or for anybody.
func (s *sme) probeRequest(now time.Time, f ieee80211.Frame) {
	ours := f.To == s.mac || f.To == ieee80211.Broadcast && (f.BSSID == ieee80211.Broadcast || f.BSSID == s.mac)
	name, _ := ieee80211.Elements(f.Body).Find(ieee80211.ElementSSID)
	if !ours || len(name) > 0 && ieee80211.SSID(name) != s.ssid || !s.probes.take(now) {
		return
	}
	s.do(transmit{frame: s.probeResponse(f.From)})
}

// authenticate answers an authentication (clause 12.3.3.2). Everybody passes: it is the handshake that tells friend from
// stranger. It changes nothing for a station that is associated, as it may be forged.
func (s *sme) authenticate(now time.Time, f ieee80211.Frame) {
	a, err := ieee80211.ParseAuth(f.Body)
	if err != nil || f.Protected || !s.calls.take(now) {
		return
	}
	status := ieee80211.StatusSuccess
	switch {
	case a.Algorithm != ieee80211.AuthOpen:
		status = ieee80211.StatusUnsupportedAuth
	case a.Transaction != 1:
		status = ieee80211.StatusSequence
	default:
		s.recent.add(now, f.From)
	}
	answer := ieee80211.Auth{Algorithm: a.Algorithm, Transaction: a.Transaction + 1, Status: status}
	s.answer(ieee80211.Authentication, f.From, answer.Append(nil))
}

// associate takes an association or reassociation request (clause 11.3.5).
func (s *sme) associate(now time.Time, f ieee80211.Frame) {
	r, err := ieee80211.ParseAssocRequest(f)
	if err != nil || !s.calls.take(now) {
		return
	}
	old := s.stations[f.From]
	if old == nil && !s.recent.has(now, f.From) {
		s.deauthenticate(f.From, ieee80211.ReasonClass2)
		return
	}
	st := &station{mac: f.From, since: now, answered: now.Add(answerWait)}
	status := s.admit(st, r)
	switch {
	case status != ieee80211.StatusSuccess:
	case old != nil && old.phase == member && old.mfp && !old.gone:
		s.doubt(now, old, f.Kind)
		return
	case !s.room(old):
		status = ieee80211.StatusFull
	}
	if status != ieee80211.StatusSuccess {
		s.respond(f.Kind, f.From, ieee80211.AssocResponse{Status: status})
		return
	}
	if old != nil {
		s.forget(old, ieee80211.ReasonUnspecified)
	}
	st.aid = s.freeAID()
	if s.secures() && !s.begins(st, r.Elements) {
		s.respond(f.Kind, f.From, ieee80211.AssocResponse{Status: ieee80211.StatusUnspecified})
		return
	}
	s.recent.remove(f.From)
	s.stations[st.mac] = st
	r.Elements = slices.Clone(r.Elements)
	s.do(add{mac: st.mac, aid: st.aid, mfp: st.mfp, request: r})
	s.respond(f.Kind, f.From, ieee80211.AssocResponse{AID: st.aid})
}

// admit judges an association request, and notes what it says of the station.
func (s *sme) admit(st *station, r ieee80211.AssocRequest) ieee80211.Status {
	name, _ := r.Elements.Find(ieee80211.ElementSSID)
	if ieee80211.SSID(name) != s.ssid {
		return ieee80211.StatusUnspecified
	}
	theirs := ieee80211.FindRates(r.Elements)
	if !slices.ContainsFunc(s.rates(), func(r byte) bool { return has(theirs, r) }) {
		return ieee80211.StatusRates
	}
	st.manners = manners{
		ht:        s.speaksHT(r.Elements),
		erp:       slices.ContainsFunc(theirs, ofdm),
		shortSlot: r.Capabilities&ieee80211.CapabilityShortSlot != 0,
	}
	if s.pmk == nil {
		return ieee80211.StatusSuccess
	}
	return s.admitRSN(st, r.Elements)
}

// admitRSN judges what the station has chosen of our security (clause 12.6.3).
func (s *sme) admitRSN(st *station, es ieee80211.Elements) ieee80211.Status {
	b, ok := es.Find(ieee80211.ElementRSN)
	if !ok {
		return ieee80211.StatusInvalidElement
	}
	r, err := ieee80211.ParseRSN(b)
	if err != nil {
		return ieee80211.StatusInvalidElement
	}
	st.mfp = s.rsn.Capabilities&r.Capabilities&ieee80211.MFPCapable != 0
	switch {
	case r.Group != s.rsn.Group:
		return ieee80211.StatusInvalidGroup
	case !slices.Equal(r.Pairwise, s.rsn.Pairwise):
		return ieee80211.StatusInvalidPairwise
	case !slices.Equal(r.AKMs, s.rsn.AKMs):
		return ieee80211.StatusInvalidAKM
	case r.Capabilities&ieee80211.MFPRequired != 0 && !st.mfp, st.mfp && !r.Protects():
		return ieee80211.StatusUnprotected
	}
	return ieee80211.StatusSuccess
}

// room makes room for one more. Of those that are not secured yet the oldest gives way, so that strangers cannot keep
// friends out.
func (s *sme) room(old *station) bool {
	if old != nil {
		return true
	}
	if len(s.members()) >= maxMembers {
		return false
	}
	if p := s.pending(); len(p) >= maxPending {
		s.dismiss(p[0], ieee80211.ReasonFull)
	}
	return true
}

// respond answers an association request.
func (s *sme) respond(request ieee80211.Kind, to ieee80211.MAC, r ieee80211.AssocResponse) {
	kind := ieee80211.AssociationResponse
	if request == ieee80211.ReassociationRequest {
		kind = ieee80211.ReassociationResponse
	}
	r.Capabilities, r.Elements = s.capabilities(), append(s.responseElements(), r.Elements...)
	s.do(transmit{
		frame:   ieee80211.Frame{Kind: kind, To: to, From: s.mac, BSSID: s.mac, Body: r.Append(nil)},
		confirm: r.Status == ieee80211.StatusSuccess,
	})
}

// sent takes the driver's word on a frame that was to be confirmed.
func (s *sme) sent(now time.Time, f ieee80211.Frame, arrived bool) []action {
	st := s.stations[f.To]
	response := f.Kind == ieee80211.AssociationResponse || f.Kind == ieee80211.ReassociationResponse
	switch {
	case !response || st == nil || st.phase != answering:
	case arrived:
		s.secure(now, st)
	default:
		s.forget(st, ieee80211.ReasonUnspecified) // it will ask again
	}
	return s.take()
}

// associated takes the news of firmware with its own SME that a station is associated.
func (s *sme) associated(now time.Time, mac ieee80211.MAC, es ieee80211.Elements) []action {
	if !s.firmware || !unicast(mac) {
		return nil
	}
	s.lose(mac)
	st := &station{mac: mac, since: now}
	status := ieee80211.StatusSuccess
	if s.secures() {
		status = s.admitRSN(st, es)
	}
	if status != ieee80211.StatusSuccess || !s.room(nil) || s.secures() && !s.begins(st, es) {
		s.do(remove{mac: mac, reason: ieee80211.ReasonInvalidElement})
		return s.take()
	}
	s.stations[mac] = st
	s.secure(now, st)
	return s.take()
}

// departed takes the news of such firmware that a station has gone.
func (s *sme) departed(mac ieee80211.MAC) []action {
	if s.firmware {
		s.lose(mac)
	}
	return s.take()
}

// lose forgets a station that the driver has forgotten already.
func (s *sme) lose(mac ieee80211.MAC) {
	st := s.stations[mac]
	if st == nil {
		return
	}
	delete(s.stations, mac)
	if st.phase == member {
		s.do(left{mac: mac, reason: ieee80211.ReasonLeaving})
	}
	s.finishRotation()
}

// comeback returns the element that tells a station after how many time units to try again (clause 9.4.2.48).
func comeback(units uint32) ieee80211.Elements {
	const associationComeback = 3
	b := binary.LittleEndian.AppendUint32([]byte{associationComeback}, units)
	return ieee80211.Element{ID: ieee80211.ElementTimeout, Data: b}.Append(nil)
}
