package mp4_test

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"manofwar/internal/container/containertest"
	"manofwar/internal/container/fixture"
	"manofwar/internal/container/mp4"
)

var files = []struct {
	name string
	args []string
}{
	{"end.mp4", nil},
	{"front.mp4", []string{"-movflags", "+faststart"}},
	{"frag.mp4", []string{"-movflags", "+frag_keyframe+empty_moov+default_base_moof"}},
	{"oldfrag.mp4", []string{"-movflags", "+frag_keyframe+empty_moov", "-frag_duration", "700000"}},
	{"indexed.mp4", []string{"-movflags", "+dash+global_sidx+frag_keyframe"}},
	{"qt.mov", nil},
	{"tags.mp4", []string{"-metadata", "title=Ahoy", "-metadata", "date=1986-05-01", "-metadata", "artist=Crew"}},
}

func TestSamplesAreThoseOfFFprobe(t *testing.T) {
	for _, f := range files {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			containertest.MatchesFFprobe(t, fixture.Remux(t, f.name, fixture.BFrames(t), f.args...))
		})
	}
}

func TestDescriptionIsThatOfFFprobe(t *testing.T) {
	for _, f := range containertest.MP4Codecs {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			containertest.DescribesAsFFprobe(t, f.Make(t))
		})
	}
}

func TestTags(t *testing.T) {
	data, err := os.ReadFile(fixture.Remux(t, "tags.mp4", fixture.BFrames(t), files[6].args...))
	if err != nil {
		t.Fatal(err)
	}
	m, err := mp4.Read(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if tags := m.Info().Tags; tags.Title != "Ahoy" || tags.Year != 1986 || len(tags.Artists) != 1 || tags.Artists[0] != "Crew" {
		t.Errorf("tags %+v", tags)
	}
}

func TestDamagedFilesAreRefusedOrEndEarly(t *testing.T) {
	for _, f := range files[:4] {
		containertest.SurvivesCuts(t, fixture.Remux(t, f.name, fixture.BFrames(t), f.args...))
	}
}

func TestReadErrorsAreNotDamage(t *testing.T) {
	broken := errors.New("bad sector")
	containertest.PassesReadErrors(t, fixture.BFrames(t), broken)
}

func FuzzMovie(f *testing.F) {
	for _, file := range files {
		containertest.Seed(f, fixture.Remux(f, "tiny-"+file.name, fixture.Tiny(f), file.args...))
	}
	f.Fuzz(containertest.Exercise)
}
