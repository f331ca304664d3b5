package bench

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"manofwar/internal/lab"
	"manofwar/internal/lab/peers"
	netapi "manofwar/netmgr/api"
)

// ownPrefix is what the name of a dongle's own network begins with.
const ownPrefix = "manofwar"

// seeScript looks for a network on the three channels that access points of 2.4 GHz use, until it finds one whose name begins
// as told, and says when.
const seeScript = `ip link set $1 up
until iw dev $1 scan freq 2412 2437 2462 flush 2>/dev/null | grep -q "SSID: $0"; do :; done
cut -d' ' -f1 /proc/uptime`

// see waits until a radio hears a network, and returns when by the guest's monotonic clock, which on a machine that is never
// suspended is that of /proc/uptime.
func see(ctx context.Context, place *peers.Place, prefix string) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, netLimit)
	defer cancel()
	out, err := place.Run(ctx, "sh", "-c", seeScript, prefix, place.Radio)
	if err != nil {
		return 0, err
	}
	s, err := strconv.ParseFloat(strings.TrimSpace(out), 64)
	return time.Duration(s * float64(time.Second)), err
}

// joins is what the kernel says of the dongle's WiFi and of its addresses, with the guest's time of day.
type joins struct{ wifi, addresses *peers.Program }

func newJoins(ctx context.Context, dongle *peers.Place) (j *joins, err error) {
	j = new(joins)
	if j.wifi, err = dongle.Start(ctx, "iw", "event", "-t"); err != nil {
		return nil, err
	}
	j.addresses, err = dongle.Start(ctx, "ip", "-ts", "-4", "monitor", "address")
	return j, err
}

var (
	wifiEvent = regexp.MustCompile(`(?m)^(\d+\.\d+): \S+ \(phy #\d+\): (scan finished|auth|connected)`)
	newLease  = regexp.MustCompile(`(?m)^\[([-0-9T:.]+)\] \d+: \S+ +inet 192\.168\.1\d\d\.`)
)

// median returns the median of [joinTimes].
func (j *joins) median() (float64, error) {
	took, err := joinTimes(j.wifi.String(), j.addresses.String())
	if err == nil && len(took) == 0 {
		err = fmt.Errorf("no join was seen:\n%s\n%s", j.wifi.Tail(20), j.addresses.Tail(20))
	}
	if err != nil {
		return 0, err
	}
	return median(took), nil
}

// joinTimes returns, for each new address, the seconds from the end of the last look around before. Where there was none since
// the address before, because the network was known to be there, they are from the first frame to it. wifi is what
// "iw event -t" prints, addresses what "ip -ts monitor address" does.
func joinTimes(wifi, addresses string) (took []float64, err error) {
	events := wifiEvent.FindAllStringSubmatch(wifi, -1)
	last := 0.0
	for _, m := range newLease.FindAllStringSubmatch(addresses, -1) {
		day, err := time.Parse("2006-01-02T15:04:05.999999", m[1])
		if err != nil {
			return nil, err
		}
		at, began := float64(day.UnixNano())/1e9, 0.0
		for _, e := range events {
			when, err := strconv.ParseFloat(e[1], 64)
			if err != nil {
				return nil, err
			}
			if when > last && when <= at && (e[2] == "scan finished" || began == 0) {
				began = when
			}
		}
		if began > 0 {
			took = append(took, at-began)
		}
		last = at
	}
	return took, nil
}

// How long the idle dongle is watched, and how long before that it has been in its network: what is done once is over then, and
// what is done every five minutes falls into it.
const (
	idleFor  = 5 * time.Minute
	idleFrom = 2 * time.Minute
)

// idleScript reads what a process has used: its ticks of processor time before and after a sleep, and its memory in kB.
const idleScript = `sleep $1
pid=$(pgrep -f "^/bin/manofwar $0$")
ticks() { cut -d' ' -f14,15 /proc/$pid/stat; }
ticks; sleep $2; ticks
awk '/^Private/ { sum += $2 } END { print sum }' /proc/$pid/smaps_rollup`

// ticksPerSecond is what /proc counts processor time in: USER_HZ of every Linux (proc(5)).
const ticksPerSecond = 100

// Idle measures the network manager while the dongle is in the better of two networks and nothing happens: what it takes of a processor
// with 500 million instructions a second, in percent, and how many MB of memory it shares with nobody. The guest's time is
// counted in instructions ([lab.Config.Counted]): by the host's clock an emulated processor is as slow as whatever else the host
// does makes it, and its system calls and timers cost many times what they cost a real one.
func Idle(ctx context.Context, dir string) (cpu, megabytes float64, err error) {
	image, err := lab.Image(ctx, lab.ImageOptions{Dir: dir, Board: peers.Board})
	if err != nil {
		return 0, 0, err
	}
	w, err := peers.Start(ctx, dir, peers.Config{Image: image, Radios: 3, Dongle: 1, Counted: true, Limit: 10 * time.Minute, Prepare: peers.WithSetup(ctx, netKnown())})
	if err != nil {
		return 0, 0, err
	}
	defer w.Close()
	for _, cfg := range []peers.RouterConfig{netHome, netNext} {
		if _, err := w.NewRouter(ctx, cfg); err != nil {
			return 0, 0, err
		}
	}
	if _, err := w.AwaitNetwork(ctx, "the dongle is at home", countedLimit, peers.In(netHome.SSID, netapi.Good)); err != nil {
		return 0, 0, err
	}
	out, err := w.Outside().Run(ctx, "sh", "-ec", idleScript, netapi.Name, fmt.Sprint(idleFrom.Seconds()), fmt.Sprint(idleFor.Seconds()))
	if err != nil {
		return 0, 0, err
	}
	var before, after [2]float64
	var kilobytes float64
	if _, err := fmt.Sscan(out, &before[0], &before[1], &after[0], &after[1], &kilobytes); err != nil {
		return 0, 0, errors.Join(err, errors.New(out))
	}
	ticks := after[0] + after[1] - before[0] - before[1]
	return ticks / ticksPerSecond / idleFor.Seconds() * 100, kilobytes * 1024 / 1e6, nil
}

// countedLimit is how long a guest that counts may take to boot and join, by the host's clock: one thread emulates all of it.
const countedLimit = 5 * time.Minute
