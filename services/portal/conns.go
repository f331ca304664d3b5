package portal

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
)

const (
	// maxConns bounds the open connections, and with them the memory they take: about 20 KB each.
	maxConns = 512
	// maxConnsPer bounds those of one address. A browser opens six; a reverse proxy on this machine is exempt.
	maxConnsPer = 96
)

// census counts connections and closes those that are too many. It works by [http.Server.ConnState] rather than by
// wrapping the listener, because a wrapped connection hides sendfile.
type census struct {
	mu    sync.Mutex // guards the rest
	total int
	of    map[netip.Addr]int
}

// watch is the server's ConnState hook.
func (c *census) watch(conn net.Conn, state http.ConnState) {
	if state != http.StateNew && state != http.StateClosed && state != http.StateHijacked {
		return
	}
	from, _ := netip.ParseAddrPort(conn.RemoteAddr().String())
	addr := from.Addr().Unmap().WithZone("")
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = make(map[netip.Addr]int)
	}
	if state != http.StateNew {
		c.total--
		if c.of[addr]--; c.of[addr] <= 0 {
			delete(c.of, addr)
		}
		return
	}
	c.total++
	c.of[addr]++
	if c.total > maxConns || c.of[addr] > maxConnsPer && !addr.IsLoopback() {
		_ = conn.Close() // StateClosed follows
	}
}
