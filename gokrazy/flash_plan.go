package gokrazy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"

	"manofwar/gokrazy/fat"
	"manofwar/internal/mbr"
	"manofwar/internal/setup"
	"manofwar/internal/slot"
)

// flashBlock is how much is read and written at once, in bytes.
const flashBlock = 1 << 20

// cardImage is an image file, opened and found sound.
type cardImage struct {
	*os.File
	temporary bool // an unpacked .zst, to be removed
}

func openImage(ctx context.Context, name string) (*cardImage, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	c := &cardImage{File: f}
	if strings.HasSuffix(name, ".zst") {
		c, err = unpack(ctx, f)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if err := c.check(); err != nil {
		c.Close()
		return nil, fmt.Errorf("%s is not a sound image of manofwar: %w", name, err)
	}
	return c, nil
}

// unpack writes a sparse copy of a compressed image to a temporary file. What claims to be larger than an image is none.
func unpack(ctx context.Context, f *os.File) (*cardImage, error) {
	z, err := zstd.NewReader(f, zstd.WithDecoderMaxMemory(imageMemory))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	out, err := os.CreateTemp("", "manofwar-*.img")
	if err != nil {
		return nil, err
	}
	c := &cardImage{File: out, temporary: true}
	buf, off := make([]byte, flashBlock), int64(0)
	for {
		n, err := io.ReadFull(&contextReader{ctx, z}, buf)
		if off += int64(n); off > imageSize {
			err = fmt.Errorf("larger than an image of %d MiB", imageSize/slot.MiB)
		} else if len(bytes.Trim(buf[:n], "\x00")) > 0 {
			if _, err := out.WriteAt(buf[:n], off-int64(n)); err != nil {
				c.Close()
				return nil, err
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return c, out.Truncate(off)
		}
		if err != nil {
			c.Close()
			return nil, err
		}
	}
}

// imageMemory bounds the decoder's window, in bytes: what our own images need, with room.
const imageMemory = 64 << 20

func (c *cardImage) check() error {
	info, err := c.Stat()
	if err != nil {
		return err
	}
	if info.Size() != imageSize {
		return fmt.Errorf("%d bytes, want %d", info.Size(), imageSize)
	}
	table, err := readTable(c)
	if err != nil {
		return err
	}
	if err := table.Matches(); err != nil {
		return err
	}
	return c.checkSlot()
}

// checkSlot compares slot A's files with its manifest, so that a damaged download is found before a card is written. Who
// signed the manifest is stage 1's question: only the image itself knows whom to trust.
func (c *cardImage) checkSlot() error {
	v, err := fat.Open(io.NewSectionReader(c, slot.A.Start, slot.A.Size), slot.A.Size)
	if err != nil {
		return err
	}
	text, err := fs.ReadFile(v, slot.ManifestName)
	if err != nil {
		return err
	}
	var m slot.Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return fmt.Errorf("%s: %w", slot.ManifestName, err)
	}
	for _, want := range m.Files {
		f, err := v.Open(want.Path)
		if err != nil {
			return err
		}
		sum, n, err := slot.DigestOf(f)
		f.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", want.Path, err)
		}
		if n != want.Size || sum != want.SHA256 {
			return fmt.Errorf("%s is damaged: get or make the image again", want.Path)
		}
	}
	return nil
}

// Close closes the image and removes an unpacked one.
func (c *cardImage) Close() error {
	err := c.File.Close()
	if c.temporary {
		err = errors.Join(err, os.Remove(c.Name()))
	}
	return err
}

func readTable(r io.ReaderAt) (mbr.Table, error) {
	sector := make([]byte, mbr.SectorSize)
	if _, err := r.ReadAt(sector, 0); err != nil {
		return mbr.Table{}, err
	}
	return mbr.Parse(sector)
}

// piece is a part of the disk and what belongs there.
type piece struct {
	off, size int64       // on the disk, in bytes
	from      io.ReaderAt // nil: zeros
	at        int64       // in from
}

// each calls f with the piece in blocks. buf is what they are read into.
func (p piece) each(ctx context.Context, buf []byte, f func(b []byte, off int64) error) error {
	for done := int64(0); done < p.size; {
		if err := ctx.Err(); err != nil {
			return err
		}
		b := buf[:min(p.size-done, int64(len(buf)))]
		if p.from == nil {
			clear(b)
		} else if _, err := p.from.ReadAt(b, p.at+done); err != nil {
			return err
		}
		if err := f(b, p.off+done); err != nil {
			return err
		}
		done += int64(len(b))
	}
	return nil
}

// plan is what to write, in order.
type plan struct{ pieces []piece }

func (p *plan) bytes() (n int64) {
	for _, x := range p.pieces {
		n += x.size
	}
	return n
}

// final returns the pieces that no later one overwrites.
func (p *plan) final() []piece {
	return slices.DeleteFunc(slices.Clone(p.pieces), func(x piece) bool { return x.from == nil && x.off == 0 && x.size == mbr.SectorSize })
}

