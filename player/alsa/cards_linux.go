package alsa

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"manofwar/player"
	"manofwar/player/alsa/iec958"
)

// readCards asks all cards who they are. Those that may not be opened are left out: whoever hands devices on, PID 1 or
// udev, may not have got to them yet. So are those without an ID: a driver is still setting them up, for the kernel chooses
// it when all else is there.
func readCards() (list []card) {
	nodes, _ := filepath.Glob("/dev/snd/controlC*") // the pattern is good
	for _, node := range nodes {
		number, err := strconv.Atoi(strings.TrimPrefix(node, "/dev/snd/controlC"))
		if err != nil {
			continue
		}
		if c, err := readCard(number); err == nil && c.id != "" && len(c.devices) > 0 {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b card) int { return a.number - b.number })
	return list
}

// readCard asks one card. It may be gone before the answer.
func readCard(number int) (card, error) {
	ctl, err := openControl(number)
	if err != nil {
		return card{}, err
	}
	defer ctl.close()
	info, err := ctl.info()
	if err != nil {
		return card{}, err
	}
	inode, err := ctl.inode()
	if err != nil {
		return card{}, err
	}
	c := card{number: number, inode: inode, id: text(info.id[:]), driver: text(info.driver[:]), name: text(info.name[:])}
	pcms, err := ctl.playbacks()
	if err != nil {
		return card{}, err
	}
	elements, err := ctl.elements()
	if err != nil {
		return card{}, err
	}
	for _, p := range pcms {
		if unix.Access(output{card: number, device: int(p.device)}.path(), unix.R_OK|unix.W_OK) != nil {
			continue
		}
		d := device{number: int(p.device), id: text(p.id[:]), name: text(p.name[:])}
		if d.eld, d.jack, err = ctl.sink(elements, d.number); err != nil {
			return card{}, err
		}
		c.devices = append(c.devices, d)
	}
	return c, nil
}

// sink asks what is known of whatever a device is plugged into.
func (c *control) sink(elements []element, device int) (eld []byte, jack *bool, err error) {
	for _, e := range elements {
		switch {
		case e.id.iface == ifacePCM && e.name == "ELD" && int(e.id.device) == device && e.kind == kindBytes:
			if eld, err = c.bytes(e); err != nil {
				return nil, nil, err
			}
		case e.id.iface == ifaceCard && e.kind == kindBoolean && e.name == fmt.Sprintf("HDMI/DP,pcm=%d Jack", device):
			v, err := c.read(e)
			if err != nil {
				return nil, nil, err
			}
			plugged := v.value[0] != 0
			jack = &plugged
		}
	}
	return eld, jack, nil
}

// setNonAudio tells a digital output whether samples are sound or a compressed stream. A card that takes subframes reads
// it in each of them; others have it as an element. Compressed sound that nobody is told of would be noise.
func (c *control) setNonAudio(device int, non bool, f format, rate int) error {
	list, err := c.elements()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(list, func(e element) bool {
		return e.kind == kindIEC958 && e.access&accessWrite != 0 && e.name == "IEC958 Playback Default" &&
			(int(e.id.device) == device || e.id.iface == ifaceMixer && int(e.id.device) == 0)
	})
	if i < 0 {
		if non && f != formatIEC958 {
			return player.ErrFormat
		}
		return nil
	}
	v, err := c.read(list[i])
	if err != nil {
		return err
	}
	form := iec958.Form{Rate: rate, Bits: 24, NonAudio: non}
	if non || f == formatS16 {
		form.Bits = 16
	}
	status := iec958.Status(form)
	for n := range len(status) / 8 {
		v.value[n] = int64(binary.NativeEndian.Uint64(status[8*n:]))
	}
	return c.write(list[i], v)
}
