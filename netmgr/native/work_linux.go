package native

import (
	"context"
	"sync"

	"manofwar/netmgr"
	"manofwar/netmgr/dhcp"
)

// linkWork is what runs on one link while it has carrier.
type linkWork struct {
	host       *host
	index      int
	generation int
	lease      *task // the DHCP client
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
func (w *linkWork) follow(ctx context.Context, lp netmgr.LinkPlan) error {
	if !lp.Lease {
		w.stop()
		return nil
	}
	if w.lease == nil {
		return w.startLease(ctx, lp)
	}
	return nil
}

// startLease starts the DHCP client.
func (w *linkWork) startLease(ctx context.Context, lp netmgr.LinkPlan) error {
	conn, err := dhcp.Listen(lp.Index, lp.Name)
	if err != nil {
		return err
	}
	h, mac := w.host, lp.MAC.String()
	w.lease = startTask(ctx, func(ctx context.Context) {
		client := dhcp.Client{
			Index: lp.Index, MAC: lp.MAC, Hostname: h.options.Hostname, Conn: conn,
			Previous: h.leases.get(mac),
			Log:      h.env.Log.With("link", lp.Name),
			Tell: func(ev netmgr.Event) {
				h.tell(ctx, ev)
				if leased, ok := ev.(netmgr.Leased); ok { // after telling: an SD card may take its time
					h.leases.put(mac, leased.Lease.Address.Addr())
				}
			},
		}
		client.Run(ctx)
		if err := conn.Close(); err != nil {
			client.Log.Debug("dhcp sockets not closed", "err", err)
		}
	})
	return nil
}

// stop ends all that runs on the link.
func (w *linkWork) stop() {
	w.lease.stop()
	w.lease = nil
}
