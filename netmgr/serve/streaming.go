package serve

import (
	"context"
	"net/http"
	"time"

	"manofwar/internal/ipc"
	"manofwar/netmgr"
	"manofwar/netmgr/api"
)

// streamBelief is how long somebody is believed to stream without saying it again.
const streamBelief = time.Minute

// maxBuffer bounds what somebody may claim to have sent ahead.
const maxBuffer = 24 * time.Hour

// streams is who streams.
type streams struct {
	by   map[string]stream // by the caller's name
	told netmgr.Streaming
}

type stream struct {
	until  time.Time
	buffer time.Duration
}

func (st *streams) expire(now time.Time) {
	for who, s := range st.by {
		if !now.Before(s.until) {
			delete(st.by, who)
		}
	}
}

// sum is what the policy is told: the shortest buffer counts.
func (st *streams) sum() (out netmgr.Streaming) {
	for _, s := range st.by {
		if !out.Active || s.buffer < out.Buffer {
			out = netmgr.Streaming{Active: true, Buffer: s.buffer}
		}
	}
	return out
}

func (s *Server) streaming(w http.ResponseWriter, r *http.Request) error {
	var in api.Streaming
	if err := ipc.ReadJSON(w, r, &in); err != nil {
		return err
	}
	who := ipc.Caller(r)
	buffer := min(max(0, time.Duration(min(in.Buffer, 1<<30))*time.Second), maxBuffer)
	s.tellStreaming(r.Context(), func(st *streams) {
		delete(st.by, who)
		if in.Active {
			if st.by == nil {
				st.by = make(map[string]stream)
			}
			st.by[who] = stream{time.Now().Add(streamBelief), buffer}
		}
	})
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// tellStreaming changes who streams and tells the policy if that is news. A buffer always is: it says for how long one may be
// away from now on.
func (s *Server) tellStreaming(ctx context.Context, change func(*streams)) {
	s.mu.Lock()
	change(&s.streams)
	sum := s.streams.sum()
	news := sum != s.streams.told
	s.streams.told = sum
	s.mu.Unlock()
	if news {
		s.options.Tell(ctx, sum)
	}
}
