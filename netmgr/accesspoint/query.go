package accesspoint

import (
	"crypto/rand"
	"encoding/binary"
	"time"

	"manofwar/netmgr/ieee80211"
)

// The pace of queries (clause 11.13), as other access points have it.
const (
	queryWait  = 200 * time.Millisecond
	queryTries = 5
)

// An SA query's body: a category, what it is, and a number that the answer repeats (clause 9.6.9).
const (
	categoryQuery = 8
	queryRequest  = 0
	queryResponse = 1
	lengthQuery   = 4
)

// timeUnit is what the standard counts in.
const timeUnit = 1024 * time.Microsecond

// doubt takes an association request in the name of a member whose management frames are protected. Association requests are
// not protected: it may be forged, to cut off the member. It is told to try later, and the member is asked whether
// it is still there. If it is not, because it has lost its keys, its next request counts.
func (s *sme) doubt(now time.Time, st *station, request ieee80211.Kind) {
	const patience = queryTries * queryWait
	s.respond(request, st.mac, ieee80211.AssocResponse{
		Status: ieee80211.StatusTryLater, Elements: comeback(uint32(patience/timeUnit) + 1),
	})
	if st.query.asked == 0 {
		var b [2]byte
		_, _ = rand.Read(b[:]) // the system's source does not fail
		st.number = binary.LittleEndian.Uint16(b[:])
		s.queryAgain(now, st)
	}
}

// queryAgain asks a member whether it is there, once more, or takes its silence for an answer.
func (s *sme) queryAgain(now time.Time, st *station) {
	if st.query.asked == queryTries {
		st.query, st.gone = attempt{}, true
		return
	}
	st.query = attempt{asked: st.query.asked + 1, due: now.Add(queryWait)}
	s.sendQuery(st.mac, queryRequest, st.number)
}

// query takes an SA query's request or response from a member. The kernel has checked that it is its own.
func (s *sme) query(now time.Time, f ieee80211.Frame) {
	st := s.stations[f.From]
	if len(f.Body) < lengthQuery || f.Body[0] != categoryQuery || st == nil || st.phase != member || !st.mfp {
		return
	}
	number := binary.LittleEndian.Uint16(f.Body[2:])
	switch f.Body[1] {
	case queryRequest:
		if s.calls.take(now) {
			s.sendQuery(st.mac, queryResponse, number)
		}
	case queryResponse:
		if number == st.number { // be it late: it may have slept
			st.query, st.gone = attempt{}, false
		}
	}
}

func (s *sme) sendQuery(to ieee80211.MAC, what byte, number uint16) {
	s.answer(ieee80211.Action, to, binary.LittleEndian.AppendUint16([]byte{categoryQuery, what}, number))
}
