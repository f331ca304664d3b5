package alsa

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"manofwar/player"
)

// output is a device that plays: most cards have one.
type output struct {
	player.Card
	card   int    // the kernel's number, which another card may have after a restart
	inode  uint64 // of the card's control node
	device int
	kind   kind
	usable bool // as far as the card tells: HDMI without a screen is not
}

// kind orders outputs: that of lower number is taken where the owner has chosen none.
type kind int

// The kinds.
const (
	kindHDMI kind = iota
	kindUSB
	kindJack
	kindOther
	kindVirtual // heard by nobody
)

// path is the device's node.
func (o output) path() string { return fmt.Sprintf("/dev/snd/pcmC%dD%dp", o.card, o.device) }

// card is what a card says of itself.
type card struct {
	number  int
	inode   uint64 // of its control node
	id      string // "vc4hdmi0"
	driver  string // "vc4-hdmi", "USB-Audio"
	name    string // "vc4-hdmi-0"
	devices []device
}

// device is one that plays.
type device struct {
	number int
	id     string // "HDMI 0"
	name   string
	eld    []byte // what the screen can do; nil: the card has no such element, empty: there is no screen
	jack   *bool  // something is plugged in; nil: the card cannot tell
}

// outputs names the outputs of all cards and puts them in order. An ID is the card's, and for a further device of it the
// device's number with it, as in "PCH,3".
func outputs(cards []card) (list []output) {
	for _, c := range cards {
		for i, d := range c.devices {
			o := output{Card: player.Card{ID: c.id}, card: c.number, inode: c.inode, device: d.number, kind: kindOf(c, d)}
			if i > 0 {
				o.ID = fmt.Sprintf("%s,%d", c.id, d.number)
			}
			o.HDMI = o.kind == kindHDMI
			o.usable = !o.HDMI || d.screen()
			list = append(list, o)
		}
	}
	slices.SortStableFunc(list, func(a, b output) int {
		if a.usable != b.usable {
			return cmp.Compare(btoi(b.usable), btoi(a.usable))
		}
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.card, b.card), cmp.Compare(a.device, b.device))
	})
	nameAll(list, cards)
	return list
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// kindOf tells what is at the other end.
func kindOf(c card, d device) kind {
	has := func(word string) bool {
		return strings.Contains(strings.ToLower(c.id+" "+c.driver+" "+c.name+" "+d.id+" "+d.name), word)
	}
	switch {
	case c.driver == "Dummy", c.driver == "Loopback":
		return kindVirtual
	case c.driver == "USB-Audio":
		return kindUSB
	case d.eld != nil, has("hdmi"), has("displayport"):
		return kindHDMI
	case has("headphone"):
		return kindJack
	}
	return kindOther
}

// screen tells whether one is connected that takes sound, as far as the card knows.
func (d device) screen() bool {
	switch {
	case d.eld != nil:
		return slices.ContainsFunc(d.eld, func(b byte) bool { return b != 0 })
	case d.jack != nil:
		return *d.jack
	}
	return true
}

// nameAll gives the outputs their names for a person.
func nameAll(list []output, cards []card) {
	sockets := 0
	for _, o := range list {
		sockets += btoi(o.HDMI)
	}
	for i := range list {
		o := &list[i]
		c := cards[slices.IndexFunc(cards, func(c card) bool { return c.number == o.card })]
		d := c.devices[slices.IndexFunc(c.devices, func(d device) bool { return d.number == o.device })]
		switch o.kind {
		case kindHDMI:
			o.Name = "HDMI"
			if n := socket(c, d, list); sockets > 1 {
				o.Name = fmt.Sprintf("HDMI %d", n)
			}
			if screen := screenName(d.eld); screen != "" {
				o.Name = fmt.Sprintf("%s (%s)", screen, o.Name)
			}
		case kindJack:
			o.Name = "Headphone jack"
		default:
			o.Name = c.name
			if len(c.devices) > 1 && d.name != "" && d.name != c.name {
				o.Name += ", " + d.name
			}
		}
		if o.Name == "" {
			o.Name = o.ID
		}
	}
}

// socket counts HDMI sockets from 1, in the order of the kernel's numbers.
func socket(c card, d device, list []output) int {
	n := 1
	for _, o := range list {
		if o.HDMI && (o.card < c.number || o.card == c.number && o.device < d.number) {
			n++
		}
	}
	return n
}

// screenName reads the monitor's name out of an ELD (EDID-like data; Intel's High Definition Audio specification, 7.3.3.34):
// its length is in the low five bits of byte 4, the name begins at byte 20.
func screenName(eld []byte) string {
	if len(eld) < 20 {
		return ""
	}
	name := eld[20:]
	name = name[:min(int(eld[4]&0x1f), len(name))]
	printable := func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}
	return strings.TrimSpace(strings.Map(printable, string(name)))
}
