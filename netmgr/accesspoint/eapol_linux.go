package accesspoint

import (
	"sync"

	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/nl80211"
	"manofwar/netmgr/packet"
)

// port is where 802.1X frames come and go for drivers that do not bring them over nl80211.
type port struct {
	socket *packet.Socket
	in     chan received
	over   chan struct{}
	reader sync.WaitGroup
}

type received struct {
	from ieee80211.MAC
	data []byte
}

// lengthEAPOL bounds a received frame, in bytes: those of handshakes are far shorter.
const lengthEAPOL = 2048

func listenEAPOL(index int) (*port, error) {
	socket, err := packet.Listen(index, nl80211.EAPOL, nil)
	if err != nil {
		return nil, err
	}
	p := &port{socket: socket, in: make(chan received), over: make(chan struct{})}
	p.reader.Go(p.read)
	return p, nil
}

// read reads until the socket is closed, or the interface is gone, which others notice too.
func (p *port) read() {
	for {
		buf := make([]byte, lengthEAPOL)
		f, err := p.socket.Receive(buf)
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

// frames returns what is received; nil: there is no port.
func (p *port) frames() <-chan received {
	if p == nil {
		return nil
	}
	return p.in
}

func (p *port) send(to ieee80211.MAC, data []byte) error { return p.socket.Send(to[:], data) }

func (p *port) close() {
	close(p.over)
	_ = p.socket.Close()
	p.reader.Wait()
}
