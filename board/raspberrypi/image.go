package raspberrypi

import "manofwar/board"

// image is how the image is made. The firmware puts a device tree's own bootargs before cmdline.txt, and for each
// setting the kernel takes the last word: four of the words below are there to have it.
var image = board.Image{
	Cmdline: []string{
		"panic=-1",                           // restart at once: the watchdog or a tried slot's fallback does the rest
		"watchdog.open_timeout=60",           // the kernel pets a watchdog that the firmware started, but not for ever
		"cgroup_enable=memory",               // the device trees say cgroup_disable=memory
		"snd_bcm2835.enable_headphones=1",    // the device trees say 0, and not every model's audio parameter sets it
		"quiet", "loglevel=3", "logo.nologo", // the screen is for the one who watches it
		"vt.global_cursor_default=0",
	},
	Console:       []string{"tty1"}, // the TV: what stops a boot must be readable there
	SerialConsole: "serial0,115200", // the firmware replaces serial0 by the model's
	Config: []string{
		"# Read by the Raspberry Pi's firmware.",
		"# It is signed with the rest of this slot: a changed line makes the slot unbootable.",
		"arm_64bit=1",
		"kernel=vmlinuz",
		"initramfs initramfs.cpio followkernel",
		"kernel_watchdog_timeout=15", // a kernel that hangs before it opens the watchdog is reset: a trial falls back
		"dtparam=watchdog=on,audio=on",
		"dtoverlay=vc4-kms-v3d",
		"max_framebuffers=2",
		"disable_fw_kms_setup=1", // the kernel asks the TV itself
		"disable_overscan=1",
		"avoid_warnings=1", // no lightning bolt over a film; the portal shows undervoltage
	},
	SerialConfig: []string{"enable_uart=1"},
	GzipKernel:   true,
	BootFiles:    []string{"bootcode.bin"}, // the boot ROM of the Zero 2 W and 3 reads it; later models have it in flash
	// The cut-down pair belongs to gpu_mem=16, which an instance may set.
	SlotFiles: []string{
		"start.elf", "fixup.dat", "start4.elf", "fixup4.dat",
		"start_cd.elf", "fixup_cd.dat", "start4cd.elf", "fixup4cd.dat",
		"LICENSE.broadcom",
	},
	WiFi:  true,
	Trees: true,
}
