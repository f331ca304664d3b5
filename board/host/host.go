// Package host is the table of an ordinary computer on which "manofwar serve" runs beside everything else: it has no
// image, no slot and no watchdog of ours, and whatever its drivers offer.
package host

import "manofwar/board"

// Board returns the table.
func Board() board.Board {
	return board.Board{
		Name:    "host",
		Title:   "this computer",
		Thermal: "x86_pkg_temp",
		Display: []string{"i915", "amdgpu", "nouveau", "virtio_gpu", "vc4"},
		Audio:   board.Audio{HDMI: []string{"HDMI*", "NVidia"}, Headphones: []string{"PCH", "Generic*"}},
		Restart: func(board.Next) board.Restart { return board.Restart{} },
	}
}
