package fat_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"manofwar/gokrazy/fat"
)

const mib = 1 << 20

// memory is a volume in memory.
type memory []byte

func (m memory) WriteAt(p []byte, off int64) (int, error) { return copy(m[off:], p), nil }
func (m memory) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(m).ReadAt(p, off)
}

func files(content map[string]string) (list []fat.File) {
	for name, s := range content {
		list = append(list, fat.File{Path: name, Size: int64(len(s)), Open: func() (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader(s)), nil
		}})
	}
	return list
}

// fsck fails the test unless dosfstools finds the volume clean.
func fsck(t *testing.T, volume []byte) {
	t.Helper()
	prog, err := exec.LookPath("fsck.fat")
	if err != nil {
		t.Skip("needs fsck.fat (apt package dosfstools)")
	}
	name := filepath.Join(t.TempDir(), "volume.img")
	writeSparse(t, name, volume)
	out, err := exec.Command(prog, "-n", "-v", name).CombinedOutput()
	if err != nil || strings.Contains(string(out), "warning") || strings.Contains(string(out), "Dirty") {
		t.Errorf("fsck.fat: %v\n%s", err, out)
	}
}

// writeSparse writes a file without its zeros: most of a volume is empty.
func writeSparse(t *testing.T, name string, data []byte) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(int64(len(data))); err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, mib)
	for off := 0; off < len(data); off += mib {
		part := data[off:min(off+mib, len(data))]
		if bytes.Equal(part, zeros[:len(part)]) {
			continue
		}
		if _, err := f.WriteAt(part, int64(off)); err != nil {
			t.Fatal(err)
		}
	}
}

var sample = map[string]string{
	"autoboot.txt":                         "[all]\n",
	"UPPER.TXT":                            "upper",
	"empty":                                "",
	"a long name with spaces.config.txt":   "long",
	"a long name with other spaces.config": "other",
	"overlays/vc4-kms-v3d.dtbo":            strings.Repeat("overlay", 5000),
	"overlays/deep/er/file.bin":            strings.Repeat("x", 4096),
	"überall/Ünïcode – 音楽.flac":            "unicode",
	"lower.elf":                            strings.Repeat("y", 100000),
	".hidden":                              "dot",
	"13 characters":                        "exactly one long entry, no terminator",
	"foo~1.txt":                            "looks like a numbered short name",
	"foo bar.txt":                          "wants that name",
}

func TestWriteAndRead(t *testing.T) {
	for _, format := range []fat.Format{
		{Bits: 16, Size: 32 * mib, Start: 4 * mib, Label: "MANOFWAR"},
		{Bits: 16, Size: 5 * mib, Label: "SMALL"},
		{Bits: 16, Size: 16 * mib},
		{Bits: 32, Size: 512 * mib, Start: 36 * mib, Label: "SLOT-A"},
		{Bits: 32, Size: 64 * mib, Label: "SMALL32"},
		{Bits: 32, Size: 260 * mib, Label: "EDGE"},
	} {
		t.Run(fmt.Sprintf("FAT%d, %d MiB", format.Bits, format.Size/mib), func(t *testing.T) {
			format.Serial, format.Time = 0x1234abcd, time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
			for _, fresh := range []bool{true, false} {
				volume := make(memory, format.Size)
				if format.Fresh = fresh; !fresh {
					for i := range volume[:min(len(volume), 40*mib)] {
						volume[i] = 0xa5
					}
				}
				if err := fat.Write(volume, format, files(sample)); err != nil {
					t.Fatal(err)
				}
				fsck(t, volume)
				compare(t, volume, sample)
			}
		})
	}
}

