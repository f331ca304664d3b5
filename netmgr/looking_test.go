package netmgr

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"manofwar/netmgr/api"
)

// looks runs the policy for a while and returns how it looked, one entry each: "known" or "all", and when.
func (r *rig) looks(d time.Duration) (list []string, at []time.Duration) {
	began := r.now
	for end := r.now.Add(d); ; {
		for s := r.radio(0).Scan; s.Number != 0; s = r.radio(0).Scan {
			kind := "known"
			if s.MHz == nil {
				kind = "all"
			}
			list, at = append(list, kind), append(at, r.now.Sub(began))
			r.tell(Scanned{Number: s.Number, MHz: s.MHz, Networks: r.found(s)})
		}
		next, waits := r.p.Next()
		if !waits || next.After(end) {
			r.now = end
			return list, at
		}
		r.now = next
		r.tell(Tick{})
	}
}

// TestLooking holds how often a radio looks, by what there is to look for.
func TestLooking(t *testing.T) {
	t.Run("nothing works", func(t *testing.T) {
		r := newRig(t, "home")
		r.settings.AccessPoint.Off = true
		r.settings.Profiles[0].Channels = []int{2412, 2462, 7777}
		r.tell(Configured{r.settings})
		r.begin()
		for range 2 {
			s := r.radio(0).Scan
			if !slices.Equal(s.MHz, []int{2412, 2462}) {
				t.Errorf("looks at %v", s.MHz)
			}
			r.tell(Scanned{Number: s.Number, MHz: s.MHz})
		}
		list, at := r.looks(10 * time.Minute)
		if !slices.Equal(list[:2], []string{"all", "known"}) || at[0] != 0 {
			t.Errorf("%v at %v", list[:4], at[:4])
		}
		var known, all time.Duration
		for i := range list {
			last := &known
			if list[i] == "all" {
				last = &all
			}
			if limit := map[string]time.Duration{"known": 10 * time.Second, "all": 30 * time.Second}[list[i]]; at[i]-*last > limit {
				t.Errorf("%v without a look of kind %s", at[i]-*last, list[i])
			}
			*last = at[i]
		}
	})
	t.Run("a network is lost", func(t *testing.T) {
		r := atHome(t, factory)
		r.around = []Sighting{sight("factory", 2462, -55), home}
		r.pass(10 * time.Minute)
		r.fail(Lost)
		for _, want := range [][]int{{2412, 2462}, {2412, 2437, 2462}, nil} { // where they were heard last, ever, and anywhere
			s := r.radio(0).Scan
			if !slices.Equal(s.MHz, want) {
				t.Errorf("looks at %v, want %v", s.MHz, want)
			}
			r.tell(Scanned{Number: s.Number, MHz: s.MHz})
		}
	})
	t.Run("nothing is known", func(t *testing.T) {
		if list, _ := newRig(t).begin().looks(10 * time.Minute); !slices.Equal(list, []string{"all"}) {
			t.Errorf("%v", list)
		}
	})
	t.Run("in the best network", func(t *testing.T) {
		list, _ := atHome(t).looks(time.Hour)
		if n := len(list); n < 10 || n > 13 || slices.Contains(list, "known") {
			t.Errorf("%d looks: %v", n, list)
		}
	})
	t.Run("in a lesser one", func(t *testing.T) {
		r := newRig(t, "home", "phone")
		r.around = []Sighting{phone}
		r.begin()
		r.scan()
		r.join(0, api.Good)
		list, _ := r.looks(10 * time.Minute)
		if n := len(list); n < 20 || n > 24 {
			t.Errorf("%d looks: %v", n, list)
		}
		r.tell(Streaming{Active: true})
		if list, _ := r.looks(10 * time.Minute); len(list) != 0 {
			t.Errorf("%d looks while somebody listens", len(list))
		}
	})
	t.Run("an idle radio looks instead", func(t *testing.T) {
		r := newRig(t, "home", "phone")
		r.around = []Sighting{phone}
		r.begin(pi(0), pi(1))
		r.scan()
		r.join(0, api.Good)
		r.tell(Streaming{Active: true})
		first := r.p.radios[0].look.done
		r.pass(10 * time.Minute)
		if one, other := r.p.radios[0].look.done-first, r.p.radios[1].look.done; one > 0 || other < 20 {
			t.Errorf("%d and %d looks", one, other)
		}
	})
	t.Run("with somebody in our access point", func(t *testing.T) {
		r := newRig(t, "home").begin()
		r.pass(13 * time.Second)
		r.up(0)
		r.tell(AccessPointClients{Count: 1})
		list, _ := r.looks(10 * time.Minute)
		all := 0
		for _, kind := range list {
			if kind == "all" {
				all++
			}
		}
		if all < 8 || all > 10 {
			t.Errorf("%d looks at all channels", all)
		}
	})
	t.Run("a radio that cannot look", func(t *testing.T) {
		r := newRig(t, "home").begin()
		failed := 0
		for end := r.now.Add(time.Minute); r.now.Before(end); {
			if s := r.radio(0).Scan; s.Number != 0 {
				failed++
				r.tell(Scanned{Number: s.Number, Err: errors.New("the radio is broken")})
			}
			next, _ := r.p.Next()
			r.now = next
			r.tell(Tick{})
		}
		if failed < 6 || failed > 12 {
			t.Errorf("%d tries within a minute", failed)
		}
	})
	t.Run("a driver that forgets to answer", func(t *testing.T) {
		r := newRig(t, "home").begin()
		number := r.radio(0).Scan.Number
		for r.radio(0).Scan.Number == number || r.radio(0).Scan.Number == 0 {
			if next, waits := r.p.Next(); !waits || next.Sub(epoch) > 40*time.Second {
				t.Fatalf("still look %d", number)
			}
			r.now, _ = r.p.Next()
			r.tell(Tick{})
		}
	})
	t.Run("somebody wants to see all", func(t *testing.T) {
		r := atHome(t)
		r.tell(Look{})
		if s := r.radio(0).Scan; s.Number == 0 || s.MHz != nil {
			t.Errorf("%+v", s)
		}
	})
}

