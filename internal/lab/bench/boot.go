package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	initapi "manofwar/init/api"
	"manofwar/internal/lab"
)

// bootRounds is how often the dongle is booted after its first time, which also formats /data; the median counts.
const bootRounds = 5

// guestPort is where the dongle serves its page.
const guestPort = 80

// BootFigures are medians over several boots of the image for QEMU, under TCG.
type BootFigures struct {
	Verify      float64 // seconds that stage 1 takes to check every hash of the slot, by the guest's clock
	PortalReady float64 // seconds from the start of phase 2 until the portal answers, by the guest's clock
	Total       float64 // seconds from QEMU's start until the page answers, by the host's clock
	PSS         float64 // MB of memory of PID 1 and all services, shared pages shared out, on an idle dongle
}

// Boot measures the boot and the idle dongle. dir is for its card.
func Boot(ctx context.Context, dir string) (f BootFigures, err error) {
	image, err := lab.Image(ctx, lab.ImageOptions{Dir: dir})
	if err != nil {
		return f, err
	}
	m, err := lab.Start(ctx, dir, lab.Config{Image: image, Ports: []int{guestPort}, Limit: 10 * time.Minute})
	if err != nil {
		return f, err
	}
	defer m.Close()
	if err := m.AwaitPage(ctx, guestPort); err != nil {
		return f, err
	}
	var verify, ready, total []float64
	for range bootRounds {
		if err := settled(ctx, m); err != nil {
			return f, err
		}
		mark := m.Console.Len()
		if err := m.Reset(); err != nil {
			return f, err
		}
		if _, err := m.Expect(ctx, mark, `boot\.stage1_s=`); err != nil { // so that it is not the old boot that answers
			return f, err
		}
		if err := m.AwaitPage(ctx, guestPort); err != nil {
			return f, err
		}
		total = append(total, time.Since(m.Boots()[len(m.Boots())-1].Began).Seconds())
		var phase2, portal float64
		for name, to := range map[string]*float64{"boot.verify_s": &f.Verify, "boot.phase2_s": &phase2, "ready.portal_s": &portal} {
			if *to, err = milestone(ctx, m, mark, name); err != nil {
				return f, err
			}
		}
		verify, ready = append(verify, f.Verify), append(ready, portal-phase2)
	}
	f.Verify, f.PortalReady, f.Total = median(verify), median(ready), median(total)
	f.PSS, err = pss(ctx, m)
	return f, err
}

// milestone reads one of PID 1's marks on the console.
func milestone(ctx context.Context, m *lab.Machine, mark int, name string) (float64, error) {
	found, err := m.Expect(ctx, mark, name+`=([0-9.]+)`)
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(found[1], 64)
}

// settled waits until every service is ready, so that a boot does not pay for the one before.
func settled(ctx context.Context, m *lab.Machine) error {
	return m.Await(ctx, "all services are ready", func() bool {
		var s struct {
			Device *struct{ Services []struct{ Ready bool } }
		}
		if m.JSON(ctx, guestPort, "/api/v1/status", &s) != nil || s.Device == nil {
			return false
		}
		return !slices.ContainsFunc(s.Device.Services, func(u struct{ Ready bool }) bool { return !u.Ready })
	})
}

// pss adds up what PID 1 says of itself and of the services.
func pss(ctx context.Context, m *lab.Machine) (float64, error) {
	if err := settled(ctx, m); err != nil {
		return 0, err
	}
	var memory initapi.Memory
	if err := m.JSON(ctx, guestPort, "/api/v1/memory", &memory); err != nil {
		return 0, err
	}
	sum := memory.Init
	for _, pss := range memory.Services {
		sum += pss
	}
	if len(memory.Services) == 0 {
		return 0, fmt.Errorf("no service has a memory figure: %+v", memory)
	}
	return float64(sum) / 1e6, nil
}

// ImageSize returns the size of the Raspberry Pi's compressed image, in MB.
func ImageSize(ctx context.Context, dir string) (float64, error) {
	_, err := lab.Image(ctx, lab.ImageOptions{Dir: dir, Board: "raspberrypi", Zstd: true})
	if err != nil {
		return 0, err
	}
	info, err := os.Stat(filepath.Join(dir, "manofwar-raspberrypi.img.zst"))
	if err != nil {
		return 0, err
	}
	return float64(info.Size()) / 1e6, nil
}
