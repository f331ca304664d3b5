//go:build hwsim

package link

import (
	"context"
	"os"
	"testing"
	"time"

	"manofwar/netmgr"
	"manofwar/netmgr/hwsimtest"
)

// TestTethering plugs a simulated phone into a simulated USB port, then a network card of the same protocol: they differ
// by their addresses only.
func TestTethering(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to plug in USB devices")
	}
	for _, module := range []string{"cdc_ether", "dummy_hcd"} { // nobody else answers the kernel's uevents
		hwsimtest.Run(t, "modprobe", module)
		t.Cleanup(func() { hwsimtest.Run(t, "modprobe", "-r", module) })
	}
	for _, c := range []struct {
		name, address string
		want          netmgr.Kind
	}{
		{"phone", "6e:01:02:03:04:05", netmgr.USB},
		{"card", "00:0e:c6:01:02:03", netmgr.Ethernet},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		seen := make(chan netmgr.Kind, 1)
		ended := make(chan error)
		go func() {
			ended <- Watch(ctx, func(ev netmgr.Event) {
				if ev, ok := ev.(netmgr.LinkChanged); ok && ev.Link.MAC.String() == c.address {
					select {
					case seen <- ev.Link.Kind:
					default:
					}
				}
			})
		}()
		hwsimtest.Run(t, "modprobe", "g_ether", "host_addr="+c.address)
		select {
		case kind := <-seen:
			if kind != c.want {
				t.Errorf("%s: %s, want %s", c.name, kind, c.want)
			}
		case <-ctx.Done():
			t.Errorf("%s: not seen", c.name)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		hwsimtest.Run(t, "modprobe", "-r", "g_ether")
	}
}
