package portal

import (
	"context"
	"net/http"
	"time"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
	netapi "manofwar/netmgr/api"
)

// scanTimeout is how long a page waits for a look around on all channels: the manager takes up to twenty seconds.
const scanTimeout = 25 * time.Second

// public returns the state of the network as everyone may see it: without the password of our own access point, which
// is [Service.accessPointKey]'s to give.
func public(s *netapi.Status) *netapi.Status {
	if s == nil || s.AccessPoint == nil || s.AccessPoint.Passphrase == "" {
		return s
	}
	out, ap := *s, *s.AccessPoint
	ap.Passphrase, out.AccessPoint = "", &ap
	return &out
}

func (p *Service) network(w http.ResponseWriter, r *http.Request) error {
	return respond(w, r, callTimeout, func(ctx context.Context) (*netapi.Status, error) {
		s, err := p.watch.sources.network(ctx)
		return public(&s), err
	})
}

func (p *Service) networkHistory(w http.ResponseWriter, r *http.Request) error {
	return respond(w, r, callTimeout, func(ctx context.Context) ([]netapi.Period, error) { return list(p.networks.History(ctx)) })
}

func (p *Service) networksAround(w http.ResponseWriter, r *http.Request) error {
	return respond(w, r, callTimeout, func(ctx context.Context) (netapi.Networks, error) { return p.around(ctx, false) })
}

func (p *Service) networksScan(w http.ResponseWriter, r *http.Request) error {
	return respond(w, r, scanTimeout, func(ctx context.Context) (netapi.Networks, error) { return p.around(ctx, true) })
}

func (p *Service) around(ctx context.Context, scan bool) (netapi.Networks, error) {
	n, err := p.networks.Networks(ctx, scan)
	n.Networks, err = list(n.Networks, err)
	return n, err
}

func (p *Service) profiles(w http.ResponseWriter, r *http.Request) error {
	return respond(w, r, callTimeout, func(ctx context.Context) ([]netapi.Profile, error) { return list(p.networks.Profiles(ctx)) })
}

func (p *Service) createProfile(w http.ResponseWriter, r *http.Request) error {
	return exchange(w, r, p.networks.CreateProfile)
}

func (p *Service) changeProfile(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	return exchange(w, r, func(ctx context.Context, change netapi.NewProfile) (netapi.Profile, error) {
		return p.networks.ChangeProfile(ctx, string(id), change)
	})
}

func (p *Service) forgetProfile(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), callTimeout)
	defer cancel()
	if err := p.networks.DeleteProfile(ctx, string(id)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (p *Service) orderProfiles(w http.ResponseWriter, r *http.Request) error {
	return exchange(w, r, p.networks.OrderProfiles)
}

func (p *Service) tryNetwork(w http.ResponseWriter, r *http.Request) error {
	return exchange(w, r, p.networks.TryNetwork)
}

func (p *Service) attempt(w http.ResponseWriter, r *http.Request) error {
	return lookUp(w, r, pathID, func(ctx context.Context, id media.ID) (netapi.Attempt, error) {
		return p.networks.Attempt(ctx, string(id))
	})
}

func (p *Service) networkSettings(w http.ResponseWriter, r *http.Request) error {
	return respond(w, r, callTimeout, p.networks.Settings)
}

func (p *Service) changeNetworkSettings(w http.ResponseWriter, r *http.Request) error {
	return exchange(w, r, p.networks.ChangeSettings)
}

// accessPointKey is what lets a phone into the device's own network.
func (p *Service) accessPointKey(w http.ResponseWriter, r *http.Request) error {
	return respond(w, r, callTimeout, func(ctx context.Context) (key accessPointKey, err error) {
		ap, err := p.ownNetwork(ctx)
		if err != nil {
			return key, err
		}
		return accessPointKey{ap.SSID, ap.Passphrase, ap.Open}, nil
	})
}

type accessPointKey struct {
	SSID       string `json:"ssid"`
	Passphrase string `json:"passphrase,omitempty"`
	Open       bool   `json:"open,omitempty"`
}

// accessPointQR is the same as a picture that a phone's camera reads.
func (p *Service) accessPointQR(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), callTimeout)
	defer cancel()
	ap, err := p.ownNetwork(ctx)
	if err != nil {
		return err
	}
	return writeQR(w, r, netapi.WiFiQR(ap.SSID, ap.Passphrase, false))
}

// ownNetwork returns our access point. Where there can be none the error wraps [media.ErrNotFound].
func (p *Service) ownNetwork(ctx context.Context) (*netapi.AccessPoint, error) {
	s, err := p.watch.sources.network(ctx)
	if err != nil {
		return nil, err
	}
	if s.AccessPoint == nil {
		return nil, &media.Error{Op: "find", Path: "own network", Err: media.ErrNotFound, Hint: "This device has no WiFi that could make one."}
	}
	return s.AccessPoint, nil
}

func (p *Service) exportNetworks(w http.ResponseWriter, r *http.Request) error {
	return exchange(w, r, func(ctx context.Context, in netapi.ExportRequest) (netapi.Exported, error) {
		data, err := p.networks.Export(ctx, in.Passphrase)
		return netapi.Exported{Data: data}, err
	})
}

func (p *Service) importNetworks(w http.ResponseWriter, r *http.Request) error {
	return exchange(w, r, func(ctx context.Context, in netapi.ImportRequest) (netapi.Imported, error) {
		return p.networks.Import(ctx, in.Passphrase, in.Data)
	})
}

// respond answers with what a service says, after at most timeout.
func respond[A any](w http.ResponseWriter, r *http.Request, timeout time.Duration, get func(context.Context) (A, error)) error {
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	answer, err := get(ctx)
	if err != nil {
		return err
	}
	return writeJSON(w, r, answer)
}

// exchange hands the request's body to a service and answers with what it says.
func exchange[Q, A any](w http.ResponseWriter, r *http.Request, do func(context.Context, Q) (A, error)) error {
	var in Q
	if err := ipc.ReadJSON(w, r, &in); err != nil {
		return err
	}
	return respond(w, r, callTimeout, func(ctx context.Context) (A, error) { return do(ctx, in) })
}

// list makes an empty list of none: [] in JSON.
func list[T any](s []T, err error) ([]T, error) {
	if s == nil && err == nil {
		s = []T{}
	}
	return s, err
}
