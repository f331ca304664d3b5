package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"manofwar/internal/lab"
	"manofwar/internal/lab/peers"
	"manofwar/internal/setup"
	netapi "manofwar/netmgr/api"
)

// NetFigures say how quickly a dongle gets over the loss of a network. Times are in seconds, by the guest's own clock.
type NetFigures struct {
	Failover     float64 // 95th percentile: from a router's power cut until TCP works over the next network
	Manager      float64 // the same of NetworkManager, of the cuts that both went through
	Ratio        float64 // of the medians over those cuts, ours to NetworkManager's
	DeadInternet float64 // 95th percentile: from the death of the internet behind a router until TCP works over the next network
	Connect      float64 // median: from the end of the look around that found a known network until there is an address in it
	Loss         float64 // from the last network's power cut until a phone sees the dongle's own
}

// How often things are broken. NetworkManager takes twenty seconds for what is over in two here, and goes through the first
// cuts only.
const (
	netCuts   = 20
	bothCuts  = 6
	deadTimes = 5
)

// The two networks of the bench, and how long one of them is left in peace between two faults.
var (
	netHome = peers.RouterConfig{Name: "home", SSID: "Home", Passphrase: "correct horse", Security: peers.WPA2, Channel: 6}
	netNext = peers.RouterConfig{Name: "next", SSID: "Next", Passphrase: "battery staple", Security: peers.WPA2, Channel: 11}
)

const (
	netPeace  = 6 * time.Second
	deadPeace = 70 * time.Second // a network must have been well for a minute to be trusted again
	netLimit  = 90 * time.Second // of any one recovery
)

// Net measures the network manager in one guest, beside NetworkManager with wpa_supplicant on a radio of its own. say gets
// what happens, by lines.
func Net(ctx context.Context, dir string, say func(string)) (f NetFigures, err error) {
	b, err := newNetBench(ctx, dir, say)
	if err != nil {
		return f, err
	}
	defer b.world.Close()
	if err := b.failovers(ctx, &f); err != nil {
		return f, err
	}
	if f.DeadInternet, err = b.deadInternet(ctx); err != nil {
		return f, err
	}
	f.Loss, err = b.loss(ctx)
	return f, err
}

// netBench is the guest of the bench.
type netBench struct {
	world    *peers.World
	routers  []*peers.Router // the one in use first
	dongle   *peers.Watching
	computer *peers.Computer
	manager  *peers.Watching // what the computer reaches
	joins    *joins
	phone    *peers.Place
	say      func(string)
}

// newNetBench boots the dongle and waits until it and the computer are in the same network.
func newNetBench(ctx context.Context, dir string, say func(string)) (b *netBench, err error) {
	image, err := lab.Image(ctx, lab.ImageOptions{Dir: dir, Board: peers.Board})
	if err != nil {
		return nil, err
	}
	w, err := peers.Start(ctx, dir, peers.Config{
		Image: image, Radios: 5, Dongle: 1, Memory: 1536, Limit: 40 * time.Minute, Prepare: peers.WithSetup(ctx, netKnown()),
	})
	if err != nil {
		return nil, err
	}
	b = &netBench{world: w, say: say}
	if err := b.furnish(ctx); err != nil {
		w.Close()
		return nil, err
	}
	return b, nil
}

// netKnown is what the dongle knows: both networks, the first one preferred.
func netKnown() setup.Setup {
	known := setup.Setup{Country: "DE"}
	for _, r := range []peers.RouterConfig{netHome, netNext} {
		known.WiFi = append(known.WiFi, setup.WiFi{SSID: r.SSID, Passphrase: r.Passphrase})
	}
	return known
}

func (b *netBench) furnish(ctx context.Context) (err error) {
	for _, cfg := range []peers.RouterConfig{netHome, netNext} {
		r, err := b.world.NewRouter(ctx, cfg)
		if err != nil {
			return err
		}
		b.routers = append(b.routers, r)
	}
	if b.phone, err = b.world.NewPlace(ctx, "phone"); err != nil {
		return err
	}
	if b.computer, err = b.world.NewComputer(ctx, "computer"); err != nil {
		return err
	}
	for i, cfg := range []peers.RouterConfig{netHome, netNext} {
		if err := b.computer.Know(ctx, cfg.SSID, cfg.Passphrase, 10-i); err != nil {
			return err
		}
	}
	if b.joins, err = newJoins(ctx, b.world.Dongle()); err != nil {
		return err
	}
	if b.dongle, err = b.world.Dongle().Watch(ctx); err != nil {
		return err
	}
	if b.manager, err = b.computer.Watch(ctx); err != nil {
		return err
	}
	if _, err := b.world.AwaitNetwork(ctx, "the dongle is at home", netLimit, peers.In(netHome.SSID, netapi.Good)); err != nil {
		return err
	}
	_, err = b.until(ctx, b.manager, netHome.Name, 0)
	return err
}

