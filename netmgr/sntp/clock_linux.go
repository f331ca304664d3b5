package sntp

import (
	"time"

	"golang.org/x/sys/unix"
)

// stepFrom is the offset from which the clock jumps instead of running a little faster or slower: that could take hours
// (ntpd's own limit, RFC 5905, section 12).
const stepFrom = 128 * time.Millisecond

// Adjust moves the system clock by offset. CAP_SYS_TIME is needed.
func Adjust(offset time.Duration) error {
	if offset.Abs() < stepFrom {
		_, err := unix.Adjtimex(&unix.Timex{Modes: adjOffsetSingleshot, Offset: offset.Microseconds()})
		return err
	}
	ts, err := unix.TimeToTimespec(time.Now().Add(offset))
	if err != nil {
		return err
	}
	return unix.ClockSettime(unix.CLOCK_REALTIME, &ts)
}

// adjOffsetSingleshot is adjtime(3)'s mode of adjtimex(2) (linux/timex.h).
const adjOffsetSingleshot = 0x8001
