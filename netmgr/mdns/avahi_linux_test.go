package mdns

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"manofwar/netmgr"
	"manofwar/netmgr/netnstest"
)

// avahi starts Debian's responder in the peer's namespace, with a message bus of its own, and returns how to run a
// program that asks it.
func avahi(t *testing.T, peer *netnstest.Peer, hostname, device string) (ask func(args ...string) string, log *netnstest.Output) {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	bus := "unix:path=" + filepath.Join(dir, "bus")
	busConf := write("bus.conf", `<busconfig><type>system</type><listen>`+bus+`</listen><auth>EXTERNAL</auth>
		<policy context="default"><allow user="*"/><allow own="*"/><allow send_type="method_call"/><allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>`)
	busLog, _ := peer.Start("dbus-daemon", "--nofork", "--print-address", "--config-file="+busConf)
	busLog.Await(t, bus, 1, 10*time.Second)

	conf := write("avahi.conf", "[server]\nhost-name="+hostname+"\nallow-interfaces="+device+"\n[publish]\npublish-hinfo=no\npublish-workstation=no\n[rlimits]\n")
	run := filepath.Join(dir, "run")
	if err := os.Mkdir(run, 0o755); err != nil {
		t.Fatal(err)
	}
	// Its process ID file has a fixed place: a mount namespace of its own keeps it off the host's.
	log, _ = peer.Start("unshare", "--mount", "sh", "-c", "mkdir -p /run/avahi-daemon && mount -t tmpfs none /run/avahi-daemon && "+
		"exec env DBUS_SYSTEM_BUS_ADDRESS="+bus+" avahi-daemon --no-drop-root --no-chroot --no-rlimits --debug --file="+conf)
	log.Await(t, "Server startup complete", 1, 20*time.Second)
	return func(args ...string) string {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		cmd := peer.Command(append([]string{"env", "DBUS_SYSTEM_BUS_ADDRESS=" + bus, "timeout", "8"}, args...)...)
		done := make(chan struct{})
		go func() { // the command knows no context
			select {
			case <-ctx.Done():
				_ = cmd.Process.Kill()
			case <-done:
			}
		}()
		out, err := cmd.CombinedOutput()
		close(done)
		if err != nil {
			t.Logf("%v: %v", args, err)
		}
		return string(out)
	}, log
}

// start runs a responder on a real interface.
func start(t *testing.T, hostname, device string) (names <-chan string, wants chan<- Want, announcement netmgr.Announcement) {
	t.Helper()
	ifi, err := net.InterfaceByName(device)
	if err != nil {
		t.Fatal(err)
	}
	socket, err := Listen()
	if err != nil {
		t.Fatal(err)
	}
	won, what := make(chan string, 8), make(chan Want)
	r := Responder{
		Wants: what, Transport: socket, Reverse: true, Tell: func(_, n string) { won <- n },
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { r.Run(ctx); close(ended) }()
	t.Cleanup(func() {
		cancel()
		<-ended
		if err := socket.Close(); err != nil {
			t.Error(err)
		}
	})
	a := on("192.0.2.9/24")
	a.Index, a.Name = ifi.Index, device
	what <- Want{hostname, []netmgr.Announcement{a}}
	return won, what, a
}

func awaitName(t *testing.T, names <-chan string, want string) {
	t.Helper()
	select {
	case got := <-names:
		if got != want {
			t.Fatalf("won %q, want %q", got, want)
		}
	case <-time.After(20 * time.Second):
		t.Fatalf("won nothing, want %q", want)
	}
}

// resolve has avahi find the host behind an announced page, and that host's address of one IP version. What it says is on one
// line, in the words of dbus-send. avahi-browse cannot be asked so: of a host with two addresses it tells either.
func resolve(t *testing.T, ask func(args ...string) string, instance string, version int) string {
	t.Helper()
	protocol := map[int]string{4: "int32:0", 6: "int32:1"}[version] // AVAHI_PROTO_INET, AVAHI_PROTO_INET6
	for deadline := time.Now().Add(time.Minute); ; {                // avahi gives up after 5 s, which may be too soon under load
		out := ask("dbus-send", "--system", "--print-reply", "--dest=org.freedesktop.Avahi", "/", "org.freedesktop.Avahi.Server.ResolveService",
			"int32:-1", "int32:-1", "string:"+instance, "string:_http._tcp", "string:local", protocol, "uint32:0")
		if strings.Contains(out, "method return") {
			return strings.Join(strings.Fields(out), " ")
		}
		if time.Now().After(deadline) {
			t.Fatalf("avahi finds no IPv%d behind %s: %s", version, instance, out)
		}
	}
}

// linkLocal is the IPv6 address that an interface gave itself.
func linkLocal(t *testing.T, device string) string {
	t.Helper()
	ifi, err := net.InterfaceByName(device)
	if err != nil {
		t.Fatal(err)
	}
	addrs, err := ifi.Addrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is6() && p.Addr().IsLinkLocalUnicast() {
			return p.Addr().String()
		}
	}
	t.Fatalf("%s has no link-local address: %v", device, addrs)
	return ""
}

