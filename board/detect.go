package board

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Paths below the root of what the kernel says about the machine and about how it was started.
const (
	compatiblePath = "proc/device-tree/compatible"
	bootloaderPath = "proc/device-tree/chosen/bootloader"
)

// Detect returns the board that the running machine is: the one that the image was made for, if [NamePath] names one,
// else the one whose table has the machine's device-tree compatible string. root is the root of the file system;
// in the initramfs the image's file is there as well. The error says what the machine calls itself.
func Detect(root fs.FS, boards ...Board) (Board, error) {
	name, err := fs.ReadFile(root, strings.TrimPrefix(NamePath, "/"))
	if err == nil {
		want := strings.TrimSpace(string(name))
		for _, b := range boards {
			if b.Name == want {
				return b, nil
			}
		}
		return Board{}, fmt.Errorf("%s names board %q, which this program does not know", NamePath, want)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return Board{}, err
	}
	compatible := Compatible(root)
	for _, c := range compatible {
		for _, b := range boards {
			if _, ok := b.Model([]string{c}); ok || slices.Contains(b.Compatible, c) {
				return b, nil
			}
		}
	}
	return Board{}, fmt.Errorf("no %s, and no board is compatible with the device tree's %q", NamePath, compatible)
}

// Compatible returns the machine's device-tree compatible strings, most specific first; nil where there is no tree.
func Compatible(root fs.FS) []string {
	data, err := fs.ReadFile(root, compatiblePath)
	if err != nil {
		return nil
	}
	return strings.FieldsFunc(string(data), func(r rune) bool { return r == 0 })
}

// Boot is how the firmware says it started this kernel.
type Boot struct {
	Partition int  // the partition that the kernel came from; 0: the firmware did not say
	Trial     bool // the one-shot tryboot flag was set
}

// Booted reads what the firmware left in the device tree's /chosen/bootloader: big-endian cells, as the Raspberry Pi
// documentation's chapter on the device tree's bootloader properties has it. Firmware that leaves nothing is no error.
func Booted(root fs.FS) (Boot, error) {
	partition, err := cell(root, "partition")
	if err != nil {
		return Boot{}, err
	}
	trial, err := cell(root, "tryboot")
	if err != nil {
		return Boot{}, err
	}
	return Boot{Partition: int(partition), Trial: trial != 0}, nil
}

func cell(root fs.FS, property string) (uint32, error) {
	name := path.Join(bootloaderPath, property)
	data, err := fs.ReadFile(root, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, nil
	case err != nil:
		return 0, err
	case len(data) != 4:
		return 0, fmt.Errorf("/%s: %d bytes, want a cell of 4", name, len(data))
	}
	return binary.BigEndian.Uint32(data), nil
}

// SerialNumber returns the machine's serial number, or "" where none of the board's files has one.
func (b Board) SerialNumber(root fs.FS) string {
	for _, name := range b.Serial {
		data, err := fs.ReadFile(root, strings.TrimPrefix(name, "/"))
		if err != nil {
			continue
		}
		data, _, _ = bytes.Cut(data, []byte{0})
		if s := strings.TrimSpace(string(data)); s != "" && strings.Trim(s, "0") != "" {
			return s
		}
	}
	return ""
}

// Partition returns the kernel's name of partition n of a disk: mmcblk0p2, but sda2.
func Partition(disk string, n int) string {
	if disk != strings.TrimRight(disk, "0123456789") {
		return fmt.Sprintf("%sp%d", disk, n)
	}
	return fmt.Sprintf("%s%d", disk, n)
}
