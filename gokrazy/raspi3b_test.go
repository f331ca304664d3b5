package gokrazy_test

import (
	"bufio"
	"context"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"manofwar/board/raspberrypi"
	"manofwar/gokrazy"
	"manofwar/gokrazy/fat"
	"manofwar/internal/slot"
)

// raspi3bLimit bounds a start of QEMU's Raspberry Pi 3, whose SD card is slow to read.
const raspi3bLimit = 5 * time.Minute

// pi3Tree is the device tree of QEMU's Raspberry Pi 3.
const pi3Tree = "bcm2710-rpi-3-b.dtb"

// TestRaspberryPi3 starts the Raspberry Pi's image, with our own two programs in it, on QEMU's Raspberry Pi 3: the
// board's own kernel, device tree, SD card controller and partitions. The test does what the firmware would: it takes
// kernel, initramfs, device tree and command line out of the slot.
func TestRaspberryPi3(t *testing.T) {
	for _, prog := range []string{"qemu-system-aarch64", "fdtget", "fdtput"} {
		if _, err := exec.LookPath(prog); err != nil {
			t.Skipf("needs %s (apt packages qemu-system-arm and device-tree-compiler)", prog)
		}
	}
	o := testOptions(t, "config.json", raspberrypi.Board())
	o.Board = raspberrypi.Board() // with a kernel that is compressed: there is less to read
	r, err := gokrazy.Build(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	// The machine takes cards of a power of two.
	if err := os.Truncate(r.Image, 2<<30); err != nil {
		t.Fatal(err)
	}
	t.Run("reaches PID 1", func(t *testing.T) {
		raspi3bSays(t, r.Image, func() {}, "boot.phase2_s=")
	})
	// The kernel has its tree by then, as on a board: what is on the card must still be what was signed.
	t.Run("names a damaged device tree", func(t *testing.T) {
		raspi3bSays(t, r.Image, func() { flipBit(t, r.Image, slot.A, pi3Tree) }, "boot.bad_file="+pi3Tree)
	})
}

// raspi3bSays starts the machine, after the firmware has loaded what it needs and damage was done, and waits until its
// console says want.
func raspi3bSays(t *testing.T, image string, damage func(), want string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), raspi3bLimit)
	defer cancel()
	var said []string
	for s := bufio.NewScanner(startRaspi3b(ctx, t, image, damage)); s.Scan(); {
		said = append(said, s.Text())
		if strings.Contains(s.Text(), want) {
			return
		}
	}
	t.Errorf("%q was not said (%v); the console said\n%s", want, ctx.Err(), strings.Join(said, "\n"))
}

// flipBit changes one bit in the middle of a file of a slot.
func flipBit(t *testing.T, image string, part slot.Partition, name string) {
	t.Helper()
	f, err := os.OpenFile(image, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	v, err := fat.Open(io.NewSectionReader(f, part.Start, part.Size), part.Size)
	if err != nil {
		t.Fatal(err)
	}
	extents, err := v.Extents(name)
	if err != nil {
		t.Fatal(err)
	}
	at, b := part.Start+extents[0].Offset+extents[0].Size/2, make([]byte, 1)
	if _, err := f.ReadAt(b, at); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1
	if _, err := f.WriteAt(b, at); err != nil {
		t.Fatal(err)
	}
}

// startRaspi3b starts the machine from slot A and returns its console. The machine ends with the test.
func startRaspi3b(ctx context.Context, t *testing.T, image string, damage func()) io.Reader {
	t.Helper()
	dir, a := t.TempDir(), volume(t, image, slot.A)
	for _, name := range []string{slot.KernelName, slot.InitramfsName, slot.CmdlineName, pi3Tree} {
		data, err := fs.ReadFile(a, name)
		if err != nil {
			t.Fatal(err)
		}
		writeTestFile(t, filepath.Join(dir, name), string(data))
	}
	output := func(name string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(ctx, name, args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v: %s", name, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	cmdline, err := os.ReadFile(filepath.Join(dir, slot.CmdlineName))
	if err != nil {
		t.Fatal(err)
	}
	args := []string{
		output("fdtget", pi3Tree, "/chosen", "bootargs"), strings.TrimSpace(string(cmdline)),
		"console=ttyAMA1,115200", // the machine has no screen to look at
		// It has no VideoCore to talk to, and its watchdog resets when it is opened.
		"initcall_blacklist=vchiq_driver_init,bcm2835_wdt_driver_init",
	}
	output("fdtput", "-p", "-t", "u", pi3Tree, "/chosen/bootloader", "partition", "2")
	damage()
	cmd := exec.CommandContext(ctx, "qemu-system-aarch64", "-M", "raspi3b", "-accel", "tcg,thread=multi", "-display", "none", "-monitor", "none",
		"-serial", "stdio", "-no-reboot", "-dtb", pi3Tree, "-kernel", slot.KernelName, "-initrd", slot.InitramfsName,
		"-append", strings.Join(args, " "), "-drive", "if=sd,format=raw,file="+image)
	cmd.Dir = dir
	console, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	})
	return console
}
