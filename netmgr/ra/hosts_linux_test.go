package ra

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"manofwar/netmgr/netnstest"
)

// TestHosts gives a Linux host an address of our network and no way out, and tells rdisc6 all of it.
func TestHosts(t *testing.T) {
	netnstest.Run(t, func(t *testing.T) {
		phone := netnstest.NewPeer(t, "phone")
		phone.Cable("ap0", "wlan0")
		netnstest.IP(t, "link set ap0 up")
		if err := Prepare("ap0", ours); err != nil {
			t.Fatal(err)
		}
		ifi, err := net.InterfaceByName("ap0")
		if err != nil {
			t.Fatal(err)
		}
		socket, err := Listen(ifi.Index, "ap0")
		if err != nil {
			t.Fatal(err)
		}
		a := Advertiser{Address: ours, MAC: ifi.HardwareAddr, Conn: socket, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan struct{})
		go func() { a.Run(ctx); close(ended) }()
		defer func() {
			cancel()
			<-ended
			if err := socket.Close(); err != nil {
				t.Error(err)
			}
		}()

		began := time.Now()
		addresses, _ := phone.Start("ip", "-6", "monitor", "address")
		listed, _ := phone.Start("ip", "-6", "address", "show", "dev", "wlan0") // it may have it already
		if !strings.Contains(listed.String(), "fd12:3456:789a:0:") {
			addresses.Await(t, "fd12:3456:789a:0:", 1, 20*time.Second)
		}
		t.Logf("an address after %v", time.Since(began))
		if out, err := phone.Command("ip", "-6", "route", "show", "default").CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("a way out: %s, %v", out, err)
		}
		out, err := phone.Command("rdisc6", "-1", "wlan0").CombinedOutput()
		for _, want := range []string{
			"Router lifetime           :            0 (0x00000000) seconds",
			"Prefix                   : fd12:3456:789a::/64", "On-link                 :          Yes", "Autonomous address conf.:          Yes",
			"Recursive DNS server     : fd12:3456:789a::1", "Source link-layer address: " + strings.ToUpper(ifi.HardwareAddr.String()),
		} {
			if !strings.Contains(string(out), want) {
				t.Errorf("rdisc6 does not see %q (%v):\n%s", want, err, out)
			}
		}
	}, "rdisc6")
}
