package rootfs

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/u-root/u-root/pkg/cpio"
)

// The file types of stat(2)'s st_mode.
const (
	modeDir     = 0o040000
	modeFile    = 0o100000
	modeSymlink = 0o120000
	modeChar    = 0o020000
	modeBlock   = 0o060000
)

// Initramfs is the tree of a boot's first phase: the program as /init, the given files (kernel modules), the
// directories it mounts on, and the two device nodes that a program needs before it can mount anything: the kernel
// opens /dev/console for it, and Go's runtime stops without /dev/null.
func Initramfs(init Content, files ...Entry) (*Tree, error) {
	t := new(Tree)
	dir := func(name string) Entry { return Entry{Path: name, Mode: fs.ModeDir | 0o755} }
	err := t.Add(
		dir("dev"), dir("proc"), dir("root"), dir("run"), dir("sys"),
		Entry{Path: "dev/console", Mode: fs.ModeDevice | fs.ModeCharDevice | 0o600, Major: 5, Minor: 1},
		Entry{Path: "dev/null", Mode: fs.ModeDevice | fs.ModeCharDevice | 0o666, Major: 1, Minor: 3},
		Entry{Path: "init", Mode: 0o755, Content: init},
	)
	if err != nil {
		return nil, err
	}
	return t, t.Add(files...)
}

// WriteInitramfs writes the tree to w as the kernel's "newc" cpio archive (Documentation/driver-api/early-userspace/
// buffer-format.rst), uncompressed. Only the tree and epoch, the time of all files, decide the bytes. Owners and
// modes are kept. Each file is in memory while it is written. The errors name the file that could not be read.
func WriteInitramfs(w io.Writer, t *Tree, epoch time.Time) error {
	archive := cpio.Newc.Writer(w)
	for i, e := range t.Entries() {
		if e.Path == "." {
			continue
		}
		record, err := cpioRecord(e)
		if err == nil {
			record.Ino, record.MTime = uint64(i), uint64(epoch.Unix())
			err = archive.WriteRecord(record)
		}
		if err != nil {
			return fmt.Errorf("write initramfs: /%s: %w", e.Path, err)
		}
	}
	if err := cpio.WriteTrailer(archive); err != nil {
		return fmt.Errorf("write initramfs: %w", err)
	}
	return nil
}

// cpioRecord is the entry as the archive has it, but for its number and time.
func cpioRecord(e Entry) (cpio.Record, error) {
	info := cpio.Info{
		Name: e.Path, Mode: uint64(unixMode(e.Mode)) | cpioType(e.Mode), UID: uint64(e.UID), GID: uint64(e.GID),
		NLink: 1, Rmajor: uint64(e.Major), Rminor: uint64(e.Minor),
	}
	var content bytes.Buffer
	switch e.Mode.Type() {
	case 0:
		if err := copyContent(&content, e); err != nil {
			return cpio.Record{}, err
		}
	case fs.ModeSymlink:
		content.WriteString(e.Link)
	case fs.ModeDir:
		info.NLink = 2
		return cpio.Record{Info: info}, nil
	default:
		return cpio.Record{Info: info}, nil
	}
	return cpio.StaticRecord(content.Bytes(), info), nil
}

// cpioType is the file type of stat(2)'s st_mode.
func cpioType(m fs.FileMode) uint64 {
	switch m.Type() {
	case fs.ModeDir:
		return modeDir
	case fs.ModeSymlink:
		return modeSymlink
	case fs.ModeDevice:
		return modeBlock
	case fs.ModeDevice | fs.ModeCharDevice:
		return modeChar
	}
	return modeFile
}
