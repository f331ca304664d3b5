package radiotest

import (
	"net/netip"
	"testing"
	"time"

	"manofwar/netmgr"
)

// cases are what every backend has to do, in this order.
var cases = []struct {
	name           string
	run            func(*suite, *testing.T)
	wpa3, ownPoint bool
}{
	{name: "scan finds networks", run: (*suite).scanFinds},
	{name: "hidden network by name", run: (*suite).hidden},
	{name: "join WPA2, plan repeated, leave", run: (*suite).stay},
	{name: "join open", run: func(s *suite, t *testing.T) { s.joinOne(t, Network{SSID: "Open", Security: Open, Channel: 1}) }},
	{name: "join WPA3", wpa3: true, run: func(s *suite, t *testing.T) {
		s.joinOne(t, Network{SSID: "Three", Password: "three is company", Security: WPA3, Channel: 11})
	}},
	{name: "join WPA2 and WPA3", run: func(s *suite, t *testing.T) {
		s.joinOne(t, Network{SSID: "Mixed", Password: "either or both", Security: Mixed, Channel: 6})
	}},
	{name: "join a name of odd bytes", run: func(s *suite, t *testing.T) {
		s.joinOne(t, Network{SSID: "Name’s \xff iPhone", Password: "hotspot please", Security: WPA2, Channel: 6})
	}},
	{name: "wrong password", run: (*suite).wrongPassword},
	{name: "wrong password of WPA3", wpa3: true, run: (*suite).wrongPasswordSAE},
	{name: "no password", run: (*suite).noPassword},
	{name: "not found", run: (*suite).notFound},
	{name: "loss is told, and another number rejoins", run: (*suite).loss},
	{name: "another network", run: (*suite).another},
	{name: "access point", ownPoint: true, run: (*suite).accessPoint},
}

// start starts networks, and ends them with the case.
func (s *suite) start(t *testing.T, networks ...Network) {
	t.Helper()
	for _, n := range networks {
		s.restart(t, n)
		t.Cleanup(func() { s.World.CutPower(t, n.SSID) })
	}
}

// restart starts a network that has no power.
func (s *suite) restart(t *testing.T, n Network) {
	t.Helper()
	s.heard[n.SSID] = netmgr.Sighting{SSID: n.SSID, BSSID: s.World.StartNetwork(t, n), MHz: 2407 + 5*n.Channel}
}

func (s *suite) scanFinds(t *testing.T) {
	networks := []Network{
		{SSID: "Open", Security: Open, Channel: 1},
		{SSID: "Two", Password: "two is company", Security: WPA2, Channel: 6},
		{SSID: "Three", Password: "three is a crowd", Security: WPA3, Channel: 11},
	}
	s.start(t, networks...)
	for _, n := range networks {
		found := s.find(t, n)
		if found.MHz != 2407+5*n.Channel || found.BSSID == (netmgr.MAC{}) || found.Signal >= 0 || found.Signal < -100 {
			t.Errorf("%s: %+v", n.SSID, found)
		}
		if found.Open != (n.Security == Open) || found.Security != string(n.Security) && n.Security != Open || !found.Join && !(s.NoWPA3 && n.Security == WPA3) {
			t.Errorf("security of %s: %+v", n.SSID, found)
		}
		if age := time.Since(found.At); !found.At.IsZero() && (age < -time.Second || age > time.Minute) {
			t.Errorf("%s was heard %v ago", n.SSID, age)
		}
	}
}

func (s *suite) hidden(t *testing.T) {
	n := Network{SSID: "Cloak", Password: "and dagger in one", Security: WPA2, Channel: 6, Hidden: true}
	s.start(t, n)
	if !s.ScanFirst {
		s.find(t, n)
	}
	s.joined(t, n)
}

func (s *suite) joinOne(t *testing.T, n Network) {
	s.start(t, n)
	s.joined(t, n)
}

// stay repeats the plan of a joined network, which changes nothing, and then leaves it.
func (s *suite) stay(t *testing.T) {
	n := Network{SSID: "Home", Password: "home sweet home", Security: WPA2, Channel: 6}
	s.start(t, n)
	s.joined(t, n)
	mark := s.mark()
	for range 5 {
		s.carryOut(t, func(*netmgr.RadioPlan) {})
	}
	never[netmgr.Unjoined](s, t, mark, "a repeated plan ended the link", 2*time.Second)
	if n := s.World.Joins(t, n.SSID); n != 1 {
		t.Errorf("joined %d times", n)
	}
	s.carryOut(t, func(p *netmgr.RadioPlan) { p.Join = netmgr.Join{} })
	until(t, "the station gone from "+n.SSID, s.Limits.Leave, func() bool { return s.World.Stations(t, n.SSID) == 0 })
	never[netmgr.Joined](s, t, mark, "it joined again", 2*time.Second)
}

