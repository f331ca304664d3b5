package mpd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"manofwar/internal/media"
	castapi "manofwar/services/cast/api"
)

// TestIdle tells clients of what others do, and of nothing else.
func TestIdle(t *testing.T) {
	h := live(t, 8)
	a, b := h.call(t), h.call(t)
	hear := func(of string, want ...string) {
		t.Helper()
		a.write(t, strings.TrimSpace("idle "+of)+"\n")
		got := a.answer(t)
		for i, name := range want {
			want[i] = "changed: " + name
		}
		slices.Sort(got[:len(got)-1])
		if !slices.Equal(got[:len(got)-1], want) {
			t.Errorf("idle %s: %v, want %v", of, got, want)
		}
	}
	b.must(t, `add "Music/Artist 0/Album 0"`)
	hear("playlist", "playlist")
	b.must(t, "play")
	hear("player", "player")
	b.until(t, "state: play")
	b.must(t, "setvol 20")
	hear("mixer", "mixer")
	b.must(t, "repeat 1")
	hear("options", "options")
	b.must(t, "disableoutput 0")
	hear("output", "output")
	h.catalog.change(t, func(items []media.Item) []media.Item { return items[1:] })
	hear("database", "database")
	if got := b.must(t, "count artist \"Artist 0\""); got[0] != "songs: 7" {
		t.Errorf("after the news: %v", got)
	}
	a.write(t, "idle sticker partition message\nnoidle\n") // of which there never are any
	if got := a.answer(t); !slices.Equal(got, []string{"OK"}) {
		t.Errorf("noidle: %v", got)
	}
	a.write(t, "idle sticker\nping\n")
	if got := a.answer(t); !strings.HasPrefix(got[0], "ACK [2@0]") {
		t.Errorf("ping while idle: %v", got)
	}
	if _, err := a.in.ReadByte(); err != io.EOF {
		t.Errorf("and then: %v", err)
	}
}

// TestChanges follows a queue by its changes, as clients do, through edits of every kind and a change of the session.
func TestChanges(t *testing.T) {
	h := live(t, 40)
	c := h.call(t)
	var known []string // IDs
	version := "0"
	check := func(when string, most int) {
		t.Helper()
		status := c.must(t, "status")
		changes := c.must(t, "plchangesposid "+version)
		length := 0
		_, _ = fmt.Sscan(field(status, "playlistlength"), &length)
		known = slices.Grow(known[:min(len(known), length)], length)[:length]
		for pair := range slices.Chunk(changes, 2) {
			var place int
			_, _ = fmt.Sscan(field(pair, "cpos"), &place)
			known[place] = field(pair, "Id")
		}
		if len(changes)/2 > most {
			t.Errorf("%s: %d changes, at most %d were made", when, len(changes)/2, most)
		}
		version = field(status, "playlist")
		var now []string
		for _, line := range c.must(t, "playlistid") {
			if id, ok := strings.CutPrefix(line, "Id: "); ok {
				now = append(now, id)
			}
		}
		if !slices.Equal(known, now) {
			t.Errorf("%s: known %v, is %v", when, known, now)
		}
		if again := c.must(t, "plchanges "+version); len(again) > 0 {
			t.Errorf("%s: changes since now: %v", when, again)
		}
	}
	c.must(t, `add ""`)
	check("filled", 40)
	c.must(t, "move 3 30")
	check("moved", 28)
	c.must(t, "delete 38")
	check("deleted", 1)
	c.must(t, `addid "Music/Artist 0/Album 0/1 - Song 0.flac"`)
	check("added", 1)
	c.must(t, "swap 4 9")
	check("swapped", 2)
	c.must(t, "shuffle 10:20")
	check("shuffled", 10)
	c.must(t, "random 1")
	check("at random", 40)
	for range 2 * maxPast {
		c.must(t, "move 1 2")
		c.must(t, "plchangesposid 1 0:1")
	}
	if got := len(h.server.house.past); got > maxPast {
		t.Errorf("%d orders remembered", got)
	}
	check("moved again and again", 40)
	s, err := h.cast.Sessions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := h.cast.Stop(t.Context(), s.Sessions[0].ID); err != nil {
		t.Fatal(err)
	}
	check("stopped by somebody else", 0)
	if _, err := h.cast.Play(t.Context(), castapi.Play{Renderer: castapi.TV, What: castapi.What{Items: []media.ID{"i3", "i4"}}}); err != nil {
		t.Fatal(err)
	}
	check("another session", 2)
}

