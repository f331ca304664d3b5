package gokrazy

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// TestConfirm is about disks that a test does not have.
func TestConfirm(t *testing.T) {
	card := Target{
		Path: "/dev/sdb", Model: "Generic STORAGE DEVICE", Size: 31914983424, Removable: true,
		Partitions: []TargetPartition{{Name: "sdb1", Size: 268435456, Type: "FAT32", Label: "bootfs"}, {Name: "sdb2", Size: 31642877952, Type: "ext4", Label: "rootfs"}},
	}
	builtIn := Target{Path: "/dev/nvme0n1", Model: "Samsung SSD 990", Size: 2e12}
	for _, tt := range []struct {
		name   string
		target Target
		keep   bool
		answer string
		agreed bool
		says   []string
	}{
		{"a card", card, false, "yes\n", true, []string{
			"/dev/sdb (Generic STORAGE DEVICE, 31.9 GB): all that is on it will be erased.\n",
			"sdb1            268 MB  FAT32    bootfs\n", "sdb2           31.6 GB  ext4     rootfs\n", "Type yes to go on: ",
		}},
		{"a card by its name", card, false, "/dev/sdb\n", true, nil},
		{"another name", card, false, "/dev/sda\n", false, nil},
		{"a card, keeping data", card, true, "yes\n", true, []string{"the system will be replaced, your data stays"}},
		{"a built-in disk by yes", builtIn, false, "yes\n", false, []string{
			"/dev/nvme0n1 (Samsung SSD 990, 2.0 TB)", "It has no partitions.", "does not look like a card", "Type /dev/nvme0n1 to go on: ",
		}},
		{"a built-in disk by its name", builtIn, false, "/dev/nvme0n1\n", true, nil},
		{"no answer", card, false, "", false, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			o := FlashOptions{KeepData: tt.keep, In: strings.NewReader(tt.answer), Out: &out}
			if err := o.confirm(tt.target); tt.agreed != (err == nil) || err != nil && !errors.Is(err, ErrDeclined) {
				t.Error(err)
			}
			for _, want := range tt.says {
				if !strings.Contains(out.String(), want) {
					t.Errorf("it did not say %q, but\n%s", want, out.String())
				}
			}
		})
	}
}

func TestProgress(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var got []FlashProgress
	o := FlashOptions{now: func() time.Time { return now }, Progress: func(p FlashProgress) { got = append(got, p) }}
	o.defaults()
	m := o.meter("write", 100)
	for range 10 { // a tenth every tenth of a second
		now = now.Add(100 * time.Millisecond)
		m.add(10)
	}
	m.end()
	if len(got) != 4 {
		t.Fatalf("%d reports in a second; want one every quarter and the last: %+v", len(got), got)
	}
	if want := (FlashProgress{Phase: "write", Done: 30, Total: 100, Rate: 100, Left: 700 * time.Millisecond}); got[0].Left.Round(time.Millisecond) != want.Left || got[0].Done != want.Done || int(got[0].Rate+.5) != 100 {
		t.Errorf("first report %+v; want %+v", got[0], want)
	}
	if last := got[3]; last.Done != 100 || last.Left != 0 {
		t.Errorf("last report %+v", last)
	}
}
