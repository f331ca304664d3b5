// Package decode makes pictures, sound and subtitles of what a source holds: it is the [player.Decoder] on ffmpeg.
//
// Each item that is open is one child process, which decodes, scales and resamples, and writes to a pipe for each kind:
// pictures and sound as NUT, whose timestamps package nut reads, and subtitles in their own form, which package cue
// reads. Pictures go from the pipe straight into the frame of the display. A source is looked at by ffprobe, which on the
// dongle is the same program.
//
// What a file may do is bounded: it is opened by the demuxers in [demuxers] only, none of which reads another file or
// asks a network, and by one protocol. The child dies with this process and cannot outlive its stream. A copied DVD is
// played by its largest title set.
//
// Where the machine has hardware that decodes the pictures ([Decoder.Hardware]), the child hands them over as they are
// coded, and decodes the rest.
//
// Not here: a disc's menus, titles and chapters, images of discs, and sources on https.
package decode

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"manofwar/internal/media"
	"manofwar/player"
)

// Decoder opens sources. Its zero value uses the programs on the search path.
type Decoder struct {
	FFmpeg  string // the programs; empty: as they are called
	FFprobe string

	// Hardware returns what decodes a request's pictures; its error says why nothing does. Nil: there is none.
	Hardware func(player.Request) (Hardware, error)
}

// Hardware decodes the pictures of one film from one place on. A goroutine feeds it while another one takes pictures.
type Hardware interface {
	player.Lender

	// Feed hands over the next coded picture, and when it is due, in the order of decoding. It waits while the hardware
	// has enough. Finish says that there are no more: Lend returns io.EOF after the last one.
	Feed(packet []byte, due time.Duration) error
	Finish() error

	// Close ends every call that waits.
	Close() error
}

func (d *Decoder) ffmpeg() string {
	if d.FFmpeg != "" {
		return d.FFmpeg
	}
	return "ffmpeg"
}

func (d *Decoder) ffprobe() string {
	if d.FFprobe != "" {
		return d.FFprobe
	}
	return "ffprobe"
}

// demuxers are the formats that a source may be in. Playlists, concatenations and anything else that names further files
// are not among them: a file from the owner's disk must not make ffmpeg read another one, or call a server.
const demuxers = "mov,matroska,avi,asf,mpeg,mpegts,mpegvideo,ogg,flv,rm,ivr,nut,nsv,mxf,dv,wtv,pva,ivf,obu,av1,cdg,h264,hevc,h261,h263,m4v," +
	"mjpeg,vc1,cavsvideo,yuv4mpegpipe,gif,apng,swf,mp3,aac,ac3,eac3,dts,dtshd,truehd,mlp,flac,wav,w64,aiff,caf,au,ape,wv,tta,tak,shn,mpc,mpc8," +
	"dsf,iff,oma,amr,amrnb,amrwb,qcp,voc,gsm,ircam,spdif,loas,xwma,srt,ass,webvtt"

// input returns the arguments with which either program opens a source.
func input(s player.Source) ([]string, error) {
	switch {
	case s.URL != "":
		u, err := url.Parse(s.URL)
		if err != nil || u.Scheme != "http" || u.Host == "" {
			return nil, &media.Error{Op: "play", Path: s.URL, Err: fmt.Errorf("%w: an address begins with http://", media.ErrUnsupported)}
		}
		return []string{
			"-protocol_whitelist", "http,tcp", "-format_whitelist", demuxers,
			"-rw_timeout", "15000000", "-reconnect", "1", "-reconnect_delay_max", "4", "-i", s.URL,
		}, nil
	case s.Path != "":
		path, err := filepath.Abs(s.Path)
		if err != nil {
			return nil, err
		}
		parts, err := partsOf(path)
		if err != nil {
			return nil, &media.Error{Op: "play", Path: name(s), Err: err}
		}
		if len(parts) == 1 {
			return []string{"-protocol_whitelist", "file", "-format_whitelist", demuxers, "-i", "file:" + parts[0]}, nil
		}
		whole, err := joined(parts)
		if err != nil {
			return nil, &media.Error{Op: "play", Path: name(s), Err: err}
		}
		// Its subtitles may begin minutes after its pictures, and another language of its sound later than the first.
		return []string{
			"-protocol_whitelist", "file,concat", "-format_whitelist", "mpeg", "-probesize", "20000000", "-analyzeduration", "60000000", "-i", whole,
		}, nil
	}
	return nil, &media.Error{Op: "play", Err: fmt.Errorf("%w: neither a file nor an address", media.ErrInvalid)}
}

// name is what a person calls the source.
func name(s player.Source) string {
	if s.Path != "" {
		base := filepath.Base(s.Path)
		if strings.EqualFold(base, videoFolder) {
			base = filepath.Base(filepath.Dir(s.Path))
		}
		return base
	}
	if u, err := url.Parse(s.URL); err == nil && u.Path != "" {
		return u.Host + ": " + u.Path[strings.LastIndexByte(u.Path, '/')+1:]
	}
	return s.URL
}
