package qemu

import (
	"time"

	"manofwar/board"
)

// AMD64 returns the table of QEMU's "q35" machine with Debian's kernel, which has the radios that the lab makes networks
// of. Its kernel comes in more parts than the Raspberry Pi's: what that one has built in, this one has as modules.
//
// There is no device tree. Whoever starts the machine says on the kernel's command line what the Raspberry Pi's firmware
// says in the tree: manofwar.slot=2, and manofwar.trial where the one-shot flag was set.
func AMD64() board.Board {
	return board.Board{
		Name:   "qemu-amd64",
		Title:  "QEMU amd64 virtual machine",
		GOARCH: "amd64",
		Disks:  []string{"vda", "vdb", "vdc", "sda"},
		Modules: board.Modules{
			Stage1: []string{
				"virtio_pci", "virtio_blk", "i6300esb",
				"vfat", "nls_cp437", "nls_ascii", "loop", "squashfs",
			},
			// The kernel asks for most of them by alias, when a device appears or a program wants what they do. It runs
			// modprobe for that, which the initramfs does not have.
			Extra: []string{
				"virtio_net", "virtio_rng", "ext4", "crc32c_generic", "exfat", "nls_utf8", "usb_storage", "uas", "sd_mod", "xhci_pci",
				"cfg80211", "mac80211", "ccm", "ctr", "cmac", "gcm",
				"nf_tables", "nft_chain_nat", "nft_masq", "nft_redir", "nft_nat", "nft_ct", "nf_nat", "nf_conntrack",
				"nft_fib_inet", "nft_reject_inet",
				"virtio_gpu",
				"snd_intel8x0", "snd_usb_audio",
			},
		},
		Watchdog: watchdog(),
		Serial:   []string{"/sys/block/vda/serial"},
		NVRAM:    NVRAMSerial,
		Restart:  restart,
		Image:    &imageAMD64,
	}
}

// watchdog is the one that both machines have.
func watchdog() board.Watchdog {
	return board.Watchdog{
		Identities: []string{"i6300ESB timer"},
		Timeout:    30 * time.Second, // an emulated processor is slow, and shares the host
	}
}

var imageAMD64 = board.Image{
	Cmdline:       []string{"panic=-1", "watchdog.open_timeout=60", "cgroup_enable=memory", "loglevel=4"},
	Console:       []string{"ttyS0"},
	SerialConsole: "ttyS0",
	Kernel:        "linux-image-amd64",
}
