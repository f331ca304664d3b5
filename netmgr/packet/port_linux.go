package packet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Port is one UDP port of an interface. What arrives there is received below the kernel's IP, whatever address it was sent
// to and whether or not the interface has one. An ordinary UDP socket beside it sends by the kernel's routes, and its being
// there keeps the kernel from answering with "port unreachable".
type Port struct {
	*Socket
	udp     net.PacketConn
	receive func(from net.HardwareAddr, d Datagram)
	done    chan struct{}
	reader  sync.WaitGroup
}

// ListenPort opens the sockets of a port. receive is called with each datagram from one goroutine, and must not block: from
// says who sent it on the link, and the data are valid until it returns. CAP_NET_RAW is needed, and
// CAP_NET_BIND_SERVICE for ports below 1024.
func ListenPort(index int, device string, port uint16, receive func(from net.HardwareAddr, d Datagram)) (*Port, error) {
	s, err := Listen(index, unix.ETH_P_IP, UDPTo(port))
	if err != nil {
		return nil, err
	}
	lc := net.ListenConfig{Control: func(_, _ string, rc syscall.RawConn) (err error) {
		return errors.Join(rc.Control(func(fd uintptr) { err = sendOnly(int(fd), device) }), err)
	}}
	udp, err := lc.ListenPacket(context.Background(), "udp4", fmt.Sprintf("0.0.0.0:%d", port))
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	p := &Port{Socket: s, udp: udp, receive: receive, done: make(chan struct{})}
	p.reader.Go(func() { p.read(port) })
	return p, nil
}

// sendOnly ties a socket to one interface and lets nothing in: what arrives is received below.
func sendOnly(fd int, device string) error {
	prog := unix.SockFprog{Len: 1, Filter: &unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K}}
	return errors.Join(
		unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &prog),
		unix.BindToDevice(fd, device),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1),
	)
}

// read hands over datagrams until the port is closed. While the interface is down the kernel refuses; waiting a little is
// all there is to do until whoever watches the link closes the port.
func (p *Port) read(port uint16) {
	buf := make([]byte, 4096)
	for {
		f, err := p.Receive(buf)
		if errors.Is(err, os.ErrClosed) {
			return
		}
		if err != nil {
			select {
			case <-p.done:
				return
			case <-time.After(time.Second):
			}
			continue
		}
		if d, ok := ParseDatagram(f.Data, f.Checksum); ok && d.To.Port() == port {
			p.receive(f.From, d)
		}
	}
}

// Route sends a datagram by the kernel's routes.
func (p *Port) Route(to *net.UDPAddr, data []byte) error {
	_, err := p.udp.WriteTo(data, to)
	return err
}

// Close closes both sockets and waits for the reader.
func (p *Port) Close() error {
	close(p.done)
	err := errors.Join(p.Socket.Close(), p.udp.Close())
	p.reader.Wait()
	return err
}
