package v4l2

import (
	"encoding/binary"
	"os"
	"slices"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// buffers are the operations on buffers.
func (d *device) buffers(request uintptr, argument unsafe.Pointer) error {
	switch request {
	case requestBuffers.request():
		b := (*bufferRequest)(argument)
		return d.allocate(b)
	case exportBuffer.request():
		e := (*bufferExport)(argument)
		r, _, err := d.ring(e.queue)
		if err != nil || int(e.index) >= len(r.buffers) {
			return unix.EINVAL
		}
		fd, err := unix.Dup(int(r.buffers[e.index].file[e.part].Fd()))
		e.fd = int32(fd)
		return err
	}
	b := (*buffer)(argument)
	r, count, err := d.ring(b.queue)
	if err != nil {
		return err
	}
	parts := []part{{used: b.used, length: b.length}}
	if d.multi {
		parts = unsafe.Slice(*(**part)(unsafe.Pointer(&b.offset)), b.length)
		if len(parts) != count {
			return unix.EINVAL
		}
	}
	switch request {
	case queryBuffer.request():
		parts[0].length, parts[0].offset = uint32(len(r.buffers[b.index].data[0])), uint64(b.index)<<12
	case queueBuffer.request():
		if int(b.index) >= len(r.buffers) || slices.Contains(r.waiting, int(b.index)) {
			return unix.EINVAL
		}
		buf := r.buffers[b.index]
		buf.used, buf.at = int(parts[0].used), time.Duration(b.timestamp.Nano())
		if r == &d.coded && buf.at < 0 {
			d.t.Error("a time stamp with a sign")
		}
		r.waiting = append(r.waiting, int(b.index))
	case dequeueBuffer.request():
		if !r.on {
			return unix.EINVAL
		}
		if r.spent {
			return unix.EPIPE
		}
		if len(r.ready) == 0 {
			return unix.EAGAIN
		}
		got := r.ready[0]
		r.ready = r.ready[1:]
		r.spent = got.flags&flagLast != 0
		b.index, b.flags, b.timestamp = uint32(got.index), got.flags, unix.NsecToTimeval(int64(got.stamp))
		parts[0].used = uint32(got.used)
	default:
		d.t.Errorf("an unknown request %#x", request)
	}
	if !d.multi {
		b.used, b.length, b.offset = parts[0].used, parts[0].length, parts[0].offset
	}
	return nil
}

func (d *device) allocate(b *bufferRequest) error {
	r, parts, err := d.ring(b.queue)
	if err != nil {
		return err
	}
	if r.on {
		return unix.EBUSY
	}
	r.free()
	count := int(b.count)
	s := d.format
	if r == &d.decoded {
		s = d.picture
		if d.spare > 0 {
			count = min(count, d.spare)
		}
	}
	b.count = uint32(count)
	for range count {
		buf := &simBuffer{}
		for i := range parts {
			data := make([]byte, s.parts[i].size)
			if r == &d.decoded {
				fd, err := unix.MemfdCreate("picture", unix.MFD_CLOEXEC)
				if err != nil {
					return err
				}
				buf.file = append(buf.file, os.NewFile(uintptr(fd), "picture"))
				if err := unix.Ftruncate(fd, int64(len(data))); err != nil {
					return err
				}
			}
			buf.data = append(buf.data, data)
		}
		r.buffers = append(r.buffers, buf)
	}
	return nil
}

// work decodes what it can. The device's lock is held.
func (d *device) work() {
	for d.coded.on && !d.deaf && (d.frozen == 0 || d.decodedN < d.frozen) {
		if len(d.coded.waiting) == 0 {
			d.drain()
			return
		}
		i := d.coded.waiting[0]
		buf := d.coded.buffers[i]
		raw := buf.data[0][:buf.used]
		if len(raw) < 8 || string(raw[:3]) != "PIC" {
			d.coded.ready, d.coded.waiting = append(d.coded.ready, taken{index: i, flags: flagError}), d.coded.waiting[1:]
			continue
		}
		p := packet{int(binary.BigEndian.Uint16(raw[3:])), int(binary.BigEndian.Uint16(raw[5:])), raw[7], buf.at, raw[7] == d.damaged && d.damaged != 0}
		if !d.parsed || p.width != d.seen[0] || p.height != d.seen[1] || d.restless {
			if !d.change(p) {
				return
			}
			continue
		}
		if d.changing || !d.decoded.on || len(d.held) >= d.delay && len(d.decoded.waiting) < d.least {
			return
		}
		d.coded.ready, d.coded.waiting = append(d.coded.ready, taken{index: i}), d.coded.waiting[1:]
		if d.swallows {
			continue
		}
		if d.held = append(d.held, p); len(d.held) > d.delay {
			d.give(0)
		}
	}
}

// change begins with another format, when all in the old one was given out.
func (d *device) change(p packet) bool {
	if d.decoded.on && !d.changing {
		if len(d.decoded.waiting) < max(1, len(d.held)) {
			return false
		}
		for len(d.held) > 1 {
			d.give(0)
		}
		if len(d.held) == 1 {
			d.give(flagLast)
		} else {
			d.decoded.ready, d.decoded.waiting = append(d.decoded.ready, taken{index: d.decoded.waiting[0], flags: flagLast}), d.decoded.waiting[1:]
		}
	}
	d.changing = d.decoded.on
	d.parsed, d.restless, d.seen = true, false, [2]int{p.width, p.height}
	d.picture = d.layout(fourCC(d.makes[0]), p.width, p.height)
	d.events++
	return false
}

// drain gives out what is held back, and marks the last picture.
func (d *device) drain() {
	for d.stopping && !d.done && d.decoded.on && len(d.decoded.waiting) >= 1 {
		if len(d.held) > 1 {
			d.give(0)
			continue
		}
		d.done = true
		if len(d.held) == 1 {
			d.give(flagLast)
			return
		}
		d.decoded.ready, d.decoded.waiting = append(d.decoded.ready, taken{index: d.decoded.waiting[0], flags: flagLast}), d.decoded.waiting[1:]
	}
}

// give gives a picture out: that one of those held which is due first.
func (d *device) give(flags uint32) {
	first := slices.MinFunc(d.held, func(a, b packet) int { return int(a.at - b.at) })
	d.held = slices.DeleteFunc(d.held, func(p packet) bool { return p == first })
	i := d.decoded.waiting[0]
	d.decoded.waiting = d.decoded.waiting[1:]
	b := d.decoded.buffers[i]
	for part, f := range b.file {
		for j := range b.data[part] {
			b.data[part][j] = first.value
		}
		_, _ = f.WriteAt(b.data[part], 0) // a file in memory
	}
	if first.broken {
		flags |= flagError
	}
	d.decodedN++
	d.decoded.ready = append(d.decoded.ready, taken{index: i, used: len(b.data[0]), flags: flags, stamp: first.at})
}
