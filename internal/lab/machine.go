// Package lab makes the hosts that tests need: dongles in QEMU.
//
// A [Machine] boots a real image of one of the qemu boards under TCG, with a hard limit on its time. The package plays the
// Raspberry Pi firmware's part between resets: it reads autoboot.txt, picks the slot, and keeps the one-shot tryboot
// flag. Everything else that happens is the image's own doing. The guest's network is QEMU's user mode: nothing but
// the forwarded ports on loopback reaches it, and nothing of it leaves the host. [manofwar/internal/lab/peers] puts
// radios, routers and phones around it.
package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Config describes a machine. Only Image is required.
type Config struct {
	Image    string                  // the card's image, which the machine copies and never writes
	Board    string                  // that the image is for; empty: [DefaultBoard]
	Card     int64                   // the size of the card in bytes; 0: 2 GiB
	Memory   int                     // in MiB; 0: 512, as on the smallest board
	Counted  bool                    // the guest has one processor, and a clock that counts its instructions: see [countedWords]
	Disks    []Disk                  // besides the card
	Ports    []int                   // TCP ports of the guest that are to be reached on loopback
	Host     map[int]int             // fixed host ports for some of them; the others are chosen
	Append   string                  // more kernel arguments
	MAC      string                  // of the interface that leads to Ports; empty: QEMU's own choice
	Cable    bool                    // there is a second interface, to a network of its own that leads nowhere
	Screen   *Screen                 // plugged in; nil: the machine has no graphics
	Sound    *Sound                  // its sound cards; nil: it has none
	Desk     *Desk                   // where Screen is a window and Sound is heard; nil: nowhere, and sound is recorded
	Beside   []string                // archives that join the initramfs, as the kernel has it: for what a test wants around the dongle
	Limit    time.Duration           // after which the guest is ended whatever it does; 0: 2 minutes
	Console  io.Writer               // gets a copy of the serial console; nil: nothing does
	Prepare  func(card string) error // alters the copy of the card before the first boot; nil: leaves it
	Loaded   func(card string) error // alters it at the first boot, after the firmware has loaded the kernel; nil: leaves it
	LockCard bool                    // the card refuses to be written, as worn-out cards do
}

// Disk is a further disk of a machine.
type Disk struct {
	ID       string // names it in [Machine.Unplug]
	Path     string // its raw image, written in place
	USB      bool   // a USB stick; else a virtio disk
	ReadOnly bool
	Absent   bool // plugged in later, by [Machine.Plug]
}

// Machine is one guest. It may boot several times: a reset of the guest is a new start by the firmware.
type Machine struct {
	Console *Console
	Card    string // the file of its card

	cfg      Config
	dir      string
	platform platform
	firmware firmware
	ports    map[int]int
	cancel   context.CancelFunc
	ended    chan struct{} // closed when the guest is off for good

	mu      sync.Mutex // guards all below
	current *monitor
	boots   []Boot
	err     error // why the machine ended, unless the guest powered off or the test cut the power
}

// Boot is one start of a guest.
type Boot struct {
	Partition int           // the slot that the firmware picked
	Trial     bool          // by the one-shot flag
	Began     time.Time     // when QEMU was started
	End       string        // "watchdog" or QEMU's reason, such as "guest-reset", "guest-shutdown", "host-qmp-quit"; empty: still up
	Lasted    time.Duration // from QEMU's start to its end, or 0
}

// Start copies the image and boots it. The machine ends with ctx, at its limit, or by [Machine.Close], whichever is first.
func Start(ctx context.Context, dir string, cfg Config) (*Machine, error) {
	if cfg.Memory == 0 {
		cfg.Memory = 512
	}
	if cfg.Card == 0 {
		cfg.Card = 2 << 30
	}
	if cfg.Limit == 0 {
		cfg.Limit = 2 * time.Minute
	}
	m := &Machine{
		Console: &Console{Copy: cfg.Console}, Card: filepath.Join(dir, "card.img"),
		cfg: cfg, dir: dir, ports: make(map[int]int), ended: make(chan struct{}),
	}
	var err error
	if m.platform, err = platformOf(cfg.Board); err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	m.firmware = firmware{disk: m.Card, nvram: filepath.Join(dir, "nvram.img"), dir: dir, platform: m.platform, memory: cfg.Memory, cpus: m.processors(), beside: cfg.Beside}
	if err := m.prepare(ctx); err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	limited, cancel := context.WithTimeoutCause(ctx, cfg.Limit, fmt.Errorf("the machine's limit of %v is over", cfg.Limit))
	m.cancel = cancel
	go m.run(limited)
	return m, nil
}

