package portal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
	streamapi "manofwar/services/stream/api"
)

// testModified has a fraction of a second, which HTTP cannot express.
var testModified = time.Date(2026, 1, 2, 3, 4, 5, 600_000_000, time.UTC)

// serveBoth returns a handler that delivers plan, and one in which [http.ServeContent] serves the same bytes.
func serveBoth(plan streamapi.Plan, content []byte) (ours, reference http.Handler) {
	p := New(Options{})
	ours = p.handler(func(w http.ResponseWriter, r *http.Request) error { return deliver(recorder{w}, r, plan) })
	reference = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", plan.ETag)
		w.Header().Set("Content-Type", plan.Type)
		http.ServeContent(w, r, "", plan.Modified, bytes.NewReader(content))
	})
	return ours, reference
}

// recorder gives a test's recorder the deadlines that a real connection has.
type recorder struct{ http.ResponseWriter }

func (recorder) SetWriteDeadline(time.Time) error { return nil }
func (r recorder) Unwrap() http.ResponseWriter    { return r.ResponseWriter }

func ask(h http.Handler, method string, header map[string]string) (*http.Response, string) {
	r := httptest.NewRequest(method, "/", nil)
	for k, v := range header {
		if v != "" {
			r.Header.Set(k, v)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result(), w.Body.String()
}

// differs compares what HTTP promises of two answers. Error bodies are our own.
func differs(t *testing.T, what string, ours, reference http.Handler, method string, header map[string]string) {
	t.Helper()
	got, gotBody := ask(ours, method, header)
	want, wantBody := ask(reference, method, header)
	if got.StatusCode != want.StatusCode {
		t.Errorf("%s: status %d, net/http %d", what, got.StatusCode, want.StatusCode)
		return
	}
	if got.StatusCode >= 400 {
		return
	}
	gotBody, wantBody = unbound(got, gotBody), unbound(want, wantBody)
	if gotBody != wantBody {
		t.Errorf("%s: body %q, net/http %q", what, gotBody, wantBody)
	}
	for _, field := range []string{"Content-Range", "Content-Length", "Content-Type", "ETag", "Accept-Ranges"} {
		if field == "Content-Length" && strings.HasPrefix(got.Header.Get("Content-Type"), "multipart/") {
			continue // the boundaries are of different lengths
		}
		if got.StatusCode == http.StatusNotModified && field != "ETag" {
			continue
		}
		if g, w := got.Header.Get(field), want.Header.Get(field); g != w {
			t.Errorf("%s: %s %q, net/http %q", what, field, g, w)
		}
	}
}

// unbound replaces the random boundary of a multipart answer.
func unbound(r *http.Response, body string) string {
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if b := params["boundary"]; err == nil && b != "" {
		r.Header.Set("Content-Type", "multipart/byteranges; boundary=B")
		return strings.ReplaceAll(body, b, "B")
	}
	return body
}

const modifiedText = "Fri, 02 Jan 2026 03:04:05 GMT"

// TestAnswersLikeNetHTTP holds deliver against the reference implementation, over every combination of conditions.
func TestAnswersLikeNetHTTP(t *testing.T) {
	content := []byte("0123456789abcdefghij")
	plan := streamapi.Plan{Type: "video/mp4", ETag: `"v1"`, Modified: testModified, Parts: []streamapi.Part{{Inline: content[:7]}, {Inline: content[7:]}}}
	ours, reference := serveBoth(plan, content)
	ranges := []string{
		"", "bytes=0-4", "bytes=5-", "bytes=-5", "bytes=-50", "bytes=0-0", "bytes=19-19", "bytes=19-30", "bytes=0-19", "bytes=20-", "bytes=20-30",
		"bytes=5-4", "bytes=a-b", "bytes=1", "bytes=-", "bytes=", "bytes=,", "bytes=0-1,4-5", "bytes= 0-1 , 4-5 ", "bytes=0-1,30-40", "bytes=30-,40-", "bytes=0-,0-",
		"bytes=--5", "bytes=0-1,x", "bytes=2-3,0-1,-1", "bytes=0-9,5-14",
	}
	tags := []string{"", `"v1"`, `W/"v1"`, `"v2"`, `"v2", "v1"`, "*", "v1", `"v2",W/"v1"`, `"v`}
	dates := []string{"", modifiedText, "Fri, 02 Jan 2026 03:04:04 GMT", "Sat, 03 Jan 2026 03:04:05 GMT", "yesterday"}
	for _, rg := range ranges {
		for _, cond := range append(tags, dates...) {
			header := map[string]string{"Range": rg, "If-Range": cond}
			differs(t, fmt.Sprint(header), ours, reference, "GET", header)
		}
	}
	for _, method := range []string{"GET", "HEAD"} {
		for _, match := range tags {
			for _, since := range dates {
				for _, header := range []map[string]string{
					{"If-None-Match": match, "If-Modified-Since": since},
					{"If-Match": match, "If-Unmodified-Since": since},
					{"If-Match": match, "If-None-Match": match, "If-Modified-Since": since},
				} {
					differs(t, method+fmt.Sprint(header), ours, reference, method, header)
				}
			}
		}
	}
}

// TestBetterThanNetHTTP holds deliver to RFC 9110 where net/http departs from it.
func TestBetterThanNetHTTP(t *testing.T) {
	content := []byte("0123456789")
	ours, _ := serveBoth(streamapi.Plan{Type: "video/mp4", ETag: `"v1"`, Parts: []streamapi.Part{{Inline: content}}}, content)
	for _, tt := range []struct {
		why, method, rng string
		status           int
		contentRange     string
	}{
		{"an unknown unit is ignored (14.2)", "GET", "seconds=1-2", 200, ""},
		{"units are case-insensitive (14.1)", "GET", "Bytes=0-1", 206, "bytes 0-1/10"},
		{"ranges are of GET alone (14.2)", "HEAD", "bytes=0-1", 200, ""},
		{"the last no bytes are unsatisfiable (14.1.2)", "GET", "bytes=-0", 416, "bytes */10"},
		{"a sign is no digit (14.1.1)", "GET", "bytes=+1-2", 416, "bytes */10"},
		{"a number may be of any length (14.1.2)", "GET", "bytes=8-99999999999999999999999", 206, "bytes 8-9/10"},
		{"416 says the length (15.5.17)", "GET", "bytes=x", 416, "bytes */10"},
		{"too many ranges are ignored (14.2)", "GET", "bytes=0-0" + strings.Repeat(",1-1", maxRanges), 200, ""},
	} {
		got, body := ask(ours, tt.method, map[string]string{"Range": tt.rng})
		if got.StatusCode != tt.status || got.Header.Get("Content-Range") != tt.contentRange {
			t.Errorf("%s: %d, Content-Range %q", tt.why, got.StatusCode, got.Header.Get("Content-Range"))
		}
		if tt.method == "HEAD" && (body != "" || got.Header.Get("Content-Length") != "10") {
			t.Errorf("%s: %q, Content-Length %s", tt.why, body, got.Header.Get("Content-Length"))
		}
		if strings.HasPrefix(got.Header.Get("Content-Type"), "multipart") {
			t.Errorf("%s: multipart", tt.why)
		}
	}
}

// odd matches the ranges that deliver and net/http treat differently, on purpose.
var odd = regexp.MustCompile(`\+|[0-9]{18}|-[ \t]*0+[ \t]*(,|$)`)

func FuzzRange(f *testing.F) {
	for _, seed := range []string{"bytes=0-1", "bytes=-3", "bytes=2-,1-1", "bytes=9-4", "bytes=99-", "bytes=,,1-2,", "bytes=1-2-3", "items=0-1", "bytes=0-18446744073709551616"} {
		f.Add(seed, uint16(10))
	}
	f.Fuzz(func(t *testing.T, header string, length uint16) {
		size := int64(length % 300)
		spans, err := parseRange(header, size)
		if err != nil && (!errors.Is(err, errRange) || spans != nil) {
			t.Fatalf("error %v with %v", err, spans)
		}
		var total int64
		for _, s := range spans {
			if s.start < 0 || s.length <= 0 || s.start+s.length > size {
				t.Fatalf("%q: span %+v of %d bytes", header, s, size)
			}
			total += s.length
		}
		if total > size || len(spans) > maxRanges {
			t.Fatalf("%q: %d spans, %d bytes of %d", header, len(spans), total, size)
		}
		if size == 0 || !strings.HasPrefix(header, "bytes=") || odd.MatchString(header[6:]) || strings.Count(header, ",") >= maxRanges || strings.Trim(header, " \t") != header || strings.ContainsAny(header, "\r\n") {
			return
		}
		content := bytes.Repeat([]byte("0123456789"), 30)[:size]
		ours, reference := serveBoth(streamapi.Plan{Type: "a/b", ETag: `"v"`, Parts: []streamapi.Part{{Inline: content}}}, content)
		differs(t, header, ours, reference, "GET", map[string]string{"Range": header})
	})
}

// FuzzConditions holds the parser of entity tags and dates against net/http's.
func FuzzConditions(f *testing.F) {
	for _, seed := range []string{`"v1"`, `W/"v1", "v2"`, "*", modifiedText, `"unclosed`, `,,"v1"`, `"a" "v1"`, "W/"} {
		f.Add(seed, seed)
	}
	content := []byte("0123456789")
	ours, reference := serveBoth(streamapi.Plan{Type: "a/b", ETag: `"v1"`, Modified: testModified, Parts: []streamapi.Part{{Inline: content}}}, content)
	f.Fuzz(func(t *testing.T, tag, date string) {
		if strings.ContainsAny(tag+date, "\r\n") || strings.Trim(tag, " \t") != tag || strings.Trim(date, " \t") != date {
			return // no field's value is like that once it is read
		}
		for _, header := range []map[string]string{
			{"If-None-Match": tag, "If-Modified-Since": date},
			{"If-Match": tag, "If-Unmodified-Since": date},
			{"If-Range": tag, "Range": "bytes=1-2"},
			{"If-Range": date, "Range": "bytes=1-2"},
		} {
			differs(t, fmt.Sprint(header), ours, reference, "GET", header)
		}
	})
}

// TestPartsAreTheirConcatenation delivers random plans in random ranges over a real connection.
func TestPartsAreTheirConcatenation(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	b := launch(t, Options{})
	dir := t.TempDir()
	var paths []string
	var contents [][]byte
	for i := range 3 {
		content := make([]byte, 3*chunk)
		for i := range content {
			content[i] = byte(rnd.Uint32())
		}
		path := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		paths, contents = append(paths, path), append(contents, content)
	}
	for range 40 {
		plan, want := randomPlan(rnd, paths, contents)
		b.plans["p/file"] = plan
		size := int64(len(want))
		if got := b.do(t, "GET", "/media/p/file", nil); got.body != string(want) || got.ContentLength != size {
			t.Fatalf("whole: %d bytes of %d, or other ones", len(got.body), size)
		}
		for range 5 {
			if size == 0 {
				break
			}
			start := rnd.Int64N(size)
			end := start + rnd.Int64N(size-start)
			got := b.do(t, "GET", "/media/p/file", map[string]string{"Range": fmt.Sprintf("bytes=%d-%d", start, end)})
			if got.StatusCode != 206 || got.body != string(want[start:end+1]) {
				t.Fatalf("%d-%d of %d: %s, %d bytes", start, end, size, got.Status, len(got.body))
			}
		}
		checkMultipart(t, b, rnd, want)
	}
}

// randomPlan makes a plan of few large or many small parts, and the bytes it stands for.
func randomPlan(rnd *rand.Rand, paths []string, contents [][]byte) (plan streamapi.Plan, want []byte) {
	plan = streamapi.Plan{Type: "video/mp4", ETag: `"x"`}
	largest := []int64{100, gather - 1, gather + 1, 2*chunk + 1}[rnd.IntN(4)]
	for range rnd.IntN(60) {
		n := rnd.Int64N(largest)
		if rnd.IntN(3) == 0 {
			inline := bytes.Repeat([]byte{byte(rnd.Uint32())}, int(n))
			plan.Parts = append(plan.Parts, streamapi.Part{Inline: inline})
			want = append(want, inline...)
			continue
		}
		i := rnd.IntN(len(paths))
		offset := rnd.Int64N(int64(len(contents[i])) - n)
		plan.Parts = append(plan.Parts, streamapi.Part{Path: paths[i], Offset: offset, Length: n})
		want = append(want, contents[i][offset:offset+n]...)
		if len(want) > 8<<20 {
			break
		}
	}
	for plan.Size() > 600<<10 && len(plan.Parts) > 0 && inlineBytes(plan) > 600<<10 {
		return randomPlan(rnd, paths, contents) // what travels between services as JSON is bounded
	}
	return plan, want
}

func inlineBytes(plan streamapi.Plan) (n int) {
	for _, p := range plan.Parts {
		n += len(p.Inline)
	}
	return n
}

func checkMultipart(t *testing.T, b *boat, rnd *rand.Rand, want []byte) {
	t.Helper()
	size := int64(len(want))
	if size < 10 {
		return
	}
	var ranges []string
	var pieces [][]byte
	for i := range int64(3) {
		start := i*size/3 + rnd.Int64N(size/3)
		end := min(start+rnd.Int64N(size/6), size-1)
		ranges, pieces = append(ranges, fmt.Sprintf("%d-%d", start, end)), append(pieces, want[start:end+1])
	}
	got := b.do(t, "GET", "/media/p/file", map[string]string{"Range": "bytes=" + strings.Join(ranges, ",")})
	kind, params, err := mime.ParseMediaType(got.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/byteranges" || got.ContentLength != int64(len(got.body)) {
		t.Fatalf("%v of %d: %s %v", ranges, size, got.Status, got.Header)
	}
	parts := multipart.NewReader(strings.NewReader(got.body), params["boundary"])
	for i, piece := range pieces {
		part, err := parts.NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(part)
		if err != nil || !bytes.Equal(body, piece) || part.Header.Get("Content-Range") != fmt.Sprintf("bytes %s/%d", ranges[i], size) {
			t.Fatalf("part %d of %v: %d bytes, %v, %v", i, ranges, len(body), part.Header, err)
		}
	}
	if _, err := parts.NextRawPart(); err != io.EOF {
		t.Errorf("after the last part: %v", err)
	}
}

func TestFileThatIsNotAsPlanned(t *testing.T) {
	b := launch(t, Options{})
	dir := t.TempDir()
	short := filepath.Join(dir, "short.mp4")
	if err := os.WriteFile(short, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		part   streamapi.Part
		status int
		code   string
	}{
		"gone":           {streamapi.Part{Path: filepath.Join(dir, "gone"), Length: 5}, 404, "not_found"},
		"below a file":   {streamapi.Part{Path: short + "/x", Length: 5}, 404, "not_found"},
		"shorter":        {streamapi.Part{Path: short, Length: 6}, 422, "corrupt"},
		"offset too far": {streamapi.Part{Path: short, Offset: 1 << 62, Length: 1 << 62}, 422, "corrupt"},
		"negative":       {streamapi.Part{Path: short, Offset: -1, Length: 2}, 422, "corrupt"},
		"a directory":    {streamapi.Part{Path: dir, Length: 0}, 400, "invalid"},
	} {
		b.plans["x/file"] = streamapi.Plan{Type: "video/mp4", ETag: `"x"`, Parts: []streamapi.Part{tt.part}}
		got := b.do(t, "GET", "/media/x/file", nil)
		if e := decode[ipc.Error](t, got); got.StatusCode != tt.status || e.Code != tt.code || e.Message == "" {
			t.Errorf("%s: %s %+v", name, got.Status, e)
		}
		if got.Header.Get("ETag") != "" || got.Header.Get("Accept-Ranges") != "" {
			t.Errorf("%s: the error has validators: %v", name, got.Header)
		}
	}
}

// TestFileThatShrinks checks that a client learns that it has not got everything.
func TestFileThatShrinks(t *testing.T) {
	b := launch(t, Options{})
	path := b.file(t, "film", nil)
	const size = 256 << 20 // more than all buffers between
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
	b.plans["film/file"].Parts[0].Length = size
	resp, err := http.Get("http://" + b.addr + "/media/film/file")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.ContentLength != size {
		t.Fatalf("Content-Length %d", resp.ContentLength)
	}
	if err := os.Truncate(path, 1000); err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, resp.Body)
	if !errors.Is(err, io.ErrUnexpectedEOF) || n >= size {
		t.Errorf("got %d bytes, error %v", n, err)
	}
}

func TestOpenErrorsSayWhatToDo(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want error
	}{
		{fs.ErrNotExist, media.ErrNotFound},
		{fs.ErrPermission, media.ErrDenied},
	} {
		err := fileError("/media/a", &fs.PathError{Op: "open", Path: "/media/a", Err: tt.err})
		var e *media.Error
		if !errors.Is(err, tt.want) || !errors.As(err, &e) || e.Hint == "" {
			t.Errorf("%v: %v", tt.err, err)
		}
	}
}
