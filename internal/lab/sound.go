package lab

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Sound is what a machine has of sound cards: one inside, an AC97, and a DAC for its USB. What they play is recorded, as
// long as they play.
type Sound struct {
	DAC bool // is plugged in from the start
}

// SoundCard is one of the machine's, as ALSA names it in the guest.
type SoundCard string

// The sound cards.
const (
	AC97 SoundCard = "I82801AAICH"
	DAC  SoundCard = "Audio"
)

// recording is the file in which QEMU records a card, in 16-bit stereo at 48 kHz.
func (c SoundCard) recording(dir string) string { return filepath.Join(dir, string(c)+".wav") }

// device is QEMU's name for the card's model.
func (c SoundCard) device() map[string]any {
	model := "AC97"
	if c == DAC {
		model = "usb-audio"
	}
	return map[string]any{"driver": model, "id": string(c), "audiodev": "recorder-" + string(c)}
}

// arguments returns QEMU's.
func (s Sound) arguments(dir string, desk *Desk) (args []string) {
	for _, c := range []SoundCard{AC97, DAC} {
		backend := "wav,path=" + c.recording(dir)
		if desk != nil {
			backend = desk.Audio
		}
		args = append(args, "-audiodev", fmt.Sprintf("%s,id=recorder-%s,out.frequency=48000,out.channels=2,out.format=s16", backend, c))
		if c == DAC && !s.DAC {
			continue
		}
		device, err := json.Marshal(c.device())
		if err != nil {
			panic(err) // a map of strings
		}
		args = append(args, "-device", string(device))
	}
	return args
}

// PlugDAC plugs the USB DAC in.
func (m *Machine) PlugDAC() error { return m.command("device_add", DAC.device()) }

// UnplugDAC pulls it out without a warning to the guest, and waits until it is gone.
func (m *Machine) UnplugDAC(ctx context.Context) error { return m.Unplug(ctx, string(DAC)) }

// wavHeader is the size of the header of QEMU's files.
const wavHeader = 44

// Recorded returns what a card has played since the machine was started, as far as QEMU has written it down: it keeps back
// some milliseconds.
func (m *Machine) Recorded(c SoundCard) ([][2]int16, error) { return m.RecordedSince(c, 0) }

// RecordedSince returns what a card has played after so many frames that were recorded.
func (m *Machine) RecordedSince(c SoundCard, frame int) ([][2]int16, error) {
	f, err := os.Open(c.recording(m.dir))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() < wavHeader {
		return nil, errors.New("lab: the recording has no header yet")
	}
	from := min(wavHeader+4*int64(frame), info.Size())
	data, err := io.ReadAll(io.NewSectionReader(f, from, info.Size()-from))
	if err != nil {
		return nil, err
	}
	frames := make([][2]int16, len(data)/4)
	for i := range frames {
		frames[i] = [2]int16{int16(binary.LittleEndian.Uint16(data[4*i:])), int16(binary.LittleEndian.Uint16(data[4*i+2:]))}
	}
	return frames, nil
}
