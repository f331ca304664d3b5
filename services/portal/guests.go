package portal

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"

	"manofwar/internal/media"
	"manofwar/services/portal/guest"
)

// sharing is what the owner lets guests do, and how that goes.
type sharing struct {
	Name     string                    `json:"name"` // what the device is called there
	Choices  guest.Choices             `json:"choices"`
	Problems map[guest.Protocol]Notice `json:"problems"` // what keeps a protocol from being spoken, without since when
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
	s := sharing{Name: p.name(), Choices: p.sharing.Choices(), Problems: map[guest.Protocol]Notice{}}
	for protocol, err := range p.sharing.Troubles() {
		s.Problems[protocol] = guestProblem(err)
	}
	return s
}

// errNoPort says that this program was started without an address for MPD clients.
var errNoPort = fmt.Errorf("%w: no port was given", media.ErrUnsupported)

// guestProblem is err for a person. All of these are tried again by themselves.
func guestProblem(err error) Notice {
	n := Notice{Level: "error", Detail: err.Error()}
	number, _ := errors.AsType[syscall.Errno](err)
	switch op, ok := errors.AsType[*net.OpError](err); {
	case errors.Is(err, errNoPort):
		n.Code, n.Message = "guest-no-port", "No port was given for MPD."
		n.Hint = "Start manofwar with one, which lets the network in: manofwar serve --mpd :6600"
	case ok && op.Addr != nil && (number == syscall.EADDRINUSE || number == wsaInUse):
		_, n.Subject, _ = net.SplitHostPort(op.Addr.String()) // it is of a port, or nothing could be in use
		n.Code, n.Message = "guest-port-taken", "Port "+n.Subject+" is taken: another program uses it."
		n.Hint = "End that program, such as another music or media server. This is tried again by itself."
	default:
		n.Code, n.Message, n.Hint = "guest-trouble", "This does not work right now.", "It is tried again by itself."
	}
	return n
}

// wsaInUse is WSAEADDRINUSE, Windows' own number for it (Winsock 2, winerror.h). No other system goes so far.
const wsaInUse syscall.Errno = 10048