// until waits until somebody reaches the internet through a router, and returns when.
func (b *netBench) until(ctx context.Context, w *peers.Watching, router string, after time.Duration) (time.Duration, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, netLimit, fmt.Errorf("%s was not reached within %v", router, netLimit))
	defer cancel()
	return w.Until(ctx, router, after)
}

// failovers cuts the power of whichever router is in use, again and again.
func (b *netBench) failovers(ctx context.Context, f *NetFigures) error {
	var ours, both, theirs []float64
	for n := range netCuts {
		if err := peace(ctx, netPeace); err != nil {
			return err
		}
		used, next := b.routers[0], b.routers[1]
		cut, err := used.PowerCut(ctx)
		if err != nil {
			return err
		}
		at, err := b.until(ctx, b.dongle, next.Name, cut)
		if err != nil {
			return fmt.Errorf("cut %d: the dongle: %w", n+1, err)
		}
		ours = append(ours, (at - cut).Seconds())
		line := fmt.Sprintf("cut %d of %d: %.2f s", n+1, netCuts, ours[n])
		if n < bothCuts {
			if at, err = b.until(ctx, b.manager, next.Name, cut); err != nil {
				return fmt.Errorf("cut %d: NetworkManager: %w", n+1, err)
			}
			both, theirs = append(both, ours[n]), append(theirs, (at-cut).Seconds())
			line += fmt.Sprintf(", NetworkManager %.2f s", theirs[n])
		}
		b.say(line)
		if err := used.PowerOn(ctx); err != nil {
			return err
		}
		b.routers[0], b.routers[1] = next, used
	}
	f.Failover, f.Manager, f.Ratio = percentile(ours, 95), percentile(theirs, 95), median(both)/median(theirs)
	var err error
	f.Connect, err = b.joins.median()
	return err
}

// deadInternet swallows what goes to the internet behind the router in use, again and again.
func (b *netBench) deadInternet(ctx context.Context) (float64, error) {
	var took []float64
	for n := range deadTimes {
		if err := peace(ctx, deadPeace); err != nil {
			return 0, err
		}
		if b.dongle.Now() == b.routers[1].Name { // it went back to the network it prefers, which was well again for a minute
			slices.Reverse(b.routers)
		}
		used, next := b.routers[0], b.routers[1]
		cut, err := used.BlackHole(ctx, true)
		if err != nil {
			return 0, err
		}
		at, err := b.until(ctx, b.dongle, next.Name, cut)
		if err != nil {
			return 0, fmt.Errorf("dead internet %d: %w", n+1, err)
		}
		took = append(took, (at - cut).Seconds())
		b.say(fmt.Sprintf("dead internet %d of %d: %.2f s", n+1, deadTimes, took[n]))
		if _, err := used.BlackHole(ctx, false); err != nil {
			return 0, err
		}
		b.routers[0], b.routers[1] = next, used
	}
	return percentile(took, 95), nil
}

// loss cuts the power of both routers, and looks for the dongle's own network.
func (b *netBench) loss(ctx context.Context) (float64, error) {
	if err := peace(ctx, netPeace); err != nil {
		return 0, err
	}
	if _, err := b.routers[1].PowerCut(ctx); err != nil {
		return 0, err
	}
	cut, err := b.routers[0].PowerCut(ctx)
	if err != nil {
		return 0, err
	}
	at, err := see(ctx, b.phone, ownPrefix)
	if err != nil {
		var status json.RawMessage
		err = errors.Join(err, b.world.Ask(ctx, http.MethodGet, "/api/v1/network", nil, &status))
		return 0, fmt.Errorf("%w; the dongle says %s", err, status)
	}
	return (at - cut).Seconds(), nil
}

// peace lets a network be in use for a while.
func peace(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// percentile returns the value that p percent of the values do not exceed.
func percentile(v []float64, p int) float64 {
	if len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	return v[max(0, (len(v)*p+99)/100-1)]
}

// AccessPointAfterBoot returns how many seconds after power-on a phone sees the network of a dongle that knows none: the median
// of several boots.
func AccessPointAfterBoot(ctx context.Context, dir string, say func(string)) (float64, error) {
	image, err := lab.Image(ctx, lab.ImageOptions{Dir: dir, Board: peers.Board})
	if err != nil {
		return 0, err
	}
	var took []float64
	for range apBoots {
		s, err := accessPointAfterBoot(ctx, dir, image)
		if err != nil {
			return 0, err
		}
		say(fmt.Sprintf("own access point after boot: %.1f s", s))
		took = append(took, s)
	}
	return median(took), nil
}

const apBoots = 3

func accessPointAfterBoot(ctx context.Context, dir, image string) (float64, error) {
	w, err := peers.Start(ctx, dir, peers.Config{Image: image, Radios: 2, Dongle: 1})
	if err != nil {
		return 0, err
	}
	defer w.Close()
	phone, err := w.NewPlace(ctx, "phone")
	if err != nil {
		return 0, err
	}
	if _, err := see(ctx, phone, ownPrefix); err != nil {
		return 0, errors.Join(err, errors.New(w.Console.Tail(20)))
	}
	return time.Since(w.Boots()[0].Began).Seconds(), nil
}
