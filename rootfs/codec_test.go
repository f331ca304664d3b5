//go:build linux

package rootfs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"manofwar/rootfs"
)

var architectures = []string{"amd64", "arm64"}

// cachedParts returns the parts for an architecture if they are in the cache; a test does not build them.
func cachedParts(t *testing.T, arch string) rootfs.Parts {
	t.Helper()
	t.Setenv("MANOFWAR_CACHED_ONLY", "1")
	parts, err := rootfs.Prepare(t.Context(), arch, t.Output())
	if err != nil {
		t.Skipf("rootfs/build/all.sh %s has not been run: %v", arch, err)
	}
	return parts
}

// engine runs the programs of one architecture, if need be through QEMU's user emulation.
type engine struct {
	dir, emulator string
}

func newEngine(t *testing.T, arch, dir string) engine {
	t.Helper()
	e := engine{dir: dir}
	if arch != runtime.GOARCH {
		e.emulator = map[string]string{"arm64": "qemu-aarch64-static", "amd64": "qemu-x86_64-static"}[arch]
		need(t, e.emulator, "qemu-user-static")
	}
	return e
}

// run runs a program with a limit of time and returns what it printed. The extra files are its descriptors from 3.
func (e engine) run(t *testing.T, program string, args []string, extra ...*os.File) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	file := filepath.Join(e.dir, program)
	cmd := exec.CommandContext(ctx, file, args...)
	if e.emulator != "" {
		// Under emulation a link would not show in the name that the program sees.
		cmd = exec.CommandContext(ctx, e.emulator, append([]string{"-0", program, file}, args...)...)
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = &stdout, &stderr, extra
	if err := cmd.Run(); err != nil {
		t.Errorf("%s %s: %v\n%s", program, strings.Join(args, " "), err, stderr.String())
	}
	return stdout.String()
}

// offered is what the product and its tests ask of the engine, by the option that lists it.
var offered = map[string]string{
	"-muxers": `nut mp4 mov ipod matroska webm mpegts hls dash segment adts mp3 flac ogg opus wav image2 image2pipe webp
		mjpeg rawvideo s16le s32le f32le webvtt srt ass sup spdif vob dvd tee null framecrc framemd5 ffmetadata yuv4mpegpipe`,
	"-demuxers": `mov,mp4,m4a,3gp,3g2,mj2 matroska,webm avi asf mpeg mpegts mpegvideo ogg flv rm nut dv wtv mxf ivf mp3 aac ac3
		eac3 dts truehd flac wav w64 aiff caf au ape wv tta tak mpc mpc8 dsf iff amr gif apng image2 png_pipe jpeg_pipe webp_pipe
		concat hls vobsub sup srt ass webvtt lavfi yuv4mpegpipe`,
	"-decoders": `h264 hevc libdav1d vp8 vp9 vc1 wmv3 mpeg1video mpeg2video mpeg4 msmpeg4 theora flv mjpeg prores dnxhd dvvideo
		ffv1 rawvideo png webp gif bmp tiff aac ac3 eac3 dca truehd mlp mp2 mp3 flac vorbis opus alac ape wavpack tta tak wmav2
		wmapro wmalossless cook atrac3 amrnb dsd_lsbf pcm_s16le pcm_s24le pcm_bluray pcm_dvd dvdsub dvbsub pgssub ass subrip
		webvtt mov_text h264_v4l2m2m hevc_v4l2m2m`,
	"-encoders":  `libx264 h264_v4l2m2m aac libmp3lame libopus flac alac ac3 pcm_s16le pcm_f32le mjpeg png libwebp webvtt mov_text srt ass rawvideo`,
	"-protocols": "file pipe fd http tcp unix concat concatf subfile data crypto cache async",
	"-filters": `scale zscale tonemap lut3d yadif bwdif fps format overlay crop pad transpose thumbnail tile select setpts trim
		concat blackdetect idet cropdetect aresample aformat volume loudnorm ebur128 replaygain dynaudnorm acompressor alimiter afade
		acrossfade atempo pan channelmap amix silencedetect showwavespic asetpts atrim apad testsrc2 sine anullsrc color mandelbrot`,
	"-bsfs": `h264_mp4toannexb hevc_mp4toannexb aac_adtstoasc extract_extradata h264_metadata dump_extra vp9_superframe
		av1_frame_merge pgs_frame_merge setts noise`,
}

func TestCodecOffers(t *testing.T) {
	for _, arch := range architectures {
		t.Run(arch, func(t *testing.T) {
			e := newEngine(t, arch, cachedParts(t, arch).Codec)
			for option, names := range offered {
				list := strings.Fields(e.run(t, "ffmpeg", []string{"-hide_banner", option}))
				for _, name := range strings.Fields(names) {
					if !slices.Contains(list, name) {
						t.Errorf("ffmpeg %s does not list %s", option, name)
					}
				}
			}
			if v := e.run(t, "ffprobe", []string{"-version"}); !strings.HasPrefix(v, "ffprobe version") {
				t.Errorf("ffprobe -version says %q", v)
			}
		})
	}
}

