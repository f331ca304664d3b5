// Package mediatest makes small media files for tests, with the ffmpeg that is installed.
//
// They are made once and kept below MANOFWAR_CACHE, or the user's cache directory, under a name that follows from what
// is in them and from the ffmpeg that makes them. Nothing but tests imports this package.
package mediatest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Seconds is how long each file plays.
const Seconds = 3

// Tags that every file has that can have tags.
const (
	Title       = "Ñandú — 东风 ½"
	Artist      = "Björk & Ça"
	Album       = "Älbum"
	AlbumArtist = "Various Test"
	Genre       = "Electronic"
	Track       = 7
	Disc        = 1
	Year        = 2024
)

// File is one file and how ffmpeg makes it. Input 0 is stereo sound at 44.1 kHz, 1 a picture of 160×120 that moves, and
// 2 a cover.
type File struct {
	Name string
	Args string // separated by white space
	Bare bool   // it has no tags
}

const (
	sound   = "-map 0:a -c:a "
	cover   = "-map 2:v -c:v copy -disposition:v attached_pic "
	picture = "-map 1:v -c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 25 "
)

// Cover is a picture beside the files.
const Cover = "cover.jpg"

// Files are all that are made.
var Files = []File{
	{Name: "cbr.mp3", Args: cover + sound + "libmp3lame -b:a 128k -id3v2_version 3 -write_id3v1 1"},
	{Name: "vbr.mp3", Args: sound + "libmp3lame -q:a 4 -id3v2_version 4"},
	{Name: "info.mp3", Args: sound + "libmp3lame -b:a 128k -id3v2_version 0", Bare: true},
	{Name: "bare.mp3", Args: sound + "libmp3lame -b:a 128k -id3v2_version 0 -write_xing 0", Bare: true},
	{Name: "mono.mp3", Args: sound + "libmp3lame -ac 1 -ar 22050 -b:a 48k -id3v2_version 3"},
	{Name: "two.mp2", Args: sound + "mp2 -b:a 128k", Bare: true},
	{Name: "s16.flac", Args: cover + sound + "flac"},
	{Name: "s24.flac", Args: sound + "flac -sample_fmt s32 -ar 96000"},
	{Name: "vorbis.ogg", Args: sound + "libvorbis -q:a 4"},
	{Name: "opus.opus", Args: sound + "libopus -b:a 64k"},
	{Name: "flac.oga", Args: sound + "flac -f ogg"},
	{Name: "aac.m4a", Args: cover + sound + "aac -b:a 96k"},
	{Name: "alac.m4a", Args: cover + sound + "alac"},
	{Name: "s16.wav", Args: sound + "pcm_s16le"},
	{Name: "f32.wav", Args: sound + "pcm_f32le", Bare: true},
	{Name: "s24.wav", Args: sound + "pcm_s24le", Bare: true},
	{Name: "s16.aiff", Args: sound + "pcm_s16be -write_id3v2 1"},
	{Name: "sowt.aifc", Args: sound + "pcm_s16le -f aiff -write_id3v2 1"},
	{Name: "aac.mka", Args: sound + "aac"},
	{Name: "wma.wma", Args: sound + "wmav2"},
	{Name: "wavpack.wv", Args: sound + "wavpack"},
	{Name: "tta.tta", Args: sound + "tta", Bare: true},
	{Name: "adts.aac", Args: sound + "aac", Bare: true},
	{Name: "stereo.ac3", Args: sound + "ac3 -b:a 192k", Bare: true},
	{Name: "surround.ac3", Args: "-ac 6 " + sound + "ac3 -b:a 384k", Bare: true},
	{Name: "film.mp4", Args: picture + sound + "aac -movflags +faststart"},
	{Name: "end.mp4", Args: picture + sound + "aac"},
	{Name: "fragments.mp4", Args: picture + sound + "aac -movflags frag_keyframe+empty_moov"},
	{Name: "film.mov", Args: picture + sound + "pcm_s16le", Bare: true},
	{Name: "film.mkv", Args: picture + sound + "libopus"},
	{Name: "film.webm", Args: "-map 1:v -c:v libvpx -deadline realtime -cpu-used 8 " + sound + "libvorbis"},
	{Name: "film.avi", Args: "-map 1:v -c:v mpeg4 " + sound + "libmp3lame", Bare: true},
	{Name: "film.wmv", Args: "-map 1:v -c:v wmv2 " + sound + "wmav2"},
	{Name: "film.flv", Args: "-map 1:v -c:v flv1 " + sound + "libmp3lame -ar 44100", Bare: true},
	{Name: "h264.flv", Args: picture + sound + "aac", Bare: true},
	{Name: "film.mpg", Args: "-map 1:v -c:v mpeg1video " + sound + "mp2", Bare: true},
	{Name: "film.vob", Args: "-map 1:v -c:v mpeg2video " + sound + "ac3 -f vob", Bare: true},
	{Name: "film.ts", Args: picture + sound + "aac", Bare: true},
	{Name: "film.m2ts", Args: picture + sound + "ac3 -mpegts_m2ts_mode 1", Bare: true},
	{Name: "film.ogv", Args: "-map 1:v -c:v libtheora " + sound + "libvorbis", Bare: true},
}

