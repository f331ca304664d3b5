package disks

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// device is a block device that may hold a file system.
type device struct {
	name  string // "sda1", "sr0"
	model string // of the whole disk, with its maker
	size  int64  // in bytes
}

// inspect reads what sysfs says of a block device (Documentation/ABI/stable/sysfs-block). It returns false for what is
// never a media disk: the system's own, those that are not hardware, whole disks that have partitions, and empty drives.
func (m *Manager) inspect(name string) (device, bool) {
	if !filepath.IsLocal(name) || filepath.Base(name) != name {
		return device{}, false
	}
	dir, err := filepath.EvalSymlinks(filepath.Join(m.cfg.Sys, "class/block", name))
	if err != nil {
		return device{}, false
	}
	disk := dir
	if isPartition(dir) {
		disk = filepath.Dir(dir)
	} else if hasPartitions(dir) {
		return device{}, false
	}
	if slices.Contains(m.cfg.Ignore, filepath.Base(disk)) {
		return device{}, false
	}
	if _, err := os.Stat(filepath.Join(disk, "device")); err != nil {
		return device{}, false // loop, ram, zram, …
	}
	if serial := attribute(disk, "serial"); serial != "" && slices.Contains(m.cfg.Serials, serial) {
		return device{}, false
	}
	sectors, err := strconv.ParseInt(attribute(dir, "size"), 10, 64)
	if err != nil || sectors == 0 {
		return device{}, false
	}
	model := strings.TrimSpace(printable(attribute(disk, "device/vendor")) + " " + printable(attribute(disk, "device/model")))
	if strings.HasPrefix(model, "0x") {
		model = "" // a virtio or PCI vendor's number
	}
	return device{name: name, model: model, size: sectors * 512}, true
}

// attribute reads a sysfs file; empty if there is none.
func attribute(dir, name string) string {
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

func isPartition(dir string) bool { return attribute(dir, "partition") != "" }

func hasPartitions(dir string) bool {
	parts, err := filepath.Glob(filepath.Join(dir, "*", "partition"))
	return err == nil && len(parts) > 0
}
