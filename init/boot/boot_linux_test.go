package boot

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/sys/unix"

	"manofwar/board"
	"manofwar/internal/slot"
)

func TestParseCmdline(t *testing.T) {
	got := ParseCmdline("console=tty1 quiet manofwar.slot=3 console=ttyAMA0 title=\"two words\" \"odd key=1\"\n")
	want := Cmdline{"console": "ttyAMA0", "quiet": "", "manofwar.slot": "3", "title": "two words", "odd key": "1"}
	if !maps.Equal(got, want) {
		t.Errorf("got %v; want %v", got, want)
	}
}

func FuzzParseCmdline(f *testing.F) {
	f.Add(`a=b "c d`)
	f.Fuzz(func(t *testing.T, line string) {
		for key := range ParseCmdline(line) {
			if strings.Contains(key, "\n") && !strings.Contains(line, `"`) {
				t.Errorf("key %q", key)
			}
		}
	})
}

// index is a small /lib/modules/<release>.
var index = fstest.MapFS{
	"modules.dep": {Data: []byte("kernel/brcmfmac.ko: kernel/brcmutil.ko kernel/cfg80211.ko\nkernel/brcmutil.ko:\n" +
		"kernel/cfg80211.ko: kernel/rfkill.ko\nkernel/rfkill.ko:\nkernel/btrfs.ko.xz: kernel/raid6.ko\nkernel/raid6.ko:\n" +
		"kernel/crc32c-generic.ko:\nkernel/loop-a.ko:\nkernel/loop-b.ko:\nkernel/broken.ko: kernel/not-there.ko\n")},
	"modules.softdep":          {Data: []byte("# comment\nsoftdep btrfs pre: crc32c-generic absent post: rfkill\nsoftdep loop_a pre: loop_b\nsoftdep loop_b pre: loop_a\n")},
	"modules.alias":            {Data: []byte("# Aliases\nalias sdio:c*v02D0dA9A6* brcmfmac\nalias fs-btrfs btrfs\nalias sdio:c*v02D0* brcmutil\n")},
	"modules.builtin":          {Data: []byte("kernel/fs/ext4/ext4.ko\n")},
	"kernel/brcmfmac.ko":       {},
	"kernel/brcmutil.ko":       {},
	"kernel/cfg80211.ko":       {},
	"kernel/rfkill.ko":         {},
	"kernel/btrfs.ko.xz":       {},
	"kernel/raid6.ko":          {},
	"kernel/crc32c-generic.ko": {},
	"kernel/loop-a.ko":         {},
	"kernel/loop-b.ko":         {},
	"kernel/broken.ko":         {},
}

func TestModules(t *testing.T) {
	tests := []struct {
		name string
		want string // the files given to the kernel, in order
		err  error
	}{
		{"brcmfmac", "rfkill cfg80211 brcmutil brcmfmac", nil},
		{"sdio:c00v02D0dA9A6", "rfkill cfg80211 brcmutil brcmfmac", nil},
		{"sdio:c00v02D0d0000", "brcmutil", nil},
		{"btrfs", "crc32c-generic raid6 btrfs rfkill", nil},
		{"fs-btrfs", "crc32c-generic raid6 btrfs rfkill", nil},
		{"loop-a", "loop-b loop-a", nil},
		{"loop_a", "loop-b loop-a", nil},
		{"ext4", "", nil},
		{"net-pf-10", "", fs.ErrNotExist},
		{"broken", "", fs.ErrNotExist},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var loaded []string
			m, err := NewModules(index, func(_ fs.File, name string) error {
				base, _, _ := strings.Cut(filepath.Base(name), ".ko")
				loaded = append(loaded, base)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // the second time there is nothing left to do
				if err := m.Load(tt.name); !errors.Is(err, tt.err) {
					t.Errorf("got %v; want %v", err, tt.err)
				}
			}
			if got := strings.Join(loaded, " "); got != tt.want {
				t.Errorf("loaded %q; want %q", got, tt.want)
			}
		})
	}
}

