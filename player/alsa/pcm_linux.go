package alsa

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"manofwar/player"
)

// pcm is an open playback device. Its calls may be made from any goroutine, and end with [os.ErrClosed] after close.
type pcm struct {
	file *os.File
	raw  syscall.RawConn
	shape
}

// errSink is what drivers of HDMI say while no screen is connected: ENOTSUPP, which is the kernel's own.
const errSink = unix.Errno(524)

// openPCM opens a device and has it take the form that is nearest to want. A device that somebody else plays on is EBUSY.
func openPCM(path string, want player.SoundFormat) (*pcm, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, known(err))
	}
	d := &pcm{file: os.NewFile(uintptr(fd), path)}
	if d.raw, err = d.file.SyscallConn(); err == nil {
		err = d.configure(want)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), d.close())
	}
	return d, nil
}

func (d *pcm) close() error { return d.file.Close() }

// configure negotiates, and makes the device ready for the first write.
func (d *pcm) configure(want player.SoundFormat) error {
	p, err := newParams(func(h *hwParams) error { return d.ioctl(pcmHwRefine, unsafe.Pointer(h)) })
	if err != nil {
		return known(err)
	}
	if d.shape, err = p.settle(want); err != nil {
		return known(err)
	}
	p.rmask = anyParam
	if err := d.ioctl(pcmHwParams, unsafe.Pointer(&p.hwParams)); err != nil {
		return fmt.Errorf("hardware parameters: %w", known(err))
	}
	sw := swParams{
		tstampMode: tstampEnable, tstampType: tstampMonotonic, proto: protocol, periodStep: 1, xferAlign: 1,
		availMin: uint64(d.period), startThreshold: noAutoStart, stopThreshold: uint64(d.buffer),
		// What follows the last sample is heard until the driver notices the end: let it be silence.
		silenceThreshold: uint64(d.period), silenceSize: uint64(d.period),
	}
	if err := d.ioctl(pcmSwParams, unsafe.Pointer(&sw)); err != nil {
		return fmt.Errorf("software parameters: %w", known(err))
	}
	return d.prepare()
}

// ioctl makes a call on the device unless it is closed.
func (d *pcm) ioctl(request uintptr, arg unsafe.Pointer) (err error) {
	if closed := d.raw.Control(func(fd uintptr) { err = ioctl(fd, request, arg) }); closed != nil {
		return closed
	}
	return err
}

// prepare empties the device and has it count from zero.
func (d *pcm) prepare() error { return known(d.ioctl(pcmPrepare, nil)) }

// start has it play. There must be something to play.
func (d *pcm) start() error { return known(d.ioctl(pcmStart, nil)) }

// drop has it stop at once.
func (d *pcm) drop() error { return known(d.ioctl(pcmDrop, nil)) }

// drain has it stop after what is queued, and does not wait for that.
func (d *pcm) drain() error {
	if err := d.ioctl(pcmDrain, nil); !errors.Is(err, unix.EAGAIN) {
		return known(err)
	}
	return nil
}

// status asks what has been played.
func (d *pcm) status() (s pcmStatus, err error) {
	err = d.ioctl(pcmGetState, unsafe.Pointer(&s))
	return s, known(err)
}

// writeFrames queues as many frames as there is room for: [unix.EAGAIN] if there is none.
func writeFrames(fd uintptr, frames []byte, frameSize int) (int, error) {
	var pin runtime.Pinner // the kernel gets the address inside a structure
	defer pin.Unpin()
	pin.Pin(&frames[0])
	x := transfer{buf: unsafe.Pointer(&frames[0]), frames: uint64(len(frames) / frameSize)}
	if err := ioctl(fd, pcmWrite, unsafe.Pointer(&x)); err != nil {
		return 0, err
	}
	return int(x.result), nil
}

// known words the kernel's errors as the player's where it has a word.
func known(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.EPIPE), errors.Is(err, unix.ESTRPIPE): // dry; or the machine slept
		return player.ErrUnderrun
	case errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO), errors.Is(err, unix.ENOENT), errors.Is(err, errSink):
		return player.ErrGone
	case errors.Is(err, unix.EINVAL), errors.Is(err, errEmpty):
		return player.ErrFormat
	}
	return err
}
