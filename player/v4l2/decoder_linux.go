package v4l2

import (
	"errors"
	"fmt"
	"image"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"

	"manofwar/player"
)

// Display is what shows the pictures.
type Display interface {
	player.Importer
	Screen() (player.Screen, bool)
	Free(*player.Frame)
}

// Options say what to decode with. The zero value of all but Display is usable.
type Options struct {
	Display Display
	Dirs    []string     // of the devices; empty: /dev
	Log     *slog.Logger // nil: nothing is logged
}

// Decoder decodes by the hardware there is. One film has it at a time.
type Decoder struct {
	opt  Options
	open func(path string) (kernel, error)
	turn chan struct{} // full while a film has the hardware

	mu   sync.Mutex         // guards all below
	kept *session           // which nobody has, with pictures on the screen; nil: there is none
	said map[[2]string]bool // of a codec, why it was not decoded
}

// New returns a decoder. Whether there is hardware is found out when it is asked to decode something.
func New(o Options) *Decoder {
	if len(o.Dirs) == 0 {
		o.Dirs = []string{"/dev"}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Decoder{
		opt: o, turn: make(chan struct{}, 1), said: make(map[[2]string]bool),
		open: func(path string) (kernel, error) { return openFile(path) },
	}
}

// Open returns the pictures of a request, which are decoded when they are taken. Its errors wrap [errors.ErrUnsupported] where
// the hardware does not decode them; why is logged once for each codec and reason.
func (d *Decoder) Open(r player.Request) (*Pictures, error) {
	w, err := d.find(r)
	if err != nil {
		d.say(w.name, err)
		return nil, fmt.Errorf("%w: %w", errors.ErrUnsupported, err)
	}
	return &Pictures{decoder: d, want: w, from: r.From, begun: make(chan struct{}), closed: make(chan struct{})}, nil
}

// wanted is what a film needs.
type wanted struct {
	name   string // of the codec
	codec  codec
	size   image.Point
	path   string // of the device that takes it
	driver string
}

// Reasons not to decode.
var (
	errSoftware = errors.New("it was asked for in software")
	errCodec    = errors.New("no kernel's interface has this codec")
	errColours  = errors.New("its colours have to be converted")
	errShape    = errors.New("its pictures have to be turned or put together")
	errScreen   = errors.New("the screen does not scale")
	errNone     = errors.New("there is no such hardware")
)

// find looks for a device that decodes a request's pictures into what the screen takes.
func (d *Decoder) find(r player.Request) (w wanted, err error) {
	st := r.Info.Streams[r.Video]
	w = wanted{name: st.Codec, size: image.Pt(st.Width, st.Height)}
	screen, seen := d.opt.Display.Screen()
	known := false
	w.codec, known = codecs[st.Codec]
	switch {
	case !known:
		return w, errCodec
	case !seen:
		return w, player.ErrGone
	case r.Software:
		return w, errSoftware
	case !r.Info.Coding.Plain || r.Info.HDR:
		return w, errColours
	case r.Info.Coding.Turned || r.Info.Interlace:
		return w, errShape
	case !screen.Scales && w.size != image.Pt(screen.Mode.Width, screen.Mode.Height):
		return w, errScreen
	}
	err = errNone
	for _, path := range d.paths() {
		driver, unfit := d.try(path, w, r.Info.Coding.Profile, screen)
		if unfit == nil {
			w.path, w.driver = path, driver
			return w, nil
		}
		if !errors.Is(unfit, errNoDecoder) {
			err = fmt.Errorf("%s: %w", path, unfit)
		}
	}
	return w, err
}

// paths returns the devices there are.
func (d *Decoder) paths() (all []string) {
	for _, dir := range d.opt.Dirs {
		paths, _ := filepath.Glob(filepath.Join(dir, "video[0-9]*")) // the pattern is good
		all = append(all, paths...)
	}
	return all
}

// try asks a device what it takes and makes. Its error is errNoDecoder for one that knows nothing of the codec.
func (d *Decoder) try(path string, w wanted, profile string, screen player.Screen) (driver string, err error) {
	n, err := d.node(path)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, n.close()) }()
	number, known := w.codec.profiles[profile]
	switch {
	case !slices.Contains(n.formats(n.coded), w.codec.fourCC):
		return "", errNoDecoder
	case !n.takesSize(w.codec.fourCC, w.size):
		return "", fmt.Errorf("it does not take %d × %d", w.size.X, w.size.Y)
	case w.codec.control != 0 && known && !n.takesProfile(w.codec.control, number), w.codec.control != 0 && !known:
		return "", fmt.Errorf("it does not take the profile %q", profile)
	}
	makes := n.formats(n.decoded)
	if !slices.ContainsFunc(pictures, func(p picture) bool {
		return slices.Contains(screen.Formats, p.format) && slices.Contains(makes, p.fourCC)
	}) {
		return "", fmt.Errorf("it makes no pictures that the screen takes: %08x", makes)
	}
	return n.driver, nil
}

// node opens a device.
func (d *Decoder) node(path string) (*node, error) {
	k, err := d.open(path)
	if err != nil {
		return nil, err
	}
	n := &node{kernel: k, path: path}
	if err := n.identify(); err != nil {
		return nil, errors.Join(err, k.close())
	}
	return n, nil
}

// say logs why something is not decoded, once.
func (d *Decoder) say(codec string, reason error) {
	key := [2]string{codec, reason.Error()}
	d.mu.Lock()
	first := !d.said[key] && len(d.said) < maxSaid
	if first {
		d.said[key] = true
	}
	d.mu.Unlock()
	if first {
		d.opt.Log.Info("pictures are not decoded by hardware", "codec", codec, "reason", reason)
	}
}

// maxSaid bounds what is remembered of what was logged.
const maxSaid = 100

// obtain returns a session for a film, which is its only one until release: the one that is kept, if it is for the same
// kind of pictures. It is called by who has the turn.
func (d *Decoder) obtain(w wanted) (*session, error) {
	d.mu.Lock()
	s := d.kept
	d.kept = nil
	d.mu.Unlock()
	if s != nil {
		if _, healthy := s.state(); healthy && s.node.path == w.path && s.codec == w.codec.fourCC && s.size == w.size {
			return s, nil
		}
		d.done(s)
	}
	n, err := d.node(w.path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", player.ErrHardware, err)
	}
	if s, err = newSession(n, d.opt.Display, w.codec.fourCC, w.size); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", player.ErrHardware, w.path, err)
	}
	d.opt.Log.Info("pictures are decoded by hardware", "codec", w.name, "device", w.path, "driver", w.driver, "width", w.size.X, "height", w.size.Y)
	return s, nil
}

// release takes a session back from its film, and keeps it as long as pictures of it are lent: whoever seeks wants it
// again.
func (d *Decoder) release(s *session) {
	s.leave()
	d.mu.Lock()
	lent, healthy := s.state()
	keep := healthy && lent > 0
	if keep {
		d.kept = s
	}
	d.mu.Unlock()
	if !keep {
		d.done(s)
	}
}

// returned notes that the last frame of a session has come back.
func (d *Decoder) returned(s *session) {
	d.mu.Lock()
	idle := d.kept == s
	if idle {
		d.kept = nil
	}
	d.mu.Unlock()
	if idle {
		d.done(s)
	}
}

// done closes a session.
func (d *Decoder) done(s *session) {
	if err := s.close(); err != nil {
		d.opt.Log.Warn("close the hardware decoder", "err", err)
	}
}
