package portal

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
	"manofwar/internal/upnpav"
	playerapi "manofwar/player/api"
	castapi "manofwar/services/cast/api"
)

// caster is what the portal asks of cast.
type caster interface {
	Renderers(context.Context) (castapi.Renderers, error)
	Sessions(context.Context) (castapi.Sessions, error)
	Session(ctx context.Context, id string) (castapi.Session, error)
	Queue(ctx context.Context, id string, offset, limit int) (castapi.Queue, error)
	Play(context.Context, castapi.Play) (castapi.Session, error)
	Control(ctx context.Context, id string, do castapi.Control) (castapi.Session, error)
	Edit(ctx context.Context, id string, e castapi.Edit) (castapi.Session, error)
	Change(ctx context.Context, id string, ch castapi.Change) (castapi.Session, error)
	Move(ctx context.Context, id string, m castapi.Move) (castapi.Session, error)
	With(ctx context.Context, id string, w castapi.With) (castapi.Session, error)
	Devices(context.Context) (castapi.Devices, error)
	Trust(ctx context.Context, id string) error
	Distrust(ctx context.Context, id string) error
	Stop(ctx context.Context, id string) error
	Report(ctx context.Context, id string, r castapi.Report) error
	Settings(context.Context) (castapi.Settings, error)
	ChangeSettings(context.Context, castapi.Settings) (castapi.Settings, error)
}

// television is what the portal asks of the player.
type television interface {
	Status(context.Context) (playerapi.Status, error)
	Set(context.Context, playerapi.Settings) error
}

func (p *Service) castRenderers(w http.ResponseWriter, r *http.Request) error {
	return respond(w, r, callTimeout, p.cast.Renderers)
}

func (p *Service) castSessions(w http.ResponseWriter, r *http.Request) error {
	return respond(w, r, callTimeout, p.cast.Sessions)
}

func (p *Service) castSession(w http.ResponseWriter, r *http.Request) error {
	return lookUp(w, r, pathID, func(ctx context.Context, id media.ID) (castapi.Session, error) {
		return p.cast.Session(ctx, string(id))
	})
}

// defaultQueue is how many entries of a queue are answered with when nobody says.
const defaultQueue = 100

func (p *Service) castQueue(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	v, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return invalid("query", err.Error())
	}
	offset, err := number(v, "offset", 0, castapi.MaxQueue)
	if err != nil {
		return err
	}
	limit := defaultQueue
	if v.Has("limit") {
		if limit, err = number(v, "limit", 1, castapi.MaxPage); err != nil {
			return err
		}
	}
	return respond(w, r, callTimeout, func(ctx context.Context) (castapi.Queue, error) {
		return p.cast.Queue(ctx, string(id), offset, limit)
	})
}

func (p *Service) castPlay(w http.ResponseWriter, r *http.Request) error {
	return exchange(w, r, p.cast.Play)
}

func (p *Service) castControl(w http.ResponseWriter, r *http.Request) error {
	return command(w, r, p.cast.Control)
}

func (p *Service) castEdit(w http.ResponseWriter, r *http.Request) error {
	return command(w, r, p.cast.Edit)
}

func (p *Service) castChange(w http.ResponseWriter, r *http.Request) error {
	return command(w, r, p.cast.Change)
}

func (p *Service) castMove(w http.ResponseWriter, r *http.Request) error {
	return command(w, r, p.cast.Move)
}

func (p *Service) castWith(w http.ResponseWriter, r *http.Request) error {
	return command(w, r, p.cast.With)
}

func (p *Service) castDevices(w http.ResponseWriter, r *http.Request) error {
	return respond(w, r, callTimeout, p.cast.Devices)
}

func (p *Service) castTrust(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	return done(w, r, func(ctx context.Context) error { return p.cast.Trust(ctx, string(id)) })
}

func (p *Service) castDistrust(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	return done(w, r, func(ctx context.Context) error { return p.cast.Distrust(ctx, string(id)) })
}

// command is [exchange] for what the path names by its ID.
func command[Q, A any](w http.ResponseWriter, r *http.Request, do func(context.Context, string, Q) (A, error)) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	return exchange(w, r, func(ctx context.Context, in Q) (A, error) { return do(ctx, string(id), in) })
}

func (p *Service) castStop(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	return done(w, r, func(ctx context.Context) error { return p.cast.Stop(ctx, string(id)) })
}

func (p *Service) castReport(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	var in castapi.Report
	if err := ipc.ReadJSON(w, r, &in); err != nil {
		return err
	}
	return done(w, r, func(ctx context.Context) error { return p.cast.Report(ctx, string(id), in) })
}

