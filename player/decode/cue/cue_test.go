package cue_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"io"
	"strings"
	"testing"
	"time"

	"manofwar/player/decode/cue"
)

func all(t *testing.T, next func() (cue.Cue, error)) (cues []cue.Cue) {
	t.Helper()
	for {
		c, err := next()
		if err == io.EOF {
			return cues
		} else if err != nil {
			t.Fatal(err)
		}
		cues = append(cues, c)
	}
}

const second = time.Second

func TestSRT(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []cue.Cue
	}{
		{"two", "1\n00:00:01,500 --> 00:00:02,000\nOne\nof two lines\n\n2\n01:00:00,000 --> 01:00:01,000\nTwo\n", []cue.Cue{
			{From: 1500 * time.Millisecond, To: 2 * second, Text: "One\nof two lines"}, {From: 3600 * second, To: 3601 * second, Text: "Two"},
		}},
		{"as Windows has it", "\uFEFF1\r\n00:00:01,000 --> 00:00:02,000\r\nOne\r\n\r\n2\r\n00:00:03,000 --> 00:00:04,000\r\nTwo\r\n", []cue.Cue{
			{From: second, To: 2 * second, Text: "One"}, {From: 3 * second, To: 4 * second, Text: "Two"},
		}},
		{"points, no hours, a place", "00:01.5 --> 00:02.25  X1:10 X2:20\nOne", []cue.Cue{{From: 1500 * time.Millisecond, To: 2250 * time.Millisecond, Text: "One"}}},
		{"no empty line between", "1\n00:00:01,000 --> 00:00:02,000\nOne\n2\n00:00:03,000 --> 00:00:04,000\nTwo", []cue.Cue{
			{From: second, To: 2 * second, Text: "One"}, {From: 3 * second, To: 4 * second, Text: "Two"},
		}},
		{"nothing to show", "1\n00:00:01,000 --> 00:00:02,000\n\n\n2\n00:00:04,000 --> 00:00:03,000\nBackwards\n\n3\n00:00:05,000 --> 00:00:06,000\n<font color=red></font>\n", nil},
		{"none", "This is a letter.\nIt is --> not subtitles.", nil},
	} {
		got := all(t, cue.NewSRT(strings.NewReader(c.text), 0).Next)
		if len(got) != len(c.want) {
			t.Errorf("%s: %+v", c.name, got)
			continue
		}
		for i, w := range c.want {
			if got[i] != w {
				t.Errorf("%s: %+v, want %+v", c.name, got[i], w)
			}
		}
	}
}

// TestSRTDoesNotWait reads from a pipe that stays open: a subtitle must come before the next one does.
func TestSRTDoesNotWait(t *testing.T) {
	r, w := io.Pipe()
	go func() { _, _ = w.Write([]byte("1\n00:16:41,000 --> 00:16:42,000\nNow\n\n")) }()
	if c, err := cue.NewSRT(r, -1000*second).Next(); err != nil || c.Text != "Now" || c.From != second {
		t.Errorf("%+v, %v", c, err)
	}
	_ = w.Close()
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                               "plain",
		"<i>a</i> <B>b</B> <u>c":              "<i>a</i> <b>b</b> <u>c</u>",
		"<font color=\"#ff0\">a</font>":       "a",
		"{\\an8}above":                        "above",
		"{not an override}":                   "{not an override}",
		"1 < 2 & 3 > 2":                       "1 < 2 & 3 > 2",
		"Tom &amp; Jerry &lt;3":               "Tom & Jerry <3",
		"<i><b>crossed</i></b>":               "<i><b>crossed</b></i>",
		"</i>closed only":                     "closed only",
		"  a  \n\n  b\r\n":                    "a\nb",
		"bad \xff byte":                       "bad \uFFFD byte",
		"<i>one</i><i>two</i>":                "<i>one</i><i>two</i>",
		"an <unclosed tag":                    "an <unclosed tag",
		"<script>alert(1)</script>":           "alert(1)",
		"\x00nul":                             "nul",
		"<i>twice <i>open</i> is once</i> so": "<i>twice open</i> is once so",
	} {
		if got := cue.Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}

// segment is one of PGS at so many seconds.
func segment(at int, kind byte, body ...byte) []byte {
	b := binary.BigEndian.AppendUint32([]byte("PG"), uint32(at*90000))
	b = append(binary.BigEndian.AppendUint32(b, 0), kind)
	return append(binary.BigEndian.AppendUint16(b, uint16(len(body))), body...)
}

