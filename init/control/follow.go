package control

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"manofwar/init/api"
	"manofwar/init/supervise"
)

// keepAlive is how often an idle stream gets a comment, so that the end of its reader is noticed.
const keepAlive = 20 * time.Second

// follow streams the lines given, and then those that come, as server-sent events until the client leaves.
func follow(w http.ResponseWriter, r *http.Request, ring *supervise.Ring, lines []api.Line) {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	out := http.NewResponseController(w)
	var seq uint64
	for {
		for _, line := range lines {
			data, err := json.Marshal(line)
			if err == nil {
				_, err = fmt.Fprintf(w, "event: line\ndata: %s\n\n", data)
			}
			if err != nil {
				return // the client has left
			}
			seq = line.Seq
		}
		if len(lines) == 0 {
			if _, err := fmt.Fprint(w, ": \n\n"); err != nil {
				return
			}
		}
		if out.Flush() != nil || r.Context().Err() != nil {
			return
		}
		wait, cancel := context.WithTimeout(r.Context(), keepAlive)
		lines = ring.Wait(wait, seq)
		cancel()
	}
}