// compare reads every file back, and holds the volume to the fs package's rules.
func compare(t *testing.T, volume memory, want map[string]string) {
	t.Helper()
	v, err := fat.Open(volume, int64(len(volume)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for name, s := range want {
		names = append(names, name)
		got, err := fs.ReadFile(v, name)
		if err != nil || string(got) != s {
			t.Errorf("%s: read %d bytes, %v; want %d", name, len(got), err, len(s))
		}
		extents, err := v.Extents(name)
		if err != nil || len(extents) > 1 {
			t.Errorf("%s: %d extents, %v; want it contiguous", name, len(extents), err)
		}
		for _, x := range extents {
			if string(volume[x.Offset:x.Offset+x.Size]) != s {
				t.Errorf("%s is not where Extents says", name)
			}
		}
	}
	if err := fstest.TestFS(v, names...); err != nil {
		t.Error(err)
	}
}

func TestReadIgnoresCase(t *testing.T) {
	volume := make(memory, 8*mib)
	if err := fat.Write(volume, fat.Format{Bits: 16, Size: 8 * mib}, files(sample)); err != nil {
		t.Fatal(err)
	}
	v, err := fat.Open(volume, int64(len(volume)))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"AUTOBOOT.TXT", "Overlays/VC4-KMS-V3D.dtbo", "upper.txt"} {
		if _, err := fs.Stat(v, name); err != nil {
			t.Error(err)
		}
	}
	if _, err := fs.Stat(v, "absent"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent: %v", err)
	}
}

func TestWriteIsDeterministic(t *testing.T) {
	var last memory
	for range 3 { // map order differs
		volume := make(memory, 8*mib)
		if err := fat.Write(volume, fat.Format{Bits: 16, Size: 8 * mib, Serial: 1}, files(sample)); err != nil {
			t.Fatal(err)
		}
		if last != nil && !bytes.Equal(last, volume) {
			t.Fatal("the same files gave other bytes")
		}
		last = volume
	}
}

func TestWriteRefuses(t *testing.T) {
	format := fat.Format{Bits: 16, Size: 8 * mib}
	tests := []struct {
		name   string
		format fat.Format
		files  map[string]string
		want   string
	}{
		{"two names that differ in case", format, map[string]string{"readme": "", "README": ""}, "same name"},
		{"a file and a directory", format, map[string]string{"a": "", "a/b": ""}, "same name"},
		{"a colon", format, map[string]string{"a:b": ""}, "character ':'"},
		{"a trailing dot", format, map[string]string{"a.": ""}, "ends in a dot"},
		{"a path outside", format, map[string]string{"../a": ""}, "not a path"},
		{"a long name", format, map[string]string{strings.Repeat("a", 256): ""}, "longer than 255"},
		{"too much", format, map[string]string{"a": strings.Repeat("a", 9*mib)}, "do not fit"},
		{"too small for FAT32", fat.Format{Bits: 32, Size: 8 * mib}, nil, "clusters"},
		{"FAT12", fat.Format{Bits: 12, Size: 8 * mib}, nil, "only FAT16 and FAT32"},
		{"half a sector", fat.Format{Bits: 16, Size: 8*mib + 1}, nil, "whole sectors"},
		{"a lower-case label", fat.Format{Bits: 16, Size: 8 * mib, Label: "lower"}, nil, "label"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := fat.Write(make(memory, 8*mib), tt.format, files(tt.files))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v; want one with %q", err, tt.want)
			}
		})
	}
}

func TestWriteChecksAnnouncedSizes(t *testing.T) {
	for _, size := range []int64{3, 5} {
		f := files(map[string]string{"a": "four"})
		f[0].Size = size
		err := fat.Write(make(memory, 8*mib), fat.Format{Bits: 16, Size: 8 * mib}, f)
		if bad, ok := errors.AsType[*fat.PathError](err); !ok || bad.Path != "a" {
			t.Errorf("announced %d: %v", size, err)
		}
	}
}

// TestRandomTrees writes trees of random shape and has fsck.fat and our own reader check them.
func TestRandomTrees(t *testing.T) {
	seeds := uint64(25)
	if testing.Short() {
		seeds = 5
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			format := fat.Format{Bits: 16, Size: int64(3+r.IntN(30))*mib + int64(r.IntN(2000))*512, Fresh: true}
			if seed%3 == 0 {
				format.Bits, format.Size = 32, int64(34+r.IntN(40))*mib+int64(r.IntN(2000))*512
			}
			tree := randomTree(r)
			volume := make(memory, format.Size)
			if err := fat.Write(volume, format, files(tree)); err != nil {
				t.Fatal(err)
			}
			fsck(t, volume)
			compare(t, volume, tree)
		})
	}
}

