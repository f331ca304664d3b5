package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"

	initapi "manofwar/init/api"
	"manofwar/init/control"
	"manofwar/init/supervise"
	"manofwar/internal/service"
	playerhost "manofwar/player/native"
	"manofwar/services/portal"
)

// defaultListen is where "manofwar serve" serves its page: to this computer only.
const defaultListen = "127.0.0.1:8080"

// playerOff is the player of somebody who did not ask for one.
const playerOff = "off"

func serveCommand(term terminal) *ffcli.Command {
	flags := newFlags("serve", term)
	s := settings{hosted: true}
	flags.Var(&s.listen, "listen", "serve on this `address`, :8080 for the whole network; may be given more than once (default "+defaultListen+")")
	flags.Var(&s.names, "name", "a host `name` of the page, besides its addresses; may be given more than once")
	flags.StringVar(&s.mpd, "mpd", "", "let MPD clients in at this `address`, :6600 for the whole network, once you turn that on in the page (default: never)")
	flags.BoolVar(&s.manageWiFi, "manage-wifi", false, "choose this computer's WiFi network as the dongle does, through NetworkManager (Linux)")
	flags.StringVar(&s.player, "player", playerOff, "play here too, as the page asks for: to the sound card (sound), to nowhere (silent), or not (off) (Linux)")
	state := flags.String("state", "", "keep what is remembered in this `folder` (default "+orUnknown(defaultState())+")")
	verbose := flags.Bool("verbose", false, "print the log of every service")
	return &ffcli.Command{
		Name: "serve", ShortUsage: "manofwar serve [flags] FOLDER...", FlagSet: flags,
		ShortHelp: "play the music and films in these folders, from this computer",
		LongHelp:  "Reads the folders and never writes to them.\n\n  manofwar serve ~/Music ~/Films\n  manofwar serve --listen :8080 /srv/media",
		Exec: func(ctx context.Context, args []string) error {
			if len(args) == 0 {
				return usageError(term, "serve: name at least one folder with music or films, as in: manofwar serve ~/Music")
			}
			if s.manageWiFi && runtime.GOOS != "linux" {
				return usageError(term, "serve: --manage-wifi needs NetworkManager, which only Linux has")
			}
			switch s.player {
			case playerOff:
			case string(playerhost.SoundOnly), string(playerhost.Silent):
				if runtime.GOOS != "linux" {
					return usageError(term, "serve: --player needs the sound system of Linux")
				}
			default:
				return usageError(term, "serve: --player is sound, silent or off, not %s", s.player)
			}
			var err error
			if s.dirs, err = folders(term, args); err != nil {
				return err
			}
			if len(s.listen) == 0 {
				s.listen = []string{defaultListen}
			}
			return serve(ctx, term, s, *state, *verbose)
		},
	}
}

// folders returns the libraries that are named, without those that are part of another. What cannot be a library is
// refused before anything starts.
func folders(term terminal, named []string) (dirs []string, err error) {
	for _, name := range named {
		if strings.HasPrefix(name, "-") {
			return nil, usageError(term, "serve: flags come before the folders: %s", name)
		}
		info, err := os.Stat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("serve: there is no folder %s", name)
		case err != nil:
			return nil, fmt.Errorf("serve: %w", err)
		case !info.IsDir():
			return nil, fmt.Errorf("serve: %s is a file: name the folder that it is in", name)
		}
		abs, err := filepath.Abs(name)
		if err != nil {
			return nil, fmt.Errorf("serve: %w", err)
		}
		dirs = append(dirs, abs)
	}
	slices.Sort(dirs) // what holds others comes before them
	kept := dirs[:0]
	for _, dir := range slices.Compact(dirs) {
		if i := slices.IndexFunc(kept, func(outer string) bool { return holds(outer, dir) }); i >= 0 {
			fmt.Fprintf(term.err, "manofwar: %s is in %s already\n", dir, kept[i])
			continue
		}
		kept = append(kept, dir)
	}
	return kept, nil
}

