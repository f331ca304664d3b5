// Package disks finds the file systems on disks that are not the system's own, mounts them under /media while they are
// plugged in, and tells who listens.
//
// [Probe] knows a file system by its superblock, as blkid(8) does. It reads what a stranger's disk says, so it reads
// little, at fixed places, and believes nothing but what it checks.
package disks

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"
)

// Filesystem is what a superblock says.
type Filesystem struct {
	Type  string // as mount(2) takes it: "ext4", "vfat", "exfat", "ntfs3", "iso9660", "udf", …
	Label string // printable; empty: none
	UUID  string // in the form that blkid(8) prints; empty: none
}

// prober recognises one kind of file system. It returns false where the magic is missing.
type prober func(r io.ReaderAt) (Filesystem, bool)

// probers are tried in order: FAT's magic is the weakest, and iso9660's may be on a disk beside another.
var probers = []prober{probeExt, probeExFAT, probeNTFS, probeBtrfs, probeXFS, probeF2FS, probeHFSPlus, probeUDF, probeISO, probeFAT}

// Probe returns the file system on r, or false if it is none that it knows.
func Probe(r io.ReaderAt) (Filesystem, bool) {
	for _, p := range probers {
		if fs, ok := p(r); ok {
			fs.Label = printable(fs.Label)
			return fs, true
		}
	}
	return Filesystem{}, false
}

// read returns n bytes at off, or nil where the disk ends before.
func read(r io.ReaderAt, off int64, n int) []byte {
	buf := make([]byte, n)
	if got, _ := r.ReadAt(buf, off); got < n {
		return nil
	}
	return buf
}

// magicAt reads n bytes at off and checks the magic at index i of them.
func magicAt(r io.ReaderAt, off int64, n, i int, magic string) ([]byte, bool) {
	b := read(r, off, n)
	return b, b != nil && string(b[i:i+len(magic)]) == magic
}

// probeExt: kernel Documentation/filesystems/ext4/super.rst. ext2 and ext3 are mounted by ext4's driver.
func probeExt(r io.ReaderAt) (Filesystem, bool) {
	b, ok := magicAt(r, 1024, 264, 0x38, "\x53\xef")
	if !ok {
		return Filesystem{}, false
	}
	return Filesystem{Type: "ext4", Label: cstring(b[0x78:0x88]), UUID: uuid(b[0x68:0x78])}, true
}

// probeExFAT: Microsoft's exFAT specification. The label is a directory entry, of type 0x83, in the root directory.
func probeExFAT(r io.ReaderAt) (Filesystem, bool) {
	b, ok := magicAt(r, 0, 512, 3, "EXFAT   ")
	if !ok {
		return Filesystem{}, false
	}
	fs := Filesystem{Type: "exfat", UUID: serial(b[100:104])}
	sectorShift, clusterShift := b[108], b[109]
	heap, root := int64(binary.LittleEndian.Uint32(b[88:])), int64(binary.LittleEndian.Uint32(b[96:]))
	if sectorShift < 9 || sectorShift > 12 || clusterShift > 25-sectorShift || root < 2 {
		return fs, true
	}
	dir := read(r, heap<<sectorShift+(root-2)<<(sectorShift+clusterShift), 512)
	for ; len(dir) >= 32 && dir[0] != 0; dir = dir[32:] {
		if n := int(dir[1]); dir[0] == 0x83 && n <= 11 {
			fs.Label = utf16le(dir[2 : 2+2*n])
			break
		}
	}
	return fs, true
}

// probeNTFS: the boot sector as ntfs3 reads it (kernel: fs/ntfs3/ntfs.h, struct NTFS_BOOT).
func probeNTFS(r io.ReaderAt) (Filesystem, bool) {
	b, ok := magicAt(r, 0, 512, 3, "NTFS    ")
	if !ok {
		return Filesystem{}, false
	}
	return Filesystem{
		Type: "ntfs3", UUID: fmt.Sprintf("%016X", binary.LittleEndian.Uint64(b[72:])), Label: ntfsLabel(r, b),
	}, true
}

