package portal

import (
	"context"
	"errors"
	"net/http"

	"manofwar/internal/media"
	"manofwar/internal/service"
	playerapi "manofwar/player/api"
	castapi "manofwar/services/cast/api"
	catalogapi "manofwar/services/catalog/api"
	"manofwar/services/portal/guest"
	"manofwar/services/portal/mpd"
	streamapi "manofwar/services/stream/api"
)

// sharing is what the owner lets guests do, and how that goes.
type sharing struct {
	Name     string                    `json:"name"` // what the device is called there
	Choices  guest.Choices             `json:"choices"`
	Problems map[guest.Protocol]string `json:"problems"` // what keeps a protocol from being spoken, in words for a person
}

func (p *Service) guestChoices(w http.ResponseWriter, r *http.Request) error {
	return writeJSON(w, r, p.guestSharing())
}

func (p *Service) chooseGuests(w http.ResponseWriter, r *http.Request) error {
	return exchange(w, r, func(_ context.Context, in guest.Choices) (sharing, error) {
		if err := p.sharing.Choose(in); err != nil {
			return sharing{}, err
		}
		return p.guestSharing(), nil
	})
}

func (p *Service) guestSharing() sharing {
	s := sharing{Name: p.name(), Choices: p.sharing.Choices(), Problems: map[guest.Protocol]string{}}
	for protocol, err := range p.sharing.Troubles() {
		s.Problems[protocol] = err.Error()
		if e, ok := errors.AsType[*media.Error](err); ok && e.Hint != "" {
			s.Problems[protocol] += ". " + e.Hint
		}
	}
	return s
}

// mpdOptions are what the clients of the Music Player Daemon come to.
func (p *Service) mpdOptions(env service.Env) mpd.Options {
	catalog := catalogapi.NewClient(env.RunDir)
	return mpd.Options{
		Listen: p.opts.MPD, Library: p.sharing.Library(guest.MPD, catalog), Catalog: catalog, Cast: castapi.NewClient(env.RunDir),
		Planner: streamapi.NewClient(env.RunDir), Player: playerapi.NewClient(env.RunDir), Open: openRegular, Log: env.Log.With("protocol", string(guest.MPD)),
	}
}

// speakMPD lets them in until ctx ends.
func (p *Service) speakMPD(ctx context.Context, up func()) error {
	if p.opts.MPD == "" {
		return &media.Error{
			Op: "let MPD clients in", Err: media.ErrUnsupported, Hint: `Start "manofwar serve" with --mpd :6600, which lets the network in.`,
		}
	}
	return mpd.New(p.mpd).Run(ctx, up)
}
