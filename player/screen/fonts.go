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

// families are in order of preference. The image has those of the first, the scripts and WenQuanYi's; a
// computer may have the others.
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
	{files: [4]string{"wqy-microhei.ttc"}, scripts: eastAsia},
	{files: [4]string{"NotoSansCJK-Regular.ttc", "NotoSansCJK-Bold.ttc"}, scripts: eastAsia},
	{files: [4]string{"DroidSansFallbackFull.ttf"}, scripts: eastAsia},
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
	// Outlines are most of a font, and several times as large once they are parsed.
	forShape, err := tablesOf(r, size, "glyf", "loca", "CFF ", "post", "vhea", "vmtx", "cvt ", "fpgm", "prep")
	if err != nil {
		return nil, err
	}
	loader, err := opentype.NewLoader(forShape)
	if err != nil {
		return nil, err
	}
	shape, err := font.NewFont(loader)
	if err != nil {
		return nil, err
	}
	forOutline, err := tablesOf(r, size, "GDEF", "GPOS", "GSUB", "kern", "cvt ", "fpgm", "prep")
	if err != nil {
		return nil, err
	}
	outline, err := sfnt.ParseReaderAt(forOutline)
	if err != nil {
		return nil, err
	}
	return &face{shape: font.NewFace(shape), outline: outline, cut: c}, nil
}

// tables is a font file made of some tables of another one, in memory as far as it is not theirs.
type tables struct {
	io.ReaderAt
	head  []byte // with the table directory
	parts []extent
}

// extent says where bytes of the one file are in the other.
type extent struct{ at, from, n int64 }

// tablesOf returns a font with all tables of a font file, or of the first one in a collection, but some. They begin at
// multiples of four, as OpenType has it and not every file.
func tablesOf(r io.ReaderAt, size int64, but ...string) (*io.SectionReader, error) {
	var off int64
	head := make([]byte, 16)
	if _, err := r.ReadAt(head, 0); err != nil {
		return nil, err
	}
	if string(head[:4]) == "ttcf" {
		off = int64(binary.BigEndian.Uint32(head[12:]))
		if _, err := r.ReadAt(head, off); err != nil {
			return nil, err
		}
	}
	directory := make([]byte, 16*int(binary.BigEndian.Uint16(head[4:])))
	if _, err := r.ReadAt(directory, off+12); err != nil {
		return nil, err
	}
	var kept [][]byte
	for row := range slices.Chunk(directory, 16) {
		if !slices.Contains(but, string(row[:4])) {
			kept = append(kept, row)
		}
	}
	t := &tables{ReaderAt: r, head: binary.BigEndian.AppendUint16(slices.Clone(head[:4]), uint16(len(kept)))}
	t.head = append(t.head, head[6:12]...) // for a binary search that nobody does
	end := int64(12 + 16*len(kept))
	for _, row := range kept {
		from, n := int64(binary.BigEndian.Uint32(row[8:])), int64(binary.BigEndian.Uint32(row[12:]))
		if from+n > size {
			return nil, io.ErrUnexpectedEOF
		}
		t.parts = append(t.parts, extent{end, from, n})
		binary.BigEndian.PutUint32(row[8:], uint32(end))
		t.head = append(t.head, row...)
		end = (end + n + 3) &^ 3
	}
	return io.NewSectionReader(t, 0, end), nil
}

// ReadAt implements [io.ReaderAt]. What lies between tables is zero.
func (t *tables) ReadAt(p []byte, off int64) (int, error) {
	clear(p)
	end := off + int64(len(p))
	if off < int64(len(t.head)) {
		copy(p, t.head[off:])
	}
	for _, e := range t.parts {
		from, to := max(off, e.at), min(end, e.at+e.n)
		if from >= to {
			continue
		}
		if _, err := t.ReaderAt.ReadAt(p[from-off:to-off], e.from+from-e.at); err != nil && err != io.EOF {
			return 0, err
		}
	}
	return len(p), nil
}
