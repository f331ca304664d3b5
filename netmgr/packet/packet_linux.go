// Package packet opens packet(7) sockets: frames of one protocol on one interface, below the kernel's own protocols.
// DHCP needs them because it speaks before there is an address; ARP because the kernel keeps its answers to itself.
//
// Of protocols it knows UDP over IPv4 ([Datagram]), whose headers the kernel does not make down here. CAP_NET_RAW is needed.
package packet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// Socket receives and sends frames of one protocol on one interface, without their link-layer header. It is safe for
// concurrent use; [Socket.Close] ends a [Socket.Receive] under way.
type Socket struct {
	index    int
	protocol uint16
	file     *os.File
	raw      syscall.RawConn
}

// Frame is what was received.
type Frame struct {
	Data     []byte
	From     net.HardwareAddr
	Checksum bool // that of the transport protocol is there: a neighbour on the same machine may leave it to hardware
}

// Listen opens a socket on the interface for frames of an EtherType (linux/if_ether.h). Of those only the ones that
// filter lets through are received: classic BPF, run by the kernel on the frame without its link-layer header; nil
// lets all through.
func Listen(index int, protocol uint16, filter []unix.SockFilter) (*Socket, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("packet socket: %w", err)
	}
	s := &Socket{index: index, protocol: htons(protocol)}
	if err := s.setup(fd, filter); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("packet socket: %w", err)
	}
	s.file = os.NewFile(uintptr(fd), "packet")
	if s.raw, err = s.file.SyscallConn(); err != nil {
		return nil, errors.Join(err, s.file.Close())
	}
	return s, nil
}

// setup attaches the filter before binding: with protocol 0 nothing arrives until then.
func (s *Socket) setup(fd int, filter []unix.SockFilter) error {
	if len(filter) > 0 {
		prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
		if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &prog); err != nil {
			return err
		}
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_AUXDATA, 1); err != nil {
		return err
	}
	return unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: s.protocol, Ifindex: s.index})
}

// Receive waits for a frame and puts it into buf, which the frame's Data then is part of. Its error wraps
// [os.ErrClosed] after [Socket.Close], and is the kernel's while the interface is down.
func (s *Socket) Receive(buf []byte) (Frame, error) {
	var (
		oob     = make([]byte, unix.CmsgSpace(auxdataLen))
		n, oobn int
		from    unix.Sockaddr
		err     error
	)
	if waitErr := s.raw.Read(func(fd uintptr) bool {
		n, oobn, _, from, err = unix.Recvmsg(int(fd), buf, oob, 0)
		return err != unix.EAGAIN
	}); waitErr != nil {
		return Frame{}, fmt.Errorf("recvmsg: %w", os.ErrClosed) // package poll has an error of its own for that
	}
	if err != nil {
		return Frame{}, os.NewSyscallError("recvmsg", err)
	}
	f := Frame{Data: buf[:n], Checksum: hasChecksum(oob[:oobn])}
	if ll, ok := from.(*unix.SockaddrLinklayer); ok && ll.Halen <= 8 {
		f.From = slices.Clone(net.HardwareAddr(ll.Addr[:ll.Halen]))
	}
	return f, nil
}

// auxdataLen is the size of struct tpacket_auxdata (linux/if_packet.h), whose first word is the status.
const auxdataLen = 20

// hasChecksum reads the kernel's word on whether the transport checksum was filled in.
func hasChecksum(oob []byte) bool {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return true
	}
	for _, m := range messages {
		if m.Header.Level == unix.SOL_PACKET && m.Header.Type == unix.PACKET_AUXDATA && len(m.Data) >= 4 {
			return binary.NativeEndian.Uint32(m.Data)&unix.TP_STATUS_CSUMNOTREADY == 0
		}
	}
	return true
}

// Send sends data to a hardware address of the link.
func (s *Socket) Send(to net.HardwareAddr, data []byte) error {
	sa := &unix.SockaddrLinklayer{Protocol: s.protocol, Ifindex: s.index, Halen: uint8(min(len(to), 8))}
	copy(sa.Addr[:], to)
	var err error
	if waitErr := s.raw.Write(func(fd uintptr) bool {
		err = unix.Sendto(int(fd), data, 0, sa)
		return err != unix.EAGAIN
	}); waitErr != nil {
		return waitErr
	}
	return os.NewSyscallError("sendto", err)
}

// SkipQueue sends past the interface's queue (PACKET_QDISC_BYPASS). The kernel attaches that to an interface some time
// after the carrier has come, and what is sent in between is lost without an error.
func (s *Socket) SkipQueue() error {
	var err error
	if controlErr := s.raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.SOL_PACKET, unix.PACKET_QDISC_BYPASS, 1)
	}); controlErr != nil {
		return controlErr
	}
	return os.NewSyscallError("setsockopt", err)
}

// Close closes the socket.
func (s *Socket) Close() error { return s.file.Close() }

// UDPTo returns a filter for [Listen] on IPv4 that lets UDP datagrams to a port through, unless they are later fragments.
// Offsets are into the IP header: 9 the protocol, 6 flags and fragment offset, then the UDP header's destination port.
func UDPTo(port uint16) []unix.SockFilter {
	return []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: 9},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.IPPROTO_UDP, Jf: 6},
		{Code: unix.BPF_LD | unix.BPF_H | unix.BPF_ABS, K: 6},
		{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, K: 0x1fff, Jt: 4},
		{Code: unix.BPF_LDX | unix.BPF_B | unix.BPF_MSH, K: 0},
		{Code: unix.BPF_LD | unix.BPF_H | unix.BPF_IND, K: 2},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: uint32(port), Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: 1 << 16},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
	}
}

// Broadcast is the hardware address of everybody on an Ethernet.
var Broadcast = net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

func htons(v uint16) uint16 {
	var b [2]byte
	binary.BigEndian.PutUint16(b[:], v)
	return binary.NativeEndian.Uint16(b[:])
}
