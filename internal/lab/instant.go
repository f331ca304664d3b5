package lab

import (
	"context"
	"errors"
	"image"
	"os"
)

// Instant stops the guest's clock, and returns what is on its screen and what [Machine.RecordedFrames] does, both of the same
// instant.
func (m *Machine) Instant(ctx context.Context, c SoundCard) (img image.Image, recorded int, err error) {
	if err := m.command("stop", nil); err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, m.command("cont", nil)) }()
	if recorded, err = m.RecordedFrames(c); err != nil {
		return nil, 0, err
	}
	img, err = m.Screendump(ctx)
	return img, recorded, err
}

// RecordedFrames returns how many frames of a card's sound are recorded. Up to [RecordedLater] more were heard.
func (m *Machine) RecordedFrames(c SoundCard) (int, error) {
	info, err := os.Stat(c.recording(m.dir))
	if err != nil {
		return 0, err
	}
	return max(0, int(info.Size()-wavHeader)/4), nil
}

// RecordedLater is how many frames QEMU keeps back: it writes 4 KiB at a time.
const RecordedLater = 4096 / 4
