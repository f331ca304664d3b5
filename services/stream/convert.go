package stream

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"time"

	"manofwar/internal/container"
	"manofwar/internal/container/codec"
	"manofwar/internal/container/fmp4"
	"manofwar/internal/media"
	"manofwar/services/stream/api"
)

// Converted sound is AAC-LC in stereo. Its frames lie on a grid from the presentation's start, whichever segment they are
// made for: neighbours that two runs of ffmpeg make fit together without a gap or an overlap.
const (
	soundRate    = 48000
	frameSamples = 1024
	soundBitrate = "160k"
	// leadFrames is how many frames before a segment are encoded and thrown away: a frame overlaps its neighbours, and the
	// encoder needs to settle.
	leadFrames = 4
	// primingFrames is how many packets ffmpeg's encoder puts out before the first that carries input.
	primingFrames = 1
)

// soundConfig is the AudioSpecificConfig of AAC-LC, 48 kHz, two channels.
var soundConfig = []byte{0x11, 0x90}

// convertedTrack describes what a track is converted to.
func convertedTrack(t *container.Track) container.Track {
	config, _ := codec.AAC(soundConfig) // which is well formed
	out := container.Track{Stream: t.Stream, Timescale: soundRate, Config: config}
	out.Codec, out.RFC6381, out.SampleRate, out.Channels = config.Name, config.RFC6381, config.SampleRate, config.Channels
	return out
}

// frames returns the grid frames of a segment: [first, end).
func (p *presentation) frames(r *rendition, n int) (first, end int64) {
	at := func(d time.Duration) int64 {
		return (ticks(d, soundRate) + frameSamples - 1) / frameSamples
	}
	return at(p.start(n)), max(at(p.start(n)+p.length(r, n)), at(p.start(n))+1)
}

// convertedPlan has ffmpeg make a segment of sound.
func (p *presentation) convertedPlan(ctx context.Context, e *engine, src *source, r *rendition, n int) (api.Plan, error) {
	first, end := p.frames(r, n)
	begin := max(first-leadFrames, 0)
	from, err := p.soundOf(src, r.tracks[0], begin, end)
	if err != nil {
		return api.Plan{}, err
	}
	args := append(from.args, "-vn", "-sn", "-dn", "-af", from.filter+",apad", "-ac", "2", "-c:a", "aac", "-b:a", soundBitrate,
		"-frames:a", strconv.FormatInt(end-begin+primingFrames+1, 10), "-f", "adts", "-")
	data, err := e.run(ctx, maxSegmentBytes, from.data, args...)
	if err != nil {
		return api.Plan{}, err
	}
	packets := adts(data)
	skip := int(first-begin) + primingFrames
	if len(packets) <= skip {
		return api.Plan{}, container.Corrupt("its sound cannot be converted from %v on", p.start(n).Round(time.Second))
	}
	packets = packets[skip:min(skip+int(end-first), len(packets))]
	run := fmp4.Run{Track: 1}
	var size int64
	for k, packet := range packets {
		at := (first + int64(k)) * frameSamples
		run.Samples = append(run.Samples, fmp4.Sample{At: size, Sample: container.Sample{Size: uint32(len(packet)), DTS: at, PTS: at, Duration: frameSamples, Sync: true}})
		size += int64(len(packet))
	}
	head := fmp4.Fragment(uint32(n+1), []fmp4.Run{run}, size)
	return api.Plan{Type: "audio/mp4", Parts: []api.Part{{Inline: slices.Concat(append([][]byte{head}, packets...)...)}}}, nil
}

// sound is what ffmpeg is to read: its arguments for the input, what to do so that the first sample is the wanted one,
// and what comes through its standard input.
type sound struct {
	args   []string
	filter string
	data   io.Reader
}

// soundOf returns the sound of a track from one frame of the grid on, up to another. Sound that starts late is preceded
// by silence.
func (p *presentation) soundOf(src *source, track int, begin, end int64) (sound, error) {
	base := rescale(p.base, p.track(p.main).Timescale, soundRate)
	start := begin*frameSamples - base // in samples, on the film's time line
	if raw, ok := rawSounds[p.track(track).Codec]; ok && p.movie.Info().Format == "matroska" {
		return p.rawSound(src, track, raw, start, end*frameSamples-base)
	}
	filter := fmt.Sprintf("aresample=%d:async=1:first_pts=0", soundRate)
	if start < 0 { // before the film's own start there is nothing to seek to
		filter += fmt.Sprintf(",adelay=%dS:all=1", -start)
		start = 0
	}
	seek := []string{"-seek_timestamp", "1", "-ss", strconv.FormatFloat(float64(start)/soundRate, 'f', 9, 64), "-i", "file:" + src.Path, "-map", "0:a:" + strconv.Itoa(p.ordinal(track))}
	return sound{args: seek, filter: filter}, nil
}

