package portal

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"

	"manofwar/internal/media"
	"manofwar/services/portal/guest"
	"manofwar/services/portal/mpd"
)

func TestGuestsAreChosen(t *testing.T) {
	b := launch(t, Options{})
	s := decode[sharing](t, b.do(t, "GET", "/api/v1/guests", nil))
	if len(s.Choices) != 3 || s.Choices[guest.MPD].On || s.Choices[guest.Server].On || s.Choices[guest.Renderer].On {
		t.Errorf("at first: %+v", s)
	}
	s = decode[sharing](t, b.send(t, "PUT", "/api/v1/guests", `{"server":{"libraries":["b","a"]}}`))
	if c := s.Choices[guest.Server]; c.On || !slices.Equal(c.Libraries, []media.ID{"a", "b"}) || s.Name == "" {
		t.Errorf("then: %+v", s)
	}
	for _, body := range []string{`{"telnet":{"on":true}}`, `{"mpd":{"libraries":[""]}}`, `[]`} {
		if got := b.send(t, "PUT", "/api/v1/guests", body); got.StatusCode != 400 {
			t.Errorf("%s: %s", body, got.Status)
		}
	}
}

// TestWhatKeepsGuestsOutHasACode has each be told by a code that a page has its own words for.
func TestWhatKeepsGuestsOutHasACode(t *testing.T) {
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	taken := mpd.New(mpd.Options{Listen: ln.Addr().String()}).Run(t.Context(), func() { t.Error("two listen on one port") })
	windows := &net.OpError{Op: "listen", Net: "tcp", Addr: &net.TCPAddr{Port: 6600}, Err: syscall.Errno(10048)}
	for _, c := range []struct {
		err           error
		code, subject string
	}{
		{taken, "guest-port-taken", port},
		{windows, "guest-port-taken", "6600"},
		{ways{p: &Service{}}.mpd(context.Background(), nil), "guest-no-port", ""},
		{errors.New("announce: the network is down"), "guest-trouble", ""},
		{&net.OpError{Op: "listen", Net: "tcp", Err: syscall.EACCES}, "guest-trouble", ""},
	} {
		n := guestProblem(c.err)
		if n.Code != c.code || n.Subject != c.subject || n.Level != "error" || n.Hint == "" || n.Detail != c.err.Error() || !strings.Contains(n.Message, c.subject) {
			t.Errorf("%v: %+v", c.err, n)
		}
	}
}
