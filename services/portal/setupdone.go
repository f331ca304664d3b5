package portal

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
	netapi "manofwar/netmgr/api"
)

// setupOffline ends the setup without a network.
func (p *Service) setupOffline(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
	p.finish(ctx, r)
	return turn(w, r, setupPath+"/done")
}

// finish lets the client's probes succeed from now on, and the device count as set up.
func (p *Service) finish(ctx context.Context, r *http.Request) {
	if g, ok := p.guest(r); ok {
		p.guests.finish(g.addr)
	}
	if !p.watch.unset() {
		return
	}
	yes := true
	if _, err := p.networks.ChangeSettings(ctx, netapi.Settings{Done: &yes}); err != nil {
		p.log.Warn("setup not ended", "err", err) // the client is done nevertheless
	}
}

// setupDone says where the device is now, and offers what helps when the router fails.
func (p *Service) setupDone(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
	status, err := p.watch.sources.network(ctx)
	if err != nil {
		return err
	}
	profiles, err := p.networks.Profiles(ctx)
	if err != nil {
		return err
	}
	settings, err := p.networks.Settings(ctx)
	if err != nil {
		return err
	}
	s := p.sheet(r)
	s.Leave = false
	s.arrive(status, r)
	s.named(status, settings, r)
	s.AskFactory = !slices.ContainsFunc(profiles, func(p netapi.Profile) bool { return p.Factory })
	s.AskPhone = !slices.ContainsFunc(profiles, func(p netapi.Profile) bool { return p.Metered })
	s.More = status.AccessPoint != nil && len(profiles) > 0 && (s.AskFactory || s.AskPhone)
	switch r.URL.Query().Get("added") {
	case kindFactory:
		s.Added = say(s.W.Added, s.W.AfterReset)
	case kindPhone:
		s.Added = say(s.W.Added, s.W.PhoneName)
	}
	return p.show(w, r, "done", s)
}

// namedTries is how often the page after a new name loads anew until that was won on the network: it takes a second or two.
const namedTries = 5

// named offers to give the device a name, or says which it has been given and, once it was won, under which address.
func (s *sheet) named(status netapi.Status, settings netapi.Settings, r *http.Request) {
	query := r.URL.Query()
	if settings.Name != nil {
		s.Name = *settings.Name
	}
	s.AskName = s.Refresh == "" // which would take away what is being typed
	if !query.Has("named") || s.Name == "" {
		return
	}
	s.Named = say(s.W.Named, s.Name)
	tries, _ := strconv.Atoi(query.Get("named")) // none has been
	news := status.Hostname != "" && (status.Name == s.Name || strings.HasPrefix(status.Name, s.Name+" ("))
	if !news && len(status.Links) > 0 && tries < namedTries {
		s.Refresh, s.AskName = fmt.Sprintf("%s;url=%s/done?named=%d", tryRefresh, setupPath, tries+1), false
	}
}

// setupName gives the device a name.
func (p *Service) setupName(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
	name := strings.TrimSpace(r.PostFormValue("name"))
	_, err := p.networks.ChangeSettings(ctx, netapi.Settings{Name: &name})
	if !errors.Is(err, media.ErrInvalid) {
		if err != nil {
			return err
		}
		return turn(w, r, setupPath+"/done?named")
	}
	s := p.sheet(r)
	s.Leave, s.Name, s.Heading = false, name, template.HTML(s.W.NameTitle)
	switch n := utf8.RuneCountInString(name); {
	case n == 0:
		s.Problem = template.HTML(s.W.NameMissing)
	case n > maxDeviceName:
		s.Problem = template.HTML(s.W.NameLong)
	default:
		s.Problem = template.HTML(s.W.NameOdd)
	}
	return p.show(w, r, "name", s)
}

// maxDeviceName is the length of the longest name that a device may be given, in characters.
const maxDeviceName = 63