func (s *suite) wrongPassword(t *testing.T) {
	n := Network{SSID: "Two", Password: "the right one", Security: WPA2, Channel: 1}
	s.start(t, n)
	s.prepare(t, n)
	mark := s.mark()
	s.ends(t, mark, s.join(t, n, "the wrong one"), s.Limits.Wrong, netmgr.WrongPassword)
	s.joined(t, n) // with the right one it works at once
}

func (s *suite) wrongPasswordSAE(t *testing.T) {
	n := Network{SSID: "Three", Password: "the right one", Security: WPA3, Channel: 11}
	s.start(t, n)
	s.prepare(t, n)
	mark := s.mark()
	s.ends(t, mark, s.join(t, n, "the wrong one"), s.Limits.WrongSAE, netmgr.WrongPassword)
	s.joined(t, n)
}

// noPassword is of a profile whose password is not there any more.
func (s *suite) noPassword(t *testing.T) {
	mark := s.mark()
	s.number++
	s.carryOut(t, func(p *netmgr.RadioPlan) {
		p.Join = netmgr.Join{Number: s.number, Profile: "without", SSID: "Without"}
	})
	s.ends(t, mark, s.number, s.Limits.Wrong, netmgr.WrongPassword)
}

func (s *suite) notFound(t *testing.T) {
	mark := s.mark()
	number := s.join(t, Network{SSID: "Nowhere", Security: WPA2}, "to be seen")
	s.ends(t, mark, number, s.Limits.NotFound, netmgr.NotFound)
}

// loss cuts the power of a network and brings it back.
func (s *suite) loss(t *testing.T) {
	n := Network{SSID: "Frail", Password: "easily broken", Security: WPA2, Channel: 6}
	s.start(t, n)
	number := s.joined(t, n)
	mark := s.mark()
	s.World.CutPower(t, n.SSID)
	s.ends(t, mark, number, s.Limits.Lost, netmgr.Lost)

	s.restart(t, n)
	mark = s.mark()
	s.carryOut(t, func(*netmgr.RadioPlan) {})
	never[netmgr.Joined](s, t, mark, "an attempt that was over began again", 2*time.Second)
	s.joined(t, n)
}

// another goes from one network to another.
func (s *suite) another(t *testing.T) {
	first := Network{SSID: "First", Password: "the first one", Security: WPA2, Channel: 1}
	second := Network{SSID: "Second", Password: "the second one", Security: WPA2, Channel: 11}
	s.start(t, first, second)
	number := s.joined(t, first)
	mark := s.mark()
	s.joined(t, second)
	until(t, "the station gone from "+first.SSID, s.Limits.Leave, func() bool { return s.World.Stations(t, first.SSID) == 0 })
	s.carryOut(t, func(p *netmgr.RadioPlan) { p.Join = netmgr.Join{} })
	until(t, "the station gone from "+second.SSID, s.Limits.Leave, func() bool { return s.World.Stations(t, second.SSID) == 0 })
	events, _ := s.since(mark)
	for _, ev := range events {
		if j, ok := ev.(netmgr.Joined); ok && j.Number == number {
			t.Errorf("the first one was joined again")
		}
	}
}

// accessPoint is heard while it is planned, and not longer, and says who is in it.
func (s *suite) accessPoint(t *testing.T) {
	const ssid, password = "manofwar test", "come on board"
	s.secrets.Store("", password)
	mark, began := s.mark(), time.Now()
	s.carryOut(t, func(p *netmgr.RadioPlan) {
		p.AccessPoint = netmgr.AccessPointPlan{Up: true, SSID: ssid, MHz: 2437, Address: netip.MustParsePrefix("198.51.100.1/24")}
	})
	up := await(s, t, mark, "our access point", s.Limits.Up, func(e netmgr.AccessPointUp) bool { return e.Phy == s.phy })
	t.Logf("access point up after %v", time.Since(began).Round(time.Millisecond))
	if up.Index == 0 || up.MHz != 2437 {
		t.Errorf("told %+v", up)
	}
	until(t, "our access point heard", 10*time.Second, func() bool { return s.World.Hears(t, ssid) })
	leave := s.World.Visit(t, ssid, password)
	await(s, t, mark, "a client", 5*time.Second, func(e netmgr.AccessPointClients) bool { return e.Phy == s.phy && e.Count == 1 })
	mark = s.mark()
	leave()
	await(s, t, mark, "its leaving", 5*time.Second, func(e netmgr.AccessPointClients) bool { return e.Phy == s.phy && e.Count == 0 })
	s.carryOut(t, func(p *netmgr.RadioPlan) { p.AccessPoint = netmgr.AccessPointPlan{} })
	until(t, "our access point silent", 10*time.Second, func() bool { return !s.World.Hears(t, ssid) })
}
