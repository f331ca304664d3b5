package disks

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"manofwar/init/api"
	"manofwar/internal/media"
)

// Config is what a [Manager] is made of.
type Config struct {
	Dir     string           // where disks are mounted, one directory each
	GID     int              // the group that may read them, on file systems that have no owners
	Ignore  []string         // kernel names of whole disks that are the system's own
	Serials []string         // serial numbers of further such disks
	Changed func([]api.Disk) // called with the whole list after every change; it must not block
	Log     *slog.Logger
	Sys     string // where sysfs is; empty: /sys
	Dev     string // where device nodes are; empty: /dev

	mount   func(dev, dir string, how options) error // the system's, but for tests
	unmount func(dir string) error                   // likewise
}

// Manager mounts what is plugged in, read-only, and forgets what is pulled out. Make one with [NewManager].
type Manager struct {
	cfg Config

	work sync.Mutex // held over a mount or an unmount: one at a time

	mu    sync.Mutex           // guards all below; never held over anything that a disk could delay
	disks map[string]*api.Disk // by device name, such as "sda1"
}

// NewManager returns a manager that knows of no disk yet.
func NewManager(cfg Config) *Manager {
	if cfg.Sys == "" {
		cfg.Sys = "/sys"
	}
	if cfg.Dev == "" {
		cfg.Dev = "/dev"
	}
	if cfg.mount == nil {
		cfg.mount, cfg.unmount = mount, unmount
	}
	return &Manager{cfg: cfg, disks: make(map[string]*api.Disk)}
}

// Event is the kernel's word about one block device.
type Event struct {
	Name   string // such as "sda1"; empty: look at all of them
	Remove bool
}

// Run mounts what is there, then follows the events until their channel is closed, and unmounts everything.
func (m *Manager) Run(events <-chan Event) {
	m.scan()
	for ev := range events {
		switch {
		case ev.Name == "":
			m.scan()
		case ev.Remove:
			m.remove(ev.Name)
		default:
			m.add(ev.Name)
		}
	}
	for _, d := range m.List() {
		m.remove(filepath.Base(d.Device))
	}
}

// List returns all disks, sorted by device.
func (m *Manager) List() []api.Disk {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := make([]api.Disk, 0, len(m.disks))
	for _, d := range m.disks {
		list = append(list, *d)
	}
	slices.SortFunc(list, func(a, b api.Disk) int { return strings.Compare(a.Device, b.Device) })
	return list
}

// Eject unmounts the disk, so that it can be pulled out. Whoever still reads from it gets errors: it is mounted
// read-only, so nothing can be lost. The error wraps [media.ErrNotFound] if there is no such disk.
func (m *Manager) Eject(id string) error {
	m.work.Lock()
	defer m.work.Unlock()
	d, err := m.find(id)
	if err != nil {
		return err
	}
	if d.Path == "" {
		return nil
	}
	if err := m.cfg.unmount(d.Path); err != nil {
		return err
	}
	d.Path, d.Free = "", 0
	m.set(d)
	return nil
}

// Mount mounts a disk that was ejected or could not be mounted. The error wraps [media.ErrNotFound] if there is no such
// disk, and else says why it cannot be mounted.
func (m *Manager) Mount(id string) error {
	m.work.Lock()
	defer m.work.Unlock()
	d, err := m.find(id)
	if err != nil {
		return err
	}
	if d.Path != "" {
		return nil
	}
	m.attach(&d)
	m.set(d)
	if d.Error != "" {
		return &media.Error{Op: "mount", Path: d.Name, Err: errors.New(d.Error)}
	}
	return nil
}

func (m *Manager) find(id string) (api.Disk, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, d := range m.disks {
		if d.ID == id {
			return *d, nil
		}
	}
	return api.Disk{}, &media.Error{Op: "find disk", Path: id, Err: media.ErrNotFound}
}

// set takes over a disk's new state and tells of it.
func (m *Manager) set(d api.Disk) {
	m.mu.Lock()
	m.disks[filepath.Base(d.Device)] = &d
	m.mu.Unlock()
	m.changed()
}

func (m *Manager) changed() {
	if m.cfg.Changed != nil {
		m.cfg.Changed(m.List())
	}
}

// scan brings the list in step with what is there.
func (m *Manager) scan() {
	entries, err := os.ReadDir(filepath.Join(m.cfg.Sys, "class/block"))
	if err != nil {
		m.cfg.Log.Warn("disks cannot be listed", "err", err)
		return
	}
	present := make(map[string]bool)
	for _, e := range entries {
		present[e.Name()] = true
		m.add(e.Name())
	}
	for _, d := range m.List() {
		if name := filepath.Base(d.Device); !present[name] {
			m.remove(name)
		}
	}
}

