package portal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"time"

	"manofwar/internal/media"
	streamapi "manofwar/services/stream/api"
)

const (
	// stall is how long a client may take no byte before its connection is closed, as nginx's send_timeout.
	stall = 60 * time.Second
	// chunk is how much is handed to the kernel at once, in bytes. The deadline moves on with every chunk, so the
	// slowest client that is still served reads chunk/stall: 9 KB/s. Of 128 KB, 512 KB and 1 MB, 512 KB was the fastest
	// for one client and for a hundred.
	chunk = 512 << 10
	// gather is the size, in bytes, below which a part is copied and sent along with its neighbours: an HLS segment is
	// made of hundreds of small runs of frames, and a system call and a packet for each would cost more than the copy.
	gather = 64 << 10
	// maxFiles bounds the files that one answer may need open at once.
	maxFiles = 64
)

// files are the open files of one answer, by path.
type files map[string]*os.File

// open opens every file of parts and checks that it is a regular file and long enough. Symbolic links are followed:
// they are their owner's way to arrange a library, and what they may lead to is bounded by the portal's sandbox.
// The error wraps [media.ErrNotFound], [media.ErrAway] or [media.ErrCorrupt] where that is what is wrong.
func open(parts []streamapi.Part) (_ files, err error) {
	fs := make(files)
	defer func() {
		if err != nil {
			fs.close()
		}
	}()
	sizes := make(map[string]int64)
	for _, p := range parts {
		if p.Path == "" {
			continue
		}
		if _, ok := fs[p.Path]; !ok {
			if len(fs) == maxFiles {
				return nil, fmt.Errorf("open %s: more than %d files in one answer", p.Path, maxFiles)
			}
			if fs[p.Path], sizes[p.Path], err = openRegular(p.Path); err != nil {
				delete(fs, p.Path)
				return nil, err
			}
		}
		if p.Offset < 0 || p.Length < 0 || p.Offset > sizes[p.Path]-p.Length {
			return nil, &media.Error{
				Op: "read", Path: p.Path, Err: fmt.Errorf("it is shorter than it was: %w", media.ErrCorrupt),
				Hint: "If the file is still being copied, try again when that is done.",
			}
		}
	}
	return fs, nil
}

// openRegular opens a regular file and returns its size in bytes.
func openRegular(path string) (*os.File, int64, error) {
	f, err := os.OpenFile(path, openFlags, 0)
	if err != nil {
		return nil, 0, fileError(path, err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("not a regular file: %w", media.ErrInvalid)
	}
	if err != nil {
		_ = f.Close() // nothing was written
		return nil, 0, fileError(path, err)
	}
	return f, info.Size(), nil
}

// fileError says what an error of the operating system means to a person who wants to play a file.
func fileError(path string, err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err
	}
	e := &media.Error{Op: "open", Path: path, Err: err}
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		e.Err, e.Hint = fmt.Errorf("%w: %w", media.ErrNotFound, err), "It was moved or deleted. The library will notice by itself."
	case errors.Is(err, syscall.EIO), errors.Is(err, syscall.ENXIO):
		e.Err, e.Hint = fmt.Errorf("%w: %w", media.ErrAway, err), "Plug the disk in again."
	case errors.Is(err, fs.ErrPermission):
		e.Err, e.Hint = fmt.Errorf("%w: %w", media.ErrDenied, err), "Make the file readable for manofwar."
	}
	return e
}

func (fs files) close() {
	for _, f := range fs {
		_ = f.Close() // nothing was written
	}
}

// connKey is where a request's context has its connection.
type connKey struct{}

// buffers holds the memory in which small parts are gathered.
var buffers = sync.Pool{New: func() any { return new([gather]byte) }}

// send writes parts to w, and lets the kernel copy from the files where that pays. It ends early, with an error, if a
// file fails or has become shorter, if the client takes nothing for [stall], and when ctx ends.
func (fs files) send(ctx context.Context, w http.ResponseWriter, parts []streamapi.Part) error {
	mem := buffers.Get().(*[gather]byte)
	defer buffers.Put(mem)
	t := transfer{ctx: ctx, w: w, rc: http.NewResponseController(w), buf: mem[:0]}
	for _, p := range parts {
		var err error
		switch {
		case p.Path == "":
			err = t.inline(p.Inline)
		case p.Length < gather:
			err = t.small(fs[p.Path], p)
		default:
			err = t.large(fs[p.Path], p)
		}
		if err != nil {
			return err
		}
	}
	return t.flush()
}

// transfer is one body on its way. What it has gathered is in buf.
type transfer struct {
	ctx context.Context
	w   http.ResponseWriter
	rc  *http.ResponseController
	buf []byte
}

func (t *transfer) inline(b []byte) error {
	if len(t.buf)+len(b) <= cap(t.buf) {
		t.buf = append(t.buf, b...)
		return nil
	}
	if err := t.flush(); err != nil {
		return err
	}
	for len(b) > chunk {
		if err := t.write(b[:chunk]); err != nil {
			return err
		}
		b = b[chunk:]
	}
	return t.write(b)
}

// small reads a part of less than [gather] bytes into the buffer.
func (t *transfer) small(f *os.File, p streamapi.Part) error {
	if int64(len(t.buf))+p.Length > int64(cap(t.buf)) {
		if err := t.flush(); err != nil {
			return err
		}
	}
	end := len(t.buf) + int(p.Length)
	if _, err := f.ReadAt(t.buf[len(t.buf):end], p.Offset); err != nil {
		return err
	}
	t.buf = t.buf[:end]
	return nil
}

// large lets the kernel copy a part: [http.ResponseWriter] uses sendfile(2) for an [io.LimitedReader] of an [os.File].
func (t *transfer) large(f *os.File, p streamapi.Part) error {
	if err := t.flush(); err != nil {
		return err
	}
	// The header must be out, or net/http copies the first bytes by hand and the rest is no longer page-aligned.
	if err := t.rc.Flush(); err != nil {
		return err
	}
	if _, err := f.Seek(p.Offset, io.SeekStart); err != nil {
		return err
	}
	if conn, ok := t.ctx.Value(connKey{}).(net.Conn); ok {
		cork(conn, true)
		defer cork(conn, false)
	}
	for left := p.Length; left > 0; {
		if err := t.advance(); err != nil {
			return err
		}
		n, err := io.CopyN(t.w, f, min(left, chunk))
		if err != nil {
			return err // io.EOF: the file has become shorter
		}
		left -= n
	}
	return nil
}

func (t *transfer) flush() error {
	b := t.buf
	t.buf = b[:0]
	if len(b) == 0 {
		return nil
	}
	return t.write(b)
}

func (t *transfer) write(b []byte) error {
	if err := t.advance(); err != nil {
		return err
	}
	_, err := t.w.Write(b)
	return err
}

// advance gives the client another [stall] to take what comes next.
func (t *transfer) advance() error {
	if err := t.ctx.Err(); err != nil {
		return err
	}
	return t.rc.SetWriteDeadline(time.Now().Add(stall))
}
