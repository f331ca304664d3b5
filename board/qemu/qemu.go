// Package qemu is the table of QEMU's arm64 "virt" machine with the gokrazy kernel: what the tests boot.
//
// It has storage, network, a watchdog and a serial console; a display, radios and sound it has not. There is no
// firmware that knows slots either: whoever starts the machine reads autoboot.txt, picks the slot and says so in the
// device tree, as the Raspberry Pi's firmware does. What the firmware remembers over a restart is on a small disk, the
// NVRAM, with a [Record] in its first sector.
package qemu

import (
	"time"

	"manofwar/board"
)

// NVRAMSerial is the serial number (/sys/block/*/serial) of the virtio disk that holds the [Record].
const NVRAMSerial = "nvram"

// Board returns the table.
func Board() board.Board {
	return board.Board{
		Name:       "qemu",
		Title:      "QEMU arm64 virtual machine",
		GOARCH:     "arm64",
		Compatible: []string{"linux,dummy-virt"},
		Models:     []board.Model{{Compatible: "linux,dummy-virt", Title: "QEMU arm64 virtual machine"}},
		Disks:      []string{"vda", "vdb", "vdc", "sda"},
		Watchdog: board.Watchdog{
			Identities: []string{"i6300ESB timer"},
			Timeout:    30 * time.Second, // an emulated processor is slow, and shares the host
		},
		Serial:  []string{"/sys/block/vda/serial"},
		NVRAM:   NVRAMSerial,
		Restart: restart,
		Image:   &image,
	}
}

// image differs from the Raspberry Pi's in what only the Pi's firmware and device trees need.
var image = board.Image{
	Cmdline:       []string{"panic=-1", "watchdog.open_timeout=60", "cgroup_enable=memory", "loglevel=4"},
	Console:       []string{"ttyAMA0"},
	SerialConsole: "ttyAMA0",
	GzipKernel:    true, // QEMU's -kernel decompresses it
}

func restart(n board.Next) board.Restart {
	return board.Restart{Sector: Record(n).Sector()}
}
