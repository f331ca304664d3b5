package portal

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"manofwar/internal/media"
	streamapi "manofwar/services/stream/api"
)

func TestPlansAreKeptWhileTheFileIsTheSame(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.flac")
	write := func(content string, at time.Time) {
		t.Helper()
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	asked := 0
	ask := func(context.Context) (streamapi.Plan, error) {
		asked++
		info, err := os.Stat(path)
		if err != nil {
			return streamapi.Plan{}, err
		}
		return streamapi.Plan{Modified: info.ModTime(), Parts: []streamapi.Part{{Path: path, Length: info.Size()}}}, nil
	}
	synctest.Test(t, func(t *testing.T) {
		var c planCache
		want := func(n int, why string) {
			t.Helper()
			if _, err := c.of(t.Context(), "i1", ask); err != nil || asked != n {
				t.Errorf("%s: asked %d times, want %d; %v", why, asked, n, err)
			}
		}
		old := time.Date(2026, 1, 1, 0, 0, 0, 1, time.UTC)
		write("one", old)
		want(1, "first")
		want(1, "again")
		write("two", old.Add(time.Second))
		want(2, "another time")
		write("three", old.Add(time.Second))
		want(3, "another size")
		time.Sleep(keepPlan)
		want(4, "too old")
		want(4, "again")
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if _, err := c.of(t.Context(), "i1", ask); err == nil {
			t.Error("the file is gone, its plan is not")
		}
		write("one", old)
		for i := range 3 * maxPlans {
			if _, err := c.of(t.Context(), media.ID(strconv.Itoa(i)), ask); err != nil {
				t.Fatal(i, err)
			}
		}
		if len(c.plans) > maxPlans {
			t.Errorf("%d plans are kept", len(c.plans))
		}
	})
}
