package renderer

import (
	"context"
	"errors"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"manofwar/internal/media"
	"manofwar/internal/upnpav"
	castapi "manofwar/services/cast/api"
	"manofwar/services/portal/upnp"
	"manofwar/services/portal/upnp/didl"
	"manofwar/services/portal/upnp/soap"
)

// The faults (AVTransport:1, section 2.4).
var (
	errTransition = &soap.Fault{Code: 701, Text: "Transition not available"}
	errSeekMode   = &soap.Fault{Code: 710, Text: "Seek mode not supported"}
	errSeekTarget = &soap.Fault{Code: 711, Text: "Illegal seek target"}
	errMIME       = &soap.Fault{Code: 714, Text: "Illegal MIME-type"}
	errResource   = &soap.Fault{Code: 716, Text: "Resource not found"}
	errSpeed      = &soap.Fault{Code: 717, Text: "Play speed not supported"}
	errInstance   = &soap.Fault{Code: 718, Text: "Invalid InstanceID"}
)

func checkInstance(in map[string]string) error {
	if in["InstanceID"] != "0" {
		return errInstance
	}
	return nil
}

// act makes an action of what does something: one at a time, and told to subscribers.
func (r *Renderer) act(do func(ctx context.Context, in map[string]string) error) func(context.Context, map[string]string) (map[string]string, error) {
	return func(ctx context.Context, in map[string]string) (map[string]string, error) {
		if err := checkInstance(in); err != nil {
			return nil, err
		}
		r.acting.Lock()
		defer r.acting.Unlock()
		if err := do(ctx, in); err != nil {
			return nil, faultOf(err)
		}
		r.transport.Changed()
		return nil, nil
	}
}

// faultOf says what cast says in UPnP's words.
func faultOf(err error) error {
	switch {
	case errors.Is(err, media.ErrInvalid), errors.Is(err, media.ErrDenied):
		return errResource
	case errors.Is(err, media.ErrNotFound):
		return errTransition
	}
	return err
}

// setURI takes what is to be played. It plays at once where what it replaces does.
func (r *Renderer) setURI(ctx context.Context, in map[string]string) error {
	var t *track
	if uri := strings.TrimSpace(in["CurrentURI"]); uri != "" {
		var err error
		if t, err = r.track(ctx, uri, in["CurrentURIMetaData"]); err != nil {
			return err
		}
	}
	r.mu.Lock()
	ours, session := r.ours(), r.session
	r.current, r.next = t, nil
	r.mu.Unlock()
	switch {
	case !ours:
		return nil
	case t != nil && session.State != castapi.Paused && session.State != castapi.Stopped:
		return r.begin(ctx, t)
	}
	return r.press(ctx, session, "stop")
}

