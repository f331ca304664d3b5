package drm

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Card is an open primary node, such as /dev/dri/card0. Whoever opens it first is its master and may set modes.
type Card struct {
	Path   string
	Driver string // such as "vc4"

	file  *os.File
	ioctl func(request uintptr, argument unsafe.Pointer) error // ioctl(2) on the file

	mu         sync.Mutex          // guards properties
	properties map[uint32]property // by ID: what they are never changes
}

// Capabilities that a program has or asks for (drm.h, DRM_CLIENT_CAP_ and DRM_CAP_).
const (
	clientUniversalPlanes = 2
	clientAtomic          = 3
	capDumbBuffer         = 1
	capMonotonic          = 6
	capModifiers          = 0x10
)

// ErrUnfit says that a card has no atomic mode setting or no memory for a program to draw into.
var ErrUnfit = errors.New("the card cannot show pictures drawn in memory by atomic commits")

// Open opens a card. A card that lacks what this package needs is [ErrUnfit]. Close the result.
func Open(path string) (*Card, error) {
	// Nonblocking, so that Go's poller waits for events and reads have deadlines.
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	c := newCard(path, os.NewFile(uintptr(fd), path))
	if err := c.begin(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), c.Close())
	}
	return c, nil
}

func newCard(path string, file *os.File) *Card {
	c := &Card{Path: path, file: file, properties: make(map[uint32]property)}
	c.ioctl = c.call
	return c
}

// begin asks for what every other call here takes for granted.
func (c *Card) begin() error {
	driver, err := c.version()
	if err != nil {
		return fmt.Errorf("version: %w", err)
	}
	c.Driver = driver
	for _, capability := range []uint64{clientUniversalPlanes, clientAtomic} {
		if err := do(c, setCapability, &setClientCap{capability, 1}); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrUnfit, driver, err)
		}
	}
	for _, capability := range []uint64{capDumbBuffer, capMonotonic} {
		if c.capability(capability) == 0 {
			return fmt.Errorf("%w: %s", ErrUnfit, driver)
		}
	}
	return nil
}

// Close gives everything back that was made of the card. The kernel takes framebuffers off the screen that were not
// left there by [Card.LeaveFramebuffer].
func (c *Card) Close() error {
	if c.file == nil {
		return nil
	}
	return c.file.Close()
}

// SetMaster asks to be the one who sets modes. It is no error to be that already; else it is EACCES or EBUSY.
func (c *Card) SetMaster() error { return c.ioctl(request(none, 0x1e, 0), nil) }

// DropMaster lets others be that.
func (c *Card) DropMaster() error { return c.ioctl(request(none, 0x1f, 0), nil) }

func (c *Card) capability(number uint64) uint64 {
	v := getCap{capability: number}
	if do(c, getCapability, &v) != nil {
		return 0
	}
	return v.value
}

// version returns the driver's name.
func (c *Card) version() (string, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	name := make([]byte, 64)
	v := version{nameLength: uint64(len(name)), name: pointer(&pin, name)}
	if err := do(c, getVersion, &v); err != nil {
		return "", err
	}
	return text(name[:min(v.nameLength, uint64(len(name)))]), nil
}

// Flips blocks until commits are on the screen, or the deadline: that is [os.ErrDeadlineExceeded].
func (c *Card) Flips(deadline time.Time) ([]Flip, error) {
	if err := c.file.SetReadDeadline(deadline); err != nil {
		return nil, err
	}
	buf := make([]byte, 1024)
	n, err := c.file.Read(buf)
	if err != nil {
		return nil, err
	}
	return parseFlips(buf[:n]), nil
}

// call is ioctl(2), again where a signal came between.
func (c *Card) call(request uintptr, argument unsafe.Pointer) error {
	raw, err := c.file.SyscallConn()
	if err != nil {
		return err
	}
	var e syscall.Errno
	err = raw.Control(func(fd uintptr) {
		for {
			_, _, e = unix.Syscall(unix.SYS_IOCTL, fd, request, uintptr(argument))
			if e != unix.EINTR && e != unix.EAGAIN {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	if e != 0 {
		return e
	}
	return nil
}

// pointer pins a slice's memory and returns its address as the kernel's structures have it.
func pointer[T any](pin *runtime.Pinner, s []T) uint64 {
	if len(s) == 0 {
		return 0
	}
	pin.Pin(&s[0])
	return uint64(uintptr(unsafe.Pointer(&s[0])))
}