// ntfsLabel reads the attribute $VOLUME_NAME of the fourth record of the master file table, $Volume.
func ntfsLabel(r io.ReaderAt, b []byte) string {
	const volume, volumeName = 3, 0x60
	cluster := int64(binary.LittleEndian.Uint16(b[11:])) * int64(b[13]) // larger ones than 64 KiB are written otherwise
	size := ntfsSize(int8(b[64]), cluster)
	start := binary.LittleEndian.Uint64(b[48:])
	if cluster < 512 || cluster > 2<<20 || size < 512 || size > 4096 || start > 1<<40 {
		return ""
	}
	record := read(r, int64(start)*cluster+volume*size, int(size))
	if record == nil || string(record[:4]) != "FILE" {
		return ""
	}
	for at := int(binary.LittleEndian.Uint16(record[20:])); at+24 <= len(record); {
		attr := record[at:]
		kind, length := binary.LittleEndian.Uint32(attr), int(binary.LittleEndian.Uint32(attr[4:]))
		if length < 24 || length > len(attr) {
			return ""
		}
		if kind == volumeName && attr[8] == 0 { // resident
			from, n := int(binary.LittleEndian.Uint16(attr[20:])), int(binary.LittleEndian.Uint32(attr[16:]))
			if n < 0 || from+n > length {
				return ""
			}
			return utf16le(attr[from : from+n])
		}
		at += length
	}
	return ""
}

// ntfsSize decodes the size of a record of the master file table: a number of clusters, or, as a negative number, the
// logarithm of a number of bytes.
func ntfsSize(n int8, cluster int64) int64 {
	if n < 0 {
		return 1 << min(-int(n), 32)
	}
	return int64(n) * cluster
}

// probeBtrfs: kernel include/uapi/linux/btrfs_tree.h, struct btrfs_super_block at 64 KiB.
func probeBtrfs(r io.ReaderAt) (Filesystem, bool) {
	b, ok := magicAt(r, 64<<10, 1024, 64, "_BHRfS_M")
	if !ok {
		return Filesystem{}, false
	}
	return Filesystem{Type: "btrfs", Label: cstring(b[299 : 299+256]), UUID: uuid(b[32:48])}, true
}

// probeXFS: kernel fs/xfs/libxfs/xfs_format.h, struct xfs_dsb.
func probeXFS(r io.ReaderAt) (Filesystem, bool) {
	b, ok := magicAt(r, 0, 512, 0, "XFSB")
	if !ok {
		return Filesystem{}, false
	}
	return Filesystem{Type: "xfs", Label: cstring(b[108:120]), UUID: uuid(b[32:48])}, true
}

// probeF2FS: kernel include/linux/f2fs_fs.h, struct f2fs_super_block at 1 KiB.
func probeF2FS(r io.ReaderAt) (Filesystem, bool) {
	b, ok := magicAt(r, 1024, 1200, 0, "\x10\x20\xf5\xf2")
	if !ok {
		return Filesystem{}, false
	}
	return Filesystem{Type: "f2fs", Label: utf16le(b[124 : 124+1024]), UUID: uuid(b[108:124])}, true
}

// probeHFSPlus: Apple's TN1150, the volume header at 1 KiB.
func probeHFSPlus(r io.ReaderAt) (Filesystem, bool) {
	b := read(r, 1024, 512)
	if b == nil || (string(b[:2]) != "H+" && string(b[:2]) != "HX") {
		return Filesystem{}, false
	}
	return Filesystem{Type: "hfsplus", UUID: strings.ToUpper(hex.EncodeToString(b[104:112]))}, true
}

// probeUDF: ECMA-167, the volume recognition sequence from 32 KiB on. What it is called is in the Primary Volume
// Descriptor, found by the anchor in sector 256, whose size depends on the medium.
func probeUDF(r io.ReaderAt) (Filesystem, bool) {
	for i := range int64(16) {
		b := read(r, 32<<10+i*2048, 8)
		if b == nil {
			return Filesystem{}, false
		}
		if id := string(b[1:6]); id == "NSR02" || id == "NSR03" {
			fs := Filesystem{Type: "udf"}
			for _, sector := range []int64{2048, 512, 4096} {
				if udfNames(r, sector, &fs) {
					break
				}
			}
			return fs, true
		}
	}
	return Filesystem{}, false
}

// udfNames follows the anchor (ECMA-167 3/10.2) to the Primary Volume Descriptor (3/10.1). The UUID is, as for blkid,
// the first sixteen characters of the volume set's identifier, which are unique by OSTA UDF 2.2.2.5.
func udfNames(r io.ReaderAt, sector int64, fs *Filesystem) bool {
	anchor := read(r, 256*sector, 32)
	if anchor == nil || binary.LittleEndian.Uint16(anchor) != 2 {
		return false
	}
	start := int64(binary.LittleEndian.Uint32(anchor[20:]))
	for i := range int64(16) {
		b := read(r, (start+i)*sector, 200)
		if b == nil || binary.LittleEndian.Uint16(b) != 1 {
			continue
		}
		fs.Label = dstring(b[24:56])
		if set := dstring(b[72:200]); len(set) >= 16 && isHex(set[:16]) {
			fs.UUID = strings.ToLower(set[:16])
		}
		return true
	}
	return false
}