// raw is how packets of a codec go through a pipe, one after the other.
type raw struct {
	format string  // ffmpeg's name of it
	frame  float64 // how many samples a packet has
	scales bool    // that many at 48 and 44.1 kHz, and twice or four times as many at their multiples
}

// rawSounds are the codecs whose packets frame themselves.
var rawSounds = map[string]raw{
	"dts": {"dts", 512, false}, "truehd": {"truehd", 40, true}, "mlp": {"mlp", 40, true}, "ac3": {"ac3", 1536, false}, "eac3": {"eac3", 1536, false},
	"mp2": {"mp3", 1152, false},
}

// settle is how many samples before the wanted ones decoders are given: TrueHD starts at a sync point, ten a second.
const settle = soundRate * 3 / 10

// rawSound hands ffmpeg the packets themselves. Matroska's times are rounded to a millisecond, which at a joint of two
// segments would be heard; packets of constant length say exactly which sample they begin with.
func (p *presentation) rawSound(src *source, track int, raw raw, start, end int64) (sound, error) {
	t := p.track(track)
	samples, err := p.movie.Samples(src.f, track, rescale(start-settle, soundRate, t.Timescale), rescale(end+settle, soundRate, t.Timescale), nil)
	if err != nil {
		return sound{}, err
	}
	if raw.format == "truehd" || raw.format == "mlp" {
		samples = fromSync(src.f, samples)
	}
	if len(samples) == 0 { // it has ended, or not begun
		return sound{args: []string{"-f", "lavfi", "-i", "anullsrc=r=48000:cl=stereo"}, filter: "anull"}, nil
	}
	parts := make([]io.Reader, 0, 2*len(samples))
	for _, s := range samples {
		parts = append(parts, bytes.NewReader(t.Prefix), io.NewSectionReader(src.f, s.Offset, int64(s.Size)))
	}
	filter := fmt.Sprintf("aresample=%d", soundRate)
	switch skip := start - p.exactly(t, track, raw, samples); {
	case skip > 0:
		filter += fmt.Sprintf(",atrim=start_sample=%d,asetpts=N/SR/TB", skip)
	case skip < 0:
		filter += fmt.Sprintf(",adelay=%dS:all=1", -skip)
	}
	return sound{args: []string{"-f", raw.format, "-i", "pipe:0"}, filter: filter, data: io.MultiReader(parts...)}, nil
}

// exactly returns with which sample the first of some packets begins, at 48 kHz. Packets are counted from the track's
// first; to find out how many came before, the rounding is averaged out of the times of a few of them.
func (p *presentation) exactly(t *container.Track, track int, raw raw, packets []container.Sample) int64 {
	at := rescale(packets[0].PTS, t.Timescale, soundRate)
	keys := p.movie.Keyframes(track)
	if t.SampleRate == 0 || len(keys) == 0 {
		return at
	}
	length := raw.frame * soundRate / float64(t.SampleRate)
	if raw.scales { // frames are longer at the multiples of 48 and 44.1 kHz
		length *= float64(max(t.SampleRate/44100, 1))
	}
	perTick := soundRate / float64(t.Timescale)
	mean, n := 0.0, min(len(packets), 48)
	for k, s := range packets[:n] {
		mean += (float64(s.PTS)*perTick - float64(k)*length) / float64(n)
	}
	first := float64(keys[0]) * perTick
	counted := first + math.Round((mean-first)/length)*length
	if math.Abs(counted-float64(at)) > 1.5*perTick { // packets are missing somewhere, or not of that length
		return at
	}
	return int64(math.Round(counted))
}

// fromSync leaves out the packets before the first that TrueHD or MLP can be decoded from.
func fromSync(r io.ReaderAt, samples []container.Sample) []container.Sample {
	for k, s := range samples {
		var head [8]byte
		if _, err := r.ReadAt(head[:], s.Offset); err == nil && (string(head[4:]) == "\xF8\x72\x6F\xBA" || string(head[4:]) == "\xF8\x72\x6F\xBB") {
			return samples[k:]
		}
	}
	return nil
}

// ordinal returns how many sounds stand before a track: ffmpeg counts each kind for itself, and other kinds differently.
func (p *presentation) ordinal(track int) (n int) {
	for _, t := range p.movie.Info().Tracks[:track] {
		if t.Kind == media.Audio {
			n++
		}
	}
	return n
}

// adts splits a stream into the packets that its headers (ISO/IEC 14496-3, 1.A.2.2) frame.
func adts(data []byte) (packets [][]byte) {
	for len(data) > 7 && data[0] == 0xFF && data[1]&0xF6 == 0xF0 {
		n := int(data[3]&3)<<11 | int(data[4])<<3 | int(data[5])>>5
		head := 9 - 2*int(data[1]&1) // with a checksum or without
		if n < head || n > len(data) {
			break
		}
		packets, data = append(packets, data[head:n]), data[n:]
	}
	return packets
}
