package portal

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
)

// writeJSON answers with v. The answer has a weak validator made of its bytes, so that a page that asks again for a
// list that has not changed gets 304, and is compressed for clients that want it.
func writeJSON(w http.ResponseWriter, r *http.Request, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode the answer: %w", err)
	}
	sum := sha256.Sum256(body)
	tag := validators{etag: `W/"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`}
	h := w.Header()
	tag.set(h)
	h.Set("Cache-Control", "private, no-cache")
	h.Add("Vary", "Accept-Encoding")
	if status := tag.check(r); status != 0 {
		w.WriteHeader(status)
		return nil
	}
	h.Set("Content-Type", "application/json")
	if len(body) >= worthCompressing && acceptsGzip(r) {
		h.Set("Content-Encoding", "gzip")
		body = compress(body, gzip.BestSpeed)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client has left if this fails
	}
	return nil
}

// worthCompressing is the size in bytes from which gzip saves a packet.
const worthCompressing = 1400

var (
	fastGzip = sync.Pool{New: func() any { return newGzip(gzip.BestSpeed) }}
	bestGzip = sync.Pool{New: func() any { return newGzip(gzip.BestCompression) }}
)

func newGzip(level int) *gzip.Writer {
	z, err := gzip.NewWriterLevel(io.Discard, level)
	if err != nil {
		panic(err) // the level is a constant of this package
	}
	return z
}

// compress returns body compressed: at gzip.BestSpeed for what is sent once, better for what is kept.
func compress(body []byte, level int) []byte {
	pool := &bestGzip
	if level == gzip.BestSpeed {
		pool = &fastGzip
	}
	z := pool.Get().(*gzip.Writer)
	defer pool.Put(z)
	var out bytes.Buffer
	out.Grow(len(body) / 3)
	z.Reset(&out)
	_, err := z.Write(body)
	if err = errors.Join(err, z.Close()); err != nil {
		panic(err) // a bytes.Buffer takes everything
	}
	return out.Bytes()
}

// acceptsGzip reads Accept-Encoding (RFC 9110, section 12.5.3).
func acceptsGzip(r *http.Request) bool {
	accepted := false
	for field := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		coding, weight, _ := strings.Cut(field, ";")
		_, q, _ := strings.Cut(weight, "=")
		refused := strings.Trim(q, " 0.") == "" && strings.Contains(q, "0")
		switch strings.ToLower(strings.TrimSpace(coding)) {
		case "gzip":
			return !refused
		case "*":
			accepted = !refused
		}
	}
	return accepted
}

// errUnsatisfiable is a range that the body does not have.
func errUnsatisfiable(size int64) error {
	return &ipc.Error{
		Status: http.StatusRequestedRangeNotSatisfiable, Code: "range",
		Message: fmt.Sprintf("the file has no such part: it is %d bytes long", size),
	}
}

// fail answers r with err in the body that internal/ipc defines, in the status that fits the web: what is being
// restarted is "unavailable, try again" here. Errors that are nobody's fault but ours are logged.
func (p *Service) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, context.DeadlineExceeded) {
		err = &media.Error{Op: "wait for an answer", Err: fmt.Errorf("%w: %w", media.ErrBusy, err), Hint: "Try again in a moment."}
	}
	e := ipc.AsError(err)
	if e.Code == "busy" {
		e.Status = http.StatusServiceUnavailable
	}
	if e.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "2")
	}
	if e.Code == "internal" && r.Context().Err() == nil {
		p.log.Warn("request went wrong", "method", r.Method, "path", r.URL.Path, "err", err)
	}
	for _, field := range []string{"Last-Modified", "Accept-Ranges", "Content-Length", "Content-Encoding"} {
		w.Header().Del(field)
	}
	ipc.WriteError(w, r, e)
}
