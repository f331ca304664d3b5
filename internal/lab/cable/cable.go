// Package cable joins two network namespaces by an Ethernet cable that is as bad as wanted: frames take their time, a time of
// chance, and some get lost. The kernel's own means for that (netem) are not everywhere; two TAP devices are (Linux,
// Documentation/networking/tuntap.rst).
package cable

import (
	"math/rand/v2"
	"time"
)

// Quality is what a cable does to each frame, each way.
type Quality struct {
	Delay  time.Duration
	Jitter time.Duration // by which the delay varies, up and down
	Loss   float64       // part of the frames
	Seed   uint64        // of its chances
}

// fate returns how long a frame takes; false: it is lost. Frames do not overtake each other.
func (q Quality) fate(random *rand.Rand) (time.Duration, bool) {
	d := q.Delay + time.Duration((2*random.Float64()-1)*float64(q.Jitter))
	return max(0, d), random.Float64() >= q.Loss
}
