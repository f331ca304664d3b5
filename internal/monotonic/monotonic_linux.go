// Package monotonic relates the kernel's clock to Go's. DRM and ALSA stamp what happens with CLOCK_MONOTONIC
// (clock_gettime(2)); Go's times have a reading of the same clock in them, but no way to make one from it.
package monotonic

import (
	"math"
	"time"

	"golang.org/x/sys/unix"
)

// Time returns when CLOCK_MONOTONIC was at a reading, with Go's own monotonic reading in it. The two clocks are compared by
// looking at both, and again where something came between: on a busy machine that may be milliseconds. The nearest of a few
// looks counts.
func Time(at time.Duration) (t time.Time) {
	const tries, enough = 5, 20 * time.Microsecond
	least := time.Duration(math.MaxInt64)
	for range tries {
		var mono unix.Timespec
		before := time.Now()
		_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &mono) // there is no Linux without it
		between := time.Since(before)
		if between < least {
			least, t = between, before.Add(between/2+at-time.Duration(mono.Nano()))
		}
		if between < enough {
			break
		}
	}
	return t
}
