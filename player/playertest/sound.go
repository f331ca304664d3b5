package playertest

import (
	"context"
	"errors"
	"testing"
	"time"

	"manofwar/player"
)

// Sound runs the cases for sound cards. new opens the one under test, which has a card; each case closes its own. What is
// played is silence.
func Sound(t *testing.T, new func(t *testing.T) player.Sound) { SoundIn(t, Real, new) }

// SoundIn is Sound in the time of a clock.
func SoundIn(t *testing.T, clock Clock, new func(t *testing.T) player.Sound) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, player.Sound)
	}{
		{"the cards are told apart", listsCards},
		{"a format is taken or replaced", configures},
		{"an unknown card is gone", refusesCards},
		{"nothing is heard before the start", waitsForStart},
		{"it knows the time at once", knowsTime},
		{"it keeps time", keepsTime},
		{"a full buffer holds up the writer", blocksWriter},
		{"it runs dry and goes on", survivesUnderrun},
		{"drop forgets", drops},
		{"drain waits", drains},
		{"another rate starts anew", reconfigures},
		{"the plug is pulled", survivesLoss},
	} {
		t.Run(c.name, func(t *testing.T) {
			clock(t, func(t *testing.T) {
				s := new(t)
				defer func() {
					if err := s.Close(); err != nil {
						t.Errorf("close: %v", err)
					}
				}()
				c.run(t, s)
			})
		})
	}
}

// hifi is what every card can take, or nearly.
var hifi = player.SoundFormat{Rate: 48000, Channels: 2, Sample: player.S16}

