package native

import (
	"errors"
	"io/fs"
	"log/slog"
	"net/netip"
	"sync"

	"manofwar/internal/atomicfile"
)

// maxLeases bounds the file: a USB network card that gives itself a new MAC every time must not fill it.
const maxLeases = 64

// leases remembers which address each card had last, by its MAC, so that it is asked for again at once. It is written
// only when an address changes, because it lies on an SD card.
type leases struct {
	path string
	log  *slog.Logger

	mu    sync.Mutex // guards byMAC
	byMAC map[string]netip.Addr
}

// openLeases reads the file. Without one, or with a broken one, nothing is remembered: that costs milliseconds.
func openLeases(path string, log *slog.Logger) *leases {
	l := &leases{path: path, log: log, byMAC: make(map[string]netip.Addr)}
	if err := atomicfile.ReadJSON(path, &l.byMAC); err != nil && !errors.Is(err, fs.ErrNotExist) {
		log.Warn("earlier leases not read", "err", err)
		l.byMAC = make(map[string]netip.Addr)
	}
	return l
}

func (l *leases) get(mac string) netip.Addr {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.byMAC[mac]
}

// put remembers an address. A card that cannot be written is no reason to lose the network.
func (l *leases) put(mac string, a netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byMAC[mac] == a {
		return
	}
	if len(l.byMAC) >= maxLeases {
		clear(l.byMAC)
	}
	l.byMAC[mac] = a
	if err := atomicfile.WriteJSON(l.path, l.byMAC, 0o600); err != nil {
		l.log.Warn("lease not remembered", "err", err)
	}
}
