package dlna

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/huin/goupnp"
	"github.com/huin/goupnp/dcps/av1"

	"manofwar/services/cast/api"
)

const (
	// maxAnswer bounds what a device answers with, in bytes: descriptions are some kilobytes.
	maxAnswer = 256 << 10
	// callTimeout is how long a device may take to answer. Televisions that wake up take seconds.
	callTimeout = 8 * time.Second
	// maxName bounds what a device calls itself, in characters.
	maxName = 64
)

// newClient returns an HTTP client for devices: direct, bounded, and led nowhere else.
func newClient() *http.Client {
	return &http.Client{
		Transport: bounded{&http.Transport{
			DisableKeepAlives:      true, // many close connections that they said to keep, and a POST is not sent twice
			MaxResponseHeaderBytes: 16 << 10, DisableCompression: true, ResponseHeaderTimeout: callTimeout,
		}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       2 * callTimeout,
	}
}

// bounded cuts answers off.
type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if err == nil {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	}
	return resp, err
}

// describe reads what a device is and returns what controls it.
func describe(ctx context.Context, client *http.Client, location string) (*upnp, api.Renderer, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*callTimeout)
	defer cancel()
	base, err := url.Parse(location)
	if err != nil {
		return nil, api.Renderer{}, err
	}
	data, err := get(ctx, client, base)
	if err != nil {
		return nil, api.Renderer{}, err
	}
	root, err := parseDescription(data, base)
	if err != nil {
		return nil, api.Renderer{}, err
	}
	if root.Device.Manufacturer == ownMake && isOwn(base.Hostname()) {
		return nil, api.Renderer{}, errors.New("it is this device itself")
	}
	c, err := newUPnP(root, base, client)
	if err != nil {
		return nil, api.Renderer{}, err
	}
	c.learn(ctx, client)
	d := root.Device
	id := "dlna-" + idOf(d.UDN)
	if len(id) < len("dlna-")+8 {
		return nil, api.Renderer{}, errors.New("it has no name of its own")
	}
	return c, rendererOf(id, cleanName(d.FriendlyName), cleanName(d.ModelName), c.films(), c.rendering != nil), nil
}

// ownMake is what our own renderer says of who made it, the one that others play on: it is no place besides the TV that it is.
const ownMake = "manofwar"

// isOwn reports whether an address is this host's.
func isOwn(host string) bool {
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	all, _ := net.InterfaceAddrs() // without any it is not
	return slices.ContainsFunc(all, func(a net.Addr) bool {
		p, err := netip.ParsePrefix(a.String())
		return err == nil && p.Addr() == ip.Unmap()
	})
}

// get reads what is at u.
func get(ctx context.Context, client *http.Client, u *url.URL) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("description: %s", resp.Status)
	}
	return io.ReadAll(resp.Body)
}

// parseDescription reads a device's description (UPnP Device Architecture 1.1, section 2.3), whose addresses must be the
// device's own.
func parseDescription(data []byte, base *url.URL) (*goupnp.RootDevice, error) {
	root := new(goupnp.RootDevice)
	d := xml.NewDecoder(bytes.NewReader(data))
	d.DefaultSpace = goupnp.DeviceXMLNamespace
	d.CharsetReader = goupnp.CharsetReaderDefault
	if err := d.Decode(root); err != nil {
		return nil, fmt.Errorf("description: %w", err)
	}
	from := *base
	if root.URLBaseStr != "" {
		u, err := url.Parse(root.URLBaseStr)
		if err != nil {
			return nil, fmt.Errorf("description: %w", err)
		}
		from = *u
	}
	root.SetURLBase(&from)
	var err error
	root.Device.VisitServices(func(s *goupnp.Service) {
		for _, f := range []goupnp.URLField{s.ControlURL, s.SCPDURL} {
			if f.Ok && (f.URL.Scheme != "http" || f.URL.Hostname() != base.Hostname()) {
				err = fmt.Errorf("description: %.100q is another's address", f.Str)
			}
		}
	})
	return root, err
}

// upnp controls a device.
type upnp struct {
	transport  *av1.AVTransport1
	rendering  *av1.RenderingControl1  // nil: its volume cannot be set
	connection *av1.ConnectionManager1 // nil: it does not say what it takes
	loudest    int                     // of its volume
	canNext    bool
	sink       []string // the media types that it takes; empty: unknown
}

