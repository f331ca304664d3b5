package tags

import "testing"

func TestPictureTypes(t *testing.T) {
	for said, want := range map[string]string{
		"image/AVIF": "image/avif", "image/svg+xml": "image/svg+xml", "image/": "", "text/html": "", "": "", "image/x\r\nSet-Cookie: a": "", "image/\xff": "", "-->": "",
	} {
		if got := pictureType([]byte("????????????"), said); got != want {
			t.Errorf("%q: %q, want %q", said, got, want)
		}
	}
	if got := pictureType([]byte("\xFF\xD8\xFF\xE0"), "text/html"); got != "image/jpeg" {
		t.Errorf("a JPEG: %q", got)
	}
}
