package native

import (
	"context"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"manofwar/internal/service"
	"manofwar/netmgr"
	"manofwar/netmgr/api"
	"manofwar/netmgr/profiles"
	"manofwar/netmgr/serve"
)

// networks is what the owner knows and wants of WiFi: kept, answered for, and told to the policy.
type networks struct {
	store  *profiles.Store
	server *serve.Server
	tell   func(context.Context, netmgr.Event)
}

// openNetworks reads what is kept.
func openNetworks(o Options, env service.Env, tell func(context.Context, netmgr.Event), publish func(kind string, v any) error) (*networks, error) {
	store, err := profiles.Open(profiles.Options{
		Dir: env.StateDir, RunDir: filepath.Join(env.RunDir, env.Name), Serial: o.Serial, Name: o.Hostname, Log: env.Log,
	})
	if err != nil {
		return nil, err
	}
	return &networks{
		store: store, tell: tell,
		server: serve.New(serve.Options{Store: store, Tell: tell, Publish: publish, Log: env.Log}),
	}, nil
}

// run keeps the store and follows attempts until ctx ends. changed is called whenever the owner has chosen otherwise,
// before the policy is told.
func (n *networks) run(ctx context.Context, changed func()) {
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() { n.store.Run(ctx) })
	running.Go(func() { n.server.Run(ctx) })
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.store.Changes():
			changed()
			n.tell(ctx, netmgr.Configured{Settings: n.store.Settings()})
		}
	}
}

// heard takes note of an event that the policy is told.
func (n *networks) heard(ev netmgr.Event) {
	if scanned, ok := ev.(netmgr.Scanned); ok {
		n.server.Heard(scanned)
	}
}

// observe takes note of how the network should be and is, and writes down what was learnt of known networks.
func (n *networks) observe(p *netmgr.Policy, plan netmgr.Plan, status api.Status) {
	n.server.Observe(plan, status)
	n.store.Learn(p.Known(time.Now()))
}

// secret returns the password of a network; that of our own access point by the ID "".
func (n *networks) secret(id string) (string, bool) {
	if id == "" {
		return n.store.Passphrase(), true
	}
	password, err := n.store.Password(id)
	return password, err == nil
}

// complete adds what the policy does not know.
func (n *networks) complete(s *api.Status) {
	if s.Trouble == "" {
		s.Trouble = n.store.Trouble()
	}
	if s.AccessPoint != nil && !s.AccessPoint.Open {
		s.AccessPoint.Passphrase = n.store.Passphrase()
	}
}

// mount adds the verbs to the socket's.
func (n *networks) mount(mux *http.ServeMux) { n.server.Mount(mux) }
