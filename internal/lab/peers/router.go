package peers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Security is how a router's network is protected, as lines of hostapd.conf.
type Security string

// The securities of today's routers, and what a passphrase is for them ("%s").
const (
	Open  Security = ""
	WPA2  Security = "wpa=2\nwpa_key_mgmt=WPA-PSK\nrsn_pairwise=CCMP\nwpa_passphrase=%s"
	WPA3  Security = "wpa=2\nwpa_key_mgmt=SAE\nrsn_pairwise=CCMP\nieee80211w=2\nsae_pwe=2\nsae_password=%s"
	Mixed Security = "wpa=2\nwpa_key_mgmt=WPA-PSK SAE\nrsn_pairwise=CCMP\nieee80211w=1\nsae_require_mfp=1\nsae_pwe=2\nwpa_passphrase=%s"
)

// RouterConfig describes a router.
type RouterConfig struct {
	Name       string // of its place
	SSID       string
	Passphrase string
	Security   Security
	Channel    int      // above 14: of 5 GHz, which needs a country
	Lines      []string // more of hostapd.conf
}

// Router is a router as in a home: hostapd, dnsmasq, and an internet behind it that is the router's own.
type Router struct {
	*Place
	Config RouterConfig

	subnet           int
	hostapd, dnsmasq *Program // nil: not running
	internet         *Program
	stalled          bool // it lends no addresses
}

// What the internet of each router looks like: two addresses, of which all names have the first, but for the second of the
// operators that a dongle asks whether the internet is there.
const (
	InternetAddress = "203.0.113.1"
	secondAddress   = "198.51.100.1"
	secondOperator  = "cp.cloudflare.com"
)

// NewRouter makes a router and switches it on. Its network is 192.168.N.0/24, with another N for each router.
func (w *World) NewRouter(ctx context.Context, cfg RouterConfig) (*Router, error) {
	place, err := w.NewPlace(ctx, cfg.Name)
	if err != nil {
		return nil, err
	}
	w.subnets++
	r := &Router{Place: place, Config: cfg, subnet: 100 + w.subnets}
	if err := r.configure(ctx, cfg.SSID, cfg.Passphrase); err != nil {
		return nil, err
	}
	if _, err := r.Run(ctx, "sh", "-ec", "mkdir -p /run/captive; ip address add "+InternetAddress+" dev lo; ip address add "+secondAddress+" dev lo"); err != nil {
		return nil, err
	}
	if err := r.Online(ctx); err != nil {
		return nil, err
	}
	return r, r.PowerOn(ctx)
}

// configure writes the router's hostapd.conf.
func (r *Router) configure(ctx context.Context, ssid, passphrase string) error {
	c := r.Config
	mode := "g"
	if c.Channel > 14 {
		mode = "a"
	}
	lines := []string{
		"interface=" + r.Radio, "driver=nl80211", "ctrl_interface=/run/hostapd-" + r.Name, "ssid=" + ssid,
		"hw_mode=" + mode, fmt.Sprint("channel=", c.Channel), "ieee80211n=1", "wmm_enabled=1",
	}
	if c.Security != Open {
		lines = append(lines, fmt.Sprintf(string(c.Security), passphrase))
	}
	lines = append(lines, c.Lines...)
	return r.Write(ctx, r.file("hostapd.conf"), 0o600, strings.NewReader(strings.Join(lines, "\n")+"\n"))
}

func (r *Router) file(name string) string { return "/run/" + r.Name + "/" + name }

// Address is the router's own, which is also the name server's.
func (r *Router) Address() string { return fmt.Sprintf("192.168.%d.1", r.subnet) }

// PowerOn switches the router on and waits until its network is there.
func (r *Router) PowerOn(ctx context.Context) (err error) {
	if r.hostapd, err = r.Start(ctx, "hostapd", r.file("hostapd.conf")); err != nil {
		return err
	}
	if _, err := r.hostapd.Expect(ctx, 0, "AP-ENABLED"); err != nil {
		return err
	}
	if _, err := r.Run(ctx, "ip", "address", "replace", r.Address()+"/24", "dev", r.Radio); err != nil {
		return err
	}
	if r.stalled {
		return nil
	}
	return r.Serve(ctx, true)
}

