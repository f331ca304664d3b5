package decode

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"manofwar/internal/media"
)

// A DVD that was copied as it is lies in a folder VIDEO_TS (DVD-Video part 3, 2.2). Its films are title sets: one stream,
// cut into files of 1 GiB, VTS_01_1.VOB to VTS_01_9.VOB. VTS_01_0.VOB is a menu.
//
// What the IFO files beside them say is left aside: which titles and chapters there are, and in which order the pieces of a
// film with several versions come.
var vobName = regexp.MustCompile(`(?i)^VTS_([0-9]{2})_([1-9])\.VOB$`)

// videoFolder is what the folder is called.
const videoFolder = "VIDEO_TS"

// partsOf returns the files that are to be read one after the other for a path: those of a disc's main film, which is its
// largest title set, if it is a folder; those of a title set for its first file; else the path alone. Errors are of package
// media.
func partsOf(path string) ([]string, error) {
	st, err := os.Stat(path)
	if err != nil || !st.IsDir() {
		return setOf(path), nil
	}
	sets, err := titleSets(path)
	if err != nil {
		return nil, err
	}
	var main titleSet
	for _, s := range sets {
		if s.size > main.size {
			main = s
		}
	}
	if main.files == nil {
		return nil, fmt.Errorf("%w: it is a folder, and not that of a DVD", media.ErrUnsupported)
	}
	return main.files, nil
}

// setOf returns a title set for its first file, and any other file alone.
func setOf(path string) []string {
	if m := vobName.FindStringSubmatch(filepath.Base(path)); m != nil && m[2] == "1" {
		if sets, err := titleSets(filepath.Dir(path)); err == nil && len(sets[m[1]].files) > 1 {
			return sets[m[1]].files
		}
	}
	return []string{path}
}

// titleSet is a film in its files.
type titleSet struct {
	files []string
	size  int64
}

// titleSets returns the title sets in a folder VIDEO_TS, or in the one that is in the folder, by their numbers. A set ends
// where a file of it is missing.
func titleSets(dir string) (map[string]titleSet, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fileError(err)
	}
	slices.SortFunc(entries, func(a, b os.DirEntry) int {
		return strings.Compare(strings.ToUpper(a.Name()), strings.ToUpper(b.Name()))
	})
	sets := make(map[string]titleSet)
	for _, e := range entries {
		if e.IsDir() && strings.EqualFold(e.Name(), videoFolder) && !strings.EqualFold(filepath.Base(dir), videoFolder) {
			return titleSets(filepath.Join(dir, e.Name()))
		}
		m := vobName.FindStringSubmatch(e.Name())
		if m == nil {
			continue
		}
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
			continue
		}
		s := sets[m[1]]
		if m[2] != strconv.Itoa(len(s.files)+1) {
			continue
		}
		sets[m[1]] = titleSet{append(slices.Clip(s.files), filepath.Join(dir, e.Name())), s.size + info.Size()}
	}
	return sets, nil
}

// joined returns the address under which ffmpeg reads files as one (ffmpeg-protocols(1), concat).
func joined(files []string) (string, error) {
	for i, f := range files {
		if strings.Contains(f, "|") {
			return "", fmt.Errorf("%w: the name of its folder has a | in it", media.ErrUnsupported)
		}
		files[i] = "file:" + f
	}
	return "concat:" + strings.Join(files, "|"), nil
}

// discImage reports whether a file is that of a whole disc.
func discImage(path string) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".iso", ".img", ".nrg", ".mdf":
		return true
	}
	return false
}
