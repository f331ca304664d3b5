package dlna

import (
	"context"
	"encoding/xml"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"manofwar/internal/media"
	"manofwar/internal/upnpav"
	"manofwar/services/cast/api"
	"manofwar/services/cast/renderer"
)

var update = flag.Bool("update", false, "write the goldens")

// set is a television on the wire: the description, the services' descriptions and the control addresses, as the UPnP
// Device Architecture has them.
type set struct {
	*httptest.Server
	box

	udn string // without "uuid:"

	mu   sync.Mutex
	meta string
	base string // URLBase; empty: none
}

func newSet(t *testing.T) *set {
	s := unplugged()
	s.Server = httptest.NewServer(s.handler())
	t.Cleanup(s.Close)
	return s
}

// unplugged returns a television that is on no network.
func unplugged() *set {
	return &set{box: box{length: 3 * time.Minute, pauses: true, next: true, state: "NO_MEDIA_PRESENT", volume: 20}, udn: "2fac1234-31f8-11b4-a222-08002b34c003"}
}

func (s *set) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /desc.xml", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, s.description()) })
	mux.HandleFunc("GET /scpd/{name}", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, map[string]string{
			"av": `<scpd xmlns="urn:schemas-upnp-org:service-1-0"><actionList><action><name>Play</name></action><action><name> SetNextAVTransportURI </name></action></actionList></scpd>`,
			"rc": `<scpd xmlns="urn:schemas-upnp-org:service-1-0"><actionList><action><name>SetVolume</name></action></actionList><serviceStateTable><stateVariable><name>Volume</name><allowedValueRange><minimum>0</minimum><maximum>40</maximum></allowedValueRange></stateVariable></serviceStateTable></scpd>`,
		}[r.PathValue("name")])
	})
	mux.HandleFunc("POST /ctl/{name}", s.control)
	return mux
}

func (s *set) description() string {
	services := ""
	for name, typ := range map[string]string{"av": "AVTransport", "rc": "RenderingControl", "cm": "ConnectionManager"} {
		services += `<service><serviceType>urn:schemas-upnp-org:service:` + typ + `:1</serviceType><serviceId>urn:upnp-org:serviceId:` + typ +
			`</serviceId><SCPDURL>/scpd/` + name + `</SCPDURL><controlURL>ctl/` + name + `</controlURL><eventSubURL>/evt/` + name + `</eventSubURL></service>`
	}
	return `<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0">` + s.base + `<specVersion><major>1</major><minor>0</minor></specVersion><device>
<deviceType>urn:schemas-upnp-org:device:MediaRenderer:1</deviceType><friendlyName>Living &amp; room
TV</friendlyName><modelName>X-1000</modelName><UDN>uuid:` + s.udn + `</UDN><serviceList>` + services + `</serviceList></device></root>`
}

var argument = regexp.MustCompile(`<(\w+)>([^<]*)</(\w+)>`)

// control answers a SOAP action.
func (s *set) control(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	_, action, _ := strings.Cut(strings.Trim(r.Header.Get("SOAPACTION"), `"`), "#")
	in := map[string]string{}
	for _, m := range argument.FindAllStringSubmatch(string(body), -1) {
		var text string
		_ = xml.Unmarshal([]byte("<a>"+m[2]+"</a>"), &text)
		in[m[1]] = text
	}
	out, err := s.act(r.Context(), action, in)
	if err != nil {
		w.WriteHeader(500)
		io.WriteString(w, `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring></s:Fault></s:Body></s:Envelope>`)
		return
	}
	fmt.Fprintf(w, `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><u:%sResponse xmlns:u="urn:x">%s</u:%[1]sResponse></s:Body></s:Envelope>`, action, out)
}

