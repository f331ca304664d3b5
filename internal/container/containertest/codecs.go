package containertest

import (
	"testing"

	"manofwar/internal/container/fixture"
)

// Film is a file and how to make it.
type Film struct {
	Name string
	Make func(testing.TB) string
}

func encoded(name string, sound []string, args ...string) Film {
	return Film{name, func(t testing.TB) string {
		t.Helper()
		return fixture.File(t, name, fixture.Args(fixture.Picture(2, "128x72"), sound, []string{"-threads", "1"}, args)...)
	}}
}

var (
	stereo   = fixture.Sound(2)
	surround = []string{"-f", "lavfi", "-i", "anoisesrc=d=2:r=48000:a=0.1", "-ac", "6"}
)

// MP4Codecs are the codecs in MP4 and QuickTime.
var MP4Codecs = []Film{
	encoded("h264-aac.mp4", stereo, "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"),
	encoded("hevc-eac3.mp4", surround, "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error:pools=none", "-tag:v", "hvc1", "-c:a", "eac3"),
	encoded("hev1-ac3.mp4", surround, "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error:pools=none", "-tag:v", "hev1", "-c:a", "ac3"),
	encoded("vp9-opus.mp4", stereo, "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus"),
	encoded("av1-flac.mp4", stereo, "-c:v", "libsvtav1", "-preset", "12", "-c:a", "flac", "-strict", "-2"),
	encoded("h264-mp3.mp4", stereo, "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "libmp3lame"),
	encoded("h264-alac.mov", stereo, "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "alac"),
	encoded("mpeg4-pcm.mov", stereo, "-c:v", "mpeg4", "-c:a", "pcm_s16le"),
	encoded("h264-aac.mov", stereo, "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"),
}

// MatroskaCodecs are the codecs in Matroska and WebM.
var MatroskaCodecs = []Film{
	encoded("h264-aac.mkv", stereo, "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"),
	encoded("hevc-ac3.mkv", surround, "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error:pools=none", "-c:a", "ac3"),
	encoded("h264-eac3.mkv", surround, "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "eac3"),
	encoded("vp9-opus.webm", stereo, "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus"),
	encoded("vp8-vorbis.webm", stereo, "-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libvorbis"),
	encoded("av1-flac.mkv", stereo, "-c:v", "libsvtav1", "-preset", "12", "-c:a", "flac"),
	encoded("h264-mp3.mkv", stereo, "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "libmp3lame"),
	encoded("h264-dts.mkv", surround, "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "dca", "-strict", "-2"),
	encoded("mpeg4-alac.mkv", stereo, "-c:v", "mpeg4", "-c:a", "alac"),
}
