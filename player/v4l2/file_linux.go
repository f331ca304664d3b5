package v4l2

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// file is a device of the real kernel. Go's poller is not used: it does not wait for events, and takes what a device without
// buffers says of itself for the end of it.
type file struct {
	fd   int
	bell int // an eventfd
}

// openFile opens a device.
func openFile(path string) (*file, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	bell, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make an eventfd: %w", err), unix.Close(fd))
	}
	return &file{fd, bell}, nil
}

func (f *file) ioctl(request uintptr, argument unsafe.Pointer) error {
	for {
		_, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(f.fd), request, uintptr(argument))
		if e == 0 {
			return nil
		}
		if e != unix.EINTR {
			return e
		}
	}
}

func (f *file) mmap(offset int64, length int) ([]byte, error) {
	return unix.Mmap(f.fd, offset, length, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
}

func (f *file) munmap(b []byte) error { return unix.Munmap(b) }

func (f *file) wait(events int16, limit time.Duration) (int16, error) {
	fds := []unix.PollFd{{Fd: int32(f.fd), Events: events}, {Fd: int32(f.bell), Events: unix.POLLIN}}
	if _, err := unix.Poll(fds, int(limit.Milliseconds())); errors.Is(err, unix.EINTR) {
		return rung, nil // by Go's own signals: the limit has not passed
	} else if err != nil {
		return 0, fmt.Errorf("wait for the device: %w", err)
	}
	if fds[1].Revents != 0 {
		_, _ = unix.Read(f.bell, make([]byte, 8)) // it was rung, and is not any more
		if fds[0].Revents == 0 {
			return rung, nil
		}
	}
	return fds[0].Revents, nil
}

// rung is what wait returns when it was ended by something else, such as wake: no event of poll(2).
const rung = -1 << 15

func (f *file) wake() {
	var one [8]byte
	binary.NativeEndian.PutUint64(one[:], 1)
	_, _ = unix.Write(f.bell, one[:]) // it is full: it rings already
}

func (f *file) close() error { return errors.Join(unix.Close(f.fd), unix.Close(f.bell)) }
