package native

import (
	"cmp"
	"context"
	"encoding/json"
	"iter"
	"log/slog"
	"time"

	"manofwar/internal/ipc"
	netapi "manofwar/netmgr/api"
	catalogapi "manofwar/services/catalog/api"
)

// news follows the services that the screen tells of.
type news struct {
	network *netapi.Client
	catalog *catalogapi.Client
	stage   *stage
	named   func(name string) // the dongle is called so now; must not block
	log     *slog.Logger
}

// freshAlbums is how many of the library's newest albums the idle screen shows.
const freshAlbums = 12

// run follows until ctx ends.
func (n *news) run(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		ipc.Hear(ctx, n.log.With("of", netapi.Name), asked(n.askNetwork, n.network.Events), func(ev ipc.Event) {
			var status netapi.Status
			if ev.Kind == "status" && json.Unmarshal(ev.Data, &status) == nil {
				n.hear(status)
			}
		})
	}()
	ipc.Hear(ctx, n.log.With("of", catalogapi.Name), asked(n.askLibrary, n.catalog.Events), func(ev ipc.Event) {
		if ev.Kind == "changed" {
			n.askLibrary(ctx)
		}
	})
	<-done
}

// asked are events before which is asked for what happened before.
func asked(ask func(context.Context), events func(context.Context) iter.Seq2[ipc.Event, error]) func(context.Context) iter.Seq2[ipc.Event, error] {
	return func(ctx context.Context) iter.Seq2[ipc.Event, error] {
		ask(ctx)
		return events(ctx)
	}
}

const askTimeout = 10 * time.Second

func (n *news) askNetwork(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	status, err := n.network.Status(ctx)
	if err != nil {
		n.log.Debug("network not known", "err", err)
		return
	}
	n.hear(status)
}

func (n *news) hear(status netapi.Status) {
	n.stage.setNetwork(status)
	n.named(cmp.Or(status.Name, status.Hostname))
}

func (n *news) askLibrary(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	found, err := n.catalog.Albums(ctx, catalogapi.Query{Sort: catalogapi.Newest, Limit: freshAlbums})
	if err != nil {
		n.log.Debug("library not known", "err", err)
		return
	}
	n.stage.setFresh(found.Albums)
}
