package station

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/nl80211"
	"manofwar/netmgr/packet"
)

// port is the way of 802.1X frames: over nl80211 where the driver can do that, which keeps them in order with other
// events and lets the first of them go unencrypted for sure; else a packet socket.
type port struct {
	send   func(ctx context.Context, frame []byte, plain bool) error
	frames chan nl80211.Event // of the packet socket; nil: they are among the connection's events
	close  func()
}

// openPort is called before the association: an access point sends the first frame before the kernel says that there is one.
func (a *attempt) openPort() error {
	a.eapol = port{close: func() {}}
	if !a.secured {
		return nil
	}
	if a.radio.Features.ControlPort {
		a.eapol.send = func(ctx context.Context, frame []byte, plain bool) error {
			return a.conn.SendControlFrame(ctx, nl80211.ControlFrame{Index: a.index, To: a.bss.BSSID, Plain: plain, Data: frame})
		}
		return nil
	}
	socket, err := packet.Listen(a.index, nl80211.EAPOL, nil)
	if err != nil {
		return fmt.Errorf("station: %w", err)
	}
	if err := socket.SkipQueue(); err != nil { // the answer to the first frame is sent when the carrier has just come
		return errors.Join(fmt.Errorf("station: %w", err), socket.Close())
	}
	a.eapol.frames = make(chan nl80211.Event, maxQueue)
	a.eapol.send = func(_ context.Context, frame []byte, _ bool) error { return socket.Send(a.bss.BSSID[:], frame) }
	var running sync.WaitGroup
	running.Go(func() { a.receiveFrom(socket) })
	a.eapol.close = func() {
		if err := socket.Close(); err != nil {
			a.log.Debug("packet socket not closed", "err", err)
		}
		running.Wait()
	}
	return nil
}

// receiveFrom hands on what comes in until the socket is closed. What nobody takes is lost: it is sent again.
func (a *attempt) receiveFrom(socket *packet.Socket) {
	buf := make([]byte, 2304) // the longest frame of 802.11
	for {
		f, err := socket.Receive(buf)
		if errors.Is(err, os.ErrClosed) {
			return
		}
		if err != nil || len(f.From) != len(ieee80211.MAC{}) {
			continue // the interface is going down: the kernel's events say so, once
		}
		select {
		case a.eapol.frames <- nl80211.ControlPort{
			Index: a.index, From: ieee80211.MAC(f.From), Protocol: nl80211.EAPOL, Data: append([]byte(nil), f.Data...),
		}:
		default:
		}
	}
}
