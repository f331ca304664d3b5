// Package fat makes FAT16 and FAT32 volumes and reads them.
//
// [Write] formats a volume and fills it in one go, from a list of files known beforehand: every file is contiguous, all
// times and the serial number are the caller's, so the same files give the same bytes. [Open] reads a volume as an
// [io/fs.FS] and says where on it a file lies. It serves the image builder, the flasher, and whoever plays the
// Raspberry Pi's firmware in a test.
//
// It leaves out changing a volume, FAT12, exFAT, and code pages: names outside ASCII live in their long form only.
// Written from Microsoft's "FAT: General Overview of On-Disk Format", version 1.03 (fatgen103), here called the spec.
package fat

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// Format says what volume to make.
type Format struct {
	Bits   int       // 16 or 32
	Size   int64     // of the volume in bytes, whole sectors
	Start  int64     // where the volume starts on its disk, in bytes, whole sectors: the boot sector records it
	Label  string    // up to 11 characters, upper-case ASCII
	Serial uint32    // the volume's serial number
	Time   time.Time // of every entry, in UTC, two seconds fine, 1980 to 2107; zero: the start of 1980
	Fresh  bool      // the target reads as zeros: runs of zeros are not written, so that an image file stays sparse
}

// File is one file to write.
type File struct {
	Path string // slash-separated, below the root; its directories come of themselves
	Size int64  // in bytes; what Open yields must be exactly as long
	Open func() (io.ReadCloser, error)
}

// Limits of the format.
const (
	sectorSize  = 512
	entrySize   = 32
	maxFileSize = 1<<32 - 1
	maxDirSize  = 65536 * entrySize // the spec's limit for a directory
	rootEntries = 512               // of a FAT16 root directory
)

// ErrFull is wrapped by [Write]'s error when the files do not fit.
var ErrFull = errors.New("files do not fit the volume")

// PathError says which file cannot be written, and why.
type PathError struct {
	Path string
	Err  error
}

func (e *PathError) Error() string { return e.Path + ": " + e.Err.Error() }

func (e *PathError) Unwrap() error { return e.Err }

// Write formats the volume that starts at w's offset 0 and fills it with the files. It writes the data first and the
// boot sector last, so that an interrupted Write leaves no volume rather than a broken one. The error wraps [ErrFull], is
// a [*PathError] for a file, or is w's.
func Write(w io.WriterAt, format Format, files []File) error {
	g, err := layOut(format)
	if err != nil {
		return err
	}
	root, err := newTree(files)
	if err != nil {
		return err
	}
	runs, err := root.allocate(&g)
	if err != nil {
		return err
	}
	out := &volumeWriter{w: w, g: g, format: format, stamp: dosTime(format.Time)}
	// Without this an interrupted rewrite would leave the old boot sector over new data.
	if !format.Fresh {
		if err := out.zero(0, int64(g.reserved)*sectorSize); err != nil {
			return err
		}
	}
	if err := out.files(root); err != nil {
		return err
	}
	if err := out.directories(root, nil); err != nil {
		return err
	}
	if err := out.tables(runs); err != nil {
		return err
	}
	return out.bootSectors(runs)
}

// stamp is a time as directory entries have it.
type stamp struct{ date, time uint16 }

// dosTime packs t as the spec's DIR_WrtDate and DIR_WrtTime, held to what those can say.
func dosTime(t time.Time) stamp {
	t = t.UTC()
	if t.Year() < 1980 {
		t = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if t.Year() > 2107 {
		t = time.Date(2107, 12, 31, 23, 59, 58, 0, time.UTC)
	}
	return stamp{
		date: uint16((t.Year()-1980)<<9 | int(t.Month())<<5 | t.Day()),
		time: uint16(t.Hour()<<11 | t.Minute()<<5 | t.Second()/2),
	}
}

func (s stamp) Time() time.Time {
	return time.Date(1980+int(s.date>>9), time.Month(s.date>>5&15), int(s.date&31),
		int(s.time>>11), int(s.time>>5&63), int(s.time&31)*2, 0, time.UTC)
}

// label pads and checks a volume label.
func label(s string) ([11]byte, error) {
	var l [11]byte
	copy(l[:], "           ")
	if len(s) > len(l) {
		return l, fmt.Errorf("label %q: longer than %d characters", s, len(l))
	}
	for _, c := range []byte(s) {
		if !shortChar(c) && c != ' ' {
			return l, fmt.Errorf("label %q: character %q is not for labels", s, c)
		}
	}
	copy(l[:], s)
	return l, nil
}