// TestStrangers has a queue hold what is not shared: it keeps its place and says what it is called, and cannot be found or
// played by its name.
func TestStrangers(t *testing.T) {
	h := live(t, 4)
	items := []media.ID{"secret", "i1", "film", "gone"}
	if _, err := h.cast.Play(t.Context(), castapi.Play{Renderer: castapi.TV, What: castapi.What{Items: items}}); err != nil {
		t.Fatal(err)
	}
	c := h.call(t)
	c.until(t, "state: play")
	want := "file: .hidden/secret\nTitle: Dear diary\nPos: 0\nId: 1\n" +
		"file: Music/Artist 0/Album 0/2 - Song 1.flac\nLast-Modified: 2024-05-06T07:08:09Z\nArtist: Artist 0\nAlbum: Album 0\nTitle: Song 1\nTrack: 2\nGenre: Jazz\nDate: 1990\nTime: 200\nduration: 200.000\nPos: 1\nId: 2\n" +
		"file: Music/A film.mkv\nLast-Modified: 2024-05-06T07:08:09Z\nTitle: A film\nTime: 3600\nduration: 3600.000\nPos: 2\nId: 3\n" +
		"file: .hidden/gone\nTitle: ?\nPos: 3\nId: 4"
	for range 2 { // without the tree, and with it
		if got := strings.Join(c.must(t, "playlistinfo"), "\n"); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		if got := c.must(t, "currentsong"); !slices.Equal(got, strings.Split(want, "\n")[:4]) {
			t.Errorf("plays %v", got)
		}
		c.must(t, "stats")
	}
	for _, command := range []string{"add .hidden/secret", "addid .hidden/secret", "lsinfo .hidden/secret", "lsinfo .hidden", "readpicture .hidden/secret 0", "albumart Cellar/diary/1.flac 0"} {
		if got := c.say(t, command); !strings.HasPrefix(got[0], "ACK [50@0]") {
			t.Errorf("%s: %v", command, got)
		}
	}
	if got := c.must(t, "search any diary"); len(got) > 0 {
		t.Errorf("found %v", got)
	}
	link := castapi.Link{URL: "http://192.168.1.2/a.mp3", Kind: media.Music, Title: "From a phone", Artist: "Somebody"}
	if _, err := h.cast.Play(t.Context(), castapi.Play{Renderer: castapi.TV, What: castapi.What{Links: []castapi.Link{link}}}); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"playlistinfo", "currentsong"} {
		got := c.must(t, command)
		if len(got) != 4 || !strings.HasPrefix(got[0], "file: .hidden/") || got[1] != "Title: From a phone" {
			t.Errorf("%s: %v", command, got)
		}
	}
	if _, err := h.cast.Play(t.Context(), castapi.Play{Renderer: castapi.TV, What: castapi.What{Items: items}}); err != nil {
		t.Fatal(err)
	}
	h.share(t, "music", "cellar")
	if got := field(c.must(t, "search any diary"), "file"); got != "Cellar/diary/1.flac" {
		t.Errorf("once it is shared: %q", got)
	}
	if got := c.must(t, "currentsong"); got[0] != "file: Cellar/diary/1.flac" {
		t.Errorf("once it is shared, plays %v", got)
	}
	h.share(t) // nothing
	if got := c.must(t, `lsinfo ""`); len(got) > 0 {
		t.Errorf("shown %v", got)
	}
	if got := c.must(t, "playlistinfo 1"); got[0] != "file: .hidden/i1" {
		t.Errorf("still whole: %v", got)
	}
}

// TestPictures reads pictures in parts, from a file and from memory.
func TestPictures(t *testing.T) {
	h := live(t, 4)
	dir := t.TempDir()
	want := pictureFile(t, dir)
	h.server.opts.Open = inDir(dir)
	c := h.call(t)
	read := func(command string) (data []byte, kind string) {
		t.Helper()
		for {
			got := c.must(t, fmt.Sprintf("%s %d", command, len(data)))
			if len(got) == 0 {
				return nil, ""
			}
			part := got[len(got)-1]
			if kind = field(got, "type"); part == "" {
				return data, kind
			}
			if data = append(data, part...); len(part) > 5000 {
				t.Fatalf("%d bytes at once", len(part))
			}
		}
	}
	c.must(t, "binarylimit 5000")
	for _, tt := range []struct {
		command, kind string
		want          []byte
	}{
		{`readpicture "Music/Artist 0/Album 0/1 - Song 0.flac"`, "image/jpeg", want},
		{`albumart "Music/Artist 0/Album 0/1 - Song 0.flac"`, "", want},
		{`readpicture "Music/Artist 0/Album 0/2 - Song 1.flac"`, "image/png", []byte("picture")},
		{`readpicture "Music/Artist 0/Album 0/3 - Song 2.flac"`, "", nil},
	} {
		if got, kind := read(tt.command); !bytes.Equal(got, tt.want) || kind != tt.kind {
			t.Errorf("%s: %d bytes of %q, want %d", tt.command, len(got), kind, len(tt.want))
		}
	}
	h.share(t) // nothing: not what is half read either
	if got := c.say(t, `readpicture "Music/Artist 0/Album 0/2 - Song 1.flac" 3`); !slices.Equal(got, []string{"ACK [50@0] {readpicture} No such song"}) {
		t.Errorf("once it is not shared: %v", got)
	}
	h.share(t, "music")
	for command, want := range map[string]string{
		`albumart "Music/Artist 0/Album 0/3 - Song 2.flac" 0`:        "ACK [50@0] {albumart} No file exists",
		`albumart "Music/Artist 0" 0`:                                "ACK [50@0] {albumart} No such song",
		`readpicture "Music/Artist 0/Album 0/2 - Song 1.flac" 8`:     "ACK [2@0] {readpicture} Bad file offset",
		`readpicture "Music/Artist 0/Album 0/2 - Song 1.flac" -1`:    "ACK [2@0] {readpicture} an offset expected: -1",
		`readpicture "Music/Artist 0/Album 0/2 - Song 1.flac" later`: "ACK [2@0] {readpicture} an offset expected: later",
	} {
		if got := c.say(t, command); !slices.Equal(got, []string{want}) {
			t.Errorf("%s: %v", command, got)
		}
	}
}