// prepare makes the card, the NVRAM and the choice of ports.
func (m *Machine) prepare(ctx context.Context) error {
	if out, err := exec.CommandContext(ctx, "cp", "--sparse=always", "--reflink=auto", m.cfg.Image, m.Card).CombinedOutput(); err != nil {
		return fmt.Errorf("copy the image: %w: %s", err, out)
	}
	if info, err := os.Stat(m.Card); err != nil || info.Size() < m.cfg.Card {
		if err := errors.Join(err, os.Truncate(m.Card, m.cfg.Card)); err != nil {
			return err
		}
	}
	if m.cfg.Prepare != nil {
		if err := m.cfg.Prepare(m.Card); err != nil {
			return err
		}
	}
	if err := os.WriteFile(m.firmware.nvram, make([]byte, nvramSize), 0o600); err != nil {
		return err
	}
	for _, guest := range m.cfg.Ports {
		host, err := m.freePort(m.cfg.Host[guest])
		if err != nil {
			return err
		}
		m.ports[guest] = host
	}
	return nil
}

// The ports to choose from lie below those that Linux gives to connections by itself (ip-sysctl, ip_local_port_range): QEMU binds them
// anew at each reset, and a client's connection must not have got one meanwhile.
const firstPort, lastPort = 10000, 32767

// freePort returns want, or, where that is 0, a port of loopback that is free now and not this machine's yet.
func (m *Machine) freePort(want int) (int, error) {
	if want != 0 {
		return want, listens(want)
	}
	taken := slices.Collect(maps.Values(m.ports))
	for range 100 {
		if port := firstPort + rand.N(lastPort-firstPort+1); !slices.Contains(taken, port) && listens(port) == nil {
			return port, nil
		}
	}
	return 0, fmt.Errorf("no free port from %d to %d", firstPort, lastPort)
}

// listens tries to listen on a port.
func listens(port int) error {
	ln, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return err
	}
	return ln.Close()
}

// run boots until the guest powers off, panics without a reset, or time is up.
func (m *Machine) run(ctx context.Context) {
	defer close(m.ended)
	for {
		again, err := m.boot(ctx)
		if err != nil || !again {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.err = err
			return
		}
	}
}

// resets are the ends after which the firmware starts anew: by the guest, its watchdog, or [Machine.Reset].
var resets = []string{"guest-reset", "watchdog", "host-qmp-system-reset"}

// boot is one start, from the firmware's decision to the end of QEMU. It tells whether the guest asked for another.
func (m *Machine) boot(ctx context.Context) (again bool, err error) {
	start, err := m.firmware.decide(ctx)
	if err != nil {
		return false, err
	}
	if m.cfg.Loaded != nil && len(m.Boots()) == 0 {
		if err := m.cfg.Loaded(m.Card); err != nil {
			return false, err
		}
	}
	began := time.Now()
	m.mu.Lock()
	m.boots = append(m.boots, Boot{Partition: start.partition, Trial: start.trial, Began: began})
	m.mu.Unlock()
	end, err := m.emulate(ctx, start)
	m.mu.Lock()
	defer m.mu.Unlock()
	this := &m.boots[len(m.boots)-1]
	this.End, this.Lasted = end, time.Since(began)
	if ctx.Err() != nil && end != "host-qmp-quit" {
		return false, context.Cause(ctx)
	}
	return slices.Contains(resets, end), err
}

// emulate runs QEMU once and returns why it ended.
func (m *Machine) emulate(ctx context.Context, s start) (end string, err error) {
	socket := filepath.Join(m.dir, "qmp.sock")
	ln, err := net.Listen("unix", socket)
	if err != nil {
		return "", err
	}
	defer ln.Close()
	cmd := exec.CommandContext(ctx, m.platform.qemu, m.arguments(s, socket)...)
	cmd.Stdout, cmd.Stderr = m.Console, m.Console
	if err := cmd.Start(); err != nil {
		return "", err
	}
	mon, err := acceptMonitor(ln)
	if err != nil {
		return "", errors.Join(err, cmd.Process.Kill(), cmd.Wait())
	}
	m.mu.Lock()
	m.current = mon
	m.mu.Unlock()
	err = cmd.Wait()
	<-mon.done
	m.mu.Lock()
	m.current = nil
	m.mu.Unlock()
	return shutdownReason(mon), err
}

