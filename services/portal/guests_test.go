package portal

import (
	"slices"
	"testing"

	"manofwar/internal/media"
	"manofwar/services/portal/guest"
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
