package cec

// address is a logical address: who a message is from or for.
type address byte

// The addresses that matter here.
const (
	tv           address = 0
	broadcast    address = 15 // as a destination
	unregistered address = 15 // as an initiator
)

// opcode is what a message is about (CEC_MSG_*).
type opcode byte

// The messages that are sent or understood.
const (
	featureAbort        opcode = 0x00
	imageViewOn         opcode = 0x04
	giveDeckStatus      opcode = 0x1a
	deckStatus          opcode = 0x1b
	standby             opcode = 0x36
	playMessage         opcode = 0x41
	deckControl         opcode = 0x42
	keyPressed          opcode = 0x44
	keyReleased         opcode = 0x45
	routingChange       opcode = 0x80
	routingInformation  opcode = 0x81
	activeSource        opcode = 0x82
	requestActiveSource opcode = 0x85
	setStreamPath       opcode = 0x86
	menuRequest         opcode = 0x8d
	menuStatus          opcode = 0x8e
	givePowerStatus     opcode = 0x8f
	reportPowerStatus   opcode = 0x90
	abort               opcode = 0xff // asks for a featureAbort, to see if we can
)

// Operands.
const (
	powerOn            = 0
	unrecognizedOpcode = 0
	menuActivated      = 0
	deckStopped        = 0x1a
)

// maxMessage is the most bytes that a message has, with its header.
const maxMessage = 16

// message is one on the bus: a header, an opcode, and operands. A message of a header only asks if somebody is there.
type message struct {
	from, to address
	op       opcode
	operands []byte
	poll     bool // there is no opcode
}

// parseMessage reads what the bus carried.
func parseMessage(b []byte) (message, bool) {
	if len(b) == 0 || len(b) > maxMessage {
		return message{}, false
	}
	m := message{from: address(b[0] >> 4), to: address(b[0] & 0xf), poll: len(b) == 1}
	if !m.poll {
		m.op, m.operands = opcode(b[1]), b[2:]
	}
	return m, true
}

// bytes is the message as the bus carries it.
func (m message) bytes() []byte {
	b := []byte{byte(m.from)<<4 | byte(m.to)}
	if m.poll {
		return b
	}
	return append(append(b, byte(m.op)), m.operands...)
}

// path reads a physical address, which says through which sockets a device is reached: 0x1200 is behind the second socket
// of what is in the television's first.
func path(b []byte) (uint16, bool) {
	if len(b) < 2 {
		return 0, false
	}
	return uint16(b[0])<<8 | uint16(b[1]), true
}

// Physical addresses that are no player's.
const (
	nowhere = 0xffff // nothing is plugged in
	root    = 0      // the television's own
)

// osdName is a name as a television shows it: up to 14 characters of ASCII.
func osdName(name string) string {
	b := make([]byte, 0, 14)
	for _, r := range name {
		if r >= ' ' && r <= '~' && len(b) < cap(b) {
			b = append(b, byte(r))
		}
	}
	if len(b) == 0 {
		return "manofwar"
	}
	return string(b)
}
