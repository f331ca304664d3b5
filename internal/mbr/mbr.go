// Package mbr reads and writes a card's partition table: the classic one of four primary partitions in the first sector.
//
// The image builder writes it, PID 1 grows its last entry to fill the card, and "manofwar flash" compares a card's with
// ours. It knows no extended partitions and no GPT, because the Raspberry Pi's firmware starts reliably from neither.
// Written from the description in the UEFI specification, section 5.2.1 (Legacy MBR).
package mbr

import (
	"encoding/binary"
	"errors"
	"fmt"

	"manofwar/internal/slot"
)

// SectorSize is what entries count in.
const SectorSize = slot.SectorSize

// Offsets in the sector.
const (
	signatureAt = 440 // of the disk, 4 bytes
	entriesAt   = 446
	entrySize   = 16
	magicAt     = 510
)

// maxSectors is what an entry's 32 bits can count: 2 TiB less a sector.
const maxSectors = 1<<32 - 1

// ErrNone is wrapped by [Parse]'s error for a sector that holds no table.
var ErrNone = errors.New("no partition table")

// Table is a partition table.
type Table struct {
	Signature uint32 // of the disk; the kernel's PARTUUIDs begin with it
	Entries   [4]Entry
}

// Entry is a primary partition; one of Type 0 is unused.
type Entry struct {
	Type  byte
	Start uint32 // in sectors
	Count uint32 // in sectors
}

// Parse reads the first sector of a disk.
func Parse(sector []byte) (Table, error) {
	if len(sector) < SectorSize {
		return Table{}, fmt.Errorf("%w: %d bytes, want a sector of %d", ErrNone, len(sector), SectorSize)
	}
	if sector[magicAt] != 0x55 || sector[magicAt+1] != 0xaa {
		return Table{}, fmt.Errorf("%w: the sector does not end in 55 aa", ErrNone)
	}
	t := Table{Signature: binary.LittleEndian.Uint32(sector[signatureAt:])}
	for i := range t.Entries {
		e := sector[entriesAt+i*entrySize:]
		t.Entries[i] = Entry{
			Type:  e[4],
			Start: binary.LittleEndian.Uint32(e[8:]),
			Count: binary.LittleEndian.Uint32(e[12:]),
		}
	}
	return t, nil
}

// Sector returns the table as a disk's first sector. No code is in it: the Raspberry Pi's firmware runs none. Cylinders,
// heads and sectors are all "beyond what these bits can say", which makes everyone use the sector numbers.
func (t Table) Sector() []byte {
	s := make([]byte, SectorSize)
	binary.LittleEndian.PutUint32(s[signatureAt:], t.Signature)
	for i, e := range t.Entries {
		if e.Type == 0 {
			continue
		}
		b := s[entriesAt+i*entrySize:]
		b[4] = e.Type
		copy(b[1:4], []byte{0xfe, 0xff, 0xff})
		copy(b[5:8], []byte{0xfe, 0xff, 0xff})
		binary.LittleEndian.PutUint32(b[8:], e.Start)
		binary.LittleEndian.PutUint32(b[12:], e.Count)
	}
	s[magicAt], s[magicAt+1] = 0x55, 0xaa
	return s
}

// ForDisk returns the table of [slot.Partitions] for a disk of size bytes: /data reaches to the disk's end. The error
// says how large a disk must be.
func ForDisk(size int64, signature uint32) (Table, error) {
	if need := slot.Data.Start + slot.MinData; size < need {
		return Table{}, fmt.Errorf("%d MiB is too small: manofwar needs at least %d MiB", size/slot.MiB, need/slot.MiB)
	}
	t := Table{Signature: signature}
	for i, p := range slot.Partitions() {
		length := p.Size
		if length == 0 {
			// Whole MiB, so that two cards of nominally one size get one layout and the end stays aligned.
			length = (size - p.Start) / slot.MiB * slot.MiB
		}
		t.Entries[i] = Entry{
			Type:  p.Type,
			Start: uint32(p.Start / SectorSize),
			Count: uint32(min(length/SectorSize, maxSectors)),
		}
	}
	return t, nil
}

// Matches returns nil if t has our partitions where they belong, whatever the length of /data, and else an error that
// says which partition differs.
func (t Table) Matches() error {
	for i, p := range slot.Partitions() {
		e := t.Entries[i]
		if e.Type != p.Type || int64(e.Start)*SectorSize != p.Start || (p.Size != 0 && int64(e.Count)*SectorSize != p.Size) {
			return fmt.Errorf("partition %d is of type %#02x, starts at sector %d and has %d sectors, want type %#02x, start %d, %d sectors",
				p.Number, e.Type, e.Start, e.Count, p.Type, p.Start/SectorSize, p.Size/SectorSize)
		}
	}
	return nil
}
