package drm

import (
	"encoding/hex"
	"math"
	"slices"
	"testing"
	"time"
)

// bytesOf reads what a C program printed of a structure of the kernel's headers.
func bytesOf(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRefresh(t *testing.T) {
	for _, tt := range []struct {
		name string
		mode ModeInfo
		want float64
	}{
		{"CTA-861 mode 16", ModeInfo{Clock: 148500, HTotal: 2200, VTotal: 1125}, 60},
		{"the same, a thousandth slower", ModeInfo{Clock: 148352, HTotal: 2200, VTotal: 1125}, 59.9402},
		{"mode 32", ModeInfo{Clock: 74250, HTotal: 2750, VTotal: 1125}, 24},
		{"the same, a thousandth slower", ModeInfo{Clock: 74176, HTotal: 2750, VTotal: 1125}, 23.9761},
		{"mode 20, interlaced", ModeInfo{Clock: 74250, HTotal: 2640, VTotal: 1125, Flags: flagInterlace}, 50},
		{"lines drawn twice", ModeInfo{Clock: 25175, HTotal: 800, VTotal: 262, Flags: flagDoubleScan}, 60.0549},
		{"lines drawn three times", ModeInfo{Clock: 25175, HTotal: 800, VTotal: 175, VScan: 3}, 59.9405},
		{"nothing", ModeInfo{}, 0},
		{"no lines", ModeInfo{Clock: 1}, 0},
	} {
		if got := tt.mode.Refresh(); math.Abs(got-tt.want) > 1e-4 {
			t.Errorf("%s: got %.4f, want %.4f", tt.name, got, tt.want)
		}
	}
	if got := (ModeInfo{Clock: 74250, HDisplay: 1920, VDisplay: 1080, HTotal: 2640, VTotal: 1125, Flags: flagInterlace}).String(); got != "1920x1080i@50.000" {
		t.Errorf("got %s", got)
	}
}

// flipEvent is a struct drm_event_vblank.
const flipEvent = "02000000200000004d000000000000000500000090d003000900000029000000"

func TestParseFlips(t *testing.T) {
	event := bytesOf(t, flipEvent)
	want := Flip{User: 77, At: 5250 * time.Millisecond, CRTC: 41}
	vblank := append([]byte{1}, event[1:]...) // of another type
	got := parseFlips(slices.Concat(vblank, event, event, event[:20]))
	if !slices.Equal(got, []Flip{want, want}) {
		t.Errorf("got %+v", got)
	}
	for _, length := range []byte{0, 7, 33} {
		if got := parseFlips(append([]byte{2, 0, 0, 0, length}, event[5:]...)); len(got) > 0 {
			t.Errorf("an event of %d bytes: %+v", length, got)
		}
	}
}

func FuzzParseFlips(f *testing.F) {
	f.Add(bytesOf(f, flipEvent+flipEvent))
	f.Fuzz(func(t *testing.T, data []byte) {
		if n := len(parseFlips(data)); n > len(data)/eventVBlank {
			t.Errorf("%d events in %d bytes", n, len(data))
		}
	})
}

// inFormats is a struct drm_format_modifier_blob of XRGB8888, ARGB8888, YUV420 and NV12: the first, third and fourth line by
// line, the fourth in another way as well.
const inFormats = "0100000000000000040000001800000002000000280000005852323441523234595531324e563132" +
	"0d0000000000000000000000000000000000000000000000080000000000000000000000000000000400000000000007"

func TestParseFormats(t *testing.T) {
	blob := bytesOf(t, inFormats)
	got, ok := parseFormats(blob)
	if want := []uint32{0x34325258, 0x32315559, 0x3231564e}; !ok || !slices.Equal(got, want) {
		t.Errorf("got %x, %v; want %x", got, ok, want)
	}
	for n := range blob {
		if got, ok := parseFormats(blob[:n]); ok {
			t.Errorf("of %d bytes: %x", n, got)
		}
	}
	blob[0] = 2
	if _, ok := parseFormats(blob); ok {
		t.Error("an unknown version was read")
	}
}

func FuzzParseFormats(f *testing.F) {
	f.Add(bytesOf(f, inFormats))
	f.Fuzz(func(t *testing.T, data []byte) {
		if linear, _ := parseFormats(data); len(linear) > 64*len(data)/24 {
			t.Errorf("%d formats in %d bytes", len(linear), len(data))
		}
	})
}

func TestConnectorName(t *testing.T) {
	for want, v := range map[string][2]uint32{"HDMI-A-1": {11, 1}, "DP-2": {10, 2}, "Virtual-1": {15, 1}, "Unknown-3": {99, 3}} {
		if got := connectorName(v[0], v[1]); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
