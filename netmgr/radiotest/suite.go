package radiotest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"manofwar/netmgr"
)

// suite is one run of the tests. Cases come one after the other, with one backend: what one leaves behind is the next
// one's beginning, as in life.
type suite struct {
	Setup
	phy    int
	plan   netmgr.RadioPlan // the last one
	number int              // of the last scan or join

	heard   map[string]netmgr.Sighting // networks that were started, by SSID
	secrets sync.Map                   // passwords, by profile

	mu     sync.Mutex // guards events and news
	events []netmgr.Event
	news   chan struct{} // closed when there are more
}

// Backend runs the suite. The backend runs as long.
func Backend(t *testing.T, setup Setup) {
	t.Helper()
	s := &suite{Setup: setup, news: make(chan struct{}), heard: make(map[string]netmgr.Sighting)}
	s.Limits = s.Limits.orDefaults()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Radios.Run(ctx, s.tell) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("the backend ended: %v", err)
		}
	}()
	s.findRadio(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			switch {
			case c.wpa3 && s.NoWPA3:
				t.Skip("this backend cannot join WPA3 here")
			case c.ownPoint && s.NoAccessPoint:
				t.Skip("this backend cannot be an access point here")
			}
			defer s.clear(t)
			c.run(s, t)
		})
	}
}

// findRadio waits for the first radio.
func (s *suite) findRadio(t *testing.T) {
	t.Helper()
	changed := await(s, t, 0, "a radio", 20*time.Second, func(netmgr.RadioChanged) bool { return true })
	s.phy = changed.Radio.Phy
	s.plan.Phy = s.phy
	if changed.Radio.Station == 0 || len(changed.Radio.Channels) == 0 {
		t.Errorf("radio without interface or channels: %+v", changed.Radio)
	}
}

// clear leaves whatever the case was in, and ends its networks.
func (s *suite) clear(t *testing.T) {
	s.carryOut(t, func(p *netmgr.RadioPlan) {
		p.Join, p.Scan, p.AccessPoint = netmgr.Join{}, netmgr.Scan{}, netmgr.AccessPointPlan{}
	})
	if t.Failed() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, ev := range s.events[max(0, len(s.events)-30):] {
			t.Logf("told: %T %+v", ev, ev)
		}
	}
}

// tell takes down what the backend says.
func (s *suite) tell(ev netmgr.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, ev)
	close(s.news)
	s.news = make(chan struct{})
}

// mark returns the place of the next event.
func (s *suite) mark() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.events)
}

// since returns the events from a place on, and what is closed when there are more.
func (s *suite) since(mark int) ([]netmgr.Event, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events[mark:]), s.news
}

// carryOut changes the plan, and has it carried out.
func (s *suite) carryOut(t *testing.T, change func(*netmgr.RadioPlan)) {
	t.Helper()
	change(&s.plan)
	secret := func(id string) (string, bool) {
		password, ok := s.secrets.Load(id)
		if !ok {
			return "", false
		}
		return password.(string), true
	}
	began := time.Now()
	if err := s.Radios.CarryOut(t.Context(), []netmgr.RadioPlan{s.plan}, secret); err != nil {
		t.Fatalf("plan refused: %v", err)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("carrying a plan out took %v: it is not to wait", took)
	}
}

// await waits for an event of a type, from a place on.
func await[E netmgr.Event](s *suite, t *testing.T, mark int, what string, limit time.Duration, is func(E) bool) E {
	t.Helper()
	over := time.After(limit)
	for {
		events, news := s.since(mark)
		for _, ev := range events {
			if e, ok := ev.(E); ok && is(e) {
				return e
			}
		}
		select {
		case <-news:
		case <-over:
			t.Fatalf("%s was not told within %v", what, limit)
		}
	}
}

// never fails the test when such an event comes within a time.
func never[E netmgr.Event](s *suite, t *testing.T, mark int, what string, within time.Duration) {
	t.Helper()
	over := time.After(within)
	for {
		events, news := s.since(mark)
		for _, ev := range events {
			if e, ok := ev.(E); ok {
				t.Fatalf("%s: %+v", what, e)
			}
		}
		select {
		case <-news:
		case <-over:
			return
		}
	}
}

// until waits for something that is not told.
func until(t *testing.T, what string, limit time.Duration, is func() bool) {
	t.Helper()
	for over := time.Now().Add(limit); !is(); {
		if time.Now().After(over) {
			t.Fatalf("%s was not so within %v", what, limit)
		}
		<-time.After(50 * time.Millisecond)
	}
}

