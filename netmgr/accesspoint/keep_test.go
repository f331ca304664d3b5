package accesspoint

import (
	"math/rand/v2"
	"testing"
	"time"

	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/wpa"
)

func TestVanishedMember(t *testing.T) {
	a := newAir(t, key)
	gone, asleep := a.enter(1, key, true), a.enter(2, key, false)
	a.joins(gone)
	a.joins(asleep)
	gone.deaf = true
	start := a.now
	for len(a.members()) == 2 && a.now.Sub(start) < time.Hour {
		for _, st := range a.members() {
			a.hear(a.heard(a.now, st.mac, a.now.Sub(start)))
		}
		a.passes(10 * time.Second)
	}
	a.is(asleep)
	if after := a.now.Sub(start); after > time.Minute {
		t.Errorf("removed after %v", after)
	}
	if l := of[left](a); len(l) != 1 || l[0].reason != ieee80211.ReasonInactivity {
		t.Errorf("left: %v", l)
	}
}

func TestVanishedMemberThatCannotBeAsked(t *testing.T) {
	a := newAir(t, nil)
	a.config.probe = false
	p := a.enter(1, nil, false)
	a.joins(p)
	a.hear(a.heard(a.now, p.mac, deafLimit-time.Second))
	a.is(p)
	a.hear(a.heard(a.now, p.mac, deafLimit))
	a.is()
}

func TestGroupRotation(t *testing.T) {
	a := newAir(t, key)
	one, two, three := a.enter(1, key, true), a.enter(2, key, false), a.enter(3, key, true)
	for _, p := range []*phone{one, two, three} {
		a.joins(p)
	}
	before := of[group](a)
	a.passes(groupLifetime - time.Minute)
	three.deaf = true
	a.passes(time.Minute)
	if n := len(of[group](a)); n != len(before) {
		t.Error("new keys are used before everybody has them")
	}
	a.passes(10 * time.Second)
	a.is(one, two)
	after := of[group](a)
	if len(after) != 2*len(before) {
		t.Fatalf("%d group keys, want %d", len(after), 2*len(before))
	}
	first, second := before[0].Action.(wpa.InstallGroup), after[len(before)].Action.(wpa.InstallGroup)
	if first.Index == second.Index || string(first.Key) == string(second.Key) {
		t.Errorf("key %d after %d", second.Index, first.Index)
	}
	agree(a, one)
	agree(a, two)
	late := a.enter(4, key, true)
	a.joins(late)
	agree(a, late)
	if next, ok := a.deadline(); !ok || next.Sub(a.now) > groupLifetime {
		t.Errorf("next at %v, %t", next, ok)
	}
}

// TestFlood lets a great many strangers loose on the access point.
func TestFlood(t *testing.T) {
	a := newAir(t, key)
	friend := a.enter(1, key, true)
	a.joins(friend)
	r := rand.New(rand.NewPCG(1, 2))
	template := a.enter(9, other, false).request
	answers := len(a.told)
	for range 20_000 {
		stranger := ieee80211.MAC{2, 1, byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())}
		a.says(stranger, ieee80211.Authentication, ieee80211.Auth{Transaction: 1}.Append(nil))
		a.says(stranger, ieee80211.AssociationRequest, template.Append(nil))
		a.hear(a.sent(a.now, ieee80211.Frame{Kind: ieee80211.AssociationResponse, To: stranger}, true))
		a.says(stranger, ieee80211.ProbeRequest, nil)
		a.hear(a.stray(a.now, stranger))
		a.passes(time.Millisecond)
		if len(a.stations) > maxPending+1 {
			t.Fatalf("%d stations", len(a.stations))
		}
		if r.IntN(100) == 0 {
			a.told = a.told[:answers]
		}
	}
	a.is(friend)
	a.passes(5 * time.Second)
	if len(a.stations) != 1 {
		t.Errorf("%d stations are left", len(a.stations))
	}
	late := a.enter(2, key, false)
	a.joins(late)
	a.is(friend, late)
}

func TestFull(t *testing.T) {
	a := newAir(t, nil)
	for i := range maxMembers {
		a.joins(a.enter(byte(i), nil, false))
		a.passes(time.Second)
	}
	p := a.enter(200, nil, false)
	a.joins(p)
	if got := p.status(t); got != ieee80211.StatusFull {
		t.Errorf("one too many: %v", got)
	}
	if n := len(a.members()); n != maxMembers {
		t.Errorf("%d members", n)
	}
}

