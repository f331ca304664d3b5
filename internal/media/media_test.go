package media_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"manofwar/internal/media"
)

func TestDurationIsSecondsInJSON(t *testing.T) {
	for want, d := range map[string]time.Duration{"0": 0, "1.5": 1500 * time.Millisecond, "7200.042": 2*time.Hour + 42*time.Millisecond + 300*time.Microsecond} {
		got, err := json.Marshal(media.Duration(d))
		if err != nil || string(got) != want {
			t.Errorf("%v: got %s, %v; want %s", d, got, err, want)
		}
		var back media.Duration
		if err := json.Unmarshal(got, &back); err != nil || time.Duration(back) != d.Round(time.Millisecond) {
			t.Errorf("%v comes back as %v, %v", d, time.Duration(back), err)
		}
	}
	var d media.Duration
	if err := json.Unmarshal([]byte(`"1s"`), &d); err == nil {
		t.Error("a string was taken for seconds")
	}
}

func TestErrorNamesTheFileAndUnwraps(t *testing.T) {
	err := error(&media.Error{Op: "read tags", Path: "a.mp3", Err: media.ErrCorrupt, Hint: "copy it again"})
	if err.Error() != "read tags a.mp3: the file is damaged" || !errors.Is(err, media.ErrCorrupt) {
		t.Errorf("got %q", err)
	}
	if got := (&media.Error{Op: "scan", Err: media.ErrBusy}).Error(); got != "scan: busy" {
		t.Errorf("got %q", got)
	}
}
