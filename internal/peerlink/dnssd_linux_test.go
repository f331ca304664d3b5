package peerlink

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestFound announces and browses on a link of its own, in a network namespace of its own.
func TestFound(t *testing.T) {
	const inside = "MANOFWAR_PEERLINK_INSIDE"
	if os.Getenv(inside) == "" {
		if os.Geteuid() != 0 {
			t.Skip("needs root, to make a network namespace")
		}
		if _, err := exec.LookPath("ip"); err != nil {
			t.Skip("needs the program ip")
		}
		cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^TestFound$", "-test.v", "-test.timeout=100s")
		cmd.Env = append(os.Environ(), inside+"=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("in the namespace: %v\n%s", err, out)
		}
		return
	}
	for _, args := range []string{
		"link set lo up", "link add home0 type veth peer name home1",
		"address add 10.77.1.1/24 dev home0", "link set home0 up", "link set home1 up",
	} {
		if out, err := exec.CommandContext(t.Context(), "ip", strings.Fields(args)...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", args, err, out)
		}
	}
	if !strings.Contains(Links(), "10.77.1.1") {
		t.Errorf("links: %s", Links())
	}
	end, err := Announce(someID, "Küche \"oben\" \\ 1.2", 16690)
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var got Found
	if err := Browse(ctx, func(f Found) {
		got = f
		cancel()
	}); err != nil {
		t.Fatal(err)
	}
	if got.ID != someID || got.Name != "Küche \"oben\" \\ 1.2" || len(got.Addresses) != 1 || got.Addresses[0] != "10.77.1.1:16690" {
		t.Errorf("found %+v", got)
	}
}