func randomTree(r *rand.Rand) map[string]string {
	const alphabet = "abcXYZ019-_ .~äß漢😀()"
	name := func() string {
		for {
			var b strings.Builder
			for range 1 + r.IntN(30) {
				runes := []rune(alphabet)
				b.WriteRune(runes[r.IntN(len(runes))])
			}
			if s := strings.TrimRight(strings.TrimSpace(b.String()), ". "); s != "" && s != "." {
				return s
			}
		}
	}
	tree, seen := map[string]string{}, map[string]bool{}
	dirs := []string{""}
	for range r.IntN(150) {
		p := dirs[r.IntN(len(dirs))] + name()
		if seen[strings.ToUpper(p)] {
			continue
		}
		seen[strings.ToUpper(p)] = true
		if r.IntN(6) == 0 {
			dirs = append(dirs, p+"/")
			continue
		}
		tree[p] = strings.Repeat(string(rune('a'+r.IntN(26))), r.IntN(1<<uint(r.IntN(15))))
	}
	return tree
}

// TestOthersRead has mtools and, as root, the kernel read a volume.
func TestOthersRead(t *testing.T) {
	volume := make(memory, 34*mib)
	if err := fat.Write(volume, fat.Format{Bits: 32, Size: 34 * mib, Label: "OTHERS"}, files(sample)); err != nil {
		t.Fatal(err)
	}
	img := filepath.Join(t.TempDir(), "volume.img")
	if err := os.WriteFile(img, volume, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Run("mtools", func(t *testing.T) {
		if _, err := exec.LookPath("mcopy"); err != nil {
			t.Skip("needs mcopy (apt package mtools)")
		}
		for _, name := range []string{"autoboot.txt", "overlays/vc4-kms-v3d.dtbo", "a long name with spaces.config.txt", "lower.elf"} {
			out, err := exec.Command("mcopy", "-n", "-i", img, "::"+name, "-").Output()
			if err != nil || string(out) != sample[name] {
				t.Errorf("%s: %d bytes, %v", name, len(out), err)
			}
		}
	})
	t.Run("kernel", func(t *testing.T) {
		if os.Getuid() != 0 {
			t.Skip("needs root to mount")
		}
		dir := t.TempDir()
		if out, err := exec.Command("mount", "-o", "loop,ro,utf8", "-t", "vfat", img, dir).CombinedOutput(); err != nil {
			t.Skipf("this kernel does not mount FAT: %v: %s", err, out)
		}
		defer exec.Command("umount", dir).Run()
		for name, want := range sample {
			got, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil || string(got) != want {
				t.Errorf("%s: %d bytes, %v", name, len(got), err)
			}
		}
	})
}

func TestUsed(t *testing.T) {
	volume := make(memory, 34*mib)
	if err := fat.Write(volume, fat.Format{Bits: 32, Size: 34 * mib}, files(sample)); err != nil {
		t.Fatal(err)
	}
	v, err := fat.Open(volume, int64(len(volume)))
	if err != nil {
		t.Fatal(err)
	}
	used, err := v.Used()
	if err != nil {
		t.Fatal(err)
	}
	// What is outside may hold anything.
	for i, at := 0, int64(0); i <= len(used); i++ {
		end := int64(len(volume))
		if i < len(used) {
			end = used[i].Offset
		}
		for j := at; j < end; j++ {
			volume[j] = 0x5a
		}
		if i < len(used) {
			at = used[i].Offset + used[i].Size
		}
	}
	fsck(t, volume)
	compare(t, volume, sample)
}

// FuzzOpen reads whatever a volume with damaged bytes offers, and must neither hang nor run out of memory.
func FuzzOpen(f *testing.F) {
	volume := make(memory, 5*mib)
	if err := fat.Write(volume, fat.Format{Bits: 16, Size: 5 * mib}, files(sample)); err != nil {
		f.Fatal(err)
	}
	f.Add(uint32(11), []byte{0, 4})
	f.Add(uint32(600), []byte{2, 0, 2, 0})
	f.Add(uint32(21*1024), []byte("garbage in a directory"))
	f.Fuzz(func(t *testing.T, at uint32, damage []byte) {
		damaged := bytes.Clone(volume[:256<<10])
		copy(damaged[int(at)%len(damaged):], damage)
		r := &patched{memory: volume, head: damaged}
		v, err := fat.Open(r, int64(len(volume)))
		if err != nil {
			return
		}
		read := 0
		_ = fs.WalkDir(v, ".", func(p string, d fs.DirEntry, err error) error {
			if read++; err != nil || read > 100 || strings.Count(p, "/") > 8 {
				return fs.SkipDir
			}
			if !d.IsDir() {
				if file, err := v.Open(p); err == nil {
					_, _ = io.Copy(io.Discard, io.LimitReader(file, mib))
				}
			}
			return nil
		})
		_, _ = v.Used()
	})
}

// patched reads a volume with another start.
type patched struct {
	memory
	head []byte
}

func (p *patched) ReadAt(b []byte, off int64) (int, error) {
	n, err := p.memory.ReadAt(b, off)
	if off < int64(len(p.head)) {
		copy(b[:n], p.head[off:])
	}
	return n, err
}

// TestReadsWhatOthersWrite has mtools fill, thin out and fill a volume again, so that its files lie in pieces.
func TestReadsWhatOthersWrite(t *testing.T) {
	for _, prog := range []string{"mkfs.fat", "mcopy", "mdel", "mmd"} {
		if _, err := exec.LookPath(prog); err != nil {
			t.Skipf("needs %s (apt packages dosfstools and mtools)", prog)
		}
	}
	for _, bits := range []string{"16", "32"} {
		t.Run("FAT"+bits, func(t *testing.T) {
			dir := t.TempDir()
			img := filepath.Join(dir, "volume.img")
			run := func(name string, args ...string) {
				t.Helper()
				if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
					t.Fatalf("%s: %v: %s", name, err, out)
				}
			}
			run("mkfs.fat", "-C", "-F", bits, "-s", "1", "-n", "OTHERS", img, map[string]string{"16": "20480", "32": "40960"}[bits])
			want := map[string]string{}
			put := func(name, text string) {
				t.Helper()
				file := filepath.Join(dir, "source")
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				run("mcopy", "-i", img, file, "::"+name)
				want[name] = text
			}
			for i := range 24 {
				put(fmt.Sprintf("file number %d.bin", i), strings.Repeat(fmt.Sprint(i), 1500))
			}
			run("mmd", "-i", img, "::lower", "::A Directory")
			for i := 0; i < 24; i += 2 {
				name := fmt.Sprintf("file number %d.bin", i)
				run("mdel", "-i", img, "::"+name)
				delete(want, name)
			}
			put("lower/pieces.txt", strings.Repeat("in pieces", 4000))
			put("A Directory/Überlänge.txt", "umlauts")
			f, err := os.Open(img)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			info, err := f.Stat()
			if err != nil {
				t.Fatal(err)
			}
			v, err := fat.Open(f, info.Size())
			if err != nil {
				t.Fatal(err)
			}
			for name, text := range want {
				if got, err := fs.ReadFile(v, name); err != nil || string(got) != text {
					t.Errorf("%s: %d bytes, %v; want %d", name, len(got), err, len(text))
				}
			}
			// On FAT32, mtools goes on behind the last file.
			if x, err := v.Extents("lower/pieces.txt"); err != nil || bits == "16" && len(x) < 2 {
				t.Errorf("the file lies in %v, %v; want pieces", x, err)
			}
		})
	}
}

// TestWriteFails passes the target's own error on.
func TestWriteFails(t *testing.T) {
	full := errors.New("no space left on device")
	for n := range 8 {
		err := fat.Write(&failing{after: n, err: full}, fat.Format{Bits: 32, Size: 40 * mib, Fresh: true}, files(sample))
		if !errors.Is(err, full) {
			t.Errorf("after %d writes: %v", n, err)
		}
	}
}

type failing struct {
	after int
	err   error
}

func (f *failing) WriteAt(p []byte, _ int64) (int, error) {
	if f.after--; f.after < 0 {
		return 0, f.err
	}
	return len(p), nil
}
