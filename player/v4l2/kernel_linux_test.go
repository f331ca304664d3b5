package v4l2

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// simulated is a kernel with one device, which decodes a codec of the test's: a packet is a header and a value, which is what
// every byte of the picture becomes. It follows dev-decoder.rst where that says what a driver must do, and refuses what a
// program must not.
type simulated struct {
	options
	t testing.TB

	mu   sync.Mutex // guards all below
	open int
	made int // devices that were opened
	last *device
	maps int // memory that is mapped
	fail map[uintptr]error
}

// options say what the device is like.
type options struct {
	multi    bool
	makes    []string // formats; the first is its choice
	coded    string
	delay    int  // pictures that it holds back, as for reordering
	need     int  // buffers that it needs for itself; 0: it does not say
	least    int  // that it really needs
	align    int  // of buffers' lines and height
	deaf     bool // does nothing with what it gets
	swallows bool // takes what it gets, and makes nothing of it
	spare    int  // buffers that there is memory for; 0: any number
	frozen   int  // it stands still after so many pictures; 0: never
	damaged  byte // the value of a picture that it cannot decode; 0: none
	noSizes  bool
	profiles []int
	restless bool // says after each seek that the format is new
}

// device is an open one.
type device struct {
	*simulated
	mu       sync.Mutex // guards all below
	woken    bool
	news     chan struct{}
	closed   bool
	format   shape // of the coded queue
	picture  shape // of the decoded queue
	parsed   bool  // the stream's format is known
	seen     [2]int
	coded    ring
	decoded  ring
	events   int
	changing bool // the old format's last picture was given out, or is to be
	stopping bool
	done     bool // the last picture was given out
	held     []packet
	decodedN int
	restless bool
}

// ring is a queue.
type ring struct {
	on      bool
	buffers []*simBuffer
	waiting []int // handed over, in order
	ready   []taken
	spent   bool // the last buffer was taken
}

type simBuffer struct {
	data [][]byte
	file []*os.File
	used int
	at   time.Duration
}

// packet is a compressed picture.
type packet struct {
	width, height int
	value         byte
	at            time.Duration
	broken        bool
}

// press makes a packet.
func press(width, height int, value byte) []byte {
	return append(binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16([]byte("PIC"), uint16(width)), uint16(height)), value, 0, 0, 0)
}

func newKernel(t testing.TB, o options) *simulated {
	if o.coded == "" {
		o.coded = "H264"
	}
	if o.makes == nil {
		o.makes = []string{"NV12", "YU12"}
	}
	o.align, o.least = max(o.align, 1), max(o.least, 1)
	k := &simulated{options: o, t: t, fail: make(map[uintptr]error)}
	t.Cleanup(func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.open != 0 || k.maps != 0 {
			t.Errorf("%d devices were left open, %d buffers mapped", k.open, k.maps)
		}
	})
	return k
}

// dir returns a directory with so many devices.
func deviceDir(t testing.TB, n int) string {
	dir := t.TempDir()
	for i := range n {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("video%d", 10+i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// failing has an operation fail from now on; nil: not any more.
func (k *simulated) failing(request uintptr, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.fail[request] = err
}

func (k *simulated) openDevice() *device {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.open++
	k.made++
	d := &device{simulated: k, news: make(chan struct{}, 1)}
	d.format = shape{fourCC: fourCC(k.coded), width: 64, height: 64}
	d.picture = d.layout(fourCC(k.makes[0]), 64, 64)
	k.last = d
	return d
}

// layout is what the device makes of a format.
func (k *simulated) layout(name uint32, width, height int) shape {
	up := func(n int) int { return (n + k.align - 1) / k.align * k.align }
	s := shape{fourCC: name, width: up(width), height: up(height)}
	p, _ := pictureOf(name)
	luma := s.width * s.height
	switch {
	case p.fourCC == fourCC("XR24"):
		s.parts[0] = partShape{4 * luma, 4 * s.width}
	case p.parts == 1:
		s.parts[0] = partShape{luma * 3 / 2, s.width}
	case p.parts == 2:
		s.parts[0], s.parts[1] = partShape{luma, s.width}, partShape{luma / 2, s.width}
	default:
		s.parts = [3]partShape{{luma, s.width}, {luma / 4, s.width / 2}, {luma / 4, s.width / 2}}
	}
	return s
}

func (d *device) mmap(offset int64, _ int) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.simulated.mu.Lock()
	d.maps++
	d.simulated.mu.Unlock()
	return d.coded.buffers[offset>>12].data[0], nil
}

func (d *device) munmap([]byte) error {
	d.simulated.mu.Lock()
	defer d.simulated.mu.Unlock()
	d.maps--
	return nil
}

func (d *device) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		d.t.Error("closed twice")
	}
	d.closed = true
	d.coded.free()
	d.decoded.free()
	d.simulated.mu.Lock()
	d.open--
	d.simulated.mu.Unlock()
	return nil
}

func (d *device) wake() {
	d.mu.Lock()
	d.woken = true
	d.mu.Unlock()
	d.tell()
}

func (d *device) tell() {
	select {
	case d.news <- struct{}{}:
	default:
	}
}

func (d *device) wait(events int16, limit time.Duration) (int16, error) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		d.mu.Lock()
		got := d.poll() & (events | unix.POLLERR)
		if events&(unix.POLLIN|unix.POLLOUT) == 0 {
			got &^= unix.POLLERR
		}
		woken := d.woken
		d.woken = false
		d.mu.Unlock()
		if got != 0 {
			return got, nil
		}
		if woken {
			return rung, nil
		}
		select {
		case <-d.news:
		case <-timer.C:
			return 0, nil
		}
	}
}