// Dir returns the folder that holds [Files]. It is shared: nothing in it may be altered. The test is skipped, with a
// message, where ffmpeg is not installed.
func Dir(t testing.TB) string {
	t.Helper()
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Skip("needs ffmpeg: apt-get install ffmpeg")
	}
	version, err := exec.Command(ffmpeg, "-version").Output()
	if err != nil {
		t.Fatalf("ffmpeg -version: %v", err)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %v", version, Files))
	dir := filepath.Join(cache(t), "catalog-"+hex.EncodeToString(sum[:8]))
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), ".catalog-*")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(tmp)
	if out, err := exec.Command(ffmpeg, strings.Fields("-v error -f lavfi -i color=c=teal:s=64x64 -frames:v 1 "+filepath.Join(tmp, Cover))...).CombinedOutput(); err != nil {
		t.Fatalf("make %s: %v\n%s", Cover, err, out)
	}
	for _, f := range Files {
		if out, err := exec.Command(ffmpeg, f.arguments(tmp)...).CombinedOutput(); err != nil {
			t.Fatalf("make %s: %v\n%s", f.Name, err, out)
		}
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(tmp, dir); err != nil && !os.IsExist(err) { // another package's tests were quicker
		if _, there := os.Stat(dir); there != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func cache(t testing.TB) string {
	dir := os.Getenv("MANOFWAR_CACHE")
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			user = os.TempDir()
		}
		dir = filepath.Join(user, "manofwar")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func (f File) arguments(dir string) []string {
	args := strings.Fields(fmt.Sprintf("-nostdin -v error -y -f lavfi -i aevalsrc='0.2*sin(880*t)|0.2*sin(1320*t)':s=44100:d=%d "+
		"-f lavfi -i testsrc2=s=160x120:r=25:d=%d -i %s", Seconds, Seconds, filepath.Join(dir, Cover)))
	args = append(args, strings.Fields(f.Args)...)
	args = append(args, "-map_metadata", "-1", "-fflags", "+bitexact", "-flags:a", "+bitexact")
	if !f.Bare {
		for _, tag := range []string{
			"title=" + Title, "artist=" + Artist, "album=" + Album, "album_artist=" + AlbumArtist, "genre=" + Genre,
			fmt.Sprintf("track=%d/9", Track), fmt.Sprintf("disc=%d/2", Disc), fmt.Sprintf("date=%d", Year),
		} {
			args = append(args, "-metadata", tag)
		}
	}
	return append(args, filepath.Join(dir, f.Name))
}