// TestHidden asks for hidden networks by name, in turns if there are many, and joins by the name that answered.
func TestHidden(t *testing.T) {
	r := newRig(t)
	for i := range 6 {
		name := fmt.Sprintf("hidden%d", i)
		r.settings.Profiles = append(r.settings.Profiles, Profile{ID: name, SSID: name, Hidden: true})
	}
	r.tell(Configured{r.settings})
	r.begin()
	asked := make(map[string]bool)
	for end := r.now.Add(10 * time.Second); r.now.Before(end); {
		s := r.radio(0).Scan
		if s.Number == 0 {
			r.now, _ = r.p.Next()
			r.tell(Tick{})
			continue
		}
		if len(s.SSIDs) > maxNames {
			t.Errorf("%d names at once", len(s.SSIDs))
		}
		for _, name := range s.SSIDs {
			asked[name] = true
		}
		r.tell(Scanned{Number: s.Number, MHz: s.MHz, Networks: []Sighting{{BSSID: MAC{2}, MHz: 2412, Join: true}}})
	}
	if len(asked) != 6 {
		t.Errorf("asked for %v", asked)
	}
	r.want("")
	r.around = []Sighting{sight("hidden3", 2412, -50)}
	r.wantWithin(time.Minute, "hidden3")
	if j := r.radio(0).Join; !j.Hidden || j.MHz != 2412 {
		t.Errorf("%+v", j)
	}
}

// TestKnown tells what the next life of the manager should know.
func TestKnown(t *testing.T) {
	r := atHome(t, factory)
	r.around = []Sighting{sight("home", 2437, -50)}
	r.pass(10 * time.Minute)
	k := r.p.Known(r.now)
	if !slices.Equal(k[0].Channels, []int{2437, 2412}) || !slices.Equal(k[1].Channels, []int{2437}) || k[2].Channels != nil {
		t.Errorf("%+v", k)
	}
	if k[0].UsedAt.IsZero() || !k[1].UsedAt.IsZero() {
		t.Errorf("%+v", k)
	}
}
