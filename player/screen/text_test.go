package screen

import (
	"image"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"manofwar/netmgr/api"
	player "manofwar/player/api"
)

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestScripts sets a line in every script that the image has letters of.
func TestScripts(t *testing.T) {
	ts := newTypesetter(imageFonts(t)...)
	for _, text := range []string{
		"Ærøskøbing – naïve façade, Łódź €5 “quoted” …", "Ελληνικά", "Русский, Українська", "العربية ١٢٣", "עברית שלום", "ภาษาไทย", "हिन्दी क्षत्रिय",
		"বাংলা", "தமிழ்", "తెలుగు", "ಕನ್ನಡ", "മലയാളം", "ગુજરાતી", "ਪੰਜਾਬੀ", "සිංහල", "မြန်မာ", "ភាសាខ្មែរ", "ລາວ", "አማርኛ", "ქართული", "Հայերեն",
		"中文 繁體字", "日本語 ひらがな カタカナ", "한국어", "♪ ★ → ♥ −1", "a\u0301 e\u0308",
	} {
		for _, c := range []cut{{}, {bold: true}, {italic: true}, {true, true}} {
			b := ts.set(text, style{cut: c, size: 40})
			for _, l := range b.lines {
				for _, g := range l.glyphs {
					if g.id == 0 {
						t.Errorf("%q: a letter is missing in %+v", text, c)
					}
				}
			}
			if b.width < 20 || b.width > 40*len(text) {
				t.Errorf("%q is %d wide", text, b.width)
			}
		}
	}
}

// TestDirection reads the order of words: a right-to-left line with left-to-right words in it.
func TestDirection(t *testing.T) {
	ts := newTypesetter(imageFonts(t)...)
	b := ts.set("שלום abc 12", style{size: 40})
	line := b.lines[0].glyphs
	hebrew, latin := -1, -1
	for i, g := range line {
		if strings.Contains(fileOf(&ts, g.face), "Hebrew") && hebrew < 0 {
			hebrew = i
		} else if !strings.Contains(fileOf(&ts, g.face), "Hebrew") && latin < 0 {
			latin = i
		}
	}
	if latin != 0 || hebrew < 4 {
		t.Errorf("the Latin words begin at %d, the Hebrew at %d", latin, hebrew)
	}
	if !slices.IsSortedFunc(line, func(x, y setGlyph) int { return int(x.x - y.x) }) {
		t.Error("glyphs are not in order from the left")
	}
}

func fileOf(ts *typesetter, f *face) string {
	for name, open := range ts.fonts.open {
		if open == f {
			return name
		}
	}
	return ""
}

func TestWrap(t *testing.T) {
	ts := newTypesetter(imageFonts(t)...)
	const text = "The quick brown fox jumps over the lazy dog"
	for _, test := range []struct {
		text         string
		width, lines int
		want         int
	}{
		{text, 0, 0, 1},
		{text, 400, 0, 3},
		{text, 400, 2, 2},
		{"a\nb\r\nc", 0, 0, 3},
		{"Donaudampfschifffahrtsgesellschaftskapitän", 300, 0, 3},
		{"松本オーケストラ第二楽章夜の港", 300, 0, 3},
		{"", 300, 0, 1},
	} {
		b := ts.set(test.text, style{size: 40, width: test.width, lines: test.lines})
		if len(b.lines) != test.want {
			t.Errorf("%q in %d: %d lines, not %d", test.text, test.width, len(b.lines), test.want)
		}
		for _, l := range b.lines {
			if test.width > 0 && l.width.Ceil() > test.width {
				t.Errorf("%q in %d: a line is %v wide", test.text, test.width, l.width)
			}
		}
	}
	cutOff := ts.set(text, style{size: 40, width: 400, lines: 2})
	last := cutOff.lines[1].glyphs
	dots, _ := ts.fonts.primary(cut{}).shape.NominalGlyph('…')
	if last[len(last)-1].id != dots {
		t.Error("what is cut off does not end in an ellipsis")
	}
}

