package cast

import (
	"cmp"
	"context"
	"net/http"
	"os"
	"strings"
	"time"

	"manofwar/internal/identity"
	"manofwar/internal/ipc"
	"manofwar/internal/service"
	netapi "manofwar/netmgr/api"
	playerapi "manofwar/player/api"
	"manofwar/services/cast/api"
	"manofwar/services/cast/dongle"
)

// meet makes what speaks to the home's other dongles. This service holds the device's key until another one does.
func (c *Service) meet(env service.Env) error {
	holder, err := identity.Open(env.StateDir)
	if err != nil {
		return err
	}
	trusted, err := identity.OpenList(env.StateDir)
	if err != nil {
		return err
	}
	network := netapi.NewClient(env.RunDir)
	c.dongles = dongle.New(dongle.Options{
		Listener: c, Holder: holder, Trusted: trusted, Player: playerapi.NewClient(env.RunDir), Log: env.Log, Skew: c.opts.Skew,
		Changed: c.stale.dongles, Name: func(ctx context.Context) string { return deviceName(ctx, network) },
	})
	return nil
}

// nameWithin is how long the network manager may take to say what the device is called.
const nameWithin = time.Second

// deviceName is what the owner calls this device, else its name in the network.
func deviceName(ctx context.Context, network *netapi.Client) string {
	ctx, cancel := context.WithTimeout(ctx, nameWithin)
	defer cancel()
	s, _ := network.Status(ctx) // it is asked again, and the host's name does meanwhile
	host, _ := os.Hostname()
	host, _, _ = strings.Cut(host, ".")
	return cmp.Or(s.Name, s.Hostname, host, "manofwar")
}

// others returns the dongles of the home; none where there is nothing to do with them.
func (c *Service) others() api.Devices {
	if c.dongles == nil {
		return api.Devices{Devices: []api.Device{}}
	}
	return c.dongles.Devices()
}

func (c *Service) getDevices(w http.ResponseWriter, _ *http.Request) error {
	ipc.WriteJSON(w, c.others())
	return nil
}

func (c *Service) postTrust(w http.ResponseWriter, r *http.Request) error {
	return c.judge(w, r, (*dongle.Network).Trust)
}

func (c *Service) deleteDevice(w http.ResponseWriter, r *http.Request) error {
	return c.judge(w, r, (*dongle.Network).Distrust)
}

func (c *Service) judge(w http.ResponseWriter, r *http.Request, do func(*dongle.Network, string) error) error {
	if c.dongles == nil {
		return invalid("id", "this device is not open to others: have it serve its page to the network")
	}
	if err := do(c.dongles, r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
