package portal

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
	netapi "manofwar/netmgr/api"
)

// setupPath is where the setup pages begin.
const setupPath = "/setup"

const (
	// setupBody bounds a form, in bytes.
	setupBody = 8 << 10
	// setupPatience is how long a setup page waits for the network manager before it says so and tries again by itself.
	setupPatience = 3 * time.Second
	// judging is how long after it was joined a network without internet may still turn out to have one.
	judging = 12 * time.Second
	// setupRefresh is after how many seconds a page that waits for something loads anew, and tryRefresh that of a page for
	// which somebody holds his breath.
	setupRefresh, tryRefresh = "2", "1"
)

// isSetup reports whether a path is one of the setup pages.
func isSetup(path string) bool { return path == setupPath || strings.HasPrefix(path, setupPath+"/") }

// setupPage gives errors a form that a person with only this page can read.
func (p *Service) setupPage(f func(ctx context.Context, w http.ResponseWriter, r *http.Request) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		ctx, cancel := context.WithTimeout(r.Context(), setupPatience)
		defer cancel()
		r.Body = http.MaxBytesReader(w, r.Body, setupBody)
		err := f(ctx, w, r)
		if err == nil {
			return nil
		}
		s := p.sheet(r)
		switch e := ipc.AsError(err); {
		case errors.Is(err, media.ErrUnsupported), errors.Is(err, media.ErrBusy) && p.opts.Hosted:
			s.Heading, s.Lead, s.Library, s.Leave = template.HTML(s.W.Hosted), template.HTML(s.W.HostedText), "/", false
		case errors.Is(err, media.ErrBusy), errors.Is(err, context.DeadlineExceeded):
			s.Heading, s.Lead, s.Refresh, s.Leave = template.HTML(s.W.Away), template.HTML(s.W.AwayText), setupRefresh+";url="+setupPath+"?list", false
		default:
			p.log.Warn("setup page went wrong", "path", r.URL.Path, "err", err)
			s.Heading, s.Lead = say(e.Message, ""), say(e.Hint, "")
		}
		return p.show(w, r, "word", s)
	}
}

// setupList shows the networks around.
func (p *Service) setupList(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
	if id, ok := p.tries.open(client(r)); ok && r.URL.RawQuery == "" {
		return turn(w, r, setupPath+"/try/"+url.PathEscape(id)) // the phone closed its sheet, and opened it again
	}
	status, err := p.watch.sources.network(ctx)
	if err != nil {
		return err
	}
	around, err := p.networks.Networks(ctx, false)
	if err != nil {
		return err
	}
	settings, err := p.networks.Settings(ctx)
	if err != nil {
		return err
	}
	s := p.sheet(r)
	s.Networks, s.Countries, s.Country = s.W.rows(around.Networks), countries(s.W.Lang), status.Country
	if settings.Country != nil {
		s.Country = *settings.Country
	}
	if s.Looking = p.looking.now() || around.Scanning || around.At.IsZero(); s.Looking {
		s.Refresh = setupRefresh + ";url=" + setupPath + "?list"
	}
	_, connected := best(status)
	s.Cabled = status.Setup && slices.ContainsFunc(status.Links, func(l netapi.Link) bool { return l.Kind != "wifi" && reaches(l) })
	s.New = status.Setup || connected
	s.Leave = s.Leave && s.New && !s.Cabled // elsewhere it is the first thing on the page
	switch {
	case s.Cabled:
		s.Heading = template.HTML(s.W.Cabled)
	case s.New:
		s.Heading = template.HTML(s.W.Choose)
	default:
		s.Heading = template.HTML(s.W.Lost)
	}
	return p.show(w, r, "list", s)
}

func (p *Service) setupScan(_ context.Context, w http.ResponseWriter, r *http.Request) error {
	p.looking.start(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, scanTimeout)
		defer cancel()
		if _, err := p.networks.Networks(ctx, true); err != nil {
			p.log.Warn("networks not looked for", "err", err)
		}
	})
	return turn(w, r, setupPath+"?list")
}

func (p *Service) setupCountry(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
	code := r.PostFormValue("country")
	known := slices.ContainsFunc(countries(english.Lang), func(c country) bool { return c.Code == code })
	if !known && code != "" {
		return invalid("country", "expected two capital letters of a country")
	}
	if _, err := p.networks.ChangeSettings(ctx, netapi.Settings{Country: &code}); err != nil {
		return err
	}
	return turn(w, r, setupPath+"?list")
}

// turn sends a browser to another page by GET, whatever it came by.
func turn(w http.ResponseWriter, _ *http.Request, to string) error {
	h := w.Header()
	h.Set("Location", to)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// client is who asks. Two phones of one household are told apart by it, two programs on one are not.
func client(r *http.Request) netip.Addr {
	from, _ := netip.ParseAddrPort(r.RemoteAddr) // net/http wrote it
	return from.Addr().Unmap()
}
