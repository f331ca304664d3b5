package tags

import (
	"strings"

	"manofwar/internal/media"
)

// readAVI reads the header lists of an AVI file (Microsoft's "AVI RIFF File Reference").
func readAVI(w *window, f *Facts) error {
	head, err := w.at(0, 12)
	if err != nil || string(head[:4]) != "RIFF" || string(head[8:]) != "AVI " {
		return orCorrupt(err, "it is not an AVI file, though its name says so")
	}
	err = chunks(&cursor{w, 12, w.size}, func(id string, c cursor) error {
		if id != "LIST" {
			return nil
		}
		kind, err := c.next(4)
		if err != nil {
			return ioError(err)
		}
		switch string(kind) {
		case "hdrl":
			return chunks(&c, func(id string, c cursor) error { return readAVIHeader(id, c, f) })
		case "INFO":
			c.pos -= 4
			return readInfo(&c, f)
		case "movi":
			return errEnough // what could follow is an index as long as the film
		}
		return nil
	})
	if err != nil && err != errEnough {
		return err
	}
	if len(f.Streams) == 0 {
		return corrupt("its AVI header is missing")
	}
	return nil
}

// chunks calls f with each chunk of a RIFF list until one fails. Chunks that end too early end it.
func chunks(c *cursor, f func(id string, c cursor) error) error {
	for range maxFrames {
		b, err := c.next(8)
		if err != nil {
			return ioError(err)
		}
		id, size := string(b[:4]), le32(b[4:])
		if err := f(id, cursor{c.w, c.pos, min(c.pos+size, c.end)}); err != nil {
			return err
		}
		if c.skip(size+size&1) != nil {
			return nil
		}
	}
	return nil
}

// readAVIHeader reads one chunk of the list hdrl, or of a list in it.
func readAVIHeader(id string, c cursor, f *Facts) error {
	switch id {
	case "avih":
		if b, err := c.next(40); err == nil {
			f.Duration = samples(le32(b)*le32(b[16:]), 1e6) // microseconds a frame
		}
	case "LIST":
		if kind, err := c.next(4); err == nil && string(kind) == "strl" && len(f.Streams) < 32 {
			s := media.Stream{Default: true}
			err := chunks(&c, func(id string, c cursor) error { return readAVIStream(id, c, &s, f) })
			if s.Kind != "" {
				f.Streams = append(f.Streams, s)
			}
			return err
		}
	}
	return nil
}

// aviCodecs names the four-character codes of video.
var aviCodecs = map[string]string{
	"xvid": "mpeg4", "divx": "mpeg4", "dx50": "mpeg4", "fmp4": "mpeg4", "mp4v": "mpeg4", "div3": "msmpeg4v3", "mp43": "msmpeg4v3", "mp42": "msmpeg4v2",
	"h264": "h264", "x264": "h264", "avc1": "h264", "hevc": "hevc", "mjpg": "mjpeg", "mpg2": "mpeg2video", "mpg1": "mpeg1video",
	"wmv1": "wmv1", "wmv2": "wmv2", "wmv3": "wmv3", "wvc1": "vc1",
}

func fourCC(b []byte) string {
	code := strings.ToLower(clean(string(b)))
	if name := aviCodecs[code]; name != "" {
		return name
	}
	return code
}

func readAVIStream(id string, c cursor, s *media.Stream, f *Facts) error {
	switch id {
	case "strh":
		b, err := c.next(36)
		if err != nil {
			return ioError(err)
		}
		scale, rate, length := le32(b[20:]), le32(b[24:]), le32(b[32:])
		switch string(b[:4]) {
		case "vids":
			s.Kind = media.Video
			if scale > 0 {
				s.FrameRate = float64(rate) / float64(scale)
			}
			if d := samples(length*scale, rate); d > f.Duration {
				f.Duration = d // OpenDML counts only the first part in avih
			}
		case "auds":
			s.Kind = media.Audio
		case "txts":
			s.Kind = media.Subtitle
		}
	case "strf":
		switch s.Kind {
		case media.Video:
			return readBitmapHeader(&c, s)
		case media.Audio:
			return readWaveHeader(&c, s)
		}
	}
	return nil
}

// readBitmapHeader reads a BITMAPINFOHEADER, which AVI and ASF share.
func readBitmapHeader(c *cursor, s *media.Stream) error {
	b, err := c.next(20)
	if err != nil {
		return ioError(err)
	}
	s.Width, s.Height = int(int32(le32(b[4:]))), int(int32(le32(b[8:])))
	s.Height = max(s.Height, -s.Height) // negative: from the top down
	s.Codec = fourCC(b[16:20])
	return nil
}

// readWaveHeader reads a WAVEFORMATEX.
func readWaveHeader(c *cursor, s *media.Stream) error {
	b, err := c.next(16)
	if err != nil {
		return ioError(err)
	}
	tag := le16(b)
	s.Codec = waveCodec(tag, le16(b[14:]))
	s.Channels, s.SampleRate, s.Bitrate = le16(b[2:]), int(le32(b[4:])), int(le32(b[8:])*8)
	return nil
}
