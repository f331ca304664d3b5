// Package gokrazy makes the image of a board and writes it to a card.
//
// It takes gokrazy's good idea, a system that is one config.json and a list of Go programs (see
// [manofwar/gokrazy/instance]), and gokrazy's kernel and firmware modules, and lays out a card as
// [manofwar/internal/slot] has it: a boot partition, two slots that are switched whole, and the owner's data. A slot holds
// everything from the firmware to the root file system, with a manifest signed by an ed25519 key.
//
// [Build] writes an image file: slot A filled, slot B formatted and empty, and /data's partition as small as it may be and
// not formatted. The image ends with that partition. PID 1 grows the partition's entry to the end of the card at the
// first boot, with [manofwar/internal/mbr], and makes the file system; it never moves or shrinks anything. [Flash] writes
// the image to a disk, and what the owner wants to have set up beforehand.
//
// The same sources, key and version give the same bytes, from whatever directory: programs are built with -trimpath and no
// build ID, all times are [Options].Time, and everything is sorted.
//
// A program of the owner's own, from Packages, runs as its own user in PID 1's sandbox: it reads the root file system,
// writes /data/<name>, its HOME, and nothing else, and uses the network. CommandLineFlags and Environment are passed on.
//
// What is in the root file system is [manofwar/rootfs]'s business, what a board needs [manofwar/board]'s.
package gokrazy

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"manofwar/board"
	"manofwar/gokrazy/instance"
	"manofwar/gokrazy/kernel"
	"manofwar/internal/service"
	"manofwar/internal/setup"
	"manofwar/internal/strictjson"
	"manofwar/rootfs"
)

// Options says what image to make.
type Options struct {
	Config  string             // the instance's config.json
	Source  string             // a directory of manofwar's module, for packages that the instance has no module for; empty: the current one
	Board   board.Board        // must have an Image
	Units   []service.Unit     // manofwar's own services; the instance's programs join them
	Key     ed25519.PrivateKey // signs the slot
	KeyName string             // of the key; [DeveloperKeyName] makes it a developer build
	Trusted []TrustedKey       // further keys that the image is to trust, such as the releases'
	Version string             // for a person to read
	Epoch   int                // the security epoch
	Time    time.Time          // of every file; zero: [DefaultTime]
	Out     string             // the image file; its name without .img names the others, see [Result]
	NoZstd  bool               // make no .zst

	// Root makes the root file system, but for what Build itself adds: the instance's programs and files, kernel modules
	// and what is below /etc/manofwar. Nil: [rootfs.Build], with the parts that [rootfs.Prepare] gets, which takes
	// minutes on a machine's first image.
	Root func(context.Context, rootfs.Options) (*rootfs.Tree, error)

	Log      *slog.Logger      // warnings; nil: none
	Progress func(what string) // called when a step starts; nil: nobody listens
	Setup    *setup.Setup      // for the boot partition; nil: none
}

// TrustedKey is a key whose signature an image accepts.
type TrustedKey struct {
	Name   string // becomes the file name, without .pub
	Public ed25519.PublicKey
}

// DefaultTime is the time of all files of an image for which nobody gives one.
var DefaultTime = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// Result names what [Build] wrote and says how large the parts are.
type Result struct {
	Image string `json:"image"`         // sparse
	Zstd  string `json:"zst,omitempty"` // the same, compressed
	Info  string `json:"-"`             // this, as JSON

	Board     string `json:"board"`
	Version   string `json:"version"`
	Size      int64  `json:"size"`                 // of the image in bytes
	SHA256    string `json:"sha256"`               // of the image
	ZstdSize  int64  `json:"zst_size,omitempty"`   // in bytes
	ZstdSum   string `json:"zst_sha256,omitempty"` // of the .zst
	Parts     []Part `json:"parts"`                // of the slot, largest first
	Developer bool   `json:"developer"`            // signed by a developer's key
}

// Part is a group of files in a slot.
type Part struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
}

// Build makes the image. A person can act on its errors: a [*strictjson.Error] for config.json, a
// [*kernel.MissingError] for a module, a [*ProgramError] for a program that does not build.
func Build(ctx context.Context, o Options) (Result, error) {
	b, err := newBuild(ctx, o)
	if err != nil {
		return Result{}, err
	}
	if err := os.MkdirAll(filepath.Dir(o.Out), 0o755); err != nil {
		return Result{}, err
	}
	beside, err := filepath.Abs(filepath.Dir(o.Out)) // the go command runs in other directories
	if err != nil {
		return Result{}, err
	}
	if b.tmp, err = os.MkdirTemp(beside, ".image-"); err != nil {
		return Result{}, err
	}
	defer os.RemoveAll(b.tmp)

	programs, err := b.programs(ctx)
	if err != nil {
		return Result{}, err
	}
	content, err := b.slot(ctx, programs)
	if err != nil {
		return Result{}, err
	}
	return b.card(ctx, content)
}

// build is one run of [Build].
type build struct {
	Options
	config *instance.Config
	goTool goTool
	kernel *kernel.Package
	boot   string // the firmware package's directory; empty: none
	tmp    string // absolute

	kernelName string // of the kernel package
}

func newBuild(ctx context.Context, o Options) (*build, error) {
	if o.Board.Image == nil {
		return nil, fmt.Errorf("board %s has no image", o.Board.Name)
	}
	if len(o.Key) != ed25519.PrivateKeySize || o.KeyName == "" || o.Out == "" {
		return nil, errors.New("gokrazy: Options without Key, KeyName or Out")
	}
	if o.Time.IsZero() {
		o.Time = DefaultTime
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Root == nil {
		o.Root = prepareRoot(o.Board.GOARCH, o.Progress)
	}
	c, warnings, err := instance.Read(o.Config)
	if err != nil {
		return nil, err
	}
	for _, w := range warnings {
		o.Log.Warn(w)
	}
	b := &build{Options: o, config: c}
	if b.goTool, err = newGoTool(o.Board, c, o.Source); err != nil {
		return nil, err
	}
	return b, b.pins(ctx)
}

// pins finds the kernel and firmware packages.
func (b *build) pins(ctx context.Context) error {
	if err := b.pinKernel(ctx); err != nil {
		return err
	}
	if len(b.Board.Image.BootFiles)+len(b.Board.Image.SlotFiles) == 0 {
		return nil
	}
	var err error
	if b.boot, err = b.goTool.dir(ctx, b.config.Firmware()); err != nil {
		return &strictjson.Error{File: b.Config, Field: "FirmwarePackage", Err: err}
	}
	return nil
}

// pinKernel finds the board's own kernel, or the instance's where the board has none.
func (b *build) pinKernel(ctx context.Context) error {
	if name := b.Board.Image.Kernel; name != "" {
		dir, err := rootfs.Kernel(ctx, name, b.Board.GOARCH, &lines{each: b.Progress})
		if err != nil {
			return err
		}
		b.kernelName = name
		b.kernel, err = kernel.Open(dir)
		return err
	}
	b.kernelName = b.config.Kernel()
	dir, err := b.goTool.dir(ctx, b.kernelName)
	if err == nil {
		b.kernel, err = kernel.Open(dir)
	}
	if err != nil {
		return &strictjson.Error{File: b.Config, Field: "KernelPackage", Err: err}
	}
	return nil
}
