package ipc_test

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"manofwar/internal/ipc"
)

// TestHear has a service that is gone for a while, then says something and holds, breaks off once more, and is there until the end.
func TestHear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		begun := time.Now()
		var asked []time.Duration
		events := func(ctx context.Context) iter.Seq2[ipc.Event, error] {
			asked = append(asked, time.Since(begun))
			return func(yield func(ipc.Event, error) bool) {
				switch len(asked) {
				case 8:
					if !yield(ipc.Event{Kind: "first"}, nil) {
						t.Error("no more is wanted")
					}
					time.Sleep(time.Minute) // of the bubble
				case 9:
					yield(ipc.Event{Kind: "second"}, nil)
					<-ctx.Done()
					return
				}
				if yield(ipc.Event{}, errors.New("nobody is there")) {
					t.Error("more is wanted of what has broken off")
				}
			}
		}
		var heard []string
		time.AfterFunc(time.Hour, cancel)
		ipc.Hear(ctx, slog.New(slog.DiscardHandler), events, func(ev ipc.Event) { heard = append(heard, ev.Kind) })
		if time.Since(begun) != time.Hour || !slices.Equal(heard, []string{"first", "second"}) {
			t.Errorf("it heard %q and returned after %v", heard, time.Since(begun))
		}
		want := []time.Duration{0, 250, 750, 1750, 3750, 7750, 12750, 17750, 17750 + 60000 + 250}
		for i := range want {
			want[i] *= time.Millisecond
		}
		if !slices.Equal(asked, want) {
			t.Errorf("it asked at %v, want %v", asked, want)
		}
	})
}
