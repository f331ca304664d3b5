package portal

import (
	"maps"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	netapi "manofwar/netmgr/api"
)

// A visitor is a client of the device's own access point.
type visitor struct {
	addr netip.Addr // the client's
	own  string     // the device's address in that network as a URL, without a path
}

// guest returns who asks if that is a client of our access point, which it reached at our address there.
func (p *Service) guest(r *http.Request) (visitor, bool) {
	prefix := p.watch.accessPoint().Address
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if err != nil || !ok || !prefix.IsValid() {
		return visitor{}, false
	}
	at := local.AddrPort().Addr().Unmap()
	if at != prefix.Addr() || !prefix.Contains(from.Addr().Unmap()) {
		return visitor{}, false
	}
	own := "http://" + at.String()
	if local.Port != 80 {
		own = "http://" + net.JoinHostPort(at.String(), strconv.Itoa(local.Port))
	}
	return visitor{addr: from.Addr().Unmap(), own: own}, true
}

// An expected answer is what a phone or computer takes for a network without a sign-in page. Its body is compared byte
// by byte by some of them.
type expected struct {
	status     int
	kind, body string
}

// What the systems expect, as they and the servers they ask had it in 2025.
var (
	noContent = expected{status: http.StatusNoContent}
	apple     = expected{200, "text/html", "<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>"}
	ncsi      = expected{200, "text/plain", "Microsoft NCSI"}
	connect   = expected{200, "text/plain", "Microsoft Connect Test"}
	online    = expected{200, "text/plain", "NetworkManager is online\n"}
	firefox   = expected{200, "text/plain", "success\n"}
	canonical = expected{200, "text/html", `<meta http-equiv="refresh" content="0;url=https://support.mozilla.org/kb/captive-portal"/>`}
)

// anyPath stands for the paths of a host that are not named.
const anyPath = "*"

// probes are the pages by which clients look for a sign-in page, by host and path: those of [netapi.ProbeHosts], and
// those of hosts that serve more, which lead here only while all names do.
var probes = map[string]map[string]expected{
	"captive.apple.com":                      {anyPath: apple},
	"www.apple.com":                          {"/library/test/success.html": apple},
	"clients3.google.com":                    {"/generate_204": noContent},
	"connectivitycheck.android.com":          {"/generate_204": noContent},
	"connectivitycheck.gstatic.com":          {"/generate_204": noContent},
	"play.googleapis.com":                    {"/generate_204": noContent},
	"www.google.com":                         {"/gen_204": noContent, "/generate_204": noContent},
	"www.gstatic.com":                        {"/generate_204": noContent},
	"www.msftconnecttest.com":                {"/connecttest.txt": connect},
	"ipv6.msftconnecttest.com":               {"/connecttest.txt": connect},
	"www.msftncsi.com":                       {"/ncsi.txt": ncsi},
	"detectportal.firefox.com":               {"/success.txt": firefox, "/canonical.html": canonical},
	"connectivity-check.ubuntu.com":          {"/": noContent},
	"network-test.debian.org":                {"/nm": online},
	"nmcheck.gnome.org":                      {"/check_network_status.txt": online},
	"conn1.oppomobile.com":                   {"/generate_204": noContent},
	"conn2.oppomobile.com":                   {"/generate_204": noContent},
	"connect.rom.miui.com":                   {"/generate_204": noContent},
	"connectivity.samsung.com.cn":            {"/generate_204": noContent},
	"connectivitycheck.grapheneos.network":   {"/generate_204": noContent},
	"connectivitycheck.platform.hicloud.com": {"/generate_204": noContent},
	"fireoscaptiveportal.com":                {"/generate_204": noContent},
	"wifi.vivo.com.cn":                       {"/generate_204": noContent},
	"ipv6.msftncsi.com":                      {"/ncsi.txt": ncsi},
}

// windowsRedirect is where Windows takes a browser once its probe was not answered as expected.
const windowsHost, windowsRedirect = "www.msftconnecttest.com", "/redirect"

// probe returns what the page at host and path should be, if it is one of the probes. Host is as [hostname] has it.
func probe(host, path string) (expected, bool) {
	pages := probes[host]
	if want, ok := pages[path]; ok {
		return want, true
	}
	want, ok := pages[anyPath]
	return want, ok
}

