package boot

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"manofwar/internal/slot"
)

// ReadAutoboot reads autoboot.txt from the boot partition, mounted at dir for as long as it takes.
func ReadAutoboot(dev, dir string) (a slot.Autoboot, err error) {
	err = withBootPartition(dev, dir, unix.MS_RDONLY, func() error {
		f, err := os.Open(filepath.Join(dir, slot.AutobootName))
		if err != nil {
			return err
		}
		defer f.Close()
		data, err := io.ReadAll(io.LimitReader(f, slot.SectorSize+1))
		if err != nil {
			return err
		}
		a, err = slot.ParseAutoboot(data)
		return err
	})
	return a, err
}

// WriteAutoboot replaces autoboot.txt on the boot partition by one write of one sector, in place: neither the file's
// length nor its place on the card changes, so that a power cut leaves the old file or the new. The file must be one
// sector long already, as the image builder makes it.
func WriteAutoboot(dev, dir string, a slot.Autoboot) error {
	return withBootPartition(dev, dir, 0, func() error {
		return ReplaceSector(filepath.Join(dir, slot.AutobootName), a.Sector())
	})
}

// ReplaceSector overwrites the one sector that the file name consists of, and reads it back.
func ReplaceSector(name string, sector []byte) (err error) {
	f, err := os.OpenFile(name, os.O_RDWR|unix.O_SYNC, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() != int64(len(sector)) {
		return fmt.Errorf("%s: %d bytes, want %d: it can be replaced only as a whole sector", name, info.Size(), len(sector))
	}
	if _, err := f.WriteAt(sector, 0); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	_ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED) // so that the card answers below, not the cache
	back := make([]byte, len(sector))
	if _, err := f.ReadAt(back, 0); err != nil {
		return err
	}
	if !bytes.Equal(back, sector) {
		return fmt.Errorf("%s: the card did not keep what was written", name)
	}
	return nil
}

// withBootPartition mounts the boot partition at dir, calls f, and unmounts it whatever f says. Nobody else can look
// meanwhile: setup.json has passphrases.
func withBootPartition(dev, dir string, flags uintptr, f func() error) (err error) {
	m := Mount{Source: dev, Target: dir, FSType: "vfat", Flags: flags | noExec | unix.MS_SYNCHRONOUS, Data: "umask=0077"}
	if err := m.mount(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unmount(dir)) }()
	return f()
}
