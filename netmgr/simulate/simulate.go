// Package simulate runs the policy of [manofwar/netmgr] through days of faults in virtual time: routers that lose power or are
// reset to another name, hotspots that come and go, addresses that are not given, an internet that is dead or wants a
// sign-in, wrong passwords, weak signals, drivers that fail or fall silent, radios and cables that are plugged and pulled, and
// a manager that is killed.
//
// Everything around the policy is made up: a world of networks, and adapters that carry its plans out as slowly and as
// unreliably as real ones do. What must always hold is checked after every step (see [Rule]). A day follows from its
// seed alone, so that one that went wrong can be told line by line.
//
// Left out are the protocols themselves: whether frames, keys and leases are right is for the adapters' own tests.
package simulate

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"time"
)

// Rule is what must hold. Its value is what is said of a day on which it did not.
type Rule string

// The rules.
const (
	Stuck    Rule = "a network was usable and nothing was joined"
	Silent   Rule = "nothing worked and our access point was not up"
	Flapped  Rule = "nothing changed and networks that had been left were joined again twice within a minute"
	Cut      Rule = "playback was cut off for a mere preference"
	Evicted  Rule = "our access point went down with somebody in it"
	Lesser   Rule = "a better network was there for long and was not used"
	Crossed  Rule = "one radio was told to be on two channels"
	Restless Rule = "the policy did not come to rest"
	Unending Rule = "an attempt had no outcome"
)

// Report is how many days went by, and what went wrong.
type Report struct {
	Days       int
	Violations []Violation // of at most [MaxTold] days
	Failed     int         // days on which a rule did not hold
	Events     int         // that the policy handled
	Failover   Times       // from a network's death to an address in the next one, where one was there
	Internet   Times       // from the death of the internet to an address where there is one
	AP         Times       // from the death of the last network to our access point, where none came back
}

// MaxTold is of how many bad days a report tells.
const MaxTold = 8

// Violation is one rule that did not hold.
type Violation struct {
	Seed uint64 // of the day: see [Tell]
	At   time.Duration
	Rule Rule
}

func (v Violation) String() string {
	return fmt.Sprintf("seed %d at %v: %s", v.Seed, v.At.Round(time.Millisecond), v.Rule)
}

// Times are durations that were measured.
type Times []time.Duration

// Percentile returns the duration that p of a hundred do not exceed; 0 if there are none.
func (t Times) Percentile(p int) time.Duration {
	if len(t) == 0 {
		return 0
	}
	slices.Sort(t)
	return t[min(len(t)*p/100, len(t)-1)]
}

// Run simulates days, those of the seeds from the first one on, on all processors.
func Run(first uint64, days int) Report {
	var (
		mu      sync.Mutex // guards total and next
		total   Report
		next    = 0
		running sync.WaitGroup
	)
	for range runtime.GOMAXPROCS(0) {
		running.Go(func() {
			for {
				mu.Lock()
				day := next
				next++
				mu.Unlock()
				if day >= days {
					return
				}
				w := newWorld(first+uint64(day), nil)
				w.run()
				mu.Lock()
				total.add(w)
				mu.Unlock()
			}
		})
	}
	running.Wait()
	slices.SortFunc(total.Violations, func(a, b Violation) int { return int(a.Seed) - int(b.Seed) })
	total.Violations = total.Violations[:min(len(total.Violations), MaxTold)]
	return total
}

// add adds a day.
func (r *Report) add(w *world) {
	r.Days++
	r.Events += w.events
	r.Failover = append(r.Failover, w.failover...)
	r.Internet = append(r.Internet, w.internet...)
	r.AP = append(r.AP, w.ap...)
	if len(w.violations) > 0 {
		r.Failed++
		r.Violations = append(r.Violations, w.violations[0])
	}
}

// Tell simulates the day of a seed and returns what happened, a line each, up to the first violation and at most the
// last lines of it; all is told if nothing went wrong.
func Tell(seed uint64, lines int) []string {
	var log []string
	w := newWorld(seed, func(line string) { log = append(log, line) })
	w.run()
	return log[max(0, len(log)-lines):]
}

// day is how long one lasts.
const day = 24 * time.Hour

// roll is the dice of one day.
type roll struct{ *rand.Rand }

func newRoll(seed uint64) roll { return roll{rand.New(rand.NewPCG(seed, 0x6d616e6f77617221))} }

// chance is true with a probability in percent.
func (r roll) chance(percent int) bool { return r.IntN(100) < percent }

// between returns a duration between two.
func (r roll) between(least, most time.Duration) time.Duration {
	return least + time.Duration(r.Int64N(int64(most-least)+1))
}
