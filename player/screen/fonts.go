package screen

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"

	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/font/opentype"
	"github.com/go-text/typesetting/language"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
)

// family is one design of type in up to four files; a missing one is imitated from the first.
type family struct {
	scripts []language.Script // nil: what everything is tried in
	files   [4]string         // regular, bold, italic, bold italic
}

// families are in order of preference. The image has those of the first and Droid; a computer may have the others.
var families = []family{
	{files: [4]string{"NotoSans-Regular.ttf", "NotoSans-Bold.ttf", "NotoSans-Italic.ttf", "NotoSans-BoldItalic.ttf"}},
	{files: [4]string{"segoeui.ttf", "segoeuib.ttf", "segoeuii.ttf", "segoeuiz.ttf"}},
	{files: [4]string{"Arial.ttf", "Arial Bold.ttf", "Arial Italic.ttf", "Arial Bold Italic.ttf"}},
	{files: [4]string{"LiberationSans-Regular.ttf", "LiberationSans-Bold.ttf", "LiberationSans-Italic.ttf", "LiberationSans-BoldItalic.ttf"}},
	{files: [4]string{"DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSans-Oblique.ttf", "DejaVuSans-BoldOblique.ttf"}},
	noto("Arabic", language.Arabic, language.Syriac),
	noto("Hebrew", language.Hebrew),
	noto("Thai", language.Thai),
	noto("Devanagari", language.Devanagari),
	noto("Bengali", language.Bengali),
	noto("Tamil", language.Tamil),
	noto("Telugu", language.Telugu),
	noto("Kannada", language.Kannada),
	noto("Malayalam", language.Malayalam),
	noto("Gujarati", language.Gujarati),
	noto("Gurmukhi", language.Gurmukhi),
	noto("Sinhala", language.Sinhala),
	noto("Myanmar", language.Myanmar),
	noto("Khmer", language.Khmer),
	noto("Lao", language.Lao),
	noto("Ethiopic", language.Ethiopic),
	noto("Georgian", language.Georgian),
	noto("Armenian", language.Armenian),
	{files: [4]string{"DroidSansFallbackFull.ttf"}, scripts: eastAsia},
	{files: [4]string{"NotoSansCJK-Regular.ttc", "NotoSansCJK-Bold.ttc"}, scripts: eastAsia},
	{files: [4]string{"Arial Unicode.ttf"}, scripts: eastAsia},
	{files: [4]string{"msyh.ttc", "msyhbd.ttc"}, scripts: eastAsia},
	{files: [4]string{"malgun.ttf", "malgunbd.ttf"}, scripts: eastAsia},
}

var eastAsia = []language.Script{
	language.Han, language.Hiragana, language.Katakana, language.Katakana_Or_Hiragana, language.Hangul, language.Bopomofo,
}

func noto(name string, scripts ...language.Script) family {
	return family{scripts: scripts, files: [4]string{"NotoSans" + name + "-Regular.ttf", "NotoSans" + name + "-Bold.ttf"}}
}

// cut is how a face is drawn.
type cut struct{ bold, italic bool }

func (c cut) index() int {
	i := 0
	if c.bold {
		i++
	}
	if c.italic {
		i += 2
	}
	return i
}

// face is an opened font: one half shapes text, the other gives outlines, which are read from the file glyph by
// glyph. Held so, a font of half a megabyte takes as much memory, and one of all of East Asia's characters 1.5 MB.
type face struct {
	shape   *font.Face
	outline *sfnt.Font
	cut     cut // what the file has by itself
}

// fontSet opens fonts when they are first needed. Those that cannot be read count as missing: text is then set in
// the next best one, and a television with the wrong letters is better than one without.
type fontSet struct {
	trees []fs.FS
	where map[string]place // base name → file; nil: not looked yet
	open  map[string]*face // by base name; nil: missing or broken
	owner map[*font.Face]*face
}

type place struct {
	tree fs.FS
	path string
}

func (s *fontSet) primary(c cut) *face {
	for i := range families {
		if families[i].scripts == nil {
			if f := s.member(&families[i], c); f != nil {
				return f
			}
		}
	}
	if c.bold {
		return s.builtin("gobold", gobold.TTF, cut{bold: true})
	}
	return s.builtin("goregular", goregular.TTF, cut{})
}

// of returns the face that sets a rune of a script, or nil.
func (s *fontSet) of(r rune, script language.Script, c cut) *face {
	for i := range families {
		if !slices.Contains(families[i].scripts, script) {
			continue
		}
		if f := s.member(&families[i], c); f != nil && f.has(r) {
			return f
		}
	}
	return nil
}

// any returns whatever face has the rune, or nil: for signs that belong to no script.
func (s *fontSet) any(r rune, c cut) *face {
	for i := range families {
		if families[i].scripts != nil && !slices.Contains(families[i].scripts, language.Han) {
			continue // signs are in the large ones
		}
		if f := s.member(&families[i], c); f != nil && f.has(r) {
			return f
		}
	}
	return nil
}

func (f *face) has(r rune) bool {
	_, ok := f.shape.NominalGlyph(r)
	return ok
}

