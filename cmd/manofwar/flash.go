//go:build !gokrazy

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"
	"golang.org/x/term"

	"manofwar/gokrazy"
	"manofwar/internal/setup"
)

func flashCommand(t terminal) *ffcli.Command {
	flags := newFlags("flash", t)
	answers := bufio.NewReader(t.in) // one for both questions: a reader takes more than the line it gives
	o := gokrazy.FlashOptions{In: answers, Out: t.out}
	flags.StringVar(&o.Image, "image", "build/manofwar-raspberrypi.img.zst", "the image `file`, .img or .img.zst")
	flags.BoolVar(&o.KeepData, "keep-data", false, "rewrite the system only, and keep what the dongle remembers")
	flags.BoolVar(&o.Yes, "yes", false, "do not ask before erasing")
	wifi := flags.String("wifi", "", "let the dongle join this WiFi `network`; asks for its password")
	country := flags.String("country", "", "the two capital `letters` of the country, for WiFi channels")
	headless := flags.Bool("headless", false, "choose passphrase and claim code now, for a dongle without a screen")
	return &ffcli.Command{
		Name: "flash", ShortUsage: "manofwar flash [flags] DEVICE", FlagSet: flags,
		ShortHelp: "write an image to a card",
		LongHelp: "Shows what is on the card and asks before it erases anything. Reads everything back at the end.\n\n" +
			"  manofwar flash /dev/sdX\n  manofwar flash --wifi Home --headless /dev/sdX\n  manofwar flash --keep-data /dev/sdX",
		Exec: func(ctx context.Context, args []string) error {
			if len(args) != 1 {
				return usageError(t, "flash: name the card's device, as in /dev/sdX; lsblk lists them")
			}
			o.Target = args[0]
			var err error
			if o.Setup, err = askSetup(t, answers, *wifi, *country, *headless); err != nil {
				return fmt.Errorf("flash: %w", err)
			}
			if _, err := os.Stat(o.Image); errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("flash: there is no image %s: make one with \"manofwar image\", or name another with --image", o.Image)
			}
			bar := newBar(t.err)
			o.Progress = bar.show
			if err := gokrazy.Flash(ctx, o); err != nil {
				return fmt.Errorf("flash: %w", err)
			}
			fmt.Fprintf(t.out, "%s is ready.\n", o.Target)
			return printHeadless(t.out, o.Setup, *headless)
		},
	}
}

// askSetup returns what the flags want set up, or nil.
func askSetup(t terminal, answers *bufio.Reader, wifi, country string, headless bool) (*setup.Setup, error) {
	if wifi == "" && country == "" && !headless {
		return nil, nil
	}
	s := &setup.Setup{Country: country}
	if wifi != "" {
		passphrase, err := askPassword(t, answers, wifi)
		if err != nil {
			return nil, err
		}
		s.WiFi = []setup.WiFi{{SSID: wifi, Passphrase: passphrase}}
	}
	if headless {
		if err := s.Headless(); err != nil {
			return nil, err
		}
	}
	return s, s.Check()
}

// askPassword reads a WiFi password without showing it; from a pipe, the first line.
func askPassword(t terminal, answers *bufio.Reader, network string) (string, error) {
	if f, ok := t.in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprintf(t.err, "Password of %s (empty: an open network): ", network)
		password, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(t.err)
		return string(password), err
	}
	line, err := answers.ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password of %s: %w", network, err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// printHeadless shows what the owner must write down.
func printHeadless(w io.Writer, s *setup.Setup, headless bool) error {
	if s == nil || !headless {
		return nil
	}
	_, err := fmt.Fprintf(w, "Write this down:\n  access point passphrase  %s\n  claim code               %s\n", s.AccessPoint.Passphrase, s.ClaimCode)
	return err
}

// bar shows progress: one line that changes on a terminal, a line every few seconds elsewhere.
type bar struct {
	w     io.Writer
	live  bool
	phase string
	last  time.Time
}

// plainEvery is how often a log gets a line.
const plainEvery = 5 * time.Second

func newBar(w io.Writer) *bar {
	f, ok := w.(*os.File)
	return &bar{w: w, live: ok && term.IsTerminal(int(f.Fd()))}
}

func (b *bar) show(p gokrazy.FlashProgress) {
	done := p.Done >= p.Total
	percent := 100
	if p.Total > 0 {
		percent = int(100 * p.Done / p.Total)
	}
	line := fmt.Sprintf("%-6s  %3d%%  %s of %s  %s/s  %v left", p.Phase, percent, megabytes(p.Done), megabytes(p.Total),
		megabytes(int64(p.Rate)), p.Left.Round(time.Second))
	switch {
	case b.live && done:
		fmt.Fprintf(b.w, "\r\x1b[K%s\n", line)
	case b.live:
		fmt.Fprintf(b.w, "\r\x1b[K%s", line)
	case done || p.Phase != b.phase || time.Since(b.last) >= plainEvery:
		b.last = time.Now()
		fmt.Fprintln(b.w, line)
	}
	b.phase = p.Phase
}
