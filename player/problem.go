package player

import (
	"errors"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"manofwar/internal/media"
	"manofwar/player/api"
)

// ErrNoDecoder says that the program that decodes is not there.
var ErrNoDecoder = errors.New("there is no decoder")

// ErrUnread says that reading a source failed in its middle: a disk that was pulled out or is failing, a network that went away.
var ErrUnread = errors.New("it could not be read any further")

// errSilent says that nothing came of a source for too long.
var errSilent = errors.New("it does not come")

// What is wrong with an item or with the outputs, in words for a person. The first row whose error fits counts.
var problems = []struct {
	err              error
	code, text, hint string
}{
	{errSilent, "away", "%s does not come. It was left out.", "Check the disk or the network it is on."},
	{ErrUnread, "away", "%s could not be read any further.", "Check the disk or the network it is on, then play it again."},
	{media.ErrAway, "away", "The disk with %s is not connected. It was left out.", "Connect the disk."},
	{media.ErrNotFound, "missing", "%s is no longer there. It was left out.", ""},
	{media.ErrUnsupported, "unsupported", "%s is of a kind that cannot be played. It was left out.", ""},
	{ErrNoDecoder, "no-decoder", "%s cannot be played: ffmpeg is missing.", "Install ffmpeg."},
	{ErrKilled, "killed", "%s was left out: its decoder was ended again and again.", "It may need more memory than there is."},
	{media.ErrDenied, "missing", "%s may not be read. It was left out.", "Check who may read the file."},
	{nil, "corrupt", "%s is damaged. It was left out.", "Copy the file again."},
}

// problemOf returns why an item was left out.
func problemOf(it *api.Item, err error, now time.Time) *api.Problem {
	for _, p := range problems {
		if p.err == nil || errors.Is(err, p.err) {
			out := &api.Problem{Key: it.Key, Code: p.code, Text: strings.Replace(p.text, "%s", nameOf(it), 1), Hint: p.hint, At: now}
			var e *media.Error
			if errors.As(err, &e) && e.Hint != "" {
				out.Hint = e.Hint
			}
			return out
		}
	}
	return nil
}

// brokeOff is what an item that broke off says.
func brokeOff(it *api.Item, err error, now time.Time) *api.Problem {
	if errors.Is(err, ErrKilled) || errors.Is(err, ErrUnread) || errors.Is(err, media.ErrAway) {
		return problemOf(it, err, now)
	}
	return &api.Problem{Key: it.Key, Code: "corrupt", Text: nameOf(it) + " is damaged. The rest of it was left out.", Hint: "Copy the file again.", At: now}
}

// nameOf returns what a person calls an item: its file's name, as that is what they look for.
func nameOf(it *api.Item) string {
	switch {
	case it.Path != "":
		return filepath.Base(it.Path)
	case it.Title != "":
		return it.Title
	case it.URL != "":
		return path.Base(it.URL)
	}
	return "An item"
}

// Problems of the player itself.
func tooManyFailures(now time.Time) *api.Problem {
	return &api.Problem{Code: "corrupt", Text: "Three in a row could not be played, so playback was stopped.", Hint: "Check the disk they are on.", At: now}
}

func noSound(chosen string, cards []Card, now time.Time) *api.Problem {
	p := &api.Problem{Code: "no-sound", Text: "There is no output for sound.", Hint: "Connect a television with speakers, or a sound card.", At: now}
	connected := slices.ContainsFunc(cards, func(c Card) bool { return c.ID == chosen || chosen == "" })
	switch {
	case connected:
		p.Text, p.Hint = "The sound output does not work.", "Connect it again, or choose another one."
	case chosen != "":
		p.Text, p.Hint = "The chosen sound output is not connected.", "Connect it, or choose another one."
	}
	return p
}

// noDisplay says why no screen is in use; why is nil where none is connected.
func noDisplay(why error, now time.Time) *api.Problem {
	p := &api.Problem{Code: "no-display", Text: "No television is connected. The sound goes on.", Hint: "Connect a television and switch it on.", At: now}
	switch {
	case errors.Is(why, ErrTaken):
		p.Text, p.Hint = "Another program has the television. The sound goes on.", "Check what shows itself there, such as a desktop, and end it: the picture then comes by itself."
	case why != nil:
		p.Text, p.Hint = "The television cannot be used. The sound goes on.", "Connect it again. If it stays so, try another cable or television."
	}
	return p
}
