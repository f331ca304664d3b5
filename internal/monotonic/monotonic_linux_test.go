package monotonic

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestTime reads the kernel's clock between two looks at Go's: what it was is between them. A busy machine may come
// between any two readings, but not always.
func TestTime(t *testing.T) {
	const near = 20 * time.Microsecond
	var off time.Duration
	for range 1000 {
		var mono unix.Timespec
		before := time.Now()
		if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &mono); err != nil {
			t.Fatal(err)
		}
		after := time.Now()
		at := Time(time.Duration(mono.Nano()))
		if off = max(before.Sub(at), at.Sub(after)); off < near && after.Sub(before) < near {
			return
		}
	}
	t.Errorf("it was never near, and %v off in the end", off)
}
