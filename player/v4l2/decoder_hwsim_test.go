//go:build linux && hwsim

package v4l2

import (
	"bytes"
	"context"
	"errors"
	"image"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"manofwar/internal/lab/guest"
	"manofwar/player"
	"manofwar/player/kms"
	"manofwar/player/kms/drm"
	"manofwar/player/playertest"
)

// worst is how far a picture may be from what it was, as a mean of its bytes: the codec loses a little.
const worst = 4.0

// real returns a decoder on the devices of the machine.
func real(t *testing.T, d Display) *Decoder {
	return New(Options{Display: d, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
}

// check compares a frame with the picture that it was.
func check(t *testing.T, i int, f *player.Frame, format string, source []byte) {
	t.Helper()
	if off, err := loss(f, format, source); err != nil || off > worst {
		t.Fatalf("picture %d is off by %.2f, %v", i, off, err)
	}
}

// TestOnARealDriver decodes films of the kernel's codec, in both ways of its interface: whole, from places on, and twice alike.
func TestOnARealDriver(t *testing.T) {
	for _, c := range []struct {
		name   string
		multi  bool
		format string
		screen player.Format
	}{
		{"NV12", false, "NV12", player.NV12},
		{"YUV420 with parts", true, "YU12", player.YUV420},
		{"RGB", false, "XR24", player.XRGB8888},
	} {
		t.Run(c.name, func(t *testing.T) {
			vicodec(t, c.multi)
			f, sources := shoot(t, c.format, image.Pt(640, 368), 12)
			s := newScreen(t, c.screen)
			d := real(t, s)
			var due []time.Duration
			for _, p := range f.packets {
				due = append(due, p.at)
			}
			open := func(t *testing.T, from time.Duration) player.Stream {
				return f.projectAs(t, d, f.requestFWHT(from))
			}
			playertest.Stream(t, playertest.Film{Due: due, Lent: true, Open: open})

			var first [][]byte
			for range 2 {
				p := f.projectAs(t, d, f.requestFWHT(0))
				for i := range sources {
					fr, _, err := p.Lend()
					if err != nil {
						t.Fatal(err)
					}
					check(t, i, fr, c.format, sources[i])
					pixels := bytes.Clone(fr.Planes[0].Data)
					if len(first) <= i {
						first = append(first, pixels)
					} else if !bytes.Equal(first[i], pixels) {
						t.Errorf("picture %d is another one the second time", i)
					}
					p.Return(fr)
				}
				shut(t, p)
			}
		})
	}
}

// TestAnotherSizeOnARealDriver changes the size in mid-stream, and then seeks back across the change.
func TestAnotherSizeOnARealDriver(t *testing.T) {
	vicodec(t, false)
	small, smalls := shoot(t, "YU12", image.Pt(640, 368), 12)
	large, larges := shoot(t, "YU12", image.Pt(800, 400), 12)
	for i := range large.packets {
		large.packets[i].at += 480 * time.Millisecond
	}
	f := film{append(small.packets, large.packets...), small.size}
	sources := append(smalls, larges...)
	d := real(t, newScreen(t, player.YUV420))
	for range 3 {
		p := f.projectAs(t, d, f.requestFWHT(0))
		var held []*player.Frame
		for i := range sources {
			fr, _, err := p.Lend()
			if err != nil {
				t.Fatalf("picture %d: %v", i, err)
			}
			if want := []int{640, 800}[i/12]; fr.Width != want {
				t.Fatalf("picture %d is %d wide", i, fr.Width)
			}
			check(t, i, fr, "YU12", sources[i])
			if held = append(held, fr); len(held) == 4 {
				check(t, i-3, held[0], "YU12", sources[i-3]) // which nobody has written to
				p.Return(held[0])
				held = held[1:]
			}
		}
		if _, _, err := p.Lend(); !errors.Is(err, io.EOF) {
			t.Errorf("at the end: %v", err)
		}
		shut(t, p)
		for _, fr := range held[:2] {
			p.Return(fr)
		}
		defer p.Return(held[2]) // it is on the screen while the next one begins
	}
}

// TestClosedInTheMiddleOnARealDriver closes streams at every stage, a thousand times; mostly with a picture of the last one on the
// screen, whose device the next one gets. Nothing is left of them.
func TestClosedInTheMiddleOnARealDriver(t *testing.T) {
	vicodec(t, false)
	f, _ := shoot(t, "NV12", image.Pt(640, 368), 4)
	s := newScreen(t, player.NV12)
	d := real(t, s)
	before := files(t)
	seen := func() {} // takes the picture off the screen
	for i := range 1000 {
		p := f.projectAs(t, d, f.requestFWHT(0))
		var held []*player.Frame
		for range i % 4 {
			fr, _, err := p.Lend()
			if err != nil {
				t.Fatal(err)
			}
			held = append(held, fr)
		}
		if i%2 == 0 {
			shut(t, p)
		}
		if len(held) > 0 {
			seen()
			seen = func() { p.Return(held[0]) }
			for _, fr := range held[1:] {
				p.Return(fr)
			}
		}
		if i%10 == 9 {
			seen()
			seen = func() {}
		}
		shut(t, p)
	}
	if after := files(t); after != before || len(s.memory) > 0 {
		t.Errorf("%d files and %d frames were left", after-before, len(s.memory))
	}
	if out, err := exec.Command("modprobe", "-r", "vicodec").CombinedOutput(); err != nil { // which it lets nobody do who has it open
		t.Errorf("the driver is in use: %s", out)
	}
}

// files counts what this process has open.
func files(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// TestOnTheScreen shows what was decoded on the kernel's screen without hardware, without a copy: by the kernel's checksums it is the
// same as when the pixels are copied into a frame of the display's own.
func TestOnTheScreen(t *testing.T) {
	vicodec(t, false)
	d, path := vkms(t)
	defer d.Close()
	sums, err := guest.NewChecksums(path)
	if err != nil {
		t.Fatal(err)
	}
	next := func() string {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		sum, err := sums.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	next() // of black
	size := image.Pt(640, 480)
	f, _ := shoot(t, "XR24", size, 6)

	// The same decoder with another display gives the pixels.
	var pixels [][]byte
	p := f.projectAs(t, real(t, newScreen(t, player.XRGB8888)), f.requestFWHT(0))
	for range f.packets {
		fr, _, err := p.Lend()
		if err != nil {
			t.Fatal(err)
		}
		pixels = append(pixels, bytes.Clone(fr.Planes[0].Data))
		p.Return(fr)
	}
	shut(t, p)

	dec := real(t, d)
	p = f.projectAs(t, dec, f.requestFWHT(0))
	whole := image.Rectangle{Max: size}
	var seen []string
	var on *player.Frame
	for range f.packets {
		fr, _, err := p.Lend()
		if err != nil {
			t.Fatal(err)
		}
		if fr.Planes[0].Data != nil {
			t.Fatal("the picture was copied")
		}
		if _, err := d.Show(fr, whole); err != nil {
			t.Fatal(err)
		}
		seen = append(seen, next())
		if on != nil {
			p.Return(on)
		}
		on = fr
	}
	shut(t, p)

	for i := range pixels {
		own, err := d.NewFrame(player.XRGB8888, size.X, size.Y)
		if err != nil {
			t.Fatal(err)
		}
		for y := range size.Y {
			copy(own.Planes[0].Data[y*own.Planes[0].Pitch:][:4*size.X], pixels[i][4*size.X*y:])
		}
		if _, err := d.Show(own, whole); err != nil {
			t.Fatal(err)
		}
		if on != nil {
			p.Return(on)
			on = nil
		}
		if sum := next(); sum != seen[i] {
			t.Errorf("picture %d is %s on the screen, and %s when it is copied", i, seen[i], sum)
		}
	}
}

// vkms opens a display on the kernel's screen without hardware, in the films' size.
func vkms(t *testing.T) (*kms.Display, string) {
	t.Helper()
	if out, err := exec.Command("modprobe", "vkms", "enable_overlay=1").CombinedOutput(); err != nil {
		t.Fatalf("modprobe: %v: %s", err, out)
	}
	paths, err := filepath.Glob("/dev/dri/card*")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		c, err := drm.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		found := c.Driver == "vkms"
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		if !found {
			continue
		}
		dir := t.TempDir()
		if err := os.Symlink(path, filepath.Join(dir, "card0")); err != nil {
			t.Fatal(err)
		}
		d := kms.Open(kms.Options{Dir: dir, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
		s, _ := d.Screen()
		for _, m := range s.Modes {
			if m.Width == 640 && m.Height == 480 {
				if err := d.SetMode(m); err != nil {
					t.Fatal(err)
				}
				return d, path
			}
		}
		t.Fatalf("no mode of 640 × 480 in %+v", s.Modes)
	}
	t.Fatalf("vkms has no card: %v", paths)
	return nil, ""
}