func (s *set) act(ctx context.Context, action string, in map[string]string) (string, error) {
	switch action {
	case "SetAVTransportURI":
		s.mu.Lock()
		s.meta = in["CurrentURIMetaData"]
		s.mu.Unlock()
		return "", s.SetURI(ctx, in["CurrentURI"], "")
	case "SetNextAVTransportURI":
		return "", s.SetNext(ctx, in["NextURI"], "")
	case "Play":
		return "", s.Play(ctx)
	case "Pause":
		return "", s.Pause(ctx)
	case "Stop":
		return "", s.Stop(ctx)
	case "Seek":
		to, err := upnpav.ParseTime(in["Target"])
		if err != nil || in["Unit"] != "REL_TIME" {
			return "", errUPnP
		}
		return "", s.Seek(ctx, to)
	case "GetTransportInfo":
		p, err := s.Playback(ctx)
		return "<CurrentTransportState>" + p.state + "</CurrentTransportState><CurrentTransportStatus>OK</CurrentTransportStatus><CurrentSpeed>1</CurrentSpeed>", err
	case "GetPositionInfo":
		p, err := s.Playback(ctx)
		return "<Track>1</Track><TrackDuration>" + formatTime(p.duration) + "</TrackDuration><TrackMetaData/><TrackURI>" + strings.ReplaceAll(p.uri, "&", "&amp;") +
			"</TrackURI><RelTime>" + formatTime(p.at) + "</RelTime><AbsTime>NOT_IMPLEMENTED</AbsTime><RelCount>2147483647</RelCount><AbsCount>2147483647</AbsCount>", err
	case "GetVolume":
		v, _, err := s.Volume(ctx)
		return fmt.Sprintf("<CurrentVolume>%d</CurrentVolume>", v), err
	case "GetMute":
		return "<CurrentMute>0</CurrentMute>", nil
	case "SetVolume":
		var v int
		fmt.Sscan(in["DesiredVolume"], &v)
		return "", s.SetVolume(ctx, v)
	case "SetMute":
		return "", nil
	case "GetProtocolInfo":
		return "<Source></Source><Sink>http-get:*:audio/mpeg:DLNA.ORG_PN=MP3,http-get:*:audio/x-flac:*,rtsp-rtp-udp:*:audio/ogg:*</Sink>", nil
	}
	return "", errUPnP
}

func TestDescribeAndControl(t *testing.T) {
	s := newSet(t)
	c, info, err := describe(t.Context(), newClient(), s.URL+"/desc.xml")
	if err != nil {
		t.Fatal(err)
	}
	want := api.Renderer{ID: "dlna-2fac1234-31f8-11b4-a222-08002b34c003", Kind: api.DLNA, Name: "Living & room TV", Detail: "X-1000", Volume: true}
	if info != want {
		t.Errorf("got %+v; want %+v", info, want)
	}
	if !c.CanNext() || c.loudest != 40 || !slices.Equal(c.Takes(), []string{"audio/mpeg", "audio/x-flac"}) {
		t.Errorf("it can go on: %t, as loud as %d, takes %q", c.CanNext(), c.loudest, c.Takes())
	}
	ctx := t.Context()
	if v, muted, err := c.Volume(ctx); v != 50 || muted || err != nil {
		t.Errorf("volume %d, %v", v, err)
	}
	if err := c.SetVolume(ctx, 25); err != nil || s.volume != 10 {
		t.Errorf("volume %d, %v", s.volume, err)
	}
	it := renderer.Item{Key: "s1.a.1", Media: media.Item{ID: "i1", Kind: media.Music, Container: "mp3", Tags: media.Tags{Title: "Me & <you>"}}}
	if err := c.SetURI(ctx, address("http://192.0.2.1:80", &it), didl("http://192.0.2.1:80", &it, protocol{"audio/mpeg", "MP3"})); err != nil {
		t.Fatal(err)
	}
	if err := c.Seek(ctx, time.Minute); err == nil {
		t.Error("went to a place while nothing plays")
	}
	if err := c.Play(ctx); err != nil {
		t.Fatal(err)
	}
	p, err := c.Playback(ctx)
	if err != nil || p.state == "" || keyOf(p.uri, "http://192.0.2.1:80") != "s1.a.1" || p.duration != 3*time.Minute {
		t.Errorf("%+v, %v", p, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var meta struct {
		Item struct {
			Title string `xml:"title"`
		} `xml:"item"`
	}
	if err := xml.Unmarshal([]byte(s.meta), &meta); err != nil || meta.Item.Title != "Me & <you>" {
		t.Errorf("described as %s, %v", s.meta, err)
	}
}

// TestOwnRendererIsNoPlace leaves out what others play on here: it is the TV, which is a place already.
func TestOwnRendererIsNoPlace(t *testing.T) {
	s := newSet(t)
	text := strings.Replace(s.description(), "<modelName>", "<manufacturer>"+ownMake+"</manufacturer><modelName>", 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, text) }))
	defer srv.Close()
	if _, _, err := describe(t.Context(), newClient(), srv.URL+"/desc.xml"); err == nil || !strings.Contains(err.Error(), "this device itself") {
		t.Errorf("got %v", err)
	}
}

