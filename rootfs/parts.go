package rootfs

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// The scripts that build and fetch what is not ours. They are embedded so that the image command works from the one
// binary, without a checkout.
//
//go:embed build
var scripts embed.FS

// Parts are the directories of what goes into a root and is not ours, as build/all.sh prints them.
type Parts struct {
	Codec           string // ffmpeg, ffprobe
	Ext             string // e2fsck, mke2fs, resize2fs
	Licenses        string // Debian's base-files, unpacked; so are the following
	CACertificates  string // ca-certificates
	TimeZones       string // tzdata
	TimeZonesLegacy string // tzdata-legacy
	RegulatoryDB    string // wireless-regdb
	WiFiFirmware    string // firmware-brcm80211
	Fonts           string // fonts-noto-core
	FontsEastAsia   string // fonts-wqy-microhei
}

// fields gives each part by its name in all.sh.
func (p *Parts) fields() map[string]*string {
	return map[string]*string{
		"codec":              &p.Codec,
		"ext":                &p.Ext,
		"base-files":         &p.Licenses,
		"ca-certificates":    &p.CACertificates,
		"tzdata":             &p.TimeZones,
		"tzdata-legacy":      &p.TimeZonesLegacy,
		"wireless-regdb":     &p.RegulatoryDB,
		"firmware-brcm80211": &p.WiFiFirmware,
		"fonts-noto-core":    &p.Fonts,
		"fonts-wqy-microhei": &p.FontsEastAsia,
	}
}

// Prepare returns the parts for an architecture, "arm64" or "amd64". What is not in the cache yet is built, which
// takes minutes: progress gets lines for a person to read. It needs a Debian machine, and root or all packages that
// the scripts ask for. The scripts' own message has gone to progress when the error is an [*exec.ExitError].
func Prepare(ctx context.Context, arch string, progress io.Writer) (Parts, error) {
	if runtime.GOOS != "linux" {
		return Parts{}, errors.New("the image's programs are built from Debian's sources: run this on a Debian machine, or in a container of one")
	}
	var out bytes.Buffer
	if err := script(ctx, &out, progress, "all.sh", arch); err != nil {
		return Parts{}, fmt.Errorf("build the image's programs: %w", err)
	}
	return parseParts(out.String())
}

// Kernel returns the directory of a kernel package made from one of Debian's, such as "linux-image-amd64", at the version
// that build/versions names. Its layout is that of gokrazy's kernel packages. progress is as for [Prepare].
func Kernel(ctx context.Context, name, arch string, progress io.Writer) (string, error) {
	var out bytes.Buffer
	if err := script(ctx, &out, progress, "kernel.sh", name, arch); err != nil {
		return "", fmt.Errorf("get the kernel %s: %w", name, err)
	}
	return strings.TrimSpace(out.String()), nil
}

// script unpacks the scripts and runs one.
func script(ctx context.Context, stdout, stderr io.Writer, name string, args ...string) error {
	dir, err := os.MkdirTemp("", "manofwar-build-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.CopyFS(dir, scripts); err != nil {
		return fmt.Errorf("unpack scripts: %w", err)
	}
	cmd := exec.CommandContext(ctx, "bash", append([]string{filepath.Join(dir, "build", name)}, args...)...)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	return cmd.Run()
}

func parseParts(s string) (Parts, error) {
	var p Parts
	fields := p.fields()
	for line := range strings.Lines(s) {
		name, dir, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if f := fields[name]; f != nil {
			*f = dir
		}
	}
	for name, dir := range fields {
		if *dir == "" {
			return Parts{}, fmt.Errorf("build/all.sh did not name %s", name)
		}
	}
	return p, nil
}