// poll is v4l2_m2m_poll.
func (d *device) poll() (got int16) {
	if d.events > 0 {
		got |= unix.POLLPRI
	}
	if (!d.coded.on || d.coded.empty()) && (!d.decoded.on || d.decoded.empty() && !d.decoded.spent) {
		return got | unix.POLLERR
	}
	if len(d.coded.ready) > 0 {
		got |= unix.POLLOUT
	}
	if len(d.decoded.ready) > 0 || d.decoded.spent {
		got |= unix.POLLIN
	}
	return got
}

func (r *ring) empty() bool { return len(r.waiting)+len(r.ready) == 0 }

func (r *ring) free() {
	for _, b := range r.buffers {
		for _, f := range b.file {
			_ = f.Close()
		}
	}
	*r = ring{}
}

// ring returns the ring of a queue, and its parts.
func (d *device) ring(q queue) (*ring, int, error) {
	if q.multi() != d.multi {
		return nil, 0, unix.EINVAL
	}
	if q == output || q == outputMPlane {
		return &d.coded, 1, nil
	}
	p, _ := pictureOf(d.picture.fourCC)
	return &d.decoded, p.parts, nil
}

func (d *device) ioctl(request uintptr, argument unsafe.Pointer) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.simulated.mu.Lock()
	err := d.fail[request]
	d.simulated.mu.Unlock()
	if d.closed {
		d.t.Error("a call of a closed device")
	}
	if err != nil {
		return err
	}
	defer d.tell()
	defer d.work()
	return d.answer(request, argument)
}

func (d *device) answer(request uintptr, argument unsafe.Pointer) error {
	switch request {
	case queryCapability.request():
		c := (*capability)(argument)
		copy(c.driver[:], "simulated")
		c.ofDevices = capStreaming | capM2M
		if d.multi {
			c.ofDevices = capStreaming | capM2MPlane
		}
		c.capabilities = c.ofDevices | capDeviceCaps
	case enumFormat.request():
		f := (*formatDescription)(argument)
		names := d.makes
		if f.queue == output || f.queue == outputMPlane {
			names = []string{d.options.coded}
		}
		if int(f.index) >= len(names) || f.queue.multi() != d.multi {
			return unix.EINVAL
		}
		f.pixelFormat = fourCC(names[f.index])
	case enumFrameSize.request():
		f := (*frameSize)(argument)
		if d.noSizes || f.index > 0 {
			return unix.EINVAL
		}
		f.kind, f.sizes = 3, [6]uint32{32, 1920, 16, 32, 1088, 16}
	case queryMenu.request():
		if m := (*menuItem)(argument); !slices.Contains(d.profiles, int(m.index)) {
			return unix.EINVAL
		}
	case getControl.request():
		if d.need == 0 {
			return unix.EINVAL
		}
		(*control)(argument).value = int32(d.need)
	case getFormat.request(), setFormat.request():
		return d.shape((*format)(argument), request == setFormat.request())
	case getSelection.request():
		s := (*selection)(argument)
		if s.queue != capture || !d.parsed {
			return unix.EINVAL
		}
		s.width, s.high = uint32(d.seen[0]), uint32(d.seen[1])
	case subscribeEvent.request():
	case dequeueEvent.request():
		if d.events == 0 {
			return unix.ENOENT
		}
		d.events--
		*(*event)(argument) = event{kind: eventSourceChange, changes: resolutionChanged}
	case decoderCommand.request():
		d.stopping = d.coded.on && d.decoded.on
	case streamOn.request(), streamOff.request():
		return d.stream(*(*queue)(argument), request == streamOn.request())
	default:
		return d.buffers(request, argument)
	}
	return nil
}

func (d *device) shape(f *format, set bool) error {
	r, _, err := d.ring(f.queue)
	if err != nil {
		return err
	}
	s := &d.picture
	if r == &d.coded {
		s = &d.format
	}
	if set {
		if len(r.buffers) > 0 {
			return unix.EBUSY
		}
		want := f.read()
		if r == &d.coded {
			*s = shape{fourCC: fourCC(d.options.coded), width: want.width, height: want.height, parts: [3]partShape{{size: max(want.parts[0].size, 64)}}}
		} else if slices.ContainsFunc(d.makes, func(n string) bool { return fourCC(n) == want.fourCC }) {
			*s = d.layout(want.fourCC, d.seen[0], d.seen[1])
		}
	}
	if f.queue.multi() {
		m := f.multi()
		m.width, m.height, m.pixelFormat = uint32(s.width), uint32(s.height), s.fourCC
		for i, p := range s.parts {
			m.planes[i].sizeImage, m.planes[i].bytesPerLine = uint32(p.size), uint32(p.pitch)
			if p.size > 0 {
				m.count = uint8(i + 1)
			}
		}
		return nil
	}
	m := f.single()
	m.width, m.height, m.pixelFormat, m.sizeImage, m.bytesPerLine = uint32(s.width), uint32(s.height), s.fourCC, uint32(s.parts[0].size), uint32(s.parts[0].pitch)
	return nil
}

func (d *device) stream(q queue, on bool) error {
	r, _, err := d.ring(q)
	if err != nil {
		return err
	}
	if on && len(r.buffers) == 0 {
		return unix.EINVAL
	}
	r.on = on
	if on {
		return nil
	}
	r.waiting, r.ready, r.spent = nil, nil, false
	d.held, d.stopping, d.done = nil, false, false
	if r == &d.coded {
		d.restless = d.options.restless
	} else {
		d.changing = false
	}
	return nil
}
