package disks

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"manofwar/init/api"
	"manofwar/internal/media"
)

// machine is a sysfs, a /dev and a /media in a temporary directory, with mounts that are only noted.
type machine struct {
	t       *testing.T
	dir     string
	manager *Manager

	mu     sync.Mutex // guards all below
	mounts []string
	fail   map[string]error // by device name
	news   int
}

func newMachine(t *testing.T) *machine {
	m := &machine{t: t, dir: t.TempDir(), fail: make(map[string]error)}
	m.mkdir("sys/class/block", "sys/devices", "dev", "media")
	m.manager = NewManager(Config{
		Dir: m.path("media"), GID: 500, Ignore: []string{"vda"}, Serials: []string{"nvram"}, Log: slog.New(slog.DiscardHandler),
		Sys: m.path("sys"), Dev: m.path("dev"),
		Changed: func([]api.Disk) {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.news++
		},
		mount: func(dev, dir string, how options) error {
			m.mu.Lock()
			defer m.mu.Unlock()
			if err := m.fail[filepath.Base(dev)]; err != nil {
				return fmt.Errorf("mount %s: %w", dev, err)
			}
			m.mounts = append(m.mounts, filepath.Base(dev)+" "+filepath.Base(dir)+" "+how.fstype)
			return nil
		},
		unmount: func(dir string) error {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.mounts = append(m.mounts, "unmount "+filepath.Base(dir))
			return os.Remove(dir)
		},
	})
	return m
}

func (m *machine) path(name string) string { return filepath.Join(m.dir, name) }

func (m *machine) mkdir(names ...string) {
	m.t.Helper()
	for _, name := range names {
		if err := os.MkdirAll(m.path(name), 0o755); err != nil {
			m.t.Fatal(err)
		}
	}
}

func (m *machine) write(name string, data []byte) {
	m.t.Helper()
	m.mkdir(filepath.Dir(name))
	if err := os.WriteFile(m.path(name), data, 0o644); err != nil {
		m.t.Fatal(err)
	}
}

// plug adds a disk, or with a number a partition of one, that holds the image.
func (m *machine) plug(disk string, partition int, img string) {
	m.t.Helper()
	dir, name := "sys/devices/"+disk, disk
	m.write(dir+"/device/model", []byte("Ultra\n"))
	m.write(dir+"/device/vendor", []byte("SanDisk \n"))
	m.write(dir+"/size", []byte("62500000\n"))
	m.link(disk, "../../devices/"+disk)
	if partition > 0 {
		name = disk + strconv.Itoa(partition)
		dir += "/" + name
		m.write(dir+"/partition", []byte(strconv.Itoa(partition)+"\n"))
		m.write(dir+"/size", []byte("2048\n"))
		m.link(name, "../../devices/"+disk+"/"+name)
	}
	m.write("dev/"+name, image(m.t, img))
}

func (m *machine) link(name, target string) {
	m.t.Helper()
	if err := os.Symlink(target, m.path("sys/class/block/"+name)); err != nil && !errors.Is(err, os.ErrExist) {
		m.t.Fatal(err)
	}
}

// unplug takes a device away.
func (m *machine) unplug(name string) {
	m.t.Helper()
	if err := errors.Join(os.Remove(m.path("sys/class/block/"+name)), os.Remove(m.path("dev/"+name))); err != nil {
		m.t.Fatal(err)
	}
}

// run gives the manager the events, after its first look, and returns the disks before it ends.
func (m *machine) run(events ...Event) (disks []api.Disk) {
	m.t.Helper()
	ch := make(chan Event)
	done := make(chan struct{})
	go func() {
		defer close(done)
		m.manager.Run(ch)
	}()
	for _, ev := range events {
		ch <- ev
	}
	ch <- Event{Name: "no-such-disk"} // once this is taken, the others are done
	disks = m.manager.List()
	close(ch)
	<-done
	return disks
}

