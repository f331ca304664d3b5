package portal

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"manofwar/internal/media"
	streamapi "manofwar/services/stream/api"
)

// planTimeout is how long a player waits for the stream service to find out what to send: preparing a film may take it
// some seconds.
const planTimeout = 45 * time.Second

func (p *Service) file(w http.ResponseWriter, r *http.Request) error {
	defer p.playing.begin()()
	dlna(w.Header(), r)
	return p.play(w, r, func(ctx context.Context, id media.ID) (streamapi.Plan, error) {
		return p.plans.of(ctx, id, func(ctx context.Context) (streamapi.Plan, error) {
			return p.planner.Plan(ctx, id, "file", nil)
		})
	})
}

// maxCover is the largest width that may be asked for, in pixels.
const maxCover = 4096

func (p *Service) cover(w http.ResponseWriter, r *http.Request) error {
	v, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return invalid("query", err.Error())
	}
	size, err := number(v, "size", 0, maxCover)
	if err != nil {
		return err
	}
	var params url.Values
	if size > 0 {
		params = url.Values{"size": {strconv.Itoa(size)}}
	}
	return p.play(w, r, p.part("cover", params))
}

// hls serves the playlist and whatever it names, with the parameters it names them with.
func (p *Service) hls(w http.ResponseWriter, r *http.Request) error {
	params, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return invalid("query", err.Error())
	}
	name := r.PathValue("name")
	for segment := range strings.SplitSeq(name, "/") {
		if !validID(segment) {
			return errNoPage(r.URL.Path)
		}
	}
	defer p.playing.begin()()
	return p.play(w, r, p.part("hls/"+name, params))
}

func (p *Service) subtitles(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	n, ok := strings.CutSuffix(name, ".vtt")
	if _, err := strconv.ParseUint(n, 10, 16); err != nil || !ok {
		return errNoPage(r.URL.Path)
	}
	return p.play(w, r, p.part("subtitles/"+name, nil))
}

// part returns the question for one part of an item.
func (p *Service) part(what string, params url.Values) func(context.Context, media.ID) (streamapi.Plan, error) {
	return func(ctx context.Context, id media.ID) (streamapi.Plan, error) {
		return p.planner.Plan(ctx, id, what, params)
	}
}

// play asks for a plan for the item that the path names, and delivers it.
func (p *Service) play(w http.ResponseWriter, r *http.Request, ask func(context.Context, media.ID) (streamapi.Plan, error)) error {
	w.Header().Set("Content-Security-Policy", mediaPolicy)
	id, err := pathID(r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), planTimeout)
	plan, err := ask(ctx, id)
	cancel()
	if err != nil {
		return err
	}
	return deliver(w, r, plan)
}
