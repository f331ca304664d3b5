package player

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"
)

func (t *track) readSound(ctx context.Context) {
	defer t.read()
	defer t.wake()
	defer t.sound.end()
	for {
		buf := t.sound.buffer()
		n, pts, err := t.stream.Sound(buf)
		if n > 0 {
			room := t.sound.put(buf, n, pts)
			t.wake()
			for !room && err == nil {
				select {
				case <-t.sound.space:
					room = true
				case <-ctx.Done():
					return
				}
			}
		}
		if err != nil {
			t.fail(ctx, err)
			return
		}
	}
}

func (t *track) readPictures(ctx context.Context) {
	defer t.read()
	defer t.wake()
	defer close(t.drawn)
	defer func() {
		t.mu.Lock()
		t.looked = true
		t.mu.Unlock()
	}()
	if t.after != nil {
		select {
		case <-t.after:
		case <-ctx.Done():
			return
		}
	}
	for {
		f, pts, err := t.pool.read(ctx, t.stream)
		if err != nil {
			t.fail(ctx, err)
			return
		}
		t.mu.Lock()
		if !t.seen {
			t.first = pts
		}
		t.seen, t.last = true, pts
		t.pictures = append(t.pictures, picture{f, pts})
		if len(t.pictures) >= t.preroll() && t.full.IsZero() {
			t.full = time.Now()
		}
		t.mu.Unlock()
		t.wake()
	}
}

func (t *track) readCues(ctx context.Context) {
	for {
		c, err := t.stream.Subtitle()
		if err != nil {
			return // a film without its subtitles is still a film
		}
		t.mu.Lock()
		if c.Text == "" {
			t.endPicture(c.From)
		}
		if c.Text != "" || c.Image != nil {
			t.cues = append(t.cues, c)
		}
		full := t.manyCues()
		t.mu.Unlock()
		t.read()
		if !full {
			continue
		}
		select {
		case <-t.room:
		case <-ctx.Done():
			return
		}
	}
}

// manyCues reports whether no more subtitles are to be read for now. Of pictures there is always room for the one that is
// seen, the next one, and what ends that. It is called with mu held.
func (t *track) manyCues() bool {
	memory := 0
	for _, c := range t.cues {
		if c.Image != nil {
			memory += len(c.Image.Pix)
		}
	}
	return len(t.cues) >= maxCues || len(t.cues) > 2 && memory > cueMemory
}

// endPicture ends the subtitles that are pictures: another one takes their place, or nothing. It is called with mu held.
func (t *track) endPicture(at time.Duration) {
	for i := range t.cues {
		if c := &t.cues[i]; c.Image != nil {
			c.To = min(c.To, at)
		}
	}
}

// cuesAt returns the subtitles to be seen at a moment of the item, and when that changes next; 0: nobody knows yet.
func (t *track) cuesAt(at time.Duration) (cues []Cue, change time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cues = slices.DeleteFunc(t.cues, func(c Cue) bool { return c.To <= at })
	if len(t.cues) >= maxCues && !slices.ContainsFunc(t.cues, func(c Cue) bool { return c.From > at }) {
		t.cues = slices.Delete(t.cues, 0, maxCues/2) // they never end, and nobody reads so many: without room the film would wait for them
	}
	for _, c := range t.cues {
		next := c.From
		if c.From <= at {
			cues = append(cues, c)
			next = c.To
		}
		if change == 0 || next < change {
			change = next
		}
	}
	if !t.manyCues() {
		select {
		case t.room <- struct{}{}:
		default:
		}
	}
	return cues, change
}

// refuse notes that a picture that was lent cannot be shown as it is; any other could be.
func (t *track) refuse(err error) {
	if _, ok := t.pool.(lent); !ok || !errors.Is(err, ErrFormat) {
		return
	}
	t.mu.Lock()
	if t.err == nil {
		t.err = errors.Join(ErrHardware, err)
	}
	t.mu.Unlock()
	t.read()
}

// fail notes why reading ended, unless that was the end or our own doing.
func (t *track) fail(ctx context.Context, err error) {
	if errors.Is(err, io.EOF) || ctx.Err() != nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		t.err = err
	}
}
