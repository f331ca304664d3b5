package portal

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strconv"
	"time"

	streamapi "manofwar/services/stream/api"
)

// deliver answers a GET or HEAD with the body that plan describes, or with the part of it that the request asks for
// (RFC 9110, sections 13 and 14). The answer carries its exact length. A file that cannot be opened, or is shorter than
// the plan has it, is an error before anything is sent; one that fails later ends the connection, so that the client
// never takes a part for the whole, nor other bytes for the right ones.
func deliver(w http.ResponseWriter, r *http.Request, plan streamapi.Plan) error {
	v := validators{plan.ETag, plan.Modified}
	h := w.Header()
	v.set(h)
	h.Set("Accept-Ranges", "bytes")
	h.Set("Cache-Control", cacheControl(plan.MaxAge))
	if status := v.check(r); status != 0 {
		w.WriteHeader(status)
		return nil
	}
	a := answer{status: http.StatusOK, kind: plan.Type, parts: plan.Parts}
	if v.wantsRange(r) {
		spans, err := parseRange(r.Header.Get("Range"), plan.Size())
		if err != nil {
			h.Set("Content-Range", fmt.Sprintf("bytes */%d", plan.Size()))
			return errUnsatisfiable(plan.Size())
		}
		a = partial(a, plan, spans)
	}
	files, err := open(a.parts)
	if err != nil {
		return err
	}
	defer files.close()
	if a.contentRange != "" {
		h.Set("Content-Range", a.contentRange)
	}
	h.Set("Content-Type", a.kind)
	h.Set("Content-Length", strconv.FormatInt(streamapi.Plan{Parts: a.parts}.Size(), 10))
	w.WriteHeader(a.status)
	if r.Method == http.MethodHead {
		return nil
	}
	if err := files.send(r.Context(), w, a.parts); err != nil {
		panic(http.ErrAbortHandler)
	}
	return nil
}

// answer is what a request selects of a plan.
type answer struct {
	status       int
	kind         string // media type
	contentRange string
	parts        []streamapi.Part
}

// partial narrows the whole answer to spans: to nothing less if there are none, to a part of it if there is one, and to
// a multipart/byteranges body (RFC 9110, section 14.6) if there are several.
func partial(whole answer, plan streamapi.Plan, spans []span) answer {
	size := plan.Size()
	switch len(spans) {
	case 0:
		return whole
	case 1:
		return answer{http.StatusPartialContent, whole.kind, spans[0].contentRange(size), slice(plan.Parts, spans[0])}
	}
	boundary := rand.Text()
	a := answer{status: http.StatusPartialContent, kind: "multipart/byteranges; boundary=" + boundary}
	for i, s := range spans {
		head := fmt.Sprintf("--%s\r\nContent-Range: %s\r\nContent-Type: %s\r\n\r\n", boundary, s.contentRange(size), plan.Type)
		if i > 0 {
			head = "\r\n" + head
		}
		a.parts = append(a.parts, streamapi.Part{Inline: []byte(head)})
		a.parts = append(a.parts, slice(plan.Parts, s)...)
	}
	a.parts = append(a.parts, streamapi.Part{Inline: []byte("\r\n--" + boundary + "--\r\n")})
	return a
}

// slice returns the parts that make up the bytes s of the body that parts make up.
func slice(parts []streamapi.Part, s span) (out []streamapi.Part) {
	for _, p := range parts {
		size := p.Size()
		if s.start >= size {
			s.start -= size
			continue
		}
		if s.length == 0 {
			break
		}
		n := min(size-s.start, s.length)
		if p.Path == "" {
			p.Inline = p.Inline[s.start : s.start+n]
		} else {
			p.Offset += s.start
			p.Length = n
		}
		out = append(out, p)
		s = span{0, s.length - n}
	}
	return out
}

func cacheControl(maxAge time.Duration) string {
	if maxAge <= 0 {
		return "private, no-cache" // may be kept, must be asked for each time
	}
	return "private, max-age=" + strconv.Itoa(int(maxAge.Seconds()))
}
