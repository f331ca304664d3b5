package cec

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// us is a player in the first socket.
func us() device { return device{self: 4, path: 0x1000} }

// say words messages and keys for comparison.
func say(answers []message, pressed []Key) string {
	var words []string
	for _, m := range answers {
		words = append(words, fmt.Sprintf("% x", m.bytes()))
	}
	for _, k := range pressed {
		word := k.Name
		if k.Held {
			word += " held"
		}
		words = append(words, word)
	}
	return strings.Join(words, "; ")
}

func TestHandle(t *testing.T) {
	for _, c := range []struct {
		name   string
		before func(*device)
		in     [][]byte
		want   string // of the last message
		active bool
	}{
		{"play", nil, [][]byte{{0x04, 0x44, 0x44}}, "play", false},
		{"pause", nil, [][]byte{{0x04, 0x44, 0x46}}, "pause", false},
		{"ok", nil, [][]byte{{0x04, 0x44, 0x00}}, "ok", false},
		{"repeated", nil, [][]byte{{0x04, 0x44, 0x01}, {0x04, 0x44, 0x01}}, "up held", false},
		{"pressed again", nil, [][]byte{{0x04, 0x44, 0x01}, {0x04, 0x45}, {0x04, 0x44, 0x01}}, "up", false},
		{"another key without a release", nil, [][]byte{{0x04, 0x44, 0x01}, {0x04, 0x44, 0x02}}, "down", false},
		{"an operand more", nil, [][]byte{{0x04, 0x44, 0x60, 0x24}}, "play", false},
		{"a key nobody waits for", nil, [][]byte{{0x04, 0x44, 0x74}}, "", false},
		{"no key", nil, [][]byte{{0x04, 0x44}}, "", false},
		{"a key for all", nil, [][]byte{{0x0f, 0x44, 0x44}}, "", false},
		{"a key for another", nil, [][]byte{{0x08, 0x44, 0x44}}, "", false},
		{"a deck's keys", nil, [][]byte{{0x04, 0x42, 0x01}}, "next", false},
		{"a deck plays", nil, [][]byte{{0x04, 0x41, 0x24}}, "play", false},
		{"a deck stands still", nil, [][]byte{{0x04, 0x41, 0x25}}, "pause", false},
		{"the television sleeps", (*device).show, [][]byte{{0x0f, 0x36}}, "off", false},
		{"power status", nil, [][]byte{{0x04, 0x8f}}, "40 90 00", false},
		{"menu", nil, [][]byte{{0x04, 0x8d, 0x00}}, "40 8e 00", false},
		{"deck status", nil, [][]byte{{0x04, 0x1a, 0x03}}, "40 1b 1a", false},
		{"who knows what", nil, [][]byte{{0x04, 0xa7, 0x01}}, "40 00 a7 00", false},
		{"to see if we abort", nil, [][]byte{{0x04, 0xff}}, "40 00 ff 00", false},
		{"who knows what for all", nil, [][]byte{{0x0f, 0xa7, 0x01}}, "", false},
		{"they abort", nil, [][]byte{{0x04, 0x00, 0x82, 0x04}}, "", false},
		{"from nobody", nil, [][]byte{{0xf4, 0x8f}}, "", false},
		{"is somebody there", nil, [][]byte{{0x04}}, "", false},
		{"switched to us", nil, [][]byte{{0x0f, 0x86, 0x10, 0x00}}, "4f 82 10 00", true},
		{"routed to us", nil, [][]byte{{0x0f, 0x80, 0x20, 0x00, 0x10, 0x00}}, "4f 82 10 00", true},
		{"routed by a switch", nil, [][]byte{{0x5f, 0x81, 0x10, 0x00}}, "4f 82 10 00", true},
		{"routed away", (*device).show, [][]byte{{0x0f, 0x80, 0x10, 0x00, 0x20, 0x00}}, "", false},
		{"another one is shown", (*device).show, [][]byte{{0x8f, 0x82, 0x20, 0x00}}, "", false},
		{"who is shown: we", (*device).show, [][]byte{{0x0f, 0x85}}, "4f 82 10 00", true},
		{"who is shown: not we", nil, [][]byte{{0x0f, 0x85}}, "", false},
		{"half an address", (*device).show, [][]byte{{0x0f, 0x86, 0x10}}, "", true},
		{"unplugged", func(d *device) { d.moved(unregistered, nowhere) }, [][]byte{{0x0f, 0x86, 0x10, 0x00}}, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := us()
			if c.before != nil {
				c.before(&d)
			}
			got := ""
			for _, b := range c.in {
				m, ok := parseMessage(b)
				if !ok {
					t.Fatalf("% x is no message", b)
				}
				got = say(d.handle(m))
			}
			if got != c.want || d.active != c.active {
				t.Errorf("got %q, active %v; want %q, %v", got, d.active, c.want, c.active)
			}
		})
	}
}

// show is what a device is that is shown.
func (d *device) show() { d.active = true }

// TestPlugSaysNothing moves a device from socket to socket: it must neither speak nor take itself for shown.
func TestPlugSaysNothing(t *testing.T) {
	d := us()
	d.active, d.down = true, true
	d.moved(4, 0x1000)
	if !d.active {
		t.Error("nothing changed, and yet it is not shown any more")
	}
	d.moved(unregistered, nowhere)
	d.moved(8, 0x2000)
	if d.active || d.down || !d.present() {
		t.Errorf("in another socket it is %+v", d)
	}
}

func TestOSDName(t *testing.T) {
	for name, want := range map[string]string{
		"Living room": "Living room", "Wohnzimmer Süd und Nord": "Wohnzimmer Sd ", "": "manofwar", "居間": "manofwar",
	} {
		if got := osdName(name); got != want {
			t.Errorf("%q is %q; want %q", name, got, want)
		}
	}
}

// FuzzHandle lets anybody on the bus say anything, as often as they like.
func FuzzHandle(f *testing.F) {
	f.Add([]byte{2, 0x04, 0x8f, 3, 0x04, 0x44, 0x44, 4, 0x0f, 0x86, 0x10, 0x00, 2, 0x0f, 0x85})
	f.Add([]byte{1, 0x04, 16, 1, 2, 3})
	f.Fuzz(func(t *testing.T, data []byte) {
		d := us()
		for len(data) > 0 {
			n := min(int(data[0]), len(data)-1)
			b := data[1 : 1+n]
			data = data[1+n:]
			m, ok := parseMessage(b)
			if !ok {
				continue
			}
			if !slices.Equal(m.bytes(), b) {
				t.Fatalf("% x became % x", b, m.bytes())
			}
			was := d.active
			answers, pressed := d.handle(m)
			if len(answers) > 1 || len(pressed) > 1 {
				t.Fatalf("to % x we say %s", b, say(answers, pressed))
			}
			for _, a := range answers {
				if len(a.bytes()) > maxMessage || a.from != d.self || a.to == broadcast && a.op != activeSource {
					t.Fatalf("to % x we say % x", b, a.bytes())
				}
				if a.op == activeSource && !was && m.op != setStreamPath && m.op != routingChange && m.op != routingInformation {
					t.Fatalf("after % x we want to be seen", b)
				}
			}
		}
	})
}
