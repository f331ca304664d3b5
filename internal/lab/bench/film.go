package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"manofwar/internal/lab"
)

// The film of the player's benches: in its first half the corner of the picture is black, in its second half white.
const (
	filmLength = time.Minute
	filmHalf   = filmLength / 2
)

// playerFilm returns a minute of 1080p at 30 pictures a second in H.264, some 8 Mb/s with B-frames and a key picture every two
// seconds, and stereo in AAC. It is made once.
func playerFilm(ctx context.Context) (string, error) {
	const name = "film-1080p30.mkv"
	seconds := int(filmLength.Seconds())
	args := []string{
		"-f", "lavfi", "-i", fmt.Sprintf("testsrc2=s=1920x1080:r=30:d=%d", seconds), "-f", "lavfi", "-i", fmt.Sprintf("sine=f=440:b=2:r=48000:d=%d", seconds),
		"-vf", fmt.Sprintf("drawbox=w=128:h=128:c=black:t=fill,drawbox=w=128:h=128:c=white:t=fill:enable='gte(t,%d)'", int(filmHalf.Seconds())),
		"-c:v", "libx264", "-preset", "veryfast", "-b:v", "8M", "-maxrate", "10M", "-bufsize", "16M", "-g", "60", "-pix_fmt", "yuv420p",
		"-c:a", "aac", "-b:a", "192k", "-ac", "2",
	}
	dir, err := lab.Cached("bench-player", strings.Join(args, " "), func(dir string) error {
		return lab.FFmpeg(ctx, append(args, filepath.Join(dir, name))...)
	})
	return filepath.Join(dir, name), err
}

// imagePrograms returns the folder of the dongle's own ffmpeg and ffprobe, as it is made for this computer's kind of processor:
// the player's benches decode with it.
func imagePrograms(ctx context.Context) (string, error) {
	root, err := lab.ModuleRoot(ctx)
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(root, "rootfs", "build", "ffmpeg.sh"), runtime.GOARCH)
	cmd.Env = append(os.Environ(), "MANOFWAR_CACHED_ONLY=1")
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("the image's ffmpeg is not there, which make engines makes: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// withImagePrograms has a program find the image's ffmpeg before any other.
func withImagePrograms(ctx context.Context, cmd *exec.Cmd) (*exec.Cmd, error) {
	dir, err := imagePrograms(ctx)
	cmd.Env = append(os.Environ(), "PATH="+dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
	return cmd, err
}
