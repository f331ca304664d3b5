package cast

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"manofwar/internal/media"
	"manofwar/services/cast/api"
)

// testPage is a page that is played on: it follows its orders as docs/api.md says, keeps time and reports.
type testPage struct {
	c    *crew
	id   string
	quit context.CancelFunc
	done chan struct{}

	mu      sync.Mutex
	order   api.Order
	orders  int
	taken   bool
	blocked bool // the browser wants a tap
	key     string
	seek    uint64
	at      time.Duration
	since   time.Time
	plays   bool
	began   []string
}

// open opens a page under an ID and name, or again after it was closed.
func (c *crew) open(id, name string) *testPage {
	p := &testPage{c: c, id: api.BrowserPrefix + id}
	p.listen(name)
	return p
}

func (p *testPage) listen(name string) {
	ctx, cancel := context.WithCancel(context.Background())
	p.quit, p.done = cancel, make(chan struct{})
	r := httptest.NewRequestWithContext(ctx, "GET", "/browsers/"+p.id+"/events?"+url.Values{"name": {name}}.Encode(), nil)
	go func() {
		defer close(p.done)
		p.c.mux.ServeHTTP(p, r)
	}()
	report := time.NewTicker(5 * time.Second)
	go func() {
		defer report.Stop()
		for {
			select {
			case <-report.C:
				p.mu.Lock()
				plays := p.plays
				p.mu.Unlock()
				if plays {
					p.report(nil)
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	synctest.Wait()
}

// close has the page leave.
func (p *testPage) close() {
	p.quit()
	<-p.done
	synctest.Wait()
}

// Header, WriteHeader, Write and Flush make it the other end of the stream.
func (p *testPage) Header() http.Header { return make(http.Header) }
func (p *testPage) WriteHeader(int)     {}
func (p *testPage) Flush()              {}
func (p *testPage) Write(data []byte) (int, error) {
	kind, rest, ok := bytes.Cut(data, []byte("\ndata: "))
	switch {
	case ok && string(kind) == "event: order":
		var o api.Order
		if err := json.Unmarshal(bytes.TrimSpace(rest), &o); err != nil {
			p.c.t.Error(err)
		}
		go p.follow(o)
	case ok && string(kind) == "event: taken":
		p.mu.Lock()
		p.taken = true
		p.mu.Unlock()
	}
	return len(data), nil
}

func (p *testPage) position() time.Duration {
	if p.plays {
		return p.at + time.Duration(float64(time.Since(p.since))*p.order.Speed)
	}
	return p.at
}

// follow makes it as the order says.
func (p *testPage) follow(o api.Order) {
	p.mu.Lock()
	p.at, p.since = p.position(), time.Now()
	p.order = o
	p.orders++
	switch {
	case o.Entry == nil:
		p.key, p.plays = "", false
	case o.Entry.Key != p.key:
		p.begin(o.Entry.Key)
		if o.Seek != nil {
			p.at, p.seek = time.Duration(o.Seek.To), o.Seek.Number
		}
	case o.Seek != nil && o.Seek.Number != p.seek:
		p.at, p.seek = time.Duration(o.Seek.To), o.Seek.Number
	}
	p.plays = o.Play && o.Entry != nil && !p.blocked
	blocked := o.Play && p.blocked
	key := p.key
	p.mu.Unlock()
	if blocked {
		p.report(&api.Problem{Code: "blocked", Text: "Tap here to hear it."})
		return
	}
	p.report(nil)
	p.wait(key)
}

func (p *testPage) begin(key string) {
	p.key, p.seek, p.at, p.since = key, 0, 0, time.Now()
	p.began = append(p.began, strings.Split(key, ".")[1])
}

// wait goes on by itself at the end of the song.
func (p *testPage) wait(key string) {
	p.mu.Lock()
	left, plays := songs-p.position(), p.plays
	p.mu.Unlock()
	if !plays || key == "" {
		return
	}
	time.AfterFunc(left, func() {
		p.mu.Lock()
		if p.key != key || !p.plays || p.position() < songs-time.Millisecond {
			p.mu.Unlock()
			return
		}
		if p.order.Next != nil {
			p.begin(p.order.Next.Key)
			next := p.key
			p.mu.Unlock()
			p.report(nil)
			p.wait(next)
			return
		}
		p.at, p.plays = songs, false
		seek := p.seek
		p.mu.Unlock()
		p.send(api.Report{Key: key, State: api.Stopped, Position: media.Duration(songs), Ended: true, Seek: seek})
	})
}

// report says what the page does.
func (p *testPage) report(problem *api.Problem) {
	p.mu.Lock()
	r := api.Report{Key: p.key, State: api.Paused, Position: media.Duration(p.position()), Duration: media.Duration(songs), Seek: p.seek, Problem: problem}
	if p.plays {
		r.State = api.Playing
	}
	p.mu.Unlock()
	p.send(r)
}

func (p *testPage) send(r api.Report) {
	data, err := json.Marshal(r)
	if err != nil {
		p.c.t.Error(err)
	}
	p.c.mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/browsers/"+p.id+"/status", bytes.NewReader(data)))
}

// heard checks what plays on the page.
func (p *testPage) heard(song int, plays bool, at time.Duration) {
	p.c.t.Helper()
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	id := ""
	if p.order.Entry != nil {
		id = string(p.order.Entry.Item.ID)
	}
	if p.plays != plays || song >= 0 && id != string(p.c.shelf.ids(song + 1)[song]) || song >= 0 && (p.position()-at).Abs() > 100*time.Millisecond {
		p.c.t.Errorf("page: %s plays %t at %v; want song %d, %t at %v", id, p.plays, p.position(), song, plays, at)
	}
}
