// Package qemu has the tables of the virtual machines that the tests boot.
//
// [Board] is QEMU's arm64 "virt" machine with the gokrazy kernel. It has storage, network, a watchdog and a serial
// console; a display, radios and sound it has not. [AMD64] is a PC with Debian's kernel, which has WiFi radios. Neither
// has firmware that knows slots: whoever starts the machine reads autoboot.txt, picks the slot and says so, on arm64 in
// the device tree, as the Raspberry Pi's firmware does. What the firmware remembers over a restart is on a small disk,
// the NVRAM, with a [Record] in its first sector.
package qemu

import "manofwar/board"

// NVRAMSerial is the serial number (/sys/block/*/serial) of the virtio disk that holds the [Record].
const NVRAMSerial = "nvram"

// Board returns the table of the arm64 machine.
func Board() board.Board {
	return board.Board{
		Name:       "qemu",
		Title:      "QEMU arm64 virtual machine",
		GOARCH:     "arm64",
		Compatible: []string{"linux,dummy-virt"},
		Models:     []board.Model{{Compatible: "linux,dummy-virt", Title: "QEMU arm64 virtual machine"}},
		Disks:      []string{"vda", "vdb", "vdc", "sda"},
		Watchdog:   watchdog(),
		Serial:     []string{"/sys/block/vda/serial"},
		NVRAM:      NVRAMSerial,
		Restart:    restart,
		Image:      &image,
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