func (p *plan) zero(off, size int64) { p.pieces = append(p.pieces, piece{off: off, size: size}) }

// volume adds everything that means something on a partition's file system.
func (p *plan) volume(part slot.Partition, from io.ReaderAt, at int64) error {
	v, err := fat.Open(io.NewSectionReader(from, at, part.Size), part.Size)
	if err != nil {
		return fmt.Errorf("partition %d: %w", part.Number, err)
	}
	used, err := v.Used()
	if err != nil {
		return fmt.Errorf("partition %d: %w", part.Number, err)
	}
	for _, x := range used {
		p.pieces = append(p.pieces, piece{off: part.Start + x.Offset, size: x.Size, from: from, at: at + x.Offset})
	}
	return nil
}

// wholePlan replaces everything: the table and all that could be mistaken for one (GPT has copies behind the first
// sector and at the disk's end), the three file systems, and the start of what was /data.
func wholePlan(c *cardImage, diskSize int64, s *setup.Setup) (*plan, error) {
	p := &plan{}
	p.zero(0, mbr.SectorSize)
	p.zero(mbr.SectorSize, slot.Boot.Start-mbr.SectorSize)
	boot, err := bootVolume(c, nil, s)
	if err != nil {
		return nil, err
	}
	if err := p.volume(slot.Boot, boot, 0); err != nil {
		return nil, err
	}
	for _, part := range []slot.Partition{slot.A, slot.B} {
		if err := p.volume(part, c, part.Start); err != nil {
			return nil, err
		}
	}
	p.zero(slot.Data.Start, slot.MiB)
	if end := diskSize - slot.MiB; end > slot.Data.Start+slot.MiB {
		p.zero(end, slot.MiB)
	}
	p.pieces = append(p.pieces, piece{size: mbr.SectorSize, from: c})
	return p, nil
}

// keepPlan replaces the slots and, on the boot partition, the image's own files.
func keepPlan(c *cardImage, disk *targetFile, s *setup.Setup) (*plan, error) {
	table, err := readTable(disk)
	if err == nil {
		err = table.Matches()
	}
	if err != nil {
		return nil, &TargetError{Path: disk.Name(), Err: fmt.Errorf("not a card of manofwar: %w", err), Hint: "Flash it without --keep-data, which erases it."}
	}
	boot, err := bootVolume(c, disk, s)
	if err != nil {
		return nil, err
	}
	p := &plan{}
	for _, part := range []slot.Partition{slot.A, slot.B} {
		if err := p.volume(part, c, part.Start); err != nil {
			return nil, err
		}
	}
	return p, p.volume(slot.Boot, boot, 0)
}

// bootVolume makes the boot partition's file system: the image's files, what a person has put on the disk's (nil: a
// whole card), and the setup.
func bootVolume(c *cardImage, disk io.ReaderAt, s *setup.Setup) (io.ReaderAt, error) {
	files := map[string][]byte{}
	if disk != nil {
		// A boot partition that cannot be read has nothing worth keeping.
		if kept, err := readVolume(disk); err == nil {
			files = kept
		}
	}
	ours, err := readVolume(c)
	if err != nil {
		return nil, err
	}
	for name, data := range ours {
		put(files, name, data)
	}
	if s != nil {
		text, err := s.JSON()
		if err != nil {
			return nil, err
		}
		put(files, setup.Name, text)
	}
	var list []fat.File
	for _, name := range slices.Sorted(maps.Keys(files)) {
		list = append(list, bytesFile(name, files[name]))
	}
	v := make(volumeBytes, slot.Boot.Size)
	return v, fat.Write(v, format(slot.Boot, DefaultTime), list)
}

// put replaces a file whatever the case of its name.
func put(files map[string][]byte, name string, data []byte) {
	maps.DeleteFunc(files, func(other string, _ []byte) bool { return strings.EqualFold(other, name) })
	files[name] = data
}

// readVolume returns the files of a disk's boot partition.
func readVolume(disk io.ReaderAt) (map[string][]byte, error) {
	v, err := fat.Open(io.NewSectionReader(disk, slot.Boot.Start, slot.Boot.Size), slot.Boot.Size)
	if err != nil {
		return nil, fmt.Errorf("boot partition: %w", err)
	}
	files := map[string][]byte{}
	err = fs.WalkDir(v, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if strings.Count(name, "/") > 8 || len(files) > 1000 {
			return errors.New("boot partition: more files than a person would put there")
		}
		files[name], err = fs.ReadFile(v, filepath.ToSlash(name))
		return err
	})
	return files, err
}

// volumeBytes is a file system in memory.
type volumeBytes []byte

// WriteAt implements [io.WriterAt].
func (v volumeBytes) WriteAt(p []byte, off int64) (int, error) {
	if off < 0 || off+int64(len(p)) > int64(len(v)) {
		return 0, io.ErrShortWrite
	}
	return copy(v[off:], p), nil
}

// ReadAt implements [io.ReaderAt].
func (v volumeBytes) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(v).ReadAt(p, off)
}