// arrive says what the device is connected to.
func (s *sheet) arrive(status netapi.Status, r *http.Request) {
	link, ok := best(status)
	port := ""
	local, _ := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if local != nil && local.Port != 80 {
		port = ":" + strconv.Itoa(local.Port)
	}
	if !ok {
		s.Heading, s.Lead, s.Library = template.HTML(s.W.Offline), template.HTML(s.W.OfflineText), "/"
		if local != nil {
			s.Addresses = []string{"http://" + hostOf(local.AddrPort().Addr()) + port}
		}
		return
	}
	name := s.W.Network
	if link.WiFi != nil {
		name = link.WiFi.SSID
	}
	switch {
	case link.WiFi == nil && link.State != netapi.Captive:
		s.Heading, s.Lead = template.HTML(s.W.Cabled), template.HTML(s.W.ConnectedText)
	case link.State != netapi.Good && link.State != netapi.Captive && time.Since(link.Since) < judging:
		s.Heading, s.Lead, s.Refresh = say(s.W.Connected, name), template.HTML(s.W.Judging), setupRefresh
	case link.State == netapi.Captive:
		s.Heading, s.Lead, s.Login = say(s.W.SignIn, name), template.HTML(s.W.SignInText), webURL(link.Login)
	case link.State == netapi.Good, link.Reason == "": // nothing is wrong, or nobody asked
		s.Heading, s.Lead = say(s.W.Connected, name), template.HTML(s.W.ConnectedText)
	default:
		s.Heading, s.Lead = say(s.W.NoInternet, name), template.HTML(s.W.NoInternetText)
	}
	if status.Hostname != "" {
		s.Addresses = append(s.Addresses, "http://"+status.Hostname+".local"+port)
	}
	for _, a := range link.Addresses {
		if a.Addr().Is4() {
			s.Addresses = append(s.Addresses, "http://"+hostOf(a.Addr())+port)
		}
	}
}

func hostOf(a netip.Addr) string {
	if a = a.Unmap(); a.Is4() {
		return a.String()
	}
	return "[" + a.WithZone("").String() + "]"
}

// webURL returns the address of a web page as it is, and that of anything else not at all.
func webURL(s string) string {
	if u, err := url.Parse(s); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return ""
	}
	return s
}

// best returns the link that reaches furthest of those in the order of preference, if one has an address at least.
func best(s netapi.Status) (netapi.Link, bool) {
	for _, state := range []netapi.State{netapi.Good, netapi.Captive, netapi.LANOnly, netapi.Associated} {
		for _, l := range s.Links {
			if l.State == state && (reaches(l) || len(l.Addresses) > 0) {
				return l, true
			}
		}
	}
	return netapi.Link{}, false
}

func reaches(l netapi.Link) bool {
	return l.State == netapi.LANOnly || l.State == netapi.Captive || l.State == netapi.Good
}

// The kinds of networks that help when the router fails.
const (
	kindFactory = "factory"
	kindPhone   = "phone"
)

func (p *Service) setupAddForm(_ context.Context, w http.ResponseWriter, r *http.Request) error {
	s := p.sheet(r)
	s.Kind = r.URL.Query().Get("kind")
	return p.showAdd(w, r, s)
}

func (p *Service) showAdd(w http.ResponseWriter, r *http.Request, s sheet) error {
	s.Leave = false
	switch s.Kind {
	case kindFactory:
		s.Heading, s.Lead = template.HTML(s.W.Factory), template.HTML(s.W.FactoryHow)
	case kindPhone:
		s.Heading, s.Lead = template.HTML(s.W.Phone), template.HTML(s.W.PhoneHow)
	default:
		return turn(w, r, setupPath+"/done")
	}
	return p.show(w, r, "add", s)
}

// setupAdd makes a network known that is not there now.
func (p *Service) setupAdd(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
	s := p.sheet(r)
	s.Kind = r.PostFormValue("kind")
	n, problem := s.fill(r)
	n.Hidden = false // it shows its name; it is only not there
	n.Name, n.Factory, n.Metered = s.W.AfterReset, true, false
	if s.Kind == kindPhone {
		n.Name, n.Factory, n.Metered = s.W.PhoneName, false, true
	}
	if problem != "" {
		s.Problem = template.HTML(problem)
		return p.showAdd(w, r, s)
	}
	_, err := p.networks.CreateProfile(ctx, n)
	if errors.Is(err, media.ErrInvalid) {
		s.Problem, s.ProblemText, s.ProblemLang = say(s.W.Failed, s.Form.SSID), ipc.AsError(err).Message, english.Lang
		return p.showAdd(w, r, s)
	}
	if err != nil {
		return err
	}
	return turn(w, r, setupPath+"/done?added="+url.QueryEscape(s.Kind))
}
