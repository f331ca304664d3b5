package dlna

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"
)

const (
	// mediaRenderer is what is searched for (UPnP AV MediaRenderer:1). Devices of later versions answer to it too (UPnP
	// Device Architecture 1.1, section 1.3.2).
	mediaRenderer = "urn:schemas-upnp-org:device:MediaRenderer:1"
	// maxWait is the MX of a search in seconds: devices answer at a moment of chance within it.
	maxWait = 2
	// searchFor is how long answers are read.
	searchFor = (maxWait*1000 + 500) * time.Millisecond
	// maxAnswers bounds what one search takes in.
	maxAnswers = 256
)

var ssdp = net.UDPAddr{IP: net.IPv4(239, 255, 255, 250), Port: 1900}

// search asks on every interface which media renderers there are (UPnP Device Architecture 1.1, section 1.3) and tells
// the address of each description once, in no order.
func search(ctx context.Context, found func(location string)) {
	var mu sync.Mutex
	seen := make(map[string]bool)
	var all sync.WaitGroup
	for _, ip := range sources() {
		all.Go(func() {
			_ = searchFrom(ctx, ip, func(location string) { // an interface may have gone; the others are asked
				mu.Lock()
				defer mu.Unlock()
				if !seen[location] && len(seen) < maxAnswers {
					seen[location] = true
					found(location)
				}
			})
		})
	}
	all.Wait()
}

// sources returns our IPv4 addresses on networks that carry multicast.
func sources() (ips []net.IP) {
	interfaces, _ := net.Interfaces() // without any there is nothing to find
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagMulticast == 0 || i.Flags&net.FlagLoopback != 0 {
			continue
		}
		addrs, _ := i.Addrs()
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil {
				ips = append(ips, n.IP)
			}
		}
	}
	return ips
}

// searchFrom asks from one of our addresses, twice because datagrams get lost, and reads what comes.
func searchFrom(ctx context.Context, ip net.IP, found func(location string)) error {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: ip})
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	defer conn.Close()
	request := []byte("M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 2\r\nST: " + mediaRenderer + "\r\n\r\n")
	for range 2 {
		if _, err := conn.WriteToUDP(request, &ssdp); err != nil {
			return err
		}
	}
	if err := conn.SetReadDeadline(time.Now().Add(searchFor)); err != nil {
		return err
	}
	buf := make([]byte, 2048)
	for range maxAnswers {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return err
		}
		if location, err := parseAnswer(buf[:n], from.Addr()); err == nil {
			found(location)
		}
	}
	return nil
}

var errForeign = errors.New("not a renderer's answer")

// parseAnswer returns the address of the description that an answer to a search names. A device may only name an address
// of its own: nobody has us ask others in their place.
func parseAnswer(data []byte, from netip.Addr) (location string, err error) {
	resp, err := http.ReadResponse(bufio.NewReaderSize(bytes.NewReader(data), 16), nil)
	if err != nil {
		return "", err
	}
	_ = resp.Body.Close() // it is in memory
	if resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("ST"), "urn:schemas-upnp-org:device:MediaRenderer:") {
		return "", errForeign
	}
	u, err := url.Parse(resp.Header.Get("Location"))
	if err != nil {
		return "", err
	}
	host, err := netip.ParseAddr(u.Hostname())
	if err != nil || u.Scheme != "http" || u.User != nil || host.Unmap() != from.Unmap() || len(u.String()) > maxURL {
		return "", errForeign
	}
	return u.String(), nil
}

// maxURL bounds an address that a device names, in bytes.
const maxURL = 1024

// baseFor returns the beginning of the portal's addresses as a device sees them: from the side that it is on.
func baseFor(location string, port int) (string, error) {
	u, err := url.Parse(location)
	if err != nil {
		return "", err
	}
	conn, err := net.Dial("udp", net.JoinHostPort(u.Hostname(), "9")) // sends nothing: it asks for the route
	if err != nil {
		return "", err
	}
	defer conn.Close()
	ours, ok := conn.LocalAddr().(*net.UDPAddr)
	if !ok {
		return "", errors.New("no address of our own")
	}
	at := netip.AddrPortFrom(ours.AddrPort().Addr().Unmap(), uint16(port))
	return "http://" + at.String(), nil
}
