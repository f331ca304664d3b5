package accesspoint

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/wpa"
)

func TestJoin(t *testing.T) {
	for _, test := range []struct {
		name string
		pmk  []byte
		mfp  bool
	}{{"open", nil, false}, {"WPA2", key, false}, {"WPA2 with protected management frames", key, true}} {
		t.Run(test.name, func(t *testing.T) {
			a := newAir(t, test.pmk)
			one, two := a.enter(1, test.pmk, test.mfp), a.enter(2, test.pmk, test.mfp)
			a.joins(one)
			a.joins(two)
			a.is(one, two)
			for i, add := range of[add](a) {
				if add.aid != uint16(i+1) || add.mfp != test.mfp {
					t.Errorf("%v added with number %d, protected %t", add.mac, add.aid, add.mfp)
				}
			}
			agree(a, one)
			agree(a, two)
			a.says(one.mac, ieee80211.Deauthentication, ieee80211.ReasonLeaving.Append(nil))
			a.is(two)
			a.joins(one)
			if adds := of[add](a); adds[2].aid != 1 {
				t.Errorf("the free number 1 is not given again, but %d", adds[2].aid)
			}
			a.is(one, two)
		})
	}
}

// agree checks that a phone and the access point have installed the same keys.
func agree(a *air, p *phone) {
	a.Helper()
	if a.pmk == nil {
		return
	}
	own := map[int][]byte{}
	for _, do := range a.told {
		switch do := do.(type) {
		case pairwise:
			if do.mac == p.mac {
				own[0] = do.key
			}
		case group:
			switch do := do.Action.(type) {
			case wpa.InstallGroup:
				own[do.Index] = do.Key
			case wpa.InstallManagement:
				own[do.Index] = do.Key
			}
		}
	}
	n := 0
	check := func(index int, key []byte) {
		n++
		if !bytes.Equal(own[index], key) {
			a.Errorf("%v: key %d is %x here and %x there", p.mac, index, own[index], key)
		}
	}
	for _, w := range p.installed {
		switch w := w.(type) {
		case wpa.InstallPairwise:
			check(0, w.Key)
		case wpa.InstallGroup:
			check(w.Index, w.Key)
		case wpa.InstallManagement:
			check(w.Index, w.Key)
		}
	}
	if n < 2 {
		a.Errorf("%v installed %d keys", p.mac, n)
	}
}

func TestAuthentication(t *testing.T) {
	for _, test := range []struct {
		name string
		auth ieee80211.Auth
		want ieee80211.Status
	}{
		{"open", ieee80211.Auth{Transaction: 1}, ieee80211.StatusSuccess},
		{"out of order", ieee80211.Auth{Transaction: 2}, ieee80211.StatusSequence},
		{"shared key", ieee80211.Auth{Algorithm: 1, Transaction: 1}, ieee80211.StatusUnsupportedAuth},
		{"SAE", ieee80211.Auth{Algorithm: ieee80211.AuthSAE, Transaction: 1, Data: make([]byte, 98)}, ieee80211.StatusUnsupportedAuth},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := newAir(t, key)
			p := a.enter(1, key, false)
			a.says(p.mac, ieee80211.Authentication, test.auth.Append(nil))
			f, _ := p.last(ieee80211.Authentication)
			got, err := ieee80211.ParseAuth(f.Body)
			if err != nil || got.Status != test.want || got.Algorithm != test.auth.Algorithm || got.Transaction != test.auth.Transaction+1 {
				t.Errorf("answered %+v, %v", got, err)
			}
			if len(a.stations) != 0 {
				t.Error("an authentication made a station")
			}
		})
	}
}

