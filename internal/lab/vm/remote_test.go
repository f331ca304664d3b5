//go:build vm

package vm

import (
	"context"
	"strings"
	"testing"
	"time"

	"manofwar/internal/lab"
	"manofwar/internal/lab/peers"
)

// TestTelevisionFindsDongle has everyone's CEC tool, cec-ctl, be the television of a dongle, whose player is nobody in its
// sandbox: it has to answer by its name. What the two say to each other is player/cec's own test.
func TestTelevisionFindsDongle(t *testing.T) {
	ctx := t.Context()
	w := world(t, peers.Config{Modules: []string{"vivid"}, Screen: &lab.Screen{Width: 640, Height: 480}, Sound: new(lab.Sound)})
	var node string
	for _, n := range []string{"/dev/cec0", "/dev/cec1"} {
		out, err := w.Outside().Run(ctx, "cec-ctl", "-d", n)
		must(t, err)
		if strings.Contains(out, "Physical Address           : 0.0.0.0") {
			node = n
		}
	}
	tv := func(args ...string) (string, error) {
		ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		return w.Outside().Run(ctx, append([]string{"cec-ctl", "-d", node}, args...)...)
	}
	_, err := tv("--tv", "--osd-name", "Telly")
	must(t, err)
	must(t, w.Await(ctx, "the dongle says its name", func() bool {
		out, err := tv("--to", "4", "--give-osd-name")
		return err == nil && strings.Contains(out, "name: manofwar")
	}))
}
