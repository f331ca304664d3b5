package portal

import (
	"context"
	"errors"
	"net/http"

	"manofwar/internal/media"
	"manofwar/services/portal/guest"
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