func TestAssociationRefused(t *testing.T) {
	rsn := func(change func(*ieee80211.RSN)) func(*ieee80211.AssocRequest) {
		return func(r *ieee80211.AssocRequest) {
			b, _ := r.Elements.Find(ieee80211.ElementRSN)
			parsed, _ := ieee80211.ParseRSN(b)
			change(&parsed)
			r.Elements = replace(r.Elements, parsed.Element())
		}
	}
	for _, test := range []struct {
		name   string
		change func(*ieee80211.AssocRequest)
		want   ieee80211.Status
	}{
		{"as it should be", func(*ieee80211.AssocRequest) {}, ieee80211.StatusSuccess},
		{"another network", func(r *ieee80211.AssocRequest) {
			r.Elements = replace(r.Elements, ieee80211.Element{ID: ieee80211.ElementSSID, Data: []byte("Boot")})
		}, ieee80211.StatusUnspecified},
		{"no rates", func(r *ieee80211.AssocRequest) {
			r.Elements = replace(replace(r.Elements, ieee80211.Element{ID: ieee80211.ElementRates, Data: []byte{0xff}}), ieee80211.Element{ID: ieee80211.ElementExtendedRates})
		}, ieee80211.StatusRates},
		{"no RSN element", func(r *ieee80211.AssocRequest) {
			r.Elements = replace(r.Elements, ieee80211.Element{ID: ieee80211.ElementTIM})
			r.Elements = slices.Concat(r.Elements[:bytes.Index(r.Elements, r.Elements.Whole(ieee80211.ElementRSN))])
		}, ieee80211.StatusInvalidElement},
		{"broken RSN element", func(r *ieee80211.AssocRequest) {
			r.Elements = replace(r.Elements, ieee80211.Element{ID: ieee80211.ElementRSN, Data: []byte{1, 0, 0}})
		}, ieee80211.StatusInvalidElement},
		{"TKIP for groups", rsn(func(r *ieee80211.RSN) { r.Group = ieee80211.CipherTKIP }), ieee80211.StatusInvalidGroup},
		{"TKIP for the pair", rsn(func(r *ieee80211.RSN) { r.Pairwise = []ieee80211.Suite{ieee80211.CipherTKIP} }), ieee80211.StatusInvalidPairwise},
		{"two ciphers", rsn(func(r *ieee80211.RSN) { r.Pairwise = append(r.Pairwise, ieee80211.CipherTKIP) }), ieee80211.StatusInvalidPairwise},
		{"SAE", rsn(func(r *ieee80211.RSN) { r.AKMs = []ieee80211.Suite{ieee80211.AKMSAE} }), ieee80211.StatusInvalidAKM},
		{"protection by another cipher", rsn(func(r *ieee80211.RSN) { r.GroupManagement = ieee80211.CipherGCMP }), ieee80211.StatusUnprotected},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := newAir(t, key)
			p := a.enter(1, key, true)
			test.change(&p.request)
			a.joins(p)
			if got := p.status(t); got != test.want {
				t.Errorf("%v, want %v", got, test.want)
			}
			if test.want != ieee80211.StatusSuccess && (len(a.stations) != 0 || len(of[add](a)) != 0) {
				t.Error("a refused station was added")
			}
		})
	}
}

// replace returns elements of which one kind has other content.
func replace(es ieee80211.Elements, by ieee80211.Element) (out ieee80211.Elements) {
	for e := range es.All() {
		if e.ID == by.ID {
			e = by
		}
		out = e.Append(out)
	}
	return out
}

func TestWrongPassword(t *testing.T) {
	a := newAir(t, key)
	friend, stranger := a.enter(1, key, true), a.enter(2, other, true)
	a.joins(friend)
	a.joins(stranger)
	if n := len(of[refused](a)); n != 1 {
		t.Errorf("told %d times of a wrong password", n)
	}
	a.passes(5 * time.Second)
	if got := stranger.sentAway(t); got != ieee80211.ReasonHandshake {
		t.Errorf("sent away for %v", got)
	}
	a.is(friend)
	if len(a.stations) != 1 {
		t.Error("the stranger is still here")
	}
}

func TestClassErrors(t *testing.T) {
	a := newAir(t, key)
	p := a.enter(1, key, false)
	a.associates(p)
	if got := p.sentAway(t); got != ieee80211.ReasonClass2 {
		t.Errorf("associating without authentication: %v", got)
	}
	a.hear(a.stray(a.now, p.mac))
	if got := p.sentAway(t); got != ieee80211.ReasonClass3 {
		t.Errorf("data without association: %v", got)
	}
	a.joins(p)
	p.heard = nil
	a.hear(a.stray(a.now, p.mac))
	if len(p.heard) != 0 {
		t.Error("a member was sent away for its data")
	}
	a.authenticates(a.enter(2, key, false))
	a.passes(recentLifetime)
	late := a.phones[ieee80211.MAC{2, 0, 0, 0, 1, 2}]
	a.associates(late)
	if got := late.sentAway(t); got != ieee80211.ReasonClass2 {
		t.Errorf("associating long after authentication: %v", got)
	}
}

