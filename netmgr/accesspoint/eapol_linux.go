package accesspoint

import (
	"sync"

	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/nl80211"
	"manofwar/netmgr/packet"
)

// socket is a port on a packet socket.
type socket struct {
	*packet.Socket
	in     chan received
	over   chan struct{}
	reader sync.WaitGroup
}

// lengthEAPOL bounds a received frame, in bytes: those of handshakes are far shorter.
const lengthEAPOL = 2048

func listenEAPOL(index int) (port, error) {
	raw, err := packet.Listen(index, nl80211.EAPOL, nil)
	if err != nil {
		return nil, err
	}
	p := &socket{Socket: raw, in: make(chan received), over: make(chan struct{})}
	p.reader.Go(p.read)
	return p, nil
}

// read reads until the socket is closed, or the interface is gone, which others notice too.
func (p *socket) read() {
	for {
		buf := make([]byte, lengthEAPOL)
		f, err := p.Receive(buf)
		if err != nil {
			return
		}
		if len(f.From) != len(ieee80211.MAC{}) {
			continue
		}
		select {
		case p.in <- received{ieee80211.MAC(f.From), f.Data}:
		case <-p.over:
			return
		}
	}
}

func (p *socket) frames() <-chan received { return p.in }

func (p *socket) send(to ieee80211.MAC, data []byte) error { return p.Send(to[:], data) }

func (p *socket) close() {
	close(p.over)
	_ = p.Close()
	p.reader.Wait()
}
