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
	"manofwar/internal/slot"
)

// raspi3bLimit bounds a start of QEMU's Raspberry Pi 3, whose SD card is slow to read.
const raspi3bLimit = 5 * time.Minute

// TestRaspberryPi3ReachesPID1 starts the Raspberry Pi's image, with our own two programs in it, on QEMU's Raspberry Pi 3:
// the board's own kernel, device tree, SD card controller and partitions, the slot verified, the root mounted. The test
// does what the firmware would: it takes kernel, initramfs, device tree and command line out of the slot.
func TestRaspberryPi3ReachesPID1(t *testing.T) {
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
	ctx, cancel := context.WithTimeout(t.Context(), raspi3bLimit)
	defer cancel()
	console := startRaspi3b(ctx, t, r.Image)
	var said []string
	for s := bufio.NewScanner(console); s.Scan(); {
		said = append(said, s.Text())
		if strings.Contains(s.Text(), "boot.phase2_s=") {
			return
		}
	}
	t.Errorf("PID 1 was not reached (%v); the console said\n%s", ctx.Err(), strings.Join(said, "\n"))
}

// startRaspi3b starts the machine from slot A and returns its console. The machine ends with the test.
func startRaspi3b(ctx context.Context, t *testing.T, image string) io.Reader {
	t.Helper()
	dir, a := t.TempDir(), volume(t, image, slot.A)
	const tree = "bcm2710-rpi-3-b.dtb"
	for _, name := range []string{slot.KernelName, slot.InitramfsName, slot.CmdlineName, tree} {
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
		output("fdtget", tree, "/chosen", "bootargs"), strings.TrimSpace(string(cmdline)),
		"console=ttyAMA1,115200", // the machine has no screen to look at
		// It has no VideoCore to talk to, and its watchdog resets when it is opened.
		"initcall_blacklist=vchiq_driver_init,bcm2835_wdt_driver_init",
	}
	output("fdtput", "-p", "-t", "u", tree, "/chosen/bootloader", "partition", "2")
	cmd := exec.CommandContext(ctx, "qemu-system-aarch64", "-M", "raspi3b", "-accel", "tcg,thread=multi", "-display", "none", "-monitor", "none",
		"-serial", "stdio", "-no-reboot", "-dtb", tree, "-kernel", slot.KernelName, "-initrd", slot.InitramfsName,
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