// TestAvahi meets Debian's avahi: it finds our name and address both ways, finds the announced page, takes no name of
// ours and gives none of its own.
func TestAvahi(t *testing.T) {
	netnstest.Run(t, func(t *testing.T) {
		peer := netnstest.NewPeer(t, "avahi")
		peer.Cable("eth0", "lan0")
		peer.IP("addr add 192.0.2.7/24 dev lan0")
		netnstest.IP(t, "addr add 192.0.2.9/24 dev eth0")
		netnstest.IP(t, "link set eth0 up")
		ask, log := avahi(t, peer, "parrot", "lan0")

		names, _, a := start(t, "pirate", "eth0")
		awaitName(t, names, "pirate")
		if out := ask("avahi-resolve", "-4", "-n", "pirate.local"); !strings.Contains(out, "192.0.2.9") {
			t.Errorf("by name: %s", out)
		}
		if out := ask("avahi-resolve", "-a", "192.0.2.9"); !strings.Contains(out, "pirate.local") {
			t.Errorf("by address: %s", out)
		}

		end, err := Announce(Service{Instance: "pirate", Type: "_http._tcp", Port: 80, Text: []string{"path=/"}}, "pirate", []netmgr.Announcement{a})
		if err != nil {
			t.Fatal(err)
		}
		defer end()
		for version, address := range map[int]string{4: `int32 0 string "192.0.2.9"`, 6: `int32 1 string "` + linkLocal(t, "eth0") + `"`} {
			want := `string "pirate" string "_http._tcp" string "local" string "pirate.local" ` + address + ` uint16 80 array [ array of bytes "path=/" ]`
			if out := resolve(t, ask, "pirate", version); !strings.Contains(out, want) {
				t.Errorf("page, IPv%d: %s; want %s", version, out, want)
			}
		}
		if out := ask("avahi-browse", "--terminate", "--parsable", "--no-db-lookup", "_http._tcp"); !strings.Contains(out, ";pirate;_http._tcp;local\n") {
			t.Errorf("browse: %s", out)
		}

		taken, _, _ := start(t, "parrot", "eth0")
		awaitName(t, taken, "parrot-2")
		if strings.Contains(log.String(), "Host name conflict") {
			t.Errorf("avahi saw a conflict:\n%s", log)
		}
		ask("avahi-set-host-name", "pirate")
		log.Await(t, "pirate-2.local", 1, 20*time.Second)
	}, "avahi-daemon", "avahi-resolve", "avahi-browse", "avahi-set-host-name", "dbus-daemon", "dbus-send", "unshare")
}

