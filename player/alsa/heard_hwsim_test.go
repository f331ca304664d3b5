//go:build hwsim

package alsa

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"manofwar/internal/lab/guest"
	"manofwar/player"
)

// TestHeard compares what the lab hears with what was played: two items without a gap, written as it comes.
func TestHeard(t *testing.T) {
	for _, o := range cards(t) {
		if o.kind == kindVirtual {
			continue
		}
		t.Run(o.ID, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			s := open(t)
			_, f, err := s.Configure(o.ID, player.SoundFormat{Rate: 48000, Channels: 2, Sample: player.S16})
			if err != nil {
				t.Fatal(err)
			}
			if f != (player.SoundFormat{Rate: 48000, Channels: 2, Sample: player.S16}) {
				t.Fatalf("the card takes %+v", f)
			}
			ask(t, ctx, "mark %s", o.ID)
			first, second := tone(997, 48000), tone(1499, 30011) // the first ends between two periods
			played := append(first, second...)
			file := filepath.Join(t.TempDir(), "played")
			if err := os.WriteFile(file, played, 0o644); err != nil {
				t.Fatal(err)
			}
			// What comes after pushes the rest out of the lab's recorder.
			play(t, ctx, s, f, append(played, make([]byte, 4*24000)...))
			ask(t, ctx, "heard %s %s", o.ID, file)
		})
	}
}

// play writes in pieces of all sizes, starts when the buffer is full, and waits for the end.
func play(t *testing.T, ctx context.Context, s *Sound, f player.SoundFormat, p []byte) {
	t.Helper()
	size, started := f.FrameSize(), false
	for piece, room := 1, s.Buffer(); len(p) > 0; piece = piece*3%4801 + 1 {
		n := min(piece, len(p)/size, room)
		if wrote, err := s.Write(p[:n*size]); err != nil || wrote != n*size {
			t.Fatalf("wrote %d of %d bytes: %v", wrote, n*size, err)
		}
		p = p[n*size:]
		if room -= n; room == 0 && !started {
			if err := s.Start(); err != nil {
				t.Fatal(err)
			}
			started = true
		}
		if started {
			room = s.Buffer()
		}
	}
	if err := s.Drain(ctx); err != nil {
		t.Fatal(err)
	}
}

// tone returns n frames of 16-bit stereo, the same in both channels but for their loudness. It begins loud.
func tone(hz float64, n int) (p []byte) {
	for i := range n {
		v := math.Cos(2 * math.Pi * hz * float64(i) / 48000)
		p = binary.LittleEndian.AppendUint16(p, uint16(int16(16000*v)))
		p = binary.LittleEndian.AppendUint16(p, uint16(int16(8000*v)))
	}
	return p
}

func open(t *testing.T) *Sound {
	t.Helper()
	s, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func ask(t *testing.T, ctx context.Context, format string, args ...any) {
	t.Helper()
	if err := guest.Ask(ctx, format, args...); err != nil {
		t.Fatal(err)
	}
}

// TestUSBComesAndGoes plugs the DAC out and in while it plays, and lets the other card take over.
func TestUSBComesAndGoes(t *testing.T) {
	all := cards(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s := open(t)
	f := player.SoundFormat{Rate: 48000, Channels: 2, Sample: player.S16}
	first, f, err := s.Configure("", f)
	if err != nil || first.ID != all[0].ID || all[0].kind != kindUSB {
		t.Fatalf("took %+v, %v; the first of %+v should be the DAC", first, err, all)
	}
	ended := make(chan error)
	go func() {
		for {
			if _, err := s.Write(make([]byte, 480*f.FrameSize())); err != nil && !errors.Is(err, player.ErrUnderrun) {
				ended <- err
				return
			}
		}
	}()
	ask(t, ctx, "dac out")
	select {
	case err := <-ended:
		if !errors.Is(err, player.ErrGone) {
			t.Errorf("the writer was told %v", err)
		}
	case <-ctx.Done():
		t.Fatal("the writer was told nothing")
	}
	awaitCards(t, ctx, s, len(all)-1)
	if second, _, err := s.Configure("", f); err != nil || second.ID != all[1].ID {
		t.Errorf("then took %+v, %v", second, err)
	}
	ask(t, ctx, "dac in")
	awaitCards(t, ctx, s, len(all))
	if third, _, err := s.Configure("", f); err != nil || third != first {
		t.Errorf("at last took %+v, %v", third, err)
	}
}

// awaitCards waits until there are n.
func awaitCards(t *testing.T, ctx context.Context, s *Sound, n int) {
	t.Helper()
	for len(s.Cards()) != n {
		select {
		case <-s.Changed():
		case <-ctx.Done():
			t.Fatalf("there are %v instead of %d", s.Cards(), n)
		}
	}
}

// TestEndsAWait ends a Write that waits for room, by Drop, Configure and Close.
func TestEndsAWait(t *testing.T) {
	f := player.SoundFormat{Rate: 48000, Channels: 2, Sample: player.S16}
	id := cards(t)[0].ID
	for name, end := range map[string]func(s *Sound) error{
		"drop":      (*Sound).Drop,
		"close":     (*Sound).Close,
		"configure": func(s *Sound) error { _, _, err := s.Configure(id, f); return err },
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			if _, _, err := s.Configure(id, f); err != nil {
				t.Fatal(err)
			}
			buffer := s.Buffer()
			ended := make(chan error)
			go func() {
				n, err := s.Write(make([]byte, 2*buffer*f.FrameSize())) // never started
				if n >= 2*buffer*f.FrameSize() {
					t.Error("all was queued")
				}
				ended <- err
			}()
			for full := false; !full; { // until the writer has filled the buffer
				st, err := s.Status()
				if err != nil {
					t.Fatal(err)
				}
				full = st.Written == int64(buffer)
			}
			if err := end(s); err != nil {
				t.Error(err)
			}
			select {
			case err := <-ended:
				if err != nil {
					t.Errorf("the writer was told %v", err)
				}
			case <-time.After(10 * time.Second):
				t.Fatal("the writer waits")
			}
		})
	}
}
