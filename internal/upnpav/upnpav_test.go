package upnpav_test

import (
	"testing"
	"time"

	"manofwar/internal/media"
	"manofwar/internal/upnpav"
)

func TestTimes(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0:00:00": 0, "00:03:20": 200 * time.Second, "1:02:03.500": time.Hour + 2*time.Minute + 3500*time.Millisecond, "0:00:01.1/4": 1250 * time.Millisecond,
		"": -1, "NOT_IMPLEMENTED": -1, "1:2": -1, "-1:00:00": -1, "0:00:00.9x": -1, "0:00:01.5/4": -1, "0:00:01.1/0": -1, "99999:00:00": -1,
	} {
		got, err := upnpav.ParseTime(text)
		if want < 0 && err == nil || want >= 0 && (err != nil || got != want) {
			t.Errorf("%q: got %v, %v", text, got, err)
		}
	}
	for d, want := range map[time.Duration]string{
		0: "0:00:00.000", time.Hour + 2*time.Minute + 3600*time.Millisecond: "1:02:03.600", 100*time.Hour + time.Millisecond: "100:00:00.001", -time.Second: "0:00:00.000",
	} {
		if got := upnpav.FormatTime(d); got != want {
			t.Errorf("%v is written %s; want %s", d, got, want)
		}
	}
}

func TestTypes(t *testing.T) {
	for _, tt := range []struct {
		item        media.Item
		mime, about string
	}{
		{media.Item{Kind: media.Music, Container: "mp3", Streams: []media.Stream{{Kind: media.Audio, Codec: "mp3"}}}, "audio/mpeg", "MP3"},
		{media.Item{Kind: media.Music, Container: "flac"}, "audio/flac", ""},
		{media.Item{Kind: media.Film, Container: "matroska"}, "video/x-matroska", ""},
		{media.Item{Kind: media.Film, Container: "mp4", Streams: []media.Stream{{Kind: media.Video, Codec: "h264", Width: 1920}, {Kind: media.Audio, Codec: "aac"}}}, "video/mp4", "AVC_MP4_HP_HD_AAC"},
	} {
		types := upnpav.Types(tt.item)
		if len(types) == 0 || types[0] != tt.mime || upnpav.Profile(tt.item) != tt.about {
			t.Errorf("%+v: %v, %q", tt.item, types, upnpav.Profile(tt.item))
		}
	}
	if types := upnpav.Types(media.Item{Kind: media.Music, Container: "xyz"}); len(types) > 0 {
		t.Errorf("what nobody knows is called %v", types)
	}
	if got, want := upnpav.ProtocolInfo("audio/mpeg", "MP3"), "http-get:*:audio/mpeg:DLNA.ORG_PN=MP3;DLNA.ORG_OP=01;DLNA.ORG_CI=0;DLNA.ORG_FLAGS=01700000000000000000000000000000"; got != want {
		t.Errorf("%s; want %s", got, want)
	}
}

func FuzzTime(f *testing.F) {
	f.Add("1:02:03.500")
	f.Fuzz(func(t *testing.T, s string) {
		d, err := upnpav.ParseTime(s)
		if err != nil {
			return
		}
		again, err := upnpav.ParseTime(upnpav.FormatTime(d))
		if d < 0 || err != nil || d-again < 0 || d-again >= time.Millisecond {
			t.Errorf("%q is %v, and written and read again %v, %v", s, d, again, err)
		}
	})
}
