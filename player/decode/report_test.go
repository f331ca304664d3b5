package decode

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"manofwar/internal/media"
	"manofwar/player"
)

func TestRates(t *testing.T) {
	for _, c := range []struct {
		name, mean, lowest string
		want               player.Rational
	}{
		{"film", "24000/1001", "24000/1001", player.Rational{Num: 24000, Den: 1001}},
		{"film, rounded to milliseconds", "359/15", "24000/1001", player.Rational{Num: 24000, Den: 1001}},
		{"film as a fraction nobody uses", "23976/1000", "23976/1000", player.Rational{Num: 24000, Den: 1001}},
		{"not quite film", "24/1", "24/1", player.Rational{Num: 24, Den: 1}},
		{"fields", "25/1", "50/1", player.Rational{Num: 25, Den: 1}},
		{"a rate that varies", "18342/1000", "90000/1", player.Rational{Num: 18342, Den: 1000}},
		{"varies about 30", "29968/1000", "1000/1", player.Rational{Num: 30000, Den: 1001}},
		{"no mean", "0/0", "25/1", player.Rational{Num: 25, Den: 1}},
		{"unknown", "0/0", "0/0", player.Rational{}},
	} {
		s := probedStream{MeanRate: c.mean, RealRate: c.lowest}
		if got := s.rate(); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// TestCodings reads what a hardware decoder has to know.
func TestCodings(t *testing.T) {
	for _, c := range []struct {
		name, report string
		want         player.Coding
	}{
		{"usual", `"profile":"High","pix_fmt":"yuv420p","color_range":"tv"`, player.Coding{Profile: "High", Plain: true}},
		{"of which range is not said", `"profile":"Main","pix_fmt":"yuv420p"`, player.Coding{Profile: "Main", Plain: true}},
		{"ten bits", `"profile":"High 10","pix_fmt":"yuv420p10le"`, player.Coding{Profile: "High 10"}},
		{"full range", `"profile":"High","pix_fmt":"yuv420p","color_range":"pc"`, player.Coding{Profile: "High"}},
		{"full range as ffmpeg has it for pictures", `"pix_fmt":"yuvj420p"`, player.Coding{}},
		{
			"turned", `"profile":"High","pix_fmt":"yuv420p","side_data_list":[{"side_data_type":"Display Matrix","rotation":-90}]`,
			player.Coding{Profile: "High", Plain: true, Turned: true},
		},
		{
			"with something else beside it", `"profile":"High","pix_fmt":"yuv420p","side_data_list":[{"side_data_type":"CPB properties"}]`,
			player.Coding{Profile: "High", Plain: true},
		},
	} {
		var s probedStream
		if err := json.Unmarshal([]byte("{"+c.report+"}"), &s); err != nil {
			t.Fatal(err)
		}
		var info player.Info
		if s.picture(&info); info.Coding != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, info.Coding, c.want)
		}
	}
}

func TestReports(t *testing.T) {
	read := func(text string) (player.Info, error) {
		t.Helper()
		var r probed
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			t.Fatal(err)
		}
		return r.info()
	}
	song, err := read(`{"streams":[{"codec_type":"audio","codec_name":"aac","sample_rate":"44100","channels":2,"duration":"3.1"},
		{"codec_type":"video","codec_name":"mjpeg","disposition":{"attached_pic":1}}],
		"format":{"format_name":"mov,mp4,m4a","duration":"3.2","tags":{"iTunSMPB":" 00000000 00000840 000001C4 000000000001FF0B 00000000"}}}`)
	if want := time.Duration(0x1FF0B) * time.Second / 44100; err != nil || (song.Duration-want).Abs() > time.Microsecond || len(song.Streams) != 1 || song.Container != "mp4" {
		t.Errorf("a song of iTunes: %+v, %v", song, err)
	}
	film, err := read(`{"streams":[{"codec_type":"data"},{"codec_type":"subtitle","codec_name":"subrip","tags":{"LANGUAGE":"und","Title":" Signs "}},
		{"codec_type":"video","codec_name":"hevc","width":3840,"height":1600,"color_transfer":"smpte2084","r_frame_rate":"24/1","avg_frame_rate":"24/1"}],
		"chapters":[{"start_time":"1.400000"},{"start_time":"61.400000","tags":{"title":"Two"}}],
		"format":{"format_name":"mpegts","start_time":"1.400000","duration":"3600.5"}}`)
	if err != nil || !film.HDR || film.Aspect != 2.4 || film.Duration != 3600500*time.Millisecond || len(film.Streams) != 2 || film.Streams[0].Language != "" || film.Streams[0].Title != "Signs" {
		t.Errorf("a film: %+v, %v", film, err)
	}
	if len(film.Chapters) != 2 || film.Chapters[0].Start != 0 || film.Chapters[1] != (player.Chapter{Start: time.Minute, Title: "Two"}) {
		t.Errorf("its chapters: %+v", film.Chapters)
	}
	for _, text := range []string{`{}`, `{"streams":[{"codec_type":"subtitle"}]}`, `{"streams":[{"codec_type":"data"},{"codec_type":"video","disposition":{"attached_pic":1}}]}`} {
		if _, err := read(text); !errors.Is(err, media.ErrUnsupported) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func FuzzReport(f *testing.F) {
	f.Add([]byte(`{"streams":[{"codec_type":"video","width":-1,"height":0,"sample_aspect_ratio":"0:0","side_data_list":[{"rotation":-90}]},{"codec_type":"audio"}],"format":{"duration":"-5"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var r probed
		if json.Unmarshal(data, &r) != nil {
			return
		}
		info, err := r.info()
		if err == nil && (info.Aspect < 0 || info.Rate.Den < 0) {
			t.Errorf("%+v", info)
		}
	})
}

func TestComplaints(t *testing.T) {
	for said, want := range map[string]error{
		"[mov,mp4 @ 0x55] moov atom not found\nfile:/a.mp4: Invalid data found when processing input": media.ErrCorrupt,
		"file:/a: No such file or directory":                                                                                        media.ErrNotFound,
		"[http @ 0x55] HTTP error 404 Not Found\nhttp://x/a: Server returned 404 Not Found":                                         media.ErrNotFound,
		"Decoding requested, but no decoder found for: xyz":                                                                         media.ErrUnsupported,
		"[tcp @ 0x55] Connection to tcp://x:1 failed: Connection refused":                                                           errServer,
		"[hls @ 0x55] Format not on whitelist 'mov,mp3'\nfile:/a.mkv: Invalid data found when processing input or not on whitelist": media.ErrUnsupported,
	} {
		if got := explain(said, errors.New("exit status 1")); !errors.Is(got, want) {
			t.Errorf("%q means %v, want %v", said, got, want)
		}
	}
	if got := explain("one\n[out#0 @ 0x55f] it went wrong\n", errors.New("exit status 1")).Error(); got != "ffmpeg: it went wrong (exit status 1)" {
		t.Errorf("the last words became %q", got)
	}
}
