package v4l2

import (
	"errors"
	"fmt"
	"image"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/internal/media"
	"manofwar/player"
	"manofwar/player/playertest"
)

// rig is a decoder on a simulated device.
type rig struct {
	*Decoder
	kernel *simulated
	screen *screen
}

func newRig(t testing.TB, o options, formats ...player.Format) *rig {
	r := &rig{kernel: newKernel(t, o), screen: newScreen(t, formats...)}
	r.Decoder = New(Options{Display: r.screen, Dirs: []string{deviceDir(t, 1)}, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	r.Decoder.open = func(string) (kernel, error) { return r.kernel.openDevice(), nil }
	return r
}

// want reads pictures with these values, gives them back, and expects err after them; nil: nothing is read after them.
func want(t *testing.T, p *projection, first, last int, end error) {
	t.Helper()
	for i := first; i <= last; i++ {
		f, at, err := p.Lend()
		if err != nil {
			t.Fatalf("picture %d: %v", i, err)
		}
		v, err := value(f)
		if due := time.Duration(i-1) * 40 * time.Millisecond; err != nil || v != byte(i) || at != due {
			t.Fatalf("picture %d has value %d, is due at %v, %v", i, v, at, err)
		}
		p.Return(f)
	}
	if end == nil {
		return
	}
	if _, at, err := p.Lend(); !errors.Is(err, end) {
		t.Fatalf("after picture %d: %v at %v, want %v", last, err, at, end)
	}
}

func shut(t *testing.T, p *projection) {
	t.Helper()
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// TestEveryKindOfDevice decodes with devices that differ in all that they may.
func TestEveryKindOfDevice(t *testing.T) {
	for _, o := range []options{
		{},
		{multi: true},
		{makes: []string{"YU12"}, align: 16, delay: 2},
		{multi: true, makes: []string{"NM12"}, align: 32, delay: 2, need: 4, least: 4},
		{multi: true, makes: []string{"YM12"}, align: 16, delay: 1, noSizes: true},
		{makes: []string{"XR24"}, align: 16},
		{makes: []string{"ZZZZ", "NV12"}, delay: 3, need: 20, least: 20},
		{profiles: []int{2, 4}},
	} {
		t.Run(fmt.Sprintf("%+v", o), func(t *testing.T) {
			r := newRig(t, o)
			p := tape(60, 100, 52, o.delay > 0).project(t, r.Decoder, 0)
			want(t, p, 1, 60, io.EOF)
			want(t, p, 1, 0, io.EOF)
			shut(t, p)
			if _, _, err := p.Lend(); err == nil {
				t.Error("it lends when it is closed")
			}
		})
	}
}

// TestStream holds it to the suite of all decoders.
func TestStream(t *testing.T) {
	var due []time.Duration
	for i := range 40 {
		due = append(due, time.Duration(i)*40*time.Millisecond)
	}
	for _, o := range []options{{delay: 1}, {multi: true, align: 16, need: 3, least: 3, restless: true}} {
		r := newRig(t, o)
		f := tape(40, 64, 48, o.delay > 0)
		playertest.Stream(t, playertest.Film{Due: due, Lent: true, Open: func(t *testing.T, from time.Duration) player.Stream {
			return f.project(t, r.Decoder, from)
		}})
	}
}

// TestAnotherSizeInMidStream decodes a film whose pictures become larger, and smaller, while some are on loan.
func TestAnotherSizeInMidStream(t *testing.T) {
	for _, o := range []options{{}, {multi: true, align: 16, delay: 2}} {
		r := newRig(t, o)
		f := tape(60, 64, 48, false)
		for i, size := range []image.Point{{64, 48}, {128, 96}, {32, 32}} {
			for j := range 20 {
				f.packets[20*i+j].data = press(size.X, size.Y, byte(20*i+j+1))
			}
		}
		p := f.project(t, r.Decoder, 0)
		var held []*player.Frame
		for i := range 60 {
			fr, _, err := p.Lend()
			if err != nil {
				t.Fatal(err)
			}
			if v, err := value(fr); err != nil || v != byte(i+1) || fr.Width != []int{64, 128, 32}[i/20] {
				t.Fatalf("picture %d has value %d and is %d wide, %v", i+1, v, fr.Width, err)
			}
			if held = append(held, fr); len(held) == 5 {
				if v, err := value(held[0]); err != nil || v != byte(i-3) {
					t.Fatalf("picture %d was on loan, and has value %d now, %v", i-3, v, err)
				}
				p.Return(held[0])
				held = held[1:]
			}
		}
		want(t, p, 1, 0, io.EOF)
		shut(t, p)
		for _, fr := range held {
			p.Return(fr)
		}
	}
}

// TestASeekKeepsTheDevice seeks while a picture is on the screen: neither device nor buffers are others. When the picture is
// gone, so is the device.
func TestASeekKeepsTheDevice(t *testing.T) {
	for _, o := range []options{{}, {restless: true}, {multi: true, delay: 2}} {
		r := newRig(t, o)
		f := tape(100, 64, 48, o.delay > 0)
		p := f.project(t, r.Decoder, 0)
		want(t, p, 1, 10, nil)
		seen, _, err := p.Lend()
		if err != nil {
			t.Fatal(err)
		}
		for i := range 20 {
			from := (i*37%90 + 1) | 1
			next := f.project(t, r.Decoder, time.Duration(from-1)*40*time.Millisecond)
			go shut(t, p) // while the next one waits already
			want(t, next, from, from+3, nil)
			f, _, err := next.Lend()
			if err != nil {
				t.Fatal(err)
			}
			p.Return(seen)
			p, seen = next, f
		}
		if r.kernel.made != 2*0+21+1 { // one to look at for each film, and one to decode
			t.Errorf("%d devices were opened", r.kernel.made)
		}
		shut(t, p)
		if len(r.screen.memory) == 0 || r.kernel.open != 1 {
			t.Errorf("the device was closed, and a picture of it is seen")
		}
		p.Return(seen)
		if len(r.screen.memory) != 0 || r.kernel.open != 0 {
			t.Errorf("%d frames and %d devices were left", len(r.screen.memory), r.kernel.open)
		}
	}
}

// TestOneFilmAtATime opens the next film while one plays: it gets the hardware when that one's last picture was taken.
func TestOneFilmAtATime(t *testing.T) {
	r := newRig(t, options{})
	first := tape(30, 64, 48, false).project(t, r.Decoder, 0)
	want(t, first, 1, 5, nil)
	second := tape(30, 128, 64, false).project(t, r.Decoder, 0)
	closed := tape(30, 128, 64, false).project(t, r.Decoder, 0)
	got := make(chan error)
	go func() {
		f, _, err := second.Lend()
		if err == nil {
			second.Return(f)
		}
		got <- err
	}()
	want(t, first, 6, 29, nil)
	last, _, err := first.Lend()
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-got:
		t.Error("two films have the hardware")
	default:
	}
	want(t, first, 1, 0, io.EOF)
	if err := <-got; err != nil {
		t.Errorf("the second: %v", err)
	}
	shut(t, closed)
	if _, _, err := closed.Lend(); err == nil {
		t.Error("it lends when it is closed")
	}
	first.Return(last)
	want(t, second, 2, 30, io.EOF)
	shut(t, first)
	shut(t, second)
}

// TestWhatFailsIsTold has the device fail at its place: what came before is shown, and then somebody else has to decode.
func TestWhatFailsIsTold(t *testing.T) {
	for _, c := range []struct {
		name  string
		o     options
		good  int
		spoil func(film)
	}{
		{"a damaged picture", options{damaged: 20}, 19, nil},
		{"a damaged picture of those held back", options{damaged: 20, delay: 2}, 19, nil},
		{"it does nothing", options{deaf: true}, 0, nil},
		{"it makes nothing of it", options{swallows: true}, 0, nil},
		{"it stands still", options{frozen: 20}, 20, nil},
		{"it stands still and holds all", options{frozen: 20, delay: 1}, 20, nil},
		{"no memory", options{spare: 7}, 0, nil},
		{"a packet that has no room", options{}, 10, func(f film) { f.packets[10].data = make([]byte, 1<<20) }},
		{"a format that the screen does not take", options{makes: []string{"NV12"}}, 0, func(f film) {}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, c.o)
				f := tape(60, 64, 48, false)
				if c.spoil != nil {
					c.spoil(f)
				}
				if strings.HasPrefix(c.name, "a format") {
					r.screen.refuse = player.ErrFormat
				}
				p := f.project(t, r.Decoder, 0)
				want(t, p, 1, c.good, player.ErrHardware)
				shut(t, p)
			})
		})
	}
}

