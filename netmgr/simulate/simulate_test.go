package simulate

import (
	"flag"
	"strings"
	"testing"
)

var (
	days  = flag.Int("days", 200, "how many days to simulate")
	first = flag.Uint64("first", 1, "seed of the first day")
	seed  = flag.Uint64("seed", 0, "tell of the day of this seed")
)

// TestDays lets days of faults pass, and tells how one that went wrong came about.
func TestDays(t *testing.T) {
	if *seed != 0 {
		for _, line := range Tell(*seed, 400) {
			t.Log(line)
		}
		return
	}
	r := Run(*first, *days)
	t.Logf("%d days, %d events; failover p50 %v p95 %v of %d; internet p50 %v p95 %v of %d; access point p50 %v p95 %v of %d", r.Days, r.Events,
		r.Failover.Percentile(50), r.Failover.Percentile(95), len(r.Failover),
		r.Internet.Percentile(50), r.Internet.Percentile(95), len(r.Internet), r.AP.Percentile(50), r.AP.Percentile(95), len(r.AP))
	for _, v := range r.Violations {
		t.Errorf("%v; -seed=%d tells more", v, v.Seed)
	}
	if r.Failed > 0 {
		t.Errorf("%d days went wrong; the first one:\n%s", r.Failed, strings.Join(Tell(r.Violations[0].Seed, 60), "\n"))
	}
}
