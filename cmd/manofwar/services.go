package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/peterbourgon/ff/v3/ffcli"

	"manofwar/board"
	"manofwar/board/qemu"
	"manofwar/board/raspberrypi"
	"manofwar/internal/ipc"
	"manofwar/internal/service"
	"manofwar/netmgr/native"
	playerhost "manofwar/player/native"
	"manofwar/services/cast"
	"manofwar/services/catalog"
	"manofwar/services/portal"
	"manofwar/services/portal/mpd"
	"manofwar/services/stream"

	initapi "manofwar/init/api"
	netapi "manofwar/netmgr/api"
	playerapi "manofwar/player/api"
	castapi "manofwar/services/cast/api"
	catalogapi "manofwar/services/catalog/api"
	streamapi "manofwar/services/stream/api"
)

// mediaDir is where PID 1 mounts the owner's disks.
const mediaDir = "/media"

// readMedia lets a service read the owner's disks whoever the files there belong to: an ext4 disk carries the user
// numbers of another computer. Landlock bounds it to the directories of Read.
const readMedia = "dac_read_search"

// dongleListen is where the dongle serves its web page.
const dongleListen = ":80"

// settings are everything that a service's constructor takes from the command line.
type settings struct {
	hosted     bool           // on somebody's computer: manage nothing of it
	player     string         // hosted: where to play, besides in browsers
	manageWiFi bool           // though hosted: choose the WiFi network, through the host's own manager
	runDir     string         // where the sockets are
	dirs       listFlag       // folders of media
	listen     listFlag       // addresses of the web page
	names      listFlag       // host names of the web page
	mpd        string         // address for MPD clients, once the owner lets them in; empty: as the dongle has it, or hosted none
	opened     func(net.Addr) // told of each address of the web page once it is open; may be nil
}

// entry is one row of the table of services: what it is, what it needs, and how it is made.
type entry struct {
	spec  service.Spec
	env   []string // of its process on the dongle, beyond what PID 1 gives it
	help  string
	flags func(*flag.FlagSet, *settings) // may be nil
	make  func(settings) service.Service
}

// services is the whole of manofwar, in the order in which a person should read its state. On the dongle PID 1 starts
// each as a process, from what "manofwar image" writes of this table; "manofwar serve" runs them as goroutines. None comes
// After another: sockets exist before their services, so whoever calls early waits for the answer, not for the start.
var services = []entry{
	{
		spec: service.Spec{
			Name: "portal",
			Read: []string{mediaDir}, Caps: []string{"net_bind_service", readMedia}, Memory: 96 << 20, Core: true,
		},
		help: "the web page and its API",
		flags: func(f *flag.FlagSet, s *settings) {
			f.Var(&s.listen, "listen", "serve on this `address`; may be given more than once (default :80)")
			f.Var(&s.names, "name", "a host `name` of the page, besides its addresses; may be given more than once")
		},
		make: newPortal,
	},
	{
		spec: service.Spec{
			Name: catalogapi.Name, Callers: []string{"portal", streamapi.Name, castapi.Name, playerapi.Name},
			Read: []string{mediaDir}, Caps: []string{readMedia}, Memory: 160 << 20,
		},
		help: "the library: finds media and reads their tags",
		flags: func(f *flag.FlagSet, s *settings) {
			f.Var(&s.dirs, "dir", "also look in this `folder`; may be given more than once")
		},
		make: func(s settings) service.Service { return catalog.New(catalogOptions(s)) },
	},
	{
		spec: service.Spec{
			Name: streamapi.Name, Callers: []string{"portal", castapi.Name, playerapi.Name},
			Read: []string{mediaDir}, Caps: []string{readMedia}, Memory: 256 << 20,
		},
		help: "delivery: plans what bytes answer a request for media",
		make: func(settings) service.Service { return stream.New(stream.Options{}) },
	},
	{
		spec: service.Spec{
			Name: playerapi.Name, Callers: []string{"portal", castapi.Name},
			Read: []string{mediaDir}, Caps: []string{readMedia}, Memory: 320 << 20,
			Devices: []string{"dri/card*", "snd/*", "cec*", "video[0-9]*"},
		},
		help: "the television and the HiFi: plays pictures and sound, shows what there is to see",
		make: newPlayer,
	},
	{
		spec: service.Spec{
			Name: castapi.Name, Callers: []string{"portal"}, Memory: 64 << 20,
			Read: []string{mediaDir}, Caps: []string{readMedia}, // for the other dongles that it has play them
		},
		help: "what plays where: sessions, queues, televisions and loudspeakers, other dongles",
		make: func(s settings) service.Service {
			return cast.New(cast.Options{WebPort: s.webPort(), Dongles: s.webPort() != 0})
		},
	},
	{
		spec: service.Spec{
			Name: netapi.Name, Callers: []string{"portal", playerapi.Name, castapi.Name}, Memory: 64 << 20, Core: true,
			Caps:  []string{"net_admin", "net_raw", "net_bind_service", "sys_time"},
			Write: []string{"/proc/sys/net/ipv6/conf"}, // an access point's interface heeds nobody's advertisements
		},
		// It waits nearly always, and a second processor would mostly be woken to find nothing to do.
		env:  []string{"GOMAXPROCS=1"},
		help: "the network: addresses, time, the name under .local",
		make: func(s settings) service.Service {
			return native.New(native.Options{
				Observe: s.hosted, ManageWiFi: s.manageWiFi, NotBefore: notBefore, WebPort: s.webPort(), Serial: serialNumber(),
			})
		},
	},
}

