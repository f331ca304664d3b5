package peers

import (
	"context"
	"fmt"
)

// UnplugRadio takes a radio away from the dongle as when a USB stick is pulled out: the kernel tells whoever listens there that it
// has gone, with its interfaces and whatever was on them. n is its number: 0 for the dongle's first.
func (w *World) UnplugRadio(ctx context.Context, n int) error {
	// A namespace that is made within another place goes with the program that made it, and its radios come back.
	if _, err := w.Outside().Run(ctx, "sh", "-ec", "[ -e /run/netns/drawer ] || ip netns add drawer"); err != nil {
		return err
	}
	_, err := w.Dongle().Run(ctx, "iw", "phy", fmt.Sprint("phy", n), "set", "netns", "name", "drawer")
	return err
}

// PlugRadio gives the dongle a radio back that was taken away.
func (w *World) PlugRadio(ctx context.Context, n int) error {
	_, err := w.Outside().Run(ctx, "sh", "-ec", fmt.Sprintf("ip netns exec drawer iw phy phy%d set netns name %s", n, w.Dongle().Name))
	return err
}
