package link

import (
	"context"
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/netmgr"
	"manofwar/netmgr/netnstest"
)

// userOption returns a message of the kernel with an option for name servers.
func userOption(index, lifetime uint32, servers ...netip.Addr) []byte {
	o := []byte{optionServers, byte(1 + 2*len(servers)), 0, 0}
	o = binary.BigEndian.AppendUint32(o, lifetime)
	for _, s := range servers {
		o = append(o, s.AsSlice()...)
	}
	b := []byte{unix.AF_INET6, 0}
	b = binary.NativeEndian.AppendUint16(b, uint16(len(o)))
	b = binary.NativeEndian.AppendUint32(b, index)
	b = append(b, typeAdvertisement, 0, 0, 0, 0, 0, 0, 0)
	return append(b, o...)
}

// TestAdvertisement reads what the kernel passes on, and takes no address at which nobody can be.
func TestAdvertisement(t *testing.T) {
	six, local := netip.MustParseAddr("2001:db8::53"), netip.MustParseAddr("fe80::1")
	a, ok := parseAdvertisement(userOption(7, 600, six, netip.IPv6Unspecified(), netip.MustParseAddr("ff02::1"), netip.IPv6Loopback(), local))
	if !ok || a.index != 7 || a.lifetime != 10*time.Minute || !slices.Equal(a.servers, []netip.Addr{six, local}) {
		t.Errorf("%+v, %v", a, ok)
	}
	now := time.Now()
	if ev := a.event(now, "eth0"); ev.Index != 7 || !ev.Until.Equal(now.Add(10*time.Minute)) || ev.DNS[1].String() != "fe80::1%eth0" {
		t.Errorf("%+v", ev)
	}
	good := userOption(7, 600, six)
	for n := range good {
		if _, ok := parseAdvertisement(good[:n]); ok {
			t.Errorf("%d bytes are taken for all", n)
		}
	}
	for name, at := range map[string]int{"another family": 0, "another message": 8, "another option": userOptionHeader} {
		bad := slices.Clone(good)
		bad[at]++
		if _, ok := parseAdvertisement(bad); ok {
			t.Errorf("%s is taken", name)
		}
	}
}

// FuzzAdvertisement reads whatever routers send.
func FuzzAdvertisement(f *testing.F) {
	f.Add(userOption(7, 600, netip.MustParseAddr("2001:db8::53")))
	f.Fuzz(func(t *testing.T, b []byte) {
		if a, ok := parseAdvertisement(b); ok && (len(a.servers) == 0 || len(a.servers) > maxAdvertised || len(a.servers)*16 > len(b)) {
			t.Errorf("%+v of %d bytes", a, len(b))
		}
	})
}

// TestRouter learns the name server of a network with IPv6 only from Debian's dnsmasq: when the link comes up, and again
// at once when the manager starts anew.
func TestRouter(t *testing.T) {
	netnstest.Run(t, func(t *testing.T) {
		router := netnstest.NewPeer(t, "router")
		router.Cable("eth0", "lan0")
		router.IP("addr add 2001:db8::1/64 dev lan0 nodad")
		router.Start("dnsmasq", "--keep-in-foreground", "--port=0", "--conf-file=/dev/null", "--user=root", "--pid-file=", "--leasefile-ro",
			"--interface=lan0", "--bind-interfaces", "--enable-ra", "--dhcp-range=2001:db8::,ra-only", "--dhcp-option=option6:dns-server,[2001:db8::53]")

		for _, when := range []string{"link up", "manager anew"} {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			began := time.Now()
			named := make(chan netmgr.RouterNamed, 64)
			ended := make(chan error)
			go func() {
				ended <- Watch(ctx, func(ev netmgr.Event) {
					if ev, ok := ev.(netmgr.RouterNamed); ok {
						named <- ev
					}
				})
			}()
			netnstest.IP(t, "link set eth0 up")
			select {
			case ev := <-named:
				if len(ev.DNS) != 1 || ev.DNS[0].String() != "2001:db8::53" || !ev.Until.After(time.Now()) {
					t.Errorf("%s: %+v", when, ev)
				}
				t.Logf("%s: after %v", when, time.Since(began))
			case <-ctx.Done():
				t.Errorf("%s: no name server", when)
			}
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	}, "dnsmasq")
}
