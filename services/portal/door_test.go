package portal

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"manofwar/internal/ipc"
)

// example is a path that matches a route's pattern.
func example(path string) string {
	return strings.NewReplacer("{id}", "i1", "{name...}", "index.m3u8", "{name}", "0.vtt").Replace(path)
}

// TestEveryRoute walks the table: what is forbidden is forbidden everywhere, and whatever is asked is answered in
// HTTP's terms.
func TestEveryRoute(t *testing.T) {
	b := launch(t, Options{})
	b.file(t, "i1", []byte("0123456789"))
	for _, what := range []string{"cover", "hls/index.m3u8", "subtitles/0.vtt"} {
		b.plans["i1/"+what] = b.plans["i1/file"]
	}
	p := New(Options{})
	of := make(map[string][]string) // methods by path
	for _, rt := range p.routes() {
		of[rt.path] = append(of[rt.path], rt.method)
	}
	methods := []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"}
	for _, rt := range p.routes() {
		if rt.right == "" {
			t.Errorf("%s %s declares no right", rt.method, rt.path)
		}
		path := example(rt.path)
		if rt.path == "/api/v1/events" {
			continue // below: its answer does not end
		}
		for _, method := range methods {
			allowed := slices.Contains(of[rt.path], method) || method == "HEAD" && slices.Contains(of[rt.path], "GET")
			got := b.do(t, method, path, nil)
			if ok := got.StatusCode < 400 || got.StatusCode == 400 && allowed; ok != allowed && got.StatusCode != 404 {
				t.Errorf("%s %s: %s", method, path, got.Status)
			}
			if got.StatusCode == 405 && !strings.Contains(got.Header.Get("Allow"), rt.method) {
				t.Errorf("%s %s: Allow %q", method, path, got.Header.Get("Allow"))
			}
			if method == "HEAD" && got.body != "" {
				t.Errorf("HEAD %s has a body", path)
			}
			checkHeader(t, method+" "+path, got)
		}
		if got := b.do(t, rt.method, path, map[string]string{"Host": "evil.example"}); got.StatusCode != http.StatusMisdirectedRequest {
			t.Errorf("%s %s of another host: %s", rt.method, path, got.Status)
		}
		cross := b.do(t, rt.method, path, map[string]string{"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"})
		if refused := cross.StatusCode == http.StatusForbidden; refused != (rt.method != "GET") {
			t.Errorf("%s %s from another site: %s", rt.method, path, cross.Status)
		}
		if got := b.do(t, rt.method, path, map[string]string{"Range": "bytes=99-"}); got.StatusCode == 416 != strings.HasPrefix(path, "/media/") {
			t.Errorf("%s %s, a range past the end: %s", rt.method, path, got.Status)
		}
		if got := b.do(t, rt.method, path, map[string]string{"X-Long": strings.Repeat("x", 64<<10)}); got.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("%s %s with a long header: %s", rt.method, path, got.Status)
		}
		for _, up := range []string{"/..", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc%2fpasswd", "/..%5c..%5cetc", "/%00", "/." + strings.Repeat("/..", 20)} {
			got := b.do(t, rt.method, strings.TrimSuffix(path, "/")+up, nil)
			if strings.Contains(got.body, "root:") || got.StatusCode >= 500 {
				t.Errorf("%s %s%s: %s", rt.method, path, up, got.Status)
			}
			if l := got.Header.Get("Location"); l != "" && !strings.HasPrefix(l, "/") || strings.HasPrefix(l, "//") {
				t.Errorf("%s %s%s leads to %s", rt.method, path, up, l)
			}
		}
	}
}

// checkHeader holds an answer to what every answer carries.
func checkHeader(t *testing.T, what string, got reply) {
	t.Helper()
	csp := got.Header.Get("Content-Security-Policy")
	if !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "script-src 'self' 'unsafe") || !strings.Contains(csp, "default-src") {
		t.Errorf("%s: Content-Security-Policy %q", what, csp)
	}
	if got.Header.Get("X-Content-Type-Options") != "nosniff" || got.Header.Get("Referrer-Policy") != "same-origin" {
		t.Errorf("%s: %v", what, got.Header)
	}
	if got.Header.Get("Content-Type") == "" && got.ContentLength > 0 {
		t.Errorf("%s: no Content-Type", what)
	}
	if got.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("%s lets other sites read", what)
	}
}

