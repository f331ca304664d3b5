package rootfs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"
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
// modes are kept; the size is a multiple of 512. The errors name the file that could not be read.
func WriteInitramfs(w io.Writer, t *Tree, epoch time.Time) error {
	c := cpio{w: w, epoch: epoch.Unix()}
	for _, e := range t.Entries() {
		if e.Path == "." {
			continue
		}
		if err := c.entry(e); err != nil {
			return fmt.Errorf("write initramfs: /%s: %w", e.Path, err)
		}
	}
	if err := c.header(Entry{Path: "TRAILER!!!"}, 0, 0); err != nil {
		return fmt.Errorf("write initramfs: %w", err)
	}
	return c.pad(512)
}

type cpio struct {
	w     io.Writer
	at    int64
	epoch int64
	inode int
}

// maxCpioSize is what eight hexadecimal digits hold.
const maxCpioSize = 1<<32 - 1

// Unix file types as in stat(2)'s st_mode.
const (
	unixDir     = 0o040000
	unixFile    = 0o100000
	unixSymlink = 0o120000
	unixChar    = 0o020000
	unixBlock   = 0o060000
)

func (c *cpio) entry(e Entry) error {
	c.inode++
	mode := uint32(unixMode(e.Mode))
	switch e.Mode.Type() {
	case fs.ModeDir:
		return c.header(e, mode|unixDir, 0)
	case fs.ModeSymlink:
		e.Content = Bytes([]byte(e.Link))
		mode |= unixSymlink
	case fs.ModeDevice:
		return c.header(e, mode|unixBlock, 0)
	case fs.ModeDevice | fs.ModeCharDevice:
		return c.header(e, mode|unixChar, 0)
	default:
		mode |= unixFile
	}
	if e.Content.Size > maxCpioSize {
		return errors.New("more than 4 GiB")
	}
	if err := c.header(e, mode, e.Content.Size); err != nil {
		return err
	}
	if err := copyContent(c, e); err != nil {
		return err
	}
	return c.pad(4)
}

// header writes an entry's header and name, each field eight hexadecimal digits.
func (c *cpio) header(e Entry, mode uint32, size int64) error {
	links := 1
	if e.Mode.IsDir() {
		links = 2
	}
	// Not path.Clean: the trailer's name is a word of the format.
	name := append([]byte(e.Path), 0)
	_, err := fmt.Fprintf(c, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s",
		c.inode, mode, e.UID, e.GID, links, c.epoch, size, 0, 0, e.Major, e.Minor, len(name), 0, name)
	if err != nil {
		return err
	}
	return c.pad(4)
}

// Write appends to the archive.
func (c *cpio) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.at += int64(n)
	return n, err
}

func (c *cpio) pad(to int64) error {
	_, err := c.Write(bytes.Repeat([]byte{0}, int((to-c.at%to)%to)))
	return err
}