// The clip is made by the engine itself; OUT is where a job writes, HTTP a server with the clip.
const (
	clipArgs = `-f lavfi -i testsrc2=s=320x180:r=25:d=2 -f lavfi -i sine=f=440:r=48000:d=2 -c:v libx264 -preset ultrafast
		-g 25 -c:a aac -movflags +faststart`
	hdrToSDR = "format=yuv420p10le,setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc," +
		"zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709," +
		"tonemap=hable,zscale=t=bt709:m=bt709:r=tv,format=yuv420p"
)

// jobs are what the services do with the engine. Each must leave a file that ffprobe finds the codecs in.
var jobs = []struct{ name, args, file, codecs string }{
	{"transcode a part to fMP4", "-ss 1 -i CLIP -t 1 -c:v libx264 -preset veryfast -c:a aac -f mp4 -movflags frag_keyframe+empty_moov+default_base_moof OUT", "a.mp4", "h264 aac"},
	{"HLS of the original", "-i CLIP -c copy -f hls -hls_segment_type fmp4 OUT", "a.m3u8", "h264 aac"},
	{"MPEG transport stream", "-i CLIP -c copy OUT", "a.ts", "h264 aac"},
	{"phone: Opus", "-i CLIP -vn -c:a libopus -b:a 64k OUT", "a.opus", "opus"},
	{"phone: MP3", "-i CLIP -vn -c:a libmp3lame -q:a 4 OUT", "a.mp3", "mp3"},
	{"phone: FLAC", "-i CLIP -vn OUT", "a.flac", "flac"},
	{"thumbnail: JPEG", "-ss 1 -i CLIP -frames:v 1 -vf thumbnail=5,scale=160:-2 OUT", "a.jpg", "mjpeg"},
	{"thumbnail: WebP", "-ss 1 -i CLIP -frames:v 1 OUT", "a.webp", "webp"},
	{"thumbnail: PNG", "-ss 1 -i CLIP -frames:v 1 OUT", "a.png", "png"},
	{"seek bar", "-i CLIP -vf fps=2,scale=80:-2,tile=2x2 -frames:v 1 OUT", "tile.jpg", "mjpeg"},
	{"HDR to SDR", "-i CLIP -t 0.2 -an -vf " + hdrToSDR + " -c:v libx264 OUT", "sdr.mp4", "h264"},
	{"DVD rip", "-i CLIP -c:v mpeg2video -c:a ac3 -f vob OUT", "a.vob", "mpeg2video ac3"},
	{"DVD rip in parts, deinterlaced", "-i concat:OUTDIR/a.vob|OUTDIR/a.vob -vf bwdif -c:v libx264 -preset ultrafast -c:a aac OUT", "dvd.mkv", "h264 aac"},
	{"a range of a file", "-i subfile,,start,0,end,40000,,:OUTDIR/a.ts -c copy OUT", "part.mkv", "h264 aac"},
	{"from the network", "-i HTTP/clip.mp4 -c copy OUT", "http.mkv", "h264 aac"},
	{"subtitles for the browser", "-i SRT OUT", "a.vtt", "webvtt"},
	{"burnt-in overlay", "-i CLIP -loop 1 -t 1 -i OUTDIR/a.png -filter_complex overlay -t 1 -c:v libx264 -preset ultrafast -an OUT", "over.mp4", "h264"},
	{"AC-3 for HDMI", "-i OUTDIR/a.vob -vn -c copy -f spdif OUT", "a.spdif", "ac3"},
}

