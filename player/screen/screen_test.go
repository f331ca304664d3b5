package screen

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// phases are times at which scenes stand in different places.
func phases() (out []time.Time) {
	for i := range 120 {
		out = append(out, noon.Add(time.Duration(i)*73*time.Second))
	}
	return out
}

// modes are the sizes of screen that everything must work on.
var modes = []image.Point{{640, 480}, {720, 576}, {1280, 720}, {1366, 768}, {1920, 1080}, {2560, 1080}, {3840, 2160}, {1080, 1920}, {800, 480}}

// TestSafe holds everything that is to be read, or scanned, to the part of the screen that every television shows.
func TestSafe(t *testing.T) {
	a := New(imageFonts(t)...)
	for _, s := range append(goldenScenes(), stressScenes()...) {
	modes:
		for _, size := range modes {
			for _, at := range phases()[:40] {
				p := a.Compose(size, at, s.layers...)
				safe := image.Rectangle{Max: size}.Inset(0)
				safe.Min.X, safe.Max.X = int(float64(size.X)*0.049), size.X-int(float64(size.X)*0.049)
				safe.Min.Y, safe.Max.Y = int(float64(size.Y)*0.049), size.Y-int(float64(size.Y)*0.049)
				for _, o := range p.ops {
					var r image.Rectangle
					switch o := o.(type) {
					case textOp:
						r = image.Rect(o.x, o.y, o.x+o.block.width, o.y+o.block.height)
					case qrOp:
						r = o.rect
					default:
						continue
					}
					if _, idle := s.layers[0].(Idle); idle { // covers pass through the sides with their names
						r.Min.X, r.Max.X = safe.Min.X, safe.Max.X
					}
					if !r.In(safe) {
						t.Errorf("%s at %v: %v of %T reaches out of %v", s.name, size, r, o, safe)
						continue modes
					}
				}
			}
		}
	}
}

// TestApart finds texts that run into one another.
func TestApart(t *testing.T) {
	a := New(imageFonts(t)...)
	for _, s := range append(goldenScenes(), stressScenes()...) {
		for _, size := range modes {
			p := a.Compose(size, noon, s.layers...)
			var taken []image.Rectangle
			for _, o := range p.ops {
				if o, ok := o.(textOp); ok {
					over := int(o.block.style.size * 0.15) // leading
					r := image.Rect(o.x, o.y+over, o.x+o.block.width, o.y+o.block.height-over)
					for _, other := range taken {
						if r.Overlaps(other) {
							t.Errorf("%s at %v: text at %v lies over text at %v", s.name, size, r, other)
						}
					}
					taken = append(taken, r)
				}
			}
		}
	}
}

// TestLegible holds text to its sizes, and to a contrast of 7:1 with the lightest pixel below it.
func TestLegible(t *testing.T) {
	a := New(imageFonts(t)...)
	for _, s := range append(goldenScenes(), stressScenes()...) {
		p := a.Compose(s.size, noon, s.layers...)
		unit := newComposer(a, s.size, noon).unit
		largest := 0.0
		for i, o := range p.ops {
			o, ok := o.(textOp)
			if !ok {
				continue
			}
			largest = max(largest, o.block.style.size/unit)
			if o.block.style.size < math.Floor(sizeSmall*unit) {
				t.Errorf("%s: text of %v pixels on a screen of %v", s.name, o.block.style.size, s.size)
			}
			if o.outline > 0 {
				continue // black all round
			}
			r := image.Rect(o.x, o.y, o.x+o.block.width, o.y+o.block.height).Intersect(image.Rectangle{Max: s.size})
			if r.Empty() {
				continue
			}
			below := image.NewRGBA(r)
			(&Picture{Size: s.size, artist: a, ops: p.ops[:i]}).Paint(below)
			lightest := 0.0
			last := color.NRGBA{}
			for i := 0; i < len(below.Pix); i += 4 {
				if c := (color.NRGBA{below.Pix[i], below.Pix[i+1], below.Pix[i+2], 0xff}); c != last {
					last, lightest = c, max(lightest, luminance(c))
				}
			}
			if ratio := (luminance(o.colour) + 0.05) / (lightest + 0.05); ratio < 7 {
				t.Errorf("%s: contrast %.1f of text at %v", s.name, ratio, r)
			}
		}
		switch s.layers[0].(type) {
		case film, Boot, Idle: // the clock may be unknown
		default:
			if largest < 64 {
				t.Errorf("%s: the title is %.0f lines high", s.name, largest)
			}
		}
	}
}

