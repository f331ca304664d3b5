package kernel_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"manofwar/gokrazy/kernel"
)

// testPackage lays out a kernel package of a few empty modules.
func testPackage(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"vmlinuz":                          "",
		"overlays/vc4.dtbo":                "",
		"overlays/overlay_map.dtb":         "",
		"overlays/README":                  "",
		"lib/modules/6.1/kernel/wifi.ko":   "",
		"lib/modules/6.1/kernel/util.ko":   "",
		"lib/modules/6.1/kernel/wifi-a.ko": "",
		"lib/modules/6.1/kernel/crc.ko":    "",
		"lib/modules/6.1/kernel/dvb.ko":    "",
		"lib/modules/6.1/modules.builtin":  "kernel/fs/ext4.ko\n",
		"lib/modules/6.1/modules.dep": "kernel/wifi.ko: kernel/util.ko\nkernel/util.ko:\n" +
			"kernel/wifi-a.ko: kernel/wifi.ko kernel/util.ko\nkernel/crc.ko:\nkernel/dvb.ko:\n",
		"lib/modules/6.1/modules.softdep": "# softdeps\nsoftdep wifi pre: crc post: absent\nsoftdep dvb pre: crc\n",
		"lib/modules/6.1/modules.alias":   "# aliases\nalias sdio:c*v02D0d4345* wifi\nalias usb:v1234* dvb\n",
	} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestClosure(t *testing.T) {
	p, err := kernel.Open(testPackage(t))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		names []string
		want  string
	}{
		{[]string{"util"}, "kernel/util.ko"},
		{[]string{"wifi"}, "kernel/crc.ko kernel/util.ko kernel/wifi.ko"},
		{[]string{"wifi-a"}, "kernel/crc.ko kernel/util.ko kernel/wifi-a.ko kernel/wifi.ko"},
		{[]string{"wifi_a", "util"}, "kernel/crc.ko kernel/util.ko kernel/wifi-a.ko kernel/wifi.ko"},
		{[]string{"ext4"}, ""},
	}
	for _, tt := range tests {
		got, err := p.Closure(tt.names)
		if err != nil || strings.Join(got, " ") != tt.want {
			t.Errorf("%v: got %v, %v; want %s", tt.names, got, err, tt.want)
		}
	}
	if all := p.All(); len(all) != 5 || !slices.IsSorted(all) {
		t.Errorf("all modules: %v", all)
	}
	_, err = p.Closure([]string{"mac80211"})
	if bad, ok := errors.AsType[*kernel.MissingError](err); !ok || bad.Module != "mac80211" {
		t.Errorf("missing module: %v", err)
	}
}

func TestFiles(t *testing.T) {
	p, err := kernel.Open(testPackage(t))
	if err != nil {
		t.Fatal(err)
	}
	files, err := p.Files([]string{"kernel/wifi.ko", "kernel/util.ko", "kernel/crc.ko"})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range files {
		got[strings.TrimPrefix(f.Path, "lib/modules/6.1/")] = string(f.Content)
	}
	want := map[string]string{
		"kernel/wifi.ko": "", "kernel/util.ko": "", "kernel/crc.ko": "",
		"modules.alias":   "alias sdio:c*v02D0d4345* wifi\n",
		"modules.builtin": "kernel/fs/ext4.ko\n",
		"modules.dep":     "kernel/wifi.ko: kernel/util.ko\nkernel/util.ko:\nkernel/crc.ko:\n",
		"modules.softdep": "softdep wifi pre: crc post: absent\n",
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	overlays, err := p.Overlays()
	if err != nil || !slices.Equal(overlays, []string{"overlay_map.dtb", "vc4.dtbo"}) {
		t.Errorf("overlays %v, %v", overlays, err)
	}
}

func TestOpenRefusesADirectoryWithoutAKernel(t *testing.T) {
	if _, err := kernel.Open(t.TempDir()); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "vmlinuz") {
		t.Errorf("error %v; want one that names vmlinuz", err)
	}
}
