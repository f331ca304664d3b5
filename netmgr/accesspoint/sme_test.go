package accesspoint

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/wpa"
)

var (
	self  = ieee80211.MAC{0x42, 0, 0, 0, 0, 1}
	key   = bytes.Repeat([]byte{7}, wpa.PMKSize)
	other = bytes.Repeat([]byte{8}, wpa.PMKSize)
	radio = &htCapability{info: 0x19ef, ampdu: 0x17, modulated: [16]byte{0: 0xff, 1: 0xff, 12: 1}}
)

// home is a network to test with, with a password or without.
func home(pmk []byte) (config, bss) {
	b := bss{ssid: "Boat", mac: self, mhz: 2437, ht: radio}
	if pmk != nil {
		b.rsn = offer(true)
	}
	return config{pmk: pmk, probe: true, lifetime: groupLifetime, idle: idleLimit}, b
}

// air is an access point's SME and what has come out of it, at a time of the test's own.
type air struct {
	*testing.T
	*sme
	now     time.Time
	told    []action
	phones  map[ieee80211.MAC]*phone
	arrives func(ieee80211.Frame) bool // whether what the access point sends arrives; nil: always
}

func newAir(t *testing.T, pmk []byte) *air {
	t.Helper()
	a := &air{T: t, sme: newSME(home(pmk)), now: time.Unix(1_800_000_000, 0), phones: map[ieee80211.MAC]*phone{}}
	a.hear(a.begin(a.now))
	return a
}

// phone is a station. Its supplicant is the real one.
type phone struct {
	mac       ieee80211.MAC
	pmk       []byte
	request   ieee80211.AssocRequest
	wants     *wpa.Choice
	deaf      bool // it does not answer
	heard     []ieee80211.Frame
	supplies  *wpa.Supplicant
	installed []wpa.Action
}

func (p *phone) last(kind ieee80211.Kind) (f ieee80211.Frame, ok bool) {
	for _, f = range p.heard {
		ok = ok || f.Kind == kind
	}
	for i := len(p.heard) - 1; i >= 0; i-- {
		if p.heard[i].Kind == kind {
			return p.heard[i], true
		}
	}
	return f, false
}

// enter brings a phone into reach, with what it would ask for.
func (a *air) enter(id byte, pmk []byte, mfp bool) *phone {
	a.Helper()
	p := &phone{mac: ieee80211.MAC{2, 0, 0, 0, 1, id}, pmk: pmk}
	es := ieee80211.Element{ID: ieee80211.ElementSSID, Data: []byte(a.ssid)}.Append(nil)
	es = a.rates().AppendExtended(a.rates().Basic().Append(es))
	if a.pmk != nil {
		choice, err := wpa.Choose(a.beacon(), false)
		if err != nil {
			a.Fatal(err)
		}
		if !mfp {
			choice.MFP = false
			choice.Elements = withoutMFP(a.beacon().RSN)
		}
		p.wants = &choice
		es = append(es, choice.Elements...)
	}
	es = ieee80211.Element{ID: ieee80211.ElementHT, Data: make([]byte, 26)}.Append(es)
	es = ieee80211.Element{ID: ieee80211.ElementVendor, Data: []byte{0, 0x50, 0xf2, 2, 0, 1, 0}}.Append(es)
	p.request = ieee80211.AssocRequest{
		Capabilities:   ieee80211.CapabilityESS | ieee80211.CapabilityPrivacy | ieee80211.CapabilityShortSlot,
		ListenInterval: 10, Elements: es,
	}
	a.phones[p.mac] = p
	return p
}

func withoutMFP(r *ieee80211.RSN) ieee80211.Elements {
	own := *r
	own.Capabilities, own.GroupManagement = 0, 0
	return own.Element().Append(nil)
}

// beacon is what stations hear of the access point.
func (a *air) beacon() *ieee80211.BSS {
	a.Helper()
	tail, _ := a.beaconTail(nil)
	f, err := ieee80211.ParseFrame(append(a.beaconHead(), tail...))
	if err != nil {
		a.Fatal(err)
	}
	b, err := ieee80211.ParseBeacon(f.Body)
	if err != nil {
		a.Fatal(err)
	}
	return b
}