// holds reports whether a scan of outer comes to dir: it leaves hidden folders out.
func holds(outer, dir string) bool {
	rel, err := filepath.Rel(outer, dir)
	return err == nil && filepath.IsLocal(rel) && !strings.HasPrefix(rel, ".") && !strings.Contains(rel, string(filepath.Separator)+".")
}

// serve runs every service in this process until ctx ends.
func serve(ctx context.Context, term terminal, s settings, state string, verbose bool) (err error) {
	if state == "" {
		if state, err = defaultState(); err != nil {
			return fmt.Errorf("serve: %w: name a folder with --state", err)
		}
	}
	if err := (portal.Options{Listen: s.listen}).Check(ctx); err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	for _, e := range services {
		if err := os.MkdirAll(filepath.Join(state, e.spec.Name), 0o700); err != nil {
			return fmt.Errorf("serve: %w: name another folder with --state", err)
		}
	}
	if s.runDir, err = os.MkdirTemp("", "manofwar-"); err != nil { // short: a socket's path has about 100 bytes
		return fmt.Errorf("serve: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(s.runDir)) }()
	if name, err := os.Hostname(); err == nil && name != "" {
		short, _, _ := strings.Cut(name, ".")
		s.names = append(s.names, name, short)
	}
	s.opened = func(a net.Addr) { announce(term.out, a) }

	level := slog.LevelWarn
	if verbose {
		level = slog.LevelDebug
	}
	handler := slog.NewTextHandler(term.err, &slog.HandlerOptions{Level: level})
	specs, made := hostedServices(s)
	machine := &control.Server{Machine: control.Laptop{Version: version, Started: time.Now()}}
	made[initapi.Name] = machine
	super, err := supervise.New(supervise.Config{
		Specs: append(specs, service.Spec{Name: initapi.Name}), Log: slog.New(handler),
		Change: func(s initapi.Service) { publish(machine, s) },
		Runner: &supervise.Goroutine{Services: made, StateDir: state, RunDir: s.runDir, Handler: handler},
	})
	if err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	machine.Services = super
	super.Run(ctx)
	return nil
}

// publish tells the page of a service's new state, as PID 1 does.
func publish(machine *control.Server, s initapi.Service) {
	_ = machine.Events.Publish(initapi.EventService, s) // a Service always encodes
}

// hostedServices makes every service of the table.
func hostedServices(s settings) (specs []service.Spec, made map[string]service.Service) {
	made = make(map[string]service.Service)
	for _, e := range services {
		if svc := e.make(s); svc != nil {
			specs = append(specs, e.spec)
			made[e.spec.Name] = svc
		}
	}
	return specs, made
}

// announce tells what to open in a browser on this computer, and on others where the page is for them too: an address
// rather than a name, which not every network knows.
func announce(w io.Writer, a net.Addr) {
	at, ok := a.(*net.TCPAddr)
	if !ok || !at.IP.IsUnspecified() {
		fmt.Fprintf(w, "Open http://%s\n", a)
		return
	}
	port := strconv.Itoa(at.Port)
	fmt.Fprintf(w, "Open http://%s\n", net.JoinHostPort("localhost", port))
	all, _ := net.InterfaceAddrs() // without them the line above does
	for _, a := range all {
		if ip, _, err := net.ParseCIDR(a.String()); err == nil && ip.To4() != nil && ip.IsGlobalUnicast() {
			fmt.Fprintf(w, "On other devices: http://%s\n", net.JoinHostPort(ip.String(), port))
		}
	}
}

// defaultState is where state is kept on this kind of system.
func defaultState() (string, error) {
	if runtime.GOOS == "linux" {
		if dir := os.Getenv("XDG_STATE_HOME"); dir != "" {
			return filepath.Join(dir, "manofwar"), nil
		}
		home, err := os.UserHomeDir()
		return filepath.Join(home, ".local", "state", "manofwar"), err
	}
	dir, err := os.UserConfigDir()
	return filepath.Join(dir, "manofwar"), err
}

func orUnknown(s string, err error) string {
	if err != nil {
		return "unknown"
	}
	return s
}
