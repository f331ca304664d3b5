package dhcp

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"manofwar/netmgr"
)

// exchange is one message sent, again and again, until an answer is accepted.
type exchange struct {
	message *dhcpv4.DHCPv4
	accept  func(*dhcpv4.DHCPv4) bool                   // whether it answers the message; refusals are offered too
	wait    func(sent int) (d time.Duration, more bool) // after that many transmissions
	server  netip.Addr                                  // to whom; the zero Addr: everybody
}

// answer is what ended an exchange. Without a message it ended unanswered.
type answer struct {
	message *dhcpv4.DHCPv4
	asked   time.Time // when the answered message was last sent
	nak     bool
	rival   net.HardwareAddr // who else uses the address; only while one is held
}

// exchange sends the message until it is answered, the waits end, or ctx does.
func (c *Client) exchange(ctx context.Context, x exchange) (a answer) {
	for sent := 1; ; sent++ {
		wait, more := x.wait(sent)
		if !more {
			return answer{}
		}
		asked := time.Now()
		c.send(x)
		timer := time.NewTimer(wait)
		a, done := c.listen(ctx, x, timer.C)
		timer.Stop()
		if done {
			a.asked = asked
			return a
		}
		c.noteSilence()
	}
}

// listen waits for an answer until the time is over. It reports whether the exchange is.
func (c *Client) listen(ctx context.Context, x exchange, over <-chan time.Time) (answer, bool) {
	for {
		select {
		case <-ctx.Done():
			return answer{}, true
		case <-over:
			return answer{}, false
		case mac := <-c.conflicts(x):
			return answer{rival: mac}, true
		case data := <-c.Conn.Messages():
			m, err := dhcpv4.FromBytes(data)
			if err != nil || !c.ours(m) || !x.accept(m) {
				continue
			}
			return answer{message: m, nak: m.MessageType() == dhcpv4.MessageTypeNak}, true
		}
	}
}

// conflicts returns the channel of conflicts while an address is held, which is when the message names it as ours.
func (c *Client) conflicts(x exchange) <-chan net.HardwareAddr {
	if addr(x.message.ClientIPAddr).IsValid() {
		return c.rivals()
	}
	return nil
}

// send transmits the message. A failure is as good as a lost packet: the next transmission comes anyway, and the link's
// own state says if it is down.
func (c *Client) send(x exchange) {
	x.message.NumSeconds = uint16(min(time.Since(c.began)/time.Second, 1<<16-1))
	from := addr(x.message.ClientIPAddr)
	var err error
	if x.server.IsValid() {
		err = c.Conn.Unicast(from, x.server, x.message.ToBytes())
	} else {
		err = c.Conn.Broadcast(from, x.message.ToBytes())
	}
	if err != nil {
		c.Log.Debug("dhcp message not sent", "type", x.message.MessageType().String(), "err", err)
	}
}

// noteSilence tells once per acquisition that nobody answers.
func (c *Client) noteSilence() {
	if !c.unheard && time.Since(c.began) >= silence {
		c.unheard = true
		c.Tell(netmgr.Unanswered{Index: c.Index})
	}
}

// ours reports whether a message is an answer to this client's.
func (c *Client) ours(m *dhcpv4.DHCPv4) bool {
	return m.OpCode == dhcpv4.OpcodeBootReply && m.TransactionID == c.xid && slices.Equal(m.ClientHWAddr, c.MAC)
}

// offers accepts an offer that can become a lease, a rapid commit, and the late answer to a request for the previous
// address.
func (c *Client) offers(m *dhcpv4.DHCPv4) bool {
	switch m.MessageType() {
	case dhcpv4.MessageTypeOffer:
		return validAddress(addr(m.YourIPAddr)) && addr(m.ServerIdentifier()).IsValid()
	case dhcpv4.MessageTypeAck:
		return validLease(m) && (m.Options.Has(dhcpv4.OptionRapidCommit) || addr(m.YourIPAddr) == c.Previous)
	}
	return false
}

// settles accepts any server's word, yes or no, on an address.
func (c *Client) settles(m *dhcpv4.DHCPv4) bool {
	return m.MessageType() == dhcpv4.MessageTypeNak || m.MessageType() == dhcpv4.MessageTypeAck && validLease(m)
}

// acks accepts the word of the server that made the offer. Some leave their name out of a refusal.
func (c *Client) acks(server net.IP) func(*dhcpv4.DHCPv4) bool {
	return func(m *dhcpv4.DHCPv4) bool {
		id := m.ServerIdentifier()
		return (id == nil || id.Equal(server)) && c.settles(m)
	}
}
