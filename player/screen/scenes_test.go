package screen

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fontDirs is where Debian's packages fonts-noto-core and fonts-wqy-microhei put their files, which are those of
// the image.
var fontDirs = []string{"/usr/share/fonts/truetype/noto", "/usr/share/fonts/truetype/wqy"}

// imageFonts returns the fonts that the image has, or skips the test.
func imageFonts(t testing.TB) []fs.FS {
	t.Helper()
	var out []fs.FS
	for _, dir := range fontDirs {
		if _, err := os.Stat(dir); err != nil {
			t.Skip("needs the packages fonts-noto-core and fonts-wqy-microhei: ", err)
		}
		out = append(out, os.DirFS(dir))
	}
	for _, file := range []string{"NotoSans-Regular.ttf", "NotoSansArabic-Bold.ttf"} {
		if _, err := os.Stat(filepath.Join(fontDirs[0], file)); err != nil {
			t.Skip("needs the package fonts-noto-core: ", err)
		}
	}
	return out
}

// cover paints artwork that no one owns: hills under a sky, in two hues.
func cover(w, h int, hue, other float64) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			u, v := float64(x)/float64(w), float64(y)/float64(h)
			c := oklch(0.86-0.5*v, 0.1, hue+30*v)
			if d := math.Hypot(u-0.68, (v-0.3)*float64(h)/float64(w)); d < 0.13 {
				c = oklch(0.93, 0.07, other)
			}
			for i, base := range []float64{0.62, 0.74, 0.88} {
				if v > base+0.07*math.Sin(u*(4+3*float64(i))+float64(i)*1.7+hue) {
					c = oklch(0.48-0.13*float64(i), 0.1, other-15*float64(i))
				}
			}
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}

var arts = func() (out []*Art) {
	for i := range 8 {
		out = append(out, NewArt(cover(320, 320, float64(i*47+20), float64(i*83+200)), 320))
	}
	return out
}()

var poster = NewArt(cover(240, 360, 250, 40), 360)

// shown is a scene of a golden picture.
type shown struct {
	name   string
	size   image.Point
	layers []Layer
	window image.Rectangle // what of it is kept; empty: all
}

var (
	hd    = image.Pt(1920, 1080)
	small = image.Pt(960, 540) // for what differs in its words only
	noon  = time.Date(2026, 11, 22, 20, 41, 30, 0, time.UTC)
)

// film stands for a bright picture of a film below an overlay: snow, the worst there is.
type film struct{}

func (film) compose(c *composer) {
	c.ground(fillOp{image.Rectangle{Max: c.size}, color.NRGBA{0xee, 0xf0, 0xf2, 0xff}})
}

// fillOp is a plain rectangle.
type fillOp struct {
	rect   image.Rectangle
	colour color.NRGBA
}

func (o fillOp) bounds() image.Rectangle { return o.rect }
func (o fillOp) opaque() bool            { return true }
func (o fillOp) paint(dst *image.RGBA, _ *Artist) {
	draw.Draw(dst, o.rect, image.NewUniform(o.colour), image.Point{}, draw.Src)
}

func album() []Tile {
	return []Tile{
		{"Northern Lights", "Ada Okafor", arts[0]},
		{"Harbour Songs", "The Breakwater Band", arts[1]},
		{"Études", "Clara Moreau", nil},
		{"Paper Moons", "Kite & Lantern", arts[3]},
		{"Slow Weather", "Halvorsen", arts[4]},
		{"Eine kleine Reise durch die halbe Nacht", "Stadtorchester", arts[5]},
		{"Glass Rivers", "Ines Duarte", arts[6]},
		{"夜の港", "松本オーケストラ", arts[7]},
	}
}

func song() Playing {
	return Playing{
		Title: "The Long Way Home", Artist: "Ada Okafor", Album: "Northern Lights", Art: arts[0],
		Position: 83 * time.Second, At: noon, Speed: 1, Duration: 247 * time.Second,
		NextWord: English.Next(), Next: &Tile{"Lanterns on the Water", "Ada Okafor", arts[0]},
	}
}