func TestResponseLost(t *testing.T) {
	a := newAir(t, key)
	p := a.enter(1, key, false)
	lose := true
	a.arrives = func(f ieee80211.Frame) bool { return f.Kind != ieee80211.AssociationResponse || !lose }
	a.joins(p)
	if len(a.stations) != 0 {
		t.Error("a station that has not heard the answer is kept")
	}
	lose = false
	a.joins(p)
	a.is(p)
}

func TestConfirmationLost(t *testing.T) {
	a := newAir(t, key)
	p := a.enter(1, key, false)
	a.authenticates(p)
	for _, do := range a.receive(a.now, ieee80211.Frame{
		Kind: ieee80211.AssociationRequest, To: self, From: p.mac, BSSID: self, Body: p.request.Append(nil),
	}) {
		if do, ok := do.(transmit); ok {
			a.prepare(p, do.frame)
		}
	}
	a.passes(answerWait)
	a.is(p)
}

// TestForgedAssociation shows that nobody can cut off a member whose management frames are protected by associating in its
// name, and that a member which has lost its keys gets in again.
func TestForgedAssociation(t *testing.T) {
	a := newAir(t, key)
	p := a.enter(1, key, true)
	a.joins(p)
	answer := func() {
		f, ok := p.last(ieee80211.Action)
		if !ok || len(f.Body) != 4 || f.Body[0] != categoryQuery || f.Body[1] != queryRequest {
			t.Fatalf("no query but %x", f.Body)
		}
		a.says(p.mac, ieee80211.Action, []byte{categoryQuery, queryResponse, f.Body[2], f.Body[3]})
	}
	for range 3 {
		a.joins(p)
		if got := p.status(t); got != ieee80211.StatusTryLater {
			t.Fatalf("forged association: %v", got)
		}
		answer()
		a.passes(2 * time.Second)
		a.is(p)
	}
	f, _ := p.last(ieee80211.AssociationResponse)
	r, _ := ieee80211.ParseAssocResponse(f.Body)
	if b, ok := r.Elements.Find(ieee80211.ElementTimeout); !ok || b[0] != 3 || binary.LittleEndian.Uint32(b[1:]) < 900 {
		t.Errorf("told to come back after %x", b)
	}
	a.joins(p)
	a.passes(1100 * time.Millisecond) // nobody answers
	a.is(p)
	a.joins(p)
	if got := p.status(t); got != ieee80211.StatusSuccess {
		t.Errorf("after its silence: %v", got)
	}
	a.is(p)
	if n := len(of[left](a)); n != 1 {
		t.Errorf("left %d times", n)
	}
}

func TestQueryAnswered(t *testing.T) {
	a := newAir(t, key)
	protected, plain := a.enter(1, key, true), a.enter(2, key, false)
	a.joins(protected)
	a.joins(plain)
	for _, p := range []*phone{protected, plain} {
		p.heard = nil
		a.says(p.mac, ieee80211.Action, []byte{categoryQuery, queryRequest, 0x34, 0x12})
	}
	if f, ok := protected.last(ieee80211.Action); !ok || !bytes.Equal(f.Body, []byte{categoryQuery, queryResponse, 0x34, 0x12}) {
		t.Errorf("answered %x", f.Body)
	}
	if len(plain.heard) != 0 {
		t.Error("answered a query without protection")
	}
}

func TestFirmwareAssociates(t *testing.T) {
	c, b := home(key)
	c.firmware, b.ht = true, nil
	a := &air{T: t, sme: newSME(c, b), now: time.Unix(1_800_000_000, 0), phones: map[ieee80211.MAC]*phone{}}
	a.hear(a.begin(a.now))
	one, two := a.enter(1, key, true), a.enter(2, key, false)
	for _, p := range []*phone{one, two} {
		a.prepare(p, ieee80211.Frame{Kind: ieee80211.AssociationResponse, Body: ieee80211.AssocResponse{AID: 1}.Append(nil)})
		a.hear(a.associated(a.now, p.mac, p.request.Elements))
	}
	a.is(one, two)
	if len(of[transmit](a)) != 0 || len(of[add](a)) != 0 {
		t.Error("sent frames or added stations, which is the firmware's to do")
	}
	a.hear(a.departed(one.mac))
	a.is(two)
	if len(of[remove](a)) != 0 {
		t.Error("removed what the firmware has removed")
	}
}
