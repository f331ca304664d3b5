//go:build !linux

package native

import (
	"context"
	"net"
	"net/netip"
	"os"
	"slices"
	"time"

	"manofwar/internal/media"
	"manofwar/internal/service"
	"manofwar/netmgr"
	"manofwar/netmgr/api"
)

// host looks at the network of a computer that manages it itself and answers its own name.
type host struct {
	tell func(context.Context, netmgr.Event)
}

func newHost(_ Options, _ service.Env, tell func(context.Context, netmgr.Event)) *host {
	return &host{tell: tell}
}

// lookAgain is how often the network is looked at: these systems are not asked to announce changes.
const lookAgain = 10 * time.Second

// run tells what happens to the links until ctx ends.
func (h *host) run(ctx context.Context) error {
	if name, err := os.Hostname(); err == nil {
		h.tell(ctx, netmgr.Named{Hostname: hostLabel(name)}) // which the system itself answers
	}
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	known := make(map[int]bool)
	for {
		h.look(ctx, known)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// look tells how every link is. A system that does not say is asked again.
func (h *host) look(ctx context.Context, known map[int]bool) {
	all, err := net.Interfaces()
	if err != nil {
		return
	}
	seen := make(map[int]bool)
	for _, i := range all {
		list := addresses(i)
		if len(i.HardwareAddr) != 6 || i.Flags&net.FlagLoopback != 0 || !slices.ContainsFunc(list, routed) {
			continue // these systems have many that lead nowhere
		}
		seen[i.Index], known[i.Index] = true, true
		h.tell(ctx, netmgr.LinkChanged{Link: netmgr.Link{
			Index: i.Index, Name: i.Name, Kind: netmgr.Ethernet, MAC: i.HardwareAddr,
			Up: i.Flags&net.FlagUp != 0, Carrier: i.Flags&net.FlagRunning != 0, Addresses: list,
		}})
	}
	for index := range known {
		if !seen[index] {
			delete(known, index)
			h.tell(ctx, netmgr.LinkGone{Index: index})
		}
	}
}

func routed(p netip.Prefix) bool { return p.Addr().IsGlobalUnicast() }

func addresses(i net.Interface) []netip.Prefix {
	list, err := i.Addrs()
	if err != nil {
		return nil
	}
	var out []netip.Prefix
	for _, a := range list {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			out = append(out, netip.PrefixFrom(p.Addr().Unmap(), p.Bits()))
		}
	}
	slices.SortFunc(out, netip.Prefix.Compare)
	return out
}

// wanted is what the owner has chosen: nothing is, here.
type wanted struct {
	secret func(profileID string) (password string, ok bool)
	judge  api.JudgeSettings
}

// carryOut has nothing to do: the host manages its network itself.
func (h *host) carryOut(context.Context, netmgr.Plan, wanted) error { return nil }

func (h *host) drives() bool       { return false }
func (h *host) choose(string)      {}
func (h *host) country() string    { return "" }
func (h *host) heard(netmgr.Event) {}

// announce is not possible: the host's own system has the port.
func (h *host) announce(offered) (end func(), err error) { return nil, media.ErrUnsupported }

func (h *host) stop() {}
