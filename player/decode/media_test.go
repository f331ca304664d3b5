//go:build linux

package decode_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"manofwar/internal/container/fixture"
	"manofwar/player/decode"
)

// decoders are the programs that tests run with: those that are installed, and those of the image where they are built.
func decoders(t testing.TB) map[string]*decode.Decoder {
	t.Helper()
	all := map[string]*decode.Decoder{"installed": {FFmpeg: fixture.Program(t, "ffmpeg"), FFprobe: fixture.Program(t, "ffprobe")}}
	cmd := exec.CommandContext(t.Context(), "bash", "../../rootfs/build/ffmpeg.sh", runtime.GOARCH)
	cmd.Env = append(os.Environ(), "MANOFWAR_CACHED_ONLY=1")
	out, err := cmd.Output()
	if err != nil {
		t.Logf("rootfs/build/ffmpeg.sh has not been run: without the image's own programs")
		return all
	}
	dir := strings.TrimSpace(string(out))
	all["image"] = &decode.Decoder{FFmpeg: filepath.Join(dir, "ffmpeg"), FFprobe: filepath.Join(dir, "ffprobe")}
	return all
}

// eachDecoder runs a test with all of them, or in a short run with one.
func eachDecoder(t *testing.T, test func(*testing.T, *decode.Decoder)) {
	t.Helper()
	all := decoders(t)
	if testing.Short() && len(all) > 1 {
		delete(all, "installed")
	}
	for name, d := range all {
		t.Run(name, func(t *testing.T) { test(t, d) })
	}
}

// kind is a file of one kind, and how ffmpeg makes it. Input 0 is a picture of 160×120 that moves at 25 pictures a second, 1 stereo
// sound at 48 kHz, 2 the same in 5.1, 3 subtitles, 4 a cover.
type kind struct {
	name string
	args string // separated by white space
}

// holes are the kinds in which ffmpeg 5.1 leaves a hole after the first picture or packet of sound.
var holes = map[string]bool{"h264-aac-fragments.mp4": true, "msmpeg4-mp3.avi": true}

const (
	film    = "-map 0:v "
	stereo  = "-map 1:a "
	theatre = "-map 2:a "
	words   = "-map 3:s "
	h264    = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 25 -bf 2 "
	cover   = "-map 4:v -c:v copy -disposition:v attached_pic "
)

