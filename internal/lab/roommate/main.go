// Command roommate is a dongle without its hardware: library, delivery, cast and a player, as services behind their sockets,
// speaking to other dongles over whatever network it is in. Its loudspeakers do not exist, run at a speed of their own, and
// keep all that would have been heard, which is written to a file in the end: [null.Run]s, by encoding/gob.
package main

import (
	"context"
	"encoding/gob"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"

	"manofwar/internal/ipc"
	"manofwar/internal/peerlink"
	"manofwar/internal/service"
	"manofwar/player"
	"manofwar/player/api"
	"manofwar/player/decode"
	"manofwar/player/null"
	"manofwar/player/serve"
	"manofwar/services/cast"
	castapi "manofwar/services/cast/api"
	"manofwar/services/catalog"
	catalogapi "manofwar/services/catalog/api"
	"manofwar/services/stream"
	streamapi "manofwar/services/stream/api"
)

// options are the flags.
type options struct {
	library, state, run, record, programs string
	ppm                                   float64
	skew                                  peerlink.Skew
}

func main() {
	var o options
	flag.StringVar(&o.library, "library", "", "`folder` of music")
	flag.StringVar(&o.state, "state", "", "`folder` for what the services keep")
	flag.StringVar(&o.run, "run", "", "`folder` for the sockets")
	flag.StringVar(&o.record, "record", "", "`file` for what was heard")
	flag.StringVar(&o.programs, "programs", "", "`folder` with ffmpeg and ffprobe")
	flag.Float64Var(&o.ppm, "ppm", 0, "by how much the sound card is fast, in millionths")
	flag.DurationVar(&o.skew.Offset, "ahead", 0, "by how much its clock is ahead")
	flag.Float64Var(&o.skew.PPM, "clock-ppm", 0, "by how much its clock is fast, in millionths")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := live(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "roommate:", err)
		os.Exit(1)
	}
}

// live runs everything until ctx ends, and writes down what was heard.
func live(ctx context.Context, o options) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	sound := null.NewSound(null.SoundOptions{PPM: o.ppm, Record: true, Sample: player.S32})
	display := null.NewDisplay(null.DisplayOptions{})
	var events ipc.Events
	engine := player.New(player.Options{
		Display: display, Sound: sound, Log: log,
		Decoder: &decode.Decoder{FFmpeg: filepath.Join(o.programs, "ffmpeg"), FFprobe: filepath.Join(o.programs, "ffprobe")},
		Status:  func(s api.Status) { _ = events.Publish("status", s) }, // they always encode
		Ended:   func(e api.Ended) { _ = events.Publish("ended", e) },
	})
	all := map[string]service.Service{
		catalogapi.Name: catalog.New(catalog.Options{Dirs: []string{o.library}}),
		streamapi.Name:  stream.New(stream.Options{}),
		castapi.Name:    cast.New(cast.Options{Dongles: true, Skew: o.skew}),
		api.Name: service.Func(func(ctx context.Context, env service.Env) error {
			return ipc.Serve(ctx, env, serve.Handler(serve.Options{
				Engine: engine, Events: &events, Keep: func(api.Settings) error { return nil }, Notice: func(api.Notice) {},
			}))
		}),
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var running sync.WaitGroup
	errs := make(chan error, len(all)+1)
	running.Go(func() { errs <- engine.Run(ctx) })
	for name, s := range all {
		env := service.Env{
			Name: name, StateDir: filepath.Join(o.state, name), RunDir: o.run, Log: log.With("service", name),
			Ready: func() {}, Healthy: func(error) {},
		}
		if err := os.MkdirAll(env.StateDir, 0o700); err != nil {
			return err
		}
		running.Go(func() {
			errs <- s.Run(ctx, env)
			cancel() // one cannot do without the others
		})
	}
	<-ctx.Done()
	runs := sound.Runs()
	running.Wait()
	close(errs)
	var err error
	for e := range errs {
		err = errors.Join(err, e)
	}
	return errors.Join(err, write(o.record, runs), sound.Close(), display.Close())
}

func write(name string, runs []null.Run) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(gob.NewEncoder(f).Encode(runs), f.Close())
}