func TestManagerMountsWhatIsMedia(t *testing.T) {
	m := newMachine(t)
	m.plug("sda", 1, "vfat16")
	m.plug("sda", 2, "ext4")
	m.plug("sdb", 0, "exfat")
	m.plug("sdc", 0, "ext4") // the same stick, cloned
	m.plug("vda", 4, "ext4") // the card
	m.plug("vdb", 0, "ext4")
	m.write("sys/devices/vdb/serial", []byte("nvram\n"))
	m.plug("sdd", 0, "empty")
	m.plug("sde", 0, "vfat16")
	hostile := image(t, "vfat16")
	copy(hostile[43:], "../../etc  ")
	m.write("dev/sde", hostile)
	m.write("sys/devices/loop0/size", []byte("100\n"))
	m.link("loop0", "../../devices/loop0")
	m.write("dev/loop0", image(t, "ext4"))
	disks := m.run()
	var got []string
	for _, d := range disks {
		got = append(got, strings.Join([]string{filepath.Base(d.Device), d.ID, d.Name, filepath.Base(d.Path), d.Error}, "|"))
	}
	want := []string{
		"sda1|1234-ABCD|MUSIC|MUSIC|",
		"sda2|11111111-2222-3333-4444-555555555555|Films 1|Films 1|",
		"sdb|EF47-F870|Müsik|Müsik|",
		"sdc|11111111-2222-3333-4444-555555555555-sdc|Films 1|Films 1-2|",
		"sde|1234-ABCD-sde|../../etc|_.._etc|",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if disks[2].Model != "SanDisk Ultra" || disks[2].Size != 32e9 || !disks[2].ReadOnly {
		t.Errorf("%+v", disks[2])
	}
	if left, _ := os.ReadDir(m.path("media")); len(left) != 0 {
		t.Errorf("still mounted at the end: %v", left)
	}
}

func TestManagerFollowsEvents(t *testing.T) {
	m := newMachine(t)
	m.plug("sda", 1, "vfat16")
	ch := make(chan Event)
	done := make(chan struct{})
	go func() {
		defer close(done)
		m.manager.Run(ch)
	}()
	send := func(ev Event) {
		ch <- ev
		ch <- Event{Name: "no-such-disk"}
	}
	send(Event{Name: "sda1"}) // known already
	m.plug("sdb", 0, "exfat")
	send(Event{Name: "sdb"})
	m.unplug("sda1")
	send(Event{Name: "sda1", Remove: true})
	if got := m.manager.List(); len(got) != 1 || got[0].Label != "Müsik" {
		t.Errorf("got %+v", got)
	}
	m.plug("sdc", 1, "ext4")
	m.unplug("sdb")
	send(Event{}) // some events were missed
	if got := m.manager.List(); len(got) != 1 || got[0].Label != "Films 1" {
		t.Errorf("got %+v", got)
	}
	m.write("dev/sdc1", image(t, "empty")) // formatted, or the card taken out of its reader
	if err := m.manager.Eject(m.manager.List()[0].ID); err != nil {
		t.Error(err)
	}
	send(Event{Name: "sdc1"})
	if got := m.manager.List(); len(got) != 0 {
		t.Errorf("got %+v", got)
	}
	close(ch)
	<-done
	want := []string{"sda1 MUSIC vfat", "sdb Müsik exfat", "unmount MUSIC", "sdc1 Films 1 ext4", "unmount Müsik", "unmount Films 1"}
	if !slices.Equal(m.mounts, want) {
		t.Errorf("mounts: %q; want %q", m.mounts, want)
	}
	if m.news != 7 {
		t.Errorf("%d changes were told; want 7", m.news)
	}
}

func TestEjectAndMount(t *testing.T) {
	m := newMachine(t)
	m.plug("sda", 1, "vfat16")
	const id = "1234-ABCD"
	m.manager.scan()
	if err := errors.Join(m.manager.Eject(id), m.manager.Eject(id)); err != nil {
		t.Fatal(err)
	}
	if d := m.manager.List()[0]; d.Path != "" || d.Error != "" {
		t.Errorf("after the eject: %+v", d)
	}
	m.manager.scan() // an ejected disk stays so until it is asked for, or comes anew
	if d := m.manager.List()[0]; d.Path != "" {
		t.Errorf("mounted again by itself: %+v", d)
	}
	if err := errors.Join(m.manager.Mount(id), m.manager.Mount(id)); err != nil {
		t.Fatal(err)
	}
	if d := m.manager.List()[0]; filepath.Base(d.Path) != "MUSIC" {
		t.Errorf("after the mount: %+v", d)
	}
	for _, f := range []func(string) error{m.manager.Eject, m.manager.Mount} {
		if err := f("unknown"); !errors.Is(err, media.ErrNotFound) {
			t.Errorf("unknown disk: %v", err)
		}
	}
}

func TestCardPulledOutOfItsReader(t *testing.T) {
	m := newMachine(t)
	m.plug("sda", 0, "vfat16")
	if got := m.run(Event{Name: "sda"}); len(got) != 1 || got[0].Path == "" {
		t.Fatalf("got %+v", got)
	}
	m.manager.scan()
	m.write("sys/devices/sda/size", []byte("0\n")) // the reader is still there
	if got := m.run(Event{Name: "sda"}); len(got) != 0 {
		t.Errorf("got %+v", got)
	}
	if left, _ := os.ReadDir(m.path("media")); len(left) != 0 {
		t.Errorf("still mounted: %v", left)
	}
}

func TestDisksThatCannotBeMounted(t *testing.T) {
	tests := []struct {
		image string
		err   error
		want  string
	}{
		{"ntfs", unix.ENODEV, "kernel cannot read file systems of type NTFS"},
		{"exfat", unix.EINVAL, "is damaged: repair it on a computer"},
		{"ext4", unix.EIO, "input/output error"},
		{"vfat16", nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.image, func(t *testing.T) {
			m := newMachine(t)
			m.plug("sda", 0, tt.image)
			m.fail["sda"] = tt.err
			m.manager.scan()
			d := m.manager.List()[0]
			if (d.Error == "") != (tt.want == "") || !strings.Contains(d.Error, tt.want) || (d.Path == "") != (tt.want != "") {
				t.Errorf("got %+v; want %q", d, tt.want)
			}
			if tt.want == "" {
				return
			}
			if err := m.manager.Mount(d.ID); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v; want %q", err, tt.want)
			}
			if left, _ := os.ReadDir(m.path("media")); len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}
			m.fail["sda"] = nil
			if err := m.manager.Mount(d.ID); err != nil || m.manager.List()[0].Error != "" {
				t.Errorf("once it can be mounted: %v, %+v", err, m.manager.List()[0])
			}
		})
	}
}

// TestNoDiskDecidesOverTheKernel: ext4's superblock may ask for a panic at the first error, and a stranger's disk has one.
func TestNoDiskDecidesOverTheKernel(t *testing.T) {
	how, ok := optionsFor("ext4", 1)
	if !ok || len(how.data) == 0 {
		t.Fatal("ext4 is not mounted at all")
	}
	for _, data := range how.data {
		if !slices.Contains(strings.Split(data, ","), "errors=continue") {
			t.Errorf("options %q leave it to the disk what an error does", data)
		}
	}
}

func TestDirectoryName(t *testing.T) {
	for label, want := range map[string]string{
		"MUSIC": "MUSIC", "a/b": "a_b", "..": "", ".hidden": "hidden", "  x ": "x", "": "", "C:\\": "C__",
		"\x1b[31mred": "[31mred", strings.Repeat("ü", 80): strings.Repeat("ü", 50),
	} {
		if got := directoryNameOf(label); got != want {
			t.Errorf("%q: got %q; want %q", label, got, want)
		}
	}
}