// capture answers a request for a name that is not ours, if it comes from our access point and is one that looks for a
// sign-in page, or one that leads nowhere else. It reports false for the door to refuse it. Nothing else of the portal
// is ever served under another's name, and nothing is stored in the client under it.
func (p *Service) capture(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	g, ok := p.guest(r)
	host, named := hostname(r.Host)
	if !ok || !named {
		return false
	}
	free := p.watch.accessPoint().Capture == "" || p.guests.done(g.addr)
	if want, ok := probe(host, r.URL.Path); ok {
		if free {
			want.send(w, r)
		} else {
			lead(w, r, g.own+setupPath)
		}
		return true
	}
	switch {
	case host == windowsHost && r.URL.Path == windowsRedirect && !free:
		lead(w, r, g.own+setupPath)
	case host == windowsHost && r.URL.Path == windowsRedirect,
		p.watch.accessPoint().Capture == captureAll && !reserved(r.URL.Path):
		lead(w, r, g.own+"/")
	default:
		return false
	}
	return true
}

// captureAll is the kind of capture in which there is nothing but us to reach.
const captureAll = "all"

// reserved reports whether a path is the API's or the media's: what asks for those is a program that has the wrong
// address, and should know.
func reserved(path string) bool {
	return strings.HasPrefix(path, "/api/") || strings.HasPrefix(path, "/media/")
}

// hostname returns the name in a Host field, in lower case and without port and final dot, unless it is malformed.
func hostname(host string) (string, bool) {
	if name, port, err := net.SplitHostPort(host); err == nil {
		if strings.Trim(port, "0123456789") != "" {
			return "", false
		}
		host = name
	}
	return strings.ToLower(strings.TrimSuffix(host, ".")), true
}

func (e expected) send(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	if e.body != "" {
		h.Set("Content-Type", e.kind)
		h.Set("Content-Length", strconv.Itoa(len(e.body)))
	}
	w.WriteHeader(e.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write([]byte(e.body)) // the client has left if this fails
	}
}

// lead sends a browser to another page. The body is for what does not follow, and says nothing that a probe expects.
func lead(w http.ResponseWriter, r *http.Request, to string) {
	const body = "<!doctype html><title>manofwar</title><p>Open the setup page.\n"
	h := w.Header()
	h.Set("Location", to)
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusFound)
	if r.Method != http.MethodHead {
		_, _ = w.Write([]byte(body)) // the client has left if this fails
	}
}

// guests remembers which clients of the access point need the setup page no more. A sheet that a phone opens keeps no
// cookies, so they are known by their address.
type guests struct {
	mu    sync.Mutex // guards until
	until map[netip.Addr]time.Time
}

const (
	// doneFor is how long a client is remembered: an evening and the night after it.
	doneFor = 24 * time.Hour
	// maxGuests bounds the clients that are remembered: as many as an access point has addresses.
	maxGuests = 256
)

// done reports whether a client needs the setup page no more.
func (g *guests) done(a netip.Addr) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return time.Now().Before(g.until[a])
}

// finish remembers a client. The one that would be forgotten first makes room.
func (g *guests) finish(a netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	maps.DeleteFunc(g.until, func(_ netip.Addr, until time.Time) bool { return !now.Before(until) })
	if g.until == nil {
		g.until = make(map[netip.Addr]time.Time)
	}
	if _, known := g.until[a]; !known && len(g.until) == maxGuests {
		var first netip.Addr
		for b, until := range g.until {
			if !first.IsValid() || until.Before(g.until[first]) {
				first = b
			}
		}
		delete(g.until, first)
	}
	g.until[a] = now.Add(doneFor)
}

// accessPoint returns what was last heard of our own access point; empty where there is none, or it is not up.
func (w *watch) accessPoint() netapi.AccessPoint {
	w.mu.Lock()
	defer w.mu.Unlock()
	if ap := w.network.AccessPoint; ap != nil && ap.Up {
		return *ap
	}
	return netapi.AccessPoint{}
}

// unset reports whether nobody has set the device up yet.
func (w *watch) unset() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.network.Setup
}
