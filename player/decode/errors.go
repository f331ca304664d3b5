package decode

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"syscall"

	"manofwar/internal/media"
	"manofwar/player"
)

// inputOutput is what ffmpeg says when reading fails in the middle, which it takes for the end.
const inputOutput = "Input/output error"

// Errors that package media has no word for.
var (
	errUnread = player.ErrUnread
	errServer = errors.New("the device that has it does not answer")
)

// fileError returns an error of package media for one of the file system.
func fileError(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return media.ErrNotFound
	case errors.Is(err, fs.ErrPermission):
		return media.ErrDenied
	case errors.Is(err, syscall.EIO):
		return errUnread
	}
	return err
}

// complaints are what ffmpeg says, in the order of how much it tells, and what that means.
var complaints = []struct {
	says string
	err  error
	text string
}{
	{"not on whitelist", media.ErrUnsupported, "files of this kind are not played"},
	{"No such file or directory", media.ErrNotFound, ""},
	{"404 Not Found", media.ErrNotFound, "the other device does not have it"},
	{"Permission denied", media.ErrDenied, ""},
	{"401 Unauthorized", media.ErrDenied, ""},
	{"403 Forbidden", media.ErrDenied, ""},
	{"Connection refused", errServer, ""},
	{"No route to host", errServer, ""},
	{"Network is unreachable", errServer, ""},
	{"Connection timed out", errServer, ""},
	{"Failed to resolve hostname", errServer, ""},
	{inputOutput, errUnread, ""},
	{"no decoder found", media.ErrUnsupported, "nothing here decodes it"},
	{"Decoder not found", media.ErrUnsupported, "nothing here decodes it"},
	{"matches no streams", media.ErrInvalid, "it has no such stream"},
	{"moov atom not found", media.ErrCorrupt, "its end is missing"},
	{"Invalid data found", media.ErrCorrupt, ""},
	{"End of file", media.ErrCorrupt, "it is empty, or ends too early"},
}

// explain returns an error of package media for what ffmpeg said before it ended with err, else err with its last words.
func explain(said string, err error) error {
	for _, c := range complaints {
		if strings.Contains(said, c.says) {
			if c.text == "" {
				return c.err
			}
			return fmt.Errorf("%w: %s", c.err, c.text)
		}
	}
	if line := lastLine(said); line != "" {
		return fmt.Errorf("ffmpeg: %s (%w)", line, err)
	}
	return fmt.Errorf("ffmpeg: %w", err)
}

// address is how ffmpeg tells its parts apart, which nobody wants to know.
var address = regexp.MustCompile(`^\[[^\]]* @ 0x[0-9a-f]+\] `)

func lastLine(said string) string {
	lines := strings.Split(strings.TrimSpace(said), "\n")
	return address.ReplaceAllString(strings.TrimSpace(lines[len(lines)-1]), "")
}