// scan looks for networks and returns what was found.
func (s *suite) scan(t *testing.T, ssids ...string) []netmgr.Sighting {
	t.Helper()
	s.number++
	mark, number := s.mark(), s.number
	s.carryOut(t, func(p *netmgr.RadioPlan) { p.Scan = netmgr.Scan{Number: number, SSIDs: ssids} })
	done := await(s, t, mark, "the end of the scan", s.Limits.Scan, func(e netmgr.Scanned) bool { return e.Phy == s.phy && e.Number == number })
	if done.Err != nil {
		t.Logf("scan: %v", done.Err)
	}
	return done.Networks
}

// find scans until a network is found: one scan can miss it.
func (s *suite) find(t *testing.T, n Network) netmgr.Sighting {
	t.Helper()
	var names []string
	if n.Hidden {
		names = []string{n.SSID}
	}
	seen := make(map[string]bool)
	for range 4 {
		for _, found := range s.scan(t, names...) {
			if found.SSID == n.SSID && found.BSSID == s.heard[n.SSID].BSSID {
				return found
			}
			seen[found.SSID] = true
		}
	}
	t.Fatalf("%s was not found, only %q", n.SSID, slices.Sorted(maps.Keys(seen)))
	panic("not reached")
}

// prepare lets the backend hear a network, if it has to before it can join.
func (s *suite) prepare(t *testing.T, n Network) {
	t.Helper()
	if s.ScanFirst {
		s.find(t, n)
	}
}

// join plans to be in a network and returns its attempt's number.
func (s *suite) join(t *testing.T, n Network, password string) int {
	t.Helper()
	s.number++
	number, at, profile := s.number, s.heard[n.SSID], fmt.Sprintf("%x", n.SSID)
	s.secrets.Store(profile, password)
	s.carryOut(t, func(p *netmgr.RadioPlan) {
		p.Scan = netmgr.Scan{}
		p.Join = netmgr.Join{
			Number: number, Profile: profile, SSID: n.SSID, BSSID: at.BSSID, MHz: at.MHz,
			Hidden: n.Hidden, Open: n.Security == Open,
		}
	})
	return number
}

// joined joins a network that was heard there before, and checks that it is.
func (s *suite) joined(t *testing.T, n Network) (number int) {
	t.Helper()
	s.prepare(t, n)
	at, mark, began := s.heard[n.SSID], s.mark(), time.Now()
	number = s.join(t, n, n.Password)
	over := s.outcome(t, mark, number, s.Limits.Join)
	j, ok := over.(netmgr.Joined)
	if !ok {
		t.Fatalf("%s was not joined: %+v", n.SSID, over)
	}
	t.Logf("%s (%s) joined after %v", n.SSID, n.Security, time.Since(began).Round(time.Millisecond))
	if j.BSSID != at.BSSID || j.MHz != at.MHz {
		t.Errorf("joined %v on %d MHz, not %v on %d MHz", j.BSSID, j.MHz, at.BSSID, at.MHz)
	}
	until(t, "the station in "+n.SSID, 5*time.Second, func() bool { return s.World.Stations(t, n.SSID) == 1 })
	return number
}

// outcome waits for how an attempt goes.
func (s *suite) outcome(t *testing.T, mark, number int, limit time.Duration) netmgr.Event {
	t.Helper()
	return await(s, t, mark, "the outcome", limit, func(ev netmgr.Event) bool {
		switch ev := ev.(type) {
		case netmgr.Joined:
			return ev.Phy == s.phy && ev.Number == number
		case netmgr.Unjoined:
			return ev.Phy == s.phy && ev.Number == number
		}
		return false
	})
}

// ends waits for the end of an attempt, and checks why.
func (s *suite) ends(t *testing.T, mark, number int, limit time.Duration, why ...netmgr.Failure) {
	t.Helper()
	began := time.Now()
	end := await(s, t, mark, "the end of the attempt", limit, func(e netmgr.Unjoined) bool { return e.Phy == s.phy && e.Number == number })
	t.Logf("told after %v: %s, %q", time.Since(began).Round(time.Millisecond), end.Why, end.Reason)
	if !slices.Contains(why, end.Why) {
		t.Errorf("it ended as %q, not %q", end.Why, why)
	}
	if end.Reason == "" {
		t.Error("a person is told nothing")
	}
}
