//go:build !gokrazy

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"

	"manofwar/board"
	"manofwar/board/qemu"
	"manofwar/board/raspberrypi"
	"manofwar/gokrazy"
	"manofwar/internal/service"
)

// boards are those that have an image.
var boards = []func() board.Board{raspberrypi.Board, qemu.Board, qemu.AMD64}

func toolCommands(term terminal) []*ffcli.Command {
	return []*ffcli.Command{imageCommand(term), flashCommand(term)}
}

func imageCommand(term terminal) *ffcli.Command {
	flags := newFlags("image", term)
	o := imageOptions{}
	flags.StringVar(&o.board, "board", "raspberrypi", "the `board`: "+boardNames())
	flags.StringVar(&o.config, "config", "gokrazy/config.json", "the instance's `file`, in gokrazy's format")
	flags.StringVar(&o.out, "out", "", "write to this `file` (default build/manofwar-BOARD.img)")
	flags.StringVar(&o.units, "units", "", "a JSON `file` of services for programs that need more than the sandbox of Packages gives")
	flags.BoolVar(&o.noZstd, "no-zst", false, "do not compress a copy")
	flags.BoolVar(&o.json, "json", false, "print the result as JSON")
	return &ffcli.Command{
		Name: "image", ShortUsage: "manofwar image [flags]", FlagSet: flags,
		ShortHelp: "make the image for a board",
		LongHelp: "Builds every program of the instance, signs the slot with your developer key (made at first use),\nand writes an image for a card of 2 GB or more.\n\n" +
			"  manofwar image --board raspberrypi",
		Exec: func(ctx context.Context, args []string) error {
			if len(args) > 0 {
				return usageError(term, "image: takes no arguments, got %q", args)
			}
			return makeImage(ctx, term, o)
		},
	}
}

type imageOptions struct {
	board, config, out, units string
	noZstd, json              bool
}

func boardNames() string {
	var names []string
	for _, b := range boards {
		names = append(names, b().Name)
	}
	return strings.Join(names, ", ")
}

func findBoard(name string) (board.Board, error) {
	for _, b := range boards {
		if b := b(); b.Name == name {
			return b, nil
		}
	}
	return board.Board{}, fmt.Errorf("there is no board %q: there are %s", name, boardNames())
}

func makeImage(ctx context.Context, term terminal, o imageOptions) error {
	b, err := findBoard(o.board)
	if err != nil {
		return fmt.Errorf("image: %w", err)
	}
	all := units()
	if o.units != "" {
		more, err := readUnits(o.units)
		if err != nil {
			return fmt.Errorf("image: %w", err)
		}
		all = append(all, more...)
	}
	if _, err := os.Stat(o.config); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("image: there is no instance %s: run this in manofwar's source, or name another with --config", o.config)
	}
	keyFile, err := gokrazy.DeveloperKeyPath()
	if err != nil {
		return fmt.Errorf("image: %w", err)
	}
	key, made, err := gokrazy.DeveloperKey(keyFile)
	if err != nil {
		return fmt.Errorf("image: %w", err)
	}
	steps := &steps{w: term.err, began: time.Now()}
	if made {
		steps.say("made your developer key, " + keyFile + ": keep it")
	}
	if o.out == "" {
		o.out = filepath.Join("build", "manofwar-"+b.Name+".img")
	}
	stamp, err := sourceDate(os.Getenv("SOURCE_DATE_EPOCH"))
	if err != nil {
		return fmt.Errorf("image: %w", err)
	}
	result, err := gokrazy.Build(ctx, gokrazy.Options{
		Config: o.config, Board: b, Units: all, Key: key, KeyName: gokrazy.DeveloperKeyName, Version: version, Time: stamp,
		Out: o.out, NoZstd: o.noZstd, Progress: steps.say, Log: newLogger(term.err),
	})
	if err != nil {
		return fmt.Errorf("image: %w", err)
	}
	if o.json {
		return json.NewEncoder(term.out).Encode(result)
	}
	return printImage(term.out, result)
}

// sourceDate reads the time of every file in the image: seconds since 1970, as reproducible-builds.org specifies
// SOURCE_DATE_EPOCH. Empty is the zero time, for which the builder has a default.
func sourceDate(epoch string) (time.Time, error) {
	if epoch == "" {
		return time.Time{}, nil
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH=%s: want seconds since 1970", epoch)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

func readUnits(file string) (units []service.Unit, err error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, &units); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return units, nil
}

func printImage(w io.Writer, r gokrazy.Result) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s\n", r.Image, megabytes(r.Size))
	if r.Zstd != "" {
		fmt.Fprintf(&b, "%s  %s\n", r.Zstd, megabytes(r.ZstdSize))
	}
	for _, p := range r.Parts {
		fmt.Fprintf(&b, "  %-20s %s\n", p.Name, megabytes(p.Bytes))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// steps prints what is being done, and when it began.
type steps struct {
	w     io.Writer
	began time.Time
}

func (s *steps) say(what string) {
	fmt.Fprintf(s.w, "%5.1f s  %s\n", time.Since(s.began).Seconds(), what)
}
