package portal

import (
	"fmt"
	"html"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
)

const (
	// maxBody bounds a request's body, in bytes: nothing is uploaded yet.
	maxBody = ipc.MaxBody
	// bodyTimeout is how long a client may take to send its body.
	bodyTimeout = 15 * time.Second
)

// Policies of what a page may load (CSP 3). The user interface has no inline script; style attributes are harmless
// without one. hls.js feeds the player from memory and runs its worker from a blob.
const (
	pagePolicy = "default-src 'self'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; " +
		"img-src 'self' data: blob:; media-src 'self' blob:; worker-src 'self' blob:; connect-src 'self'; " +
		"object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
	// A library may hold anything, so nothing of it runs: not as a script, not with the page's origin.
	mediaPolicy = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"
)

// door checks every request before a route sees it, and sets what every answer carries. It never wraps the
// [http.ResponseWriter]: that would hide sendfile.
func (p *Service) door(next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", pagePolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if r.Body != nil && r.Body != http.NoBody {
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout)) // a test's recorder has none
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		}
		if !p.hosts.allow(r.Host) {
			if !p.capture(w, r) {
				p.misdirected(w, r)
			}
			return
		}
		if err := cross.Check(r); err != nil {
			p.fail(w, r, &media.Error{
				Op: "answer a request from another site", Err: fmt.Errorf("%w: %w", media.ErrDenied, err),
				Hint: "Open manofwar's own page and do it there.",
			})
			return
		}
		if err := checkBody(r); err != nil {
			p.fail(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// checkBody holds state-changing requests to JSON or no body at all, which a form of another site cannot send; and those
// of the setup pages, which work without scripts, to a form.
func checkBody(r *http.Request) error {
	if r.ContentLength == 0 || r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	if r.ContentLength > maxBody {
		return &ipc.Error{Status: http.StatusRequestEntityTooLarge, Code: "too_large", Message: fmt.Sprintf("the request is larger than %d bytes", maxBody)}
	}
	want := "application/json"
	if isSetup(r.URL.Path) {
		want = "application/x-www-form-urlencoded"
	}
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != want {
		return &ipc.Error{Status: http.StatusUnsupportedMediaType, Code: "media_type", Message: "the request's body must be " + want}
	}
	return nil
}

// hosts says by which names the portal may be addressed. A browser that was tricked by DNS rebinding names the
// attacker's host; an IP address cannot be rebound.
type hosts struct {
	fixed map[string]bool
	own   func() string // the host name that was won on the network, without a domain; may be empty
	won   *won
}

// won remembers which names were won on the network: a browser that came by one of them is in the middle of something when
// the device is given another.
type won struct {
	mu   sync.Mutex // guards list
	list []string   // the last first, in lower case
}

// maxWon bounds the names that are remembered.
const maxWon = 8

// names returns those that were won, given the one that is now, if any.
func (w *won) names(now string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now = strings.ToLower(now); now != "" && !slices.Contains(w.list, now) {
		w.list = append([]string{now}, w.list[:min(len(w.list), maxWon-1)]...)
	}
	return w.list
}

// localDomains are the domains that home routers put behind a device's name. None can be registered by a stranger.
var localDomains = []string{"", ".local", ".lan", ".home", ".home.arpa", ".internal", ".localdomain", ".fritz.box"}

func newHosts(names []string, own func() string) hosts {
	h := hosts{fixed: map[string]bool{"localhost": true}, own: own, won: &won{}}
	for _, name := range names {
		name = strings.ToLower(strings.TrimSuffix(name, "."))
		h.fixed[name] = true
		for _, domain := range localDomains {
			if !strings.Contains(name, ".") {
				h.fixed[name+domain] = true
			}
		}
	}
	return h
}

// allow reports whether a Host field (RFC 9110, section 7.2) names this machine.
func (h hosts) allow(host string) bool {
	if name, port, err := net.SplitHostPort(host); err == nil {
		if strings.Trim(port, "0123456789") != "" {
			return false
		}
		host = name
	} else {
		host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if h.fixed[host] {
		return true
	}
	return slices.ContainsFunc(h.won.names(h.own()), func(name string) bool {
		domain, ok := strings.CutPrefix(host, name)
		return ok && slices.Contains(localDomains, domain)
	})
}

// misdirected answers a request for a name that is not ours, and says where to go instead.
func (p *Service) misdirected(w http.ResponseWriter, r *http.Request) {
	address := "this device's IP address"
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr); ok {
		address = "http://" + a.String()
		if own := p.hosts.own(); own != "" {
			own += ".local"
			if a.Port != 80 {
				own = net.JoinHostPort(own, strconv.Itoa(a.Port))
			}
			address = "http://" + own + " or " + address
		}
	}
	e := &ipc.Error{
		Status: http.StatusMisdirectedRequest, Code: "host",
		Message: fmt.Sprintf("%.100q is not a name of this device", r.Host), Hint: "Open " + address + " instead.",
	}
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		p.fail(w, r, e)
		return
	}
	plainPage(w, r, e.Status, "Wrong address", e.Message+".", e.Hint)
}

// plainPage answers with a page for what must be said without the user interface.
func plainPage(w http.ResponseWriter, r *http.Request, status int, title, text, hint string) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return
	}
	title, text, hint = html.EscapeString(title), html.EscapeString(text), html.EscapeString(hint)
	_, _ = fmt.Fprintf(w, `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>%[1]s</title>
<body style="font:1.1rem/1.5 system-ui;max-width:34rem;margin:15vh auto;padding:0 1rem">
<h1>%[1]s</h1><p>%[2]s</p><p>%[3]s</p>
`, title, text, hint) // the client has left if this fails
}
