package slot_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"manofwar/internal/slot"
)

func testKey(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
}

// signedSlot returns a slot of three files, signed by key.
func signedSlot(t *testing.T, key ed25519.PrivateKey) fstest.MapFS {
	t.Helper()
	fsys := fstest.MapFS{
		slot.KernelName:      {Data: []byte("kernel")},
		slot.RootName:        {Data: bytes.Repeat([]byte("root"), 1000)},
		"overlays/vc4.dtbo":  {Data: []byte("overlay")},
		"overlays/empty.txt": {},
	}
	m := slot.Manifest{Board: "qemu", Version: "1.0", Epoch: 1}
	for _, name := range slices.Sorted(maps.Keys(fsys)) {
		sum, n, err := slot.DigestOf(bytes.NewReader(fsys[name].Data))
		if err != nil {
			t.Fatal(err)
		}
		m.Files = append(m.Files, slot.File{Path: name, Size: n, SHA256: sum})
	}
	manifest, sig, err := slot.Sign(m, key)
	if err != nil {
		t.Fatal(err)
	}
	fsys[slot.ManifestName] = &fstest.MapFile{Data: manifest}
	fsys[slot.SignatureName] = &fstest.MapFile{Data: sig}
	return fsys
}

func keysOf(keys ...ed25519.PrivateKey) (pub []ed25519.PublicKey) {
	for _, k := range keys {
		pub = append(pub, k.Public().(ed25519.PublicKey))
	}
	return pub
}

func TestVerify(t *testing.T) {
	key := testKey(1)
	m, signer, err := slot.Verify(signedSlot(t, key), keysOf(testKey(9), key))
	if err != nil {
		t.Fatal(err)
	}
	if !signer.Equal(key.Public()) || m.Board != "qemu" || len(m.Files) != 4 {
		t.Errorf("got %v signed by %x", m, signer)
	}
	if f, ok := m.File("overlays/vc4.dtbo"); !ok || f.Size != 7 {
		t.Errorf("File: %v, %v", f, ok)
	}
	if _, ok := m.File("absent"); ok {
		t.Error("File found one that is absent")
	}
}

func TestVerifyNamesTheDamagedFile(t *testing.T) {
	key := testKey(1)
	flip := func(name string) func(fstest.MapFS) {
		return func(s fstest.MapFS) { s[name].Data[len(s[name].Data)/2] ^= 1 }
	}
	tests := []struct {
		name   string
		damage func(fstest.MapFS)
		file   string
	}{
		{"flipped byte in the root", flip(slot.RootName), slot.RootName},
		{"flipped byte in the kernel", flip(slot.KernelName), slot.KernelName},
		{"flipped byte in an overlay", flip("overlays/vc4.dtbo"), "overlays/vc4.dtbo"},
		{"flipped byte in the manifest", flip(slot.ManifestName), slot.ManifestName},
		{"flipped byte in the signature", flip(slot.SignatureName), slot.ManifestName},
		{"signature of another length", func(s fstest.MapFS) { s[slot.SignatureName].Data = []byte("AAAA\n") }, slot.SignatureName},
		{"missing file", func(s fstest.MapFS) { delete(s, slot.RootName) }, slot.RootName},
		{"missing manifest", func(s fstest.MapFS) { delete(s, slot.ManifestName) }, slot.ManifestName},
		{"longer file", func(s fstest.MapFS) { s[slot.RootName].Data = append(s[slot.RootName].Data, 0) }, slot.RootName},
		{"oversized manifest", func(s fstest.MapFS) { s[slot.ManifestName].Data = make([]byte, slot.MaxManifest+1) }, slot.ManifestName},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fsys := signedSlot(t, key)
			tt.damage(fsys)
			_, _, err := slot.Verify(fsys, keysOf(key))
			bad, ok := errors.AsType[*slot.VerifyError](err)
			if !ok || bad.File != tt.file {
				t.Errorf("error %v; want one that names %s", err, tt.file)
			}
		})
	}
}

func TestVerifyRefusesAnotherKey(t *testing.T) {
	if _, _, err := slot.Verify(signedSlot(t, testKey(1)), keysOf(testKey(2))); err == nil {
		t.Error("accepted a slot signed by a key that is not trusted")
	}
}

