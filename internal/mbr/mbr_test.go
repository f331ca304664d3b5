package mbr_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"manofwar/internal/mbr"
	"manofwar/internal/slot"
)

func TestForDisk(t *testing.T) {
	for _, tt := range []struct {
		size, data int64
	}{
		{slot.Data.Start + slot.MinData, slot.MinData},
		{32_010_928_128, (32_010_928_128 - slot.Data.Start) / slot.MiB * slot.MiB}, // a card sold as 32 GB
		{4 << 40, (1<<32 - 1) * mbr.SectorSize},                                    // more than a table can say
	} {
		table, err := mbr.ForDisk(tt.size, 0x12345678)
		if err != nil {
			t.Fatal(err)
		}
		back, err := mbr.Parse(table.Sector())
		if err != nil || back != table {
			t.Errorf("reads back as %+v, %v", back, err)
		}
		if err := back.Matches(); err != nil {
			t.Error(err)
		}
		if got := int64(table.Entries[3].Count) * mbr.SectorSize; got != tt.data {
			t.Errorf("disk of %d bytes: /data has %d; want %d", tt.size, got, tt.data)
		}
	}
	if _, err := mbr.ForDisk(slot.Data.Start+slot.MinData-1, 0); err == nil || !strings.Contains(err.Error(), "at least 1124 MiB") {
		t.Errorf("too small a disk: %v", err)
	}
}

func TestMatchesNamesThePartition(t *testing.T) {
	table, err := mbr.ForDisk(8<<30, 0)
	if err != nil {
		t.Fatal(err)
	}
	table.Entries[2].Start++
	if err := table.Matches(); err == nil || !strings.Contains(err.Error(), "partition 3") {
		t.Errorf("error %v; want one that names partition 3", err)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, sector := range [][]byte{nil, make([]byte, 100), make([]byte, 512)} {
		if _, err := mbr.Parse(sector); !errors.Is(err, mbr.ErrNone) {
			t.Errorf("%d zero bytes: %v", len(sector), err)
		}
	}
}

// TestOthersAgree has util-linux read a table.
func TestOthersAgree(t *testing.T) {
	if _, err := exec.LookPath("sfdisk"); err != nil {
		t.Skip("needs sfdisk (apt package fdisk)")
	}
	table, err := mbr.ForDisk(8<<30, 0x4d6f5721)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "disk.img")
	if err := os.WriteFile(name, table.Sector(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(name, 8<<30); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("sfdisk", "--dump", name).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, want := range []string{
		"label-id: 0x4d6f5721", "start=        8192, size=       65536, type=e", "start=       73728, size=     1048576, type=c",
		"start=     1122304, size=     1048576, type=c", "start=     2170880, size=    14606336, type=83",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("sfdisk does not say %q:\n%s", want, out)
		}
	}
}

func FuzzParse(f *testing.F) {
	table, err := mbr.ForDisk(8<<30, 1)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(table.Sector())
	f.Fuzz(func(t *testing.T, sector []byte) {
		table, err := mbr.Parse(sector)
		if err != nil {
			return
		}
		_ = table.Matches()
		for i := range table.Entries {
			if table.Entries[i].Type == 0 {
				table.Entries[i] = mbr.Entry{}
			}
		}
		if back, err := mbr.Parse(table.Sector()); err != nil || back != table {
			t.Errorf("%+v reads back as %+v, %v", table, back, err)
		}
	})
}
