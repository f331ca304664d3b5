package upnp

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"manofwar/services/portal/upnp/soap"
)

const (
	// maxCalls bounds the actions that a device does at a time: with what it reads for it and its answer, one may take some
	// megabytes of memory.
	maxCalls = 8
	// actionTimeout is how long an action may take, with waiting for its turn: control points wait for half a minute
	// (section 3.2.1).
	actionTimeout = 25 * time.Second
)

// turns are those of the actions that are being done.
type turns chan struct{}

// take has a call wait for its turn, before anything of its body is read, and keep it until its answer is sent. That its
// caller has left is noticed when the body is read.
func (t turns) take(do http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), actionTimeout)
		defer cancel()
		select {
		case t <- struct{}{}:
		case <-ctx.Done():
			h := w.Header()
			h.Set("Content-Length", "0")
			h.Set("Connection", "close") // its body is still to come
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		defer func() { <-t }()
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout)) // a test's recorder has none
		do(w, r.WithContext(ctx))
	}
}

// control does one action (section 3.2).
func (s *Service) control(w http.ResponseWriter, r *http.Request) {
	w.Header()["EXT"] = []string{""}
	out, call, err := s.call(r)
	if err != nil {
		fault, ok := errors.AsType[*soap.Fault](err)
		if !ok {
			fault = &soap.Fault{Code: soap.ErrFailed.Code, Text: err.Error()}
		}
		answerWithin(w, http.StatusInternalServerError, soap.AnswerFault(fault))
		return
	}
	answerWithin(w, http.StatusOK, soap.Answer(call, out))
}

// answerTimeout is how long a caller may take to read an answer.
const answerTimeout = 10 * time.Second

// answerWithin sends an answer, all of it: what waits to be read keeps others from their turn.
func answerWithin(w http.ResponseWriter, status int, body []byte) {
	rc := http.NewResponseController(w)
	_ = rc.SetWriteDeadline(time.Now().Add(answerTimeout)) // a test's recorder has none
	answerXML(w, status, body)
	_ = rc.Flush()                       // the caller has left if this fails
	_ = rc.SetWriteDeadline(time.Time{}) // what is asked next on this connection may take longer
}

func (s *Service) call(r *http.Request) ([]soap.Argument, soap.Call, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, soap.Call{}, soap.ErrAction
	}
	c, err := soap.Parse(body, r.Header.Get("SOAPAction"))
	if err != nil || c.Service != s.Type {
		return nil, c, soap.ErrAction
	}
	out, err := s.do(context.WithValue(r.Context(), hostKey{}, r.Host), c)
	return out, c, err
}

// hostKey is where an action's context has the address that it was called by.
type hostKey struct{}

// Host returns the address and port by which the caller of an action reaches the device.
func Host(ctx context.Context) string {
	if host, _ := ctx.Value(hostKey{}).(string); host != "" {
		return host
	}
	if at, ok := ctx.Value(http.LocalAddrContextKey).(net.Addr); ok {
		return at.String() // of who did not say
	}
	return ""
}