// Serve has the router lend addresses, and answer questions for names only if names is set.
func (r *Router) Serve(ctx context.Context, names bool) (err error) {
	r.stop(&r.dnsmasq)
	port := "0"
	if names {
		port = "53"
	}
	r.dnsmasq, err = r.Start(ctx, "dnsmasq", "-C", "/dev/null", "--keep-in-foreground", "--log-facility=-", "--user=root", "--pid-file=",
		"--port="+port, "--no-resolv", "--no-hosts", "--no-ping", "--interface="+r.Radio, "--bind-interfaces", "--leasefile-ro", "--dhcp-authoritative",
		fmt.Sprintf("--dhcp-range=192.168.%[1]d.10,192.168.%[1]d.99,1h", r.subnet), "--address=/#/"+InternetAddress, "--address=/"+secondOperator+"/"+secondAddress)
	if err != nil {
		return err
	}
	_, err = r.dnsmasq.Expect(ctx, 0, "started, version")
	return err
}

// StallDHCP has the router lend no addresses any more, nor answer for names, whatever it is switched on for.
func (r *Router) StallDHCP() {
	r.stalled = true
	r.stop(&r.dnsmasq)
}

// stop kills a program, if it runs.
func (r *Router) stop(p **Program) {
	if *p != nil {
		(*p).Kill()
		*p = nil
	}
}

// PowerCut switches the router off without a word, as by its plug, and returns when by the guest's monotonic clock.
func (r *Router) PowerCut(ctx context.Context) (time.Duration, error) {
	if r.hostapd == nil {
		return 0, errors.New("the router is off already")
	}
	// First of all the radio: a hostapd that is killed may still have the kernel say goodbye.
	script := fmt.Sprintf("ip link set %s down; kill -9 %d", r.Radio, r.hostapd.PID)
	if r.dnsmasq != nil {
		script += fmt.Sprint(" ", r.dnsmasq.PID)
	}
	cut, err := r.Start(ctx, "sh", "-ec", script)
	if err != nil {
		return 0, err
	}
	err = cut.Wait()
	r.stop(&r.hostapd)
	r.stop(&r.dnsmasq)
	return cut.Began, err
}

// Reset is what some routers do at night: a power cut, if they are not off already, after which the network is another one.
func (r *Router) Reset(ctx context.Context, ssid, passphrase string) error {
	if r.hostapd != nil {
		if _, err := r.PowerCut(ctx); err != nil {
			return err
		}
	}
	if err := r.configure(ctx, ssid, passphrase); err != nil {
		return err
	}
	return r.PowerOn(ctx)
}

// Online has the internet answer behind this router.
func (r *Router) Online(ctx context.Context) (err error) {
	r.stop(&r.internet)
	if r.internet, err = r.Start(ctx, "/outside", "internet", r.Config.Name); err != nil {
		return err
	}
	_, err = r.internet.Expect(ctx, 0, "listening")
	return err
}

// RefuseHTTP has everything on the internet refuse connections. Names are still answered.
func (r *Router) RefuseHTTP() { r.stop(&r.internet) }

// BlackHole swallows what goes to the internet, or ceases to. It returns when it began by the guest's monotonic clock.
func (r *Router) BlackHole(ctx context.Context, on bool) (time.Duration, error) {
	verb := "add"
	if on {
		verb = "del"
	}
	p, err := r.Start(ctx, "sh", "-ec", fmt.Sprintf("ip address %[1]s %[2]s/32 dev lo; ip address %[1]s %[3]s/32 dev lo", verb, InternetAddress, secondAddress))
	if err != nil {
		return 0, err
	}
	return p.Began, p.Wait()
}

// Captivate has the internet send everybody to a page where to sign in, until somebody does.
func (r *Router) Captivate(ctx context.Context) error {
	return r.Write(ctx, "/run/captive/"+r.Config.Name, 0o644, strings.NewReader(""))
}
