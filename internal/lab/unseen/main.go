// Command unseen is the player as the dongle runs it, before a screen of 1920 × 1080 at 60 Hz and loudspeakers that do not
// exist: what it takes of a computer is then all its own. It keeps its state and its socket in the directories that are its
// two arguments.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"manofwar/internal/service"
	"manofwar/player"
	"manofwar/player/api"
	"manofwar/player/native"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "unseen:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("%d arguments, not a directory for the state and one for the socket", len(args))
	}
	tv := native.New(native.Options{Outputs: native.Silent, Mode: player.Mode{Width: 1920, Height: 1080, Refresh: 60, Preferred: true}})
	return tv.Run(ctx, service.Env{
		Name: api.Name, StateDir: args[0], RunDir: args[1], Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
		Ready: func() {}, Healthy: func(error) {},
	})
}
