// Package stream works out how to deliver media: it answers with plans of byte ranges that the portal lets the kernel
// copy (see [manofwar/services/stream/api]).
//
// A film in MP4 or Matroska becomes an HLS presentation on demand. Its playlists are complete at once and cut where the
// film itself has keyframes; a segment is a few kilobytes that are made, followed by the film's own bytes where they
// lie. Nothing is copied or kept on disk, and a seek costs the same wherever it goes (docs/decisions/0040).
//
// Sound that not every browser plays is offered as AAC too, which ffmpeg makes segment by segment where there is one.
// Pictures are not converted: those that browsers cannot show come back as [media.ErrUnsupported], with the reason.
// What a library holds and where is the catalog's to say.
package stream

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strconv"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
	"manofwar/internal/service"
	catalog "manofwar/services/catalog/api"
	"manofwar/services/stream/api"
)

// Options is what a Service can be told. The zero value is what the dongle uses.
type Options struct {
	Library    library // where items are; nil: the catalog whose socket is beside this service's own
	FFmpeg     string  // the codec engine's program; empty: ffmpeg from PATH
	IndexBytes int     // how much memory the indexes of films may take; 0: 16 MiB
}

// library is what the service needs of the catalog.
type library interface {
	File(ctx context.Context, id media.ID) (catalog.File, error)
}

// Service is the stream service.
type Service struct {
	library library
	index   *cache
	engine  *engine
	covers  *covers
	log     *slog.Logger
}

// New returns the service.
func New(o Options) *Service {
	if o.IndexBytes == 0 {
		o.IndexBytes = 16 << 20
	}
	if o.FFmpeg == "" {
		o.FFmpeg = "ffmpeg"
	}
	s := &Service{library: o.Library, engine: newEngine(o.FFmpeg)}
	s.index = newCache(o.IndexBytes, func(ctx context.Context, src *source) (*presentation, error) {
		return present(src, func() bool { return s.engine.version(ctx) != "" })
	})
	return s
}

// Run implements [service.Service].
func (s *Service) Run(ctx context.Context, env service.Env) error {
	if s.library == nil {
		s.library = catalog.NewClient(env.RunDir)
	}
	s.log = env.Log
	s.covers = newCovers(filepath.Join(env.StateDir, "covers"))
	return ipc.Serve(ctx, env, s.routes())
}

func (s *Service) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /plan/{id}/file", s.plan((*Service).file))
	mux.Handle("GET /plan/{id}/cover", s.plan((*Service).cover))
	mux.Handle("GET /plan/{id}/hls/{name}", s.plan((*Service).hls))
	mux.Handle("GET /plan/{id}/subtitles/{name}", s.plan((*Service).subtitles))
	mux.Handle("GET /status", ipc.Handler(func(w http.ResponseWriter, r *http.Request) error {
		ipc.WriteJSON(w, api.Status{Transcode: s.engine.version(r.Context())})
		return nil
	}))
	return mux
}

// plan makes a handler of a function that plans the answer for a file of the library.
func (s *Service) plan(of func(*Service, *http.Request, catalog.File) (api.Plan, error)) http.Handler {
	return ipc.Handler(func(w http.ResponseWriter, r *http.Request) error {
		f, err := s.library.File(r.Context(), media.ID(r.PathValue("id")))
		if err != nil {
			return err
		}
		p, err := of(s, r, f)
		if err != nil {
			return err
		}
		ipc.WriteJSON(w, p)
		return nil
	})
}

// hls plans a playlist, an init segment or a media segment of a film.
func (s *Service) hls(r *http.Request, f catalog.File) (api.Plan, error) {
	src, err := openSource(f)
	if err != nil {
		return api.Plan{}, err
	}
	defer src.close()
	p, err := s.index.presentation(r.Context(), src)
	if err != nil {
		return api.Plan{}, src.explain(err)
	}
	// The names in a playlist carry the version of the file they were made from: a player that still holds an older
	// playlist is told so, rather than given segments that do not fit together.
	version := r.FormValue("v")
	if version != "" && version != p.version {
		return api.Plan{}, &media.Error{
			Op: "play", Path: f.Item.Path, Err: fmt.Errorf("the file was changed while it played: %w", media.ErrNotFound), Hint: "Start it again.",
		}
	}
	plan, err := p.plan(r.Context(), s.engine, src, r.PathValue("name"))
	if err != nil {
		return api.Plan{}, src.explain(err)
	}
	plan.Modified = src.modified
	plan.ETag = strconv.Quote(p.version + "-" + r.PathValue("name"))
	if version != "" {
		plan.MaxAge = segmentAge
	}
	return plan, nil
}
