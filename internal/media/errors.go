package media

import "errors"

// Sentinels to branch on. They cross process boundaries: internal/ipc maps each to a code and an HTTP status, and back.
var (
	ErrNotFound    = errors.New("not found")
	ErrInvalid     = errors.New("invalid request")
	ErrDenied      = errors.New("not allowed")
	ErrAway        = errors.New("its disk is not connected")
	ErrCorrupt     = errors.New("the file is damaged")
	ErrUnsupported = errors.New("not supported")
	ErrBusy        = errors.New("busy")
	ErrReadOnly    = errors.New("the disk is read-only")
	ErrFull        = errors.New("the disk is full")
)

// Error is one that a person may have to act on.
type Error struct {
	Op   string // what was being done, such as "read tags"
	Path string // the file, field or device, as the person knows it
	Err  error  // the cause, wrapping a sentinel of this package where one fits
	Hint string // what to do about it; empty where nothing helps
}

func (e *Error) Error() string {
	s := e.Op
	if e.Path != "" {
		s += " " + e.Path
	}
	return s + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }
