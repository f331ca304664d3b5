// Package slot is the one codec for how a card is laid out and what makes a slot bootable: the partition table's fixed
// sizes, a slot's signed manifest, and the autoboot.txt by which the Raspberry Pi's firmware picks a slot.
//
// PID 1, the updater and the image builder share it. It reads and writes bytes and files; mounting, formatting and
// rebooting are theirs. It imports the standard library only, because stage 1 links it.
package slot

import "fmt"

// MiB is the unit of the layout.
const MiB = 1 << 20

// SectorSize is what MBR entries count in, and what a card writes as a whole.
const SectorSize = 512

// Names of the files that give a slot its shape. Every other file of a slot is whatever its manifest lists.
const (
	ManifestName  = "manifest.json"
	SignatureName = "manifest.sig"
	RootName      = "root.squashfs"
	KernelName    = "vmlinuz"
	InitramfsName = "initramfs.cpio"
	CmdlineName   = "cmdline.txt"
	ConfigName    = "config.txt"
	AutobootName  = "autoboot.txt" // on the boot partition, not in a slot
)

// KeysDir is where an image keeps the public keys whose signature it accepts, in the initramfs and in the root: one file
// <name>.pub each, base64 of the ed25519 key and a newline. The name of the file whose key signed a slot says who made it.
const KeysDir = "/etc/manofwar/keys"

// Partition is one primary partition of the card.
type Partition struct {
	Number int    // 1–4, as in the MBR and in the kernel's device names
	Type   byte   // the MBR type
	Start  int64  // in bytes from the start of the card
	Size   int64  // in bytes; 0: to the end of the card
	Label  string // of its file system
}

// The partitions. Their sizes are fixed for ever: an update never moves them.
var (
	Boot = Partition{Number: 1, Type: 0x0e, Start: 4 * MiB, Size: 32 * MiB, Label: "MANOFWAR"}
	A    = Partition{Number: 2, Type: 0x0c, Start: 36 * MiB, Size: 512 * MiB, Label: "SLOT-A"}
	B    = Partition{Number: 3, Type: 0x0c, Start: 548 * MiB, Size: 512 * MiB, Label: "SLOT-B"}
	Data = Partition{Number: 4, Type: 0x83, Start: 1060 * MiB, Label: "data"}
)

// MinData is the smallest /data that a card must leave room for.
const MinData = 64 * MiB

// Partitions returns the partitions in the order of the MBR.
func Partitions() []Partition { return []Partition{Boot, A, B, Data} }

// Other returns the slot that p is not. Its error says which number was asked for.
func Other(p int) (int, error) {
	switch p {
	case A.Number:
		return B.Number, nil
	case B.Number:
		return A.Number, nil
	}
	return 0, fmt.Errorf("partition %d is not a slot: slots are %d and %d", p, A.Number, B.Number)
}
