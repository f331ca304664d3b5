// Package playertest holds every display and every sound card that the player drives to one behaviour: what is written
// at [player.Display] and [player.Sound], as cases that run against the simulated outputs of package null, against DRM,
// and against ALSA. A case knows nothing of how an output is made; where it needs somebody to pull a plug, the output
// under test offers that as [Plug].
//
// A [Decoder] makes items up for tests of whatever plays them: each sample and each picture says which one it is. [Stream]
// holds the pictures of any decoder to [player.Stream] and [player.Lender].
//
// The cases watch clocks and take about three seconds for a display and five for a card. They allow for a busy machine: what
// must not be early is checked to the millisecond, what must not be late to some tenths of a second. An output that is made
// of Go alone has them in [Virtual] time, where a busy machine costs nothing.
package playertest

import (
	"testing"
	"testing/synctest"
	"time"
)

// Clock is which time cases run in.
type Clock func(t *testing.T, run func(*testing.T))

// Real is everybody's time.
func Real(t *testing.T, run func(*testing.T)) { run(t) }

// Virtual is that of a bubble (testing/synctest): it passes when all wait for it.
func Virtual(t *testing.T, run func(*testing.T)) { synctest.Test(t, run) }

// Plug is what every output under test offers: its plug can be pulled and put back.
type Plug interface {
	Unplug()
	Plug()
}

// Emulated is what an output under test offers if a program plays its clock, which runs when that program gets to it: it is
// not held to be in time.
type Emulated interface{ Emulated() }

// emulated tells whether an output is.
func emulated(output any) bool {
	_, ok := output.(Emulated)
	return ok
}

// late is how much later than it should something may happen on a busy machine.
const late = 400 * time.Millisecond

// await fails the test unless ok becomes true within d.
func await(t *testing.T, what string, d time.Duration, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(d)
	defer deadline.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline.C:
			t.Fatalf("not within %v: %s", d, what)
		case <-tick.C:
		}
	}
}

// pause lets d pass.
func pause(d time.Duration) { <-time.After(d) }

// told fails the test unless the channel receives soon.
func told(t *testing.T, changed <-chan struct{}) {
	t.Helper()
	select {
	case <-changed:
	case <-time.After(5 * time.Second):
		t.Fatal("Changed did not receive")
	}
}

// pull pulls the plug of an output.
func pull(t *testing.T, output any) Plug {
	t.Helper()
	p, ok := output.(Plug)
	if !ok {
		t.Fatal("the output under test is no Plug")
	}
	p.Unplug()
	return p
}