// pgs is a stream with two objects of 4×2, the second cropped to its right half, from 1 s to 2 s.
func pgs() []byte {
	object := func(id byte, rle ...byte) []byte {
		return segment(1, 0x15, append([]byte{0, id, 0, 0xC0, 0, 0, byte(len(rle) + 4), 0, 4, 0, 2}, rle...)...)
	}
	return bytes.Join([][]byte{
		segment(1, 0x16, 2, 0xD0, 2, 0x40, 0x10, 0, 0, 0x80, 0, 0, 2,
			0, 1, 0, 0, 0, 10, 0, 20, 0, 2, 0, 0x80, 0, 30, 0, 20, 0, 2, 0, 0, 0, 2, 0, 2),
		segment(1, 0x14, 0, 0, 1, 235, 128, 128, 255, 2, 16, 128, 128, 255),
		object(1, 0, 0x84, 1, 0, 0, 2, 2, 1, 1, 0, 0),
		object(2, 1, 1, 2, 2, 0, 0, 0, 0x40, 4, 0, 0),
		segment(1, 0x80),
		segment(2, 0x16, 2, 0xD0, 2, 0x40, 0x10, 0, 1, 0, 0, 0, 0),
		segment(2, 0x80),
	}, nil)
}

func TestPGS(t *testing.T) {
	got := all(t, cue.NewPGS(bytes.NewReader(pgs()), -second).Next)
	if len(got) != 2 || got[0].Image == nil || got[1].Image != nil || got[0].From != 0 || got[1].From != second {
		t.Fatalf("%+v", got)
	}
	c := got[0]
	if c.At != image.Rect(10, 20, 32, 22) || c.Canvas != image.Pt(720, 576) {
		t.Errorf("it lies at %v of %v", c.At, c.Canvas)
	}
	white, black, none := color.RGBA{255, 255, 255, 255}, color.RGBA{0, 0, 0, 255}, color.RGBA{}
	for at, want := range map[image.Point]color.RGBA{
		{X: 0, Y: 0}: white, {X: 3, Y: 0}: white, {X: 0, Y: 1}: black, {X: 2, Y: 1}: white, {X: 4, Y: 0}: none,
		{X: 20, Y: 0}: black, {X: 21, Y: 0}: black, {X: 20, Y: 1}: none,
	} {
		if got := c.Image.RGBAAt(at.X, at.Y); got != want {
			t.Errorf("at %v it is %v, want %v", at, got, want)
		}
	}
}

// subPicture is one of VobSub of 4×2 at (8, 16): a line of colour 1, and one of 2 with nothing at its end.
func subPicture() []byte {
	even, odd := []byte{0x11}, []byte{0xA0, 0x00, 0x00} // 4 of colour 1; 2 of colour 2, then 0 to the end
	b := []byte{0, 0, 0, byte(4 + len(even) + len(odd))}
	b = append(append(b, even...), odd...)
	ctrl := len(b)
	next := ctrl + 24
	b = append(b, 0, 0, byte(next>>8), byte(next), 1, 3, 0x32, 0x10, 4, 0x0F, 0xF0, 5, 0, 0x80, 0x0B, 1, 0, 0x11, 6, 0, 4, 0, 5, 0xFF)
	b = append(b, 0, 88, byte(next>>8), byte(next), 2, 0xFF) // 88 × 1024 / 90000 s
	binary.BigEndian.PutUint16(b, uint16(len(b)))
	return b
}

func TestVobSub(t *testing.T) {
	v := cue.NewVobSub([]byte("size: 720x480\npalette: 000000, ff0000, 00ff00, 0000ff\n"), image.Pt(1, 1))
	c, ok := v.Next(subPicture(), 5*second)
	if !ok || c.From != 5*second || (c.To-c.From-1001244*time.Microsecond).Abs() > time.Millisecond || c.At != image.Rect(8, 16, 12, 18) || c.Canvas != image.Pt(720, 480) {
		t.Fatalf("%+v, %v", c, ok)
	}
	for at, want := range map[image.Point]color.RGBA{
		{X: 0, Y: 0}: {255, 0, 0, 255}, {X: 3, Y: 0}: {255, 0, 0, 255}, {X: 0, Y: 1}: {0, 255, 0, 255}, {X: 1, Y: 1}: {0, 255, 0, 255}, {X: 2, Y: 1}: {},
	} {
		if got := c.Image.RGBAAt(at.X, at.Y); got != want {
			t.Errorf("at %v it is %v, want %v", at, got, want)
		}
	}
}

// dvb is a page with one region of 4×2 at (8, 16), 4 bits deep, and an object of one line for each field.
func dvb() []byte {
	segment := func(kind byte, body ...byte) []byte {
		return append([]byte{0x0F, kind, 0, 1, 0, byte(len(body))}, body...)
	}
	return bytes.Join([][]byte{
		segment(0x14, 0, 0x02, 0xCF, 0x01, 0xDF),
		segment(0x10, 5, 0x04|1<<3, 7, 0, 0, 8, 0, 16),
		segment(0x11, 7, 0x08, 0, 4, 0, 2, 2<<2|2<<5, 3, 0, 0, 0, 9, 0, 0, 0, 0),
		segment(0x12, 3, 0, 1, 0x41, 235, 128, 128, 0, 2, 0x41, 16, 128, 128, 127),
		segment(0x13, 0, 9, 0, 0, 5, 0, 5, 0x11, 0x08, 0x10, 0x00, 0xF0, 0x11, 0x22, 0x10, 0x00, 0xF0),
	}, nil)
}

