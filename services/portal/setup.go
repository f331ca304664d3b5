package portal

import (
	"context"
	"encoding/base64"
	"errors"
	"html/template"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
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

// setupForm asks for the password of a network from the list, or for the name too.
func (p *Service) setupForm(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
	s := p.sheet(r)
	raw, err := base64.RawURLEncoding.DecodeString(r.URL.Query().Get("n"))
	if err != nil || len(raw) > maxSSID {
		return turn(w, r, setupPath+"?list")
	}
	if len(raw) > 0 {
		s.Form = joinForm{Key: key(raw), SSID: strings.ToValidUTF8(string(raw), "\uFFFD")}
		around, err := p.networks.Networks(ctx, false)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(around.Networks, func(n netapi.Network) bool { return string(n.Raw) == string(raw) }); i >= 0 {
			s.Form.Open, s.Form.Known = around.Networks[i].Security == openSecurity, around.Networks[i].Profile != ""
		}
	}
	return p.showForm(w, r, s)
}

// showForm shows the form for a network, with what was typed already and what is wrong with it.
func (p *Service) showForm(w http.ResponseWriter, r *http.Request, s sheet) error {
	switch {
	case s.Form.Key == "":
		s.Heading, s.Lead, s.Hint = template.HTML(s.W.HiddenTitle), template.HTML(s.W.HiddenText), s.W.PasswordNone
	case s.Form.Open:
		s.Heading, s.Lead = say(s.W.OpenJoin, s.Form.SSID), template.HTML(s.W.OpenJoinText)
	default:
		s.Heading = say(s.W.PasswordFor, s.Form.SSID)
		if s.Form.Known {
			s.Hint = s.W.PasswordKnown
		}
	}
	return p.show(w, r, "join", s)
}

// setupJoin tries a network.
func (p *Service) setupJoin(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
	s := p.sheet(r)
	n, problem := s.fill(r)
	if problem != "" {
		s.Problem = template.HTML(problem)
		return p.showForm(w, r, s)
	}
	a, err := p.networks.TryNetwork(ctx, n)
	if errors.Is(err, media.ErrInvalid) {
		e := ipc.AsError(err)
		s.Problem, s.ProblemText, s.ProblemLang = say(s.W.Failed, s.Form.SSID), e.Message, english.Lang
		return p.showForm(w, r, s)
	}
	if err != nil {
		return err
	}
	p.tries.add(a.ID, try{client: client(r), form: s.Form})
	return turn(w, r, setupPath+"/try/"+url.PathEscape(a.ID))
}

const (
	maxSSID       = 32 // bytes (IEEE 802.11, clause 9.4.2.2)
	minPassphrase = 8  // characters (IEEE 802.11, annex J.4.1)
	maxPassphrase = 63
)

// fill reads the form into s and returns the network it means, or what is wrong with it in words for a person.
func (s *sheet) fill(r *http.Request) (n netapi.NewProfile, problem string) {
	f := &s.Form
	f.Key, f.SSID, f.Passphrase = r.PostFormValue("n"), r.PostFormValue("ssid"), r.PostFormValue("passphrase")
	f.Open, f.Metered = r.PostFormValue("open") != "", r.PostFormValue("metered") != ""
	n.Metered, n.Hidden = f.Metered, f.Key == ""
	n.Raw = []byte(f.SSID)
	if f.Key != "" {
		raw, err := base64.RawURLEncoding.DecodeString(f.Key)
		if err != nil {
			f.Key = ""
		}
		n.Raw, f.SSID = raw, strings.ToValidUTF8(string(raw), "\uFFFD")
	}
	f.Known = r.PostFormValue("known") != ""
	switch size := len(f.Passphrase); {
	case len(n.Raw) == 0:
		return n, s.W.NoName
	case len(n.Raw) > maxSSID:
		return n, s.W.LongName
	case size == 0 && f.Known: // nil: the one that is known
		return n, ""
	case size == 0 && (f.Open || f.Key == ""):
	case size < minPassphrase:
		return n, s.W.TooShort
	case size > maxPassphrase && !isKey(f.Passphrase):
		return n, s.W.TooLong
	}
	n.Passphrase = &f.Passphrase
	return n, ""
}

// isKey reports whether a password is the key itself: 64 hexadecimal digits.
func isKey(s string) bool { return len(s) == 64 && strings.Trim(s, "0123456789abcdefABCDEF") == "" }

// setupTry shows how far an attempt has come, and the form again once it failed.
func (p *Service) setupTry(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return turn(w, r, setupPath+"?list")
	}
	a, err := p.networks.Attempt(ctx, string(id))
	if errors.Is(err, media.ErrNotFound) {
		return turn(w, r, setupPath+"?list")
	}
	if err != nil {
		return err
	}
	s := p.sheet(r)
	t, mine := p.tries.get(a.ID, client(r))
	s.Form = t.form
	switch a.State {
	case netapi.Joining, netapi.Addressing:
		s.Heading = say(s.W.Trying, a.SSID)
		s.Joined, s.Refresh = a.State == netapi.Addressing, tryRefresh
		return p.show(w, r, "trying", s)
	case netapi.Connected:
		if mine {
			p.tries.end(a.ID)
			p.finish(ctx, r)
		}
		return turn(w, r, setupPath+"/done")
	}
	if !mine {
		return turn(w, r, setupPath+"?list")
	}
	p.tries.seen(a.ID)
	switch a.State {
	case netapi.WrongPassword:
		s.Problem, s.ProblemText, s.ProblemLang = say(s.W.WrongPassword, a.SSID), s.W.WrongPasswordText, s.W.Lang
	case netapi.NotFound:
		s.Problem, s.ProblemText, s.ProblemLang = say(s.W.NotFound, a.SSID), s.W.NotFoundText, s.W.Lang
	default:
		s.Problem = say(s.W.Failed, a.SSID)
		if s.ProblemText, s.ProblemLang = s.W.reason(a.Reason); s.ProblemText == "" {
			s.ProblemText, s.ProblemLang = s.W.FailedText, s.W.Lang
		}
	}
	return p.showForm(w, r, s)
}

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
	s := p.sheet(r)
	s.Leave = false
	s.arrive(status, r)
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
