package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"manofwar/internal/lab"
	"manofwar/player/api"
)

// tapRounds is how often a film is begun; the median counts.
const tapRounds = 10

// TapToFrame returns how many ms pass from the request that a tap on "Play on TV" sends, over HTTP on loopback, until the first picture
// of the film is on a screen that nobody sees: of "manofwar serve", whose film of 1080p lies on a local disk.
func TapToFrame(ctx context.Context, dir string) (float64, error) {
	film, err := playerFilm(ctx)
	if err != nil {
		return 0, err
	}
	program, library := filepath.Join(dir, "manofwar"), filepath.Join(dir, "library")
	if err := os.Mkdir(library, 0o755); err != nil {
		return 0, err
	}
	if err := copyFile(film, filepath.Join(library, "Film (2026).mkv")); err != nil {
		return 0, err
	}
	if err := lab.GoBuild(ctx, program, "manofwar/cmd/manofwar"); err != nil {
		return 0, err
	}
	said := new(announcement)
	cmd, err := withImagePrograms(ctx, exec.Command(program,
		"serve", "--player", "silent", "--listen", "127.0.0.1:0", "--state", filepath.Join(dir, "state"), library))
	if err != nil {
		return 0, err
	}
	cmd.Stdout = said
	var took []float64
	err = withProgram(ctx, cmd, func(int) error {
		var base string
		if err := until(ctx, "the page's address", func() (err error) { base, err = said.address(); return err }); err != nil {
			return err
		}
		took, err = taps(ctx, base)
		return err
	})
	return medianOf(took, err)
}

// taps begins the film again and again.
func taps(ctx context.Context, base string) (took []float64, err error) {
	var film string
	err = until(ctx, "the film is in the library", func() error {
		var found struct{ Items []struct{ ID string } }
		if err := call(ctx, http.MethodGet, base+"/api/v1/items?kind=film", nil, &found); err != nil {
			return err
		}
		if len(found.Items) == 0 {
			return errors.New("there is no film")
		}
		film = found.Items[0].ID
		return nil
	})
	for len(took) < tapRounds && err == nil {
		var ms float64
		ms, err = tap(ctx, base, film)
		took = append(took, ms)
	}
	return took, err
}

// tap begins the film, waits for its first picture, and ends it after a while.
func tap(ctx context.Context, base, film string) (float64, error) {
	before, err := shown(ctx, base)
	if err != nil {
		return 0, err
	}
	var s castSession
	tapped := time.Now()
	err = call(ctx, http.MethodPost, base+"/api/v1/cast/play", map[string]any{"renderer": "tv", "items": []string{film}}, &s)
	if err != nil {
		return 0, err
	}
	var took time.Duration
	err = untilSoon(ctx, "the first picture", 3*time.Millisecond, func() error {
		n, err := shown(ctx, base)
		took = time.Since(tapped)
		if err == nil && (n == 0 || n >= before && before > 0) { // the count begins anew with each film
			err = fmt.Errorf("%d pictures were shown, %d of the film before", n, before)
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	const watched = 3 * time.Second // so that many pictures are shown
	if err := peace(ctx, watched); err != nil {
		return 0, err
	}
	return took.Seconds() * 1e3, call(ctx, http.MethodDelete, base+"/api/v1/cast/sessions/"+s.ID, nil, nil)
}

// shown returns how many pictures of a film the television has shown.
func shown(ctx context.Context, base string) (int, error) {
	var tv struct{ Sync api.Sync }
	err := call(ctx, http.MethodGet, base+"/api/v1/player/settings", nil, &tv)
	return tv.Sync.Shown, err
}

// announcement is what a program prints, until its page's address is in it.
type announcement struct {
	mu   sync.Mutex
	said bytes.Buffer
}

func (a *announcement) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.said.Write(p)
}

func (a *announcement) address() (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	found := regexp.MustCompile(`(?m)^Open (http://\S+)$`).FindSubmatch(a.said.Bytes())
	if found == nil {
		return "", fmt.Errorf("it says %q", &a.said)
	}
	return string(found[1]), nil
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
