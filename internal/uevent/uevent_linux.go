// Package uevent reads the kernel's announcements of devices: what came, went, or changed. They are for everyone: a
// service without privileges hears of a plugged screen or sound card by them as PID 1 hears of a disk.
package uevent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Event is the kernel's word that a device came, went or changed.
type Event struct {
	Action    string // "add", "remove", "change", …
	Path      string // below /sys
	Subsystem string // such as "block"
	Name      string // of the node below /dev; empty: it has none
	Modalias  string // names the driver that it wants; empty: none
}

// maxMessage is the size of the largest message (kernel: UEVENT_BUFFER_SIZE and its header).
const maxMessage = 8 << 10

// Socket is one on which the kernel announces devices. Open it before looking at what is there, so that nothing
// is missed in between.
type Socket struct{ f *os.File }

// Open subscribes to the kernel's own messages (kernel: lib/kobject_uevent.c, group 1).
func Open() (*Socket, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_KOBJECT_UEVENT)
	if err != nil {
		return nil, fmt.Errorf("uevents: %w", err)
	}
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 1<<20) // a smaller one only overruns sooner, which Next reports
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: 1}); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("uevents: %w", err)
	}
	return &Socket{f: os.NewFile(uintptr(fd), "uevents")}, nil
}

// ErrMissed says that the kernel announced more than was read: look at everything again.
var ErrMissed = errors.New("uevents were missed")

// Next blocks for the next message, until ctx ends. It returns [ErrMissed] if some were lost; any other error is final.
func (u *Socket) Next(ctx context.Context) (Event, error) {
	stop := context.AfterFunc(ctx, func() { _ = u.f.SetReadDeadline(time.Unix(1, 0)) })
	defer func() {
		if !stop() {
			_ = u.f.SetReadDeadline(time.Time{})
		}
	}()
	buf := make([]byte, maxMessage)
	for {
		n, kernel, err := u.receive(buf)
		switch {
		case ctx.Err() != nil:
			return Event{}, ctx.Err()
		case errors.Is(err, unix.ENOBUFS):
			return Event{}, ErrMissed
		case errors.Is(err, os.ErrDeadlineExceeded): // left over from a ctx of before
			_ = u.f.SetReadDeadline(time.Time{})
			continue
		case err != nil:
			return Event{}, fmt.Errorf("uevents: %w", err)
		}
		if ev, ok := Parse(buf[:n]); ok && kernel {
			return ev, nil
		}
	}
}

// receive reads one message and tells whether it is the kernel's: its port is 0, which no program can have (netlink(7)).
// A program with net_admin, such as netmgr, can send to the group as well, and must not make up devices.
func (u *Socket) receive(buf []byte) (n int, kernel bool, err error) {
	raw, err := u.f.SyscallConn()
	if err != nil {
		return 0, false, err
	}
	var from unix.Sockaddr
	var failed error
	err = raw.Read(func(fd uintptr) bool {
		n, from, failed = unix.Recvfrom(int(fd), buf, 0)
		return !errors.Is(failed, unix.EAGAIN)
	})
	sender, ok := from.(*unix.SockaddrNetlink)
	return n, ok && sender.Pid == 0, errors.Join(err, failed)
}

// Close unsubscribes.
func (u *Socket) Close() error { return u.f.Close() }

// Parse reads one message: "action@path", then "KEY=value" strings, each ended by a zero byte.
func Parse(data []byte) (Event, bool) {
	fields := strings.Split(string(data), "\x00")
	action, path, ok := strings.Cut(fields[0], "@")
	if !ok {
		return Event{}, false
	}
	ev := Event{Action: action, Path: path}
	for _, f := range fields[1:] {
		switch key, value, _ := strings.Cut(f, "="); key {
		case "SUBSYSTEM":
			ev.Subsystem = value
		case "MODALIAS":
			ev.Modalias = value
		case "DEVNAME":
			ev.Name = strings.TrimPrefix(value, "/dev/")
		}
	}
	return ev, true
}
