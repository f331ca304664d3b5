package rootfs

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path"
	"slices"
	"time"
)

// blockSize is the largest piece in which the kernel reads a file: mksquashfs's default.
const blockSize = 128 << 10

// dataAlign is where the data of files of at least that size begin. A file that grows by less than the padding then
// moves no other one, which keeps the updates between two images small.
const dataAlign = 4096

// WriteSquashFS writes the tree to w as a squashfs 4.0 file system, uncompressed: images and updates are compressed
// as a whole, and a delta between two uncompressed ones is a twentieth of the size (see the package comment). Only
// the tree and epoch, the time of all files, decide the bytes. It returns the size, a multiple of 4096.
//
// The layout follows the kernel's fs/squashfs/squashfs_fs.h and the checks of its super.c and id.c. There are no fragments,
// no extended attributes and no export table. The errors name the file that could not be read.
func WriteSquashFS(w io.WriterAt, t *Tree, epoch time.Time) (int64, error) {
	s := squash{epoch: uint32(epoch.Unix()), entries: t.Entries(), w: w, at: superblockSize}
	if len(s.entries) == 0 {
		return 0, errors.New("write squashfs: the tree is empty")
	}
	for _, part := range []func() error{s.writeData, s.buildInodes, s.writeTables, s.writeSuperblock} {
		if err := part(); err != nil {
			return 0, fmt.Errorf("write squashfs: %w", err)
		}
	}
	return s.padded, nil
}

// squash is a file system being written, front to back: superblock (last), data, inodes, directories, owners.
type squash struct {
	w       io.WriterAt
	at      int64 // where the next byte goes
	epoch   uint32
	entries []Entry
	nodes   map[string]*node
	ids     []uint32 // users and groups, sorted: inodes hold an index into it

	inodes      metadata
	directories metadata
	root        uint64 // reference to the root's inode

	inodeTable, directoryTable, idTable int64
	padded                              int64
}

// node is an entry with its place in the file system.
type node struct {
	Entry
	number   uint32 // of the inode, from 1
	parent   *node
	children []*node
	data     int64 // where a file's content begins
	ref      metaRef
}

// writeData writes the contents: first those that are worth aligning, then all small ones packed together.
func (s *squash) writeData() error {
	s.index()
	for _, large := range []bool{true, false} {
		for _, e := range s.entries {
			if !e.Mode.IsRegular() || e.Content.Size == 0 || large != (e.Content.Size >= dataAlign) {
				continue
			}
			if large {
				s.at = (s.at + dataAlign - 1) / dataAlign * dataAlign
			}
			s.nodes[e.Path].data = s.at
			if err := copyContent(s, e); err != nil {
				return fmt.Errorf("/%s: %w", e.Path, err)
			}
		}
	}
	if s.at > math.MaxUint32 {
		return errors.New("more than 4 GiB")
	}
	return nil
}

// Write appends to the image.
func (s *squash) Write(b []byte) (int, error) {
	n, err := s.w.WriteAt(b, s.at)
	s.at += int64(n)
	return n, err
}

// index makes the nodes, numbers them and links them to their directories.
func (s *squash) index() {
	s.nodes = make(map[string]*node, len(s.entries))
	seen := map[uint32]bool{}
	for i, e := range s.entries {
		n := &node{Entry: e, number: uint32(i + 1)}
		s.nodes[e.Path] = n
		if e.Path != "." {
			n.parent = s.nodes[path.Dir(e.Path)]
			n.parent.children = append(n.parent.children, n)
		}
		for _, id := range []uint32{e.UID, e.GID} {
			if !seen[id] {
				seen[id] = true
				s.ids = append(s.ids, id)
			}
		}
	}
	slices.Sort(s.ids)
	// The kernel stops a lookup at the first name that is greater.
	for _, n := range s.nodes {
		slices.SortFunc(n.children, func(a, b *node) int { return cmp.Compare(path.Base(a.Path), path.Base(b.Path)) })
	}
}

// buildInodes fills the inode and directory tables, children before their directory: a listing holds references to
// inodes, and a directory's inode one to its listing.
func (s *squash) buildInodes() error {
	root := s.nodes["."]
	if err := s.place(root); err != nil {
		return err
	}
	s.root = uint64(root.ref.block)<<16 | uint64(root.ref.offset)
	return nil
}

func (s *squash) place(n *node) error {
	for _, c := range n.children {
		if err := s.place(c); err != nil {
			return err
		}
	}
	var listing metaRef
	var size int
	if n.Mode.IsDir() {
		before := s.directories.Len()
		listing = s.directories.next()
		if err := s.list(n); err != nil {
			return err
		}
		size = s.directories.Len() - before
	}
	n.ref = s.inodes.next()
	return s.inode(n, listing, size)
}

