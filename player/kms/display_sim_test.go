//go:build linux && hwsim

package kms

import (
	"context"
	"errors"
	"image"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"manofwar/internal/lab/guest"
	"manofwar/player"
	"manofwar/player/kms/drm"
	"manofwar/player/playertest"
)

// TestConformance holds the display to the suite on each driver, in the mode that it chooses and in others.
func TestConformance(t *testing.T) {
	for _, c := range []struct {
		driver        driver
		name          string
		width, height int // 0: as the display chooses
	}{
		{virtioGPU, "as found", 0, 0},
		{virtioGPU, "1920x1080", 1920, 1080},
		{virtioGPU, "640x480", 640, 480},
		{vkms, "640x480", 640, 480}, // it puts pictures together by the processor
	} {
		t.Run(c.driver.name+" "+c.name, func(t *testing.T) {
			playertest.Display(t, func(t *testing.T) player.Display {
				d := c.driver.open(t)
				if c.width > 0 {
					setSize(t, d.Display, c.width, c.height)
				}
				return d
			})
		})
	}
}

// TestOnlyOneHasTheScreen opens the display twice, as a player does that was started before its predecessor has ended.
func TestOnlyOneHasTheScreen(t *testing.T) {
	first := virtioGPU.open(t)
	second := Open(Options{Dir: dirOf(t, first.path)})
	defer second.Close()
	if s, ok := second.Screen(); ok || !errors.Is(second.Problem(), ErrInUse) {
		t.Errorf("the second has %+v, %v; want %v", s, second.Problem(), ErrInUse)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	until(t, second, func(_ player.Screen, ok bool) bool { return ok && second.Problem() == nil })
}

// TestAnotherScreen has the lab pull the plug, and put it into a screen of another size.
func TestAnotherScreen(t *testing.T) {
	d := virtioGPU.open(t)
	defer d.Close()
	defer ask(t, "screen 1280 720")
	fr := newFrame(t, d.Display, 320, 180)
	pattern(fr)
	place := image.Rect(8, 8, 328, 188)
	if _, err := d.Show(fr, place); err != nil {
		t.Fatal(err)
	}
	ask(t, "screen 0 0")
	until(t, d, func(_ player.Screen, ok bool) bool { return !ok })
	if _, err := d.Show(fr, place); !errors.Is(err, player.ErrGone) {
		t.Errorf("show without a screen: %v", err)
	}
	ask(t, "screen 1024 768")
	until(t, d, func(s player.Screen, ok bool) bool {
		return ok && s.Mode.Width == 1024 && s.Mode.Height == 768 && s.Name == "QEMU Monitor"
	})
	if _, err := d.Show(fr, place); err != nil {
		t.Fatalf("a frame did not outlive the screen: %v", err)
	}
	ask(t, "look another-screen")
}

// driver is a kernel module, and what it is to be loaded with.
type driver struct {
	name    string
	options []string
}

// The drivers that tests run on.
var (
	virtioGPU = driver{"virtio_gpu", nil}                    // which the lab can look at; it has no vertical blanks, and one plane
	vkms      = driver{"vkms", []string{"enable_overlay=1"}} // which nobody sees; it has both
)

// open opens the display on the driver's card, whose screen the test can pull. On a dongle PID 1 loads drivers.
func (v driver) open(t *testing.T) pluggable {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to load the driver of a graphics card and to unplug its screen")
	}
	if out, err := exec.Command("modprobe", append([]string{v.name}, v.options...)...).CombinedOutput(); err != nil {
		t.Fatalf("modprobe: %v: %s", err, out)
	}
	path := v.card(t)
	dir := dirOf(t, path)
	d := Open(Options{Dir: dir, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	s, ok := d.Screen()
	if !ok {
		t.Fatalf("no screen: %v", errors.Join(d.Problem(), d.Close()))
	}
	return pluggable{d, t, s.Connector, path, dir}
}

// dirOf returns a directory with one card only.
func dirOf(t *testing.T, path string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Symlink(path, filepath.Join(dir, "card0")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// card returns the node of the driver's card.
func (v driver) card(t *testing.T) string {
	t.Helper()
	paths, err := filepath.Glob("/dev/dri/card*")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		c, err := drm.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		found := c.Driver == v.name
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		if found {
			return path
		}
	}
	t.Fatalf("%s has no card: %v", v.name, paths)
	return ""
}

// setSize sets the first mode of that size.
func setSize(t *testing.T, d *Display, width, height int) {
	t.Helper()
	s, _ := d.Screen()
	for _, m := range s.Modes {
		if m.Width == width && m.Height == height {
			if err := d.SetMode(m); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("no mode of %d × %d in %+v", width, height, s.Modes)
}

// ask has the lab do something.
func ask(t *testing.T, what string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second) // also when the test is over
	defer cancel()
	if err := guest.Ask(ctx, "%s", what); err != nil {
		t.Fatal(err)
	}
}

// until waits until the display says that it has changed, and has the screen that ok wants.
func until(t *testing.T, d player.Display, ok func(player.Screen, bool) bool) {
	t.Helper()
	limit := time.After(10 * time.Second)
	for {
		select {
		case <-d.Changed():
		case <-limit:
			s, there := d.Screen()
			t.Fatalf("there is %+v, %v", s.Mode, there)
		}
		if s, there := d.Screen(); ok(s, there) {
			return
		}
	}
}

// newFrame returns a frame of XRGB.
func newFrame(t *testing.T, d *Display, width, height int) *player.Frame {
	t.Helper()
	f, err := d.NewFrame(player.XRGB8888, width, height)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// pluggable has the kernel believe that the plug was pulled: what it says of the connector is forced, and told.
type pluggable struct {
	*Display
	t         *testing.T
	connector string
	path      string // of the card's node
	dir       string // in which the display looks for it
}

// Unplug implements [playertest.Plug].
func (p pluggable) Unplug() { p.force("off") }

// Plug implements [playertest.Plug].
func (p pluggable) Plug() { p.force("detect") }

func (p pluggable) force(status string) {
	p.t.Helper()
	dirs, err := filepath.Glob("/sys/class/drm/card*-" + p.connector)
	if err != nil || len(dirs) != 1 {
		p.t.Fatalf("connector %s: %v, %v", p.connector, dirs, err)
	}
	if err := errors.Join(
		os.WriteFile(filepath.Join(dirs[0], "status"), []byte(status), 0),
		os.WriteFile(filepath.Join(dirs[0], "uevent"), []byte("change"), 0),
	); err != nil {
		p.t.Fatal(err)
	}
}
