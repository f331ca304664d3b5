package native

import (
	"bytes"
	"image"
	"log/slog"
	"sync"
	"testing"
	"time"

	"manofwar/internal/media"
	"manofwar/player"
	"manofwar/player/api"
	"manofwar/player/screen"
)

// easel is where the pictures of a test go.
type easel struct {
	size   image.Point
	stills []player.Still
	laid   []*image.RGBA
}

func (e *easel) Size() image.Point        { return e.size }
func (e *easel) SetScreen(s player.Still) { e.stills = append(e.stills, s) }

func (e *easel) Overlay(draw func() (*image.RGBA, image.Point)) {
	img, _ := draw()
	e.laid = append(e.laid, img)
}

func newFrame(w, h int) *player.Frame {
	pitch := w*4 + 64
	return &player.Frame{
		Format: player.XRGB8888, Width: w, Height: h,
		Planes: [3]player.Plane{{Data: bytes.Repeat([]byte{0xa5}, pitch*h), Pitch: pitch}},
	}
}

func TestPainter(t *testing.T) {
	out := &easel{size: image.Pt(640, 360)}
	s := newStage(screen.New(), newGallery(nil, slog.New(slog.DiscardHandler)), out, slog.New(slog.DiscardHandler))
	p := painter{stage: s}
	k := known{player: api.Status{State: api.Paused, Item: song, Duration: 1e11}}
	for i := range 3 {
		k.player.Position = media.Duration(2e10 << i)
		p.paint(noon, out.size, k.scene(noon))
		p.paint(noon, out.size, k.scene(noon)) // the same again is nothing new
	}
	if len(out.stills) != 3 {
		t.Fatalf("%d stills were shown, want 3", len(out.stills))
	}
	whole, part := newFrame(640, 360), newFrame(640, 360)
	var before player.Still
	for i, st := range out.stills {
		st.Paint(whole, nil)
		st.Paint(part, before)
		before = st
		if !bytes.Equal(whole.Planes[0].Data, part.Planes[0].Data) {
			t.Errorf("still %d is another one when painted over the one before", i)
		}
	}
	smaller := newFrame(320, 180)
	before.Paint(smaller, before)
	if b := smaller.Planes[0].Data[:4*320]; bytes.Contains(b, []byte{0xa5, 0xa5, 0xa5, 0xa5}) {
		t.Error("a frame of another size was left as it was")
	}

	k.player = api.Status{State: api.Playing, Item: film, Volume: 3}
	k.volume = noon.Add(time.Second)
	p.paint(noon, out.size, k.scene(noon))
	p.paint(noon.Add(2*time.Second), out.size, k.scene(noon.Add(2*time.Second)))
	if len(out.laid) != 2 || out.laid[0] == nil || out.laid[1] != nil {
		t.Errorf("over the film: %d images; want the volume, then nothing", len(out.laid))
	}
}

// TestOverlayMemory holds one overlay painted into the memory of another to one painted into fresh memory.
func TestOverlayMemory(t *testing.T) {
	out := &easel{size: image.Pt(640, 360)}
	s := newStage(screen.New(), newGallery(nil, slog.New(slog.DiscardHandler)), out, slog.New(slog.DiscardHandler))
	p := painter{stage: s}
	layers := []screen.Layer{screen.Notice{Text: "A long line at the foot of the screen, over all of its width"}, screen.Volume{Level: 70}}
	for i, l := range [][]screen.Layer{layers, layers[:1], layers[1:], layers} {
		p.paint(noon, out.size, scene{film: true, over: l})
		want, _ := screen.New().Overlay(out.size, noon, l...)
		if got := out.laid[i]; got.Rect != want.Rect || !bytes.Equal(got.Pix, want.Pix) {
			t.Errorf("overlay %d is another one in used memory", i)
		}
	}
	if n := cap(out.laid[0].Pix); &out.laid[0].Pix[:n][0] != &out.laid[1].Pix[0] {
		t.Error("a smaller overlay took memory of its own")
	}
}

func TestPaintingAndComposingAtOnce(t *testing.T) {
	out := &easel{size: image.Pt(320, 180)}
	s := newStage(screen.New(), newGallery(nil, slog.New(slog.DiscardHandler)), out, slog.New(slog.DiscardHandler))
	p := painter{stage: s}
	k := known{player: api.Status{State: api.Paused, Item: song, Duration: 1e11}}
	var painting sync.WaitGroup
	for i := range 5 {
		k.player.Position = media.Duration(1e9 << i)
		p.paint(noon, out.size, k.scene(noon))
		latest := out.stills[len(out.stills)-1]
		painting.Go(func() { latest.Paint(newFrame(320, 180), nil) })
	}
	painting.Wait()
}
