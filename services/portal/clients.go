package portal

import (
	"context"
	"iter"
	"net/url"

	initapi "manofwar/init/api"
	"manofwar/internal/ipc"
	"manofwar/internal/media"
	netapi "manofwar/netmgr/api"
	playerapi "manofwar/player/api"
	castapi "manofwar/services/cast/api"
	catalogapi "manofwar/services/catalog/api"
	streamapi "manofwar/services/stream/api"
)

// shelves is what the portal asks of the catalog when somebody looks at the library.
type shelves interface {
	Items(context.Context, catalogapi.Query) (catalogapi.Page, error)
	Item(context.Context, media.ID) (media.Item, error)
	Albums(context.Context, catalogapi.Query) (catalogapi.Albums, error)
	Album(context.Context, media.ID) (catalogapi.AlbumPage, error)
	Scan(context.Context) error
}

// planner is what the portal asks of the stream service.
type planner interface {
	Plan(ctx context.Context, id media.ID, what string, params url.Values) (streamapi.Plan, error)
}

// machine is what the portal asks of PID 1, or of the supervisor that stands in for it on a laptop.
type machine interface {
	Memory(ctx context.Context) (initapi.Memory, error)
	Log(ctx context.Context, service string, tail int) ([]initapi.Line, error)
	Eject(ctx context.Context, disk string) error
}

// networks is what the portal asks of the network manager beyond its state.
type networks interface {
	Networks(ctx context.Context, scan bool) (netapi.Networks, error)
	Profiles(context.Context) ([]netapi.Profile, error)
	CreateProfile(context.Context, netapi.NewProfile) (netapi.Profile, error)
	ChangeProfile(ctx context.Context, id string, change netapi.NewProfile) (netapi.Profile, error)
	DeleteProfile(ctx context.Context, id string) error
	OrderProfiles(ctx context.Context, ids []string) ([]netapi.Profile, error)
	TryNetwork(context.Context, netapi.NewProfile) (netapi.Attempt, error)
	Attempt(ctx context.Context, id string) (netapi.Attempt, error)
	Settings(context.Context) (netapi.Settings, error)
	ChangeSettings(context.Context, netapi.Settings) (netapi.Settings, error)
	History(context.Context) ([]netapi.Period, error)
	Export(ctx context.Context, passphrase string) ([]byte, error)
	Stream(context.Context, netapi.Streaming) error
	Import(ctx context.Context, passphrase string, data []byte) (netapi.Imported, error)
}

// sources are the questions from which the state of the whole is put together, and the streams that say when to ask
// again. They are the clients' methods; a test puts its own there.
type sources struct {
	library   func(context.Context) (catalogapi.Status, error)
	stream    func(context.Context) (streamapi.Status, error)
	network   func(context.Context) (netapi.Status, error)
	device    func(context.Context) (initapi.Status, error)
	disks     func(context.Context) ([]initapi.Disk, error)
	renderers func(context.Context) (castapi.Renderers, error) // nil: nothing is told of what plays where
	sessions  func(context.Context) (castapi.Sessions, error)
	events    map[string]follow // by the service's name
}

// follow opens a service's stream of events, as [ipc.Client.Follow] does.
type follow func(context.Context) (iter.Seq2[ipc.Event, error], error)

// dial points the service at the sockets in runDir. Nothing is connected yet.
func (p *Service) dial(runDir string) {
	catalog, stream, network := catalogapi.NewClient(runDir), streamapi.NewClient(runDir), netapi.NewClient(runDir)
	device := initapi.NewClient(runDir)
	cast := castapi.NewClient(runDir)
	p.cast, p.offer, p.tv = cast, cast.Offer, playerapi.NewClient(runDir)
	p.shelves, p.planner, p.machine, p.networks = catalog, stream, device, network
	p.watch.sources = sources{
		library: catalog.Status, stream: stream.Status, network: network.Status, device: device.Status, disks: device.Disks,
		renderers: cast.Renderers, sessions: cast.Sessions,
		events: make(map[string]follow),
	}
	for _, name := range []string{castapi.Name, catalogapi.Name, netapi.Name, initapi.Name} {
		service := ipc.NewClient(runDir, name)
		p.watch.sources.events[name] = func(ctx context.Context) (iter.Seq2[ipc.Event, error], error) {
			return service.Follow(ctx, "/events")
		}
	}
}
