package portal

import (
	"context"
	"encoding/base64"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
	netapi "manofwar/netmgr/api"
)

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
		p.tries.end(a.ID)
		p.finish(ctx, r) // whoever knows the attempt's number: we may have been restarted, and have forgotten whose it was
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
