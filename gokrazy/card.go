package gokrazy

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"manofwar/gokrazy/fat"
	"manofwar/internal/atomicfile"
	"manofwar/internal/mbr"
	"manofwar/internal/setup"
	"manofwar/internal/slot"
	"manofwar/internal/strictjson"
)

// diskSignature is in every card's partition table, for the kernel's PARTUUIDs. It is fixed, so that images are.
const diskSignature = 0x4d6f5721

// imageSize is the size of an image file: /data is as small as it may be.
var imageSize = slot.Data.Start + slot.MinData

// card writes the image of the whole card, compresses it, and says what it wrote.
func (b *build) card(ctx context.Context, c *content) (Result, error) {
	b.Progress("image")
	boot, err := b.bootFiles()
	if err != nil {
		return Result{}, err
	}
	partial := filepath.Join(b.tmp, "card.img")
	if err := b.writeCard(partial, boot, c.files); err != nil {
		return Result{}, err
	}
	r := Result{
		Image: b.Out, Info: strings.TrimSuffix(b.Out, ".img") + ".json",
		Board: b.Board.Name, Version: b.version(), Size: imageSize, Developer: b.developer(),
	}
	for name, bytes := range c.parts {
		r.Parts = append(r.Parts, Part{Name: name, Bytes: bytes})
	}
	slices.SortFunc(r.Parts, func(a, b Part) int { return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), strings.Compare(a.Name, b.Name)) })
	if !b.NoZstd {
		b.Progress("compression")
		if err := b.compress(ctx, partial, &r); err != nil {
			return Result{}, err
		}
	} else {
		if r.SHA256, err = sumFile(partial); err != nil {
			return Result{}, err
		}
		// An older image's would be taken for this one's.
		if err := os.Remove(b.Out + ".zst"); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return Result{}, err
		}
	}
	if err := os.Rename(partial, r.Image); err != nil {
		return Result{}, err
	}
	public := r // without this machine's directories
	public.Image, public.Zstd = filepath.Base(r.Image), baseOrNone(r.Zstd)
	info, err := json.MarshalIndent(public, "", " ")
	if err != nil {
		return Result{}, err
	}
	return r, atomicfile.Write(r.Info, append(info, '\n'), 0o644)
}

// bootFiles is what the boot partition holds.
func (b *build) bootFiles() ([]fat.File, error) {
	files := []fat.File{
		bytesFile(slot.AutobootName, firstAutoboot.Sector()),
		bytesFile("README.txt", []byte(readme)),
	}
	for _, name := range b.Board.Image.BootFiles {
		f, err := diskFile(name, filepath.Join(b.boot, name))
		if err != nil {
			return nil, &strictjson.Error{File: b.Config, Field: "FirmwarePackage", Err: err}
		}
		files = append(files, f)
	}
	if b.Setup != nil {
		data, err := b.Setup.JSON()
		if err != nil {
			return nil, err
		}
		files = append(files, bytesFile(setup.Name, data))
	}
	return files, nil
}

// firstAutoboot names slot A twice: slot B is empty, and an old bootloader boots the section named last.
var firstAutoboot = slot.Autoboot{Default: slot.A.Number, Try: slot.A.Number}

const readme = "manofwar\r\n" +
	"\r\n" +
	"This is the boot partition of a manofwar card. Leave bootcode.bin and autoboot.txt as they are.\r\n" +
	"\r\n" +
	"You may put here, from any computer:\r\n" +
	"  setup.json            WiFi, access-point passphrase and claim code for a dongle without a screen\r\n" +
	"  factory-reset         an empty file: erases settings and accounts at the next start, once\r\n" +
	"  manofwar-button.txt   an empty file: counts as a press of the button at the next start, once\r\n"

// writeCard writes the image file.
func (b *build) writeCard(name string, boot, files []fat.File) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Truncate(imageSize); err != nil {
		return err
	}
	table, err := mbr.ForDisk(imageSize, diskSignature)
	if err != nil {
		return err
	}
	for _, v := range []struct {
		partition slot.Partition
		files     []fat.File
	}{{slot.Boot, boot}, {slot.A, files}, {slot.B, nil}} {
		if err := fat.Write(io.NewOffsetWriter(f, v.partition.Start), format(v.partition, b.Time), v.files); err != nil {
			return fmt.Errorf("partition %d: %w", v.partition.Number, err)
		}
	}
	if _, err := f.WriteAt(table.Sector(), 0); err != nil {
		return err
	}
	return f.Close()
}

// format is the FAT that a partition gets: type 0x0e in the partition table means FAT16, type 0x0c FAT32.
func format(p slot.Partition, t time.Time) fat.Format {
	bits := 32
	if p.Type == 0x0e {
		bits = 16
	}
	return fat.Format{
		Bits: bits, Size: p.Size, Start: p.Start, Label: p.Label,
		Serial: diskSignature + uint32(p.Number), Time: t, Fresh: true,
	}
}

func baseOrNone(name string) string {
	if name == "" {
		return ""
	}
	return filepath.Base(name)
}

func sumFile(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
