//go:build linux && hwsim

package v4l2

import (
	"errors"
	"fmt"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/internal/media"
	"manofwar/player"
)

// vicodec loads the kernel's own codec, which is one behind the interface of hardware codecs
// (drivers/media/test-drivers/vicodec). On a dongle PID 1 loads drivers.
func vicodec(t *testing.T, multiplanar bool) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to load the driver of a codec")
	}
	option := "multiplanar=0"
	if multiplanar {
		option = "multiplanar=1"
	}
	for _, args := range [][]string{{"modprobe", "-r", "vicodec"}, {"modprobe", "vicodec", option}} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v: %s", args, err, out)
		}
	}
}

// encoder is vicodec's other half: it makes the films.
type encoder struct {
	*node
	t    *testing.T
	size image.Point
	raw  []byte
	out  []byte
}

// newEncoder sets an encoder up for pictures of a format.
func newEncoder(t *testing.T, format string, size image.Point) *encoder {
	t.Helper()
	paths, err := filepath.Glob("/dev/video*")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		k, err := openFile(path)
		if err != nil {
			t.Fatal(err)
		}
		e := &encoder{node: &node{kernel: k, path: path}, t: t, size: size}
		if e.identify() != nil || e.driver != "vicodec" || !slices.Contains(e.formats(e.decoded), fourCC("FWHT")) {
			if err := k.close(); err != nil {
				t.Fatal(err)
			}
			continue
		}
		e.prepare(format)
		return e
	}
	t.Fatalf("none of %v encodes", paths)
	return nil
}

func (e *encoder) prepare(format string) {
	e.t.Helper()
	must := func(err error) {
		e.t.Helper()
		if err != nil {
			e.t.Fatal(err)
		}
	}
	_, err := e.setShape(e.coded, shape{fourCC: fourCC(format), width: e.size.X, height: e.size.Y})
	must(err)
	_, err = e.setShape(e.decoded, shape{fourCC: fourCC("FWHT"), width: e.size.X, height: e.size.Y})
	must(err)
	for _, q := range []queue{e.coded, e.decoded} {
		_, err := e.allocate(q, 1)
		must(err)
		data, err := e.mapBuffer(q, 0)
		must(err)
		if q == e.coded {
			e.raw = data
		} else {
			e.out = data
		}
		must(e.stream(q, true))
	}
}

// encode returns a compressed picture.
func (e *encoder) encode(picture []byte) []byte {
	e.t.Helper()
	if len(picture) != len(e.raw) {
		e.t.Fatalf("a picture of %d bytes, it wants %d", len(picture), len(e.raw))
	}
	copy(e.raw, picture)
	if err := errors.Join(e.enqueue(e.decoded, 0, 1, 0, len(e.out), 0), e.enqueue(e.coded, 0, 1, len(e.raw), len(e.raw), 0)); err != nil {
		e.t.Fatal(err)
	}
	done := func(q queue) taken {
		for range 1000 {
			b, err := e.dequeue(q, 1)
			if err == nil {
				return b
			}
			if !errors.Is(err, unix.EAGAIN) {
				e.t.Fatal(err)
			}
			if _, err := e.wait(unix.POLLIN|unix.POLLOUT, time.Second); err != nil {
				e.t.Fatal(err)
			}
		}
		e.t.Fatal("the encoder stands still")
		return taken{}
	}
	done(e.coded)
	b := done(e.decoded)
	return slices.Clone(e.out[:b.used])
}

func (e *encoder) shut() {
	e.t.Helper()
	if err := errors.Join(e.munmap(e.raw), e.munmap(e.out), e.close()); err != nil {
		e.t.Fatal(err)
	}
}

// source returns picture n of a film: brightness rises to the right and down, and moves.
func source(format string, size image.Point, n int) []byte {
	switch format {
	case "XR24":
		b := make([]byte, 4*size.X*size.Y)
		for i := range size.X * size.Y {
			x, y := i%size.X, i/size.X
			copy(b[4*i:], []byte{byte(x/4 + n), byte(y/2 + n), byte((x + y) / 8), 0})
		}
		return b
	default: // NV12 and YU12 have the same number of bytes; colours are flat
		b := make([]byte, size.X*size.Y*3/2)
		for i := range size.X * size.Y {
			b[i] = byte(16 + (i%size.X/4+i/size.X/2+2*n)%200)
		}
		for i := size.X * size.Y; i < len(b); i++ {
			b[i] = 128
		}
		return b
	}
}

// shoot returns a film of so many pictures in vicodec's format: its packets, and the pictures that they were made of.
func shoot(t *testing.T, format string, size image.Point, n int) (f film, pictures [][]byte) {
	t.Helper()
	e := newEncoder(t, format, size)
	defer e.shut()
	f.size = size
	for i := range n {
		p := source(format, size, i)
		f.packets = append(f.packets, sample{e.encode(p), time.Duration(i) * 40 * time.Millisecond})
		pictures = append(pictures, p)
	}
	return f, pictures
}

// requestFWHT asks for the film.
func (f film) requestFWHT(from time.Duration) player.Request {
	r := f.request(from)
	r.Info.Streams = []media.Stream{{Kind: media.Video, Codec: "fwht", Width: f.size.X, Height: f.size.Y}}
	return r
}

// loss compares a frame with the picture that it was: the mean difference of its first plane's bytes.
func loss(f *player.Frame, format string, source []byte) (float64, error) {
	width := f.Width
	if format == "XR24" {
		width *= 4
	}
	sum := 0
	for y := range f.Height {
		line := f.Planes[0].Data[y*f.Planes[0].Pitch:]
		if len(line) < width {
			return 0, fmt.Errorf("line %d has %d bytes", y, len(line))
		}
		for x := range width {
			if format == "XR24" && x%4 == 3 {
				continue
			}
			d := int(line[x]) - int(source[y*width+x])
			sum += max(d, -d)
		}
	}
	return float64(sum) / float64(width*f.Height), nil
}
