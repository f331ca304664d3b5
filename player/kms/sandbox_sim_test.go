//go:build linux && hwsim

package kms

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"manofwar/init/boot"
	"manofwar/init/sandbox"
	"manofwar/player"
)

// TestMain also is the shim of the sandbox, and the program in it.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) == 2 && os.Args[1] == "exec":
		fmt.Println(sandbox.Exec())
		os.Exit(111)
	case len(os.Args) == 2 && os.Args[1] == "sandboxed":
		if err := sandboxed(); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestInTheSandbox has the display work as a service's user does, in the sandbox that PID 1 puts services into, with
// nothing but the devices that its row names.
func TestInTheSandbox(t *testing.T) {
	d := virtioGPU.open(t) // for the driver, and the connector's name
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	const uid = 61001
	if err := boot.Grant("/dev", strings.TrimPrefix(d.path, "/dev/"), []boot.NodeRule{{Pattern: "dri/card*", UID: uid}}); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	env, err := sandbox.Spec{
		Path: self, Args: []string{"player", "sandboxed"}, Dir: "/", UID: uid, GID: uid, Device: []string{"/dev/dri"},
	}.Environ(nil)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "exec")
	cmd.Env = env
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		t.Log(lines.Text())
		switch lines.Text() {
		case "pull the plug":
			d.Unplug()
		case "plug in":
			d.Plug()
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// sandboxed does what a player does with its screen.
func sandboxed() error {
	if os.Getuid() == 0 {
		return errors.New("it is root")
	}
	var log strings.Builder
	d := Open(Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	defer d.Close()
	s, ok := d.Screen()
	if !ok {
		return fmt.Errorf("no screen: %w", d.Problem())
	}
	if strings.Contains(log.String(), "by the clock") {
		return errors.New("the kernel's messages are not heard: " + log.String())
	}
	if err := d.SetMode(s.Modes[len(s.Modes)-1]); err != nil {
		return err
	}
	s, _ = d.Screen()
	f, err := d.NewFrame(player.XRGB8888, s.Mode.Width, s.Mode.Height)
	if err != nil {
		return err
	}
	pattern(f)
	if err := d.Overlay(panel(64, 64), image.Point{}); err != nil {
		return err
	}
	if _, err := d.Show(f, bounds(s.Mode)); err != nil {
		return err
	}
	for _, step := range []struct {
		word string
		want bool
	}{{"pull the plug", false}, {"plug in", true}} {
		fmt.Println(step.word)
		select {
		case <-d.Changed():
		case <-time.After(10 * time.Second):
			return errors.New("Changed did not receive")
		}
		if _, ok := d.Screen(); ok != step.want {
			return fmt.Errorf("a screen is there: %v", ok)
		}
	}
	_, err = d.Show(f, bounds(s.Mode))
	return err
}