func TestForeignAddressesAreRefused(t *testing.T) {
	base, err := url.Parse("http://192.0.2.7:8080/desc.xml")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		urlBase, control string
		ok               bool
	}{
		{"", "/ctl", true},
		{"", "http://192.0.2.7:9000/ctl", true},
		{"http://192.0.2.7:9/", "ctl", true},
		{"", "http://192.0.2.8/ctl", false},
		{"", "http://127.0.0.1/ctl", false},
		{"http://evil.example/", "ctl", false},
		{"", "file:///etc/passwd", false},
	} {
		text := `<root xmlns="urn:schemas-upnp-org:device-1-0"><URLBase>` + c.urlBase + `</URLBase><device><serviceList><service><controlURL>` + c.control + `</controlURL><SCPDURL>/s</SCPDURL></service></serviceList></device></root>`
		if _, err := parseDescription([]byte(text), base); (err == nil) != c.ok {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestLongAnswersAreCutOff(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/elsewhere" {
			http.Redirect(w, r, "/", http.StatusFound)
			return
		}
		_, _ = w.Write(make([]byte, 2*maxAnswer))
	}))
	defer srv.Close()
	u, _ := url.Parse(srv.URL)
	data, err := get(t.Context(), newClient(), u)
	if err != nil || len(data) != maxAnswer {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	u.Path = "/elsewhere"
	if _, err := get(t.Context(), newClient(), u); err == nil {
		t.Error("followed elsewhere")
	}
}

func TestAnswers(t *testing.T) {
	from := netip.MustParseAddr("192.0.2.7")
	answer := func(st, location string) string {
		return "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=1800\r\nEXT:\r\nLOCATION: " + location + "\r\nST: " + st + "\r\nUSN: uuid:x\r\n\r\n"
	}
	for _, c := range []struct {
		name, text, want string
	}{
		{"good", answer(mediaRenderer, "http://192.0.2.7:49152/desc.xml"), "http://192.0.2.7:49152/desc.xml"},
		{"a later version", answer("urn:schemas-upnp-org:device:MediaRenderer:3", "http://192.0.2.7/d"), "http://192.0.2.7/d"},
		{"another device", answer("upnp:rootdevice", "http://192.0.2.7/d"), ""},
		{"another's address", answer(mediaRenderer, "http://192.0.2.8/d"), ""},
		{"this device", answer(mediaRenderer, "http://127.0.0.1/d"), ""},
		{"a name", answer(mediaRenderer, "http://tv.local/d"), ""},
		{"another scheme", answer(mediaRenderer, "https://192.0.2.7/d"), ""},
		{"a password", answer(mediaRenderer, "http://u:p@192.0.2.7/d"), ""},
		{"an error", strings.Replace(answer(mediaRenderer, "http://192.0.2.7/d"), "200", "404", 1), ""},
		{"nothing", "", ""},
		{"long", answer(mediaRenderer, "http://192.0.2.7/"+strings.Repeat("x", maxURL)), ""},
	} {
		if got, err := parseAnswer([]byte(c.text), from); got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s: got %q, %v", c.name, got, err)
		}
	}
}

func TestTimesAreWrittenInSeconds(t *testing.T) {
	if got := formatTime(time.Hour + 2*time.Minute + 3600*time.Millisecond); got != "1:02:04" {
		t.Errorf("written %s", got)
	}
}

func TestDescriptions(t *testing.T) {
	film := media.Item{
		ID: "f1", Kind: media.Film, Path: "Films/Der Film.mp4", Container: "mp4", Size: 123456789, Duration: media.Duration(5400 * time.Second),
		Streams: []media.Stream{{Kind: media.Video, Codec: "h264", Width: 1920}, {Kind: media.Audio, Codec: "aac"}},
	}
	song := media.Item{
		ID: "i1", Kind: media.Music, Container: "flac", Size: 1000, Duration: media.Duration(200 * time.Second), Cover: &media.Range{Length: 5, Type: "image/jpeg"},
		Tags: media.Tags{Title: "Me & <you>", Artists: []string{"A", "B"}, Album: "Songs", Track: 3, Year: 1999},
	}
	for name, c := range map[string]struct {
		it    media.Item
		takes []string
		ok    bool
	}{
		"film":            {film, []string{"video/mp4"}, true},
		"song":            {song, []string{"audio/x-flac"}, true},
		"song-to-any":     {song, nil, true},
		"song-not-taken":  {song, []string{"audio/mpeg"}, false},
		"film-as-generic": {film, []string{"video/*"}, true},
	} {
		p, ok := protocolFor(c.it, c.takes)
		if ok != c.ok {
			t.Errorf("%s: taken %t", name, ok)
		}
		if !ok {
			continue
		}
		got := didl("http://192.0.2.1", &renderer.Item{Key: "s1.a.1", Media: c.it}, p) + "\n"
		golden := filepath.Join("testdata", name+".xml")
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil || got != string(want) {
			t.Errorf("%s: %v\ngot  %s\nwant %s", name, err, got, want)
		}
	}
}