func goldenScenes() []shown {
	paused := song()
	paused.Speed, paused.Art, paused.Next = 0, nil, nil
	long := song()
	long.Title = "Symphony No. 9 in D minor, Op. 125 “Choral”: IV. Presto – Allegro assai – Alla marcia – Andante maestoso – Allegro energico, sempre ben marcato"
	long.Artist = "Orchester der Freien Hansestadt, Kammerchor Sankt Katharinen, Ilse Baumgartner, Tomás Villaverde"
	long.Album = "The Complete Symphonies, Recorded Live in the Old Assembly Rooms"
	arabic := song()
	arabic.Title, arabic.Artist, arabic.Album, arabic.Art = "أغنية الطريق الطويل إلى البيت", "فرقة النور", "ليالي الشمال (Live 1998)", arts[4]
	arabic.NextWord, arabic.Next = German.Next(), &Tile{"夜の港 – 第二楽章", "松本オーケストラ", arts[7]}
	lyrics := song()
	lyrics.Art = arts[2]
	for i, l := range []string{
		"We left the harbour in the rain", "with nothing but a paper chart", "and every light along the quay",
		"was one more reason not to start", "but you said: look, the night is wide,", "it has a place for such as we",
	} {
		lyrics.Lyrics = append(lyrics.Lyrics, Lyric{time.Duration(70+6*i) * time.Second, l})
	}
	osd := OSD{
		Language: English, Title: "The Lighthouse at the End", Subtitle: "2019", Position: 42*time.Minute + 7*time.Second,
		Duration: 117 * time.Minute, Paused: true, Audio: "English 5.1", Captions: "Deutsch",
		Ends: English.Ends(noon.Add(75 * time.Minute)),
		Chapters: []Chapter{
			{0, "Prologue"},
			{9 * time.Minute, "The Keeper"},
			{31 * time.Minute, "Storm Warning"},
			{58 * time.Minute, ""},
			{80 * time.Minute, "Ashore"},
			{104 * time.Minute, "Morning"},
		},
	}
	idle := Idle{
		Language: English, Name: "Living room", Address: "living-room.local", Network: "Connected to Home", Heading: English.Fresh(), Fresh: album(),
	}
	german := idle
	german.Language, german.Name, german.Address, german.Network = German, "Wohnzimmer", "wohnzimmer.local", "Verbunden mit Home, aber ohne Internet seit 20:41"
	german.Heading, german.Fresh = German.Fresh(), album()[:4]
	return []shown{
		{"boot", hd, []Layer{English.Starting(noon.Add(-5 * time.Second))}, image.Rectangle{}},
		{"welcome", hd, []Layer{English.Welcome("manofwar-7f3a", "rope-kelp-dawn-8249")}, image.Rectangle{}},
		{"welcome-de-720", image.Pt(1280, 720), []Layer{German.Welcome("manofwar-7f3a", "rope-kelp-dawn-8249")}, image.Rectangle{}},
		{"welcome-640", image.Pt(640, 480), []Layer{English.Welcome("manofwar-7f3a", "rope-kelp-dawn-8249")}, image.Rectangle{}},
		{"welcome-upright", image.Pt(540, 960), []Layer{English.Welcome("manofwar-7f3a", "rope-kelp-dawn-8249")}, image.Rectangle{}},
		{"claim", small, []Layer{English.Claim("482913", "http://192.168.178.43/")}, image.Rectangle{}},
		{"idle", hd, []Layer{idle}, image.Rectangle{}},
		{"idle-de", small, []Layer{german}, image.Rectangle{}},
		{"idle-upright", image.Pt(540, 960), []Layer{idle}, image.Rectangle{}},
		{"playing", hd, []Layer{song()}, image.Rectangle{}},
		{"playing-paused-noart", small, []Layer{paused}, image.Rectangle{}},
		{"playing-long", small, []Layer{long}, image.Rectangle{}},
		{"playing-arabic", small, []Layer{arabic}, image.Rectangle{}},
		{"playing-lyrics", small, []Layer{lyrics}, image.Rectangle{}},
		{"playing-4k", image.Pt(3840, 2160), []Layer{song()}, image.Rect(1800, 560, 2800, 1100)},
		{"playing-640", image.Pt(640, 480), []Layer{song()}, image.Rectangle{}},
		{"playing-upright", image.Pt(540, 960), []Layer{song()}, image.Rectangle{}},
		{"loading", small, []Layer{Loading{Title: osd.Title, Subtitle: "2019", Art: poster, Text: English.Opening(), Since: noon.Add(-time.Second)}}, image.Rectangle{}},
		{"update", small, []Layer{English.Update(Installing, "1.4.0", 312e6, 540e6, 2.9e6)}, image.Rectangle{}},
		{"reset-de", small, []Layer{German.Reset(-1)}, image.Rectangle{}},
		{"rescue", small, []Layer{English.Rescue("http://192.168.178.43/", "/dev/mmcblk0p4: bad superblock")}, image.Rectangle{}},
		{"rescue-de", small, []Layer{German.Rescue("http://192.168.178.43/", "/dev/mmcblk0p4: bad superblock")}, image.Rectangle{}},
		{"osd", hd, []Layer{film{}, Caption{Text: "– Did you hear that?\n– <i>Nothing but the wind.</i>"}, osd}, image.Rectangle{}},
		{"osd-720", image.Pt(1280, 720), []Layer{film{}, osd, Notice{Text: "Home WiFi is gone. On Phone hotspot.", Mood: Warning}}, image.Rectangle{}},
		{"osd-640", image.Pt(640, 480), []Layer{film{}, osd}, image.Rectangle{}},
		{"volume-notice", hd, []Layer{film{}, Volume{Level: 42}, Notice{Text: "Jo is on the living room TV now.", Mood: Good}}, image.Rectangle{}},
		{"caption-arabic", hd, []Layer{film{}, Volume{Level: 0, Muted: true}, Caption{Text: "<b>هل سمعت</b> ذلك؟\n<u>Nur</u> der <i>Wind</i>, 海の音"}}, image.Rectangle{}},
	}
}

