package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"manofwar/internal/lab"
)

// guestPort is where the dongle serves its page.
const guestPort = 80

// runDemo boots the image with the demo library on a USB stick and waits for Ctrl-C.
func runDemo(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	port := flags.Int("port", 8080, "serve the dongle's page on this `port` of this computer")
	console := flags.Bool("console", false, "show the dongle's console")
	if err := flags.Parse(args); err != nil {
		return err
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
	image, err := lab.Image(ctx, lab.ImageOptions{Dir: dir, Progress: func(line string) { say("  %s", line) }})
	if err != nil {
		return err
	}
	say("booting it")
	cfg := lab.Config{
		Image: image, Limit: 24 * time.Hour, Ports: []int{guestPort}, Host: map[int]int{guestPort: *port},
		Disks: []lab.Disk{{ID: "stick", Path: stick, USB: true}},
	}
	if *console {
		cfg.Console = os.Stdout
	}
	m, err := lab.Start(ctx, dir, cfg)
	if err != nil {
		return err
	}
	defer m.Close()
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
