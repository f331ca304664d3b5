package supervise

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestCheckDevice(t *testing.T) {
	tests := []struct {
		patterns string
		bound    error // for whom modes count
		override error // for whom they do not
	}{
		{`dri/card* dri/card0 dri/* dri/renderD128 snd/* snd/pcmC[0-9]* cec* cec0 cec? video[0-9]* video10`, nil, nil},
		{`v4l-subdev* vbi0 media0 input/event0 tty* net/tun`, nil, errEvery},                                             // harmless to disks, but nobody's need
		{`sd* sda sg* sg0 sg[0-9] s* bsg/* nvme* nvme0 ng0n1 mmcblk* mtd0 mtd0ro`, nil, errEvery},                        // disks, and what speaks to them raw
		{`raw/* raw/raw1 rawctl mapper/* mapper/control disk/by-id/* block/* loop* dm-0 nbd0 zram0 fuse`, nil, errEvery}, // and by other names
		{`mem kmem port kmsg cpu/0/msr watchdog watchdog0 vfio/vfio kvm uinput hwrng tpm0`, nil, errEvery},               // memory, and the machine
		{`* ? ?* [a-z]* c* ce* [c]ec* \cec* d* v* vd* dri snd dri* snd* card* shm/* pts/*`, nil, errEvery},               // too much, or seeming to be
		{`. ./ ./cec0 cec*/../sda dri/../sg0 dri/./card0 dri//card0 dri/ ../etc/* /dev/cec0 .. [a`, errDevice, errDevice},
		{`dri*/card0 */sda snd/*/* dri/[a]/x bus/usb/*/* cec*/x`, errDirectory, errDirectory},
	}
	for _, tt := range tests {
		for _, pattern := range strings.Fields(tt.patterns) {
			if err := checkDevice(pattern, false); !errors.Is(err, tt.bound) {
				t.Errorf("%s: %v; want %v", pattern, err, tt.bound)
			}
			if err := checkDevice(pattern, true); !errors.Is(err, tt.override) {
				t.Errorf("%s, overriding: %v; want %v", pattern, err, tt.override)
			}
		}
	}
	if err := checkDevice("", true); !errors.Is(err, errDevice) {
		t.Errorf("no name: %v", err)
	}
}

func TestOverrides(t *testing.T) {
	for _, caps := range []string{"dac_override", "dac_read_search", "chown", "fowner", "setuid", "setgid", "net_admin dac_read_search"} {
		if !overrides(strings.Fields(caps)) {
			t.Errorf("%s does not", caps)
		}
	}
	if overrides([]string{"net_admin", "net_raw", "sys_time"}) {
		t.Error("the network's do")
	}
}

// FuzzCheckDevice looks for a pattern that passes where modes count for nothing, and matches what is no television's.
func FuzzCheckDevice(f *testing.F) {
	for _, seed := range []string{"cec*", "dri/*", "[c]ec0", `\sda`, "cec*/../sda", "dri/[^x]*"} {
		f.Add(seed, "sda")
	}
	f.Fuzz(func(t *testing.T, pattern, node string) {
		if checkDevice(pattern, true) != nil {
			return
		}
		harmless := strings.HasPrefix(node, "dri/") || strings.HasPrefix(node, "snd/") || strings.HasPrefix(node, "cec") || strings.HasPrefix(node, "video")
		if dir := filepath.Dir(filepath.Join("/dev", pattern)); dir != "/dev" && !strings.HasPrefix(dir+"/", "/dev/dri/") &&
			!strings.HasPrefix(dir+"/", "/dev/snd/") && !strings.HasPrefix(dir, "/dev/cec") && !strings.HasPrefix(dir, "/dev/video") {
			t.Errorf("%q opens %s", pattern, dir)
		}
		if ok, _ := filepath.Match(filepath.Join("/dev", pattern), filepath.Join("/dev", node)); ok && !harmless && filepath.IsLocal(node) && filepath.Clean(node) == node {
			t.Errorf("%q is %q", pattern, node)
		}
	})
}

func TestDeviceRoots(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to make device nodes")
	}
	dev := t.TempDir()
	at := func(name string) string { return filepath.Join(dev, name) }
	for name, mode := range map[string]uint32{"cec0": unix.S_IFCHR, "cecdisk": unix.S_IFBLK, "vda": unix.S_IFBLK, "video0": unix.S_IFCHR} {
		if err := unix.Mknod(at(name), mode|0o600, int(unix.Mkdev(1, 3))); err != nil {
			t.Fatal(err)
		}
	}
	patterns := []string{"dri/card*", "dri/renderD128", "snd/*", "cec*"} // nothing is plugged in yet but a television
	if got, want := deviceRoots(dev, patterns, ""), []string{dev, at("dri"), at("snd")}; !slices.Equal(got, want) {
		t.Errorf("got %v; want %v", got, want)
	}
	if got, want := deviceRoots(dev, patterns, at("handed/player")), []string{at("dri"), at("handed/player"), at("snd")}; !slices.Equal(got, want) {
		t.Errorf("for whom modes do not count: %v; want %v", got, want)
	}
	if got := deviceRoots(at("vda"), patterns, at("vda/handed")); len(got) != 0 { // no directory can be made there
		t.Errorf("without directories: %v", got)
	}
}
