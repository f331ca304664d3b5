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

// holes are the kinds in which ffmpeg 5.1 leaves a hole after the first picture or packet of sound.
var holes = map[string]bool{"h264-aac-fragments.mp4": true, "msmpeg4-mp3.avi": true}

// lasting is how long each of the kinds plays, in seconds.
const lasting = "4"

// file returns the file of the kind with that name.
func file(t testing.TB, name string) string {
	t.Helper()
	for _, k := range fixture.Kinds {
		if k.Name == name {
			return k.File(t, lasting)
		}
	}
	t.Fatalf("there is no kind %s", name)
	return ""
}
