package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"manofwar/internal/lab"
	"manofwar/internal/lab/bench"
)

// benches measure; each prints the figures that it is named for. A name on the command line selects those that begin
// with it.
var benches = []struct {
	names []string
	run   func(ctx context.Context, dir string) error
}{
	{[]string{"calibration.sha256_mb_s"}, calibrate},
	{[]string{"image.zst_mb"}, func(ctx context.Context, dir string) error {
		mb, err := bench.ImageSize(ctx, dir)
		row("image.zst_mb", mb, "MB")
		return err
	}},
	{[]string{"boot.verify_s", "boot.portal_ready_s", "boot.total_s", "mem.idle_pss_mb"}, func(ctx context.Context, dir string) error {
		f, err := bench.Boot(ctx, dir)
		row("boot.verify_s", f.Verify, "s")
		row("boot.portal_ready_s", f.PortalReady, "s")
		row("boot.total_s", f.Total, "s")
		row("mem.idle_pss_mb", f.PSS, "MB")
		return err
	}},
	{[]string{"hls.seek_vs_ffmpeg_ratio"}, func(ctx context.Context, _ string) error {
		dir, err := lab.Cached("bench-film", "two hours", func(string) error { return nil })
		if err != nil {
			return err
		}
		ours, ffmpeg, err := bench.Seek(ctx, dir)
		row("hls.seek_ms", ours.Seconds()*1e3, "ms")
		row("hls.seek_ffmpeg_ms", ffmpeg.Seconds()*1e3, "ms")
		row("hls.seek_vs_ffmpeg_ratio", ours.Seconds()/ffmpeg.Seconds(), "ratio")
		return err
	}},
	{[]string{"range.vs_nginx_ratio"}, func(ctx context.Context, dir string) error {
		d, err := bench.Range(ctx, dir)
		row("range.mb_s", d.Ours, "MB/s")
		row("range.nginx_mb_s", d.Nginx, "MB/s")
		row("range.vs_nginx_ratio", d.Ratio, "ratio")
		return err
	}},
	{[]string{"range.many_vs_nginx_ratio"}, func(ctx context.Context, dir string) error {
		d, err := bench.RangeMany(ctx, dir)
		row("range.many_vs_nginx_ratio", d.Ratio, "ratio")
		return err
	}},
	{[]string{
		"player.cpu_pct_1080p30", "player.rss_mb", "player.cpu_with_decoder_pct_1080p30", "player.mpv_cpu_pct_1080p30", "player.cpu_vs_mpv_ratio",
	}, func(ctx context.Context, dir string) error {
		l, err := bench.Load(ctx, dir)
		figures{
			{"player.cpu_pct_1080p30", l.Own, "%"},
			{"player.cpu_with_decoder_pct_1080p30", l.All, "%"},
			{"player.mpv_cpu_pct_1080p30", l.Peer, "%"},
			{"player.cpu_vs_mpv_ratio", l.Ratio(), "ratio"},
			{"player.rss_mb", l.RSS, "MB"},
		}.print()
		return err
	}},
	{[]string{"player.pause_ms", "player.seek_ms", "player.mpv_seek_ms", "player.seek_vs_mpv_ratio"}, func(ctx context.Context, dir string) error {
		r, err := bench.React(ctx, dir)
		figures{
			{"player.pause_ms", r.Pause, "ms"},
			{"player.seek_ms", r.Seek, "ms"},
			{"player.mpv_seek_ms", r.PeerSeek, "ms"},
			{"player.seek_vs_mpv_ratio", r.Ratio(), "ratio"},
		}.print()
		return err
	}},
	{[]string{"player.gapless_samples"}, func(ctx context.Context, dir string) error {
		samples, err := bench.Gapless(ctx, dir, tell)
		if err == nil {
			row("player.gapless_samples", float64(samples), "samples")
		}
		return err
	}},
	{[]string{"cast.tap_to_frame_ms"}, func(ctx context.Context, dir string) error {
		ms, err := bench.TapToFrame(ctx, dir)
		figures{{"cast.tap_to_frame_ms", ms, "ms"}}.print()
		return err
	}},
	{[]string{"cast.multiroom_skew_ms"}, func(ctx context.Context, dir string) error {
		ms, err := bench.Rooms(ctx, dir, tell)
		figures{{"cast.multiroom_skew_ms", ms, "ms"}}.print()
		return err
	}},
	{[]string{"player.av_offset_p95_ms", "player.drops", "player.xruns"}, func(ctx context.Context, dir string) error {
		t, err := bench.InVirtualTime(ctx, dir, tell)
		if err != nil {
			return err
		}
		row("player.av_offset_p95_ms", t.Offset, "ms")
		row("player.drops", float64(t.Dropped), "pictures")
		row("player.xruns", float64(t.Dry), "times")
		return nil
	}},
	{[]string{"net.simulated_days"}, simulateDays},
	{[]string{"net.ap_after_boot_s"}, func(ctx context.Context, dir string) error {
		s, err := bench.AccessPointAfterBoot(ctx, dir, tell)
		row("net.ap_after_boot_s", s, "s")
		return err
	}},
	{[]string{"net.idle_cpu_pct", "net.private_mb"}, func(ctx context.Context, dir string) error {
		cpu, megabytes, err := bench.Idle(ctx, dir)
		if err != nil {
			return err
		}
		row("net.idle_cpu_pct", cpu, "%")
		row("net.private_mb", megabytes, "MB")
		return nil
	}},
	{[]string{
		"net.failover_p95_s", "net.networkmanager_failover_p95_s", "net.failover_vs_networkmanager_ratio", "net.dead_internet_p95_s",
		"net.ap_after_loss_s", "net.connect_p50_s",
	}, func(ctx context.Context, dir string) error {
		f, err := bench.Net(ctx, dir, tell)
		figures{
			{"net.failover_p95_s", f.Failover, "s"},
			{"net.networkmanager_failover_p95_s", f.Manager, "s"},
			{"net.failover_vs_networkmanager_ratio", f.Ratio, "ratio"},
			{"net.dead_internet_p95_s", f.DeadInternet, "s"},
			{"net.ap_after_loss_s", f.Loss, "s"},
			{"net.connect_p50_s", f.Connect, "s"},
		}.print()
		return err
	}},
}