// kinds are the containers and codecs that people have.
var kinds = []kind{
	{"h264-aac.mp4", film + stereo + h264 + "-c:a aac -movflags +faststart"},
	{"h264-aac-fragments.mp4", film + stereo + h264 + "-c:a aac -movflags frag_keyframe+empty_moov"},
	{"h264-pcm.mov", film + stereo + h264 + "-c:a pcm_s16le"},
	{"h264-opus-srt.mkv", film + stereo + words + h264 + "-c:a libopus -c:s srt"},
	{"h264-dts.mkv", film + theatre + h264 + "-c:a dca -strict -2"},
	{"h264-truehd.mkv", film + stereo + h264 + "-c:a truehd -strict -2"},
	{"h264-ac3.ts", film + theatre + h264 + "-c:a ac3"},
	{"h264-aac.m2ts", film + stereo + h264 + "-c:a aac -mpegts_m2ts_mode 1"},
	{"h264-aac.flv", film + stereo + h264 + "-c:a aac"},
	{"h264-high10.mkv", film + "-c:v libx264 -preset ultrafast -pix_fmt yuv420p10le"},
	{"h264-silent.mp4", film + h264},
	{"hevc-ac3.mkv", film + theatre + "-c:v libx265 -preset ultrafast -x265-params log-level=error -c:a ac3"},
	{"hevc10-eac3.mp4", film + theatre + "-c:v libx265 -preset ultrafast -x265-params log-level=error -pix_fmt yuv420p10le -c:a eac3 -tag:v hvc1"},
	{"mpeg4-mp3.avi", film + stereo + "-c:v mpeg4 -bf 2 -c:a libmp3lame"},
	{"msmpeg4-mp3.avi", film + stereo + "-c:v msmpeg4 -c:a libmp3lame"},
	{"mpeg2-ac3.vob", film + stereo + "-c:v mpeg2video -c:a ac3 -f vob"},
	{"mpeg2-mp2.ts", film + stereo + "-c:v mpeg2video -c:a mp2"},
	{"mpeg1-mp2.mpg", film + stereo + "-c:v mpeg1video -c:a mp2"},
	{"vp8-vorbis.webm", film + stereo + "-c:v libvpx -deadline realtime -cpu-used 8 -c:a libvorbis"},
	{"vp9-opus.webm", film + stereo + "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus"},
	{"av1-opus.webm", film + stereo + "-c:v libsvtav1 -preset 12 -c:a libopus"},
	{"wmv2-wma.wmv", film + stereo + "-c:v wmv2 -c:a wmav2"},
	{"theora-vorbis.ogv", film + stereo + "-c:v libtheora -c:a libvorbis"},
	{"flv1-mp3.flv", film + stereo + "-c:v flv1 -ar 44100 -c:a libmp3lame"},
	{"mjpeg-pcm.mov", film + stereo + "-c:v mjpeg -c:a pcm_s16le"},
	{"prores-pcm.mov", film + stereo + "-c:v prores_ks -profile:v 0 -c:a pcm_s16le"},
	{"cbr.mp3", cover + stereo + "-c:a libmp3lame -b:a 128k -id3v2_version 3"},
	{"vbr.mp3", stereo + "-c:a libmp3lame -q:a 4"},
	{"s16.flac", cover + stereo + "-c:a flac"},
	{"s24-96k.flac", stereo + "-c:a flac -sample_fmt s32 -ar 96000"},
	{"vorbis.ogg", stereo + "-c:a libvorbis"},
	{"opus.opus", stereo + "-c:a libopus"},
	{"aac.m4a", cover + stereo + "-c:a aac"},
	{"alac.m4a", stereo + "-c:a alac"},
	{"s16.wav", stereo + "-c:a pcm_s16le"},
	{"s24.wav", theatre + "-c:a pcm_s24le"},
	{"s16.aiff", stereo + "-c:a pcm_s16be"},
	{"wma.wma", stereo + "-c:a wmav2"},
	{"wavpack.wv", stereo + "-c:a wavpack"},
	{"tta.tta", stereo + "-c:a tta"},
	{"adts.aac", stereo + "-c:a aac"},
	{"raw.ac3", theatre + "-c:a ac3"},
	{"mono.flac", stereo + "-c:a flac -ac 1 -ar 44100"},
}

// lasting is how long each of the kinds plays, in seconds.
const lasting = "4"

const subtitles = "1\n00:00:00,500 --> 00:00:01,500\nFirst <i>line</i>\n\n2\n00:00:02,000 --> 00:00:03,500\nSecond, é\nof two\n"

// make returns the file of a kind.
func (k kind) make(t testing.TB) string {
	t.Helper()
	picture := fixture.File(t, "cover.jpg", "-f", "lavfi", "-i", "color=c=teal:s=64x64", "-frames:v", "1")
	args := []string{
		"-f", "lavfi", "-i", "testsrc2=s=160x120:r=25:d=" + lasting,
		"-f", "lavfi", "-i", "aevalsrc=0.3*sin(2*PI*(200+100*t)*t)|0.3*sin(2*PI*(300+100*t)*t):s=48000:d=" + lasting,
		"-f", "lavfi", "-i", "aevalsrc=0.1*sin(440*2*PI*t)|0.1*sin(550*2*PI*t)|0.1*sin(660*2*PI*t)|0.1*sin(80*2*PI*t)|0.1*sin(770*2*PI*t)|0.1*sin(880*2*PI*t):c=5.1:s=48000:d=" + lasting,
		"-i", fixture.Text(t, "words.srt", subtitles), "-i", picture,
	}
	return fixture.File(t, k.name, append(args, strings.Fields(k.args)...)...)
}

// file returns the file of the kind with that name.
func file(t testing.TB, name string) string {
	t.Helper()
	for _, k := range kinds {
		if k.name == name {
			return k.make(t)
		}
	}
	t.Fatalf("there is no kind %s", name)
	return ""
}