func TestSignRefusesPathsThatLeaveTheSlot(t *testing.T) {
	for _, p := range []string{"../etc/passwd", "/etc/passwd", "", ".", "a//b", `a\b`, slot.ManifestName} {
		if _, _, err := slot.Sign(slot.Manifest{Files: []slot.File{{Path: p}}}, testKey(1)); err == nil {
			t.Errorf("path %q accepted", p)
		}
	}
	if _, _, err := slot.Sign(slot.Manifest{Files: []slot.File{{Path: "a"}, {Path: "a"}}}, testKey(1)); err == nil {
		t.Error("duplicate accepted")
	}
}

func TestAutobootRoundTrip(t *testing.T) {
	for _, want := range []slot.Autoboot{{Default: 2, Try: 2}, {Default: 2, Try: 3}, {Default: 3, Try: 2}} {
		sector := want.Sector()
		if len(sector) != slot.SectorSize {
			t.Fatalf("%d bytes; want one sector", len(sector))
		}
		got, err := slot.ParseAutoboot(sector)
		if err != nil || got != want {
			t.Errorf("got %v, %v; want %v", got, err, want)
		}
	}
}

func TestParseAutoboot(t *testing.T) {
	tests := []struct {
		text string
		want slot.Autoboot
		err  string
	}{
		{"boot_partition=2", slot.Autoboot{Default: 2, Try: 2}, ""},
		{"[all]\r\nboot_partition=3\r\n[tryboot]\r\nboot_partition=2\r\n", slot.Autoboot{Default: 3, Try: 2}, ""},
		{"[pi4]\nboot_partition=4\n[all]\nboot_partition=2\n", slot.Autoboot{Default: 2, Try: 2}, ""},
		{"boot_partition=2\nboot_partition=3", slot.Autoboot{Default: 3, Try: 3}, ""},
		{"[tryboot]\nboot_partition=2", slot.Autoboot{}, "no boot_partition under [all]"},
		{"boot_partition=9", slot.Autoboot{}, "want 1 to 4"},
		{"boot_partition=x", slot.Autoboot{}, "want 1 to 4"},
		{strings.Repeat("#", 513), slot.Autoboot{}, "513 bytes"},
	}
	for _, tt := range tests {
		got, err := slot.ParseAutoboot([]byte(tt.text))
		if got != tt.want || (err == nil) != (tt.err == "") || (err != nil && !strings.Contains(err.Error(), tt.err)) {
			t.Errorf("%q: got %v, %v; want %v, %q", tt.text, got, err, tt.want, tt.err)
		}
	}
}

func FuzzParseAutoboot(f *testing.F) {
	f.Add([]byte("[all]\ntryboot_a_b=1\nboot_partition=2\n[tryboot]\nboot_partition=3\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := slot.ParseAutoboot(data)
		if err != nil {
			return
		}
		if back, err := slot.ParseAutoboot(a.Sector()); err != nil || back != a {
			t.Errorf("%v reads back as %v, %v", a, back, err)
		}
	})
}

func FuzzOpen(f *testing.F) {
	key := testKey(1)
	f.Add([]byte(`{"board":"qemu","files":[{"path":"a","size":1,"sha256":"00"}]}`))
	f.Fuzz(func(t *testing.T, manifest []byte) {
		_, sig, err := slot.Sign(slot.Manifest{}, key)
		if err != nil {
			t.Fatal(err)
		}
		if m, _, err := slot.Open(manifest, sig, keysOf(key)); err == nil && len(m.Files) > 0 {
			t.Errorf("accepted %q under another manifest's signature", manifest)
		}
	})
}

func TestLayoutIsContiguous(t *testing.T) {
	end := int64(4 * slot.MiB)
	for _, p := range slot.Partitions() {
		if p.Start != end || p.Start%(4*slot.MiB) != 0 {
			t.Errorf("partition %d starts at %d; want %d, aligned to a card's erase blocks", p.Number, p.Start, end)
		}
		end += p.Size
	}
	if _, err := slot.Other(1); err == nil || fmt.Sprint(err) == "" {
		t.Error("Other(1) is no slot, but gave no error")
	}
}