// ready configures the best card.
func ready(t *testing.T, s player.Sound, want player.SoundFormat) player.SoundFormat {
	t.Helper()
	_, got, err := s.Configure("", want)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// write writes n frames of silence.
func write(t *testing.T, s player.Sound, f player.SoundFormat, n int) {
	t.Helper()
	if got, err := s.Write(make([]byte, n*f.FrameSize())); err != nil || got != n*f.FrameSize() {
		t.Fatalf("wrote %d of %d frames: %v", got/f.FrameSize(), n, err)
	}
}

// status returns how far the card is.
func status(t *testing.T, s player.Sound) player.SoundStatus {
	t.Helper()
	st, err := s.Status()
	if err != nil {
		t.Fatalf("status: %v", err)
	}
	if st.Heard < 0 || st.Heard > st.Written {
		t.Errorf("heard %d of %d", st.Heard, st.Written)
	}
	return st
}

// begin fills the buffer and starts.
func begin(t *testing.T, s player.Sound, f player.SoundFormat) {
	t.Helper()
	write(t, s, f, s.Buffer())
	if err := s.Start(); err != nil {
		t.Fatalf("start: %v", err)
	}
}

// lasts returns how long n frames do.
func lasts(f player.SoundFormat, n int) time.Duration {
	return time.Duration(n) * time.Second / time.Duration(f.Rate)
}

func listsCards(t *testing.T, s player.Sound) {
	seen := make(map[string]bool)
	for _, c := range s.Cards() {
		if c.ID == "" || c.Name == "" || seen[c.ID] {
			t.Errorf("card %+v", c)
		}
		seen[c.ID] = true
		if got, _, err := s.Configure(c.ID, hifi); err != nil || got != c {
			t.Errorf("configure %q: %+v, %v", c.ID, got, err)
		}
	}
	if len(seen) == 0 {
		t.Error("there is no card")
	}
}

func configures(t *testing.T, s player.Sound) {
	for _, want := range []player.SoundFormat{
		hifi,
		{Rate: 44100, Channels: 2, Sample: player.S16},
		{Rate: 96000, Channels: 2, Sample: player.S24},
		{Rate: 192000, Channels: 2, Sample: player.S32},
		{Rate: 48000, Channels: 6, Sample: player.S16},
		{Rate: 48000, Channels: 1, Sample: player.S32},
	} {
		got := ready(t, s, want)
		if got.Rate < 8000 || got.Channels < 1 || got.Sample != player.S16 && got.Sample != player.S24 && got.Sample != player.S32 {
			t.Errorf("%v became %v", want, got)
		}
		if d := lasts(got, s.Buffer()); d < 20*time.Millisecond || d > 2*time.Second {
			t.Errorf("%v has a buffer of %v", got, d)
		}
		if again := ready(t, s, got); again != got {
			t.Errorf("%v, which the card took, became %v", got, again)
		}
	}
}

func refusesCards(t *testing.T, s player.Sound) {
	if _, _, err := s.Configure("no such card", hifi); !errors.Is(err, player.ErrGone) {
		t.Errorf("got %v", err)
	}
}

func waitsForStart(t *testing.T, s player.Sound) {
	f := ready(t, s, hifi)
	write(t, s, f, s.Buffer())
	pause(100 * time.Millisecond)
	if st := status(t, s); st.Heard != 0 || st.Written != int64(s.Buffer()) {
		t.Errorf("got %+v", st)
	}
}

// knowsTime asks before the card can have said anything: what is not known yet must not be of long ago.
func knowsTime(t *testing.T, s player.Sound) {
	begin(t, s, ready(t, s, hifi))
	st := status(t, s)
	if d := time.Since(st.At); d < -time.Second/50 || d > late {
		t.Errorf("the first status is %v old", d)
	}
}

func keepsTime(t *testing.T, s player.Sound) {
	f := ready(t, s, hifi)
	begin(t, s, f)
	feed := func(d time.Duration) {
		write(t, s, f, int(d*time.Duration(f.Rate)/time.Second))
	}
	feed(200 * time.Millisecond)
	a := status(t, s)
	feed(time.Second)
	b := status(t, s)
	if d := time.Since(b.At); d < -time.Second/50 || d > late {
		t.Errorf("the status is %v old", d)
	}
	passed, heard := b.At.Sub(a.At), lasts(f, int(b.Heard-a.Heard))
	if off := heard - passed; !emulated(s) && (off < -passed/50-time.Second/50 || off > passed/50+time.Second/50) { // 2% and a period
		t.Errorf("in %v, %v were heard", passed, heard)
	}
	if b.Written-a.Written != int64(f.Rate) {
		t.Errorf("%d frames were counted of %d", b.Written-a.Written, f.Rate)
	}
}

func blocksWriter(t *testing.T, s player.Sound) {
	f := ready(t, s, hifi)
	begin(t, s, f)
	began := time.Now()
	write(t, s, f, f.Rate/2)
	if took := time.Since(began); took < 400*time.Millisecond || took > 500*time.Millisecond+late && !emulated(s) {
		t.Errorf("writing 500 ms more than fit took %v", took)
	}
	if st := status(t, s); st.Written-st.Heard > int64(s.Buffer()+f.Rate/10) { // some cards have a little behind the buffer
		t.Errorf("%d frames are queued, %d fit", st.Written-st.Heard, s.Buffer())
	}
}

func survivesUnderrun(t *testing.T, s player.Sound) {
	f := ready(t, s, hifi)
	for range 2 {
		begin(t, s, f)
		await(t, "the card tells that it ran dry", lasts(f, s.Buffer())+5*time.Second, func() bool {
			_, err := s.Status()
			if err != nil && !errors.Is(err, player.ErrUnderrun) {
				t.Fatalf("status: %v", err)
			}
			return err != nil
		})
		write(t, s, f, f.Rate/100)
		if st := status(t, s); st.Heard != 0 || st.Written != int64(f.Rate/100) {
			t.Errorf("it does not count from zero: %+v", st)
		}
		if err := s.Drop(); err != nil {
			t.Error(err)
		}
	}
}

func drops(t *testing.T, s player.Sound) {
	f := ready(t, s, hifi)
	begin(t, s, f)
	pause(30 * time.Millisecond)
	began := time.Now()
	if err := s.Drop(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > late {
		t.Errorf("drop took %v", took)
	}
	if st := status(t, s); st.Heard != 0 || st.Written != 0 {
		t.Errorf("after drop: %+v", st)
	}
	if err := s.Drop(); err != nil {
		t.Errorf("drop of nothing: %v", err)
	}
	begin(t, s, f)
	await(t, "it goes on", late, func() bool { return status(t, s).Heard > 0 })
}

func drains(t *testing.T, s player.Sound) {
	f := ready(t, s, hifi)
	begin(t, s, f)
	began := time.Now()
	if err := s.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := lasts(f, s.Buffer())
	if took := time.Since(began); took < want*8/10-10*time.Millisecond || took > want+late && !emulated(s) {
		t.Errorf("drain took %v, %v were queued", took, want)
	}
	if err := s.Drop(); err != nil {
		t.Error(err)
	}
	begin(t, s, f)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Drain(ctx); err == nil && want > 50*time.Millisecond {
		t.Error("drain did not mind its context")
	}
}

func reconfigures(t *testing.T, s player.Sound) {
	f := ready(t, s, hifi)
	begin(t, s, f)
	f = ready(t, s, player.SoundFormat{Rate: 44100, Channels: 2, Sample: player.S16})
	if st := status(t, s); st.Heard != 0 || st.Written != 0 {
		t.Errorf("after configure: %+v", st)
	}
	begin(t, s, f)
	await(t, "it plays", late, func() bool { return status(t, s).Heard > 0 })
}

func survivesLoss(t *testing.T, s player.Sound) {
	f := ready(t, s, hifi)
	begin(t, s, f)
	plug := pull(t, s)
	told(t, s.Changed())
	await(t, "the card is gone", 5*time.Second, func() bool {
		_, err := s.Status()
		return errors.Is(err, player.ErrGone)
	})
	if _, err := s.Write(make([]byte, f.FrameSize())); !errors.Is(err, player.ErrGone) {
		t.Errorf("write without a card: %v", err)
	}
	if _, _, err := s.Configure("", hifi); !errors.Is(err, player.ErrGone) || len(s.Cards()) != 0 {
		t.Errorf("configure without a card: %v; cards: %v", err, s.Cards())
	}
	plug.Plug()
	told(t, s.Changed())
	await(t, "the card is back", 5*time.Second, func() bool { return len(s.Cards()) > 0 })
	begin(t, s, ready(t, s, hifi))
	await(t, "it plays", late, func() bool { return status(t, s).Heard > 0 })
}
