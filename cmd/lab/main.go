// Command lab is for those who work on manofwar: it boots the real image in QEMU to look at, and measures.
//
//	lab run [--port 8080]    boot with a demo library, show the television, print the page's address; Ctrl-C cuts the power
//	lab bench [NAME...]      print performance figures as "name value unit" lines
//
// The Makefile builds what they need first.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := dispatch(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "lab:", err)
		os.Exit(1)
	}
}

func dispatch(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("say what to do: run or bench")
	}
	switch args[0] {
	case "run":
		return runDemo(ctx, args[1:])
	case "bench":
		return runBench(ctx, args[1:])
	}
	return fmt.Errorf("%q is neither run nor bench", args[0])
}