func TestHosts(t *testing.T) {
	h := newHosts([]string{"boat", "media.example.org."}, func() string { return "Manofwar-2" })
	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST:8080": true, "boat": true, "boat:80": true, "media.example.org": true, "Media.Example.Org.:443": true,
		"manofwar-2": true, "manofwar-2.local": true, "manofwar-2.local.": true, "manofwar-2.fritz.box:80": true, "manofwar-2.lan": true,
		"192.168.1.5": true, "192.168.1.5:80": true, "[fe80::1]": true, "[fe80::1%25eth0]:80": true, "[::1]:8080": true, "127.0.0.1:8080": true,
		"": false, "evil.example": false, "manofwar-2.evil.example": false, "manofwar-2.local.evil.example": false, "evil-manofwar-2": false,
		"192.168.1.5.evil.example": false, "boat:http": false, "boat.local": true, "boat.fritz.box:80": true, "boat.evil.example": false, "media.example.org.local": false, "localhost.evil.example": false, "1.2.3": false, "[::1": true, "boat:80:80": false,
		"manofwar-2.local\x00": false, "http://boat": false, "boat@evil.example": false,
	} {
		if got := h.allow(host); got != want {
			t.Errorf("%q: %v; want %v", host, got, want)
		}
	}
	if newHosts(nil, func() string { return "" }).allow(".local") {
		t.Error("no name of its own, but .local is allowed")
	}
}

// TestHostsRenamed keeps the door open for who came by an earlier name.
func TestHostsRenamed(t *testing.T) {
	own := "pirate"
	h := newHosts(nil, func() string { return own })
	for i, name := range []string{"pirate", "", "kueche", "a", "b", "c", "d", "e", "f", "g"} {
		own = name
		if !h.allow("localhost") || h.allow("kueche.local") != (i >= 2) || name != "" && !h.allow(name+".local") || h.allow("") || h.allow(".local") {
			t.Errorf("as %q: wrong", name)
		}
		if got, want := h.allow("pirate.local"), i < 9; got != want {
			t.Errorf("as %q, the first of %d: pirate.local is allowed: %v", name, i+1, got)
		}
	}
}

func FuzzHost(f *testing.F) {
	for _, seed := range []string{"localhost:80", "[::1]:80", "manofwar.local", "10.0.0.1", "a:b:c"} {
		f.Add(seed)
	}
	h := newHosts(nil, func() string { return "manofwar" })
	f.Fuzz(func(t *testing.T, host string) {
		if h.allow(host) && strings.Contains(strings.ToLower(host), "evil.example") {
			t.Errorf("%q is allowed", host)
		}
	})
}

func TestWrongAddressSaysWhereToGo(t *testing.T) {
	b := launch(t, Options{})
	b.do(t, "GET", "/api/v1/status", nil) // the host name is known from here on
	_, port, _ := net.SplitHostPort(b.addr)
	got := b.do(t, "GET", "/", map[string]string{"Host": "<script>.example", "Accept": "text/html,*/*"})
	if got.StatusCode != 421 || !strings.Contains(got.body, "http://manofwar-2.local:"+port) || strings.Contains(got.body, "<script>") {
		t.Errorf("%s: %s", got.Status, got.body)
	}
}

func TestBodies(t *testing.T) {
	b := launch(t, Options{})
	for _, tt := range []struct {
		kind, body string
		chunked    bool
		status     int
	}{
		{"", "", false, 202},
		{"application/json", "{}", false, 202},
		{"application/json; charset=utf-8", "{}", true, 202},
		{"text/plain", "{}", false, 415},
		{"application/x-www-form-urlencoded", "a=b", true, 415},
		{"", "{}", false, 415},
		{"application/json", strings.Repeat(" ", maxBody+1), false, 413},
	} {
		var body io.Reader = strings.NewReader(tt.body)
		if tt.chunked {
			body = io.MultiReader(body) // hides the length
		}
		req, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+b.addr+"/api/v1/scan", body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", tt.kind)
		req.Header.Set("Expect", "100-continue") // or the refusal may come while the body is still being sent
		resp, err := plainTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != tt.status {
			t.Errorf("%q, %d bytes: %s; want %d", tt.kind, len(tt.body), resp.Status, tt.status)
		}
	}
}