// TestOutputs has music go from the TV to a page and back, and a page that nobody plays on do nothing.
func TestOutputs(t *testing.T) {
	h := live(t, 4)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	orders := make(chan string, 100)
	go func() {
		for ev, err := range h.cast.Offer(ctx, "page-12345678", "Kitchen") {
			if err != nil {
				return
			}
			orders <- string(ev.Data)
		}
	}()
	<-orders // it is there
	c := h.call(t)
	c.must(t, `add ""`)
	c.must(t, "play 2")
	c.until(t, "state: play", "song: 2")
	if got := strings.Join(c.must(t, "outputs"), ", "); got != "outputid: 0, outputname: Test TV, plugin: tv, outputenabled: 1, outputid: 1, outputname: Kitchen, plugin: browser, outputenabled: 0" {
		t.Errorf("outputs: %s", got)
	}
	c.must(t, "enableoutput 1")
	for order := range orders {
		if strings.Contains(order, "Song 2") {
			break
		}
	}
	status := c.until(t, "song: 2", "playlistlength: 4")
	if got := c.must(t, "outputs"); got[3] != "outputenabled: 0" || got[7] != "outputenabled: 1" {
		t.Errorf("moved: %v", got)
	}
	if got := c.say(t, "setvol 50"); got[0] != "OK" && !strings.Contains(got[0], "problems setting volume") {
		t.Errorf("setvol: %v", got)
	}
	c.must(t, "toggleoutput 0")
	if again := c.until(t, "state: play", "song: 2"); field(again, "songid") != field(status, "songid") {
		t.Errorf("back: %v", again)
	}
}

// TestBounds says too much.
func TestBounds(t *testing.T) {
	h := live(t, 4)
	c := h.call(t)
	if got := c.say(t, strings.Repeat("x", maxLine+10)); !strings.HasPrefix(got[0], "ACK [2@0] {} a line of more than") {
		t.Errorf("a long line: %.200v", got)
	}
	if _, err := c.in.ReadByte(); err == nil {
		t.Error("it goes on after a line that is too long")
	}
	c = h.call(t)
	line := "find title \"" + strings.Repeat("x", maxLine-100) + "\"\n"
	c.write(t, "command_list_begin\n")
	go func() { _, _ = io.WriteString(c.conn, strings.Repeat(line, maxList/len(line)+1)) }()
	if got := c.answer(t); !strings.Contains(got[0], "the command list is too long") {
		t.Errorf("a long list: %.200v", got)
	}
	_, _ = io.Copy(io.Discard, c.in) // until it has been closed
	if h.server.reserve(maxLists) != nil {
		t.Error("what it took is not given back")
	}
	_ = h.server.reserve(-maxLists)
	if got := h.call(t).say(t, "find "+strings.Repeat("(", 40)); !strings.Contains(got[0], "in each other") {
		t.Errorf("a deep filter: %v", got)
	}
	if got := h.call(t).say(t, "find"+strings.Repeat(" a", maxArgs+1)); !strings.Contains(got[0], "too many arguments") {
		t.Errorf("many arguments: %v", got)
	}
}