// stressScenes hold the most that may have to be shown.
func stressScenes() []shown {
	long := strings.Repeat("Wasserwirtschaftsamt am Mühlenweg ", 12)
	wide := strings.Repeat("W", 40)
	var all []Layer
	for _, l := range []Language{English, German} {
		all = append(all,
			l.Welcome(strings.Repeat("W", 32), strings.Repeat("m", 63)),
			l.Join(strings.Repeat("W", 32), strings.Repeat("m", 63)),
			l.Connected(strings.Repeat("W", 32), "http://[fe80::dead:beef:dead:beef]:8080/"),
			l.Claim("482913", "http://192.168.178.143:8080/"),
			Idle{Language: l, Name: wide, Address: wide + ".local", Network: long, Heading: long, Fresh: album()},
			Idle{Language: l, Name: wide, Address: wide + ".local", Network: long, Hint: long},
			Idle{Language: l, Unset: true, Hint: long},
			Idle{Language: l, Unset: true, Heading: long, Fresh: album()},
			Playing{Title: long, Artist: long, Album: long, Next: &Tile{long, long, nil}, NextWord: l.Next(), Duration: 30 * time.Hour, At: noon},
			Playing{Title: wide + wide, Artist: wide, Album: wide, Art: poster, Duration: time.Hour, Lyrics: []Lyric{{0, long}, {0, long}, {0, long}}},
			Loading{Title: long, Subtitle: long, Text: long, Art: poster},
			l.Update(Installing, wide, 1.2e9, 2.5e9, 3e5), l.Reset(0.5), l.Rescue("http://192.168.178.143/", long),
			Problem{Title: long, Why: long, Do: []string{long, long}, QR: "http://192.168.178.143/", Caption: long, Detail: long},
		)
	}
	var out []shown
	for i, l := range all {
		out = append(out, shown{name: fmt.Sprintf("stress %d %T", i, l), size: hd, layers: []Layer{l}})
	}
	osd := OSD{
		Title: long, Subtitle: long, Position: time.Hour, Duration: 30 * time.Hour, Audio: long, Captions: long, Ends: German.Ends(noon),
		Chapters: []Chapter{{0, long}},
	}
	out = append(out,
		shown{name: "stress osd", size: hd, layers: []Layer{film{}, osd, Notice{Text: long}, Volume{Level: 100}, Caption{Text: long}}},
		shown{name: "stress osd without a length", size: hd, layers: []Layer{film{}, OSD{Title: long, Audio: long}}},
	)
	return out
}
