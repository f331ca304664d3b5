package arp

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/netmgr/packet"
)

// Socket is the [Conn] of a real interface.
type Socket struct {
	frames  *packet.Socket
	packets chan Packet
	done    chan struct{}
	reader  sync.WaitGroup
}

// Listen opens the socket of an interface. CAP_NET_RAW is needed.
func Listen(index int) (*Socket, error) {
	f, err := packet.Listen(index, unix.ETH_P_ARP, nil)
	if err != nil {
		return nil, fmt.Errorf("arp: %w", err)
	}
	s := &Socket{frames: f, packets: make(chan Packet, 8), done: make(chan struct{})}
	s.reader.Go(s.read)
	return s, nil
}

// read hands over packets until the socket is closed. Those that nobody takes in time are dropped: a flood must not hold
// anything up.
func (s *Socket) read() {
	buf := make([]byte, 256)
	for {
		f, err := s.frames.Receive(buf)
		if errors.Is(err, os.ErrClosed) {
			return
		}
		if err != nil { // the interface is down, until somebody who watches it closes the socket
			select {
			case <-s.done:
				return
			case <-time.After(time.Second):
			}
			continue
		}
		if p, err := Parse(f.Data); err == nil {
			select {
			case s.packets <- p:
			default:
			}
		}
	}
}

// Packets returns what arrives.
func (s *Socket) Packets() <-chan Packet { return s.packets }

// Broadcast sends a packet to everybody on the link.
func (s *Socket) Broadcast(p Packet) error {
	return s.frames.Send(packet.Broadcast, p.Append(make([]byte, 0, size)))
}

// Close closes the socket and waits for its reader.
func (s *Socket) Close() error {
	close(s.done)
	err := s.frames.Close()
	s.reader.Wait()
	return err
}