// TestForeigners speak something else than this protocol: nothing of what they send is done, whatever it says further on.
func TestForeigners(t *testing.T) {
	h := live(t, 4)
	c := h.call(t)
	c.must(t, `add ""`)
	for _, said := range []string{
		"POST / HTTP/1.1\r\nHost: x\r\n\r\nclear\n", "GET /clear HTTP/1.1\r\n\r\n", "\r\nclear\n", "\nclear\n", " clear\nclear\n", "\"clear\"\nclear\n", "Clear\nclear\n",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\nclear\n", "\x00\nclear\n", "idle\nPOST /\nclear\n", "command_list_begin\nPOST /\nclear\ncommand_list_end\n",
	} {
		foreign := h.call(t)
		foreign.write(t, said)
		got, err := io.ReadAll(foreign.in) // until it is closed; what was not read of it may have it reset
		if nerr, ok := errors.AsType[net.Error](err); len(got) > 0 || ok && nerr.Timeout() {
			t.Errorf("%q is answered %q, %v", said, got, err)
		}
	}
	if got := field(c.must(t, "status"), "playlistlength"); got != "4" {
		t.Errorf("the queue holds %s", got)
	}
}

// TestMaxClients turns one away, and lets it in once another has left.
func TestMaxClients(t *testing.T) {
	h := live(t, 0)
	clients := make([]*caller, maxClients)
	for i := range clients {
		clients[i] = h.call(t)
	}
	conn, err := net.Dial("tcp", h.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got, _ := io.ReadAll(conn); string(got) != "ACK [52@0] {} too many clients\n" {
		t.Errorf("one too many: %q", got)
	}
	clients[0].write(t, "close\n")
	if got, _ := io.ReadAll(clients[0].in); len(got) > 0 {
		t.Errorf("close: %q", got)
	}
	for { // it leaves a moment later
		conn, err := net.Dial("tcp", h.address)
		if err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 3)
		_, err = io.ReadFull(conn, buf)
		_ = conn.Close()
		if string(buf) == "OK " && err == nil {
			return
		}
	}
}

// TestMaxClientsPer turns away one too many from an address, and nobody from another.
func TestMaxClientsPer(t *testing.T) {
	s := New(Options{})
	come := func(from string, want bool) *client {
		t.Helper()
		c := newClient(s, addressed{from: from, at: "192.168.4.1"})
		if got := s.enter(c); got != want {
			t.Fatalf("with %d there, from %s: %v", len(s.clients), from, got)
		}
		return c
	}
	first := come("192.168.4.7", true)
	for range maxClientsPer - 1 {
		come("::ffff:192.168.4.7", true)
	}
	come("192.168.4.7", false)
	s.leave(first)
	come("192.168.4.7", true)
	come("192.168.4.8", true)
	for range maxClients - maxClientsPer - 1 {
		come("127.0.0.1", true)
	}
	come("127.0.0.1", false)
}

// TestNear lets in who is in the home.
func TestNear(t *testing.T) {
	for _, tt := range []struct {
		from, at string
		want     bool
	}{
		{"127.0.0.1", "127.0.0.1", true},
		{"192.168.4.7", "192.168.4.1", true},
		{"172.31.0.9", "10.0.0.1", true},
		{"::ffff:10.1.2.3", "::ffff:10.1.2.4", true},
		{"fe80::1", "fe80::2", true},
		{"fd00::5", "fd00::6", true},
		{"2001:db8:1:2::5", "2001:db8:1:2::9", true},
		{"2001:db8:1:3::5", "2001:db8:1:2::9", false},
		{"203.0.113.9", "203.0.113.1", false},
		{"8.8.8.8", "192.168.4.1", false},
		{"100.64.1.1", "192.168.4.1", false},
	} {
		conn := addressed{from: tt.from, at: tt.at}
		if got := near(conn); got != tt.want {
			t.Errorf("from %s at %s: %v", tt.from, tt.at, got)
		}
	}
}

// addressed is a connection between two addresses.
type addressed struct {
	net.Conn
	from, at string
}

func (a addressed) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(a.from), 5))
}

func (a addressed) LocalAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(a.at), Port))
}

// TestAnnounced has the network told, again after it was forgotten, and not of what only this computer can reach.
func TestAnnounced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []string
		fails := error(io.ErrUnexpectedEOF)
		s := New(Options{Log: slog.New(slog.DiscardHandler), Announce: func(ctx context.Context, kind string, port int) error {
			asked = append(asked, fmt.Sprintf("%s %d", kind, port))
			if len(asked) > 2 {
				fails = media.ErrUnsupported
			}
			return fails
		}})
		s.announce(t.Context(), &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 6600})
		s.announce(t.Context(), &net.TCPAddr{IP: net.IPv6unspecified, Port: 6600})
		if want := []string{"_mpd._tcp 6600", "_mpd._tcp 6600", "_mpd._tcp 6600"}; !slices.Equal(asked, want) {
			t.Errorf("asked for %v", asked)
		}
	})
}
