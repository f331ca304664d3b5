package screen

import (
	"image/color"
	"io/fs"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/go-text/typesetting/di"
	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/font/opentype"
	"github.com/go-text/typesetting/language"
	"github.com/go-text/typesetting/shaping"
	"golang.org/x/image/math/fixed"
)

// style is how a text is set. Its measures are in pixels.
type style struct {
	cut
	size    float64
	width   int     // of the lines at most; 0: no end
	lines   int     // at most, with an ellipsis where there is more; 0: no end
	leading float64 // from line to line, in sizes; 0: 1.25
	spread  float64 // between letters, in sizes
	align   align
}

type align int

const (
	left align = iota
	centre
	right
)

// block is text set in lines. Its origin is the top left of a box of height lines × leading, in whose lines capitals
// stand in the middle.
type block struct {
	style  style
	lines  []setLine
	width  int // of the widest line
	height int
}

// setLine is one line. Positions are from the block's origin, in 64ths of a pixel.
type setLine struct {
	glyphs   []setGlyph
	x        fixed.Int26_6
	width    fixed.Int26_6
	baseline int // in pixels
	top      int // of the line, likewise
}

type setGlyph struct {
	face *face
	id   font.GID
	x, y fixed.Int26_6
	cut  cut // to imitate
	rule bool
	adv  fixed.Int26_6
}

// span is a stretch of text with a cut of its own.
type span struct {
	text      string
	cut       cut
	underline bool
}

// typesetter turns text into blocks and glyphs into masks.
type typesetter struct {
	fonts     fontSet
	shaper    shaping.HarfbuzzShaper
	segmenter shaping.Segmenter
	wrapper   shaping.LineWrapper
	blocks    aging[blockKey, *block]
	glyphs    aging[glyphKey, *glyph]
	raster    rasterizer
}

type blockKey struct {
	text  string
	style style
}

const (
	blockCount = 512
	glyphBytes = 3 << 20
	longest    = 600 // runes of a text; more fits no screen
)

func newTypesetter(fonts ...fs.FS) typesetter {
	fonts = slices.DeleteFunc(fonts, func(f fs.FS) bool { return f == nil })
	return typesetter{
		fonts:  fontSet{trees: fonts, open: map[string]*face{}, owner: map[*font.Face]*face{}},
		blocks: aging[blockKey, *block]{limit: blockCount, weigh: func(*block) int { return 1 }},
		glyphs: aging[glyphKey, *glyph]{limit: glyphBytes, weigh: (*glyph).bytes},
	}
}

// set sets a text in one style.
func (t *typesetter) set(text string, s style) *block {
	return t.blocks.get(blockKey{text, s}, func() *block {
		return t.try([]span{{text: text, cut: s.cut}}, s)
	})
}

// setSpans is set for a text whose style changes on the way.
func (t *typesetter) setSpans(key string, spans []span, s style) *block {
	return t.blocks.get(blockKey{"\x00" + key, s}, func() *block { return t.try(spans, s) })
}

// try is build for texts of strangers: should the shaper panic at a title, it would at each start of the player, and
// one title may not take the television away. It is then set in what of it is ASCII. No such text is known; the fuzz
// test looks for them past this function.
func (t *typesetter) try(spans []span, s style) (b *block) {
	defer func() {
		if recover() == nil {
			return
		}
		t.segmenter, t.wrapper, t.shaper = shaping.Segmenter{}, shaping.LineWrapper{}, shaping.HarfbuzzShaper{}
		plain := slices.Clone(spans)
		for i := range plain {
			plain[i].text = strings.Map(func(r rune) rune {
				if r >= ' ' && r <= '~' || r == '\n' {
					return r
				}
				return -1
			}, plain[i].text)
		}
		b = t.build(plain, s)
	}()
	return t.build(spans, s)
}

func (t *typesetter) build(spans []span, s style) *block {
	if s.leading == 0 {
		s.leading = 1.25
	}
	b := &block{style: s}
	for _, paragraph := range paragraphs(spans) {
		if left := s.lines - len(b.lines); s.lines == 0 || left > 0 {
			t.paragraph(b, paragraph, max(left, 0))
		}
	}
	step := s.size * s.leading
	for i := range b.lines {
		l := &b.lines[i]
		l.top = int(math.Round(float64(i) * step))
		// Capitals of Noto Sans are 0.714 of the size high.
		l.baseline = int(math.Round(float64(i)*step + step/2 + s.size*0.357))
		b.width = max(b.width, l.width.Ceil())
	}
	b.height = int(math.Round(float64(len(b.lines)) * step))
	for i := range b.lines {
		switch l := &b.lines[i]; s.align {
		case centre:
			l.x = (fixed.I(b.width) - l.width) / 2
		case right:
			l.x = fixed.I(b.width) - l.width
		}
	}
	return b
}

// lineEnds are those of Unicode (Annex 14, classes BK and CR). The shaper takes none within a paragraph.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\v", "\n", "\f", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n")

// paragraphs cleans text from what is not to be shown, and parts it at its line ends.
func paragraphs(spans []span) [][]span {
	out := [][]span{nil}
	room := longest
	for _, s := range spans {
		for i, text := range strings.Split(lineEnds.Replace(s.text), "\n") {
			if i > 0 {
				out = append(out, nil)
			}
			clean := []rune(strings.Map(visible, strings.ToValidUTF8(text, "\uFFFD")))
			clean = clean[:min(len(clean), room)]
			room -= len(clean)
			if len(clean) > 0 {
				last := &out[len(out)-1]
				*last = append(*last, span{string(clean), s.cut, s.underline})
			}
		}
	}
	return out
}

