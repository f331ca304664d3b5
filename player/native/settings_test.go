package native

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"manofwar/internal/media"
)

// TestVolumeLeavesSettings has the owner choose in the moment in which the volume is written.
func TestVolumeLeavesSettings(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := &Service{store: newStore(dir), log: slog.New(slog.DiscardHandler), kept: kept{Settings: defaults}}
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { s.keepVolume(ctx) })
		tick := time.NewTicker(volumeEvery)
		for i := range 40 {
			s.mu.Lock()
			s.kept.Volume = i + 1
			s.mu.Unlock()
			<-tick.C
			chosen := defaults
			chosen.Crossfade = media.Duration(time.Duration(i) * time.Second)
			if err := s.keep(chosen); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if k, err := s.store.load(); err != nil || k.Settings.Crossfade != chosen.Crossfade {
				t.Fatalf("%d: crossfade %v was kept, want %v (%v)", i, k.Settings.Crossfade, chosen.Crossfade, err)
			}
		}
		tick.Stop()
		s.mu.Lock()
		s.kept.Volume = 99
		s.mu.Unlock()
		cancel()
		running.Wait()
		if k, err := s.store.load(); err != nil || k.Volume != 99 {
			t.Errorf("volume %d at the end (%v)", k.Volume, err)
		}
	})
}
