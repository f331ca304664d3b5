package portal

import (
	"bytes"
	"compress/gzip"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"

	netapi "manofwar/netmgr/api"
)

// setupFiles are the setup pages. They are no part of the user interface's build: they work without scripts, in a
// phone's sign-in sheet, and all of them together are smaller than a photograph's thumbnail.
//
//go:embed setup
var setupFiles embed.FS

var setupPages = template.Must(template.New("").Funcs(template.FuncMap{"say": say}).ParseFS(setupFiles, "setup/pages.html"))

// sheet is what a setup page shows.
type sheet struct {
	W      *words
	Device string        // what it is called
	Title  template.HTML // of the window: what the heading says, without its markup
	Guest  bool          // whoever looks is in the device's own network
	Leave  bool          // there is something to leave unfinished

	Refresh string // seconds after which the page loads anew, with an address as meta refresh has it; empty: never

	Heading, Lead        template.HTML
	Problem              template.HTML // instead of the heading
	ProblemText          string
	ProblemLang          string
	Form                 joinForm
	Hint                 string // about the password
	Joined               bool
	New, Cabled, Looking bool
	Networks             []row
	Countries            []country
	Country              string
	Login                string // where the network wants a sign-in
	Addresses            []string
	Library              string
	More                 bool
	AskFactory, AskPhone bool
	Added                template.HTML
	AskName              bool
	Name                 string        // what its owner calls the device
	Named                template.HTML // that it was given one
	Kind                 string
}

// joinForm is what a person fills in to join a network.
type joinForm struct {
	Key        string // the network's name in base64url; empty: SSID was typed
	SSID       string
	Passphrase string
	Open       bool // it is known to have no password
	Known      bool // it is known, with its password
	Metered    bool
}

// row is a network in the list.
type row struct {
	Key, SSID          string
	Bars               int // 1 to 4
	Strength           string
	Open, Known, Join  bool
	Band               string
	Reason, ReasonLang string
}

// country is one whose radio rules are known.
type country struct{ Code, Name string }

// countries returns the countries in a language, sorted as it sorts.
func countries(lang string) (list []country) {
	data, err := setupFiles.ReadFile("setup/countries." + lang + ".txt")
	if err != nil {
		panic(err) // it is embedded, for each language of words
	}
	for line := range strings.Lines(string(data)) {
		code, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		list = append(list, country{code, name})
	}
	return list
}

// rows makes the list of networks. One that hides its name is left out: it can be given by hand.
func (w *words) rows(networks []netapi.Network) (rows []row) {
	for _, n := range networks {
		if len(n.Raw) == 0 || strings.Trim(string(n.Raw), "\x00") == "" {
			continue
		}
		r := row{
			Key: key(n.Raw), SSID: n.SSID, Bars: bars(n.Signal), Strength: w.strength(n.Signal),
			Open: n.Security == openSecurity, Known: n.Profile != "", Join: n.Join,
		}
		if slices.Contains(n.Bands, "5 GHz") {
			r.Band = "5 GHz"
		}
		if !n.Join {
			r.Reason, r.ReasonLang = w.reason(n.Reason)
		}
		rows = append(rows, r)
	}
	slices.SortStableFunc(rows, func(a, b row) int { return boolRank(b.Join) - boolRank(a.Join) })
	return rows
}

// openSecurity is [netapi.Network.Security] of a network without a password.
const openSecurity = "open"

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}

// key writes a network's name, which may be any bytes, so that it fits into an address.
func key(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

// bars turns a signal in dBm into bars.
func bars(signal int) int {
	switch {
	case signal >= -58:
		return 4
	case signal >= -68:
		return 3
	case signal >= -77:
		return 2
	}
	return 1
}

func (w *words) strength(signal int) string {
	return [...]string{"", w.Weak, w.Fair, w.Fair, w.Strong}[bars(signal)]
}

// sheet begins a page for whoever asks.
func (p *Service) sheet(r *http.Request) sheet {
	g, guest := p.guest(r)
	return sheet{
		W: wordsFor(r), Device: p.name(), Guest: guest,
		Leave: guest && !p.guests.done(g.addr) || p.watch.unset(),
	}
}

// show answers with a page. Nothing keeps it: it is true now, and may hold a password that its reader has typed.
func (p *Service) show(w http.ResponseWriter, r *http.Request, name string, s sheet) error {
	if s.Title = s.Problem; s.Title == "" {
		s.Title = s.Heading
	}
	s.Title = template.HTML(strings.NewReplacer("<bdi>", "", "</bdi>", "").Replace(string(s.Title)))
	var b bytes.Buffer
	if err := setupPages.ExecuteTemplate(&b, name, s); err != nil {
		return fmt.Errorf("setup page: %w", err)
	}
	body, h := b.Bytes(), w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "Accept-Encoding, Accept-Language")
	if acceptsGzip(r) {
		h.Set("Content-Encoding", "gzip")
		body = compress(body, gzip.BestSpeed)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client has left if this fails
	}
	return nil
}

func (p *Service) setupStyle(w http.ResponseWriter, r *http.Request) error {
	body, err := setupFiles.ReadFile("setup/style.css")
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/css; charset=utf-8")
	h.Set("Cache-Control", "no-cache")
	tag := validators{etag: `"` + p.opts.Version + strconv.Itoa(len(body)) + `"`}
	tag.set(h)
	if status := tag.check(r); status != 0 {
		w.WriteHeader(status)
		return nil
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
	return nil
}