// list appends a directory's listing: runs of names whose inodes lie in one metadata block and whose numbers are
// near each other, each run with a header.
func (s *squash) list(dir *node) error {
	for rest := dir.children; len(rest) > 0; {
		first := rest[0]
		n := 1
		for n < len(rest) && n < maxRun && rest[n].ref.block == first.ref.block && near(rest[n].number, first.number) {
			n++
		}
		put(&s.directories, dirHeader{Count: uint32(n - 1), StartBlock: first.ref.block, InodeNumber: first.number})
		for _, c := range rest[:n] {
			name := path.Base(c.Path)
			if len(name) > maxName {
				return fmt.Errorf("/%s: the name has more than %d bytes", c.Path, maxName)
			}
			put(&s.directories, dirEntry{
				Offset: c.ref.offset, InodeDelta: int16(int64(c.number) - int64(first.number)),
				Type: basicType(c.Mode), Size: uint16(len(name) - 1),
			})
			s.directories.WriteString(name)
		}
		rest = rest[n:]
	}
	return nil
}

func near(a, b uint32) bool {
	d := int64(a) - int64(b)
	return d >= math.MinInt16 && d <= math.MaxInt16
}

// inode appends a node's inode. listing and size are those of a directory's listing.
func (s *squash) inode(n *node, listing metaRef, size int) error {
	h := inodeHeader{Type: basicType(n.Mode), Mode: unixMode(n.Mode), UID: s.id(n.UID), GID: s.id(n.GID), MTime: s.epoch, Number: n.number}
	switch h.Type {
	case typeDir:
		links, parent := uint32(2), uint32(len(s.entries)+1) // the root's parent is a number that no inode has
		for _, c := range n.children {
			if c.Mode.IsDir() {
				links++
			}
		}
		if n.parent != nil {
			parent = n.parent.number
		}
		// The kernel counts "." and ".." as three bytes.
		if size+3 <= math.MaxUint16 {
			put(&s.inodes, dirInode{h, listing.block, links, uint16(size + 3), listing.offset, parent})
			return nil
		}
		h.Type = typeLongDir
		put(&s.inodes, longDirInode{h, links, uint32(size + 3), listing.block, parent, 0, listing.offset, invalid32})
	case typeFile:
		if n.Content.Size > math.MaxUint32 {
			return fmt.Errorf("/%s: more than 4 GiB", n.Path)
		}
		put(&s.inodes, fileInode{h, uint32(n.data), invalid32, 0, uint32(n.Content.Size)})
		for left := n.Content.Size; left > 0; left -= blockSize {
			put(&s.inodes, uncompressedBlock|uint32(min(left, blockSize)))
		}
	case typeSymlink:
		put(&s.inodes, linkInode{h, 1, uint32(len(n.Link))})
		s.inodes.WriteString(n.Link)
	case typeBlock, typeChar:
		put(&s.inodes, deviceInode{h, 1, n.Minor&0xff | n.Major<<8 | n.Minor&^0xff<<12})
	}
	return nil
}

func (s *squash) id(id uint32) uint16 {
	i, _ := slices.BinarySearch(s.ids, id)
	return uint16(i)
}

// writeTables writes inodes, directories and owners. The kernel derives the tables' sizes from each other's starts
// and the end of the file system, so that nothing may lie between them.
func (s *squash) writeTables() error {
	if len(s.ids) > math.MaxUint16 {
		return errors.New("more than 65535 users and groups")
	}
	var ids metadata
	put(&ids, s.ids)
	var err error
	write := func(m *metadata) (start int64) {
		start = s.at
		if err == nil {
			_, err = s.Write(m.encode())
		}
		return start
	}
	s.inodeTable = write(&s.inodes)
	s.directoryTable = write(&s.directories)
	blocks := write(&ids)
	if err != nil {
		return err
	}
	// The owners' table is found through an index of its metadata blocks.
	s.idTable = s.at
	var index bytes.Buffer
	for n := 0; n < ids.Len(); n += metaBlock {
		put(&index, uint64(blocks)+uint64(refAt(n).block))
	}
	_, err = s.Write(index.Bytes())
	return err
}

func (s *squash) writeSuperblock() error {
	s.padded = (s.at + dataAlign - 1) / dataAlign * dataAlign
	if _, err := s.w.WriteAt(make([]byte, s.padded-s.at), s.at); err != nil {
		return err
	}
	var b bytes.Buffer
	put(&b, superblock{
		Magic: squashMagic, Inodes: uint32(len(s.entries)), Time: s.epoch, BlockSize: blockSize, BlockLog: 17,
		Compression: zlib, Flags: uncompressedInodes | uncompressedData | uncompressedFragments | noFragments | noXattrs | uncompressedIDs,
		IDs: uint16(len(s.ids)), Major: 4, Root: s.root, BytesUsed: uint64(s.at),
		IDTable: uint64(s.idTable), XattrTable: invalid64, InodeTable: uint64(s.inodeTable),
		DirectoryTable: uint64(s.directoryTable), FragmentTable: invalid64, LookupTable: invalid64,
	})
	_, err := s.w.WriteAt(b.Bytes(), 0)
	return err
}

// basicType is the type in a listing, and in the inode but for those of large directories.
func basicType(m fs.FileMode) uint16 {
	switch m.Type() {
	case fs.ModeDir:
		return typeDir
	case fs.ModeSymlink:
		return typeSymlink
	case fs.ModeDevice:
		return typeBlock
	case fs.ModeDevice | fs.ModeCharDevice:
		return typeChar
	}
	return typeFile
}
