package portal

import (
	"context"
	"net/http"
	"sync"
	"time"

	initapi "manofwar/init/api"
	netapi "manofwar/netmgr/api"
	catalogapi "manofwar/services/catalog/api"
	streamapi "manofwar/services/stream/api"
)

// patience is how long the status waits for one service. All are asked at once, so it is the longest that the page
// waits; a part that does not answer is left out and a notice says so.
const patience = 300 * time.Millisecond

// parts is what the services say of themselves at one moment. A part is nil where its service does not answer.
type parts struct {
	Library *catalogapi.Status
	Stream  *streamapi.Status
	Network *netapi.Status
	Device  *initapi.Status
	Disks   []initapi.Disk
}

// ask asks every service.
func (s sources) ask(ctx context.Context) (p parts) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() { p.Library = answered(ctx, s.library) })
	wg.Go(func() { p.Stream = answered(ctx, s.stream) })
	wg.Go(func() { p.Network = answered(ctx, s.network) })
	wg.Go(func() { p.Device = answered(ctx, s.device) })
	wg.Go(func() {
		if disks := answered(ctx, s.disks); disks != nil {
			p.Disks = *disks
		}
	})
	wg.Wait()
	return p
}

// answered returns the answer, or nil where there is none: that is a state of the whole here, not an error.
func answered[T any](ctx context.Context, question func(context.Context) (T, error)) *T {
	v, err := question(ctx)
	if err != nil {
		return nil
	}
	return &v
}

// statusAnswer is the body of GET /api/v1/status.
type statusAnswer struct {
	Name      string             `json:"name"`
	Version   string             `json:"version"`
	Developer bool               `json:"developer"`
	Hosted    bool               `json:"hosted"`
	Library   *catalogapi.Status `json:"library"`
	Stream    *streamapi.Status  `json:"stream"`
	Network   *netapi.Status     `json:"network"`
	Device    *device            `json:"device"`
	Notices   []Notice           `json:"notices"`
}

// device is the machine and what runs on it, as the web API has it.
type device struct {
	Board    string         `json:"board"`
	Version  string         `json:"version,omitempty"` // of the image
	Slot     int            `json:"slot,omitempty"`
	Trial    bool           `json:"trial,omitempty"`
	Uptime   int64          `json:"uptime"` // in seconds
	Data     *storage       `json:"data"`
	Disks    []initapi.Disk `json:"disks"`
	Services []unit         `json:"services"`
}

// storage is the file system that keeps settings and the index. Its state is one of "ok", "full", "read-only", "rescue".
type storage struct {
	State  string `json:"state"`
	Reason string `json:"reason,omitempty"` // in words for a person
	Free   int64  `json:"free"`             // in bytes
	Total  int64  `json:"total"`            // in bytes; 0: unknown
}

// unit is one service.
type unit struct {
	Name     string        `json:"name"`
	State    initapi.State `json:"state"`
	Ready    bool          `json:"ready"`
	Healthy  bool          `json:"healthy"`
	Reason   string        `json:"reason,omitempty"` // why it is not healthy, or why its last run ended
	PID      int           `json:"pid,omitempty"`
	Restarts int           `json:"restarts"`
	Memory   int64         `json:"memory"` // in bytes; 0: unknown
	Since    time.Time     `json:"since"`
}

func (p *Service) status(w http.ResponseWriter, r *http.Request) error {
	now := p.watch.ask(r.Context())
	a := statusAnswer{
		Name: p.name(), Version: p.opts.Version, Hosted: p.opts.Hosted,
		Library: now.Library, Stream: now.Stream, Network: public(now.Network),
		Device: p.device(now), Notices: p.watch.notices(now),
	}
	if now.Device != nil {
		a.Developer = now.Device.Boot.Developer
	}
	return writeJSON(w, r, a)
}

// name returns what the device is called: by its owner, else on the network, else by whoever configured it.
func (p *Service) name() string {
	if called := p.watch.called(); called != "" {
		return called
	}
	if own := p.watch.hostname(); own != "" {
		return own
	}
	if len(p.opts.Names) > 0 {
		return p.opts.Names[0]
	}
	return "manofwar"
}

// called returns what the owner calls the device; empty: nothing, or it is not known yet.
func (w *watch) called() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.network.Name
}

func (p *Service) device(now parts) *device {
	s := now.Device
	if s == nil {
		return nil
	}
	d := &device{
		Board: s.Boot.Board, Version: s.Boot.Version, Slot: s.Boot.Slot, Trial: s.Boot.Trial,
		Uptime: int64(s.Boot.Uptime / time.Second), Data: storageOf(s.Data), Disks: now.Disks, Services: []unit{},
	}
	d.Data.Free, d.Data.Total = usage(p.stateDir)
	if d.Disks == nil {
		d.Disks = []initapi.Disk{}
	}
	for _, svc := range s.Services {
		u := unit{
			Name: svc.Name, State: svc.State, Ready: svc.Ready, Healthy: svc.Health == "", Reason: svc.Health,
			PID: svc.PID, Restarts: svc.Restarts, Memory: svc.Memory, Since: svc.Since,
		}
		if u.Reason == "" {
			u.Reason = svc.Error
		}
		d.Services = append(d.Services, u)
	}
	return d
}

func storageOf(d initapi.Data) *storage {
	switch {
	case d.Rescue != "":
		return &storage{State: "rescue", Reason: d.Rescue}
	case d.ReadOnly:
		return &storage{State: "read-only", Reason: "The card has stopped taking changes after an error."}
	case d.Full:
		return &storage{State: "full", Reason: "There is no space left on the card."}
	}
	return &storage{State: "ok"}
}
