package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
)

// errOff is the error of whatever needs a running guest.
var errOff = errors.New("the machine is off")

// Addr returns host and port on loopback that reach the guest's port, which must be one of Config.Ports.
func (m *Machine) Addr(port int) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(m.ports[port]))
}

// Boots returns the starts so far; the last one may still be up.
func (m *Machine) Boots() []Boot {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.boots)
}

// Wait waits until the machine is off for good and returns why, unless the guest powered itself off or [Machine.Close]
// did.
func (m *Machine) Wait() error {
	<-m.ended
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.err
}

// Ended is closed once the machine is off for good.
func (m *Machine) Ended() <-chan struct{} { return m.ended }

// Close cuts the power and waits until QEMU has ended.
func (m *Machine) Close() {
	if mon, err := m.monitor(); err == nil {
		_, _ = mon.call("quit", nil) // the kill below is for a QEMU that does not answer
	}
	m.cancel()
	<-m.ended
}

// Reset presses the reset button: the firmware starts anew.
func (m *Machine) Reset() error { return m.command("system_reset", nil) }

// Plug connects the disk that Config.Disks has as absent, or that was unplugged.
func (m *Machine) Plug(id string) error {
	i := slices.IndexFunc(m.cfg.Disks, func(d Disk) bool { return d.ID == id })
	if i < 0 {
		return fmt.Errorf("lab: no disk %q", id)
	}
	d := m.cfg.Disks[i]
	return m.command("device_add", map[string]any{"driver": d.driver(), "drive": "medium-" + id, "id": id})
}

// Unplug pulls the disk out without a warning to the guest, and waits until it is gone.
func (m *Machine) Unplug(ctx context.Context, id string) error {
	mon, err := m.monitor()
	if err != nil {
		return err
	}
	if _, err := mon.call("device_del", map[string]any{"id": id}); err != nil {
		return err
	}
	ours := func(ev qmpEvent) bool {
		var data struct{ Device string }
		return json.Unmarshal(ev.Data, &data) == nil && data.Device == id
	}
	for {
		_, gone, more := mon.find("DEVICE_DELETED", ours)
		if gone {
			return nil
		}
		select {
		case <-more:
		case <-mon.done:
			return errOff
		case <-ctx.Done():
			return fmt.Errorf("unplug %s: %w", id, ctx.Err())
		}
	}
}

func (m *Machine) monitor() (*monitor, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.current == nil {
		return nil, errOff
	}
	return m.current, nil
}

func (m *Machine) command(name string, arguments any) error {
	mon, err := m.monitor()
	if err != nil {
		return err
	}
	_, err = mon.call(name, arguments)
	return err
}