// done answers that something was done.
func done(w http.ResponseWriter, r *http.Request, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(r.Context(), callTimeout)
	defer cancel()
	if err := do(ctx); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (p *Service) castSettings(w http.ResponseWriter, r *http.Request) error {
	return respond(w, r, callTimeout, p.cast.Settings)
}

func (p *Service) changeCastSettings(w http.ResponseWriter, r *http.Request) error {
	return exchange(w, r, p.cast.ChangeSettings)
}

// tvSettings are the owner's choices for the TV, and what there is to choose from.
type tvSettings struct {
	Settings playerapi.Settings `json:"settings"`
	Sound    *playerapi.Sound   `json:"sound"`   // null: nowhere to play sound
	Display  *playerapi.Display `json:"display"` // null: no screen is connected
	Decoding playerapi.Decoding `json:"decoding,omitempty"`
	Sync     playerapi.Sync     `json:"sync"`
}

func (p *Service) playerSettings(w http.ResponseWriter, r *http.Request) error {
	return respond(w, r, callTimeout, p.tvSettings)
}

func (p *Service) tvSettings(ctx context.Context) (tvSettings, error) {
	s, err := p.tv.Status(ctx)
	return tvSettings{s.Settings, s.Sound, s.Display, s.Decoding, s.Sync}, err
}

func (p *Service) changePlayerSettings(w http.ResponseWriter, r *http.Request) error {
	return exchange(w, r, func(ctx context.Context, in playerapi.Settings) (tvSettings, error) {
		if err := p.tv.Set(ctx, in); err != nil {
			return tvSettings{}, err
		}
		return p.tvSettings(ctx)
	})
}

// casting returns the events that tell a browser what plays where. Without cast there are none: they come once it answers.
func (w *watch) casting(ctx context.Context) (all []ipc.Event) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if w.sources.renderers != nil {
		if r := answered(ctx, w.sources.renderers); r != nil {
			all = append(all, ipc.Event{Kind: "renderers", Data: w.encode(r)})
		}
		if s := answered(ctx, w.sources.sessions); s != nil {
			all = append(all, ipc.Event{Kind: "sessions", Data: w.encode(s)})
		}
	}
	return all
}

// offer is a page's wish to be played on, as the query of its events says.
type offer struct{ id, name string }

// offerOf reads it; nil: the page wants none.
func offerOf(r *http.Request) (*offer, error) {
	v, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, invalid("query", err.Error())
	}
	if !v.Has("renderer") {
		return nil, nil
	}
	o := &offer{v.Get("renderer"), v.Get("name")}
	if !validID(o.id) {
		return nil, invalid("renderer", "not a page's id")
	}
	if len(o.name) > 4*castapi.MaxName {
		return nil, invalid("name", fmt.Sprintf("expected at most %d characters", castapi.MaxName))
	}
	return o, nil
}

// orders offers the page to cast, and returns what it is to do until stop is called. It connects again while cast is
// being restarted, and ends where cast will not have the page.
func (p *Service) orders(ctx context.Context, o *offer) (orders <-chan ipc.Event, stop func()) {
	if o == nil {
		return nil, func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	out := make(chan ipc.Event)
	go func() {
		defer close(out)
		backoff := firstBackoff
		for more := true; more; backoff = min(2*backoff, lastBackoff) {
			connected := time.Now()
			more = p.pass(ctx, o, out)
			if time.Since(connected) > lastBackoff {
				backoff = firstBackoff
			}
			more = more && p.watch.pause(ctx, backoff, nil)
		}
	}()
	return out, func() {
		cancel()
		for range out {
		}
	}
}

// pass passes on the orders of one connection to cast, and reports whether to make another.
func (p *Service) pass(ctx context.Context, o *offer, out chan<- ipc.Event) (more bool) {
	for ev, err := range p.offer(ctx, o.id, o.name) {
		if err != nil && !refused(err) {
			p.log.Debug("orders broke off", "err", err)
			return true
		}
		if err != nil {
			ev = ipc.Event{Kind: "refused", Data: p.watch.encode(ipc.AsError(err))}
		}
		select {
		case <-ctx.Done():
			return false
		case out <- ev:
		}
		if ev.Kind == "taken" || ev.Kind == "refused" {
			return false
		}
	}
	return true
}

// refused reports whether cast has answered that it will not have the page.
func refused(err error) bool {
	e := ipc.AsError(err)
	return e.Status/100 == 4 && e.Code != "busy"
}

// contentFeatures says of every file that ranges of it can be asked for (DLNA Guidelines 7.4.1.3.17).
const contentFeatures = "DLNA.ORG_OP=01;DLNA.ORG_CI=0;DLNA.ORG_FLAGS=" + upnpav.Flags

// dlna answers a television in the fields that it asks in (DLNA Guidelines 7.5.4.3.2). Their names are written as such
// devices expect them, small letters and all.
func dlna(h http.Header, r *http.Request) {
	if r.Header.Get("getcontentFeatures.dlna.org") == "1" {
		h["contentFeatures.dlna.org"] = []string{contentFeatures}
	}
	switch mode := r.Header.Get("transferMode.dlna.org"); mode {
	case "Streaming", "Interactive", "Background":
		h["transferMode.dlna.org"] = []string{mode}
	}
}
