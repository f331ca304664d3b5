//go:build linux && vmdisplay

package kms

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"manofwar/player"
	"manofwar/player/playertest"
)

// TestConformance holds the display to the suite on the card of this machine, in its mode and in one of another shape.
func TestConformance(t *testing.T) {
	for _, size := range []struct {
		name          string
		width, height int // 0: as the display chooses
	}{{"as found", 0, 0}, {"1920x1080", 1920, 1080}, {"640x480", 640, 480}} {
		t.Run(size.name, func(t *testing.T) {
			playertest.Display(t, func(t *testing.T) player.Display {
				d := open(t)
				if size.width > 0 {
					setSize(t, d.Display, size.width, size.height)
				}
				return d
			})
		})
	}
}

// open opens the display of this machine, whose screen the test can pull.
func open(t *testing.T) pluggable {
	t.Helper()
	d := Open(Options{Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	s, ok := d.Screen()
	if !ok {
		err := errors.Join(d.Problem(), d.Close())
		t.Fatalf("no screen: %v", err)
	}
	return pluggable{d, t, s.Connector}
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

// pluggable has the kernel believe that the plug was pulled: what it says of the connector is forced, and told.
type pluggable struct {
	*Display
	t         *testing.T
	connector string
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
