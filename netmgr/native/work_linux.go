package native

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"

	"manofwar/netmgr"
	"manofwar/netmgr/arp"
	"manofwar/netmgr/dhcp"
)

// linkWork is what runs on one link while it has carrier.
type linkWork struct {
	host       *host
	index      int
	generation int
	hostname   string // that the DHCP client tells
	lease      *task  // the DHCP client
	self       *task  // the claim of a link-local address
}

// task is a goroutine that can be stopped.
type task struct {
	cancel context.CancelFunc
	ended  sync.WaitGroup
}

func startTask(ctx context.Context, f func(context.Context)) *task {
	ctx, cancel := context.WithCancel(ctx)
	t := &task{cancel: cancel}
	t.ended.Go(func() { f(ctx) })
	return t
}

// stop ends the task and waits for it. A nil task has ended.
func (t *task) stop() {
	if t != nil {
		t.cancel()
		t.ended.Wait()
	}
}

// follow starts and stops what the plan says.
func (w *linkWork) follow(ctx context.Context, lp netmgr.LinkPlan, hostname string) error {
	if !lp.Lease {
		w.stop()
		return nil
	}
	if w.lease != nil && w.hostname != hostname { // it asks for its address again, by the new name
		w.lease.stop()
		w.lease = nil
	}
	if w.lease == nil {
		w.hostname = hostname
		if err := w.startLease(ctx, lp); err != nil {
			return err
		}
	}
	if !lp.SelfAssign {
		w.self.stop()
		w.self = nil
	} else if w.self == nil {
		return w.startSelf(ctx, lp)
	}
	return nil
}

// startLease starts the DHCP client, and beside it a guard over the address that it gets.
func (w *linkWork) startLease(ctx context.Context, lp netmgr.LinkPlan) error {
	conn, err := dhcp.Listen(lp.Index, lp.Name)
	if err != nil {
		return err
	}
	neighbours, err := arp.Listen(lp.Index)
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	h, mac, hostname := w.host, lp.MAC.String(), w.hostname
	w.lease = startTask(ctx, func(ctx context.Context) {
		g := guard{conn: neighbours, mac: lp.MAC, rivals: make(chan net.HardwareAddr, 1)}
		client := dhcp.Client{
			Index: lp.Index, MAC: lp.MAC, Hostname: hostname, Conn: conn,
			Previous:  h.leases.get(mac),
			Conflicts: g.rivals,
			Log:       h.env.Log.With("link", lp.Name),
			Tell: func(ev netmgr.Event) {
				h.tell(ctx, ev)
				switch ev := ev.(type) {
				case netmgr.Leased:
					g.over(ctx, ev.Lease.Address.Addr())
					h.leases.put(mac, ev.Lease.Address.Addr()) // last: an SD card may take its time
				case netmgr.Unleased:
					g.over(ctx, netip.Addr{})
				}
			},
		}
		client.Run(ctx)
		g.task.stop()
		if err := errors.Join(conn.Close(), neighbours.Close()); err != nil {
			client.Log.Debug("dhcp sockets not closed", "err", err)
		}
	})
	return nil
}

// startSelf starts claiming a link-local address.
func (w *linkWork) startSelf(ctx context.Context, lp netmgr.LinkPlan) error {
	conn, err := arp.Listen(lp.Index)
	if err != nil {
		return err
	}
	w.self = startTask(ctx, func(ctx context.Context) {
		arp.SelfAssign(ctx, conn, lp.MAC, func(p netip.Prefix) {
			w.host.tell(ctx, netmgr.SelfAssigned{Index: lp.Index, Address: p})
		})
		if err := conn.Close(); err != nil {
			w.host.env.Log.Debug("arp socket not closed", "link", lp.Name, "err", err)
		}
	})
	return nil
}

// stop ends all that runs on the link.
func (w *linkWork) stop() {
	w.lease.stop()
	w.self.stop()
	w.lease, w.self = nil, nil
}

// guard watches for other users of a leased address. The address is in use meanwhile: waiting for the silence that
// proves it free would cost every start a second.
type guard struct {
	conn   arp.Conn
	mac    net.HardwareAddr
	rivals chan net.HardwareAddr

	address netip.Addr
	task    *task
}

// over guards an address from now on; the zero Addr: none.
func (g *guard) over(ctx context.Context, a netip.Addr) {
	if a == g.address {
		return
	}
	g.task.stop()
	g.task, g.address = nil, a
	if !a.IsValid() {
		return
	}
	claim := arp.Claim{Conn: g.conn, MAC: g.mac, Address: a, InUse: true}
	g.task = startTask(ctx, func(ctx context.Context) {
		rival := claim.Probe(ctx)
		if rival == nil {
			rival = claim.Hold(ctx)
		}
		if rival != nil {
			select {
			case g.rivals <- rival:
			case <-ctx.Done():
			}
		}
	})
}
