package cec

// device is what we are on one bus: who we are, whether the television shows us, and which key is down. It makes no call
// and knows no time: messages go in, answers and keys come out.
type device struct {
	self   address // unregistered while we have none
	path   uint16  // nowhere while nothing is plugged in
	active bool    // the television shows our input, as far as we were told
	held   byte    // the code of the key that is down
	down   bool
}

func newDevice() device { return device{self: unregistered, path: nowhere} }

// present tells whether there is somebody to speak to.
func (d device) present() bool { return d.path != nowhere && d.path != root && d.self != unregistered }

// moved notes that we have other addresses now: what is plugged in has changed. Nobody has asked us to be seen there.
func (d *device) moved(self address, path uint16) {
	if d.self == self && d.path == path {
		return
	}
	d.self, d.path = self, path
	d.active, d.down = false, false
}

// handle answers a message.
func (d *device) handle(m message) (answers []message, pressed []Key) {
	if m.poll || !d.present() || m.to != d.self && m.to != broadcast {
		return nil, nil
	}
	switch m.op {
	case keyPressed, keyReleased, playMessage, deckControl, standby:
		return nil, d.key(m)
	case activeSource, setStreamPath, routingChange, routingInformation, requestActiveSource:
		return d.route(m), nil
	case featureAbort:
		return nil, nil // what we asked for, they do not do
	}
	if m.to == broadcast || m.from == unregistered { // not to be answered
		return nil, nil
	}
	switch m.op {
	case givePowerStatus:
		return d.answer(m, reportPowerStatus, powerOn), nil
	case menuRequest: // with a menu open the television passes its keys on
		return d.answer(m, menuStatus, menuActivated), nil
	case giveDeckStatus:
		return d.answer(m, deckStatus, deckStopped), nil
	}
	return d.answer(m, featureAbort, byte(m.op), unrecognizedOpcode), nil
}

func (d *device) answer(m message, op opcode, operands ...byte) []message {
	return []message{{from: d.self, to: m.from, op: op, operands: operands}}
}

// shown says to all that the television is to show us.
func (d *device) shown() message {
	return message{from: d.self, to: broadcast, op: activeSource, operands: []byte{byte(d.path >> 8), byte(d.path)}}
}

// key reads what somebody pressed.
func (d *device) key(m message) []Key {
	if m.op == standby {
		d.active = false
		return []Key{{Name: Off}}
	}
	if m.to == broadcast {
		return nil
	}
	if m.op == keyReleased {
		d.down = false
		return nil
	}
	if len(m.operands) == 0 {
		return nil
	}
	code := m.operands[0]
	name, held := "", false
	switch m.op {
	case keyPressed:
		name, held = keys[code], d.down && d.held == code
		d.down, d.held = true, code
	case deckControl:
		name = deckKeys[code]
	case playMessage:
		name = playKey(code)
	}
	if name == "" {
		return nil
	}
	return []Key{{name, held}}
}

// route follows which input the television shows. When it asks for ours, we say that we are it.
func (d *device) route(m message) []message {
	if m.op == requestActiveSource {
		if d.active {
			return []message{d.shown()}
		}
		return nil
	}
	operands := m.operands
	if m.op == routingChange { // from where, to where
		operands = operands[min(2, len(operands)):]
	}
	to, ok := path(operands)
	if !ok {
		return nil
	}
	d.active = to == d.path
	if d.active && m.op != activeSource {
		return []message{d.shown()}
	}
	return nil
}
