package native

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"manofwar/internal/ipc"
	"manofwar/internal/service"
	"manofwar/netmgr/api"
	"manofwar/netmgr/netnstest"
)

func leased(l api.Link) bool {
	return l.State == api.LANOnly && l.Gateway.Is4() && hasIPv4(l)
}

func hasIPv4(l api.Link) bool { return len(l.Addresses) > 0 && l.Addresses[0].Addr().Is4() }

// server is a DHCP server that runs.
type server struct {
	*netnstest.Output
	stop func()
}

// newRouter makes a peer that is a router with a DHCP server, on the other end of eth0.
func newRouter(t *testing.T, more ...string) (*netnstest.Peer, server) {
	t.Helper()
	router := netnstest.NewPeer(t, "router")
	router.Cable("eth0", "lan0")
	router.IP("addr add 192.0.2.1/24 dev lan0")
	if !slices.ContainsFunc(more, func(s string) bool { return strings.HasPrefix(s, "--dhcp-range") }) {
		more = append(more, "--dhcp-range=192.0.2.50,192.0.2.99,2m")
	}
	return router, startDnsmasq(t, router, "lan0", more...)
}

// startDnsmasq starts Debian's dnsmasq as a DHCP server that writes what it does.
func startDnsmasq(t *testing.T, peer *netnstest.Peer, device string, more ...string) server {
	t.Helper()
	if !slices.ContainsFunc(more, func(s string) bool { return strings.HasPrefix(s, "--port") }) {
		more = append(more, "--port=0") // no name server
	}
	out, stop := peer.Start(append([]string{
		"dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--log-dhcp", "--leasefile-ro", "--user=root",
		"--dhcp-authoritative", "--no-ping", "--bind-interfaces", "--interface=" + device, "--dhcp-option=option:dns-server,192.0.2.1",
	}, more...)...)
	out.Await(t, "started, version", 1, 10*time.Second)
	return server{out, stop}
}

// running is a service under test.
type running struct {
	env    service.Env
	client *api.Client
	stop   func() error
}

func startService(t *testing.T, o Options) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ready := make(chan struct{})
	env := service.Env{
		Name: api.Name, StateDir: t.TempDir(), RunDir: t.TempDir(), Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Ready: func() { close(ready) }, Healthy: func(error) {},
	}
	ended := make(chan error, 1)
	go func() { ended <- New(o).Run(ctx, env) }()
	select {
	case <-ready:
	case err := <-ended:
		cancel()
		t.Fatalf("the service ended: %v", err)
	}
	r := &running{env: env, client: api.NewClient(env.RunDir)}
	stopped := false
	r.stop = func() error { cancel(); stopped = true; return <-ended }
	t.Cleanup(func() {
		if stopped {
			return
		}
		if err := r.stop(); err != nil {
			t.Errorf("the service ended: %v", err)
		}
	})
	return r
}

// await follows the events until a link is as wanted.
func (r *running) await(t *testing.T, want func(api.Link) bool) (link api.Link) {
	t.Helper()
	r.awaitStatus(t, func(s api.Status) bool {
		for _, l := range s.Links {
			if want(l) {
				link = l
				return true
			}
		}
		return false
	})
	return link
}

// awaitStatus follows the events until the network is as wanted.
func (r *running) awaitStatus(t *testing.T, want func(api.Status) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second)
	events := make(chan ipc.Event, 64)
	ended := make(chan error, 1)
	defer func() { cancel(); <-ended }()
	go func() {
		for ev, err := range r.client.Events(ctx) {
			if err != nil {
				ended <- err
				return
			}
			events <- ev
		}
		ended <- nil
	}()
	for {
		s, err := r.client.Status(ctx)
		if err != nil {
			t.Fatalf("status: %v (last %+v)", err, s)
		}
		if want(s) {
			return
		}
		select {
		case <-events:
		case <-time.After(100 * time.Millisecond): // an event may have come before the stream was open
		case <-ctx.Done():
			t.Fatalf("not as wanted: %+v", s)
		}
	}
}
