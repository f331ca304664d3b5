package dhcpd

import (
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"manofwar/netmgr/netnstest"
)

// serve runs a server on a real interface until the function that it returns is called.
func serve(t *testing.T, device, journal string, term time.Duration) (s *Server, stop func()) {
	t.Helper()
	ifi, err := net.InterfaceByName(device)
	if err != nil {
		t.Fatal(err)
	}
	socket, err := Listen(ifi.Index, device, ours.Addr())
	if err != nil {
		t.Fatal(err)
	}
	s = &Server{Address: ours, Term: term, Journal: journal, Conn: socket, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { s.Run(ctx); close(ended) }()
	return s, func() {
		cancel()
		<-ended
		if err := socket.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestRealClients lends to busybox's udhcpc and ISC's dhclient: each has its address within a fraction of a second, gets it
// again from a server that has taken over, and gives it back.
func TestRealClients(t *testing.T) {
	netnstest.Run(t, func(t *testing.T) {
		dir := t.TempDir()
		script := filepath.Join(dir, "script")
		if err := os.WriteFile(script, []byte("#!/bin/sh\n[ \"$1\" = bound ] && echo \"lease of $ip obtained, mask $mask router $router dns $dns lease $lease\"\nexit 0\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		phone := netnstest.NewPeer(t, "phone")
		phone.Cable("ap0", "wlan0")
		netnstest.IP(t, "addr add 192.168.77.1/24 dev ap0")
		netnstest.IP(t, "link set ap0 up")
		journal := filepath.Join(dir, "leases")

		run := func(args ...string) (string, time.Duration) {
			t.Helper()
			began := time.Now()
			log, stop := phone.Start(args...)
			defer stop()
			log.Await(t, "obtained, mask 24 router 192.168.77.1 dns 192.168.77.1 lease 3600", 1, 20*time.Second)
			return regexp.MustCompile(`lease of (\S+) obtained`).FindStringSubmatch(log.String())[1], time.Since(began)
		}
		udhcpc := []string{"busybox", "udhcpc", "-f", "-n", "-i", "wlan0", "-x", "hostname:phone", "-s", script}
		_, stop := serve(t, "ap0", journal, 0)
		first, took := run(udhcpc...)
		t.Logf("udhcpc has %s after %v", first, took)
		stop()

		s, stop := serve(t, "ap0", journal, 0)
		defer stop()
		if again, took := run(append(udhcpc, "-B")...); again != first {
			t.Errorf("%s, was %s, after %v", again, first, took)
		}
		if c := s.Clients(); len(c) != 1 || c[0].Name != "phone" {
			t.Errorf("clients %v", c)
		}

		conf := filepath.Join(dir, "dhclient.conf")
		if err := os.WriteFile(conf, []byte("send host-name \"laptop\";\ninitial-interval 1;\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		dhclientScript := filepath.Join(dir, "dhclient-script")
		if err := os.WriteFile(dhclientScript, []byte("#!/bin/sh\n[ \"$reason\" = BOUND -o \"$reason\" = REBOOT ] && echo \"lease of $new_ip_address obtained, mask 24 router $new_routers dns $new_domain_name_servers lease $new_dhcp_lease_time\"\nexit 0\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		phone.IP("link set wlan0 address 02:00:00:00:00:77")
		leases := filepath.Join(dir, "dhclient.leases")
		dhclient := []string{"dhclient", "-d", "-cf", conf, "-lf", leases, "-pf", filepath.Join(dir, "pid"), "-sf", dhclientScript, "wlan0"}
		second, took := run(dhclient...)
		t.Logf("dhclient has %s after %v", second, took)
		if second == first {
			t.Errorf("dhclient and udhcpc share %s", first)
		}
		if again, _ := run(dhclient...); again != second { // it asks for its old one: INIT-REBOOT
			t.Errorf("%s after a reboot, was %s", again, second)
		}
		text, err := os.ReadFile(leases)
		if err != nil {
			t.Fatal(err)
		}
		foreign := strings.NewReplacer("fixed-address "+second, "fixed-address 10.9.8.7").Replace(string(text))
		if err := os.WriteFile(leases, []byte(foreign), 0o644); err != nil {
			t.Fatal(err)
		}
		if again, took := run(dhclient...); again != second || took > 15*time.Second { // refused at once, then its own
			t.Errorf("%s after %v with a lease of another network, was %s", again, took, second)
		}
	}, "busybox", "dhclient")
}

// TestRenewal renews a short lease of ISC's dhclient again and again, by messages that it sends to us alone. (busybox's
// udhcpc sends those from a socket that it closes at once, and misses an answer that comes sooner.)
func TestRenewal(t *testing.T) {
	netnstest.Run(t, func(t *testing.T) {
		phone := netnstest.NewPeer(t, "phone")
		phone.Cable("ap0", "wlan0")
		netnstest.IP(t, "addr add 192.168.77.1/24 dev ap0")
		netnstest.IP(t, "link set ap0 up")
		dir := t.TempDir()
		script := filepath.Join(dir, "script")
		if err := os.WriteFile(script, []byte("#!/bin/sh\n[ \"$reason\" = BOUND ] && ip address add $new_ip_address/24 dev $interface\necho \"event $reason\"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		s, stop := serve(t, "ap0", "", 10*time.Second)
		defer stop()
		log, _ := phone.Start("dhclient", "-d", "-cf", os.DevNull, "-lf", filepath.Join(dir, "leases"), "-pf", filepath.Join(dir, "pid"), "-sf", script, "wlan0")
		log.Await(t, "event BOUND", 1, 20*time.Second)
		first := s.Clients()
		log.Await(t, "event RENEW", 2, 40*time.Second)
		if out := log.String(); strings.Count(out, "event BOUND") != 1 || strings.Contains(out, "DHCPNAK") || !strings.Contains(out, "wlan0 to 192.168.77.1 port 67") {
			t.Errorf("a renewal went wrong:\n%s", out)
		}
		if again := s.Clients(); len(again) != 1 || again[0].Address != first[0].Address || !again[0].Until.After(first[0].Until) {
			t.Errorf("clients %v, before %v", again, first)
		}
	}, "dhclient")
}