// says lets a station send a frame to the access point.
func (a *air) says(from ieee80211.MAC, kind ieee80211.Kind, body []byte) {
	a.hear(a.receive(a.now, ieee80211.Frame{Kind: kind, To: self, From: from, BSSID: self, Body: body}))
}

func (a *air) authenticates(p *phone) {
	a.says(p.mac, ieee80211.Authentication, ieee80211.Auth{Transaction: 1}.Append(nil))
}

func (a *air) associates(p *phone) {
	a.says(p.mac, ieee80211.AssociationRequest, p.request.Append(nil))
}

// joins lets a phone do all that it takes.
func (a *air) joins(p *phone) {
	a.authenticates(p)
	a.associates(p)
}

// hear carries out what the access point wants: frames reach the phones, whose answers are carried out in turn.
func (a *air) hear(actions []action) {
	a.told = append(a.told, actions...)
	for _, do := range actions {
		switch do := do.(type) {
		case transmit:
			p := a.phones[do.frame.To]
			arrived := p != nil && !p.deaf && (a.arrives == nil || a.arrives(do.frame))
			if arrived {
				p.heard = append(p.heard, do.frame)
				a.prepare(p, do.frame)
			}
			if do.confirm {
				a.hear(a.sent(a.now, do.frame, arrived))
			}
		case send:
			if p := a.phones[do.to]; p != nil && !p.deaf && p.supplies != nil {
				answers, _ := p.supplies.Receive(do.packet)
				a.answers(p, answers)
			}
		case probe:
			p := a.phones[do.mac]
			a.hear(a.probed(do.mac, p != nil && !p.deaf))
		}
	}
}

// prepare starts a phone's supplicant once it is associated.
func (a *air) prepare(p *phone, f ieee80211.Frame) {
	r, err := ieee80211.ParseAssocResponse(f.Body)
	if f.Kind != ieee80211.AssociationResponse || err != nil || r.Status != ieee80211.StatusSuccess || p.wants == nil {
		return
	}
	p.supplies, err = wpa.NewSupplicant(wpa.Link{
		AccessPoint: self, Station: p.mac, AKM: p.wants.AKM, PMK: p.pmk,
		AccessPointElements: a.beacon().Elements, StationElements: p.wants.Elements,
	})
	if err != nil {
		a.Fatal(err)
	}
}

func (a *air) answers(p *phone, wants []wpa.Action) {
	for _, w := range wants {
		if w, ok := w.(wpa.Send); ok {
			out, _ := a.eapol(a.now, p.mac, w.Frame)
			a.hear(out)
			continue
		}
		p.installed = append(p.installed, w)
	}
}

// passes lets time pass.
func (a *air) passes(d time.Duration) {
	end := a.now.Add(d)
	for {
		next, ok := a.deadline()
		if !ok || next.After(end) {
			break
		}
		a.now = next
		a.hear(a.expire(a.now))
	}
	a.now = end
}

// of returns the actions of a kind so far.
func of[T action](a *air) (found []T) {
	for _, do := range a.told {
		if do, ok := do.(T); ok {
			found = append(found, do)
		}
	}
	return found
}

// is checks that exactly these stations are members.
func (a *air) is(members ...*phone) {
	a.Helper()
	if got := a.members(); len(got) != len(members) {
		a.Fatalf("%d members, want %d", len(got), len(members))
	}
	for _, p := range members {
		if st := a.stations[p.mac]; st == nil || st.phase != member {
			a.Fatalf("%v is no member", p.mac)
		}
	}
}

// status returns how the access point answered a phone last.
func (p *phone) status(t *testing.T) ieee80211.Status {
	t.Helper()
	f, ok := p.last(ieee80211.AssociationResponse)
	r, err := ieee80211.ParseAssocResponse(f.Body)
	if !ok || err != nil {
		t.Fatal("no association response", err)
	}
	return r.Status
}

// sentAway returns the reason for which a phone was sent away.
func (p *phone) sentAway(t *testing.T) ieee80211.Reason {
	t.Helper()
	f, ok := p.last(ieee80211.Deauthentication)
	r, err := ieee80211.ParseReason(f.Body)
	if !ok || err != nil {
		t.Fatal(errors.Join(errors.New("not sent away"), err))
	}
	return r
}
