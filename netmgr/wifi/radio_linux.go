package wifi

import (
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/netmgr"
	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/link"
	"manofwar/netmgr/nl80211"
	"manofwar/netmgr/station"
)

// radio does what is planned for one radio. All but nudge and run's end is for the goroutine of run.
type radio struct {
	found
	backend   *Backend
	conn      *nl80211.Conn
	station   *station.Station
	tell      func(netmgr.Event)
	described netmgr.Radio // for the backend's goroutine
	cancel    context.CancelFunc
	done      chan struct{}
	wake      chan struct{}

	scan, join task
	profile    string // that the join is of
	own        ownPoint
}

// task is a piece of work for one number of the plan.
type task struct {
	number int
	cancel context.CancelCauseFunc
	done   chan struct{} // nil: nothing runs
}

// start begins the work for a number.
func (t *task) start(ctx context.Context, number int, f func(context.Context)) {
	t.number = number
	ctx, t.cancel = context.WithCancelCause(ctx)
	done := make(chan struct{})
	t.done = done
	go func() {
		defer close(done)
		f(ctx)
	}()
}

// end ends the work, if there is any, and waits for it.
func (t *task) end(cause error) {
	if t.done != nil {
		t.cancel(cause)
		<-t.done
		t.done = nil
	}
	t.number = 0
}

func newRadio(b *Backend, conn *nl80211.Conn, f found, tell func(netmgr.Event)) (*radio, error) {
	s, err := station.New(station.Config{Radio: f.radio, Interface: f.face, Log: b.log.With("link", f.face.Name)})
	if err != nil {
		return nil, err
	}
	r := &radio{found: f, backend: b, conn: conn, station: s, tell: tell, wake: make(chan struct{}, 1)}
	r.own = ownPoint{radio: r, retry: time.NewTimer(restart)}
	return r, nil
}

// nudge has the plan looked at again.
func (r *radio) nudge() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// run follows the plans until ctx ends, when everything is ended.
func (r *radio) run(ctx context.Context) {
	defer func() {
		r.scan.end(nil)
		r.join.end(nil)
		r.own.end()
		if err := r.station.Close(); err != nil {
			r.backend.log.Debug("station not closed", "err", err)
		}
	}()
	for {
		if p, ok := r.backend.planned(r.radio.Phy); ok {
			r.followScan(ctx, p)
			r.followJoin(ctx, p)
			r.own.follow(ctx, p)
		}
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		case <-r.own.retry.C:
		}
	}
}

// followScan begins and gives up looks.
func (r *radio) followScan(ctx context.Context, p plan) {
	if p.Scan.Number == r.scan.number {
		return
	}
	r.scan.end(nil)
	if p.Scan.Number == 0 {
		return
	}
	r.scan.start(ctx, p.Scan.Number, func(ctx context.Context) { r.look(ctx, p.Scan) })
}

// A gentle look takes the radio off its channel for less than a second, and leaves it there until the kernel would have
// noticed that the network has fallen silent.
const (
	gentleChannels = 2
	gentlePause    = 2 * time.Second

	// gentleRead is after how many pieces of it what was heard is read and told: well before the kernel forgets it (30 s), and not
	// each time, as it is all that is in the air and not only the piece's own.
	gentleRead = 4
)

// look carries a scan out and tells what was heard.
func (r *radio) look(ctx context.Context, s netmgr.Scan) {
	scan := nl80211.Scan{Index: r.face.Index, MHz: s.MHz}
	if scan.MHz == nil {
		scan.MHz = r.radio.Everywhere()
	}
	for _, ssid := range s.SSIDs {
		scan.SSIDs = append(scan.SSIDs, ieee80211.SSID(ssid))
	}
	all, pieces := s.MHz, [][]int{scan.MHz}
	if s.Gentle {
		pieces = slices.Collect(slices.Chunk(scan.MHz, gentleChannels))
	}
	var untold []int
	for i, mhz := range pieces {
		if i > 0 && !sleep(ctx, gentlePause) {
			return
		}
		last := i == len(pieces)-1
		scan.MHz, scan.Blind = mhz, !last && (i+1)%gentleRead != 0
		heard, err := r.hear(ctx, scan)
		if ctx.Err() != nil {
			return
		}
		untold = append(untold, mhz...)
		if scan.Blind && err == nil {
			continue
		}
		more := err == nil && !last
		r.tell(netmgr.Scanned{
			Phy: r.radio.Phy, Number: s.Number, More: more, MHz: pieceOf(all, untold, more),
			Networks: sightings(r.radio, heard, time.Now()), Err: err,
		})
		if !more {
			return
		}
		untold = nil
	}
}

// pieceOf returns where a piece of a look has looked, for whoever is told: the last one speaks for all.
func pieceOf(all, piece []int, more bool) []int {
	if more {
		return piece
	}
	return all
}

// sleep waits, and reports false if ctx ended meanwhile.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// hear scans once. An interface that is off is switched on for it.
func (r *radio) hear(ctx context.Context, s nl80211.Scan) ([]nl80211.BSS, error) {
	heard, err := r.conn.Scan(ctx, s)
	if !errors.Is(err, unix.ENETDOWN) { // somebody switched it off, or it is new
		return heard, err
	}
	if err := link.Up(r.face.Index); err != nil {
		return nil, err
	}
	return r.conn.Scan(ctx, s)
}

// followJoin leaves and joins. A plan for the same profile under another number moves within the network.
func (r *radio) followJoin(ctx context.Context, p plan) {
	if p.Join.Number == r.join.number {
		return
	}
	var cause error
	if p.Join.Number != 0 && p.Join.Profile == r.profile {
		cause = station.ErrMove
	}
	r.join.end(cause)
	if p.Join.Number == 0 {
		return
	}
	r.profile = p.Join.Profile
	r.join.start(ctx, p.Join.Number, func(ctx context.Context) { r.be(ctx, p) })
}

// be joins a network and is in it until it ends.
func (r *radio) be(ctx context.Context, p plan) {
	out := netmgr.Unjoined{Phy: r.radio.Phy, Number: p.Join.Number}
	if p.unknown {
		out.Why, out.Reason = netmgr.WrongPassword, "Its password is not known any more. Enter it again."
		r.tell(out)
		return
	}
	err := r.station.Run(ctx, station.Network{
		Number: p.Join.Number, SSID: ieee80211.SSID(p.Join.SSID), Password: p.password,
		BSSID: ieee80211.MAC(p.Join.BSSID), MHz: p.Join.MHz,
	}, r.tell)
	if ctx.Err() != nil || err == nil {
		return // the plan was to leave
	}
	out.Why, out.Reason = netmgr.Broken, err.Error()
	if known, ok := errors.AsType[*station.Error](err); ok {
		out.Why, out.Reason = known.Failure, known.Reason
		if known.Err != nil {
			r.backend.log.Debug("network left", "ssid", p.Join.SSID, "err", known.Err)
		}
	}
	r.tell(out)
}
