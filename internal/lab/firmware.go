package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"manofwar/board/qemu"
	"manofwar/gokrazy/fat"
	"manofwar/internal/slot"
)

// firmware plays the part of the Raspberry Pi's boot loader for QEMU's machines: it reads and clears what the guest
// asked of the next start, picks the slot by autoboot.txt, and takes kernel, initramfs and command line out of it.
type firmware struct {
	disk     string // the card's image, raw
	nvram    string // the file of the NVRAM disk
	dir      string // for what it extracts
	platform platform
	memory   int // in MiB
	cpus     int
	beside   []string // archives to append to the initramfs
}

// start is a decision of the firmware, ready for QEMU.
type start struct {
	partition              int
	trial                  bool
	kernel, initramfs, dtb string // files; no dtb: the machine has no device tree
	cmdline                string
}

// nvramSize is the size of the NVRAM disk: QEMU wants whole pages.
const nvramSize = 64 << 10

// decide does what the firmware does between reset and kernel.
func (f firmware) decide(ctx context.Context) (s start, err error) {
	record, err := f.takeRecord()
	if err != nil {
		return start{}, err
	}
	disk, err := os.Open(f.disk)
	if err != nil {
		return start{}, err
	}
	defer disk.Close()
	if s.partition, err = pick(disk, record); err != nil {
		return start{}, err
	}
	s.trial = record.Trial
	volume, err := openVolume(disk, s.partition)
	if err != nil {
		return start{}, fmt.Errorf("firmware: slot %d: %w", s.partition, err)
	}
	cmdline, err := fs.ReadFile(volume, slot.CmdlineName)
	if err != nil {
		return start{}, fmt.Errorf("firmware: slot %d: %w", s.partition, err)
	}
	s.cmdline = strings.TrimSpace(string(cmdline))
	for name, file := range map[string]*string{slot.KernelName: &s.kernel, slot.InitramfsName: &s.initramfs} {
		*file = filepath.Join(f.dir, name)
		if err := extract(volume, name, *file); err != nil {
			return start{}, fmt.Errorf("firmware: slot %d: %w", s.partition, err)
		}
	}
	if err := appendFiles(s.initramfs, f.beside); err != nil {
		return start{}, fmt.Errorf("firmware: %w", err)
	}
	return s, f.tell(ctx, &s)
}

// tell has the kernel know what was started, and by which flag.
func (f firmware) tell(ctx context.Context, s *start) error {
	if f.platform.tree {
		s.dtb = filepath.Join(f.dir, "virt.dtb")
		return f.makeTree(ctx, *s)
	}
	words := append([]string{s.cmdline, "manofwar.slot=" + strconv.Itoa(s.partition)}, f.platform.words...)
	if s.trial {
		words = append(words, "manofwar.trial")
	}
	s.cmdline = strings.Join(words, " ")
	return nil
}

// takeRecord reads the NVRAM and clears it, as the Pi's one-shot register is. A damaged record counts as none.
func (f firmware) takeRecord() (qemu.Record, error) {
	sector := make([]byte, qemu.SectorSize)
	file, err := os.OpenFile(f.nvram, os.O_RDWR, 0)
	if err != nil {
		return qemu.Record{}, err
	}
	defer file.Close()
	if _, err := file.ReadAt(sector, 0); err != nil {
		return qemu.Record{}, err
	}
	if _, err := file.WriteAt(make([]byte, qemu.SectorSize), 0); err != nil {
		return qemu.Record{}, err
	}
	record, err := qemu.ParseRecord(sector)
	if err != nil && !errors.Is(err, qemu.ErrRecord) {
		return qemu.Record{}, err
	}
	return record, nil
}

// pick returns the partition to boot: the one asked for, else what autoboot.txt says.
func pick(disk *os.File, record qemu.Record) (int, error) {
	if record.Partition != 0 {
		return record.Partition, nil
	}
	volume, err := openVolume(disk, slot.Boot.Number)
	if err != nil {
		return 0, fmt.Errorf("firmware: boot partition: %w", err)
	}
	text, err := fs.ReadFile(volume, slot.AutobootName)
	if err != nil {
		return 0, fmt.Errorf("firmware: %w", err)
	}
	auto, err := slot.ParseAutoboot(text)
	if err != nil {
		return 0, fmt.Errorf("firmware: %w", err)
	}
	if record.Trial {
		return auto.Try, nil
	}
	return auto.Default, nil
}

// openVolume opens the FAT file system of a partition of the card.
func openVolume(disk *os.File, number int) (fs.FS, error) {
	for _, p := range slot.Partitions() {
		if p.Number == number && p.Size > 0 {
			return fat.Open(io.NewSectionReader(disk, p.Start, p.Size), p.Size)
		}
	}
	return nil, fmt.Errorf("partition %d has no FAT file system", number)
}

func extract(volume fs.FS, name, to string) error {
	data, err := fs.ReadFile(volume, name)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o600)
}

// appendFiles adds whole files to the end of a file. The kernel unpacks one archive after the other into the same root,
// each of them beginning at a multiple of four bytes (Documentation/driver-api/early-userspace/buffer-format.rst).
func appendFiles(to string, files []string) error {
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		f, err := os.OpenFile(to, os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			return err
		}
		info, err := f.Stat()
		if err == nil {
			_, err = f.Write(append(make([]byte, -info.Size()&3), data...))
		}
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// makeTree writes QEMU's own device tree for the machine, with what the Pi's firmware adds to /chosen.
func (f firmware) makeTree(ctx context.Context, s start) error {
	args := append([]string{"-M", f.platform.machine + ",dumpdtb=" + s.dtb, "-display", "none"}, f.platform.hardware(f.memory, f.cpus)...)
	if out, err := exec.CommandContext(ctx, f.platform.qemu, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("dump the device tree: %w: %s", err, out)
	}
	trial := 0
	if s.trial {
		trial = 1
	}
	for property, value := range map[string]int{"partition": s.partition, "tryboot": trial} {
		cmd := exec.CommandContext(ctx, "fdtput", "-p", "-t", "u", s.dtb, "/chosen/bootloader", property, strconv.Itoa(value))
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("fdtput %s: %w: %s", property, err, out)
		}
	}
	return nil
}
