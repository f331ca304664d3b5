package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/huin/goupnp"
	"github.com/huin/goupnp/dcps/av1"

	"manofwar/netmgr/netnstest"
	castapi "manofwar/services/cast/api"
)

// lan is the home's network in a namespace of its own: this device at .1, a stranger's laptop at .2.
func lan(t *testing.T) *netnstest.Peer {
	laptop := netnstest.NewPeer(t, "laptop")
	laptop.Cable("lan0", "eth0")
	netnstest.IP(t, "addr add 192.168.77.1/24 dev lan0")
	netnstest.IP(t, "link set lan0 up")
	laptop.IP("addr add 192.168.77.2/24 dev eth0")
	return laptop
}

// share sets the owner's choices.
func share(t *testing.T, base, choices string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, base+"/guests", strings.NewReader(choices))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(resp.Body)
		t.Fatalf("PUT %s: %s %s", choices, resp.Status, body)
	}
}

// find searches the network with a stock control point until there is a device of that type.
func find(t *testing.T, kind string) *url.URL {
	t.Helper()
	for t.Context().Err() == nil {
		found, err := goupnp.DiscoverDevicesCtx(t.Context(), "urn:schemas-upnp-org:device:"+kind+":1")
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range found {
			if d.Err != nil {
				t.Fatal(d.Err)
			}
			if d.Root.Device.Manufacturer == "manofwar" {
				return d.Location
			}
		}
	}
	t.Fatal("no " + kind + " was found")
	return nil
}

// ears are a subscriber's.
type ears struct {
	mu    sync.Mutex
	heard []string // messages, in order
	seq   []string
	more  chan struct{}
}

func (e *ears) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard, e.seq = append(e.heard, string(body)), append(e.seq, r.Header.Get("SEQ"))
	select {
	case e.more <- struct{}{}:
	default:
	}
}

// until waits for a message that holds text, escaped as it is in LastChange.
func (e *ears) until(t *testing.T, text string) {
	t.Helper()
	deadline := time.After(time.Minute)
	for {
		e.mu.Lock()
		ok := slices.ContainsFunc(e.heard, func(m string) bool { return strings.Contains(m, text) })
		all := strings.Join(e.heard, "\n")
		e.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-e.more:
		case <-deadline:
			t.Fatalf("%q was not told, but:\n%s", text, all)
		}
	}
}

