package native

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"path/filepath"
	"reflect"

	"manofwar/netmgr"
	"manofwar/netmgr/dhcpd"
	"manofwar/netmgr/dns"
	"manofwar/netmgr/link"
	"manofwar/netmgr/nat"
	"manofwar/netmgr/ra"
)

// ownNet is what clients of our own access point need beside it: addresses, names, and a way out. It is for the loop's
// goroutine.
type ownNet struct {
	log  *slog.Logger
	dir  string // for what lasts until the next boot
	kept string // for what lasts

	up      bool
	face    face
	address netip.Prefix
	six     netip.Prefix // ours of IPv6; the zero Prefix: none
	names   *dns.Server
	task    *task
	sharing nat.Sharing
}

// face is the interface of our access point.
type face struct {
	index int
	name  string
	mac   netmgr.MAC
}

// ownPlan is how the network of our access point should be.
type ownPlan struct {
	netmgr.AccessPointPlan
	face     face // zero: the access point is not up
	hostname string
	servers  []netip.Addr
	uplinks  []string
}

// planOwn gathers from a plan what concerns our access point. Faces are those of the radios that are heard: for a moment that may be
// another one than planned, when a radio comes or goes.
func planOwn(p netmgr.Plan, faces map[int]face) ownPlan {
	var out ownPlan
	for _, r := range p.Radios {
		if r.AccessPoint.Up {
			out = ownPlan{AccessPointPlan: r.AccessPoint, face: faces[r.Phy], hostname: p.Hostname, servers: p.DNS}
		}
	}
	if !out.Uplinks {
		return out
	}
	for _, l := range p.Links {
		for _, r := range l.Routes {
			if r.Default() && len(l.Addresses) > 0 {
				out.uplinks = append(out.uplinks, l.Name)
			}
		}
	}
	return out
}

// follow makes the network what the plan says.
func (o *ownNet) follow(ctx context.Context, p ownPlan) error {
	if o.up && (!p.Up || p.face != o.face || p.Address != o.address) {
		o.stop()
	}
	if !p.Up || p.face == (face{}) || !p.Address.IsValid() {
		return o.share(nat.Sharing{})
	}
	if !o.up {
		if err := o.start(ctx, p); err != nil {
			return err
		}
	}
	ours := []netip.Addr{p.Address.Addr()}
	if o.six.IsValid() {
		ours = append(ours, o.six.Addr())
	}
	o.names.Set(dns.Names{Hostname: p.hostname, Addresses: ours, Capture: p.Capture, Servers: p.servers})
	if len(p.uplinks) == 0 {
		return o.share(nat.Sharing{})
	}
	return o.share(nat.Sharing{AccessPoint: p.face.name, Network: p.Address.Masked(), Uplinks: p.uplinks})
}

// share lets clients out. A kernel that cannot is no reason to trouble anybody: the library is there without.
func (o *ownNet) share(s nat.Sharing) error {
	if reflect.DeepEqual(s, o.sharing) {
		return nil
	}
	err := nat.Apply(s)
	if errors.Is(err, nat.ErrUnsupported) {
		o.log.Warn("clients of the access point have no way out", "err", err)
		err = nil
	}
	if err == nil {
		o.sharing = s
	}
	return err
}

// start gives us our address and begins to serve.
func (o *ownNet) start(ctx context.Context, p ownPlan) error {
	if err := link.Apply(netmgr.LinkPlan{Index: p.face.index, Name: p.face.name, Addresses: []netip.Prefix{p.Address}}); err != nil {
		return err
	}
	conn, err := dhcpd.Listen(p.face.index, p.face.name, p.Address.Addr())
	if err != nil {
		return err
	}
	udp, tcp, err := dns.Listen(p.face.name)
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	log := o.log.With("link", p.face.name)
	networks := []netip.Prefix{p.Address.Masked()}
	advertiser, err := o.prepareSix(p.face)
	if err != nil {
		log.Warn("access point without IPv6", "err", err)
	} else {
		networks = append(networks, o.six.Masked())
	}
	names := &dns.Server{Networks: networks, Log: log}
	lender := dhcpd.Server{Address: p.Address, Journal: filepath.Join(o.dir, "dhcp-clients"), Conn: conn, Log: log}
	o.up, o.face, o.address, o.names = true, p.face, p.Address, names
	o.task = startTask(ctx, func(ctx context.Context) {
		answering := startTask(ctx, func(ctx context.Context) { names.Run(ctx, udp, tcp) })
		var advertising *task
		if advertiser != nil {
			advertising = startTask(ctx, advertiser.Run)
		}
		lender.Run(ctx)
		advertising.stop()
		answering.stop()
		if err := conn.Close(); err != nil {
			log.Debug("dhcp sockets not closed", "err", err)
		}
		if advertiser == nil {
			return
		}
		if err := advertiser.Conn.(*ra.Socket).Close(); err != nil {
			log.Debug("advertisement socket not closed", "err", err)
		}
	})
	return nil
}

// prepareSix makes the interface that of a network of IPv6 of our own. What fails costs IPv6 only.
func (o *ownNet) prepareSix(f face) (*ra.Advertiser, error) {
	o.six = netip.Prefix{}
	ours, err := ra.OwnAddress(filepath.Join(o.kept, "own-network"))
	if err != nil {
		return nil, err
	}
	if err := ra.Prepare(f.name, ours); err != nil {
		return nil, err
	}
	conn, err := ra.Listen(f.index, f.name)
	if err != nil {
		return nil, err
	}
	o.six = ours
	return &ra.Advertiser{Address: ours, MAC: f.mac[:], Conn: conn, Log: o.log.With("link", f.name)}, nil
}

// stop ends all of it but the sharing.
func (o *ownNet) stop() {
	if o.up {
		o.task.stop()
		o.up = false
	}
}

// end stops and leaves nothing behind in the kernel.
func (o *ownNet) end() {
	o.stop()
	if err := nat.Remove(); err != nil {
		o.log.Debug("sharing not ended", "err", err)
	}
}