func TestDVB(t *testing.T) {
	d := cue.NewDVB()
	c, ok := d.Next(dvb(), 3*second)
	if !ok || c.From != 3*second || c.To != 8*second || c.At != image.Rect(8, 16, 12, 18) || c.Canvas != image.Pt(720, 480) {
		t.Fatalf("%+v, %v", c, ok)
	}
	white, dark := color.RGBA{255, 255, 255, 255}, color.RGBA{0, 0, 0, 128}
	for at, want := range map[image.Point]color.RGBA{
		{X: 0, Y: 0}: white, {X: 3, Y: 0}: white, {X: 0, Y: 1}: dark, {X: 1, Y: 1}: dark, {X: 2, Y: 1}: white, {X: 3, Y: 1}: {},
	} {
		if got := c.Image.RGBAAt(at.X, at.Y); got != want {
			t.Errorf("at %v it is %v, want %v", at, got, want)
		}
	}
	if c, ok := d.Next([]byte{0x0F, 0x10, 0, 1, 0, 2, 5, 0}, 4*second); !ok || c.Image != nil || c.From != 4*second {
		t.Errorf("an empty page: %+v, %v", c, ok)
	}
	if _, ok := d.Next([]byte{0x0F, 0x80, 0, 1, 0, 0}, 0); ok {
		t.Error("no page was taken for one")
	}
}

func FuzzDVB(f *testing.F) {
	f.Add(dvb())
	f.Fuzz(func(t *testing.T, data []byte) {
		d := cue.NewDVB()
		for range 3 {
			if c, ok := d.Next(data, 0); ok && c.Image != nil && c.Image.Bounds().Size() != c.At.Size() {
				t.Errorf("a picture of %v at %v", c.Image.Bounds(), c.At)
			}
		}
	})
}

func FuzzSRT(f *testing.F) {
	f.Add("1\n00:00:01,500 --> 00:00:02,000\n<i>One</b>\n{\\an8}\n\n2\n")
	f.Fuzz(func(t *testing.T, text string) {
		r := cue.NewSRT(strings.NewReader(text), 0)
		for {
			c, err := r.Next()
			if err != nil {
				return
			}
			if c.Text == "" || c.To <= c.From || strings.Contains(c.Text, "\n\n") {
				t.Errorf("%+v", c)
			}
		}
	})
}

func FuzzPGS(f *testing.F) {
	f.Add(pgs())
	f.Fuzz(func(t *testing.T, data []byte) {
		r := cue.NewPGS(bytes.NewReader(data), 0)
		for range 100 {
			c, err := r.Next()
			if err != nil {
				return
			}
			if c.Image != nil && c.Image.Bounds().Size() != c.At.Size() {
				t.Errorf("a picture of %v at %v", c.Image.Bounds(), c.At)
			}
		}
	})
}

func FuzzVobSub(f *testing.F) {
	f.Add(subPicture())
	f.Fuzz(func(t *testing.T, data []byte) {
		if c, ok := cue.NewVobSub(nil, image.Pt(720, 576)).Next(data, 0); ok && c.Image.Bounds().Size() != c.At.Size() {
			t.Errorf("a picture of %v at %v", c.Image.Bounds(), c.At)
		}
	})
}

func TestPGSDamaged(t *testing.T) {
	whole := pgs()
	for n := range whole {
		r := cue.NewPGS(bytes.NewReader(whole[:n]), 0)
		var err error
		for err == nil {
			_, err = r.Next()
		}
		if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

// TestVobSubOfAnySize has a picture as large as its coordinates can say, which no disc has room for on its canvas.
func TestVobSubOfAnySize(t *testing.T) {
	packet := func(x2, y2 int) []byte {
		return []byte{
			0, 0, 0, 4, // its control begins there
			0, 0, 0, 4, // at once; the last one
			1,
			5, 0, byte(x2 >> 8), byte(x2), 0, byte(y2 >> 8), byte(y2),
			6, 0, 0, 0, 0, 0xFF,
		}
	}
	v := cue.NewVobSub(nil, image.Pt(720, 576))
	if c, ok := v.Next(packet(719, 575), 0); !ok || c.At != image.Rect(0, 0, 720, 576) {
		t.Errorf("of the canvas: %v, %v", c.At, ok)
	}
	if c, ok := v.Next(packet(4095, 4095), 0); ok {
		t.Errorf("larger than any: %v", c.At)
	}
}