func serveOn(t *testing.T, h http.Handler) string {
	t.Helper()
	ln, err := net.Listen("tcp", "192.168.77.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(ln) }()
	t.Cleanup(func() { _ = srv.Close(); <-done })
	return "http://" + ln.Addr().String()
}

// TestUPnPRenderer has a stock control point find the TV, send it songs of its own and press its buttons, all by way of cast
// and the player.
func TestUPnPRenderer(t *testing.T) {
	netnstest.Run(t, func(t *testing.T) {
		laptop := lan(t)
		base := serveHere(t, "--player=silent", t.TempDir()) + "/api/v1"
		news := listen(t, base+"/events")
		news.until(t, "the TV", func(kind string, data []byte) bool {
			return kind == "renderers" && strings.Contains(string(data), `"kind":"tv"`)
		})
		if c, err := net.Dial("tcp", "192.168.77.1:49494"); err == nil {
			_ = c.Close()
			t.Error("it is open before the owner wants it")
		}
		share(t, base, `{"renderer":{"on":true}}`)
		location := find(t, "MediaRenderer")
		out, err := laptop.Command("gssdp-discover", "-i", "eth0", "-n", "4", "-t", "urn:schemas-upnp-org:device:MediaRenderer:1").CombinedOutput()
		if !strings.Contains(string(out), location.String()) {
			t.Errorf("gssdp-discover: %s, %v", out, err)
		}
		songs := t.TempDir()
		for i, name := range []string{"a.wav", "b.wav"} {
			if err := os.WriteFile(filepath.Join(songs, name), tone(float64(440*(i+1)), songLength), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		from := serveOn(t, http.FileServer(http.Dir(songs)))
		drive(t, news, location, from)
		share(t, base, `{"renderer":{"on":false}}`)
		for deadline := time.Now().Add(time.Minute); ; {
			c, err := net.Dial("tcp", location.Host)
			if err != nil {
				break
			}
			_ = c.Close()
			if time.Now().After(deadline) {
				t.Fatal("it is open when the owner no longer wants it")
			}
		}
	}, "ffmpeg", "gssdp-discover")
}

const didlOf = `<DIDL-Lite xmlns="urn:schemas-upnp-org:metadata-1-0/DIDL-Lite/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:upnp="urn:schemas-upnp-org:metadata-1-0/upnp/">` +
	`<item id="1" parentID="0" restricted="1"><dc:title>%s</dc:title><upnp:artist>Abe &amp; Co</upnp:artist><upnp:class>object.item.audioItem.musicTrack</upnp:class>` +
	`<res protocolInfo="http-get:*:audio/wav:*" duration="0:00:30.000">x</res></item></DIDL-Lite>`

// drive presses every button.
func drive(t *testing.T, news newspaper, location *url.URL, from string) {
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	transports, err := av1.NewAVTransport1ClientsByURLCtx(ctx, location)
	must(err)
	renderings, err := av1.NewRenderingControl1ClientsByURLCtx(ctx, location)
	must(err)
	connections, err := av1.NewConnectionManager1ClientsByURLCtx(ctx, location)
	must(err)
	tv, level := transports[0], renderings[0]
	if _, sink, err := connections[0].GetProtocolInfoCtx(ctx); err != nil || !strings.Contains(sink, "http-get:*:audio/flac:*") {
		t.Errorf("sink %q, %v", sink, err)
	}
	heard := &ears{more: make(chan struct{}, 1)}
	subscribe(t, &tv.Service.EventSubURL.URL, serveOn(t, heard))
	heard.until(t, `TransportState val=&#34;NO_MEDIA_PRESENT&#34;`)

	if err := tv.PlayCtx(ctx, 0, "1"); err == nil {
		t.Error("nothing was played")
	}
	if err := tv.SetAVTransportURICtx(ctx, 0, "file:///etc/passwd", ""); err == nil {
		t.Error("a file was taken")
	}
	if err := tv.SetAVTransportURICtx(ctx, 0, "http://8.8.8.8/a.mp3", ""); err == nil {
		t.Error("an address of the world was taken")
	}
	must(tv.SetAVTransportURICtx(ctx, 0, from+"/a.wav", fmt.Sprintf(didlOf, "From afar")))
	must(tv.PlayCtx(ctx, 0, "1"))
	heard.until(t, `TransportState val=&#34;PLAYING&#34;`)
	s := news.session(t, "playing what was sent", func(s castapi.Session) bool { return s.State == castapi.Playing })
	if s.Entry.Link == nil || s.Entry.Item.Title != "From afar" || s.Entry.Item.Artists[0] != "Abe & Co" {
		t.Errorf("the session shows %+v", s.Entry)
	}
	position := func() time.Duration {
		t.Helper()
		_, _, meta, uri, at, _, _, _, err := tv.GetPositionInfoCtx(ctx, 0)
		must(err)
		if !strings.Contains(meta, "dc:title") || !strings.HasPrefix(uri, from) {
			t.Errorf("plays %q: %s", uri, meta)
		}
		var h, m int
		var sec float64
		if _, err := fmt.Sscanf(at, "%d:%d:%f", &h, &m, &sec); err != nil {
			t.Fatalf("%q: %v", at, err)
		}
		return time.Duration(float64(time.Second) * (float64(h*3600+m*60) + sec))
	}
	must(tv.PauseCtx(ctx, 0))
	heard.until(t, `TransportState val=&#34;PAUSED_PLAYBACK&#34;`)
	must(tv.SeekCtx(ctx, 0, "REL_TIME", "0:00:20"))
	if at := position(); at < 19*time.Second || at > 21*time.Second {
		t.Errorf("at %v after a seek to 20 s", at)
	}
	must(tv.SetNextAVTransportURICtx(ctx, 0, from+"/b.wav", fmt.Sprintf(didlOf, "The next")))
	if _, _, _, _, next, _, _, _, _, err := tv.GetMediaInfoCtx(ctx, 0); err != nil || next != from+"/b.wav" {
		t.Errorf("next %q, %v", next, err)
	}
	must(level.SetVolumeCtx(ctx, 0, "Master", 33))
	if v, err := level.GetVolumeCtx(ctx, 0, "Master"); err != nil || v != 33 {
		t.Errorf("volume %d, %v", v, err)
	}
	must(level.SetMuteCtx(ctx, 0, "Master", true))
	if m, err := level.GetMuteCtx(ctx, 0, "Master"); err != nil || !m {
		t.Errorf("muted %v, %v", m, err)
	}
	must(level.SetMuteCtx(ctx, 0, "Master", false))
	must(tv.SeekCtx(ctx, 0, "ABS_TIME", "0:00:29"))
	must(tv.PlayCtx(ctx, 0, "1"))
	news.session(t, "playing the next", func(s castapi.Session) bool {
		return s.State == castapi.Playing && s.Entry.Item.Title == "The next" && s.Volume == 33
	})
	heard.until(t, "AVTransportURI val=&#34;"+from+"/b.wav")
	must(tv.StopCtx(ctx, 0))
	heard.until(t, `TransportState val=&#34;STOPPED&#34;`)
	if state, status, _, err := tv.GetTransportInfoCtx(ctx, 0); err != nil || state != "STOPPED" || status != "OK" {
		t.Errorf("%s, %s, %v", state, status, err)
	}
	heard.mu.Lock()
	defer heard.mu.Unlock()
	for i, seq := range heard.seq {
		if seq != strconv.Itoa(i) {
			t.Errorf("message %d has the number %s", i, seq)
		}
	}
}

// subscribe has events told to an address, and refuses to have them told to another host's.
func subscribe(t *testing.T, at *url.URL, callback string) {
	t.Helper()
	for _, tt := range []struct {
		callback string
		want     int
	}{{"http://192.168.77.2:80/", 412}, {"http://127.0.0.1:80/", 412}, {callback, 200}} {
		req, err := http.NewRequestWithContext(t.Context(), "SUBSCRIBE", at.String(), nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("NT", "upnp:event")
		req.Header.Set("Callback", "<"+tt.callback+">")
		req.Header.Set("Timeout", "Second-300")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != tt.want || tt.want == 200 && (resp.Header.Get("SID") == "" || resp.Header.Get("Timeout") != "Second-300") {
			t.Errorf("subscription of %s: %s, %v", tt.callback, resp.Status, resp.Header)
		}
	}
}

// TestUPnPServer has a stock control point walk through everything that is shared, and fetch a part of each file.
func TestUPnPServer(t *testing.T) {
	netnstest.Run(t, func(t *testing.T) {
		lan(t)
		shared, hidden := filepath.Join(t.TempDir(), "Shared"), filepath.Join(t.TempDir(), "Hidden")
		for _, dir := range []string{shared, hidden} {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			for i := range 3 {
				name := fmt.Sprintf("%s %d.wav", filepath.Base(dir), i)
				if err := os.WriteFile(filepath.Join(dir, name), tone(440, time.Second), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		base := serveHere(t, "--player=silent", shared, hidden) + "/api/v1"
		var root string
		listen(t, base+"/events").until(t, "six songs", func(kind string, data []byte) bool {
			var s struct {
				Music int
				Roots []struct{ ID, Name string }
			}
			if kind != "library" || json.Unmarshal(data, &s) != nil || s.Music != 6 {
				return false
			}
			for _, r := range s.Roots {
				if r.Name == "Shared" {
					root = r.ID
				}
			}
			return true
		})
		share(t, base, `{"server":{"on":true,"libraries":["`+root+`"]}}`)
		location := find(t, "MediaServer")
		directories, err := av1.NewContentDirectory1ClientsByURLCtx(t.Context(), location)
		if err != nil {
			t.Fatal(err)
		}
		w := &walk{t: t, directory: directories[0], items: map[string]bool{}}
		w.into(t.Context(), "0")
		if titles := strings.Join(w.titles(), ", "); titles != "Shared 0, Shared 1, Shared 2" {
			t.Errorf("found %s", titles)
		}
		if w.fetched == 0 {
			t.Error("nothing was fetched")
		}
		result, n, total, _, err := w.directory.SearchCtx(t.Context(), "0", `upnp:class derivedfrom "object.item.audioItem" and dc:title contains "shared 1"`, "*", 0, 0, "")
		if err != nil || n != 1 || total != 1 || !strings.Contains(result, "Shared 1") {
			t.Errorf("search: %d of %d, %v: %s", n, total, err, result)
		}
		before, err := w.directory.GetSystemUpdateIDCtx(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		share(t, base, `{"server":{"on":true,"libraries":[]}}`)
		if after, err := w.directory.GetSystemUpdateIDCtx(t.Context()); err != nil || after == before {
			t.Errorf("update %d after %d, %v", after, before, err)
		}
		resp, err := http.Get(w.last)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusNotFound {
			t.Errorf("what is no longer shared: %s", resp.Status)
		}
	}, "ffmpeg")
}

// walk goes through a content directory.
type walk struct {
	t         *testing.T
	directory *av1.ContentDirectory1
	items     map[string]bool // titles
	fetched   int
	last      string // the address fetched last
}

func (w *walk) titles() (all []string) {
	for title := range w.items {
		all = append(all, title)
	}
	slices.Sort(all)
	return all
}

var (
	objectOf   = regexp.MustCompile(`<(item|container) id="([^"]*)" parentID="([^"]*)" restricted="1"(?: childCount="(\d+)")?[^>]*><dc:title>([^<]*)</dc:title>.*?</(?:item|container)>`)
	resourceOf = regexp.MustCompile(`<res protocolInfo="([^"]*)" size="(\d+)"[^>]*>([^<]*)</res>`)
)

// into looks at every object in a container, two at a time.
func (w *walk) into(ctx context.Context, id string) {
	w.t.Helper()
	for start := uint32(0); ; {
		result, n, total, _, err := w.directory.BrowseCtx(ctx, id, "BrowseDirectChildren", "*", start, 2, "")
		if err != nil {
			w.t.Fatalf("browse %s: %v", id, err)
		}
		objects := objectOf.FindAllStringSubmatch(result, -1)
		if len(objects) != int(n) {
			w.t.Fatalf("%s from %d: %d objects, and %d are said to be: %s", id, start, len(objects), n, result)
		}
		for _, o := range objects {
			if o[3] != id {
				w.t.Errorf("%s is in %s and says %s", o[2], id, o[3])
			}
			itself, _, _, _, err := w.directory.BrowseCtx(ctx, o[2], "BrowseMetadata", "*", 0, 0, "")
			if err != nil || !strings.Contains(itself, o[0]) {
				w.t.Errorf("%s of itself: %v\n%s\nin the list:\n%s", o[2], err, itself, o[0])
			}
			if o[1] == "container" {
				_, _, children, _, err := w.directory.BrowseCtx(ctx, o[2], "BrowseDirectChildren", "*", 0, 1, "")
				if want, _ := strconv.Atoi(o[4]); err != nil || int(children) != want {
					w.t.Errorf("%s has %d children and says %s, %v", o[2], children, o[4], err)
				}
				w.into(ctx, o[2])
				continue
			}
			w.items[o[5]] = true
			w.fetch(o[0])
		}
		if start += n; start >= total {
			return
		}
		if n == 0 {
			w.t.Fatalf("%s ends at %d of %d", id, start, total)
		}
	}
}

// fetch gets a part of an item's file.
func (w *walk) fetch(item string) {
	w.t.Helper()
	r := resourceOf.FindStringSubmatch(item)
	if r == nil {
		w.t.Fatalf("no place to fetch it from: %s", item)
	}
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, r[3], nil)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Range", "bytes=4-13")
	req.Header.Set("transferMode.dlna.org", "Streaming")
	req.Header.Set("getcontentFeatures.dlna.org", "1")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusPartialContent || len(body) != 10 || err != nil || resp.Header.Get("Content-Range") != "bytes 4-13/"+r[2] {
		w.t.Errorf("%s: %s, %d bytes, %s, %v", r[3], resp.Status, len(body), resp.Header.Get("Content-Range"), err)
	}
	fields := strings.SplitN(r[1], ":", 4)
	if got := resp.Header.Get("Content-Type"); got != fields[2] {
		w.t.Errorf("%s: sent as %s, offered as %s", r[3], got, fields[2])
	}
	if resp.Header.Get("transferMode.dlna.org") != "Streaming" || !strings.Contains(resp.Header.Get("contentFeatures.dlna.org"), "DLNA.ORG_OP=01") {
		w.t.Errorf("%s: %v", r[3], resp.Header)
	}
	w.fetched++
	w.last = r[3]
}
