package rootfs

import (
	"bytes"
	"encoding/binary"
	"io"
	"io/fs"
)

// The structures of the kernel's fs/squashfs/squashfs_fs.h, little-endian and without padding.

const (
	squashMagic    = 0x73717368
	superblockSize = 96
	metaBlock      = 8192 // of metadata, before its 2-byte header
	maxRun         = 256  // names under one directory header
	maxName        = 255  // as everywhere in Linux
	invalid32      = 0xffffffff
	invalid64      = 0xffffffffffffffff

	zlib = 1 // nothing is compressed, but the kernel wants a compressor that it has

	uncompressedInodes    = 1 << 0
	uncompressedData      = 1 << 1
	uncompressedFragments = 1 << 3
	noFragments           = 1 << 4
	noXattrs              = 1 << 9
	uncompressedIDs       = 1 << 11

	uncompressedBlock = uint32(1 << 24) // in a file's block list
	uncompressedMeta  = 1 << 15         // in a metadata block's header

	typeDir     = 1
	typeFile    = 2
	typeSymlink = 3
	typeBlock   = 4
	typeChar    = 5
	typeLongDir = 8
)

type superblock struct {
	Magic, Inodes, Time, BlockSize, Fragments uint32
	Compression, BlockLog, Flags, IDs         uint16
	Major, Minor                              uint16
	Root, BytesUsed                           uint64
	IDTable, XattrTable                       uint64
	InodeTable, DirectoryTable                uint64
	FragmentTable, LookupTable                uint64
}

type inodeHeader struct {
	Type, Mode    uint16
	UID, GID      uint16 // indices into the table of owners
	MTime, Number uint32
}

type dirInode struct {
	inodeHeader
	StartBlock, Links uint32
	Size, Offset      uint16
	Parent            uint32
}

type longDirInode struct {
	inodeHeader
	Links, Size, StartBlock, Parent uint32
	IndexCount, Offset              uint16
	Xattr                           uint32
}

// fileInode is followed by one uint32 per block.
type fileInode struct {
	inodeHeader
	StartBlock, Fragment, Offset, Size uint32
}

// linkInode is followed by the target.
type linkInode struct {
	inodeHeader
	Links, Size uint32
}

type deviceInode struct {
	inodeHeader
	Links, Device uint32
}

// dirHeader is followed by Count+1 entries.
type dirHeader struct {
	Count, StartBlock, InodeNumber uint32
}

// dirEntry is followed by the name, of Size+1 bytes.
type dirEntry struct {
	Offset     uint16
	InodeDelta int16
	Type, Size uint16
}

// metadata is a stream that is stored in blocks of 8 KiB, each with a header of two bytes.
type metadata struct{ bytes.Buffer }

// metaRef is a place in a metadata table: its block's distance in bytes from the table's start, and the offset in the block.
type metaRef struct {
	block  uint32
	offset uint16
}

func refAt(pos int) metaRef {
	return metaRef{block: uint32(pos / metaBlock * (metaBlock + 2)), offset: uint16(pos % metaBlock)}
}

// next is where the next byte will be. Nothing is compressed, so that it is known beforehand.
func (m *metadata) next() metaRef { return refAt(m.Len()) }

func (m *metadata) encode() []byte {
	var out bytes.Buffer
	for rest := m.Bytes(); len(rest) > 0; {
		n := min(len(rest), metaBlock)
		put(&out, uint16(n|uncompressedMeta))
		out.Write(rest[:n])
		rest = rest[n:]
	}
	return out.Bytes()
}

// put appends a fixed-size value to a buffer, which cannot fail.
func put(w io.Writer, v any) {
	if err := binary.Write(w, binary.LittleEndian, v); err != nil {
		panic(err) // v is no fixed-size value: a mistake in this file
	}
}

// unixMode is a mode's permission bits as the kernel has them.
func unixMode(m fs.FileMode) uint16 {
	bits := uint16(m.Perm())
	if m&fs.ModeSetuid != 0 {
		bits |= 0o4000
	}
	if m&fs.ModeSetgid != 0 {
		bits |= 0o2000
	}
	if m&fs.ModeSticky != 0 {
		bits |= 0o1000
	}
	return bits
}
