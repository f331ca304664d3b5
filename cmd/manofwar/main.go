// Command manofwar is every service of the dongle in one program, and the tools that make and tend a dongle.
//
// Started by PID 1 as "manofwar portal" it is one supervised, sandboxed process. Started by a person as "manofwar serve
// ~/Music" it runs all services in one process, on any computer. This package is wiring only: the table of services,
// the commands and their flags.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"

	"manofwar/internal/ipc"
	"manofwar/internal/service"
)

// version is set by the build: -ldflags "-X main.version=…".
var version = "dev"

// Exit codes. They are part of the command line's contract and documented in docs/guide.
const (
	exitOK    = 0
	exitError = 1  // the message says what went wrong
	exitUsage = 2  // the command line was not understood
	exitFinal = 78 // of a service that must not be restarted: EX_CONFIG of sysexits(3), which PID 1 knows
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the first signal asks for an end, a second one makes it
	code := exitOK
	switch err := run(ctx, os.Args[1:], terminal{in: os.Stdin, out: os.Stdout, err: os.Stderr}); {
	case errors.Is(err, errUsage):
		code = exitUsage
	case errors.Is(err, service.ErrFinal):
		complain(os.Stderr, err)
		code = exitFinal
	case err != nil:
		complain(os.Stderr, err)
		code = exitError
	}
	stop()
	os.Exit(code)
}

// complain writes an error for a person, with what to do about it where that is known.
func complain(w io.Writer, err error) {
	fmt.Fprintln(w, "manofwar:", err)
	if hint := ipc.AsError(err).Hint; hint != "" {
		fmt.Fprintln(w, hint)
	}
}

// terminal is what a command talks to.
type terminal struct {
	in       io.Reader
	out, err io.Writer
}

// errUsage is the end of a command whose usage has been shown to the user.
var errUsage = errors.New("usage")

// run parses the command line and runs the command that it names until it is done or ctx ends.
func run(ctx context.Context, args []string, term terminal) error {
	root := rootCommand(term)
	switch err := root.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil: // the flag package has told it
		return errUsage
	}
	return root.Run(ctx)
}

// usageError shows what is wrong with a command line beyond its flags.
func usageError(term terminal, format string, args ...any) error {
	fmt.Fprintf(term.err, "manofwar: "+format+"\n", args...)
	return errUsage
}

func rootCommand(term terminal) *ffcli.Command {
	root := &ffcli.Command{
		Name:       "manofwar",
		ShortUsage: "manofwar <command> [flags]",
		ShortHelp:  "your own media dongle",
		LongHelp: strings.TrimSpace(`
Your music and films, from your own disks, on the TV, the HiFi and the phone.

  manofwar serve ~/Music ~/Films      try it on this computer
  manofwar image --board raspberrypi  make the image for a Raspberry Pi
  manofwar flash /dev/sdX             write it to a card
  manofwar status                     see how a running one is doing

"manofwar <command> --help" tells more. Exit codes: 0 done, 1 failed, 2 wrong usage.`),
		FlagSet: newFlags("manofwar", term),
	}
	root.Subcommands = append([]*ffcli.Command{serveCommand(term), statusCommand(term)}, toolCommands(term)...)
	root.Subcommands = append(root.Subcommands, versionCommand(term))
	for _, s := range services {
		root.Subcommands = append(root.Subcommands, s.command(term))
	}
	root.UsageFunc = usage
	for _, c := range root.Subcommands {
		c.UsageFunc = usage
	}
	root.Exec = func(_ context.Context, args []string) error {
		fmt.Fprintln(term.err, root.UsageFunc(root))
		if len(args) > 0 {
			return usageError(term, "there is no command %q", args[0])
		}
		return errUsage
	}
	return root
}

// newFlags returns a flag set that reports to the terminal and never exits.
func newFlags(name string, term terminal) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(term.err)
	return f
}

// usage is ffcli's help with the services, which only PID 1 starts, left out of the list of commands.
func usage(c *ffcli.Command) string {
	shown := *c
	shown.UsageFunc = nil
	shown.Subcommands = nil
	for _, sub := range c.Subcommands {
		if findService(sub.Name) == nil {
			shown.Subcommands = append(shown.Subcommands, sub)
		}
	}
	return strings.TrimRight(ffcli.DefaultUsageFunc(&shown), "\n")
}

func versionCommand(term terminal) *ffcli.Command {
	return &ffcli.Command{
		Name: "version", ShortUsage: "manofwar version", ShortHelp: "print the version", FlagSet: newFlags("version", term),
		Exec: func(context.Context, []string) error {
			_, err := fmt.Fprintln(term.out, version)
			return err
		},
	}
}

// notBefore is a time that has certainly passed: the clock is never set to before it.
var notBefore = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// newLogger returns a log for a person at a terminal: no times, one line each.
func newLogger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{ReplaceAttr: withoutTime}))
}

// megabytes writes a size for a person.
func megabytes(bytes int64) string { return fmt.Sprintf("%.1f MB", float64(bytes)/1e6) }
