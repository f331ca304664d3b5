package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"manofwar/netmgr/simulate"
)

// simulatedDays is how many days of faults pass over the network policy.
const simulatedDays = 10_000

// simulateDays lets days of faults pass over the network policy, other ones each time.
// On a day that went wrong it tells how it came about.
func simulateDays(context.Context, string) error {
	defer debug.SetGCPercent(debug.SetGCPercent(800)) // a day lives in less than the heap's minimum: collecting it is half the work
	began := time.Now()
	r := simulate.Run(uint64(began.Unix())<<20, simulatedDays)
	row("net.simulated_days", float64(r.Days-r.Failed), "days")
	row("net.simulated_days_per_s", float64(r.Days)/time.Since(began).Seconds(), "1/s")
	row("net.simulated_days_failed", float64(r.Failed), "days")
	row("net.simulated_failover_p95_s", r.Failover.Percentile(95).Seconds(), "s")
	row("net.simulated_dead_internet_p95_s", r.Internet.Percentile(95).Seconds(), "s")
	row("net.simulated_ap_after_loss_p95_s", r.AP.Percentile(95).Seconds(), "s")
	var failed []error
	for _, v := range r.Violations {
		failed = append(failed, fmt.Errorf("%v; its last minutes:\n%s", v, strings.Join(simulate.Tell(v.Seed, 60), "\n")))
	}
	return errors.Join(failed...)
}
