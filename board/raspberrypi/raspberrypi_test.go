package raspberrypi_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"manofwar/board"
	"manofwar/board/raspberrypi"
)

// kernelDir returns the directory of the kernel package that images are made from.
func kernelDir(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/gokrazy/kernel.rpi").Output()
	dir := strings.TrimSpace(string(out))
	if err == nil && dir == "" { // in go.mod, but not downloaded yet
		err = exec.Command("go", "mod", "download", "github.com/gokrazy/kernel.rpi").Run()
		out, _ = exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/gokrazy/kernel.rpi").Output()
		dir = strings.TrimSpace(string(out))
	}
	if err != nil {
		t.Skipf("needs the go command and the kernel module: %v", err)
	}
	return dir
}

// trees returns the device trees of all models by file name.
func trees(t *testing.T) map[string]*node {
	t.Helper()
	dir, m := kernelDir(t), map[string]*node{}
	for _, name := range raspberrypi.Board().DeviceTrees() {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if m[name], err = parseTree(data); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	return m
}

func TestModelsAreWhatTheirDeviceTreesSay(t *testing.T) {
	all, b := trees(t), raspberrypi.Board()
	for _, m := range b.Models {
		for _, name := range m.DeviceTree {
			tree := all[name]
			compatible := tree.strings("compatible")
			if len(compatible) == 0 || compatible[0] != m.Compatible {
				t.Errorf("%s: compatible with %q, the table has %s", name, compatible, m.Compatible)
			}
			if !slices.ContainsFunc(compatible, func(c string) bool { return slices.Contains(b.Compatible, c) }) {
				t.Errorf("%s: compatible with %q, none of which is the board's", name, compatible)
			}
			if got := tree.get("pwr_button") != nil; got != (m.PowerKey != "") {
				t.Errorf("%s: has a power key: %v; the table has %q", name, got, m.PowerKey)
			}
			if tree.get("thermal-zones", b.Thermal) == nil {
				t.Errorf("%s: no thermal zone %s", name, b.Thermal)
			}
			led := false
			tree.get("leds").walk(func(_ string, n *node) { led = led || slices.Contains(n.strings("label"), b.LED) })
			if !led {
				t.Errorf("%s: no LED %s", name, b.LED)
			}
		}
	}
}

// effective is what the kernel makes of a command line: of each setting the last word, and of the words that switch the
// memory controller off and on (cgroup_disable=, cgroup_enable=) the last one too.
func effective(line string) map[string]string {
	m := map[string]string{}
	for word := range strings.FieldsSeq(line) {
		key, value, _ := strings.Cut(word, "=")
		switch word {
		case "cgroup_disable=memory":
			key, value = "memory controller", "off"
		case "cgroup_enable=memory":
			key, value = "memory controller", "on"
		}
		m[key] = value
	}
	return m
}

func TestCommandLineCountersTheDeviceTrees(t *testing.T) {
	// What the trees say and is right as it is. A kernel whose trees say more must be looked at before it is pinned.
	known := []string{
		"coherent_pool=1M", "8250.nr_uarts=1", "numa_policy=interleave", "nvme.max_host_mem_size_mb=0", "reboot=w", "pci=pcie_bus_safe",
		"cgroup_disable=memory", "snd_bcm2835.enable_headphones=0", // countered
	}
	for name, tree := range trees(t) {
		args := tree.get("chosen").strings("bootargs")
		if len(args) != 1 {
			t.Errorf("%s: bootargs %q", name, args)
			continue
		}
		for word := range strings.FieldsSeq(args[0]) {
			if !slices.Contains(known, word) {
				t.Errorf("%s: bootargs have %s, which nobody has looked at", name, word)
			}
		}
		// The firmware puts the tree's arguments before ours.
		got := effective(args[0] + " " + strings.Join(raspberrypi.Board().Image.Cmdline, " "))
		for key, want := range map[string]string{
			"memory controller": "on", "snd_bcm2835.enable_headphones": "1", "panic": "-1", "watchdog.open_timeout": "60",
		} {
			if got[key] != want {
				t.Errorf("%s: %s is %q; want %q", name, key, got[key], want)
			}
		}
	}
}

func TestConfigAsksForWhatTheTreesOffer(t *testing.T) {
	config := raspberrypi.Board().Image.Config
	for _, line := range []string{"kernel=vmlinuz", "initramfs initramfs.cpio followkernel", "dtoverlay=vc4-kms-v3d", "arm_64bit=1"} {
		if !slices.Contains(config, line) {
			t.Errorf("config.txt lacks %s", line)
		}
	}
	if !slices.ContainsFunc(config, func(l string) bool { return strings.HasPrefix(l, "kernel_watchdog_timeout=") }) {
		t.Error("config.txt lacks kernel_watchdog_timeout: a kernel that hangs would never fall back")
	}
	i := slices.IndexFunc(config, func(l string) bool { return strings.HasPrefix(l, "dtparam=") })
	parameters := map[string]bool{}
	for p := range strings.SplitSeq(strings.TrimPrefix(config[i], "dtparam="), ",") {
		key, value, _ := strings.Cut(p, "=")
		parameters[key] = value == "on"
	}
	if !parameters["watchdog"] || !parameters["audio"] {
		t.Errorf("%s: want watchdog and audio on", config[i])
	}
	headphones := map[string]bool{}
	for _, m := range raspberrypi.Board().Models {
		for _, name := range m.DeviceTree {
			headphones[name] = headphones[name] || m.Headphones
		}
	}
	for name, tree := range trees(t) {
		overrides := tree.get("__overrides__")
		if overrides == nil || overrides.properties["watchdog"] == nil {
			t.Errorf("%s: no parameter watchdog", name)
		}
		if headphones[name] && !strings.Contains(string(overrides.properties["audio"]), "enable_headphones=1") {
			t.Errorf("%s: has a jack by the table, but its parameter audio does not switch it on", name)
		}
	}
	for _, name := range []string{"vc4-kms-v3d", "vc4-kms-v3d-pi4", "vc4-kms-v3d-pi5"} {
		if _, err := os.Stat(filepath.Join(kernelDir(t), "overlays", name+".dtbo")); err != nil {
			t.Error(err)
		}
	}
}

func TestRestart(t *testing.T) {
	restart := raspberrypi.Board().Restart
	for next, want := range map[board.Next]string{{}: "", {Partition: 2}: "2", {Partition: 3}: "3", {Trial: true}: "0 tryboot"} {
		if got := restart(next); got.Argument != want || got.Sector != nil {
			t.Errorf("%+v: got %+v; want %q", next, got, want)
		}
	}
}

func TestDetectByDeviceTree(t *testing.T) {
	root := fstest.MapFS{
		"proc/device-tree/compatible":                   {Data: []byte("raspberrypi,5-model-b\x00brcm,bcm2712\x00")},
		"proc/device-tree/serial-number":                {Data: []byte("10000000abcdef01\x00")},
		"proc/device-tree/chosen/bootloader/partition":  {Data: []byte{0, 0, 0, 3}},
		"proc/device-tree/chosen/bootloader/tryboot":    {Data: []byte{0, 0, 0, 1}},
		"proc/device-tree/chosen/bootloader/boot-mode":  {Data: []byte{0, 0, 0, 1}},
		"proc/device-tree/chosen/bootloader/build-time": {Data: []byte{1, 2, 3, 4}},
	}
	b, err := board.Detect(root, raspberrypi.Board())
	if err != nil || b.Name != "raspberrypi" {
		t.Fatalf("got %s, %v", b.Name, err)
	}
	if m, ok := b.Model(board.Compatible(root)); !ok || m.Title != "Raspberry Pi 5" || m.PowerKey == "" {
		t.Errorf("model %+v, %v", m, ok)
	}
	if s := b.SerialNumber(root); s != "10000000abcdef01" {
		t.Errorf("serial number %q", s)
	}
	if boot, err := board.Booted(root); err != nil || boot != (board.Boot{Partition: 3, Trial: true}) {
		t.Errorf("booted %+v, %v", boot, err)
	}
}