// track makes something to play of an address and its description.
func (r *Renderer) track(ctx context.Context, uri, meta string) (*track, error) {
	d, err := didl.Parse(meta)
	if err != nil {
		d = didl.Described{} // it is played without its name
		meta = ""
	}
	t := &track{uri: uri, meta: meta, duration: d.Duration}
	what, ours, err := r.opts.Local(ctx, uri)
	switch {
	case errors.Is(err, media.ErrNotFound):
		return nil, errResource
	case err != nil:
		return nil, err
	case ours:
		t.what = what
		return t, nil
	}
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "http" || u.Hostname() == "" || u.User != nil || len(uri) > castapi.MaxURL {
		return nil, errResource
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil && !upnp.Home(ip) {
		return nil, errResource // cast would not play it either
	}
	kind, ok := kindOf(d, u)
	if !ok {
		return nil, errMIME
	}
	l := castapi.Link{URL: uri, Kind: kind, Title: d.Title, Artist: d.Artist, Album: d.Album, Duration: media.Duration(d.Duration)}
	if a, err := url.Parse(d.Art); err == nil && a.Scheme == "http" && a.Hostname() != "" && a.User == nil {
		l.Art = d.Art
	}
	t.what.Links = []castapi.Link{l}
	return t, nil
}

// films are the ends of names that are said to be films where nothing else says it.
var films = []string{
	".mp4", ".m4v", ".mkv", ".avi", ".mov", ".webm", ".ts", ".m2ts", ".mts", ".mpg", ".mpeg", ".vob", ".wmv", ".asf", ".flv", ".3gp", ".ogv",
}

// kindOf says what something is by its description, else by its address; false: a picture, or a list.
func kindOf(d didl.Described, u *url.URL) (media.Kind, bool) {
	switch {
	case strings.HasPrefix(d.Class, "object.item.imageItem"), strings.HasPrefix(d.Type, "image/"), strings.Contains(d.Type, "mpegurl"):
		return "", false
	case strings.HasPrefix(d.Type, "video/"), strings.HasPrefix(d.Class, "object.item.videoItem"):
		return media.Film, true
	case strings.HasPrefix(d.Type, "audio/"), strings.HasPrefix(d.Class, "object.item.audioItem"):
		return media.Music, true
	case slices.Contains(films, strings.ToLower(path.Ext(u.Path))):
		return media.Film, true
	}
	return media.Music, true
}

// begin plays t in place of what the TV plays, and what comes next after it.
func (r *Renderer) begin(ctx context.Context, t *track) error {
	s, err := r.opts.Cast.Play(ctx, castapi.Play{What: t.what, Renderer: castapi.TV})
	if err != nil {
		return err
	}
	r.mu.Lock()
	t.session, t.key = s.ID, keyOf(s)
	next := r.next
	if r.current == t {
		r.session, r.heard = &s, time.Now()
	}
	r.mu.Unlock()
	if next == nil {
		return nil
	}
	return r.append(ctx, t, next)
}

func keyOf(s castapi.Session) string {
	if s.Entry == nil {
		return ""
	}
	return s.Entry.Key
}

// setNext takes what is to be played after that; an empty address takes it back.
func (r *Renderer) setNext(ctx context.Context, in map[string]string) error {
	var t *track
	if uri := strings.TrimSpace(in["NextURI"]); uri != "" {
		var err error
		if t, err = r.track(ctx, uri, in["NextURIMetaData"]); err != nil {
			return err
		}
	}
	r.mu.Lock()
	current, old, ours := r.current, r.next, r.ours()
	if current != nil {
		r.next = t
	}
	r.mu.Unlock()
	if current == nil {
		return errTransition
	}
	if !ours {
		return nil
	}
	if t != nil {
		return r.append(ctx, current, t)
	}
	if old == nil {
		return nil
	}
	_, err := r.opts.Cast.Edit(ctx, current.session, castapi.Edit{Do: "clear"})
	return err
}

// append puts next behind current in the queue, and learns its key. What was played before goes: nobody comes back to it.
func (r *Renderer) append(ctx context.Context, current, next *track) error {
	if _, err := r.opts.Cast.Edit(ctx, current.session, castapi.Edit{Do: "clear"}); err != nil {
		return err
	}
	if _, err := r.opts.Cast.Edit(ctx, current.session, castapi.Edit{What: next.what, Do: "next"}); err != nil {
		return err
	}
	all, err := r.opts.Cast.Keys(ctx, current.session)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.Index(all.Keys, current.key); i >= 0 && i+1 < len(all.Keys) {
		next.session, next.key = current.session, all.Keys[i+1]
	}
	return nil
}

// play begins what was taken, or goes on with what plays.
func (r *Renderer) play(ctx context.Context, _ map[string]string) error {
	r.mu.Lock()
	current, session, ours, state := r.current, r.session, r.ours(), r.state()
	r.mu.Unlock()
	switch {
	case current != nil && (!ours || state == "STOPPED"):
		return r.begin(ctx, current)
	case state == "NO_MEDIA_PRESENT":
		return errTransition
	}
	return r.press(ctx, session, "play")
}

// press presses a button, and takes in what follows at once: a guest may ask before cast tells everybody.
func (r *Renderer) press(ctx context.Context, s *castapi.Session, do string) error {
	return r.control(ctx, s, castapi.Control{Do: do})
}

func (r *Renderer) control(ctx context.Context, s *castapi.Session, c castapi.Control) error {
	now, err := r.opts.Cast.Control(ctx, s.ID, c)
	if err == nil {
		r.see(&now)
	}
	return err
}

func (r *Renderer) pause(ctx context.Context, _ map[string]string) error {
	r.mu.Lock()
	session, state := r.session, r.state()
	r.mu.Unlock()
	if state == "PAUSED_PLAYBACK" {
		return nil
	}
	if state != "PLAYING" && state != "TRANSITIONING" {
		return errTransition
	}
	return r.press(ctx, session, "pause")
}

func (r *Renderer) stop(ctx context.Context, _ map[string]string) error {
	r.mu.Lock()
	session, state := r.session, r.state()
	r.mu.Unlock()
	if state == "STOPPED" || state == "NO_MEDIA_PRESENT" {
		return nil
	}
	return r.press(ctx, session, "stop")
}

// skip goes to what comes next or was before.
func (r *Renderer) skip(do string) func(context.Context, map[string]string) error {
	return func(ctx context.Context, _ map[string]string) error {
		r.mu.Lock()
		session, ours, current := r.session, r.ours(), r.current
		more := session != nil && session.Next != nil
		r.mu.Unlock()
		if session == nil || current != nil && !ours || do == "next" && !more {
			return errTransition
		}
		return r.press(ctx, session, do)
	}
}

func (r *Renderer) seek(ctx context.Context, in map[string]string) error {
	var to media.Duration
	switch in["Unit"] {
	case "REL_TIME", "ABS_TIME":
		d, err := upnpav.ParseTime(in["Target"])
		if err != nil {
			return errSeekTarget
		}
		to = media.Duration(d)
	case "TRACK_NR":
		if in["Target"] != "1" && in["Target"] != "0" {
			return errSeekTarget
		}
	default:
		return errSeekMode
	}
	r.mu.Lock()
	session, state := r.session, r.state()
	_, duration := r.position()
	r.mu.Unlock()
	if state != "PLAYING" && state != "PAUSED_PLAYBACK" && state != "TRANSITIONING" {
		return errTransition
	}
	if duration > 0 && time.Duration(to) > duration {
		return errSeekTarget
	}
	return r.control(ctx, session, castapi.Control{Do: "seek", To: &to})
}
