// Package raspberrypi is the table of the Raspberry Pi Zero 2 W, 3, 4 and 5 and their compute modules.
//
// It was written from the device trees and modules of the gokrazy kernel, the Raspberry Pi documentation (config.txt,
// autoboot.txt, tryboot) and the Raspberry Pi kernel's drivers. Its tests hold it against the device trees themselves.
package raspberrypi

import (
	"strconv"
	"time"

	"manofwar/board"
)

// Board returns the table.
func Board() board.Board {
	return board.Board{
		Name:       "raspberrypi",
		Title:      "Raspberry Pi Zero 2 W, 3, 4 and 5",
		GOARCH:     "arm64",
		Compatible: []string{"brcm,bcm2837", "brcm,bcm2711", "brcm,bcm2712"},
		Models:     models,
		// The card, then an NVMe disk (Pi 5), then whatever the firmware found on USB.
		Disks: []string{"mmcblk0", "nvme0n1", "sda", "sdb"},
		Modules: board.Modules{
			// The kernel asks for brcmfmac by alias; brcmfmac then asks for the part that knows its chip's vendor. All else
			// that the boards need is built in, the regulatory database's signature included; the kernel package's other
			// 170 modules are TV tuners, Bluetooth and other makers' boards.
			Extra: []string{"brcmfmac", "brcmfmac-wcc", "brcmfmac-cyw", "brcmfmac-bca"},
		},
		Watchdog: board.Watchdog{
			// bcm2835_wdt counts 20 bits of 1/65536 s (PM_WDOG_TIME_SET).
			Identities: []string{"Broadcom BCM2835 Watchdog timer"},
			Timeout:    15 * time.Second,
		},
		LED: "ACT",
		Button: board.Button{
			Chips: []string{"pinctrl-bcm2835", "pinctrl-bcm2711", "pinctrl-rp1"},
			Line:  26,
		},
		Thermal: "cpu-thermal",
		Serial:  []string{"/proc/device-tree/serial-number"},
		Display: []string{"vc4"},
		Audio: board.Audio{
			HDMI:       []string{"vc4hdmi", "vc4hdmi0", "vc4hdmi1"},
			Headphones: []string{"Headphones"},
		},
		Restart: restart,
		Image:   &image,
	}
}

// models are the machines that kernel and firmware start. The firmware picks a device tree by board revision; a Pi 3 A+
// takes the 3 B+'s and cannot be told from it, and 5s of the later D0 stepping have their own.
var models = []board.Model{
	{Compatible: "raspberrypi,model-zero-2-w", Title: "Raspberry Pi Zero 2 W", DeviceTree: []string{"bcm2710-rpi-zero-2-w.dtb", "bcm2710-rpi-zero-2.dtb"}},
	{Compatible: "raspberrypi,3-model-b", Title: "Raspberry Pi 3 B", Headphones: true, DeviceTree: []string{"bcm2710-rpi-3-b.dtb"}},
	{Compatible: "raspberrypi,3-model-b-plus", Title: "Raspberry Pi 3 A+ or B+", Headphones: true, DeviceTree: []string{"bcm2710-rpi-3-b-plus.dtb"}},
	{Compatible: "raspberrypi,3-compute-module", Title: "Raspberry Pi Compute Module 3", DeviceTree: []string{"bcm2710-rpi-cm3.dtb"}},
	{Compatible: "raspberrypi,4-model-b", Title: "Raspberry Pi 4 B", Headphones: true, DeviceTree: []string{"bcm2711-rpi-4-b.dtb"}},
	{Compatible: "raspberrypi,400", Title: "Raspberry Pi 400", DeviceTree: []string{"bcm2711-rpi-400.dtb"}},
	{Compatible: "raspberrypi,4-compute-module", Title: "Raspberry Pi Compute Module 4", DeviceTree: []string{"bcm2711-rpi-cm4.dtb"}},
	{Compatible: "raspberrypi,5-model-b", Title: "Raspberry Pi 5", PowerKey: "pwr_button", DeviceTree: []string{"bcm2712-rpi-5-b.dtb", "bcm2712-d-rpi-5-b.dtb", "bcm2712d0-rpi-5-b.dtb"}},
	{Compatible: "raspberrypi,500", Title: "Raspberry Pi 500", PowerKey: "pwr_button", DeviceTree: []string{"bcm2712-rpi-500.dtb"}},
	{Compatible: "raspberrypi,5-compute-module", Title: "Raspberry Pi Compute Module 5", PowerKey: "pwr_button", DeviceTree: []string{
		"bcm2712-rpi-cm5-cm5io.dtb", "bcm2712-rpi-cm5-cm4io.dtb", "bcm2712-rpi-cm5l-cm5io.dtb", "bcm2712-rpi-cm5l-cm4io.dtb",
	}},
}

// restart words a restart as the Raspberry Pi's kernel wants it. bcm2835_wdt's restart handler reads a partition number
// from the start of reboot(2)'s string, ignores what follows a space, and hands the number to the firmware in PM_RSTS.
// The raspberrypi-firmware driver's reboot notifier looks for " tryboot" anywhere in the same string and sets the
// one-shot flag by the mailbox's SET_REBOOT_FLAGS. Partition 0 leaves the choice to autoboot.txt, so that a trial takes
// its [tryboot] section.
func restart(n board.Next) board.Restart {
	switch {
	case n.Trial:
		return board.Restart{Argument: "0 tryboot"}
	case n.Partition != 0:
		return board.Restart{Argument: strconv.Itoa(n.Partition)}
	}
	return board.Restart{}
}
