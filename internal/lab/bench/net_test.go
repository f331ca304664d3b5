package bench

import (
	"math"
	"testing"
)

func TestPercentile(t *testing.T) {
	v := make([]float64, 20)
	for i := range v {
		v[i] = float64(20 - i)
	}
	for p, want := range map[int]float64{0: 1, 50: 10, 95: 19, 100: 20} {
		if got := percentile(v, p); got != want {
			t.Errorf("%d%%: %g; want %g", p, got, want)
		}
	}
	if got := percentile(nil, 95); got != 0 {
		t.Errorf("of nothing: %g", got)
	}
}

// The texts are of iw 5.19 and iproute2 6.1, cut short.
func TestJoinTimes(t *testing.T) {
	const wifi = `1795331000.100000: wlan0 (phy #0): scan started
1795331000.900000: wlan0 (phy #0): scan finished: 2412 2437, ""
1795331001.000000: wlan0 (phy #0): auth 02:00:00:00:01:00 -> 02:00:00:00:00:00 status: 0: Successful
1795331001.050000: wlan0 (phy #0): connected to 02:00:00:00:01:00
1795331020.000000: wlan0 (phy #0): auth 02:00:00:00:02:00 -> 02:00:00:00:00:00 status: 0: Successful
1795331020.100000: wlan0 (phy #0): connected to 02:00:00:00:02:00
`
	const addresses = `[2026-11-22T07:03:21.200000] 3: wlan0    inet 192.168.101.77/24 brd 192.168.101.255 scope global wlan0
[2026-11-22T07:03:30.000000] Deleted 3: wlan0    inet 192.168.101.77/24 brd 192.168.101.255 scope global wlan0
[2026-11-22T07:03:40.250000] 3: wlan0    inet 192.168.102.77/24 brd 192.168.102.255 scope global wlan0
`
	got, err := joinTimes(wifi, addresses)
	if err != nil || len(got) != 2 || math.Abs(got[0]-0.3) > 1e-6 || math.Abs(got[1]-0.25) > 1e-6 {
		t.Errorf("%v, %v; want 0.3 s and 0.25 s", got, err)
	}
}