// luminance is that of WCAG 2.2.
func luminance(c color.NRGBA) float64 {
	return 0.2126*linear[c.R] + 0.7152*linear[c.G] + 0.0722*linear[c.B]
}

var linear = func() (out [256]float64) {
	for i := range out {
		out[i] = decode8(uint8(i))
	}
	return out
}()

// TestWanders looks for what stays in one place for over a minute.
func TestWanders(t *testing.T) {
	a := New(imageFonts(t)...)
	for _, s := range append(goldenScenes(), stressScenes()...) {
		if _, ok := s.layers[0].(film); ok {
			s.layers = []Layer{OSD{Title: "Paused", Paused: true, Position: time.Minute, Duration: time.Hour}} // others are taken away after seconds
		}
		for _, at := range phases() {
			stays := map[op]bool{}
			for _, o := range a.Compose(s.size, at, s.layers...).ops {
				stays[o] = true
			}
			for _, later := range []time.Duration{20 * time.Second, 40 * time.Second, time.Minute} {
				now := map[op]bool{}
				for _, o := range a.Compose(s.size, at.Add(later), s.layers...).ops {
					switch o.(type) {
					case glowOp, scrimOp: // without an edge
					default:
						now[o] = stays[o]
					}
				}
				stays = now
			}
			for o, does := range stays {
				if !does {
					continue
				}
				t.Fatalf("%s: %T at %v stays in its place a minute from %v", s.name, o, o.bounds(), at)
			}
		}
	}
}

// TestChanges paints only what changed, and in strips, and compares with a whole picture.
func TestChanges(t *testing.T) {
	a := New(imageFonts(t)...)
	size := image.Pt(640, 360)
	kept := image.NewRGBA(image.Rectangle{Max: size})
	var before *Picture
	var at time.Time
	step := func(name string, layers []Layer) {
		p := a.Compose(size, at, layers...)
		for _, r := range p.Changes(before) {
			p.Paint(kept.SubImage(r).(*image.RGBA))
		}
		before = p
		whole := image.NewRGBA(kept.Rect)
		p.Paint(whole)
		if n, r := differing(kept, whole); n > 0 {
			t.Fatalf("%s at %v: %d pixels in %v were not painted anew", name, at, n, r)
		}
		frame := make([]byte, 2600*size.Y)
		p.PaintXRGB(frame, 2600, kept.Rect)
		for i := 0; i < len(whole.Pix); i += 4 {
			x, y := i/4%size.X, i/4/size.X
			if c, f := whole.Pix[i:i+4], frame[2600*y+4*x:]; f[0] != c[2] || f[1] != c[1] || f[2] != c[0] {
				t.Fatalf("%s: pixel %d, %d of the frame is %v, not %v", name, x, y, f[:3], c)
			}
		}
	}
	for _, s := range goldenScenes() {
		at = noon
		for range 3 {
			step(s.name, s.layers)
			at = at.Add(3 * time.Second)
		}
	}
}

// TestNext holds a picture to the time until which it says it is valid.
func TestNext(t *testing.T) {
	a := New(imageFonts(t)...)
	for _, s := range append(goldenScenes(), stressScenes()...) {
		at := noon
		for range 20 {
			p := a.Compose(s.size, at, s.layers...)
			if p.Next.IsZero() {
				if later := a.Compose(s.size, at.Add(time.Hour), s.layers...); len(later.Changes(p)) > 0 {
					t.Fatalf("%s: changes by itself and does not say when", s.name)
				}
				break
			}
			if !p.Next.After(at) {
				t.Fatalf("%s: valid until %v at %v", s.name, p.Next, at)
			}
			if last := a.Compose(s.size, p.Next.Add(-1), s.layers...); len(last.Changes(p)) > 0 {
				t.Fatalf("%s at %v: has changed before %v, in %v", s.name, at, p.Next, last.Changes(p))
			}
			at = p.Next
		}
	}
}