// member returns the family's face of a cut, or the nearest it has.
func (s *fontSet) member(f *family, c cut) *face {
	for _, try := range []cut{c, {bold: c.bold}, {}} {
		if name := f.files[try.index()]; name != "" {
			if opened := s.file(name, try); opened != nil {
				return opened
			}
		}
	}
	return nil
}

func (s *fontSet) file(name string, c cut) *face {
	if f, ok := s.open[name]; ok {
		return f
	}
	s.search()
	at, ok := s.where[name]
	if !ok {
		s.open[name] = nil
		return nil
	}
	f, err := openFace(at, c)
	if err != nil {
		f = nil
	}
	return s.keep(name, f)
}

func (s *fontSet) builtin(name string, data []byte, c cut) *face {
	if f, ok := s.open[name]; ok {
		return f
	}
	f, err := parseFace(bytes.NewReader(data), int64(len(data)), c)
	if err != nil {
		panic("the font that is part of the program cannot be read: " + err.Error())
	}
	return s.keep(name, f)
}

func (s *fontSet) keep(name string, f *face) *face {
	s.open[name] = f
	if f != nil {
		s.owner[f.shape] = f
	}
	return f
}

// search finds the files of all families by their names.
func (s *fontSet) search() {
	if s.where != nil {
		return
	}
	s.where = map[string]place{}
	wanted := map[string]bool{}
	for _, f := range families {
		for _, name := range f.files {
			wanted[name] = true
		}
	}
	for _, tree := range s.trees {
		// What cannot be read has no fonts for us.
		_ = fs.WalkDir(tree, ".", func(at string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && wanted[path.Base(at)] {
				if _, ok := s.where[path.Base(at)]; !ok {
					s.where[path.Base(at)] = place{tree, at}
				}
			}
			return nil
		})
	}
}

// openFace opens a file, which then stays open.
func openFace(at place, c cut) (*face, error) {
	f, err := at.tree.Open(at.path)
	if err != nil {
		return nil, err
	}
	r, ok := f.(io.ReaderAt)
	if !ok {
		defer f.Close()
		data, err := io.ReadAll(f)
		if err != nil {
			return nil, err
		}
		return parseFace(bytes.NewReader(data), int64(len(data)), c)
	}
	info, err := f.Stat()
	if err == nil {
		var parsed *face
		if parsed, err = parseFace(r, info.Size(), c); err == nil {
			return parsed, nil
		}
	}
	f.Close()
	return nil, fmt.Errorf("font %s: %w", at.path, err)
}

// parseFace reads a font, the first one of a collection.
func parseFace(r io.ReaderAt, size int64, c cut) (*face, error) {
	// Outlines are most of a font, and unpacked several times as large; positions of pairs are not needed beside them.
	forShape, err := hideTables(r, size, "glyf", "loca", "CFF ", "post")
	if err != nil {
		return nil, err
	}
	loaders, err := opentype.NewLoaders(io.NewSectionReader(forShape, 0, size))
	if err != nil {
		return nil, err
	}
	shape, err := font.NewFont(loaders[0])
	if err != nil {
		return nil, err
	}
	forOutline, err := hideTables(r, size, "GPOS", "kern")
	if err != nil {
		return nil, err
	}
	collection, err := sfnt.ParseCollectionReaderAt(forOutline)
	if err != nil {
		return nil, err
	}
	outline, err := collection.Font(0)
	if err != nil {
		return nil, err
	}
	return &face{shape: font.NewFace(shape), outline: outline, cut: c}, nil
}

// without is a font file some of whose tables have names that nobody asks for.
type without struct {
	io.ReaderAt
	off  int64 // of the table directory
	head []byte
}

// hideTables renames tables in the directory of a font file; the order of the names stays.
func hideTables(r io.ReaderAt, size int64, names ...string) (io.ReaderAt, error) {
	var off int64
	start := make([]byte, 16)
	if _, err := r.ReadAt(start, 0); err != nil {
		return nil, err
	}
	if string(start[:4]) == "ttcf" {
		off = int64(binary.BigEndian.Uint32(start[12:]))
		if _, err := r.ReadAt(start, off); err != nil {
			return nil, err
		}
	}
	n := 12 + 16*int64(binary.BigEndian.Uint16(start[4:]))
	if off+n > size {
		return nil, io.ErrUnexpectedEOF
	}
	head := make([]byte, n)
	if _, err := r.ReadAt(head, off); err != nil {
		return nil, err
	}
	for i := 12; i < len(head); i += 16 {
		if slices.Contains(names, string(head[i:i+4])) {
			head[i+3] = '!'
		}
	}
	return without{r, off, head}, nil
}

// ReadAt implements [io.ReaderAt].
func (w without) ReadAt(p []byte, off int64) (int, error) {
	n, err := w.ReaderAt.ReadAt(p, off)
	from, to := max(off, w.off), min(off+int64(n), w.off+int64(len(w.head)))
	if from < to {
		copy(p[from-off:to-off], w.head[from-w.off:])
	}
	return n, err
}