// newPlayer leaves a computer of somebody's own alone, unless it is asked to play there.
func newPlayer(s settings) service.Service {
	if s.hosted && s.player == playerOff {
		return nil
	}
	o := playerhost.Options{}
	if s.hosted {
		o.Outputs = playerhost.Outputs(s.player)
	}
	return playerhost.New(o)
}

func newPortal(s settings) service.Service {
	o := portal.Options{Listen: s.listen, Names: s.names, MPD: s.mpd, Version: version, Hosted: s.hosted}
	if len(o.Listen) == 0 {
		o.Listen = []string{dongleListen}
	}
	if o.MPD == "" && !s.hosted {
		o.MPD = fmt.Sprintf(":%d", mpd.Port)
	}
	if s.opened != nil {
		o.Listening = s.opened
	}
	return portal.New(o)
}

// catalogOptions leaves the disks to PID 1, which a computer of somebody's own does not have.
func catalogOptions(s settings) catalog.Options {
	o := catalog.Options{Dirs: s.dirs}
	if !s.hosted {
		o.Disks = disks{ipc.NewClient(s.runDir, initapi.Name)}
	}
	return o
}

// serialNumber returns that of the board; empty on somebody's computer.
func serialNumber() string {
	root := os.DirFS("/")
	b, err := board.Detect(root, raspberrypi.Board(), qemu.Board(), qemu.AMD64())
	if err != nil {
		return ""
	}
	return b.SerialNumber(root)
}

// webPort is the port of the web page that the network is told of; 0 where the page is for this computer only.
func (s settings) webPort() int {
	if len(s.listen) == 0 {
		return 80 // as dongleListen
	}
	for _, address := range s.listen {
		host, port, err := net.SplitHostPort(address)
		if ip := net.ParseIP(host); err != nil || host == "localhost" || ip.IsLoopback() {
			continue
		}
		if n, err := strconv.Atoi(port); err == nil {
			return n
		}
	}
	return 0
}

// findService returns the entry of that name, or nil.
func findService(name string) *entry {
	for i := range services {
		if services[i].spec.Name == name {
			return &services[i]
		}
	}
	return nil
}

// command runs the service as the only one of this process.
func (e entry) command(term terminal) *ffcli.Command {
	flags := newFlags(e.spec.Name, term)
	var s settings
	if e.flags != nil {
		e.flags(flags, &s)
	}
	return &ffcli.Command{
		Name: e.spec.Name, ShortUsage: "manofwar " + e.spec.Name + " [flags]", ShortHelp: "run one service: " + e.help,
		LongHelp: "PID 1 runs this on the dongle. On a computer use \"manofwar serve\".", FlagSet: flags,
		Exec: func(ctx context.Context, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("%s: takes no arguments, got %q: %w", e.spec.Name, args, service.ErrFinal)
			}
			return runProcess(ctx, e.spec.Name, func(env service.Env) service.Service {
				s.runDir = env.RunDir
				return e.make(s)
			})
		},
	}
}

// units returns the table as PID 1 reads it.
func units() []service.Unit {
	list := make([]service.Unit, len(services))
	for i, e := range services {
		list[i] = service.Unit{
			Spec: e.spec, Path: "/bin/manofwar", Args: []string{e.spec.Name}, Env: e.env, Notify: true,
			Socket: len(e.spec.Callers) > 0, // whom nobody calls needs none
		}
	}
	return list
}

// listFlag collects a flag that may be given more than once.
type listFlag []string

func (l *listFlag) String() string { return strings.Join(*l, ", ") }

// Set implements [flag.Value].
func (l *listFlag) Set(v string) error {
	*l = append(*l, v)
	return nil
}
