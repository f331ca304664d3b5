package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"manofwar/internal/lab"
)

// guestPort is where the dongle serves its page.
const guestPort = 80

// The demo's dongle has a screen and a sound card, which only one of the boards has in QEMU.
const (
	demoBoard  = "qemu-amd64"
	demoMemory = 768 // MiB: the kernel is a larger one than the dongle's
)

// runDemo boots the image with the demo library on a USB stick and waits for Ctrl-C.
func runDemo(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	port := flags.Int("port", 8080, "serve the dongle's page on this `port` of this computer")
	tv := flags.Int("tv", 0, "show the television on this `port` of this computer, where it has no windows (default one above --port)")
	console := flags.Bool("console", false, "show the dongle's console")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *tv == 0 {
		*tv = *port + 1
	}
	dir, err := os.MkdirTemp("", "manofwar-run-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	began := time.Now()
	say := func(format string, args ...any) {
		fmt.Printf("%6.1f s  %s\n", time.Since(began).Seconds(), fmt.Sprintf(format, args...))
	}

	say("demo library: four albums and two films, made once with ffmpeg")
	library, err := lab.DemoLibrary(ctx, func(file string) { say("  %s", file) })
	if err != nil {
		return err
	}
	stick := filepath.Join(dir, "stick.img")
	if err := lab.Ext4Disk(ctx, stick, library, "Demo", 512<<20); err != nil {
		return err
	}
	say("image for QEMU")
	image, err := lab.Image(ctx, lab.ImageOptions{Dir: dir, Board: demoBoard, Progress: func(line string) { say("  %s", line) }})
	if err != nil {
		return err
	}
	say("booting it")
	cfg := lab.Config{
		Image: image, Board: demoBoard, Memory: demoMemory, Limit: 24 * time.Hour, Ports: []int{guestPort}, Host: map[int]int{guestPort: *port},
		Disks: []lab.Disk{{ID: "stick", Path: stick, USB: true}}, Screen: &lab.Screen{}, Sound: &lab.Sound{},
	}
	var noDesk error
	if cfg.Desk, noDesk = lab.FindDesk(ctx, demoBoard); noDesk != nil {
		say("no window for the television: %v", noDesk)
	}
	if *console {
		cfg.Console = os.Stdout
	}
	m, err := lab.Start(ctx, dir, cfg)
	if err != nil {
		return err
	}
	defer m.Close()
	if noDesk != nil {
		stop, err := showTelevision(ctx, m, *tv)
		if err != nil {
			return err
		}
		defer stop()
		say("the television: http://localhost:%d", *tv)
	}
	if err := m.AwaitPage(ctx, guestPort); err != nil {
		return err
	}
	say("ready: open http://localhost:%d   (Ctrl-C cuts the power)", *port)
	select {
	case <-ctx.Done():
		return nil
	case <-m.Ended():
		return m.Wait()
	}
}

// showTelevision serves the machine's screen to browsers of this computer until stop is called.
func showTelevision(ctx context.Context, m *lab.Machine, port int) (stop func(), err error) {
	ln, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return nil, fmt.Errorf("television: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := (&television{shot: m.ScreenPNG}).serve(ctx, ln); err != nil {
			fmt.Fprintln(os.Stderr, "lab:", err)
		}
	}()
	return func() { cancel(); <-done }, nil
}
