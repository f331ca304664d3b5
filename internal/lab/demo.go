package lab

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// demoAlbum is one album of the demo library. Its music is made of its chords: pure tones with a soft attack.
type demoAlbum struct {
	artist, title, genre string
	year                 int
	codec                string // "flac", "mp3", "opus", "m4a"
	cover                string // an ffmpeg source that draws its picture
	seconds              int    // of each track
	tracks               []demoTrack
}

type demoTrack struct {
	title string
	tones []float64 // in Hz
}

var demoAlbums = []demoAlbum{
	{"Ada Reefknot", "Harbour Lights", "Ambient", 2019, "flac", "gradients=s=600x600:c0=0x0b3954:c1=0xff6663:x0=0:y0=0:x1=600:y1=600:nb_colors=2:seed=3", 60, []demoTrack{
		{"Low Water", []float64{110, 164.81, 220}},
		{"The Lamp Room", []float64{130.81, 196, 261.63}},
		{"Nine Fathoms", []float64{98, 146.83, 196}},
		{"Mooring", []float64{123.47, 185, 246.94}},
	}},
	{"Björk & Söhne", "Nachtfähre", "Electronic", 2023, "mp3", "gradients=s=600x600:c0=0x2b2d42:c1=0x8d99ae:c2=0xef233c:nb_colors=3:x0=300:y0=0:x1=300:y1=600:seed=5", 45, []demoTrack{
		{"Überfahrt", []float64{146.83, 220, 293.66}},
		{"Kielwasser", []float64{164.81, 246.94, 329.63}},
		{"Morgengrauen", []float64{174.61, 261.63, 349.23}},
	}},
	{"浜辺の楽団", "潮騒", "Jazz", 2008, "opus", "gradients=s=600x600:c0=0x264653:c1=0x2a9d8f:c2=0xe9c46a:nb_colors=3:x0=0:y0=600:x1=600:y1=0:seed=9", 50, []demoTrack{
		{"朝", []float64{196, 246.94, 293.66}}, {"昼", []float64{220, 277.18, 329.63}}, {"夜", []float64{174.61, 220, 261.63}},
	}},
	{"The Dry Docks", "Rust & Rivets", "Rock", 1994, "m4a", "gradients=s=600x600:c0=0x3d2c2e:c1=0xd9a05b:x0=600:y0=0:x1=0:y1=600:nb_colors=2:seed=12", 40, []demoTrack{
		{"Keel Song", []float64{82.41, 123.47, 164.81}},
		{"Hammer and Tar", []float64{87.31, 130.81, 174.61}},
		{"Slipway", []float64{92.5, 138.59, 185}},
	}},
}

// demoFilms are pictures that move enough to see a seek, with a tone that changes every second.
var demoFilms = []struct{ name, source string }{
	{"Into the Set (2021).mp4", "mandelbrot=s=1280x720:r=24:maxiter=400:end_pts=1600:start_scale=2:end_scale=0.05"},
	{"Colour Tides (2017).mkv", "gradients=s=1280x720:r=24:speed=0.02:nb_colors=4:seed=21"},
}

// filmSeconds is how long each demo film lasts.
const filmSeconds = 90

// DemoLibrary returns a directory with a small library to show: four albums with covers, two films. It is made once,
// with ffmpeg, and kept in the cache. step is told of each file made.
func DemoLibrary(ctx context.Context, step func(string)) (string, error) {
	recipe := fmt.Sprint("v3", demoAlbums, demoFilms, filmSeconds)
	return Cached("demo-library", recipe, func(dir string) error {
		for _, a := range demoAlbums {
			if err := a.make(ctx, filepath.Join(dir, "Music"), step); err != nil {
				return err
			}
		}
		for _, f := range demoFilms {
			step(f.name)
			if err := makeFilm(ctx, filepath.Join(dir, "Films", f.name), f.source); err != nil {
				return err
			}
		}
		return nil
	})
}

// make writes the album's tracks, each with its tags and the cover inside.
func (a demoAlbum) make(ctx context.Context, music string, step func(string)) error {
	dir := filepath.Join(music, a.artist, a.title)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	cover := filepath.Join(dir, "cover.jpg")
	if err := FFmpeg(ctx, "-f", "lavfi", "-i", a.cover, "-frames:v", "1", "-q:v", "3", cover); err != nil {
		return err
	}
	for i, t := range a.tracks {
		step(a.title + " – " + t.title)
		args := []string{"-f", "lavfi", "-i", t.source(a.seconds)}
		if a.codec != "opus" { // ffmpeg cannot attach a picture to Ogg: the file beside it serves
			args = append(args, "-i", cover, "-map", "0:a", "-map", "1:v", "-c:v", "copy", "-disposition:v", "attached_pic")
		}
		args = append(args, "-metadata", "title="+t.title, "-metadata", "artist="+a.artist, "-metadata", "album_artist="+a.artist,
			"-metadata", "album="+a.title, "-metadata", "genre="+a.genre, "-metadata", fmt.Sprintf("date=%d", a.year),
			"-metadata", fmt.Sprintf("track=%d/%d", i+1, len(a.tracks)),
			filepath.Join(dir, fmt.Sprintf("%02d %s.%s", i+1, t.title, a.codec)))
		if err := FFmpeg(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

// source is an ffmpeg source of the chord: each tone swells and fades with a period of its own.
func (t demoTrack) source(seconds int) string {
	var left, right []string
	for i, hz := range t.tones {
		swell := fmt.Sprintf("0.5*(1-cos(2*PI*t/%d))", 5+2*i)
		left = append(left, fmt.Sprintf("0.12*%s*sin(2*PI*%g*t)", swell, hz))
		right = append(right, fmt.Sprintf("0.12*%s*sin(2*PI*%g*t)", swell, hz*1.002))
	}
	return fmt.Sprintf("aevalsrc=exprs='%s|%s':s=44100:d=%d", strings.Join(left, "+"), strings.Join(right, "+"), seconds)
}

func makeFilm(ctx context.Context, file, source string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	title := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	tone := fmt.Sprintf("aevalsrc=exprs='0.1*sin(2*PI*t*(220+55*mod(floor(t)\\,8)))':s=48000:d=%d", filmSeconds)
	return FFmpeg(ctx, "-f", "lavfi", "-i", source, "-f", "lavfi", "-i", tone, "-t", fmt.Sprint(filmSeconds),
		"-c:v", "libx264", "-preset", "veryfast", "-crf", "24", "-pix_fmt", "yuv420p", "-g", "96", "-bf", "2",
		"-c:a", "aac", "-b:a", "128k", "-ac", "2", "-metadata", "title="+title, "-movflags", "+faststart", file)
}

// FFmpeg runs Debian's ffmpeg, quietly and overwriting, and returns what it complained about as the error.
func FFmpeg(ctx context.Context, args ...string) error {
	args = append([]string{"-nostdin", "-hide_banner", "-loglevel", "error", "-y"}, args...)
	if out, err := exec.CommandContext(ctx, "ffmpeg", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("ffmpeg: %w: %s", err, out)
	}
	return nil
}

// Ext4Disk writes a raw disk image with one ext4 file system, without a partition table, that holds what is in dir.
func Ext4Disk(ctx context.Context, image, dir, label string, size int64) error {
	f, err := os.Create(image)
	if err != nil {
		return err
	}
	if err := f.Truncate(size); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, "mke2fs", "-q", "-t", "ext4", "-L", label, "-E", "root_owner=0:0", "-d", dir, image).CombinedOutput()
	if err != nil {
		return fmt.Errorf("mke2fs: %w: %s", err, out)
	}
	return nil
}
