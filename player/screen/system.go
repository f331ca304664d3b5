package screen

import (
	"io/fs"
	"os"
	"path/filepath"
)

// SystemFonts returns the directories in which Linux, macOS and Windows keep fonts, as far as they are there: those
// of the image and those of a computer. Nothing is read of them before a font is needed.
func SystemFonts() []fs.FS {
	dirs := []string{
		"/usr/share/fonts", "/usr/local/share/fonts",
		"/System/Library/Fonts", "/Library/Fonts",
		filepath.Join(os.Getenv("SystemRoot"), "Fonts"),
	}
	if home, err := os.UserHomeDir(); err == nil {
		dirs = append(dirs, filepath.Join(home, ".local/share/fonts"), filepath.Join(home, "Library/Fonts"))
	}
	var out []fs.FS
	for _, dir := range dirs {
		if info, err := os.Stat(dir); err == nil && info.IsDir() && filepath.IsAbs(dir) {
			out = append(out, os.DirFS(dir))
		}
	}
	return out
}
