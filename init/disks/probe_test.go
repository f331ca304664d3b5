package disks

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// image returns the beginning of a file system that the named mkfs made. The expectations below are blkid's.
func image(t testing.TB, name string) []byte {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name+".img.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// hfsplus is a volume header as Apple's TN1150 describes it: there is no mkfs for it in Debian.
func hfsplus() []byte {
	b := make([]byte, 4096)
	copy(b[1024:], "H+\x00\x04")
	binary.BigEndian.PutUint64(b[1024+104:], 0x0123456789abcdef)
	return b
}

func TestProbe(t *testing.T) {
	tests := []struct {
		image string
		want  Filesystem
	}{
		{"ext4", Filesystem{"ext4", "Films 1", "11111111-2222-3333-4444-555555555555"}},
		{"ext2", Filesystem{"ext4", "", "11111111-2222-3333-4444-555555555556"}},
		{"vfat16", Filesystem{"vfat", "MUSIC", "1234-ABCD"}},
		{"vfat32", Filesystem{"vfat", "", "1234-ABCE"}},
		{"exfat", Filesystem{"exfat", "Müsik", "EF47-F870"}},
		{"ntfs", Filesystem{"ntfs3", "Filme", "409B0A45112FA8B3"}},
		{"btrfs", Filesystem{"btrfs", "butter", "11111111-2222-3333-4444-555555555557"}},
		{"xfs", Filesystem{"xfs", "eggs", "11111111-2222-3333-4444-555555555558"}},
		{"f2fs", Filesystem{"f2fs", "flash", "11111111-2222-3333-4444-555555555559"}},
		{"iso", Filesystem{"iso9660", "HOLIDAY 2024", "2026-11-22-03-58-40-00"}},
		{"udf", Filesystem{"udf", "DVD Säule", "6b02688239a1af26"}},
		{"mbr", Filesystem{}},
		{"swap", Filesystem{}},
		{"empty", Filesystem{}},
	}
	for _, tt := range tests {
		t.Run(tt.image, func(t *testing.T) {
			got, ok := Probe(bytes.NewReader(image(t, tt.image)))
			if got != tt.want || ok != (tt.want.Type != "") {
				t.Errorf("got %+v, %t; want %+v", got, ok, tt.want)
			}
		})
	}
	if got, ok := Probe(bytes.NewReader(hfsplus())); !ok || got != (Filesystem{"hfsplus", "", "0123456789ABCDEF"}) {
		t.Errorf("hfsplus: %+v, %t", got, ok)
	}
	if _, ok := Probe(strings.NewReader("short")); ok {
		t.Error("five bytes were taken for a file system")
	}
}

// counter bounds what a prober may read of a stranger's disk.
type counter struct {
	r io.ReaderAt
	n int
}

func (c *counter) ReadAt(p []byte, off int64) (int, error) {
	c.n += len(p)
	return c.r.ReadAt(p, off)
}

// FuzzProbe lays the fuzzer's bytes over a real superblock, wherever one may be.
func FuzzProbe(f *testing.F) {
	bases := []string{"ext4", "vfat16", "exfat", "ntfs", "xfs", "f2fs", "iso", "udf"}
	images := make([][]byte, len(bases))
	for i, name := range bases {
		images[i] = image(f, name)
		f.Add(uint8(i), uint32(1024), []byte{1, 2, 3})
	}
	f.Fuzz(func(t *testing.T, base uint8, at uint32, data []byte) {
		disk := bytes.Clone(images[int(base)%len(images)])
		copy(disk[int(at)%len(disk):], data)
		c := &counter{r: bytes.NewReader(disk)}
		fs, ok := Probe(c)
		if ok == (fs.Type == "") {
			t.Errorf("%+v, %t", fs, ok)
		}
		if c.n > 64<<10 {
			t.Errorf("read %d bytes", c.n)
		}
		if strings.ContainsAny(fs.Label, "\x00\n\x1b") {
			t.Errorf("label %q", fs.Label)
		}
		if name := directoryNameOf(fs.Label); strings.ContainsAny(name, "/\x00") || strings.HasPrefix(name, ".") {
			t.Errorf("directory %q", name)
		}
	})
}
