package matroska_test

import (
	"bytes"
	"errors"
	"os"
	"testing"
	"time"

	"manofwar/internal/container/containertest"
	"manofwar/internal/container/fixture"
	"manofwar/internal/container/matroska"
)

var files = []struct {
	name string
	args []string
}{
	{"cues.mkv", nil},
	{"front.mkv", []string{"-cues_to_front", "1", "-reserve_index_space", "50000"}},
	{"live.mkv", []string{"-live", "1"}},
	{"small-clusters.mkv", []string{"-cluster_time_limit", "200"}},
	{"large-clusters.mkv", []string{"-cluster_time_limit", "15000", "-cluster_size_limit", "90000000"}},
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
	for _, f := range containertest.MatroskaCodecs {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			containertest.DescribesAsFFprobe(t, f.Make(t))
		})
	}
}

func TestTagsChaptersAndCover(t *testing.T) {
	picture := fixture.File(t, "cover.jpg", "-f", "lavfi", "-i", "testsrc=s=64x64:d=1", "-frames:v", "1")
	chapters := fixture.Text(t, "chapters.txt", ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=5000\ntitle=Intro\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=5000\nEND=20000\ntitle=Rest\n")
	path := fixture.File(t, "extras.mkv", "-i", fixture.BFrames(t), "-i", chapters, "-map", "0", "-map_chapters", "1", "-c", "copy",
		"-attach", picture, "-metadata:s:t", "mimetype=image/jpeg", "-metadata", "title=Ahoy", "-metadata", "date=1986", "-metadata", "genre=Sea")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m, err := matroska.Read(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	info := m.Info()
	if info.Tags.Title != "Ahoy" || info.Tags.Year != 1986 || len(info.Tags.Genres) != 1 {
		t.Errorf("tags %+v", info.Tags)
	}
	if len(info.Chapters) != 2 || info.Chapters[1].Start != 5*time.Second || info.Chapters[1].Title != "Rest" {
		t.Errorf("chapters %+v", info.Chapters)
	}
	want, err := os.ReadFile(picture)
	if err != nil {
		t.Fatal(err)
	}
	if c := info.Cover; c == nil || c.Type != "image/jpeg" || !bytes.Equal(data[c.Offset:c.Offset+c.Length], want) {
		t.Errorf("cover %+v", c)
	}
}

func TestDamagedFilesAreRefusedOrEndEarly(t *testing.T) {
	for _, f := range files {
		containertest.SurvivesCuts(t, fixture.Remux(t, f.name, fixture.BFrames(t), f.args...))
	}
}

func TestReadErrorsAreNotDamage(t *testing.T) {
	broken := errors.New("bad sector")
	containertest.PassesReadErrors(t, fixture.Remux(t, "cues.mkv", fixture.BFrames(t)), broken)
}

func FuzzMovie(f *testing.F) {
	for _, file := range files {
		containertest.Seed(f, fixture.Remux(f, "tiny-"+file.name, fixture.Tiny(f), file.args...))
	}
	f.Fuzz(containertest.Exercise)
}