// add looks at a device that came or changed, and mounts it unless that was done before.
func (m *Manager) add(name string) {
	m.work.Lock()
	defer m.work.Unlock()
	m.mu.Lock()
	known := m.disks[name]
	mounted := known != nil && known.Path != ""
	m.mu.Unlock()
	dev, ok := m.inspect(name)
	switch {
	case mounted && ok:
		return
	case mounted: // a card pulled out of its reader, which stays
		m.detach(name)
		return
	case !ok:
		m.forget(name)
		return
	}
	d, ok := m.probe(dev)
	if !ok {
		m.forget(name)
		return
	}
	if known != nil && known.ID == d.ID {
		return // ejected, or not mountable: the same disk as before
	}
	m.attach(&d)
	m.set(d)
	m.cfg.Log.Info("disk", "name", d.Name, "device", d.Device, "type", d.FSType, "path", d.Path, "err", d.Error)
}

// forget drops a device that holds nothing any more, such as a card reader without its card.
func (m *Manager) forget(name string) {
	m.mu.Lock()
	_, known := m.disks[name]
	delete(m.disks, name)
	m.mu.Unlock()
	if known {
		m.changed()
	}
}

// remove lets go of a device that is gone.
func (m *Manager) remove(name string) {
	m.work.Lock()
	defer m.work.Unlock()
	m.detach(name)
}

// detach is remove for who holds m.work.
func (m *Manager) detach(name string) {
	m.mu.Lock()
	d := m.disks[name]
	delete(m.disks, name)
	m.mu.Unlock()
	if d == nil {
		return
	}
	if d.Path != "" {
		if err := m.cfg.unmount(d.Path); err != nil {
			m.cfg.Log.Warn("disk is gone, but still mounted", "path", d.Path, "err", err)
		}
	}
	m.cfg.Log.Info("disk removed", "name", d.Name, "device", d.Device)
	m.changed()
}

// probe reads the superblock, and names the disk. It returns false for what holds no file system.
func (m *Manager) probe(dev device) (api.Disk, bool) {
	f, err := os.Open(filepath.Join(m.cfg.Dev, dev.name))
	if err != nil {
		return api.Disk{}, false // no medium in the drive, or gone already
	}
	defer f.Close()
	found, ok := Probe(f)
	if !ok {
		return api.Disk{}, false
	}
	d := api.Disk{
		ID: found.UUID, Name: found.Label, Device: f.Name(), FSType: found.Type,
		Label: found.Label, UUID: found.UUID, Model: dev.model, Size: dev.size, ReadOnly: true,
	}
	if d.Name == "" {
		d.Name = strings.TrimSpace(dev.model + " " + humanSize(dev.size))
	}
	if d.ID == "" || m.taken(func(o api.Disk) bool { return o.ID == d.ID && o.Device != d.Device }) {
		d.ID = strings.TrimPrefix(d.ID+"-"+dev.name, "-")
	}
	return d, true
}

func (m *Manager) taken(same func(api.Disk) bool) bool { return slices.ContainsFunc(m.List(), same) }

// attach mounts d at a directory of its own, or says in d.Error why not.
func (m *Manager) attach(d *api.Disk) {
	d.Error = ""
	how, ok := optionsFor(d.FSType, m.cfg.GID)
	if !ok {
		d.Error = fmt.Sprintf("it has a file system of type %s, which is not supported: use exFAT, FAT32 or ext4", typeName(d.FSType))
		return
	}
	dir, err := m.makeDir(*d)
	if err == nil {
		if err = m.cfg.mount(d.Device, dir, how); err != nil {
			_ = os.Remove(dir) // empty: it was just made
		}
	}
	switch {
	case errors.Is(err, unix.ENODEV):
		d.Error = fmt.Sprintf("this device's kernel cannot read file systems of type %s: use exFAT, FAT32 or ext4", typeName(d.FSType))
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.EUCLEAN):
		d.Error = "its file system is damaged: repair it on a computer"
	case err != nil:
		d.Error = err.Error()
	default:
		d.Path = dir
		var st unix.Statfs_t
		if err := unix.Statfs(dir, &st); err == nil {
			d.Free = int64(st.Bavail) * st.Bsize
		}
	}
}

// typeName is what people call a file system, where that differs from the kernel's word.
func typeName(fstype string) string {
	switch fstype {
	case "ntfs3":
		return "NTFS"
	case "hfsplus":
		return "HFS+ (Mac OS Extended)"
	case "iso9660", "udf":
		return fstype + " (a disc)"
	}
	return fstype
}

// makeDir makes the directory to mount at: named after the label, else the UUID or the device, and unlike any other's.
func (m *Manager) makeDir(d api.Disk) (string, error) {
	name := directoryNameOf(d.Label)
	if name == "" {
		name = directoryNameOf(d.UUID)
	}
	if name == "" {
		name = filepath.Base(d.Device)
	}
	for i := 1; ; i++ {
		dir := filepath.Join(m.cfg.Dir, name)
		if i > 1 {
			dir = fmt.Sprintf("%s-%d", dir, i)
		}
		err := os.Mkdir(dir, 0o755)
		if err == nil || !errors.Is(err, fs.ErrExist) || i == 100 {
			return dir, err
		}
	}
}

// humanSize prints a disk's size as on its package.
func humanSize(n int64) string {
	switch {
	case n >= 1e12:
		return fmt.Sprintf("%.1f TB", float64(n)/1e12)
	case n >= 1e9:
		return fmt.Sprintf("%.0f GB", float64(n)/1e9)
	}
	return fmt.Sprintf("%.0f MB", float64(n)/1e6)
}
