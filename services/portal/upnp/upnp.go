// Package upnp is a UPnP device: what announces itself in the home's network, describes itself, answers calls and tells
// subscribers what has changed (UPnP Device Architecture 1.1). The devices are the packages beside it: renderer, on which
// others play, and server, from which others take.
//
// UPnP knows no trust: whoever is in the network may call. A device therefore exists only while the owner wants it,
// answers nobody outside networks of the home's, does not answer a browser that another site's page has call it, and
// bounds everything.
package upnp

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"manofwar/internal/ipc"
	"manofwar/services/portal/upnp/gena"
	"manofwar/services/portal/upnp/soap"
	"manofwar/services/portal/upnp/ssdp"
)

// Device is one.
type Device struct {
	Kind     string        // "MediaRenderer", "MediaServer"
	DLNA     string        // "DMR-1.50", "DMS-1.50"
	UUID     string        // for as long as the device is kept; without "uuid:"
	Name     func() string // for a person
	Version  string        // of the program
	Services []*Service
	Other    http.Handler          // answers what is below none of the services; nil: nobody
	Follow   func(context.Context) // until ctx ends, what the services tell of, while guests can come; nil: nothing
	Port     int                   // that is tried first; another one is taken where it is in use
	Server   func(ctx context.Context, h http.Handler) *http.Server
	Announce func(context.Context, ssdp.Device) error // [ssdp.Run]
	Log      *slog.Logger
}

// Manufacturer is what the description says of who made it. Our own control point knows our own devices by it.
const Manufacturer = "manofwar"

// shutdownGrace is how long answers under way may take to end.
const shutdownGrace = time.Second

// Run is there until ctx ends. It calls up once it can be called.
func (d *Device) Run(ctx context.Context, up func()) error {
	ln, err := d.listen(ctx)
	if err != nil {
		return err
	}
	port := ln.Addr().(*net.TCPAddr).Port
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for _, s := range d.Services {
		s.events = gena.New(ctx, s.State, d.Log)
	}
	srv := d.Server(ctx, d.handler())
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	announced := make(chan error, 1)
	go func() { announced <- d.Announce(ctx, d.announced(port)) }()
	var following sync.WaitGroup
	if d.Follow != nil {
		following.Go(func() { d.Follow(ctx) })
	}
	d.Log.Info("guests can come", "as", d.Kind, "port", port)
	up()
	select {
	case <-ctx.Done():
	case err = <-served:
		served <- nil
		err = fmt.Errorf("serve: %w", err)
	case err = <-announced:
		announced <- nil
	}
	over := ctx.Err() != nil
	cancel()
	<-announced // the goodbye is said
	ipc.Shut(ctx, srv, shutdownGrace)
	<-served
	following.Wait()
	for _, s := range d.Services {
		s.events.Wait()
	}
	if over {
		return nil
	}
	return err
}

// listen opens the device's port, or any.
func (d *Device) listen(ctx context.Context) (net.Listener, error) {
	var lc net.ListenConfig
	if ln, err := lc.Listen(ctx, "tcp", fmt.Sprintf(":%d", d.Port)); err == nil {
		return ln, nil
	}
	return lc.Listen(ctx, "tcp", ":0")
}

func (d *Device) announced(port int) ssdp.Device {
	a := ssdp.Device{
		UUID: d.UUID, Type: d.deviceType(), Server: d.product(),
		Location: func(own netip.Addr) string {
			return fmt.Sprintf("http://%s/description.xml", netip.AddrPortFrom(own, uint16(port)))
		},
	}
	for _, s := range d.Services {
		a.Services = append(a.Services, s.Type)
	}
	return a
}

func (d *Device) deviceType() string { return "urn:schemas-upnp-org:device:" + d.Kind + ":1" }

func (d *Device) product() string { return "Linux UPnP/1.0 DLNADOC/1.50 manofwar/" + token(d.Version) }

// token makes s fit for a product's version (RFC 9110, section 5.6.2).
func token(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(".-_+", r) {
			return r
		}
		return '-'
	}, s)
}

// handler answers everything, for those who may ask.
func (d *Device) handler() http.Handler {
	mux := http.NewServeMux()
	calls := make(turns, maxCalls)
	mux.HandleFunc("GET /description.xml", d.describe)
	for _, s := range d.Services {
		mux.HandleFunc("GET /"+s.Name+"/scpd.xml", func(w http.ResponseWriter, _ *http.Request) { answerXML(w, http.StatusOK, s.scpd()) })
		mux.HandleFunc("POST /"+s.Name+"/control", calls.take(s.control))
		mux.Handle("/"+s.Name+"/event", s.events)
	}
	if d.Other != nil {
		mux.Handle("/", d.Other)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Server", d.product())
		h.Set("X-Content-Type-Options", "nosniff")
		if !near(r) {
			h.Set("Content-Length", "0")
			w.WriteHeader(http.StatusForbidden)
			return
		}
		if r.Body != nil && r.Body != http.NoBody {
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout)) // a test's recorder has none
			r.Body = http.MaxBytesReader(w, r.Body, soap.MaxBody)
		}
		mux.ServeHTTP(w, r)
	})
}

// bodyTimeout is how long a call may take to come.
const bodyTimeout = 10 * time.Second

// near reports whether somebody of the home's network asks, by an address of ours and for themselves: names can be made to
// lead here by a page of somebody else's, and a browser that such a page has send something says so.
func near(r *http.Request) bool {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !Home(from.Addr()) {
		return false
	}
	if r.Host == "" && !r.ProtoAtLeast(1, 1) {
		return r.Header.Get("Origin") == "" // an old television: browsers always say it
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err != nil {
		return false
	}
	return r.Header.Get("Origin") == "" && r.Header.Get("Sec-Fetch-Site") == ""
}

// Home reports whether an address is one that only networks at home have (RFC 1918, RFC 4193, RFC 3927, RFC 4291), or this
// computer's own.
func Home(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsLoopback()
}

func answerXML(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", `text/xml; charset="utf-8"`)
	h.Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the caller has left if this fails
}
