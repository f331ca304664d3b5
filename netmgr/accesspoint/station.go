package accesspoint

import (
	"slices"
	"time"

	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/wpa"
)

// station is one that is associated, or about to be.
type station struct {
	mac   ieee80211.MAC
	aid   uint16
	since time.Time
	phase phase
	mfp   bool // management frames are protected
	manners
	handshake *wpa.Authenticator // nil: there is none, or it is the firmware's

	answered time.Time // until when the driver's word on our response is awaited
	life     attempt   // to get a sign of life
	query    attempt   // to find out whether an association request is its own (clause 11.13)
	number   uint16    // of that query
	gone     bool      // it did not answer the query: it may associate anew
}

// phase is how far a station has come.
type phase int

const (
	answering phase = iota // the response to its association request is on the way
	securing               // the handshake is under way
	member
)

// manners are what the others must be considerate of while a station is here.
type manners struct{ ht, erp, shortSlot bool }

// attempt is a question that is asked a few times.
type attempt struct {
	asked int
	due   time.Time // until when it may be answered; zero: nothing was asked
}

// deadlines returns what the station has to wait for; zero times among them do not count.
func (st *station) deadlines() []time.Time {
	due := []time.Time{st.answered, st.life.due, st.query.due}
	if st.handshake != nil {
		if t, ok := st.handshake.Deadline(); ok {
			due = append(due, t)
		}
	}
	return due
}

func past(now, due time.Time) bool { return !due.IsZero() && !now.Before(due) }

// expireStation does what the time has come for with one station.
func (s *sme) expireStation(now time.Time, st *station) {
	if past(now, st.answered) {
		s.secure(now, st) // the word was lost: what the station does next will tell
	}
	if st.handshake != nil {
		s.carryOut(now, st, st.handshake.Expire(now))
	}
	if past(now, st.query.due) {
		s.queryAgain(now, st)
	}
	if past(now, st.life.due) {
		s.askForLife(now, st)
	}
}

// welcome makes a station a member.
func (s *sme) welcome(now time.Time, st *station) {
	if st.phase == member {
		return
	}
	st.phase, st.since = member, now
	s.do(joined{mac: st.mac})
}

// dismiss ends an association and says so.
func (s *sme) dismiss(st *station, reason ieee80211.Reason) {
	if s.stations[st.mac] != st {
		return
	}
	s.deauthenticate(st.mac, reason)
	s.forget(st, reason)
}

// forget ends an association without a word.
func (s *sme) forget(st *station, reason ieee80211.Reason) {
	delete(s.stations, st.mac)
	s.do(remove{mac: st.mac, reason: reason})
	if st.phase == member {
		s.do(left{mac: st.mac, reason: reason})
	}
	s.finishRotation()
}

// leaves takes a station's word that it goes. With protected management frames the kernel has checked that it is its own.
func (s *sme) leaves(f ieee80211.Frame) {
	reason, err := ieee80211.ParseReason(f.Body)
	if err != nil {
		reason = ieee80211.ReasonUnspecified
	}
	if st := s.stations[f.From]; st != nil {
		s.forget(st, reason)
	}
}

// heard takes the driver's word on how long a station has been silent.
func (s *sme) heard(now time.Time, mac ieee80211.MAC, silent time.Duration) []action {
	st := s.stations[mac]
	switch {
	case st == nil || st.phase != member || s.firmware:
	case silent < s.idle:
		st.life = attempt{}
	case !s.config.probe:
		if silent >= deafLimit {
			s.dismiss(st, ieee80211.ReasonInactivity)
		}
	case st.life.asked == 0:
		s.askForLife(now, st)
	}
	return s.take()
}

// askForLife asks a silent station for a sign of life, once more, or gives it up.
func (s *sme) askForLife(now time.Time, st *station) {
	if st.life.asked == probeTries {
		s.dismiss(st, ieee80211.ReasonInactivity)
		return
	}
	st.life = attempt{asked: st.life.asked + 1, due: now.Add(probeWait)}
	s.do(probe{mac: st.mac})
}

// probed takes the driver's word on whether a station gave a sign of life.
func (s *sme) probed(mac ieee80211.MAC, alive bool) []action {
	if st := s.stations[mac]; st != nil && alive {
		st.life = attempt{}
	}
	return s.take()
}

// freeAID returns the lowest association number that is free (clause 9.4.1.8).
func (s *sme) freeAID() uint16 {
	var taken []uint16
	for _, st := range s.stations {
		taken = append(taken, st.aid)
	}
	aid := uint16(1)
	for slices.Contains(taken, aid) {
		aid++
	}
	return aid
}