// TestQR reads every code from its screen, as a phone would.
func TestQR(t *testing.T) {
	zbar, err := exec.LookPath("zbarimg")
	if err != nil {
		t.Skip("needs zbarimg, of the package zbar-tools: ", err)
	}
	a := New(imageFonts(t)...)
	const url = "http://192.168.178.143/"
	for _, test := range []struct {
		name  string
		layer Layer
		want  string
	}{
		{"welcome", English.Welcome("manofwar-7f3a", "rope-kelp-dawn-8249"), "WIFI:T:WPA;S:manofwar-7f3a;P:rope-kelp-dawn-8249;;"},
		{"quoted", German.Welcome(`Zoë;s "net"`, `a\b:c,d;e`), `WIFI:T:WPA;S:Zoë\;s \"net\";P:a\\b\:c\,d\;e;;`},
		{"longest", English.Welcome(strings.Repeat("W", 32), strings.Repeat("p", 63)), "WIFI:T:WPA;S:" + strings.Repeat("W", 32) + ";P:" + strings.Repeat("p", 63) + ";;"},
		{"connected", German.Connected("Home", url), url},
		{"claim", English.Claim("482913", url), url},
		{"rescue", German.Rescue(url, "detail"), url},
	} {
		for _, size := range []image.Point{{640, 480}, {1280, 720}, hd, {1080, 1920}} {
			t.Run(fmt.Sprintf("%s-%dx%d", test.name, size.X, size.Y), func(t *testing.T) {
				img := image.NewRGBA(image.Rectangle{Max: size})
				p := a.Compose(size, noon, test.layer)
				p.Paint(img)
				var b bytes.Buffer
				if err := (&png.Encoder{CompressionLevel: png.NoCompression}).Encode(&b, img); err != nil {
					t.Fatal(err)
				}
				cmd := exec.CommandContext(t.Context(), zbar, "--quiet", "--raw", "--nodbus", "-Sdisable", "-Sqrcode.enable", "-Sbinary", "png:-")
				cmd.Stdin = &b
				out, err := cmd.Output()
				if err != nil {
					t.Fatalf("zbarimg: %v", err)
				}
				if got := strings.TrimSuffix(string(out), "\n"); got != test.want {
					t.Errorf("the screen says %q, not %q", got, test.want)
				}
				for _, o := range p.ops {
					if q, ok := o.(qrOp); ok && float64(q.module) < 0.0055*float64(min(size.X, size.Y)) {
						t.Errorf("a module is %d pixels: too small to read from a sofa", q.module)
					}
				}
			})
		}
	}
}

// TestOverlay looks at what an overlay is worth where nothing is below it.
func TestOverlay(t *testing.T) {
	a := New(imageFonts(t)...)
	if img, _ := a.Overlay(hd, noon); img != nil {
		t.Errorf("nothing is %v large", img.Rect)
	}
	if img, _ := a.Overlay(hd, noon, Caption{Text: "<i></i>"}, Notice{}, Bitmap{}); img != nil {
		t.Errorf("empty layers are %v large", img.Rect)
	}
	red := image.NewRGBA(image.Rect(0, 0, 10, 5))
	for i := range red.Pix {
		red.Pix[i] = []uint8{0x80, 0, 0, 0x80}[i%4]
	}
	img, at := a.Overlay(hd, noon, Bitmap{Image: red, At: image.Rect(100, 400, 110, 405), Canvas: image.Pt(720, 480), Film: image.Rect(240, 0, 1680, 1080)})
	if at != (image.Point{440, 900}) || img.Rect.Size() != (image.Point{20, 11}) {
		t.Errorf("a bitmap lies at %v and is %v large", at, img.Rect)
	}
	if c := img.RGBAAt(10, 5); c != (color.RGBA{0x80, 0, 0, 0x80}) {
		t.Errorf("a bitmap became %v", c)
	}
	lifted, to := a.Overlay(hd, noon, Bitmap{Image: red, At: image.Rect(100, 470, 110, 475), Canvas: image.Pt(720, 480)}, OSD{Title: "t", Duration: time.Hour})
	if lifted == nil || to.Y > 700 {
		t.Errorf("a bitmap and an OSD begin at %v", to)
	}
	volume, _ := a.Overlay(hd, noon, Volume{Level: 30})
	if c := volume.RGBAAt(0, 0); c.A != 0 {
		t.Errorf("the corner of a card is %v", c)
	}
	for i := 0; i < len(volume.Pix); i += 4 {
		if p := volume.Pix[i : i+4]; p[0] > p[3] || p[1] > p[3] || p[2] > p[3] {
			t.Fatalf("pixel %d is %v: not premultiplied", i/4, p)
		}
	}
}
