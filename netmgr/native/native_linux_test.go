package native

import (
	"context"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"manofwar/internal/ipc"
	"manofwar/internal/service"
	"manofwar/netmgr/api"
	"manofwar/netmgr/netnstest"
)

// TestWired brings a cable up against Debian's dnsmasq: an address, a route and a name server come at once, go with the
// carrier, and come back with it.
func TestWired(t *testing.T) {
	netnstest.Run(t, func(t *testing.T) {
		router := netnstest.NewPeer(t, "router")
		router.Cable("eth0", "lan0")
		router.IP("addr add 192.0.2.1/24 dev lan0")
		log, _ := router.Start(dnsmasq("lan0", "--dhcp-range=192.0.2.50,192.0.2.99,2m", "--dhcp-option=option:ntp-server,192.0.2.1")...)
		log.Await(t, "sockets bound exclusively to interface lan0", 1, 10*time.Second)

		began := time.Now()
		s := startService(t, Options{Hostname: "pirate", TimeServers: []string{}})
		link := s.await(t, func(l api.Link) bool { return l.State == api.LANOnly })
		t.Logf("service start to address: %v", time.Since(began))
		if link.Gateway != netip.MustParseAddr("192.0.2.1") || len(link.DNS) != 1 || link.DNS[0] != link.Gateway {
			t.Errorf("gateway and name servers: %+v", link)
		}
		conf, err := os.ReadFile(filepath.Join(s.env.RunDir, "netmgr", "resolv.conf"))
		if err != nil || !strings.Contains(string(conf), "nameserver 192.0.2.1\n") {
			t.Errorf("resolv.conf: %v\n%s", err, conf)
		}
		first := link.Addresses

		router.IP("link set lan0 down")
		s.await(t, func(l api.Link) bool { return l.State == api.Down && len(l.Addresses) == 0 })
		router.IP("link set lan0 up")
		began = time.Now()
		link = s.await(t, func(l api.Link) bool { return l.State == api.LANOnly })
		t.Logf("carrier to address: %v", time.Since(began))
		if link.Addresses[0] != first[0] {
			t.Errorf("address %v after the carrier came back, before %v", link.Addresses, first)
		}
	}, "dnsmasq")
}

// dnsmasq returns a command line for a DHCP server that writes what it does.
func dnsmasq(device string, more ...string) []string {
	return append([]string{
		"dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--log-dhcp", "--port=0", "--leasefile-ro", "--user=root",
		"--dhcp-authoritative", "--no-ping", "--bind-interfaces", "--interface=" + device, "--dhcp-option=option:dns-server,192.0.2.1",
	}, more...)
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

// await follows the events until the first link is as wanted.
func (r *running) await(t *testing.T, want func(api.Link) bool) api.Link {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	events, errs := make(chan ipc.Event, 64), make(chan error, 1)
	go func() {
		defer close(errs)
		for ev, err := range r.client.Events(ctx) {
			if err != nil {
				errs <- err
				return
			}
			events <- ev
		}
	}()
	var last api.Status
	for {
		s, err := r.client.Status(ctx)
		if err != nil {
			t.Fatalf("status: %v (last %+v)", err, last)
		}
		last = s
		for _, l := range s.Links {
			if want(l) {
				return l
			}
		}
		select {
		case <-events:
		case <-time.After(100 * time.Millisecond): // an event may have come before the stream was open
		case err := <-errs:
			t.Fatalf("events: %v (last %+v)", err, last)
		}
	}
}