// tell says how a long bench goes on, beside the figures.
func tell(line string) { fmt.Fprintln(os.Stderr, line) }

// row prints one figure.
func row(name string, value float64, unit string) { fmt.Printf("%s %.4g %s\n", name, value, unit) }

// figures are some that one bench measures, none of which is zero.
type figures []struct {
	name  string
	value float64
	unit  string
}

// print leaves out what was not measured for an error before it.
func (f figures) print() {
	for _, figure := range f {
		if figure.value > 0 {
			row(figure.name, figure.value, figure.unit)
		}
	}
}

// runBench runs those asked for, or all. One that fails is told, and the rest still run.
func runBench(ctx context.Context, args []string) error {
	var failed []error
	for _, b := range benches {
		wanted := func(name string) bool {
			return len(args) == 0 || slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(name, a) })
		}
		if !slices.ContainsFunc(b.names, wanted) {
			continue
		}
		if err := inTemp(ctx, b.run); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", b.names[0], err))
		}
	}
	return errors.Join(failed...)
}

func inTemp(ctx context.Context, run func(context.Context, string) error) error {
	dir, err := os.MkdirTemp("", "manofwar-bench-")
	if err != nil {
		return err
	}
	return errors.Join(run(ctx, dir), os.RemoveAll(dir))
}

// calibrate says how fast this machine is today, so that absolute figures of two days can be compared.
func calibrate(context.Context, string) error {
	const size = 256 << 20
	data := make([]byte, 1<<20)
	began := time.Now()
	h := sha256.New()
	for range size / len(data) {
		h.Write(data)
	}
	row("calibration.sha256_mb_s", size/1e6/time.Since(began).Seconds(), "MB/s")
	return nil
}