func acceptMonitor(ln net.Listener) (*monitor, error) {
	if err := ln.(*net.UnixListener).SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return nil, err
	}
	conn, err := ln.Accept()
	if err != nil {
		return nil, fmt.Errorf("QEMU did not start: %w", err)
	}
	return openMonitor(conn)
}

// shutdownReason reads the SHUTDOWN event, or the WATCHDOG event that came before it.
func shutdownReason(mon *monitor) string {
	any := func(qmpEvent) bool { return true }
	if _, bit, _ := mon.find("WATCHDOG", any); bit {
		return "watchdog"
	}
	ev, ok, _ := mon.find("SHUTDOWN", any)
	if !ok {
		return ""
	}
	var data struct{ Reason string }
	_ = json.Unmarshal(ev.Data, &data) // an empty reason is told as such
	return data.Reason
}

// arguments returns QEMU's command line.
func (m *Machine) arguments(s start, socket string) []string {
	cmdline := s.cmdline
	if m.cfg.Append != "" {
		cmdline += " " + m.cfg.Append
	}
	netdev := "user,id=net,restrict=on"
	for guest, host := range m.ports {
		netdev += fmt.Sprintf(",hostfwd=tcp:127.0.0.1:%d-:%d", host, guest)
	}
	nic := "virtio-net-pci,netdev=net,romfile=" // nothing boots from it, and its ROM is another package
	if m.cfg.MAC != "" {
		nic += ",mac=" + m.cfg.MAC
	}
	args := append(m.accelerator(),
		"-M", m.platform.machine, "-display", m.cfg.Desk.window(), "-nodefaults", "-no-reboot",
		"-serial", "stdio", "-qmp", "unix:"+socket, "-kernel", s.kernel, "-initrd", s.initramfs, "-append", cmdline,
		"-device", "i6300esb", "-watchdog-action", "reset", "-device", "qemu-xhci,id=usb", "-device", "virtio-rng-pci",
		"-netdev", netdev, "-device", nic,
		"-blockdev", Disk{ID: "card", Path: m.Card, ReadOnly: m.cfg.LockCard}.node(), "-device", "virtio-blk-pci,drive=medium-card,serial=card",
		"-blockdev", Disk{ID: "nvram", Path: m.firmware.nvram}.node(), "-device", "virtio-blk-pci,drive=medium-nvram,serial=nvram",
	)
	args = append(args, m.platform.hardware(m.cfg.Memory, m.processors())...)
	if m.cfg.Counted {
		args = append(args, countedWords...)
	}
	if s.dtb != "" {
		args = append(args, "-dtb", s.dtb)
	}
	if m.cfg.Cable {
		args = append(args, "-netdev", "user,id=cable,restrict=on", "-device", "virtio-net-pci,netdev=cable,romfile=")
	}
	if m.cfg.Screen != nil {
		args = append(args, m.cfg.Screen.arguments(m.dir)...)
	}
	if m.cfg.Sound != nil {
		args = append(args, m.cfg.Sound.arguments(m.dir, m.cfg.Desk)...)
	}
	for _, d := range m.cfg.Disks {
		args = append(args, "-blockdev", d.node())
		if !d.Absent {
			args = append(args, "-device", d.device())
		}
	}
	return args
}

// countedWords have the guest's clock advance by 2 ns with each instruction, and over idle time at once: 500 million instructions a
// second, which is less than any board does. What a program takes of such a second is the same on every host, whatever else
// that is busy with, and more than it would take of a board's.
var countedWords = []string{"-icount", "shift=1,sleep=off,align=off"}

// accelerator returns QEMU's arguments for what runs the guest's instructions.
func (m *Machine) accelerator() []string {
	if m.cfg.Counted {
		return []string{"-accel", "tcg,thread=single"} // the only one that can count
	}
	return []string{"-accel", "tcg,thread=multi"}
}

func (m *Machine) processors() int {
	if m.cfg.Counted {
		return 1
	}
	return 2
}

// node is the disk's medium: it outlives the device, so that a stick can be pulled out and plugged in again.
func (d Disk) node() string {
	s := "driver=raw,node-name=medium-" + d.ID + ",file.driver=file,file.filename=" + d.Path
	if d.ReadOnly {
		s += ",read-only=on"
	}
	return s
}

func (d Disk) driver() string {
	if d.USB {
		return "usb-storage"
	}
	return "virtio-blk-pci"
}

func (d Disk) device() string {
	s := d.driver() + ",drive=medium-" + d.ID + ",id=" + d.ID
	if !d.USB { // a stick's would be part of its name in the library
		s += ",serial=" + d.ID
	}
	return s
}
