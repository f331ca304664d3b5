package qemu

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"manofwar/board"
)

// Record is what the guest asks of the next start: the same two things that the Raspberry Pi's firmware keeps in a
// register over a reset. Whoever plays the firmware reads it and clears the sector before the start, so that it counts once.
type Record board.Next

// The record's layout in its sector: eight bytes of magic, the partition, the trial flag, two zero bytes, and the
// little-endian CRC-32 (IEEE) of all that. A sector without the magic, such as an all-zero one, asks for nothing.
const (
	SectorSize = 512
	magic      = "MOWNVRAM"
	sumAt      = len(magic) + 4
)

// ErrRecord is wrapped by [ParseRecord]'s error for a damaged record.
var ErrRecord = errors.New("nvram: damaged record")

// Sector returns the record as the one sector that holds it.
func (r Record) Sector() []byte {
	s := make([]byte, SectorSize)
	copy(s, magic)
	s[len(magic)] = byte(r.Partition)
	if r.Trial {
		s[len(magic)+1] = 1
	}
	binary.LittleEndian.PutUint32(s[sumAt:], crc32.ChecksumIEEE(s[:sumAt]))
	return s
}

// ParseRecord reads a sector. A sector that holds no record is the zero Record; one that holds a damaged one is an
// error, which a firmware treats like none.
func ParseRecord(sector []byte) (Record, error) {
	if len(sector) < sumAt+4 || string(sector[:len(magic)]) != magic {
		return Record{}, nil
	}
	if binary.LittleEndian.Uint32(sector[sumAt:]) != crc32.ChecksumIEEE(sector[:sumAt]) {
		return Record{}, fmt.Errorf("%w: checksum", ErrRecord)
	}
	partition, trial := sector[len(magic)], sector[len(magic)+1]
	if partition > 4 || trial > 1 {
		return Record{}, fmt.Errorf("%w: partition %d, trial %d", ErrRecord, partition, trial)
	}
	return Record{Partition: int(partition), Trial: trial == 1}, nil
}