func TestCodecJobs(t *testing.T) {
	for _, arch := range architectures {
		t.Run(arch, func(t *testing.T) {
			if testing.Short() && arch != runtime.GOARCH {
				t.Skip("slow: every job through an emulator")
			}
			e := newEngine(t, arch, cachedParts(t, arch).Codec)
			dir := t.TempDir()
			server := httptest.NewServer(http.FileServer(http.Dir(dir)))
			defer server.Close()
			clip, srt := filepath.Join(dir, "clip.mp4"), filepath.Join(dir, "a.srt")
			if err := os.WriteFile(srt, []byte("1\n00:00:00,000 --> 00:00:01,000\nAhoy\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			quiet := []string{"-nostdin", "-hide_banner", "-loglevel", "error", "-y"}
			e.run(t, "ffmpeg", append(append(quiet, strings.Fields(clipArgs)...), clip))
			for _, job := range jobs {
				out := filepath.Join(dir, job.file)
				words := strings.NewReplacer("CLIP", clip, "OUTDIR", dir, "OUT", out, "HTTP", server.URL, "SRT", srt)
				args := slices.Clone(quiet)
				for _, word := range strings.Fields(job.args) {
					args = append(args, words.Replace(word))
				}
				e.run(t, "ffmpeg", args)
				if codecs := e.codecs(t, out); codecs != job.codecs {
					t.Errorf("%s: %s has %q, want %q", job.name, job.file, codecs, job.codecs)
				}
			}
			e.testPlayer(t, clip, quiet)
		})
	}
}

// codecs are the codecs of a file's streams, as ffprobe finds them.
func (e engine) codecs(t *testing.T, file string) string {
	t.Helper()
	args := []string{"-v", "error", "-of", "json", "-show_entries", "stream=codec_name", file}
	if strings.HasSuffix(file, ".m3u8") {
		args = append([]string{"-allowed_extensions", "ALL"}, args...)
	}
	var found struct {
		Streams []struct {
			Codec string `json:"codec_name"`
		}
	}
	if err := json.Unmarshal([]byte(e.run(t, "ffprobe", args)), &found); err != nil {
		t.Errorf("ffprobe %s: %v", file, err)
	}
	var names []string
	for _, s := range found.Streams {
		names = append(names, s.Codec)
	}
	return strings.Join(names, " ")
}

// testPlayer decodes as the player does: frames and samples as NUT on two descriptors.
func (e engine) testPlayer(t *testing.T, clip string, quiet []string) {
	t.Helper()
	var files []*os.File
	for _, name := range []string{"video.nut", "audio.nut"} {
		f, err := os.Create(filepath.Join(filepath.Dir(clip), name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files = append(files, f)
	}
	e.run(t, "ffmpeg", append(quiet, "-i", clip,
		"-map", "0:v", "-c:v", "rawvideo", "-pix_fmt", "yuv420p", "-f", "nut", "pipe:3",
		"-map", "0:a", "-c:a", "pcm_s16le", "-f", "nut", "pipe:4"), files...)
	for i, least := range []int64{50 * 320 * 180 * 3 / 2, 2 * 48000 * 2} { // 50 frames; two seconds, one channel
		info, err := files[i].Stat()
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() < least {
			t.Errorf("%s has %d bytes, want at least %d", filepath.Base(files[i].Name()), info.Size(), least)
		}
	}
	if got := e.codecs(t, files[0].Name()) + " " + e.codecs(t, files[1].Name()); got != "rawvideo pcm_s16le" {
		t.Errorf("the player gets %q", got)
	}
}

// The tools make, check and grow a file system, and repair a damaged one.
func TestExtTools(t *testing.T) {
	for _, arch := range architectures {
		t.Run(arch, func(t *testing.T) {
			e := newEngine(t, arch, cachedParts(t, arch).Ext)
			file := filepath.Join(t.TempDir(), "data.img")
			size := func(n int64) {
				t.Helper()
				f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY, 0o600)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				if err := f.Truncate(n); err != nil {
					t.Fatal(err)
				}
			}
			size(64 << 20)
			e.run(t, "mke2fs", []string{"-q", "-t", "ext4", "-L", "data", file})
			e.run(t, "e2fsck", []string{"-f", "-n", file})
			size(96 << 20)
			e.run(t, "resize2fs", []string{file})
			e.run(t, "e2fsck", []string{"-f", "-n", file})
		})
	}
}

// A root of the real parts is complete, and within what an image of 48 MB leaves for it.
func TestBuildOfRealParts(t *testing.T) {
	for _, arch := range architectures {
		t.Run(arch, func(t *testing.T) {
			o := options(t)
			o.Parts = cachedParts(t, arch)
			tree, err := rootfs.Build(o)
			if err != nil {
				t.Fatal(err)
			}
			sums := map[string]int64{}
			for _, e := range tree.Entries() {
				sums[e.Origin] += e.Content.Size
			}
			t.Log("bytes by origin:", sums)
			var fonts int64 // what the television writes with: Noto for most scripts, WenQuanYi for Chinese, Japanese and Korean
			for origin, size := range sums {
				if strings.HasPrefix(origin, "fonts-") {
					fonts += size
				}
			}
			if size := tree.Size() - fonts; size > 32<<20 {
				t.Errorf("the parts have %d bytes", size)
			}
			if fonts == 0 || fonts > 19<<19 { // 9.5 MiB
				t.Errorf("the fonts have %d bytes", fonts)
			}
			for _, name := range []string{"usr/share/zoneinfo/Europe/Berlin", "usr/share/zoneinfo/Asia/Calcutta", "usr/share/zoneinfo/zone1970.tab", "usr/share/fonts/truetype/noto/NotoSans-Regular.ttf"} {
				if _, ok := tree.Get(name); !ok {
					t.Errorf("no /%s", name)
				}
			}
			e, _ := tree.Get("etc/ssl/certs/ca-certificates.crt")
			if n := bytes.Count(read(t, e.Content), []byte("-----BEGIN CERTIFICATE-----")); n < 100 {
				t.Errorf("%d certificate authorities", n)
			}
			writeSquash(t, tree)
		})
	}
}
