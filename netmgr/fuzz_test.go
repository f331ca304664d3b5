package netmgr

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"manofwar/netmgr/api"
)

// FuzzPolicy feeds the policy with events as they come, also such as no adapter tells, and holds what every plan must hold.
func FuzzPolicy(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
	f.Add([]byte("\x00\x04\x07\x01\x02\x00\x05\x00\x00\x03\x11\x00\x06\x00\x00\x0b\x01\x00\x11\xff"))
	f.Add([]byte("\x00\x7f\x01\x00\x01\x01\x03\x00\x03\x01\x14\x7f\x13\x01\x05\x00\x10\x05\x0a\x03\x05\x01\x14\xff\x14\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, now := NewPolicy("pirate", true), epoch
		in := bytesOf{data}
		for len(in.rest) > 0 {
			ev := in.event(p)
			if _, tick := ev.(Tick); tick {
				now = now.Add(time.Duration(in.next()) * time.Duration(in.next()) * 10 * time.Millisecond)
			}
			p.Handle(now, ev)
			hold(t, p, now)
		}
		for range 200 { // left alone it never spins
			next, waits := p.Next()
			if !waits {
				break
			}
			if next.Before(now) {
				t.Fatalf("wants to be woken %v ago", now.Sub(next))
			}
			now = next
			p.Handle(now, Tick{})
			hold(t, p, now)
			if again, ok := p.Next(); ok && !again.After(now) {
				t.Fatal("wants to be woken again at the same instant")
			}
		}
	})
}

// hold fails the test unless what every plan must hold holds.
func hold(t *testing.T, p *Policy, now time.Time) {
	t.Helper()
	plan := p.Plan()
	points := 0
	for _, rp := range plan.Radios {
		r := p.radio(rp.Phy)
		if len(rp.Scan.MHz) > maxTargets || len(rp.Scan.SSIDs) > maxNames {
			t.Fatalf("scan %+v", rp.Scan)
		}
		if rp.Join.Number != 0 && rp.Join.SSID == "" {
			t.Fatalf("joins nothing: %+v", rp.Join)
		}
		if len(r.air) > maxSightings || len(r.prospects) > 2*maxProfiles+1 {
			t.Fatalf("%d access points, %d prospects", len(r.air), len(r.prospects))
		}
		ap := rp.AccessPoint
		if !ap.Up {
			continue
		}
		points++
		switch {
		case !r.AccessPoint || !r.beacons(ap.MHz) || !ap.Address.IsValid() || ap.SSID == "":
			t.Fatalf("access point %+v of %+v", ap, r.Radio)
		case rp.Join.Number != 0 && !r.Together:
			t.Fatalf("in a network and an access point at once: %+v", rp)
		case r.stay.phase == joined && r.stay.mhz != 0 && r.stay.mhz != ap.MHz:
			t.Fatalf("on two channels: %+v, in a network on %d MHz", rp, r.stay.mhz)
		}
	}
	if points > 1 {
		t.Fatal("two access points")
	}
	if len(p.links) > maxLinks || len(p.radios) > maxRadios || len(p.networks) > maxProfiles {
		t.Fatalf("%d links, %d radios, %d networks", len(p.links), len(p.radios), len(p.networks))
	}
	p.Status(now)
	p.Known(now)
}

// bytesOf makes events of bytes.
type bytesOf struct{ rest []byte }

func (b *bytesOf) next() byte {
	if len(b.rest) == 0 {
		return 0
	}
	v := b.rest[0]
	b.rest = b.rest[1:]
	return v
}

var fuzzChannels = []int{0, 2412, 2437, 2462, 5180, 5260}

func (b *bytesOf) event(p *Policy) Event {
	phy, number := int(b.next()%3), 0
	if r := p.radio(phy); r != nil && b.next()%8 > 0 {
		number = r.stay.join.Number
	}
	mhz := fuzzChannels[int(b.next())%len(fuzzChannels)]
	index := both + phy
	generation := 0
	if l := p.links[index]; l != nil {
		generation = l.generation
	}
	states := []api.State{api.Good, api.LANOnly, api.Captive, api.Associated, api.Down, "x"}
	failures := []Failure{WrongPassword, NotFound, Refused, Lost, NoAnswer, Unsupported, Broken, "x"}
	mac := MAC{b.next() % 8}
	switch b.next() % 21 {
	case 0:
		return Configured{b.settings()}
	case 1:
		r := pi(phy)
		v := b.next()
		r.AccessPoint, r.Together, r.Follows = v&1 == 0, v&2 == 0, v&4 == 0
		if v&8 != 0 {
			r.Channels = nil
		}
		r.Station += int(v >> 7)
		return RadioChanged{r}
	case 2:
		return RadioGone{phy}
	case 3:
		return LinkChanged{Link{Index: index, Kind: WiFi, Up: true, Carrier: b.next()&1 == 0}}
	case 4:
		return eth(1, b.next()&1 == 0)
	case 5:
		return b.scanned(p, phy)
	case 6, 7:
		return Joined{Phy: phy, Number: number, BSSID: mac, MHz: mhz}
	case 8:
		return Roamed{Phy: phy, Number: number, BSSID: mac, MHz: mhz}
	case 9:
		return Unjoined{Phy: phy, Number: number, Why: failures[int(b.next())%len(failures)]}
	case 10:
		return Heard{Phy: phy, Number: number, Signal: -int(b.next())}
	case 11:
		return AccessPointUp{Phy: phy, Index: 9, MHz: mhz}
	case 12:
		return AccessPointDown{Phy: phy}
	case 13:
		return AccessPointClients{Phy: phy, Count: int(b.next()) - 1}
	case 14:
		return Judged{Index: index, Generation: generation, State: states[int(b.next())%len(states)]}
	case 15:
		return Streaming{Active: b.next()&1 == 0, Buffer: time.Duration(b.next()) * time.Second}
	case 16:
		return Try{b.profile()}
	case 17:
		return Look{}
	case 18:
		return Leased{index, lease(fmt.Sprintf("10.%d.77", b.next()))}
	case 19:
		return Unleased{index, "It ran out."}
	}
	return Tick{}
}

func (b *bytesOf) profile() Profile {
	v := b.next()
	name := string(rune('a' + v%8))
	return Profile{ID: name, SSID: name, Open: v&8 != 0, Hidden: v&16 != 0, Metered: v&32 != 0, Off: v&64 != 0, Channels: []int{fuzzChannels[v%6]}}
}

func (b *bytesOf) settings() (s Settings) {
	for range b.next() % 80 {
		s.Profiles = append(s.Profiles, b.profile())
	}
	v := b.next()
	s.AccessPoint.SSID = "manofwar"
	s.AccessPoint.Permanent, s.AccessPoint.Off, s.Setup = v&1 != 0, v&14 == 14, v&16 != 0
	return s
}

func (b *bytesOf) scanned(p *Policy, phy int) Event {
	ev := Scanned{Phy: phy, More: b.next()&7 == 0}
	if r := p.radio(phy); r != nil {
		ev.Number, ev.MHz = r.look.scan.Number, r.look.scan.MHz
	}
	if b.next()&15 == 0 {
		ev.Err = errors.New("the radio is broken")
	}
	for i := range b.next() {
		v := b.next()
		ev.Networks = append(ev.Networks, Sighting{
			SSID: string(rune('a' + v%8)), BSSID: MAC{v % 8, i}, MHz: fuzzChannels[1+v%5], Signal: -int(v), Join: v&3 != 0, Open: v&8 != 0,
		})
	}
	return ev
}