func TestCaptionTags(t *testing.T) {
	for text, want := range map[string][]span{
		"plain":                {{"plain", cut{}, false}},
		"<i>a</i>b":            {{"a", cut{italic: true}, false}, {"b", cut{}, false}},
		"<b><u>a</b>c":         {{"a", cut{bold: true}, true}, {"c", cut{}, true}},
		"1 < 2":                {{"1 < 2", cut{}, false}},
		"</i><font x>a</font>": {{"a", cut{}, false}},
		"<I>a\nb</I>":          {{"a\nb", cut{italic: true}, false}},
		"":                     nil,
		"<i></i>":              nil,
	} {
		if got := spansOf(text); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// TestWithoutFonts draws everything in Go's own font.
func TestWithoutFonts(t *testing.T) {
	broken := fstest.MapFS{"NotoSans-Regular.ttf": {Data: []byte("no font")}, "x/wqy-microhei.ttc": {Data: make([]byte, 100)}}
	for _, trees := range [][]fs.FS{nil, {nil}, {broken}} {
		a := New(trees...)
		for _, s := range goldenScenes()[:4] {
			img := image.NewRGBA(image.Rect(0, 0, 640, 360))
			a.Compose(img.Rect.Size(), noon, s.layers...).Paint(img)
		}
		if b := a.text.set("Welcome", style{size: 40}); b.width < 100 || b.lines[0].glyphs[0].id == 0 {
			t.Error("no letters")
		}
	}
}

// TestAnyFont opens fonts from a tree that cannot be read at an offset, and collections.
func TestAnyFont(t *testing.T) {
	imageFonts(t)
	tree := onlyRead{fstest.MapFS{"deep/NotoSans-Regular.ttf": {Data: readFile(t, filepath.Join(fontDirs[0], "NotoSans-Regular.ttf"))}}}
	ts := newTypesetter(tree)
	ts.set("abc", style{size: 30})
	if ts.fonts.open["NotoSans-Regular.ttf"] == nil {
		t.Error("the font was not read")
	}
	const cjk = "/usr/share/fonts/opentype/noto"
	if _, err := os.Stat(filepath.Join(cjk, "NotoSansCJK-Regular.ttc")); err == nil {
		ts := newTypesetter(os.DirFS(cjk))
		b := ts.set("夜の港", style{size: 30})
		if g := b.lines[0].glyphs[0]; g.id == 0 || ts.glyph(glyphKey{face: g.face, id: g.id, size: 30 * 64}).mask == nil {
			t.Error("a collection has no letters")
		}
	}
}

// onlyRead hides all but Read of its files.
type onlyRead struct{ fs.FS }

func (o onlyRead) Open(name string) (fs.File, error) {
	f, err := o.FS.Open(name)
	if _, dir := f.(fs.ReadDirFile); dir || err != nil {
		return f, err
	}
	return struct{ fs.File }{f}, nil
}

// TestWords looks for texts that one of the languages lacks, or that hold something else in one than in the other.
func TestWords(t *testing.T) {
	verb := regexp.MustCompile(`%[\[\]0-9]*[a-z]`)
	one, two := reflect.ValueOf(english), reflect.ValueOf(german)
	var compare func(name string, a, b reflect.Value)
	compare = func(name string, a, b reflect.Value) {
		switch a.Kind() {
		case reflect.Array:
			for i := range a.Len() {
				compare(name, a.Index(i), b.Index(i))
			}
		case reflect.String:
			if a.String() == "" || b.String() == "" {
				t.Errorf("%s: %q, %q", name, a, b)
			}
			if x, y := verb.FindAllString(a.String(), -1), verb.FindAllString(b.String(), -1); !slices.Equal(x, y) {
				t.Errorf("%s: %v and %v", name, x, y)
			}
			if strings.ContainsAny(a.String()+b.String(), "!'\"") {
				t.Errorf("%s: %q, %q", name, a, b)
			}
		}
	}
	for i := range one.NumField() {
		compare(one.Type().Field(i).Name, one.Field(i), two.Field(i))
	}
	for got, want := range map[string]string{
		English.Rest(312e6, 540e6, 2.9e6): "312 of 540 MB · 2.9 MB/s · about 1 minute left",
		German.Rest(1.2e9, 2.5e9, 3e5):    "1,2 von 2,5 GB · 0,3 MB/s · etwa noch 1 Stunde",
		English.Rest(5, 0, 0):             "0 of 0 MB",
		English.Left(4 * time.Hour):       "about 4 hours left",
		English.Left(0):                   "a moment left",
		English.Date(noon):                "Sunday, 22 November",
		German.Date(noon):                 "Sonntag, 22. November",
		string(In("de-AT")):               "de",
		string(In("fr")):                  "en",
		timecode(3723 * time.Second):      "1:02:03",
		timecode(-time.Second):            "0:00",
		English.WiFi("Home", "Phone"):     "Home is gone, now on Phone",
		German.WiFi("", "Home"):           "Verbunden mit Home",
		English.Verdict(api.Link{State: api.LANOnly, WiFi: &api.WiFi{SSID: "Home"}}, noon): "Connected to Home, but no internet since 20:41",
		German.Verdict(api.Link{State: api.Good}, noon):                                    "Per Kabel verbunden",
	} {
		if got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}

// TestMemory shows many songs, and looks at what is kept of them.
func TestMemory(t *testing.T) {
	fonts := imageFonts(t)
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	a := New(fonts...)
	img := image.NewRGBA(image.Rect(0, 0, 1280, 120)) // a strip is enough to ask for every letter in it
	letters := []rune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789äöüßéñ夜港松本العربيةРусский한국어")
	for i := range 60 {
		s := song()
		s.Title = strings.Repeat(string(letters[i%len(letters):min(i%len(letters)+20, len(letters))]), 3)
		s.Artist += s.Title[:i%7]
		s.Art = NewArt(cover(64, 64, float64(i), float64(2*i)), 600)
		p := a.Compose(image.Pt(1280, 720), noon, s)
		for y := 0; y < 720; y += 120 {
			img.Rect = image.Rect(0, y, 1280, y+120)
			p.Paint(img)
		}
	}
	if grown := heap() - before; grown > 14<<20 {
		t.Errorf("%d MB are kept", grown>>20)
	} else {
		t.Logf("%.1f MB are kept", float64(grown)/(1<<20))
	}
	runtime.KeepAlive(a)
}

func FuzzText(f *testing.F) {
	f.Add("Hello – <i>world</i>", 300, 2)
	f.Add("שלום (abc) \u202e evil \x00\xff", 10, 0)
	f.Add("क्ष\u200dत्रि👩‍👩‍👧‍👦e\u0301\u0301\u0301", 1, 1)
	var fonts []fs.FS
	for _, dir := range fontDirs {
		fonts = append(fonts, os.DirFS(dir))
	}
	a := New(fonts...)
	img := image.NewRGBA(image.Rect(0, 0, 320, 180))
	f.Fuzz(func(t *testing.T, text string, width, lines int) {
		width, lines = width&0x3ff, lines&3
		b := a.text.build([]span{{text: text}}, style{size: 20, width: width, lines: lines})
		a.text.build(spansOf(text), style{size: 20, width: width})
		if lines > 0 && len(b.lines) > lines || len(b.lines) > longest+len(text)+1 {
			t.Errorf("%d lines", len(b.lines))
		}
		a.Compose(img.Rect.Size(), noon, Loading{Title: text, Subtitle: text}, Caption{Text: text}, Notice{Text: text}).Paint(img)
	})
}

// TestTrouble reads what the player can say from its source, and wants all of it in German.
func TestTrouble(t *testing.T) {
	source := string(readFile(t, "../problem.go"))
	said := regexp.MustCompile(`(?:Text: |p\.Text, p\.Hint = |", )(?:nameOf\(it\) \+ )?"((?:%s| )?[A-Z% ][^"]*\.)"`).FindAllStringSubmatch(source, -1)
	if len(said) < 10 {
		t.Fatalf("%d lines were found in the player's source", len(said))
	}
	for _, m := range said {
		text := m[1]
		if strings.HasPrefix(text, " ") {
			text = "%s" + text
		}
		text = strings.Replace(text, "%s", "01 Öl.flac", 1)
		if regexp.MustCompile(`^(Connect|Install|Check|Copy)\b`).MatchString(text) {
			continue // hints, which the page shows
		}
		n := German.Trouble(player.Problem{Text: text})
		if n.Text == text || strings.Contains(n.Text, "%") || strings.Contains(text, "Öl") != strings.Contains(n.Text, "Öl") {
			t.Errorf("%q is %q in German", text, n.Text)
		}
		if English.Trouble(player.Problem{Text: text}).Text != text {
			t.Errorf("%q is another in English", text)
		}
	}
}