// TestNothingComesOfIt has a device take more than it may hold back and make nothing of it, while its feeder waits for something
// else: nobody waits for the end of the film.
func TestNothingComesOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, options{swallows: true})
		f := tape(60, 64, 48, false)
		p, err := r.Open(f.request(0))
		if err != nil {
			t.Fatal(err)
		}
		fed := make(chan struct{})
		go func() {
			defer close(fed)
			for _, s := range f.packets[:mostBarren+1] {
				if err := p.Feed(s.data, s.at); err != nil {
					t.Error(err)
				}
			}
		}()
		if _, _, err := p.Lend(); !errors.Is(err, player.ErrHardware) {
			t.Errorf("got %v", err)
		}
		<-fed
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestWhatIsDamagedBeforeThePlaceIsNobodysBusiness seeks past a picture that cannot be decoded, as those are that refer
// to what was before the seek.
func TestWhatIsDamagedBeforeThePlaceIsNobodysBusiness(t *testing.T) {
	r := newRig(t, options{damaged: 10})
	p := tape(30, 64, 48, false).project(t, r.Decoder, 400*time.Millisecond)
	want(t, p, 11, 30, io.EOF)
	shut(t, p)
}

// TestEveryCallMayFail has each call of the kernel fail, from the beginning and in the middle.
func TestEveryCallMayFail(t *testing.T) {
	for name, request := range map[string]uintptr{
		"QUERYCAP": queryCapability.request(), "G_FMT": getFormat.request(), "S_FMT": setFormat.request(), "REQBUFS": requestBuffers.request(),
		"QUERYBUF": queryBuffer.request(), "QBUF": queueBuffer.request(), "EXPBUF": exportBuffer.request(), "DQBUF": dequeueBuffer.request(),
		"STREAMON": streamOn.request(), "STREAMOFF": streamOff.request(), "DQEVENT": dequeueEvent.request(),
		"SUBSCRIBE_EVENT": subscribeEvent.request(), "DECODER_CMD": decoderCommand.request(), "ENUM_FMT": enumFormat.request(),
	} {
		for _, after := range []int{0, 10} {
			t.Run(fmt.Sprint(name, " after ", after), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := newRig(t, options{})
					f := tape(40, 64, 48, false)
					if after == 0 {
						r.kernel.failing(request, unix.ENODEV)
					}
					if _, err := r.Open(f.request(0)); errors.Is(err, errors.ErrUnsupported) {
						return
					}
					p := f.project(t, r.Decoder, 0)
					want(t, p, 1, after, nil)
					r.kernel.failing(request, unix.ENODEV)
					var err error
					n := 0
					for err == nil {
						var fr *player.Frame
						if fr, _, err = p.Lend(); err == nil {
							n++
							p.Return(fr)
						}
					}
					if !errors.Is(err, player.ErrHardware) && !errors.Is(err, io.EOF) || errors.Is(err, io.EOF) && n+after != 40 {
						t.Errorf("after %d more pictures: %v", n, err)
					}
					shut(t, p)
				})
			})
		}
	}
}