// TestRawRequests sends what no client library would.
func TestRawRequests(t *testing.T) {
	b := launch(t, Options{})
	for request, want := range map[string]string{
		"GET / HTTP/1.1\r\n\r\n": "HTTP/1.1 400",
		"GET / HTTP/1.0\r\n\r\n": "HTTP/1.0 421",
		"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n":                         "HTTP/1.1 421",
		"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n":                      "HTTP/1.1 400",
		"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n":                                        "HTTP/1.1 400",
		"CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n":                         "HTTP/1.1 421",
		"GET /../../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n":                         "HTTP/1.1 307",
		"GET //evil.example/.. HTTP/1.1\r\nHost: localhost\r\n\r\n":                            "HTTP/1.1 307",
		"GET /%2e%2e/%2e%2e/etc/passwd.txt HTTP/1.1\r\nHost: localhost\r\n\r\n":                "HTTP/1.1 404",
		"GET \\..\\ HTTP/1.1\r\nHost: localhost\r\n\r\n":                                       "HTTP/1.1 400",
		"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx": "HTTP/1.1 400",
		"GET / HTTP/3.0\r\nHost: localhost\r\n\r\n":                                            "HTTP/1.1 505",
		"nonsense\r\n\r\n": "HTTP/1.1 400",
		"GET /" + strings.Repeat("a", 64<<10) + " HTTP/1.1\r\nHost: localhost\r\n\r\n": "HTTP/1.1 431",
	} {
		conn, err := net.Dial("tcp", b.addr)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.WriteString(conn, request); err != nil {
			t.Logf("%.40q: %v", request, err) // the server may have closed its ear already
		}
		line, err := bufio.NewReader(conn).ReadString('\n')
		if !strings.HasPrefix(line, want) {
			t.Errorf("%.60q: %q, %v; want %s", request, line, err, want)
		}
		conn.Close()
	}
}

type fakeConn struct {
	net.Conn
	from   string
	closed bool
}

func (c *fakeConn) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(c.from))
}
func (c *fakeConn) Close() error { c.closed = true; return nil }

func TestConnectionsAreCounted(t *testing.T) {
	var c census
	open := func(n int, from string) (conns []*fakeConn) {
		for i := range n {
			conn := &fakeConn{from: fmt.Sprintf(from, i)}
			c.watch(conn, http.StateNew)
			conns = append(conns, conn)
		}
		return conns
	}
	closed := func(conns []*fakeConn) (n int) {
		for _, conn := range conns {
			if conn.closed {
				n++
			}
		}
		return n
	}
	one := open(maxConnsPer+3, "10.0.0.1:%d")
	if got := closed(one); got != 3 {
		t.Errorf("of one address, %d are closed; want 3", got)
	}
	proxy := open(2*maxConnsPer, "127.0.0.1:%d")
	if got := closed(proxy); got != 0 {
		t.Errorf("of this machine, %d are closed", got)
	}
	var many []*fakeConn
	for i := range maxConns / 64 {
		many = append(many, open(64, fmt.Sprintf("10.1.%d.1:%%d", i))...)
	}
	if got, want := closed(many), c.total-maxConns; got != want {
		t.Errorf("of many addresses, %d are closed; want %d", got, want)
	}
	for _, conns := range [][]*fakeConn{one, proxy, many} {
		for _, conn := range conns {
			c.watch(conn, http.StateActive)
			c.watch(conn, http.StateClosed)
		}
	}
	if c.total != 0 || len(c.of) != 0 {
		t.Errorf("all are closed, but %d are counted, of %d addresses", c.total, len(c.of))
	}
}

func TestErrorIsNotForCaches(t *testing.T) {
	b := launch(t, Options{})
	got := b.do(t, "GET", "/media/none/file", nil)
	if decode[ipc.Error](t, got).Code != "not_found" || got.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s %v", got.Status, got.Header)
	}
}