func TestModulesOfAKernelWithout(t *testing.T) {
	m, err := NewModules(fstest.MapFS{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Load("x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestCurrentSlot(t *testing.T) {
	autoboot := func() (slot.Autoboot, error) { return slot.Autoboot{Default: 2, Try: 3}, nil }
	broken := func() (slot.Autoboot, error) { return slot.Autoboot{}, errors.New("no autoboot.txt") }
	tests := []struct {
		name     string
		booted   board.Boot
		cmdline  string
		autoboot func() (slot.Autoboot, error)
		want     int
		err      string
	}{
		{"the firmware's word", board.Boot{Partition: 3}, "manofwar.slot=2", autoboot, 3, ""},
		{"the command line's", board.Boot{}, "manofwar.slot=3", autoboot, 3, ""},
		{"autoboot.txt's", board.Boot{}, "", autoboot, 2, ""},
		{"nobody's", board.Boot{}, "", broken, 0, "no autoboot.txt"},
		{"no slot", board.Boot{Partition: 1}, "", autoboot, 1, "partition 1 is not a slot"},
		{"no number", board.Boot{}, "manofwar.slot=b", autoboot, 0, "manofwar.slot=b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := CurrentSlot(tt.booted, ParseCmdline(tt.cmdline), tt.autoboot)
			if got != tt.want || (err == nil) != (tt.err == "") || (err != nil && !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("got %d, %v; want %d, %q", got, err, tt.want, tt.err)
			}
		})
	}
}

// TestFallBackEnds plays every combination through: from a bad slot, restarts must lead to the other slot or to a stop.
func TestFallBackEnds(t *testing.T) {
	for _, bad := range []int{2, 3} {
		for _, def := range []int{2, 3} {
			for _, try := range []int{2, 3} {
				for _, trial := range []bool{false, true} {
					auto := slot.Autoboot{Default: def, Try: try}
					booted := auto.Default
					if trial {
						booted = auto.Try
					}
					if booted != bad {
						continue // the firmware starts the good one
					}
					next, err := FallBack(bad, trial, auto)
					if err != nil {
						t.Errorf("%v, trial %t, bad %d: %v", auto, trial, bad, err)
						continue
					}
					if next.Default == bad {
						t.Errorf("%v, trial %t: the next start is of the bad slot %d again", auto, trial, bad)
					}
				}
			}
		}
	}
	if _, err := FallBack(3, false, slot.Autoboot{Default: 2, Try: 2}); err == nil {
		t.Error("restarts although the firmware does not heed autoboot.txt")
	}
	if next, _ := FallBack(2, false, slot.Autoboot{Default: 2, Try: 3}); next != (slot.Autoboot{Default: 3, Try: 3}) {
		t.Errorf("got %v; want both sections to name the good slot", next)
	}
}

func TestReadKeys(t *testing.T) {
	dir := t.TempDir()
	if _, err := ReadKeys(dir); err == nil {
		t.Error("no keys are enough")
	}
	good := "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
	for name, text := range map[string]string{"release.pub": good, "developer.pub": good, "note.txt": "x"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	keys, err := ReadKeys(dir)
	if err != nil || len(keys) != 2 || !keys[0].Developer() || keys[1].Developer() || keys[1].Name != "release" {
		t.Errorf("got %v, %v", keys, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "bad.pub"), []byte("AAAA\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadKeys(dir); err == nil || !strings.Contains(err.Error(), "bad.pub") {
		t.Errorf("got %v; want an error that names the file", err)
	}
}

func TestReplaceSector(t *testing.T) {
	name := filepath.Join(t.TempDir(), slot.AutobootName)
	before, after := slot.Autoboot{Default: 2, Try: 2}.Sector(), slot.Autoboot{Default: 3, Try: 2}.Sector()
	if err := os.WriteFile(name, before, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := ReplaceSector(name, after); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(name); err != nil || !slices.Equal(got, after) {
		t.Errorf("got %q, %v", got, err)
	}
	if err := os.WriteFile(name, before[:100], 0o644); err != nil {
		t.Fatal(err)
	}
	if err := ReplaceSector(name, after); err == nil || !strings.Contains(err.Error(), "100 bytes") {
		t.Errorf("got %v; want a refusal to change a file that is no whole sector", err)
	}
}

func TestRequests(t *testing.T) {
	dir := t.TempDir()
	if got, err := readRequests(dir); err != nil || got.FactoryReset || got.Setup != nil {
		t.Errorf("got %+v, %v", got, err)
	}
	if err := errors.Join(os.WriteFile(filepath.Join(dir, FactoryResetName), nil, 0o644),
		os.WriteFile(filepath.Join(dir, "setup.json"), []byte("{}"), 0o644)); err != nil {
		t.Fatal(err)
	}
	if got, err := readRequests(dir); err != nil || !got.FactoryReset || string(got.Setup) != "{}" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestAccessList(t *testing.T) {
	want := "\x02\x00\x00\x00" + "\x01\x00\x06\x00\xff\xff\xff\xff" + "\x02\x00\x06\x00\xe8\x03\x00\x00" +
		"\x02\x00\x06\x00\xe9\x03\x00\x00" + "\x04\x00\x00\x00\xff\xff\xff\xff" + "\x10\x00\x06\x00\xff\xff\xff\xff" +
		"\x20\x00\x00\x00\xff\xff\xff\xff"
	if got := string(accessList([]int{1001, 1000})); got != want {
		t.Errorf("got %x; want %x", got, want)
	}
}

func TestGrant(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: it makes device nodes")
	}
	dev := t.TempDir()
	for _, d := range []string{dev, filepath.Dir(dev)} { // so that other users get there at all
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dev, "snd"), 0o755); err != nil {
		t.Fatal(err)
	}
	null := 1<<8 | 3
	for name, kind := range map[string]uint32{
		"snd/pcmC0D0p": unix.S_IFCHR, "cec0": unix.S_IFCHR, "cecdisk": unix.S_IFBLK, "video0": unix.S_IFCHR, "videodisk": unix.S_IFCHR,
	} {
		number := null
		if name == "video0" {
			number = int(unix.Mkdev(81, 0))
		}
		if err := unix.Mknod(filepath.Join(dev, name), kind|0o600, number); err != nil {
			t.Fatal(err)
		}
	}
	handed := filepath.Join(dev, "handed", "player")
	rules := []NodeRule{{"snd/*", 61001, ""}, {"snd/pcm*", 61002, handed}, {"cec*", 61002, handed}, {"video*", 61002, handed}}
	if err := GrantAll(dev, rules); errors.Is(err, unix.EOPNOTSUPP) {
		t.Skip("needs access control lists on the file system of ", dev)
	} else if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		uid  int
		name string
		want error
	}{
		{61001, "snd/pcmC0D0p", nil},
		{61002, "snd/pcmC0D0p", nil},
		{61002, "cec0", nil},
		{61001, "cec0", unix.EACCES},
		{61003, "cec0", unix.EACCES},
		{61003, "snd/pcmC0D0p", unix.EACCES},
		{61002, "handed/player/cec0", nil},
		{61001, "handed/player/cec0", unix.EACCES},
		{61002, "handed/player/cecdisk", unix.ENOENT},
		{61002, "handed/player/pcmC0D0p", unix.ENOENT},
		{61002, "handed/player/videodisk", unix.ENOENT},
	} {
		if err := openAs(tt.uid, filepath.Join(dev, tt.name)); !errors.Is(err, tt.want) {
			t.Errorf("user %d opens %s: %v; want %v", tt.uid, tt.name, err, tt.want)
		}
	}
	if _, err := os.Lstat(filepath.Join(handed, "video0")); err != nil { // which nothing is behind that could be opened
		t.Error(err)
	}
	for _, step := range []struct {
		what  string
		do    func() error
		there bool
	}{
		{"withdrawn", func() error { return Withdraw("cec0", rules) }, false},
		{"withdrawn twice", func() error { return Withdraw("cec0", rules) }, false},
		{"back", func() error { return Grant(dev, "cec0", rules) }, true},
		{"gone unheard", func() error {
			return errors.Join(os.Remove(filepath.Join(dev, "cec0")), GrantAll(dev, rules))
		}, false},
	} {
		if err := step.do(); err != nil {
			t.Errorf("%s: %v", step.what, err)
		}
		if _, err := os.Lstat(filepath.Join(handed, "cec0")); (err == nil) != step.there {
			t.Errorf("%s: the second node: %v", step.what, err)
		}
	}
	if err := Grant(dev, "gone", []NodeRule{{"gone", 1, ""}}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a node that is gone: %v", err)
	}
}

// openAs opens a file as another user, on a thread that ends afterwards.
func openAs(uid int, name string) error {
	result := make(chan error)
	go func() {
		runtime.LockOSThread()
		if _, _, e := unix.RawSyscall(unix.SYS_SETRESUID, uintptr(uid), uintptr(uid), uintptr(uid)); e != 0 {
			result <- e
			return
		}
		fd, err := unix.Open(name, unix.O_RDWR|unix.O_CLOEXEC, 0)
		if err == nil {
			err = unix.Close(fd)
		}
		result <- err
	}()
	return <-result
}

func TestColdplug(t *testing.T) {
	sys := t.TempDir()
	for name, alias := range map[string]string{"a/modalias": "usb:v1\n", "b/c/modalias": "usb:v1\n", "d/modalias": "sdio:x\n", "e/other": "y\n"} {
		file := filepath.Join(sys, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(alias), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	if err := Coldplug(sys, func(alias string) { got = append(got, alias) }); err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	if strings.Join(got, " ") != "sdio:x usb:v1" {
		t.Errorf("got %v", got)
	}
}
