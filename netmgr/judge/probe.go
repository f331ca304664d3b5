package judge

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"
)

// prober looks at the network over one link.
type prober struct {
	link   Link
	socket func(ctx context.Context, network, address string) (net.Conn, error) // connects over the link

	mu    sync.Mutex // guards what follows
	known map[string][]netip.Addr
	first int                     // the name server that answered last
	open  map[netip.Addr]net.Conn // to name servers that have answered, for the next question
}

func newProber(l Link) *prober {
	dialer := net.Dialer{Control: bindTo(l.Name), KeepAlive: -1, FallbackDelay: -1}
	return &prober{link: l, known: make(map[string][]netip.Addr), open: make(map[netip.Addr]net.Conn), socket: dialer.DialContext}
}

// close closes what was kept open. Nobody looks any more.
func (p *prober) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for server, conn := range p.open {
		_ = conn.Close() // nothing was written that could be lost
		delete(p.open, server)
	}
}

// connect looks up one operator and opens a connection to it.
func (p *prober) connect(ctx context.Context, o operator, patience time.Duration) answer {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, a := p.dial(ctx, o, patience)
	if conn != nil {
		discard(conn)
	}
	return a
}

// operator asks one for its page.
func (p *prober) operator(ctx context.Context, o operator, patience time.Duration) answer {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, a := p.dial(ctx, o, patience)
	if conn == nil {
		return a
	}
	defer discard(conn)
	a.outcome, a.login = fetch(ctx, conn, o)
	return a
}

// dial finds the operator and connects to it. Where no name server answers in half of the time, an address known from before shows
// whether there is an internet nevertheless.
func (p *prober) dial(ctx context.Context, o operator, patience time.Duration) (net.Conn, answer) {
	addresses, failure := []netip.Addr{o.address}, unasked
	if !o.address.IsValid() {
		addresses, failure = p.resolve(ctx, o.name, patience)
	}
	a := answer{outcome: failure}
	if failure != unasked {
		if addresses = p.remembered(o.name); failure == unnamed || len(addresses) == 0 {
			return nil, a
		}
		a.deaf = true
	}
	a.internal = internal(addresses)
	conn := p.race(ctx, addresses, o.port)
	switch {
	case conn != nil:
		a.outcome = connected
	case !a.deaf:
		a.outcome = unreachable
	}
	return conn, a
}

// internal reports whether all addresses are of a home: then whoever answered the name is in it.
func internal(addresses []netip.Addr) bool {
	for _, a := range addresses {
		if !a.IsPrivate() && !a.IsLinkLocalUnicast() && !a.IsLoopback() && !a.IsUnspecified() {
			return false
		}
	}
	return true
}

// race connects to one address of each family at once and returns the first connection; nil: none.
func (p *prober) race(ctx context.Context, addresses []netip.Addr, port uint16) net.Conn {
	first4 := slices.IndexFunc(addresses, netip.Addr.Is4)
	first6 := slices.IndexFunc(addresses, netip.Addr.Is6)
	if first4 < 0 || first6 < 0 {
		conn, err := p.socket(ctx, "tcp", netip.AddrPortFrom(addresses[0], port).String())
		if err != nil {
			return nil
		}
		return conn
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	conns := make(chan net.Conn, 2)
	var running sync.WaitGroup
	for _, a := range []netip.Addr{addresses[first4], addresses[first6]} {
		running.Go(func() {
			if c, err := p.socket(ctx, "tcp", netip.AddrPortFrom(a, port).String()); err == nil {
				conns <- c
				cancel()
			}
		})
	}
	running.Wait()
	close(conns)
	var first net.Conn
	for c := range conns {
		if first == nil {
			first = c
		} else {
			discard(c)
		}
	}
	return first
}

// discard closes a connection by a reset: nothing of it is left waiting, here or there.
func discard(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // else it closes as usual
	}
	_ = c.Close() // nothing was written that could be lost
}

// maxAnswer bounds what is read of an answer, in bytes: its header and the beginning of its page.
const maxAnswer = 4 << 10

// fetch asks for the page and says what came back. Redirects are not followed, cookies not kept.
func fetch(ctx context.Context, conn net.Conn, o operator) (outcome, string) {
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	request := "GET " + o.path + " HTTP/1.1\r\nHost: " + o.host + "\r\nUser-Agent: manofwar\r\nConnection: close\r\n\r\n"
	if _, err := io.WriteString(conn, request); err != nil {
		return silent, ""
	}
	limited := &io.LimitedReader{R: conn, N: 2 * maxAnswer}
	resp, err := http.ReadResponse(bufio.NewReaderSize(limited, 1024), nil)
	if err != nil {
		if limited.N == 2*maxAnswer {
			return silent, ""
		}
		return broken, ""
	}
	return classify(resp, o)
}

// classify says what an answer is. An empty page with status 200 is what some proxies make of a 204, as Android has found.
func classify(resp *http.Response, o operator) (outcome, string) {
	code := resp.StatusCode
	switch {
	case code == http.StatusNoContent, code == http.StatusOK && resp.ContentLength == 0:
		return right, ""
	case code == http.StatusTooManyRequests, code >= 500 && code != http.StatusNetworkAuthenticationRequired, code < 200:
		return broken, ""
	}
	if login := loginURL(resp.Header.Get("Location")); login != "" {
		return altered, login
	}
	page, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // of a broken page the beginning is as good
	if login := loginIn(page); login != "" {
		return altered, login
	}
	return altered, o.url // what is put in its place is the page that wants the sign-in
}

// endpoint is the address and port of a name server, with the link where the address needs it.
func (p *prober) endpoint(server netip.Addr, port uint16) string {
	if server.Is6() && server.IsLinkLocalUnicast() && server.Zone() == "" {
		server = server.WithZone(p.link.Name)
	}
	return net.JoinHostPort(server.String(), strconv.Itoa(int(port)))
}