// dstring decodes OSTA compressed unicode (OSTA UDF 2.1.1) of a fixed length, whose last byte is the length used.
func dstring(b []byte) string {
	n := int(b[len(b)-1])
	if n < 1 || n >= len(b) {
		return ""
	}
	switch b[0] {
	case 8:
		runes := make([]rune, n-1)
		for i, c := range b[1:n] {
			runes[i] = rune(c)
		}
		return string(runes)
	case 16:
		return utf16be(b[1:n])
	}
	return ""
}

func isHex(s string) bool {
	_, err := hex.DecodeString(s)
	return err == nil
}

// probeISO: ECMA-119, the Primary Volume Descriptor in sector 16. The UUID is the creation time, as blkid has it.
func probeISO(r io.ReaderAt) (Filesystem, bool) {
	b, ok := magicAt(r, 32<<10, 2048, 1, "CD001")
	if !ok || b[0] != 1 {
		return Filesystem{}, false
	}
	fs := Filesystem{Type: "iso9660", Label: strings.TrimRight(string(b[40:72]), " ")}
	if t := b[813:829]; isDigits(t) {
		fs.UUID = fmt.Sprintf("%s-%s-%s-%s-%s-%s-%s", t[0:4], t[4:6], t[6:8], t[8:10], t[10:12], t[12:14], t[14:16])
	}
	return fs, true
}

// probeFAT: Microsoft's FAT specification. A boot sector is one only if every field of its geometry makes sense, since
// an MBR ends with the same two bytes.
func probeFAT(r io.ReaderAt) (Filesystem, bool) {
	b, ok := magicAt(r, 0, 512, 510, "\x55\xaa")
	if !ok {
		return Filesystem{}, false
	}
	sector, cluster := binary.LittleEndian.Uint16(b[11:]), b[13]
	fats, media := b[16], b[21]
	if sector < 512 || sector > 4096 || sector&(sector-1) != 0 || cluster == 0 || cluster&(cluster-1) != 0 ||
		fats < 1 || fats > 2 || (media != 0xf0 && media < 0xf8) {
		return Filesystem{}, false
	}
	ext := b[36:62] // FAT12 and FAT16 have it here
	if binary.LittleEndian.Uint16(b[22:]) == 0 {
		ext = b[64:90] // FAT32 here
	}
	fs := Filesystem{Type: "vfat"}
	if ext[2] == 0x29 {
		fs.UUID = serial(ext[3:7])
		if label := strings.TrimRight(string(ext[7:18]), " "); label != "NO NAME" {
			fs.Label = label
		}
	}
	return fs, true
}

// serial prints a FAT volume's serial number as everyone does: 1234-ABCD.
func serial(b []byte) string {
	n := binary.LittleEndian.Uint32(b)
	return fmt.Sprintf("%04X-%04X", n>>16, n&0xffff)
}

func uuid(b []byte) string {
	if bytes.Count(b, []byte{0}) == len(b) {
		return ""
	}
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

func cstring(b []byte) string {
	b, _, _ = bytes.Cut(b, []byte{0})
	return string(b)
}

func utf16le(b []byte) string { return decodeUTF16(b, binary.LittleEndian) }

func utf16be(b []byte) string { return decodeUTF16(b, binary.BigEndian) }

// decodeUTF16 reads up to the first zero.
func decodeUTF16(b []byte, order binary.ByteOrder) string {
	var units []uint16
	for ; len(b) >= 2; b = b[2:] {
		u := order.Uint16(b)
		if u == 0 {
			break
		}
		units = append(units, u)
	}
	return string(utf16.Decode(units))
}

func isDigits(b []byte) bool {
	return bytes.IndexFunc(b, func(c rune) bool { return c < '0' || c > '9' }) < 0
}

// printable makes a label fit for a screen: no control characters, no broken encoding, no blanks around.
func printable(s string) string {
	s = strings.Map(func(c rune) rune {
		if c == unicode.ReplacementChar || !unicode.IsPrint(c) {
			return -1
		}
		return c
	}, s)
	return strings.TrimSpace(s)
}

// directoryNameOf makes a label safe as a file name: no separators, nothing that hides it.
func directoryNameOf(label string) string {
	name := strings.Map(func(c rune) rune {
		if c == '/' || c == '\\' || c == ':' {
			return '_'
		}
		return c
	}, printable(label))
	name = strings.TrimLeft(name, ". ")
	for len(name) > 100 {
		runes := []rune(name)
		name = string(runes[:len(runes)-1])
	}
	return name
}