func TestClosedInTheMiddle(t *testing.T) {
	r := newRig(t, options{delay: 1})
	f := tape(40, 64, 48, true)
	for i := range 1000 {
		p := f.project(t, r.Decoder, 0)
		var held []*player.Frame
		for range i % 13 {
			if i%13 > lends {
				break
			}
			fr, _, err := p.Lend()
			if err != nil {
				t.Fatal(err)
			}
			held = append(held, fr)
		}
		shut(t, p)
		for _, fr := range held {
			p.Return(fr)
		}
	}
	if len(r.screen.memory) != 0 || r.kernel.open != 0 {
		t.Errorf("%d frames and %d devices were left", len(r.screen.memory), r.kernel.open)
	}
}

// TestChoice asks for films that hardware can and cannot decode.
func TestChoice(t *testing.T) {
	usual := func(change func(*player.Request)) player.Request {
		r := tape(1, 1280, 720, false).request(0)
		change(&r)
		return r
	}
	for _, c := range []struct {
		name    string
		o       options
		formats []player.Format
		request player.Request
		reason  string // none: it is decoded
	}{
		{"as it should be", options{}, nil, usual(func(*player.Request) {}), ""},
		{"HEVC", options{coded: "HEVC"}, nil, usual(func(r *player.Request) { r.Info.Streams[0].Codec, r.Info.Coding.Profile = "hevc", "Main" }), ""},
		{"software was asked for", options{}, nil, usual(func(r *player.Request) { r.Software = true }), "in software"},
		{"another codec", options{coded: "HEVC"}, nil, usual(func(*player.Request) {}), "no such hardware"},
		{"a codec of nobody's", options{}, nil, usual(func(r *player.Request) { r.Info.Streams[0].Codec = "prores" }), "no kernel's interface"},
		{"ten bits", options{}, nil, usual(func(r *player.Request) { r.Info.Coding.Plain = false }), "colours"},
		{"HDR", options{}, nil, usual(func(r *player.Request) { r.Info.HDR = true }), "colours"},
		{"interlaced", options{}, nil, usual(func(r *player.Request) { r.Info.Interlace = true }), "turned"},
		{"turned", options{}, nil, usual(func(r *player.Request) { r.Info.Coding.Turned = true }), "turned"},
		{"too large", options{}, nil, usual(func(r *player.Request) { r.Info.Streams[0].Width = 3840 }), "does not take 3840"},
		{"a profile", options{profiles: []int{0, 1, 2}}, nil, usual(func(*player.Request) {}), `"High"`},
		{"a profile of nobody's", options{}, nil, usual(func(r *player.Request) { r.Info.Coding.Profile = "High 4:2:2" }), `"High 4:2:2"`},
		{"an RGB screen", options{}, []player.Format{player.XRGB8888}, usual(func(*player.Request) {}), "no pictures that the screen takes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := newRig(t, c.o, c.formats...).Open(c.request)
			if c.reason == "" && err != nil || c.reason != "" && (!errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), c.reason)) {
				t.Errorf("got %v, want %q", err, c.reason)
			}
			if p != nil {
				_ = p.Close() // it was never begun
			}
		})
	}
}

// TestTheReasonIsSaidOnce opens the same film several times.
func TestTheReasonIsSaidOnce(t *testing.T) {
	var log strings.Builder
	d := New(Options{Display: newScreen(t), Dirs: []string{t.TempDir()}, Log: slog.New(slog.NewTextHandler(&log, nil))})
	for range 3 {
		for _, codec := range []string{"h264", "prores"} {
			r := tape(1, 64, 64, false).request(0)
			r.Info.Streams = []media.Stream{{Kind: media.Video, Codec: codec, Width: 64, Height: 64}}
			if _, err := d.Open(r); !errors.Is(err, errors.ErrUnsupported) {
				t.Fatal(err)
			}
		}
	}
	if n := strings.Count(log.String(), "\n"); n != 2 {
		t.Errorf("said %d times:\n%s", n, &log)
	}
}
