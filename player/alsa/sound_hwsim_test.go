//go:build hwsim

package alsa

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"manofwar/player"
	"manofwar/player/playertest"
)

// TestSound holds every card there is to what every card must do.
func TestSound(t *testing.T) {
	for _, o := range cards(t) {
		t.Run(o.ID, func(t *testing.T) {
			playertest.Sound(t, func(t *testing.T) player.Sound {
				s, err := Open()
				if err != nil {
					t.Fatal(err)
				}
				one := &single{Sound: s, t: t, id: o.ID, number: o.card}
				if o.kind == kindUSB {
					return untimed{one}
				}
				return one
			})
		})
	}
}

// cards returns the outputs of the lab's machine: a USB DAC, a card inside, and the kernel's dummy.
func cards(t *testing.T) []output {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to load drivers of sound cards and to unplug them")
	}
	for _, module := range []string{"snd-intel8x0", "xhci-pci", "snd-usb-audio", "snd-dummy"} {
		if out, err := exec.Command("modprobe", module).CombinedOutput(); err != nil {
			t.Fatalf("modprobe %s: %v: %s", module, err, out)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	s := open(t)
	awaitCards(t, ctx, s, 3) // the bus takes a while to find what is on it
	list := s.watch.outputs()
	for _, o := range list {
		t.Logf("%+v", o)
	}
	return list
}

// single is a Sound of one card only. It can be unplugged: its driver is taken away from it.
type single struct {
	*Sound
	t       *testing.T
	id      string
	number  int
	plug    plug
	removed chan struct{} // closed when the driver has let go, for which some wait until nobody has the card open
}

// untimed is a card on QEMU's USB, which is as fast as the processors of guest and host let it be.
type untimed struct{ *single }

// Emulated implements playertest.Emulated.
func (untimed) Emulated() {}

// plug is how to tell the kernel that a card is gone and back: what to write into which files.
type plug struct{ gone, out, back, in string }

func (s *single) Configure(card string, want player.SoundFormat) (player.Card, player.SoundFormat, error) {
	if card == "" {
		card = s.id
	}
	return s.Sound.Configure(card, want)
}

func (s *single) Cards() (list []player.Card) {
	for _, c := range s.Sound.Cards() {
		if c.ID == s.id {
			list = append(list, c)
		}
	}
	return list
}

// plugOf finds it: a USB device is forbidden and allowed, which its interfaces share, any other is parted from its driver.
func (s *single) plugOf() (plug, error) {
	device, err := filepath.EvalSymlinks(fmt.Sprintf("/sys/class/sound/controlC%d/device/device", s.number))
	if err != nil {
		return plug{}, err
	}
	if allowed := filepath.Join(filepath.Dir(device), "authorized"); exists(allowed) {
		return plug{allowed, "0", allowed, "1"}, nil
	}
	driver, err := filepath.EvalSymlinks(filepath.Join(device, "driver"))
	name := filepath.Base(device)
	return plug{filepath.Join(driver, "unbind"), name, filepath.Join(driver, "bind"), name}, err
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// Unplug implements playertest.Plug.
func (s *single) Unplug() {
	var err error
	if s.plug, err = s.plugOf(); err != nil {
		s.t.Fatal(err)
	}
	s.removed = make(chan struct{})
	go func() {
		defer close(s.removed)
		s.write(s.plug.gone, s.plug.out)
	}()
	s.t.Cleanup(func() { <-s.removed })
}

// Plug implements playertest.Plug.
func (s *single) Plug() {
	<-s.removed
	s.write(s.plug.back, s.plug.in)
}

func (s *single) write(name, word string) {
	if err := os.WriteFile(name, []byte(word), 0); err != nil {
		s.t.Error(err)
	}
}
