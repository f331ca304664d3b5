package dlna

import (
	"context"
	"time"

	"manofwar/services/cast/api"
	"manofwar/services/cast/renderer"
)

// follow does what the last order says and the device does not.
func (d *device) follow(ctx context.Context) {
	o := d.wanted()
	if o == nil {
		return
	}
	if o.Entry == nil {
		d.silence(ctx)
	} else {
		d.followEntry(ctx, o)
		if o.Entry.Key == d.loaded {
			d.followSeek(ctx, o)
			d.followPlay(ctx, o)
			d.followNext(ctx, o)
		}
	}
	d.followLevel(ctx, o.Level)
}

func (d *device) silence(ctx context.Context) {
	if d.loaded == "" {
		return
	}
	d.loaded, d.next, d.plays, d.pending = "", "", false, nil
	_ = d.call(ctx, "stop", d.control.Stop)
}

// followEntry has the device open the entry, unless it has it or is about to go on to it.
func (d *device) followEntry(ctx context.Context, o *renderer.Order) {
	if o.Entry.Key == d.loaded {
		return
	}
	p, ok := protocolFor(o.Entry.Media, d.control.Takes())
	if !ok {
		d.fail(o.Entry, d.info.Name+" cannot play files of this kind.")
		return
	}
	if d.loaded != "" {
		_ = d.call(ctx, "stop", d.control.Stop) // some take nothing new while they play
	}
	start := time.Duration(o.Seek.To)
	d.loaded, d.loading, d.next, d.followed = o.Entry.Key, time.Now(), "", o.Seek.Number
	d.began, d.plays, d.pending, d.told = false, false, nil, time.Now()
	d.at, d.since, d.duration = start, time.Time{}, time.Duration(o.Entry.Media.Duration)
	if start > time.Second {
		d.pending = &start // most can go nowhere before they play
	}
	err := d.insist(ctx, "open", func(ctx context.Context) error {
		return d.control.SetURI(ctx, address(d.base, o.Entry), didl(d.base, o.Entry, p))
	})
	if err != nil && ctx.Err() == nil {
		d.loaded = ""
		d.fail(o.Entry, d.info.Name+" does not take it.")
	}
}

const (
	// insistEvery is how long after a refusal a device is asked again, and insistTimes how often: while they are about to
	// stop or to begin, some take nothing.
	insistEvery = time.Second
	insistTimes = 4
)

// insist does one thing that has to be done for anything to be heard.
func (d *device) insist(ctx context.Context, what string, do func(context.Context) error) (err error) {
	for try := range insistTimes {
		if try > 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(insistEvery):
			}
		}
		if err = d.call(ctx, what, do); err == nil {
			return nil
		}
	}
	return err
}

func (d *device) fail(it *renderer.Item, why string) {
	d.listener.Reported(d.info.ID, renderer.Report{Ended: &renderer.Ended{
		Key: it.Key, Problem: &api.Problem{Title: renderer.Title(it.Media), Code: "unsupported", Text: why},
	}})
}

func (d *device) followSeek(ctx context.Context, o *renderer.Order) {
	to := time.Duration(o.Seek.To)
	if o.Seek.Number > d.followed {
		d.followed = o.Seek.Number
		d.pending = &to
	}
	if d.pending == nil || !d.began || d.since.IsZero() && !d.plays {
		return // once it plays
	}
	to, d.pending = *d.pending, nil
	d.told = time.Now()
	if d.call(ctx, "seek", func(ctx context.Context) error { return d.control.Seek(ctx, to) }) == nil {
		d.at = to.Round(time.Second)
		if !d.since.IsZero() {
			d.since = time.Now()
		}
	}
}

func (d *device) followPlay(ctx context.Context, o *renderer.Order) {
	if o.Play == d.plays {
		return
	}
	d.plays, d.told = o.Play, time.Now()
	if o.Play {
		if d.insist(ctx, "play", d.control.Play) != nil && ctx.Err() == nil {
			d.plays = false
			d.loaded = ""
			d.fail(o.Entry, d.info.Name+" does not play it.")
		}
		return
	}
	at := d.position(time.Now())
	if d.call(ctx, "pause", d.control.Pause) != nil { // it is an option (AVTransport:1, section 2.4.10)
		_ = d.call(ctx, "stop", d.control.Stop)
		d.pending = &at
	}
	d.at, d.since = at, time.Time{}
}

func (d *device) followNext(ctx context.Context, o *renderer.Order) {
	if !d.control.CanNext() || !d.began || d.refusals >= insistTimes {
		return
	}
	if o.Next == nil {
		if d.next != "" {
			d.next = ""
			_ = d.call(ctx, "no next", func(ctx context.Context) error { return d.control.SetNext(ctx, "", "") })
		}
		return
	}
	p, ok := protocolFor(o.Next.Media, d.control.Takes())
	if o.Next.Key == d.next || !ok {
		return
	}
	err := d.call(ctx, "next", func(ctx context.Context) error {
		return d.control.SetNext(ctx, address(d.base, o.Next), didl(d.base, o.Next, p))
	})
	if err != nil {
		d.refusals++ // some describe it and do not have it
		return
	}
	d.next, d.refusals = o.Next.Key, 0
}

func (d *device) followLevel(ctx context.Context, want renderer.Level) {
	if !want.Known || want == d.level || !d.control.HasVolume() {
		return
	}
	if want.Volume != d.level.Volume || !d.level.Known {
		_ = d.call(ctx, "volume", func(ctx context.Context) error { return d.control.SetVolume(ctx, want.Volume) })
	}
	if want.Muted != d.level.Muted {
		_ = d.call(ctx, "mute", func(ctx context.Context) error { return d.control.SetMute(ctx, want.Muted) })
	}
	d.level, d.levelAt = want, time.Now()
}