// TestNetworkFollowsDevices finds a device, plays on it over loopback, and lets go of it when the owner wants no more.
func TestNetworkFollowsDevices(t *testing.T) {
	s := newSet(t)
	found, lost := make(chan api.Renderer, 10), make(chan string, 10)
	l := &guests{found: found, lost: lost}
	n := New(l, 8080, slog.New(slog.DiscardHandler))
	n.find = func(_ context.Context, found func(string)) { found(s.URL + "/desc.xml") }
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); n.Run(ctx) }()
	n.Set(true)
	info := <-found
	if info.Name != "Living & room TV" {
		t.Errorf("found %+v", info)
	}
	to := l.to()
	to.Order(renderer.Order{Entry: &items(1)[0], Play: true, Seek: api.Seek{Number: 1}, Speed: 1})
	deadline := time.After(20 * time.Second)
	for playing := false; !playing; {
		select {
		case r := <-l.reports():
			playing = r.State == api.Playing && r.Key == "s1.1.1"
		case <-deadline:
			t.Fatal("it does not play")
		}
	}
	n.Set(false)
	if id := <-lost; id != info.ID {
		t.Errorf("lost %s", id)
	}
	s.box.mu.Lock()
	if s.state != "STOPPED" || !strings.HasPrefix(s.uri, "http://127.0.0.1:8080/media/i0/file") {
		t.Errorf("left %s with %s", s.state, s.uri)
	}
	s.box.mu.Unlock()
	cancel()
	<-done
}

// guests is a listener that tells of devices.
type guests struct {
	found chan api.Renderer
	lost  chan string

	mu  sync.Mutex
	out []renderer.Renderer // in the order of their finding
	rep chan renderer.Report
}

func (g *guests) Found(info api.Renderer, to renderer.Renderer) {
	g.mu.Lock()
	g.out = append(g.out, to)
	g.mu.Unlock()
	g.found <- info
}
func (g *guests) Lost(id string) { g.lost <- id }
func (g *guests) Reported(_ string, r renderer.Report) {
	select {
	case g.reports() <- r:
	default:
	}
}

// to returns the one that was found last.
func (g *guests) to() renderer.Renderer { g.mu.Lock(); defer g.mu.Unlock(); return g.out[len(g.out)-1] }

func (g *guests) reports() chan renderer.Report {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.rep == nil {
		g.rep = make(chan renderer.Report, 100)
	}
	return g.rep
}

func TestNothingIsSearchedForUntilItIsWanted(t *testing.T) {
	n := New(&guests{}, 8080, slog.New(slog.DiscardHandler))
	n.find = func(context.Context, func(string)) { t.Error("searched") }
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	n.Run(ctx)
	n = New(&guests{}, 0, slog.New(slog.DiscardHandler)) // the page is for this computer only: no device could fetch anything
	n.find = func(context.Context, func(string)) { t.Error("searched") }
	n.Set(true)
	ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	n.Run(ctx)
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nLOCATION: http://192.0.2.7/d\r\nST: " + mediaRenderer + "\r\n\r\n"))
	from := netip.MustParseAddr("192.0.2.7")
	f.Fuzz(func(t *testing.T, data []byte) {
		if location, err := parseAnswer(data, from); err == nil && !strings.HasPrefix(location, "http://192.0.2.7") {
			t.Errorf("led to %q", location)
		}
	})
}

func FuzzDescription(f *testing.F) {
	f.Add([]byte((&set{}).description()))
	f.Add([]byte(`<scpd xmlns="urn:schemas-upnp-org:service-1-0"><serviceStateTable><stateVariable><name>Volume</name></stateVariable></serviceStateTable></scpd>`))
	base, _ := url.Parse("http://192.0.2.7/d")
	f.Fuzz(func(t *testing.T, data []byte) {
		if root, err := parseDescription(data, base); err == nil {
			_, _ = newUPnP(root, base, http.DefaultClient)
			idOf(root.Device.UDN)
			cleanName(root.Device.FriendlyName)
		}
		parseSCPD(data).most("Volume")
		parseSink(string(data))
	})
}