// visible replaces control characters, and drops those that turn the direction of what follows: titles come from
// strangers.
func visible(r rune) rune {
	switch {
	case r == '\t':
		return ' '
	case unicode.IsControl(r), r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069, r == 0xFEFF:
		return -1
	}
	return r
}

// paragraph sets one paragraph in at most lines lines; 0: no end.
func (t *typesetter) paragraph(b *block, spans []span, lines int) {
	var text []rune
	for _, s := range spans {
		text = append(text, []rune(s.text)...)
	}
	if len(text) == 0 {
		b.lines = append(b.lines, setLine{})
		return
	}
	direction := directionOf(text)
	var runs []shaping.Output
	var cuts []cut    // of each run, by its first rune
	var rules []bool  // likewise
	starts := []int{} // likewise
	at := 0
	for _, s := range spans {
		n := len([]rune(s.text))
		for _, run := range t.shape(text, at, at+n, s.cut, b.style, direction) {
			runs = append(runs, run)
			cuts, rules, starts = append(cuts, s.cut), append(rules, s.underline), append(starts, run.Runes.Offset)
		}
		at += n
	}
	width := fixed.Int26_6(math.MaxInt32 / 2)
	if b.style.width > 0 {
		width = fixed.I(b.style.width)
	}
	config := shaping.WrapConfig{Direction: direction, TruncateAfterLines: lines}
	if lines > 0 {
		config.Truncator = t.ellipsis(b.style, direction)
	}
	wrapped, _ := t.wrapper.WrapParagraphF(config, width, text, shaping.NewSliceIterator(runs))
	for _, line := range wrapped {
		var set setLine
		slices.SortStableFunc(line, func(x, y shaping.Output) int { return int(x.VisualIndex - y.VisualIndex) })
		for _, run := range line {
			i := max(sortSearch(starts, run.Runes.Offset), 0)
			set.add(t.fonts.owner[run.Face], cuts[i], rules[i], run)
		}
		b.lines = append(b.lines, set)
	}
}

// sortSearch returns the last index of starts, which ascends, whose value is not over at.
func sortSearch(starts []int, at int) int {
	i, found := slices.BinarySearch(starts, at)
	if !found {
		i--
	}
	return i
}

// add appends a run of glyphs on the right.
func (l *setLine) add(f *face, c cut, rule bool, run shaping.Output) {
	imitate := cut{bold: c.bold && !f.cut.bold, italic: c.italic && !f.cut.italic}
	for _, g := range run.Glyphs {
		l.glyphs = append(l.glyphs, setGlyph{
			face: f, id: g.GlyphID, cut: imitate, rule: rule, adv: g.Advance,
			x: l.width + g.XOffset, y: -g.YOffset,
		})
		l.width += g.Advance
	}
}

// tabular makes all digits one width, so that a clock does not tremble.
var tabular = []shaping.FontFeature{{Tag: opentype.MustNewTag("tnum"), Value: 1}}

func (t *typesetter) shape(text []rune, from, to int, c cut, s style, direction di.Direction) []shaping.Output {
	in := shaping.Input{
		Text: text, RunStart: from, RunEnd: to, Direction: direction, Size: fixed.Int26_6(s.size * 64),
		FontFeatures: tabular, Language: "en",
	}
	var out []shaping.Output
	for _, part := range t.segmenter.Split(in, &faces{set: &t.fonts, cut: c}) {
		run := t.shaper.ShapeNoExtents(part)
		for i := range run.Glyphs {
			// The wrapper drops what has no width at the end of a line, which is to be spaces only.
			if g := &run.Glyphs[i]; !unicode.IsSpace(text[g.TextIndex()]) {
				g.Width = 1
			}
		}
		if s.spread != 0 && (part.Script == language.Latin || part.Script == language.Common) {
			for i := range run.Glyphs {
				run.Glyphs[i].Advance += fixed.Int26_6(s.spread * s.size * 64)
			}
			run.RecomputeAdvance()
		}
		out = append(out, run)
	}
	return out
}

// ellipsis returns the sign for text that was cut off.
func (t *typesetter) ellipsis(s style, direction di.Direction) shaping.Output {
	runs := t.shape([]rune("…"), 0, 1, s.cut, s, direction)
	return runs[0]
}

// directionOf returns the direction of a paragraph by its first strong letter (Unicode Annex 9, P2 and P3).
func directionOf(text []rune) di.Direction {
	for _, r := range text {
		switch s := language.LookupScript(r); {
		case s == language.Arabic || s == language.Hebrew || s == language.Syriac || s == language.Thaana || s == language.Nko:
			if unicode.IsLetter(r) {
				return di.DirectionRTL
			}
		case unicode.IsLetter(r):
			return di.DirectionLTR
		}
	}
	return di.DirectionLTR
}

// faces chooses the face of each rune; it implements [shaping.FontmapScript].
type faces struct {
	set    *fontSet
	cut    cut
	script language.Script
	last   *face
}

func (f *faces) SetScript(s language.Script) { f.script = s }

func (f *faces) ResolveFace(r rune) *font.Face {
	f.last = f.choose(r)
	return f.last.shape
}

func (f *faces) choose(r rune) *face {
	if f.last != nil && unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Variation_Selector) {
		return f.last // what modifies a letter comes from the letter's face
	}
	switch f.script {
	case language.Latin, language.Greek, language.Cyrillic, language.Common, language.Unknown:
	default:
		if found := f.set.of(r, f.script, f.cut); found != nil {
			return found
		}
	}
	primary := f.set.primary(f.cut)
	if primary.has(r) {
		return primary
	}
	if found := f.set.any(r, f.cut); found != nil {
		return found
	}
	return primary
}

// textOp is a block in a place.
type textOp struct {
	block   *block
	x, y    int
	colour  color.NRGBA
	outline float64 // in pixels, black, under the letters; 0: none
}