// TestAvahiFollows changes networks under Debian's avahi: each time it finds us at the new address within seconds, by the
// host's name and by the announced page, and never again at the old one.
func TestAvahiFollows(t *testing.T) {
	netnstest.Run(t, func(t *testing.T) {
		peer := netnstest.NewPeer(t, "avahi")
		peer.Cable("eth0", "lan0")
		peer.IP("addr add 192.0.2.7/24 dev lan0")
		netnstest.IP(t, "addr add 192.0.2.9/24 dev eth0")
		netnstest.IP(t, "link set eth0 up")
		ask, _ := avahi(t, peer, "parrot", "lan0")
		names, wants, a := start(t, "pirate", "eth0")
		awaitName(t, names, "pirate")

		page := Service{Instance: "pirate", Type: "_http._tcp", Port: 80}
		end := func() {}
		defer func() { end() }()
		found := func(address string) {
			t.Helper()
			began := time.Now()
			for {
				host := ask("avahi-resolve", "-4", "-n", "pirate.local")
				browsed := ask("avahi-browse", "--resolve", "--terminate", "--parsable", "--no-db-lookup", "_http._tcp")
				if strings.Contains(host, "\t"+address+"\n") && strings.Contains(browsed, ";pirate.local;"+address+";80;") {
					break
				}
				if time.Since(began) > 10*time.Second {
					t.Fatalf("not found at %s: %s%s", address, host, browsed)
				}
			}
			t.Logf("found at %s after %v", address, time.Since(began).Round(10*time.Millisecond))
		}
		for i, address := range []string{"192.0.2.9", "192.0.2.10", "192.0.2.11"} {
			if i > 0 {
				netnstest.IP(t, "addr flush dev eth0 scope global")
				if i == 2 { // this time the link was gone in between
					wants <- Want{Hostname: "pirate"}
				}
				netnstest.IP(t, "addr add "+address+"/24 dev eth0")
			}
			a.Addresses = []netip.Prefix{netip.MustParsePrefix(address + "/24")}
			wants <- Want{"pirate", []netmgr.Announcement{a}}
			end()
			var err error
			if end, err = Announce(page, "pirate", []netmgr.Announcement{a}); err != nil {
				t.Fatal(err)
			}
			found(address)
		}
	}, "avahi-daemon", "avahi-resolve", "avahi-browse", "dbus-daemon", "unshare")
}

// TestAvahiRenamed gives us another name, as a person writes it, under Debian's avahi: it finds the new one and the page under
// it, and the old one no more.
func TestAvahiRenamed(t *testing.T) {
	netnstest.Run(t, func(t *testing.T) {
		peer := netnstest.NewPeer(t, "avahi")
		peer.Cable("eth0", "lan0")
		peer.IP("addr add 192.0.2.7/24 dev lan0")
		netnstest.IP(t, "addr add 192.0.2.9/24 dev eth0")
		netnstest.IP(t, "link set eth0 up")
		ask, _ := avahi(t, peer, "parrot", "lan0")
		names, wants, a := start(t, "pirate", "eth0")
		awaitName(t, names, "pirate")
		if out := ask("avahi-resolve", "-4", "-n", "pirate.local"); !strings.Contains(out, "192.0.2.9") {
			t.Errorf("by the old name: %s", out)
		}
		const called = `Küche, St. John's \ "5"`
		wants <- Want{netmgr.Label(called), []netmgr.Announcement{a}}
		awaitName(t, names, "kueche-st-johns-5")
		end, err := Announce(Service{Instance: called, Type: "_http._tcp", Port: 80}, "kueche-st-johns-5", []netmgr.Announcement{a})
		if err != nil {
			t.Fatal(err)
		}
		defer end()
		if out := ask("avahi-resolve", "-4", "-n", "kueche-st-johns-5.local"); !strings.Contains(out, "192.0.2.9") {
			t.Errorf("by the new name: %s", out)
		}
		page := `string "kueche-st-johns-5.local" int32 0 string "192.0.2.9" uint16 80 `
		if out := resolve(t, ask, called, 4); !strings.Contains(out, page) {
			t.Errorf("page: %s; want %s", out, page)
		}
		out := ask("avahi-browse", "--terminate", "--parsable", "--no-db-lookup", "_http._tcp")
		const escaped = `K\195\188che\044\032St\.\032John\039s\032\\\032\0345\034` // as avahi writes it
		if !strings.Contains(out, ";"+escaped+";_http._tcp;local\n") {
			t.Errorf("browse: %s", out)
		}
		if out := ask("avahi-resolve", "-a", "192.0.2.9"); !strings.Contains(out, "kueche-st-johns-5.local") {
			t.Errorf("by address: %s", out)
		}
		began := time.Now()
		if out := ask("avahi-resolve", "-4", "-n", "pirate.local"); strings.Contains(out, "192.0.2.9") {
			t.Errorf("the old name is still answered: %s", out)
		}
		t.Logf("the old name was given up after %v", time.Since(began).Round(10*time.Millisecond))
	}, "avahi-daemon", "avahi-resolve", "avahi-browse", "dbus-daemon", "dbus-send", "unshare")
}