func newUPnP(root *goupnp.RootDevice, base *url.URL, client *http.Client) (*upnp, error) {
	transports, err := av1.NewAVTransport1ClientsFromRootDevice(root, base)
	if err != nil {
		return nil, err
	}
	c := &upnp{transport: transports[0], loudest: 100}
	c.transport.SOAPClient.HTTPClient = *client
	if all, err := av1.NewRenderingControl1ClientsFromRootDevice(root, base); err == nil {
		c.rendering = all[0]
		c.rendering.SOAPClient.HTTPClient = *client
	}
	if all, err := av1.NewConnectionManager1ClientsFromRootDevice(root, base); err == nil {
		c.connection = all[0]
		c.connection.SOAPClient.HTTPClient = *client
	}
	return c, nil
}

// learn finds out what the device can do. What it does not tell is taken for the least.
func (c *upnp) learn(ctx context.Context, client *http.Client) {
	if u := c.transport.Service.SCPDURL; u.Ok {
		if data, err := get(ctx, client, &u.URL); err == nil {
			c.canNext = parseSCPD(data).has("SetNextAVTransportURI")
		}
	}
	if c.rendering != nil {
		u := c.rendering.Service.SCPDURL
		data, err := get(ctx, client, &u.URL)
		s := parseSCPD(data)
		if err == nil && !s.has("SetVolume") {
			c.rendering = nil
		} else if most := s.most("Volume"); most > 0 {
			c.loudest = most
		}
	}
	if c.connection != nil {
		if _, sink, err := c.connection.GetProtocolInfoCtx(ctx); err == nil {
			c.sink = parseSink(sink)
		}
	}
}

// scpd is the part of a service's description that matters here (UPnP Device Architecture 1.1, section 2.5).
type scpd struct {
	Actions []string `xml:"actionList>action>name"`
	Vars    []struct {
		Name    string `xml:"name"`
		Maximum string `xml:"allowedValueRange>maximum"`
	} `xml:"serviceStateTable>stateVariable"`
}

func parseSCPD(data []byte) (s scpd) {
	if xml.Unmarshal(data, &s) != nil {
		return scpd{}
	}
	return s
}

func (s scpd) has(action string) bool {
	for _, name := range s.Actions {
		if strings.TrimSpace(name) == action {
			return true
		}
	}
	return false
}

// most returns the largest value of a variable; 0: it is not said.
func (s scpd) most(variable string) int {
	for _, v := range s.Vars {
		if strings.TrimSpace(v.Name) == variable {
			n, err := strconv.Atoi(strings.TrimSpace(v.Maximum))
			if err == nil && n > 0 && n <= 1000 {
				return n
			}
		}
	}
	return 0
}

// parseSink returns the media types of a list of protocols (ConnectionManager:1, section 2.2.2): "http-get:*:audio/mpeg:*,…".
func parseSink(list string) (types []string) {
	for info := range strings.SplitSeq(list, ",") {
		fields := strings.SplitN(strings.TrimSpace(info), ":", 4)
		if len(fields) != 4 || fields[0] != "http-get" && fields[0] != "*" {
			continue
		}
		t, _, _ := strings.Cut(strings.ToLower(fields[2]), ";")
		if len(types) < 1000 {
			types = append(types, strings.TrimSpace(t))
		}
	}
	return types
}

// films reports whether it shows pictures that move.
func (c *upnp) films() bool {
	for _, t := range c.sink {
		if t == "*" || strings.HasPrefix(t, "video/") {
			return true
		}
	}
	return len(c.sink) == 0
}

// idOf makes a device's UUID part of an ID.
func idOf(udn string) string {
	id := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return -1
	}, strings.TrimPrefix(strings.TrimSpace(udn), "uuid:"))
	return id[:min(len(id), 48)]
}

// cleanName makes what a device calls itself fit to be shown on a line.
func cleanName(s string) string {
	s = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, s)), " ")
	if runes := []rune(s); len(runes) > maxName {
		s = strings.TrimSpace(string(runes[:maxName]))
	}
	return s
}
