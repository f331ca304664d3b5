package board_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"manofwar/board"
	"manofwar/board/host"
	"manofwar/board/qemu"
	"manofwar/board/raspberrypi"
)

func boards() []board.Board {
	return []board.Board{raspberrypi.Board(), qemu.Board(), qemu.AMD64(), host.Board()}
}

func TestTables(t *testing.T) {
	names := map[string]bool{}
	for _, b := range boards() {
		if b.Name == "" || b.Title == "" || b.Restart == nil || names[b.Name] {
			t.Errorf("%+v: name or title missing or taken, or no restart", b)
		}
		names[b.Name] = true
		if b.Image == nil {
			continue
		}
		if b.GOARCH == "" || len(b.Disks) == 0 || len(b.Watchdog.Identities) == 0 || b.Watchdog.Timeout == 0 {
			t.Errorf("%s: has an image, but lacks an architecture, disks or a watchdog", b.Name)
		}
		line := " " + strings.Join(b.Image.Cmdline, " ") + " "
		for _, want := range []string{" panic=-1 ", " watchdog.open_timeout=60 ", " cgroup_enable=memory "} {
			if !strings.Contains(line, want) {
				t.Errorf("%s: command line lacks%s", b.Name, want)
			}
		}
	}
}

func TestDetect(t *testing.T) {
	for _, tt := range []struct {
		name string
		root fstest.MapFS
		want string
		err  string
	}{
		{"the image's word", fstest.MapFS{"etc/manofwar/board": {Data: []byte("qemu\n")}}, "qemu", ""},
		{"the image's word where there is no tree", fstest.MapFS{"etc/manofwar/board": {Data: []byte("qemu-amd64\n")}}, "qemu-amd64", ""},
		{"the image's word over the tree's", fstest.MapFS{
			"etc/manofwar/board": {Data: []byte("qemu\n")}, "proc/device-tree/compatible": {Data: []byte("raspberrypi,4-model-b\x00")},
		}, "qemu", ""},
		{"the tree's", fstest.MapFS{"proc/device-tree/compatible": {Data: []byte("linux,dummy-virt\x00")}}, "qemu", ""},
		{"a model that is not in the table", fstest.MapFS{"proc/device-tree/compatible": {Data: []byte("raspberrypi,9\x00brcm,bcm2712\x00")}}, "raspberrypi", ""},
		{"an unknown image", fstest.MapFS{"etc/manofwar/board": {Data: []byte("toaster\n")}}, "", `"toaster"`},
		{"an unknown machine", fstest.MapFS{"proc/device-tree/compatible": {Data: []byte("acme,toaster\x00")}}, "", "acme,toaster"},
		{"nothing", fstest.MapFS{}, "", "no /etc/manofwar/board"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, err := board.Detect(tt.root, boards()...)
			if b.Name != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("got %q, %v; want %q, %q", b.Name, err, tt.want, tt.err)
			}
		})
	}
}

func TestBooted(t *testing.T) {
	if b, err := board.Booted(fstest.MapFS{}); err != nil || b != (board.Boot{}) {
		t.Errorf("firmware that says nothing: %+v, %v", b, err)
	}
	damaged := fstest.MapFS{"proc/device-tree/chosen/bootloader/partition": {Data: []byte{2}}}
	if _, err := board.Booted(damaged); err == nil || !strings.Contains(err.Error(), "/proc/device-tree/chosen/bootloader/partition") {
		t.Errorf("a damaged property: %v", err)
	}
}

func TestSerialNumber(t *testing.T) {
	b := board.Board{Serial: []string{"/a", "/b", "/c"}}
	for want, root := range map[string]fstest.MapFS{
		"":    {"a": {Data: []byte("0000\x00")}},
		"123": {"a": {Data: []byte("\n")}, "b": {Data: []byte("123\n")}, "c": {Data: []byte("456\n")}},
	} {
		if got := b.SerialNumber(root); got != want {
			t.Errorf("got %q; want %q", got, want)
		}
	}
}

func TestPartition(t *testing.T) {
	for disk, want := range map[string]string{"mmcblk0": "mmcblk0p2", "nvme0n1": "nvme0n1p2", "sda": "sda2", "vda": "vda2", "": "2"} {
		if got := board.Partition(disk, 2); got != want {
			t.Errorf("%s: got %s; want %s", disk, got, want)
		}
	}
}
