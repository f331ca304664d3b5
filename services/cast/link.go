package cast

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"syscall"
	"unicode/utf8"

	"manofwar/internal/media"
	playerapi "manofwar/player/api"
	"manofwar/services/cast/api"
	"manofwar/services/cast/renderer"
)

// maxWord bounds a link's title, artist and album, in bytes.
const maxWord = 500

// checkLink returns an error that wraps [media.ErrInvalid] and names what is wrong. Where the address leads is found out
// when it is about to be played: names may mean something else by then.
func checkLink(l api.Link) error {
	for name, text := range map[string]string{"title": l.Title, "artist": l.Artist, "album": l.Album} {
		if len(text) > maxWord || !utf8.ValidString(text) {
			return invalid("links."+name, fmt.Sprintf("expected up to %d bytes of UTF-8", maxWord))
		}
	}
	for name, text := range map[string]string{"url": l.URL, "art": l.Art} {
		if name == "art" && text == "" {
			continue
		}
		if u, err := url.Parse(text); err != nil || u.Scheme != "http" || u.Hostname() == "" || u.User != nil || len(text) > api.MaxURL {
			return invalid("links."+name, fmt.Sprintf("expected an http:// address of up to %d bytes", api.MaxURL))
		}
	}
	switch {
	case l.Kind != media.Music && l.Kind != media.Film:
		return invalid("links.kind", "expected music or film")
	case l.Duration < 0 || l.Duration > maxPosition:
		return invalid("links.duration", "not the length of anything")
	}
	return nil
}

// linkID names a link in a queue, by what it says. No item of the library is called so.
func linkID(l api.Link) media.ID {
	sum := sha256.Sum256(encode(l))
	return media.ID("link-" + hex.EncodeToString(sum[:12]))
}

// adopt remembers links that are about to be put into the queue, and forgets those that are no longer in it. The error
// wraps [media.ErrFull] where there would be too many.
func (s *session) adopt(links []api.Link) error {
	if len(links) == 0 {
		return nil
	}
	kept := make(map[media.ID]api.Link, len(links))
	for _, e := range s.queue.Page(0, api.MaxQueue) {
		if l, ok := s.links[e.ID]; ok {
			kept[e.ID] = l
		}
	}
	for _, l := range links {
		kept[linkID(l)] = l
	}
	if len(kept) > api.MaxLinks {
		return &media.Error{
			Op: "add to", Path: "the queue", Err: media.ErrFull,
			Hint: fmt.Sprintf("A queue holds %d entries of other devices. Take some out first.", api.MaxLinks),
		}
	}
	s.links = kept // another map: the one before may be on its way to the card
	return nil
}

// itemOf is what is known of a link, as everything else in a queue has it.
func itemOf(l api.Link) media.Item {
	it := media.Item{ID: linkID(l), Kind: l.Kind, Duration: l.Duration, Tags: media.Tags{Title: l.Title, Album: l.Album}}
	if l.Artist != "" {
		it.Artists = []string{l.Artist}
	}
	if u, err := url.Parse(l.URL); err == nil {
		if it.Path = path.Base(u.Path); it.Path == "." || it.Path == "/" {
			it.Path = u.Host
		}
	}
	return it
}

// follow finds where a link leads, and its picture.
func (c *Service) follow(ctx context.Context, l api.Link, onTV bool) (renderer.Item, error) {
	out := renderer.Item{Media: itemOf(l)}
	if !onTV {
		return out, &media.Error{Op: "play", Path: renderer.Title(out.Media), Err: errTVOnly, Hint: "Play it on the TV."}
	}
	ctx, cancel := context.WithTimeout(ctx, lookUpWithin)
	defer cancel()
	address, err := c.settleOn(ctx, l.URL)
	if err != nil {
		return out, err
	}
	out.Cover = c.art(ctx, l.Art)
	l.URL = address
	out.Link = &l
	return out, nil
}

var (
	errTVOnly = fmt.Errorf("another device sends it, and only the TV can play that: %w", media.ErrUnsupported)
	errAbroad = fmt.Errorf("its address is not in the home's network: %w", media.ErrDenied)
)

// settleOn replaces the host's name in an address by the first of its addresses that is in the home's network, so that
// whoever fetches it asks there and nowhere else.
func (c *Service) settleOn(ctx context.Context, address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", invalid("links.url", "not an address")
	}
	ips := []netip.Addr{}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil {
		ips = append(ips, ip)
	} else if ips, err = net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname()); err != nil {
		return "", &media.Error{Op: "find", Path: u.Hostname(), Err: fmt.Errorf("%w: %w", media.ErrNotFound, err), Hint: "Is that device still on?"}
	}
	for _, ip := range ips {
		if !c.home(ip) {
			continue
		}
		port := u.Port()
		if port == "" {
			port = "80"
		}
		u.Host = net.JoinHostPort(ip.Unmap().String(), port)
		return u.String(), nil
	}
	return "", &media.Error{Op: "play", Path: u.Hostname(), Err: errAbroad, Hint: "Only devices at home can send something to the TV."}
}

// home reports whether a link may lead to an address: to one that only networks at home have (RFC 1918, RFC 4193, RFC 3927),
// never to this device's own inside.
func (c *Service) home(ip netip.Addr) bool {
	if c.opts.Home != nil {
		return c.opts.Home(ip)
	}
	ip = ip.Unmap()
	return !ip.IsLoopback() && (ip.IsPrivate() || ip.Is4() && ip.IsLinkLocalUnicast())
}

// art fetches a link's picture for the TV; nil: there is none, or it takes too long, is too large or elsewhere.
func (c *Service) art(ctx context.Context, address string) *playerapi.Cover {
	if address == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, coverWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil
	}
	resp, err := c.abroad().Do(req)
	if err != nil {
		return nil
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxCover+1))
	if err != nil || resp.StatusCode != http.StatusOK || len(data) > maxCover || len(data) == 0 {
		return nil
	}
	return &playerapi.Cover{Inline: bytes.Clone(data)}
}

// abroad returns a client that reaches only where links may lead, whatever names say and wherever it is sent on to.
func (c *Service) abroad() *http.Client {
	d := &net.Dialer{Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || !c.home(at.Addr()) {
			return errAbroad
		}
		return nil
	}}
	return &http.Client{
		Transport: &http.Transport{
			DialContext: d.DialContext, DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: 16 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
