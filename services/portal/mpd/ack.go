package mpd

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
)

// code is the kind of an error, as the protocol numbers them.
type code int

// The codes that are used.
const (
	codeArgument   code = 2
	codePassword   code = 3
	codePermission code = 4
	codeUnknown    code = 5
	codeNoExist    code = 50
	codeFull       code = 51
	codeSystem     code = 52
	codeNotPlaying code = 55
)

// ack is an error as a client is told of it.
type ack struct {
	code code
	text string
}

func (a *ack) Error() string { return a.text }

func fail(c code, format string, args ...any) error {
	return &ack{c, fmt.Sprintf(format, args...)}
}

// errArgument says that an argument is not what was expected.
func errArgument(what, arg string) error { return fail(codeArgument, "%s expected: %.100s", what, arg) }

// asAck gives an error of a service its code, and says what to do about it where that is known.
func asAck(err error) *ack {
	if a, ok := errors.AsType[*ack](err); ok {
		return a
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &ack{codeSystem, "it took too long"}
	}
	a := &ack{codeSystem, err.Error()}
	if e := ipc.AsError(err); e.Message != "" {
		if a.text = e.Message; e.Hint != "" {
			a.text = strings.TrimSuffix(e.Message, ".") + ". " + e.Hint
		}
	}
	switch {
	case errors.Is(err, media.ErrNotFound), errors.Is(err, media.ErrAway):
		a.code = codeNoExist
	case errors.Is(err, media.ErrInvalid):
		a.code = codeArgument
	case errors.Is(err, media.ErrDenied):
		a.code = codePermission
	case errors.Is(err, media.ErrFull):
		a.code = codeFull
	}
	return a
}

// line is the error of the nth command of a list, 0 for one alone.
func (a *ack) line(n int, command string) string {
	return fmt.Sprintf("ACK [%d@%d] {%s} %s\n", a.code, n, oneLine(command), oneLine(a.text))
}

// oneLine makes of s what can be said in one line.
func oneLine(s string) string {
	if !strings.ContainsAny(s, "\n\r\x00") {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\r' || r == 0 {
			return ' '
		}
		return r
	}, s)
}
