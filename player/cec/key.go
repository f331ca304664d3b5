package cec

// Key is one that was pressed on the television's remote control.
type Key struct {
	Name string // one of the names below
	Held bool   // it is still the same press: the television repeats it
}

// Names of keys.
const (
	Play      = "play"
	Pause     = "pause"
	PlayPause = "play-pause"
	Stop      = "stop"
	Next      = "next"
	Previous  = "previous"
	Forward   = "forward"
	Rewind    = "rewind"
	Up        = "up"
	Down      = "down"
	Left      = "left"
	Right     = "right"
	OK        = "ok"
	Back      = "back"
	Menu      = "menu"
	Info      = "info"
	Subtitle  = "subtitle"
	Audio     = "audio"
	Louder    = "volume-up"
	Softer    = "volume-down"
	Mute      = "mute"
	Power     = "power"
	Off       = "off" // no key: the television goes to sleep
)

// keys are the names of user control codes (CEC_OP_UI_CMD_*). Codes that are left out nobody waits for.
var keys = map[byte]string{
	0x00: OK, 0x01: Up, 0x02: Down, 0x03: Left, 0x04: Right,
	0x09: Menu, 0x0a: Menu, 0x0b: Menu, 0x0d: Back, 0x10: Menu, 0x11: Menu, 0x2b: OK,
	0x30: Next, 0x31: Previous, // channels: remote controls of few keys have no others
	0x33: Audio, 0x35: Info, 0x37: Next, 0x38: Previous, 0x40: Power,
	0x41: Louder, 0x42: Softer, 0x43: Mute,
	0x44: Play, 0x45: Stop, 0x46: Pause, 0x48: Rewind, 0x49: Forward, 0x4b: Next, 0x4c: Previous,
	0x51: Subtitle, 0x60: Play, 0x61: PlayPause, 0x64: Stop, 0x65: Mute, 0x6b: Power, 0x6c: Power, 0x6d: Power,
}

// deckKeys are the names of a deck control's modes: televisions that take us for a video recorder have these for keys.
var deckKeys = map[byte]string{1: Next, 2: Previous, 3: Stop, 4: Stop}

// playKey is the name of a play message's mode: a picture that stands still is a pause.
func playKey(mode byte) string {
	switch {
	case mode == 0x25:
		return Pause
	case mode >= 0x05 && mode <= 0x07:
		return Forward
	case mode >= 0x09 && mode <= 0x0b, mode == 0x20:
		return Rewind
	}
	return Play
}
