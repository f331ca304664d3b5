// Package peers puts a dongle among WiFi networks that are not its own: routers, phones, other computers.
//
// A [World] is a guest of [lab.Machine] with the image of the board qemu-amd64 and simulated radios (the kernel's
// mac80211_hwsim), all of which hear each other. The dongle has the first; the others are in network namespaces with the
// programs that everyone's routers and phones use, from Debian's packages: hostapd, wpa_supplicant, dnsmasq, NetworkManager.
// They are on a disk of their own that the dongle does not look at, and are started by [manofwar/internal/lab/outside], which
// is in the guest before the dongle's first program and outlives none of it. Nothing in the image is changed for it.
//
// It leaves out the air: every radio receives every other one perfectly.
package peers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"manofwar/internal/lab"
	"manofwar/internal/lab/guest"
)

// Board is the board that a dongle with radios is.
const Board = "qemu-amd64"

// Config describes a world.
type Config struct {
	Image    string                  // of the board [Board]
	Radios   int                     // of everyone together
	Dongle   int                     // how many of them are the dongle's
	Alone    bool                    // there is no dongle: its radios belong to nobody
	Ethernet bool                    // the dongle has a cable to a network that leads nowhere
	Memory   int                     // in MiB; 0: 1024, half of which is the peers'
	Counted  bool                    // as in [lab.Config]
	Screen   *lab.Screen             // as in [lab.Config]
	Sound    *lab.Sound              // as in [lab.Config]
	Disks    []lab.Disk              // as in [lab.Config]
	Modules  []string                // drivers of simulated hardware that is there before the dongle
	Limit    time.Duration           // as in [lab.Config]
	Console  io.Writer               // as in [lab.Config]
	Prepare  func(card string) error // as in [lab.Config]
	Progress io.Writer               // gets lines while what is not there yet is made; nil: nobody does
}

// World is a guest with everything around it.
type World struct {
	*lab.Machine
	address string // of the program outside
	radios  []int  // the numbers of those that nobody has taken yet
	subnets int    // that routers have
}

// Start boots a world and waits until everything around the dongle is there; the dongle goes on booting meanwhile. It ends as
// [lab.Start]'s machine does.
func Start(ctx context.Context, dir string, cfg Config) (*World, error) {
	if cfg.Progress == nil {
		cfg.Progress = io.Discard
	}
	if cfg.Memory == 0 {
		cfg.Memory = 1024
	}
	parts, err := prepare(ctx, cfg.Progress)
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	words := fmt.Sprintf("rdinit=/outside outside.radios=%d outside.dongle=%d", cfg.Radios, cfg.Dongle)
	if cfg.Alone {
		words += " outside.alone"
	}
	if len(cfg.Modules) > 0 {
		words += " outside.modules=" + strings.Join(cfg.Modules, ",")
	}
	m, err := lab.Start(ctx, dir, lab.Config{
		Image: cfg.Image, Board: Board, Memory: cfg.Memory, Counted: cfg.Counted, Append: words, Beside: []string{parts.beside},
		Disks: append([]lab.Disk{{ID: "peers", Path: parts.disk, ReadOnly: true}}, cfg.Disks...),
		Ports: []int{guest.Port}, MAC: guest.MAC, Cable: cfg.Ethernet, Screen: cfg.Screen, Sound: cfg.Sound, Limit: cfg.Limit, Console: cfg.Console, Prepare: cfg.Prepare,
	})
	if err != nil {
		return nil, err
	}
	w := &World{Machine: m, address: m.Addr(guest.Port)}
	for n := cfg.Dongle; n < cfg.Radios; n++ {
		w.radios = append(w.radios, n)
	}
	if err := m.Await(ctx, "the peers are there", func() bool { return w.answers(ctx) }); err != nil {
		m.Close()
		return nil, err
	}
	return w, nil
}

// answers tells whether the program outside does.
func (w *World) answers(ctx context.Context) bool {
	out, err := w.Outside().Run(ctx, "true")
	return err == nil && out == ""
}

// parts are the files that every world is made of.
type parts struct{ disk, beside string }

// prepared keeps the parts of this process.
var prepared struct {
	sync.Mutex
	parts *parts
}

// prepare makes the parts, once.
func prepare(ctx context.Context, progress io.Writer) (parts, error) {
	prepared.Lock()
	defer prepared.Unlock()
	if prepared.parts != nil {
		return *prepared.parts, nil
	}
	k, err := openKernel(ctx, progress)
	if err != nil {
		return parts{}, err
	}
	var p parts
	if p.disk, err = disk(ctx, k, progress); err != nil {
		return parts{}, err
	}
	dir, err := os.MkdirTemp("", "manofwar-peers-")
	if err != nil {
		return parts{}, err
	}
	if p.beside, err = beside(ctx, k, dir); err != nil {
		return parts{}, errors.Join(err, os.RemoveAll(dir))
	}
	prepared.parts = &p
	return p, nil
}

// Dongle is the dongle's own network namespace.
func (w *World) Dongle() *Place { return &Place{world: w, Name: guest.Dongle} }

// Outside is where radios wait to be taken. What programs do there to namespaces and mounts, all places see.
func (w *World) Outside() *Place { return &Place{world: w} }

// Client returns an HTTP client of a program in a place. Names of hosts must be numbers.
func (p *Place) Client() *http.Client {
	return &http.Client{
		Timeout: 30 * time.Second,
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext:       func(ctx context.Context, _, address string) (net.Conn, error) { return p.Dial(ctx, address) },
		},
	}
}

// Lines splits what a program printed.
func Lines(out string) []string { return strings.Split(strings.TrimSpace(out), "\n") }
