// Package board says what a board is: the few facts in which the machines that manofwar runs on differ, as tables.
//
// Each child package holds its tables: [manofwar/board/raspberrypi] for the Zero 2 W, 3, 4 and 5, [manofwar/board/qemu]
// for the virtual machines that the tests boot, [manofwar/board/host] for an ordinary computer. PID 1 reads a table
// to find its disk, watchdog and button; the image builder reads the same table to know which kernel modules, firmware
// files and boot settings belong in the image. Nothing here opens a device or makes a system call but [Detect] and
// [Booted], which read a few small files.
//
// It leaves out what a driver can tell by itself: which outputs are connected, which radios exist.
package board

import "time"

// Board is one kind of machine.
type Board struct {
	Name       string   // as in the slot's manifest and in [NamePath]
	Title      string   // for a person to read
	GOARCH     string   // what its programs are built for; empty: whatever this program was built for
	Compatible []string // device-tree compatible strings, any of which makes a machine this board
	Models     []Model  // machines that are this board and have a name of their own

	Disks    []string // kernel names that its card or disk may have, most likely first; see [Partition]
	Modules  Modules
	Watchdog Watchdog
	LED      string // name below /sys/class/leds of the light that shows activity; empty: none
	Button   Button
	Thermal  string   // type of the thermal zone (/sys/class/thermal/*/type) that measures the processor; empty: none
	Serial   []string // files that may hold the serial number, most trustworthy first; NUL-terminated or a line
	Display  []string // DRM drivers that show the picture, best first
	Audio    Audio
	NVRAM    string // serial number of the disk that plays the firmware's memory; see [Restart]
	Restart  func(Next) Restart
	Image    *Image // how its image is made; nil: it has none
}

// Model is one machine of a board.
type Model struct {
	Compatible string   // its first device-tree compatible string
	Title      string   // for a person to read
	PowerKey   string   // name of the input device of its power key; empty: none
	Headphones bool     // has an analogue audio jack
	DeviceTree []string // files of which the firmware loads one, by revision; all are in the image
}

// Modules names kernel modules that a kernel may also have built in.
type Modules struct {
	Stage1 []string // loaded in the initramfs, in this order, before the card can be read
	Boot   []string // loaded by PID 1 after the root is mounted, in this order
	Extra  []string // in the image for whoever asks: the kernel by alias, a driver by name
}

// Watchdog is the hardware timer that resets the machine when nobody pets it.
type Watchdog struct {
	Identities []string      // what /sys/class/watchdog/*/identity may say, best first; empty: the board has none
	Timeout    time.Duration // what to ask it for: the most that the hardware counts, or enough
}

// Button is the switch that a person may have wired up.
type Button struct {
	Chips []string // labels that the GPIO controller of the header has on the board's models
	Line  uint32   // its number on that controller; the switch pulls it to ground
}

// Audio names the sound cards by their ALSA identifiers (/proc/asound/cards), as path.Match patterns.
type Audio struct {
	HDMI       []string // the TV's, in the order of the sockets
	Headphones []string // the analogue jack
}

// NamePath is the file in the root that holds [Board.Name] and a newline: the image builder's word on what the image is for.
const NamePath = "/etc/manofwar/board"

// Next is what a restart leads to.
type Next struct {
	Partition int  // the slot's partition number; 0: whatever autoboot.txt says
	Trial     bool // once only, as autoboot.txt's [tryboot] says; Partition is then 0
}

// Restart is what to do so that the firmware starts a [Next].
type Restart struct {
	Argument string // for reboot(2)'s LINUX_REBOOT_CMD_RESTART2; empty: LINUX_REBOOT_CMD_RESTART
	Sector   []byte // to be written to the start of the disk with serial number Board.NVRAM first; nil: nothing
}

// Model returns the machine with the given device-tree compatible strings and whether the board's table has it.
func (b Board) Model(compatible []string) (Model, bool) {
	for _, c := range compatible {
		for _, m := range b.Models {
			if m.Compatible == c {
				return m, true
			}
		}
	}
	return Model{}, false
}
