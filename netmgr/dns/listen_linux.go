package dns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// Listen opens the sockets for [Server.Run] on one interface, for whatever addresses it has or will have: nobody on
// another one reaches them. CAP_NET_BIND_SERVICE is needed, and before Linux 5.7 CAP_NET_RAW.
func Listen(device string) (net.PacketConn, net.Listener, error) {
	lc := net.ListenConfig{Control: func(_, _ string, rc syscall.RawConn) (err error) {
		return errors.Join(rc.Control(func(fd uintptr) {
			err = unix.BindToDevice(int(fd), device)
		}), err)
	}}
	udp, err := lc.ListenPacket(context.Background(), "udp", ":53")
	if err != nil {
		return nil, nil, fmt.Errorf("name server on %s: %w", device, err)
	}
	tcp, err := lc.Listen(context.Background(), "tcp", ":53")
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("name server on %s: %w", device, err), udp.Close())
	}
	return udp, tcp, nil
}