func TestDriverFails(t *testing.T) {
	a := newAir(t, key)
	p := a.enter(1, key, false)
	a.joins(p)
	a.hear(a.failed(p.mac))
	a.is()
	if got := p.sentAway(t); got != ieee80211.ReasonFull {
		t.Errorf("sent away for %v", got)
	}
}

func TestEnd(t *testing.T) {
	a := newAir(t, key)
	p := a.enter(1, key, true)
	a.joins(p)
	before := len(of[transmit](a))
	a.hear(a.end())
	for i, to := range []ieee80211.MAC{p.mac, ieee80211.Broadcast} {
		if said := of[transmit](a)[before+i]; said.frame.Kind != ieee80211.Deauthentication || said.frame.To != to {
			t.Errorf("at the end: %+v", said.frame)
		}
	}
	a.is()
}

// TestConsideration checks what members are told while an old station is among them.
func TestConsideration(t *testing.T) {
	a := newAir(t, nil)
	erp := func() (erp byte, ht byte, slot bool) {
		b := a.beacon()
		e, _ := b.Elements.Find(ieee80211.ElementERP)
		h, _ := b.Elements.Find(ieee80211.ElementHTOperation)
		return e[0], h[2] & 3, b.Capabilities&ieee80211.CapabilityShortSlot != 0
	}
	a.joins(a.enter(1, nil, false))
	if e, h, slot := erp(); e != 0 || h != 0 || !slot {
		t.Errorf("among their like: ERP %x, HT %d, short slot %t", e, h, slot)
	}
	old := a.enter(2, nil, false)
	old.request.Capabilities = ieee80211.CapabilityESS
	old.request.Elements = ieee80211.Element{ID: ieee80211.ElementSSID, Data: []byte(a.ssid)}.Append(nil)
	old.request.Elements = ieee80211.Element{ID: ieee80211.ElementRates, Data: []byte{0x82, 0x84, 0x8b, 0x96}}.Append(old.request.Elements)
	a.joins(old)
	if e, h, slot := erp(); e != 3 || h != 3 || slot {
		t.Errorf("with 802.11b among them: ERP %x, HT %d, short slot %t", e, h, slot)
	}
	a.says(old.mac, ieee80211.Disassociation, ieee80211.ReasonLeaving.Append(nil))
	if e, h, slot := erp(); e != 0 || h != 0 || !slot {
		t.Errorf("after it left: ERP %x, HT %d, short slot %t", e, h, slot)
	}
	if n := len(of[update](a)); n != 2 {
		t.Errorf("%d updates of the beacon", n)
	}
}

// FuzzSME sends it whatever, with a member among its stations.
func FuzzSME(f *testing.F) {
	a := newAir(&testing.T{}, key)
	p := a.enter(1, key, true)
	seed := func(kind ieee80211.Kind, body []byte) {
		f.Add(ieee80211.Frame{Kind: kind, To: self, From: p.mac, BSSID: self, Body: body}.Append(nil), []byte{1, 2, 3})
	}
	seed(ieee80211.Authentication, ieee80211.Auth{Transaction: 1}.Append(nil))
	seed(ieee80211.AssociationRequest, p.request.Append(nil))
	seed(ieee80211.ReassociationRequest, ieee80211.AssocRequest{Current: self, Elements: p.request.Elements}.Append(nil))
	seed(ieee80211.ProbeRequest, ieee80211.Element{ID: 0, Data: []byte("Boat")}.Append(nil))
	seed(ieee80211.Deauthentication, ieee80211.ReasonLeaving.Append(nil))
	seed(ieee80211.Action, []byte{categoryQuery, queryResponse, 0, 0})
	f.Fuzz(func(t *testing.T, frame, packet []byte) {
		a := newAir(t, key)
		p := a.enter(1, key, true)
		a.joins(p)
		parsed, err := ieee80211.ParseFrame(frame)
		if err != nil {
			return
		}
		for range 100 {
			parsed.From[5]++
			a.hear(a.receive(a.now, ieee80211.Frame{Kind: ieee80211.Authentication, To: self, From: parsed.From, BSSID: self, Body: make([]byte, 6)}))
			a.hear(a.receive(a.now, parsed))
			if out, _ := a.eapol(a.now, parsed.From, packet); out != nil {
				a.hear(out)
			}
			a.hear(a.associated(a.now, parsed.From, parsed.Body))
			a.passes(50 * time.Millisecond)
		}
		if len(a.stations) > maxMembers+maxPending {
			t.Errorf("%d stations", len(a.stations))
		}
		for _, do := range of[transmit](a) {
			if len(do.frame.Append(nil)) > 400 {
				t.Errorf("a frame of %d bytes", len(do.frame.Append(nil)))
			}
		}
	})
}
