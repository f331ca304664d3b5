//go:build hwsim

package accesspoint

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/netmgr"
	"manofwar/netmgr/hwsimtest"
)

// victim marks the process that is killed, by the number of its radio.
const victim = "MANOFWAR_VICTIM"

// TestKill kills the process of an access point, and begins anew at once.
func TestKill(t *testing.T) {
	if phy := os.Getenv(victim); phy != "" {
		n, err := strconv.Atoi(phy)
		if err != nil {
			t.Fatal(err)
		}
		launch(t, Options{Phy: n, Passphrase: passphrase})
		t.Log("the victim is up")
		_, _ = os.Stdout.WriteString("the victim is up\n")
		<-t.Context().Done()
		return
	}
	radios := hwsimtest.Radios(t, 2)
	_, s := newPhone(t, "phone", radios[1], "key_mgmt=WPA-PSK", psk())
	for i := range 3 {
		kill := startVictim(t, radios[0].Phy)
		s.Await("CTRL-EVENT-CONNECTED", 1+i)
		begin := kill()
		if i == 0 { // nobody takes it down: it goes by itself
			for present(t, fmt.Sprint("/sys/class/net/ap", radios[0].Phy)) && time.Since(begin) < patience {
				<-time.After(10 * time.Millisecond)
			}
			after := time.Since(begin)
			t.Logf("gone %v after SIGKILL", after)
			if after > 2*time.Second { // on an emulated machine: a second at most on a real one
				t.Errorf("gone %v after SIGKILL", after)
			}
		}
	}
	b := launch(t, Options{Phy: radios[0].Phy, Passphrase: passphrase})
	s.Await("CTRL-EVENT-CONNECTED", 4)
	b.await("client", func(ev netmgr.Event) bool { return ev == netmgr.AccessPointClients{Phy: radios[0].Phy, Count: 1} })
}

func present(t *testing.T, file string) bool {
	t.Helper()
	_, err := os.Stat(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return err == nil
}

// startVictim starts an access point in a process of its own and returns how to kill it.
func startVictim(t *testing.T, phy int) (kill func() time.Time) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestKill$", "-test.timeout=60s")
	cmd.Env = append(os.Environ(), victim+"="+strconv.Itoa(phy))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	up := false
	for lines := bufio.NewScanner(out); !up && lines.Scan(); {
		up = strings.Contains(lines.Text(), "the victim is up")
	}
	if !up {
		t.Error("the victim did not come up")
	}
	return func() time.Time {
		begin := time.Now()
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
		return begin
	}
}
