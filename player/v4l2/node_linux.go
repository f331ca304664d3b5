package v4l2

import (
	"errors"
	"fmt"
	"image"
	"os"
	"runtime"
	"slices"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// node is an open device, with the calls of videodev2.h. Errors wrap the kernel's.
type node struct {
	kernel
	path           string
	driver         string
	coded, decoded queue // in one of the two ways of V4L2
}

// kernel is what a node's calls go to: a file, or what a test puts in its place.
type kernel interface {
	ioctl(request uintptr, argument unsafe.Pointer) error
	mmap(offset int64, length int) ([]byte, error)
	munmap([]byte) error

	// wait returns which of the events of poll(2) are there, none after the limit or after wake.
	wait(events int16, limit time.Duration) (int16, error)
	wake()
	close() error
}

// call runs an operation.
func call[T any](n *node, op operation[T], argument *T) error {
	return n.ioctl(op.request(), unsafe.Pointer(argument))
}

// errNoDecoder says that a device is none.
var errNoDecoder = errors.New("no memory-to-memory device")

// identify asks a device what it is.
func (n *node) identify() error {
	var c capability
	if err := call(n, queryCapability, &c); err != nil {
		return fmt.Errorf("query capabilities: %w", err)
	}
	can := c.capabilities
	if can&capDeviceCaps != 0 {
		can = c.ofDevices
	}
	end := slices.Index(c.driver[:], 0)
	n.driver = string(c.driver[:max(end, 0)])
	switch {
	case can&capStreaming == 0:
		return errNoDecoder
	case can&capM2MPlane != 0:
		n.coded, n.decoded = outputMPlane, captureMPlane
	case can&capM2M != 0:
		n.coded, n.decoded = output, capture
	default:
		return errNoDecoder
	}
	return nil
}

// maxListed bounds what a driver lists.
const maxListed = 256

// formats returns what a queue takes.
func (n *node) formats(q queue) (list []uint32) {
	for i := range uint32(maxListed) {
		d := formatDescription{index: i, queue: q}
		if call(n, enumFormat, &d) != nil {
			break
		}
		list = append(list, d.pixelFormat)
	}
	return list
}

// takesSize tells whether compressed pictures of a size are taken. A driver that lists none takes any, or says so later.
func (n *node) takesSize(format uint32, size image.Point) bool {
	for i := range uint32(maxListed) {
		f := frameSize{index: i, pixelFormat: format}
		if call(n, enumFrameSize, &f) != nil {
			return i == 0
		}
		w, h, s := uint32(size.X), uint32(size.Y), f.sizes
		if f.kind == sizesDiscrete && w == s[0] && h == s[1] {
			return true
		}
		if f.kind != sizesDiscrete { // steps are those of the buffer: what is seen may lie between them
			return w <= s[1] && h <= s[4] && w+s[2] > s[0] && h+s[5] > s[3]
		}
	}
	return false
}

// takesProfile tells whether a menu of profiles lists one. A driver without the menu takes any, or says so later.
func (n *node) takesProfile(menu uint32, profile int) bool {
	listed := false
	for i := range uint32(32) {
		if call(n, queryMenu, &menuItem{id: menu, index: i}) == nil {
			listed = true
			if int(i) == profile {
				return true
			}
		}
	}
	return !listed
}

// multi tells whether a queue's formats have parts.
func (q queue) multi() bool { return q >= captureMPlane }

// read returns what a format says.
func (f *format) read() (s shape) {
	if !f.queue.multi() {
		p := f.single()
		return shape{p.pixelFormat, int(p.width), int(p.height), [3]partShape{{int(p.sizeImage), int(p.bytesPerLine)}}}
	}
	p := f.multi()
	s = shape{fourCC: p.pixelFormat, width: int(p.width), height: int(p.height)}
	for i := range min(int(p.count), len(s.parts)) {
		s.parts[i] = partShape{int(p.planes[i].sizeImage), int(p.planes[i].bytesPerLine)}
	}
	return s
}

// shape returns how a queue's buffers are laid out.
func (n *node) shape(q queue) (shape, error) {
	f := format{queue: q}
	if err := call(n, getFormat, &f); err != nil {
		return shape{}, fmt.Errorf("read format: %w", err)
	}
	return f.read(), nil
}

// setShape asks for a layout, of which only the first part's size is a wish, and returns what the driver makes of it.
func (n *node) setShape(q queue, want shape) (shape, error) {
	f := format{queue: q}
	if q.multi() {
		p := f.multi()
		p.width, p.height, p.pixelFormat, p.field, p.count = uint32(want.width), uint32(want.height), want.fourCC, fieldNone, 1
		p.planes[0].sizeImage = uint32(want.parts[0].size)
		if pic, ok := pictureOf(want.fourCC); ok {
			p.count = uint8(pic.parts)
		}
	} else {
		p := f.single()
		p.width, p.height, p.pixelFormat, p.field = uint32(want.width), uint32(want.height), want.fourCC, fieldNone
		p.sizeImage = uint32(want.parts[0].size)
	}
	if err := call(n, setFormat, &f); err != nil {
		return shape{}, fmt.Errorf("set format: %w", err)
	}
	return f.read(), nil
}

// visible returns what of the decoded pictures is to be seen: all, if the driver does not say.
func (n *node) visible(s shape) image.Rectangle {
	sel := selection{queue: capture, target: selectCompose} // also of a device with parts
	if call(n, getSelection, &sel) != nil || sel.width == 0 || sel.high == 0 {
		return image.Rect(0, 0, s.width, s.height)
	}
	return image.Rect(int(sel.left), int(sel.top), int(sel.left)+int(sel.width), int(sel.top)+int(sel.high))
}

// value returns a control's value; false: the driver does not have it.
func (n *node) value(id uint32) (int, bool) {
	c := control{id: id}
	err := call(n, getControl, &c)
	return int(c.value), err == nil
}

// allocate makes a queue's buffers, in place of those there were, and returns how many. 0 frees them.
func (n *node) allocate(q queue, count int) (int, error) {
	r := bufferRequest{count: uint32(count), queue: q, memory: memoryMMap}
	if err := call(n, requestBuffers, &r); err != nil {
		return 0, fmt.Errorf("allocate %d buffers: %w", count, err)
	}
	return int(r.count), nil
}

// with runs an operation on a buffer, whose parts are at hand on the queues that have some.
func (n *node) with(op operation[buffer], b *buffer, parts []part) error {
	b.memory = memoryMMap
	if !b.queue.multi() {
		if op == queueBuffer {
			b.used, b.length = parts[0].used, parts[0].length
		}
		err := call(n, op, b)
		parts[0] = part{used: b.used, length: b.length, offset: b.offset & 0xffffffff}
		return err
	}
	var pinned runtime.Pinner // the kernel reads them through a number
	defer pinned.Unpin()
	pinned.Pin(&parts[0])
	b.offset, b.length = uint64(uintptr(unsafe.Pointer(&parts[0]))), uint32(len(parts))
	return call(n, op, b)
}

// mapBuffer returns the memory of a buffer of one part.
func (n *node) mapBuffer(q queue, index int) ([]byte, error) {
	var parts [1]part
	b := buffer{index: uint32(index), queue: q}
	if err := n.with(queryBuffer, &b, parts[:]); err != nil {
		return nil, fmt.Errorf("query buffer: %w", err)
	}
	data, err := n.mmap(int64(parts[0].offset&0xffffffff), int(parts[0].length))
	if err != nil {
		return nil, fmt.Errorf("map buffer: %w", err)
	}
	return data, nil
}

// export returns a part of a buffer as a dma-buf.
func (n *node) export(q queue, index, part int) (*os.File, error) {
	e := bufferExport{queue: q, index: uint32(index), part: uint32(part), flags: unix.O_RDWR | unix.O_CLOEXEC}
	if err := call(n, exportBuffer, &e); err != nil {
		return nil, fmt.Errorf("export buffer: %w", err)
	}
	return os.NewFile(uintptr(e.fd), "dma-buf"), nil
}

// enqueue hands a buffer to the device: used bytes of compressed pictures with a time stamp, or none, to be filled.
func (n *node) enqueue(q queue, index, parts, used, length int, stamp time.Duration) error {
	all := make([]part, parts)
	all[0].used, all[0].length = uint32(used), uint32(length)
	b := buffer{index: uint32(index), queue: q, field: fieldNone, timestamp: unix.NsecToTimeval(int64(stamp))}
	if err := n.with(queueBuffer, &b, all); err != nil {
		return fmt.Errorf("queue buffer: %w", err)
	}
	return nil
}

// taken is a buffer that the device gave back.
type taken struct {
	index, used int
	flags       uint32
	stamp       time.Duration
}

// dequeue takes a buffer back. It is EAGAIN if there is none, and EPIPE after the last decoded one.
func (n *node) dequeue(q queue, parts int) (taken, error) {
	all := make([]part, parts)
	b := buffer{queue: q}
	if err := n.with(dequeueBuffer, &b, all); err != nil {
		return taken{}, err
	}
	return taken{int(b.index), int(all[0].used), b.flags, time.Duration(b.timestamp.Nano())}, nil
}

// stream starts or stops a queue. A queue that is stopped has given all its buffers back.
func (n *node) stream(q queue, on bool) error {
	op := streamOff
	if on {
		op = streamOn
	}
	if err := call(n, op, &q); err != nil {
		return fmt.Errorf("start or stop a queue: %w", err)
	}
	return nil
}

// subscribe asks to be told when the format of the pictures changes.
func (n *node) subscribe() error {
	if err := call(n, subscribeEvent, &subscription{kind: eventSourceChange}); err != nil {
		return fmt.Errorf("subscribe to changes: %w", err)
	}
	return nil
}

// sourceChanged takes all events, and tells whether one of them says that the format of the pictures changes.
func (n *node) sourceChanged() (changed bool, err error) {
	for {
		var e event
		if err := call(n, dequeueEvent, &e); errors.Is(err, unix.ENOENT) {
			return changed, nil
		} else if err != nil {
			return changed, fmt.Errorf("take an event: %w", err)
		}
		changed = changed || e.kind == eventSourceChange && e.changes&resolutionChanged != 0
	}
}

// stop has the device decode what it has, and mark the last picture.
func (n *node) stop() error {
	if err := call(n, decoderCommand, &command{command: stopCommand}); err != nil {
		return fmt.Errorf("drain: %w", err)
	}
	return nil
}
