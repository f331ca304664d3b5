package lab

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// Desk is a computer that somebody sits at: a machine's screen is a window there, and its sound is heard.
type Desk struct {
	Window string // QEMU's display backend
	Audio  string // QEMU's audio backend
}

// What of QEMU shows and plays, the best first. Debian's qemu-system-gui has most of it.
var (
	windows = []string{"gtk", "sdl"}
	players = []string{"pipewire", "pa", "sdl", "alsa"}
)

// FindDesk returns the desk that this program runs at. The error says why there is none, in words for a person.
func FindDesk(ctx context.Context, board string) (*Desk, error) {
	if cmp.Or(os.Getenv("DISPLAY"), os.Getenv("WAYLAND_DISPLAY")) == "" {
		return nil, fmt.Errorf("this computer shows no windows here")
	}
	p, err := platformOf(board)
	if err != nil {
		return nil, err
	}
	window := backend(ctx, p.qemu, "-display", windows)
	audio := backend(ctx, p.qemu, "-audiodev", players)
	if window == "" || audio == "" {
		return nil, fmt.Errorf("QEMU makes no windows here: install qemu-system-gui")
	}
	return &Desk{Window: window, Audio: audio}, nil
}

// backend returns the first of those wanted that QEMU has, or nothing.
func backend(ctx context.Context, qemu, option string, wanted []string) string {
	out, err := exec.CommandContext(ctx, qemu, option, "help").Output()
	if err != nil {
		return ""
	}
	have := strings.Fields(string(out))
	i := slices.IndexFunc(wanted, func(name string) bool { return slices.Contains(have, name) })
	if i < 0 {
		return ""
	}
	return wanted[i]
}

// window is what QEMU is to show the screen in.
func (d *Desk) window() string {
	if d == nil {
		return "none"
	}
	return d.Window
}
