package decode

import (
	"fmt"
	"io"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"manofwar/player"
	"manofwar/player/decode/nut"
)

// pictureReader reads raw pictures.
type pictureReader struct {
	nut           *nut.Reader
	planes        *planes
	format        player.Format
	width, height int
}

// read fills f with the next picture and returns when it is due, from the stream's base on.
func (r *pictureReader) read(f *player.Frame) (time.Duration, error) {
	if f.Format != r.format || f.Width != r.width || f.Height != r.height {
		return 0, fmt.Errorf("a picture of %d×%d in a frame of %d×%d: %w", r.width, r.height, f.Width, f.Height, player.ErrFormat)
	}
	if err := r.planes.set(f); err != nil {
		return 0, err
	}
	header, err := r.nut.Next()
	if err != nil {
		return 0, err
	}
	if header.Size != r.planes.size {
		return 0, fmt.Errorf("a picture of %d bytes where %d were due: %w", header.Size, r.planes.size, player.ErrFormat)
	}
	if err := r.planes.fill(r.nut); err != nil {
		return 0, err
	}
	return r.nut.Streams()[header.Stream].Time(header.PTS), nil
}

// planes reads pictures from a pipe into the places where their lines belong: they come without gaps, and a display's
// lines have some.
type planes struct {
	file  *os.File
	lines []unix.Iovec // of the picture that are yet to be read
	size  int          // of the whole picture, as it comes
	all   []unix.Iovec
}

func newPlanes(f *os.File) *planes { return &planes{file: f} }

// line is how a plane lies: bytes in each of its lines, and how many there are.
type line struct{ width, count int }

// linesOf returns the planes of a format.
func linesOf(f *player.Frame) []line {
	switch f.Format {
	case player.XRGB8888:
		return []line{{4 * f.Width, f.Height}}
	case player.YUV420:
		return []line{{f.Width, f.Height}, {f.Width / 2, f.Height / 2}, {f.Width / 2, f.Height / 2}}
	case player.NV12:
		return []line{{f.Width, f.Height}, {f.Width, f.Height / 2}}
	}
	return nil
}

// set prepares for reading into the frame.
func (p *planes) set(f *player.Frame) error {
	p.all, p.size = p.all[:0], 0
	for i, l := range linesOf(f) {
		plane := f.Planes[i]
		if plane.Pitch < l.width || len(plane.Data) < plane.Pitch*(l.count-1)+l.width {
			return fmt.Errorf("plane %d of %d bytes has %d lines of %d: %w", i, len(plane.Data), l.count, plane.Pitch, player.ErrFormat)
		}
		p.size += l.width * l.count
		if plane.Pitch == l.width {
			p.add(plane.Data[:l.width*l.count])
			continue
		}
		for y := range l.count {
			p.add(plane.Data[y*plane.Pitch:][:l.width])
		}
	}
	p.lines = p.all
	return nil
}

func (p *planes) add(b []byte) {
	v := unix.Iovec{Base: unsafe.SliceData(b)}
	v.SetLen(len(b))
	p.all = append(p.all, v)
}

// fill reads the payload: what the reader has of it already, then straight from the pipe.
func (p *planes) fill(r *nut.Reader) error {
	for r.Ahead() > 0 {
		v := &p.lines[0]
		n, err := r.Read(unsafe.Slice(v.Base, min(int(v.Len), r.Ahead())))
		if err != nil {
			return err
		}
		p.advance(n)
	}
	raw, err := p.file.SyscallConn()
	if err != nil {
		return err
	}
	for r.Left() > 0 {
		n, err := readv(raw, p.lines)
		if err != nil {
			return err
		}
		r.Skip(n)
		p.advance(n)
	}
	return nil
}

// advance takes n bytes off the front of the lines.
func (p *planes) advance(n int) {
	for n > 0 {
		v := &p.lines[0]
		if n < int(v.Len) {
			v.Base = (*byte)(unsafe.Add(unsafe.Pointer(v.Base), n))
			v.SetLen(int(v.Len) - n)
			return
		}
		n -= int(v.Len)
		p.lines = p.lines[1:]
	}
}

// maxVectors is how many the kernel takes at a time (UIO_MAXIOV).
const maxVectors = 1024

// readv reads from a pipe into several places (readv(2)). At the end it returns [io.ErrUnexpectedEOF]: there was more to
// come.
func readv(raw syscall.RawConn, to []unix.Iovec) (n int, err error) {
	to = to[:min(len(to), maxVectors)]
	waitErr := raw.Read(func(fd uintptr) bool {
		for {
			got, _, e := unix.Syscall(unix.SYS_READV, fd, uintptr(unsafe.Pointer(unsafe.SliceData(to))), uintptr(len(to)))
			switch {
			case e == unix.EINTR:
			case e == unix.EAGAIN:
				return false
			case e != 0:
				err = os.NewSyscallError("readv", e)
				return true
			case got == 0:
				err = io.ErrUnexpectedEOF
				return true
			default:
				n = int(got)
				return true
			}
		}
	})
	if waitErr != nil {
		return 0, waitErr
	}
	return n, err
}
