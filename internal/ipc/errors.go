package ipc

import (
	"encoding/json"
	"errors"
	"net/http"

	"manofwar/internal/media"
)

// Error is an error as it travels: the JSON body of every answer that is not 2xx. The web API uses the same body.
type Error struct {
	Status  int    `json:"-"`               // of HTTP
	Code    string `json:"code"`            // stable, for programs
	Message string `json:"message"`         // for a person: what happened, to which file or field
	Hint    string `json:"hint,omitempty"`  // for a person: what to do
	Field   string `json:"field,omitempty"` // of the request, as its JSON names it, where one is at fault
}

func (e *Error) Error() string { return e.Message }

// Is makes errors.Is(err, media.ErrNotFound) and its like true on both sides of a socket.
func (e *Error) Is(target error) bool {
	for _, k := range kinds {
		if k.code == e.Code {
			return k.err == target
		}
	}
	return false
}

// kinds is the table by which errors cross a socket. The first match wins.
var kinds = []struct {
	err    error
	code   string
	status int
}{
	{media.ErrNotFound, "not_found", http.StatusNotFound},
	{media.ErrInvalid, "invalid", http.StatusBadRequest},
	{media.ErrDenied, "denied", http.StatusForbidden},
	{media.ErrAway, "away", http.StatusServiceUnavailable},
	{media.ErrCorrupt, "corrupt", http.StatusUnprocessableEntity},
	{media.ErrUnsupported, "unsupported", http.StatusUnprocessableEntity},
	{media.ErrBusy, "busy", http.StatusConflict},
	{media.ErrReadOnly, "read_only", http.StatusConflict},
	{media.ErrFull, "full", http.StatusInsufficientStorage},
}

// AsError gives err its code, status and hint. An error that wraps no sentinel of internal/media is "internal".
func AsError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return &Error{Status: e.Status, Code: e.Code, Message: err.Error(), Hint: e.Hint, Field: e.Field}
	}
	e := &Error{Status: http.StatusInternalServerError, Code: "internal", Message: err.Error()}
	for _, k := range kinds {
		if errors.Is(err, k.err) {
			e.Code, e.Status = k.code, k.status
			break
		}
	}
	if m, ok := errors.AsType[*media.Error](err); ok {
		e.Hint = m.Hint
	}
	return e
}

// WriteError answers r with err as an [Error] body.
func WriteError(w http.ResponseWriter, r *http.Request, err error) {
	e := AsError(err)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Del("ETag")
	w.WriteHeader(e.Status)
	if r.Method != http.MethodHead {
		_ = json.NewEncoder(w).Encode(e) // the client has left if this fails
	}
}

// Handler makes a function that returns an error a handler: the error, if any, becomes the answer.
func Handler(f func(w http.ResponseWriter, r *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := f(w, r); err != nil {
			WriteError(w, r, err)
		}
	})
}
