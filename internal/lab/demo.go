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
	cover                picture
	seconds              int // of each track
	tracks               []demoTrack
}

// picture is drawn by ffmpeg's geq filter: the red, green and blue of each of its 600 × 600 pixels as expressions in X
// and Y.
type picture struct{ r, g, b string }

func (p picture) source() string {
	return fmt.Sprintf("nullsrc=s=600x600,format=gbrp,geq=r='%s':g='%s':b='%s'", p.r, p.g, p.b)
}

// The covers: a moon over its reflection, rings, a pattern of waves, stripes with rivets.
var (
	moon = picture{
		"if(lt(hypot(X-400,Y-190),85),255,if(gt(Y,390),18+200*gt(sin(Y/5+6*sin(X/55)),0.55)*lt(abs(X-400),30+(Y-390)*0.55),12+Y/9))",
		"if(lt(hypot(X-400,Y-190),85),214,if(gt(Y,390),42+130*gt(sin(Y/5+6*sin(X/55)),0.55)*lt(abs(X-400),30+(Y-390)*0.55),40+Y/7))",
		"if(lt(hypot(X-400,Y-190),85),160,if(gt(Y,390),78+50*gt(sin(Y/5+6*sin(X/55)),0.55)*lt(abs(X-400),30+(Y-390)*0.55),84+Y/8))",
	}
	rings = picture{
		"if(lt(mod(hypot(X-600,Y-600),110),55),239,43)",
		"if(lt(mod(hypot(X-600,Y-600),110),55),35+hypot(X-600,Y-600)/6,45)",
		"if(lt(mod(hypot(X-600,Y-600),110),55),60+hypot(X-600,Y-600)/8,66)",
	}
	waves = picture{
		"if(lt(mod(hypot(mod(X+60*mod(floor(Y/60),2),120)-60,mod(Y,60)-60),30),15),233-Y/5,38)",
		"if(lt(mod(hypot(mod(X+60*mod(floor(Y/60),2),120)-60,mod(Y,60)-60),30),15),196,70+Y/8)",
		"if(lt(mod(hypot(mod(X+60*mod(floor(Y/60),2),120)-60,mod(Y,60)-60),30),15),106+Y/8,83+Y/10)",
	}
	rivets = picture{
		"if(lt(hypot(mod(X,150)-75,mod(Y,150)-75),22),61,if(lt(mod(X+Y,300),150),217,176))",
		"if(lt(hypot(mod(X,150)-75,mod(Y,150)-75),22),44,if(lt(mod(X+Y,300),150),160,92))",
		"if(lt(hypot(mod(X,150)-75,mod(Y,150)-75),22),46,if(lt(mod(X+Y,300),150),91,58))",
	}
)

type demoTrack struct {
	title string
	tones []float64 // in Hz
}

var demoAlbums = []demoAlbum{
	{"Ada Reefknot", "Harbour Lights", "Ambient", 2019, "flac", moon, 60, []demoTrack{
		{"Low Water", []float64{110, 164.81, 220}},
		{"The Lamp Room", []float64{130.81, 196, 261.63}},
		{"Nine Fathoms", []float64{98, 146.83, 196}},
		{"Mooring", []float64{123.47, 185, 246.94}},
	}},
	{"Björk & Söhne", "Nachtfähre", "Electronic", 2023, "mp3", rings, 45, []demoTrack{
		{"Überfahrt", []float64{146.83, 220, 293.66}},
		{"Kielwasser", []float64{164.81, 246.94, 329.63}},
		{"Morgengrauen", []float64{174.61, 261.63, 349.23}},
	}},
	{"浜辺の楽団", "潮騒", "Jazz", 2008, "opus", waves, 50, []demoTrack{
		{"朝", []float64{196, 246.94, 293.66}}, {"昼", []float64{220, 277.18, 329.63}}, {"夜", []float64{174.61, 220, 261.63}},
	}},
	{"The Dry Docks", "Rust & Rivets", "Rock", 1994, "m4a", rivets, 40, []demoTrack{
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
	recipe := fmt.Sprint("v4", demoAlbums, demoFilms, filmSeconds)
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
	if err := FFmpeg(ctx, "-f", "lavfi", "-i", a.cover.source(), "-frames:v", "1", "-q:v", "3", cover); err != nil {
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
	title, year, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)), " (")
	tone := fmt.Sprintf("aevalsrc=exprs='0.1*sin(2*PI*t*(220+55*mod(floor(t)\\,8)))':s=48000:d=%d", filmSeconds)
	return FFmpeg(ctx, "-f", "lavfi", "-i", source, "-f", "lavfi", "-i", tone, "-t", fmt.Sprint(filmSeconds),
		"-c:v", "libx264", "-preset", "veryfast", "-crf", "24", "-pix_fmt", "yuv420p", "-g", "96", "-bf", "2",
		"-c:a", "aac", "-b:a", "128k", "-ac", "2", "-metadata", "title="+title, "-metadata", "date="+strings.TrimSuffix(year, ")"), "-movflags", "+faststart", file)
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
