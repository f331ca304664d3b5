package boot

import (
	"errors"
	"fmt"
	"io"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"manofwar/internal/mbr"
)

// readTable reads the card's partition table.
func readTable(disk *os.File) (mbr.Table, error) {
	sector := make([]byte, mbr.SectorSize)
	if _, err := disk.ReadAt(sector, 0); err != nil {
		return mbr.Table{}, fmt.Errorf("partition table: %w", err)
	}
	return mbr.Parse(sector)
}

// writeTable replaces the table by one write, and waits until the card has it.
func writeTable(disk *os.File, t mbr.Table) error {
	if _, err := disk.WriteAt(t.Sector(), 0); err != nil {
		return fmt.Errorf("partition table: %w", err)
	}
	if err := disk.Sync(); err != nil {
		return fmt.Errorf("partition table: %w", err)
	}
	return nil
}

// blkpg is struct blkpg_ioctl_arg, and blkpgPartition struct blkpg_partition (include/uapi/linux/blkpg.h).
type blkpg struct {
	op, flags, datalen int32
	data               unsafe.Pointer
}

type blkpgPartition struct {
	start, length int64
	number        int32
	names         [128]byte
	_             [4]byte
}

const (
	blkpgAdd = 1
	blkpgDel = 2
)

// tellKernel replaces the kernel's idea of one partition, which works while others of the disk are mounted. Nothing is
// written to the disk.
func tellKernel(disk *os.File, number int, e mbr.Entry) error {
	p := blkpgPartition{start: int64(e.Start) * mbr.SectorSize, length: int64(e.Count) * mbr.SectorSize, number: int32(number)}
	call := func(op int32) error {
		arg := blkpg{op: op, datalen: int32(unsafe.Sizeof(p)), data: unsafe.Pointer(&p)}
		if _, _, e := unix.Syscall(unix.SYS_IOCTL, disk.Fd(), unix.BLKPG, uintptr(unsafe.Pointer(&arg))); e != 0 {
			return e
		}
		return nil
	}
	if err := call(blkpgDel); err != nil && !errors.Is(err, unix.ENXIO) {
		return fmt.Errorf("remove partition %d: %w", number, err)
	}
	if err := call(blkpgAdd); err != nil {
		return fmt.Errorf("add partition %d: %w", number, err)
	}
	return nil
}

// diskSize returns the size of a block device in bytes.
func diskSize(f *os.File) (int64, error) {
	n, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, fmt.Errorf("size of %s: %w", f.Name(), err)
	}
	return n, nil
}
