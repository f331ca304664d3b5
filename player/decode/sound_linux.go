package decode

import (
	"fmt"
	"io"
	"time"
	"unsafe"

	"manofwar/player"
	"manofwar/player/decode/iec61937"
	"manofwar/player/decode/nut"
)

// soundReader reads samples, and counts them: the time of one is that of the first and how many came in between, so
// that rounding in a file's timestamps is not heard.
type soundReader struct {
	nut      *nut.Reader
	base     time.Duration
	speed    float64
	rate     int
	channels int
	packed   bool          // packets come, and go packed
	from     time.Duration // packets before it are left out; samples were by ffmpeg

	began  bool
	first  time.Duration // what the first timestamp is
	anchor time.Duration // of the sample at which counting began
	count  int64         // frames since
	late   error         // what the last packet's header could not be read for, after samples that were

	packer  iec61937.Packer
	packets []byte // packed, not yet taken
}

// resync is how far a timestamp may be from the count before it is believed. ffmpeg has filled and cut by then: it is
// for what it leaves alone.
const resync = 120 * time.Millisecond

// read fills p, across packets as long as no time is missing between them.
func (r *soundReader) read(p []float32) (int, time.Duration, error) {
	if r.late != nil {
		return 0, 0, r.late
	}
	unit := r.channels
	if r.packed {
		unit = 1
	}
	p = p[:len(p)/unit*unit]
	if len(p) == 0 {
		return 0, 0, fmt.Errorf("no room for a sample of %d channels: %w", r.channels, io.ErrShortBuffer)
	}
	var at time.Duration
	n := 0
	for n < len(p) {
		if r.empty() {
			jumped, err := r.next()
			if err != nil && n > 0 {
				r.late = err
				break
			} else if err != nil {
				return 0, 0, err
			}
			if jumped && n > 0 {
				break
			}
		}
		if n == 0 {
			at = r.now()
		}
		got, err := r.take(p[n:])
		if err != nil {
			return 0, 0, err
		}
		n += got
		r.count += int64(got / unit)
	}
	return n, at, nil
}

// now is the time of the next sample.
func (r *soundReader) now() time.Duration {
	return r.anchor + time.Duration(float64(r.count)*r.speed/float64(r.rate)*float64(time.Second)+0.5)
}

func (r *soundReader) empty() bool {
	if r.packed {
		return len(r.packets) == 0
	}
	return r.nut.Left() == 0
}

// next goes to the next packet, and tells whether time is missing before it.
func (r *soundReader) next() (jumped bool, err error) {
	for {
		header, err := r.nut.Next()
		if err != nil {
			return false, err
		}
		stamp := r.nut.Streams()[header.Stream].Time(header.PTS)
		if r.packed && r.base+stamp < r.from-halfPacket {
			continue
		}
		if !r.began {
			r.first = stamp
		}
		at := r.base + r.first + time.Duration(float64(stamp-r.first)*r.speed) // ffmpeg leaves the first one as it is
		if r.packed {
			if err := r.pack(header.Size); err != nil {
				return false, err
			}
			if len(r.packets) == 0 {
				continue // it goes with the next one
			}
		} else if header.Size%(4*r.channels) != 0 {
			return false, fmt.Errorf("%d bytes of sound for %d channels: %w", header.Size, r.channels, player.ErrFormat)
		} else if header.Size == 0 {
			continue
		}
		if d := at - r.now(); !r.began || d > resync || d < -resync {
			jumped = r.began
			r.began, r.anchor, r.count = true, at, 0
		}
		return jumped, nil
	}
}

// take moves samples of the current packet to p.
func (r *soundReader) take(p []float32) (int, error) {
	b := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(p))), 4*len(p)) // both machines are little endian
	if r.packed {
		n := copy(b, r.packets) &^ 3
		r.packets = r.packets[n:]
		return n / 4, nil
	}
	n, err := io.ReadFull(r.nut, b[:min(len(b), r.nut.Left())])
	return n / 4, err
}

// halfPacket is half of what a packet of AC-3 lasts.
const halfPacket = 16 * time.Millisecond

// maxPacket bounds a compressed packet: DTS has 16 KB at the most.
const maxPacket = 64 << 10

func (r *soundReader) pack(size int) error {
	if size > maxPacket {
		return fmt.Errorf("a packet of %d bytes: %w", size, player.ErrFormat)
	}
	packet := make([]byte, size)
	if _, err := io.ReadFull(r.nut, packet); err != nil {
		return err
	}
	var err error
	r.packets, err = r.packer.Pack(packet)
	return err
}
