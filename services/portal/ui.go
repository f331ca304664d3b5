package portal

import (
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
)

// dist is the user interface as its build leaves it; on a fresh checkout it holds nothing to serve.
//
//go:embed all:ui/dist
var dist embed.FS

// site is the user interface. Its files are read-only memory of the program; what is kept besides is each one's
// validator and its compressed form, made when it is first asked for.
type site struct {
	files fs.FS

	mu     sync.Mutex // guards assets
	assets map[string]*asset
}

// asset is one file of the site.
type asset struct {
	kind    string // media type
	tag     validators
	content []byte // whole; nil: too large to keep, or no smaller by gzip
}

func newSite(files fs.FS) *site { return &site{files: files, assets: make(map[string]*asset)} }

// kinds are the media types of what a build of the user interface may hold.
var kinds = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
	".json": "application/json", ".webmanifest": "application/manifest+json", ".svg": "image/svg+xml",
	".txt": "text/plain; charset=utf-8", ".png": "image/png", ".ico": "image/x-icon", ".webp": "image/webp",
	".jpg": "image/jpeg", ".woff2": "font/woff2", ".wasm": "application/wasm",
}

// page serves the user interface: a file of it, or for any other path without a dot the one page whose script reads
// the path.
func (p *Service) page(w http.ResponseWriter, r *http.Request) error {
	if g, ok := p.guest(r); ok && r.URL.Path == "/" && p.watch.unset() && !p.guests.done(g.addr) {
		return turn(w, r, setupPath)
	}
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	if name == "" || !strings.Contains(path.Base(name), ".") {
		name = "index.html"
	}
	a, f, err := p.site.open(name)
	if errors.Is(err, fs.ErrNotExist) && name == "index.html" {
		plainPage(w, r, http.StatusOK, "manofwar", "The user interface is not part of this program: it was built without it.",
			"Run “make ui” in the source, then build again. The API below /api/v1/ works.")
		return nil
	}
	if err != nil {
		return errNoPage(r.URL.Path)
	}
	defer f.Close()
	h := w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("Cache-Control", "no-cache")
	if strings.HasPrefix(name, "assets/") { // the build puts a hash into these names
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if a.content != nil {
		h.Add("Vary", "Accept-Encoding")
	}
	a.tag.set(h)
	if status := a.tag.check(r); status != 0 {
		w.WriteHeader(status)
		return nil
	}
	return a.send(w, r, f)
}

// send writes the compressed form where there is one that the client takes, else the file.
func (a *asset) send(w http.ResponseWriter, r *http.Request, f fs.File) error {
	h := w.Header()
	if a.content != nil && acceptsGzip(r) {
		h.Set("Content-Encoding", "gzip")
		h.Set("Content-Length", strconv.Itoa(len(a.content)))
		if r.Method != http.MethodHead {
			_, _ = w.Write(a.content) // the client has left if this fails
		}
		return nil
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	h.Set("Content-Length", strconv.FormatInt(info.Size(), 10))
	if r.Method != http.MethodHead {
		_, _ = io.Copy(w, f)
	}
	return nil
}

// open returns a file of the site and what is known of it. The caller closes the file.
func (s *site) open(name string) (*asset, fs.File, error) {
	f, err := s.files.Open(name)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = fs.ErrNotExist
	}
	var a *asset
	if err == nil {
		a, err = s.describe(name)
	}
	if err != nil {
		_ = f.Close() // nothing was written
		return nil, nil, err
	}
	return a, f, nil
}

// describe reads a file once and keeps what is made of it.
func (s *site) describe(name string) (*asset, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a, ok := s.assets[name]; ok {
		return a, nil
	}
	body, err := fs.ReadFile(s.files, name)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	a := &asset{
		kind: kinds[path.Ext(name)],
		tag:  validators{etag: `W/"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`},
	}
	if a.kind == "" {
		a.kind = "application/octet-stream"
	}
	if len(body) >= worthCompressing {
		if z := compress(body, gzip.BestCompression); len(z) < len(body)*9/10 {
			a.content = z
		}
	}
	s.assets[name] = a
	return a, nil
}

func errNoPage(path string) error {
	return &media.Error{Op: "open", Path: fmt.Sprintf("%.200q", path), Err: media.ErrNotFound}
}

func errMethod(method, allow string) error {
	return &ipc.Error{
		Status: http.StatusMethodNotAllowed, Code: "method",
		Message: fmt.Sprintf("%.20q is not understood here; expected %s", method, allow),
	}
}
