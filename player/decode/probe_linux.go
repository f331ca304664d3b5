package decode

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"manofwar/internal/media"
	"manofwar/player"
)

const (
	probeTimeout = 20 * time.Second // a disk that spins up takes ten
	maxReport    = 4 << 20          // bytes of ffprobe's: a thousand chapters are 300 KB
)

// Probe reads what a source holds. Its errors are [media.Error], and wrap what is wrong: [media.ErrNotFound],
// [media.ErrCorrupt], [media.ErrUnsupported], [media.ErrDenied], [media.ErrAway].
func (d *Decoder) Probe(ctx context.Context, s player.Source) (player.Info, error) {
	wrap := func(err error) error { return &media.Error{Op: "play", Path: name(s), Err: err} }
	if s.Path != "" {
		if err := checkFile(s.Path); err != nil {
			return player.Info{}, wrap(err)
		}
	}
	in, err := input(s)
	if err != nil {
		return player.Info{}, err
	}
	report, err := d.report(ctx, in)
	if err != nil {
		return player.Info{}, wrap(err)
	}
	var r probed
	if err := json.Unmarshal(report, &r); err != nil {
		return player.Info{}, wrap(fmt.Errorf("ffprobe: %w", err))
	}
	info, err := r.info()
	if err != nil {
		return player.Info{}, wrap(err)
	}
	if s.Path != "" && info.Aspect > 0 {
		info.Streams = append(info.Streams, sidecars(s.Path)...)
	}
	return info, nil
}

// checkFile says what can be said without ffmpeg.
func checkFile(path string) error {
	st, err := os.Stat(path)
	switch {
	case err != nil:
		return fileError(err)
	case st.IsDir():
		_, err := partsOf(path)
		return err
	case !st.Mode().IsRegular():
		return fmt.Errorf("%w: it is not a file", media.ErrUnsupported)
	case st.Size() == 0:
		return fmt.Errorf("%w: it is empty", media.ErrCorrupt)
	case discImage(path):
		return fmt.Errorf("%w: it is the image of a disc: play the folder VIDEO_TS that is in it", media.ErrUnsupported)
	}
	return nil
}

// report runs ffprobe.
func (d *Decoder) report(ctx context.Context, in []string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	read, write, err := pipe()
	if err != nil {
		return nil, err
	}
	defer read.Close()
	args := append([]string{"-hide_banner", "-loglevel", "error", "-of", "json=compact=1", "-show_format", "-show_streams", "-show_chapters"}, in...)
	c, err := start(ctx, d.ffprobe(), args, write)
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		_ = read.SetReadDeadline(deadline.Add(time.Second)) // it has been killed by then; a pipe takes a deadline
	}
	report, err := io.ReadAll(io.LimitReader(read, maxReport))
	if len(report) == maxReport || err != nil {
		c.kill() // it would wait for somebody to read on
	}
	if err := c.wait(probeTimeout + leaving); err != nil {
		return nil, err
	}
	switch {
	case len(report) == maxReport:
		return nil, fmt.Errorf("%w: there is no end to what it says it holds", media.ErrCorrupt)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return nil, fmt.Errorf("%w: there was no answer for %v", errUnread, probeTimeout)
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, fmt.Errorf("read from ffprobe: %w", err)
	case c.err != nil:
		return nil, c.result()
	}
	return report, nil
}
