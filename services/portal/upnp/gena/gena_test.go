package gena

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// phones hear what is told, without a network between.
type phones struct {
	mu    sync.Mutex
	heard []string // "address SEQ body"
	deaf  bool
}

func (p *phones) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.deaf {
		return nil, errors.New("nobody hears")
	}
	body, _ := io.ReadAll(r.Body)
	if r.Method != "NOTIFY" || field(r.Header, "NTS") != "upnp:propchange" {
		return nil, errors.New("not a message")
	}
	p.heard = append(p.heard, r.URL.String()+" "+field(r.Header, "SEQ")+" "+string(body))
	return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
}

// field returns one that is written as it is, in capitals.
func field(h http.Header, name string) string { return strings.Join(h[name], ",") }

func (p *phones) take() []string {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	heard := p.heard
	p.heard = nil
	return heard
}

// published runs f with a publisher of a variable that is v.
func published(t *testing.T, f func(p *Publisher, all *phones, set func(string))) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		value := "0"
		ctx, cancel := context.WithCancel(t.Context())
		all := &phones{}
		p := New(ctx, func() []Property {
			mu.Lock()
			defer mu.Unlock()
			return []Property{{"V", value}}
		}, slog.New(slog.DiscardHandler))
		p.http.Transport = all
		f(p, all, func(v string) {
			mu.Lock()
			value = v
			mu.Unlock()
			p.Changed()
		})
		cancel()
		p.Wait()
	})
}

func ask(p *Publisher, method string, fields map[string]string) *http.Response {
	r := httptest.NewRequest(method, "/event", nil)
	r.RemoteAddr = "192.168.1.9:5000"
	for name, v := range fields {
		r.Header.Set(name, v)
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w.Result()
}

func subscribe(t *testing.T, p *Publisher, n int) (sid string) {
	t.Helper()
	resp := ask(p, "SUBSCRIBE", map[string]string{"NT": "upnp:event", "Callback": fmt.Sprintf("<http://192.168.1.9:%d/>", n), "Timeout": "Second-300"})
	if resp.StatusCode != 200 || field(resp.Header, "TIMEOUT") != "Second-300" {
		t.Fatalf("%s, %v", resp.Status, resp.Header)
	}
	return field(resp.Header, "SID")
}

// subscribers returns how many there are.
func (p *Publisher) subscribers() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expire()
	return len(p.subs)
}

func TestTellsAtFirstAndWhenSomethingChanges(t *testing.T) {
	published(t, func(p *Publisher, all *phones, set func(string)) {
		sid := subscribe(t, p, 1)
		if got := all.take(); len(got) != 1 || !strings.Contains(got[0], "http://192.168.1.9:1/ 0 ") || !strings.Contains(got[0], "<e:property><V>0</V></e:property>") {
			t.Errorf("at first: %q", got)
		}
		for i := range 50 {
			set(fmt.Sprint("<", i, ">"))
		}
		time.Sleep(time.Second)
		if got := all.take(); len(got) != 1 || !strings.Contains(got[0], " 1 ") || !strings.Contains(got[0], "<V>&lt;49&gt;</V>") {
			t.Errorf("fifty changes at once: %q", got)
		}
		p.Changed()
		time.Sleep(time.Second)
		if got := all.take(); len(got) != 0 {
			t.Errorf("nothing has changed: %q", got)
		}
		if resp := ask(p, "UNSUBSCRIBE", map[string]string{"SID": sid}); resp.StatusCode != 200 {
			t.Errorf("unsubscribed: %s", resp.Status)
		}
		set("x")
		time.Sleep(time.Second)
		if got := all.take(); len(got) != 0 {
			t.Errorf("after the end: %q", got)
		}
	})
}

func TestSubscriptionsEnd(t *testing.T) {
	published(t, func(p *Publisher, all *phones, set func(string)) {
		sid := subscribe(t, p, 1)
		time.Sleep(4 * time.Minute)
		if resp := ask(p, "SUBSCRIBE", map[string]string{"SID": sid, "Timeout": "infinite"}); resp.StatusCode != 200 || field(resp.Header, "TIMEOUT") != "Second-1800" {
			t.Errorf("renewed: %s, %v", resp.Status, resp.Header)
		}
		time.Sleep(29 * time.Minute)
		if p.subscribers() != 1 {
			t.Error("it has ended before its time")
		}
		time.Sleep(2 * time.Minute)
		if p.subscribers() != 0 {
			t.Error("it has not ended")
		}
		if resp := ask(p, "SUBSCRIBE", map[string]string{"SID": sid}); resp.StatusCode != 412 {
			t.Errorf("renewed too late: %s", resp.Status)
		}
	})
}

// TestNotToldAfterTheEnd tells nobody whose subscription was not renewed, though nobody has subscribed since.
func TestNotToldAfterTheEnd(t *testing.T) {
	published(t, func(p *Publisher, all *phones, set func(string)) {
		subscribe(t, p, 1)
		all.take()
		time.Sleep(5*time.Minute + time.Second)
		set("x")
		time.Sleep(time.Second)
		if got := all.take(); len(got) != 0 {
			t.Errorf("told %q", got)
		}
	})
}

func TestForgetsWhoHearsNothing(t *testing.T) {
	published(t, func(p *Publisher, all *phones, set func(string)) {
		all.deaf = true
		subscribe(t, p, 1)
		for i := range maxDeaf {
			time.Sleep(time.Second)
			set(fmt.Sprint("v", i))
		}
		time.Sleep(time.Second)
		if n := p.subscribers(); n != 0 {
			t.Errorf("%d subscribers", n)
		}
	})
}

func TestBounds(t *testing.T) {
	published(t, func(p *Publisher, all *phones, set func(string)) {
		for i := range MaxSubscribers {
			subscribe(t, p, i+1)
		}
		fields := map[string]string{"NT": "upnp:event", "Callback": "<http://192.168.1.9/>"}
		if resp := ask(p, "SUBSCRIBE", fields); resp.StatusCode != 503 {
			t.Errorf("one too many: %s", resp.Status)
		}
	})
}

func TestWhatIsNoSubscription(t *testing.T) {
	published(t, func(p *Publisher, all *phones, set func(string)) {
		for _, tt := range []struct {
			method string
			fields map[string]string
			want   int
		}{
			{"SUBSCRIBE", map[string]string{"Callback": "<http://192.168.1.9/>"}, 412},
			{"SUBSCRIBE", map[string]string{"NT": "upnp:event"}, 412},
			{"SUBSCRIBE", map[string]string{"NT": "upnp:event", "Callback": "<http://192.168.1.10/>"}, 412},
			{"SUBSCRIBE", map[string]string{"NT": "upnp:event", "SID": "uuid:x"}, 400},
			{"SUBSCRIBE", map[string]string{"SID": "uuid:x"}, 412},
			{"UNSUBSCRIBE", map[string]string{"SID": "uuid:x"}, 412},
			{"UNSUBSCRIBE", map[string]string{"SID": "uuid:x", "NT": "upnp:event"}, 400},
			{"GET", nil, 405},
		} {
			if resp := ask(p, tt.method, tt.fields); resp.StatusCode != tt.want {
				t.Errorf("%s %v: %s; want %d", tt.method, tt.fields, resp.Status, tt.want)
			}
		}
	})
}

func TestPick(t *testing.T) {
	from := netip.MustParseAddr("192.168.1.9")
	for field, want := range map[string]string{
		"<http://192.168.1.9:80/a>":                              "http://192.168.1.9:80/a",
		"<http://192.168.1.8/><http://192.168.1.9/b>":            "http://192.168.1.9/b",
		"<http://[::ffff:192.168.1.9]/a>":                        "http://[::ffff:192.168.1.9]/a",
		"<https://192.168.1.9/a>":                                "",
		"<http://localhost/a>":                                   "",
		"<http://127.0.0.1/a>":                                   "",
		"<http://192.168.1.9@10.0.0.1/a>":                        "",
		"<http://x@192.168.1.9/a>":                               "",
		"http://192.168.1.9/a":                                   "",
		"<http://192.168.1.9/" + strings.Repeat("a", 2000) + ">": "",
		"": "",
	} {
		if got, ok := pick(field, from); got != want || ok != (want != "") {
			t.Errorf("%.80s: %q, %v", field, got, ok)
		}
	}
}

func FuzzPick(f *testing.F) {
	f.Add("<http://192.168.1.9:80/a><http://10.0.0.1/>")
	from := netip.MustParseAddr("192.168.1.9")
	f.Fuzz(func(t *testing.T, field string) {
		if got, ok := pick(field, from); ok {
			r, err := http.NewRequest("NOTIFY", got, nil)
			if err != nil {
				t.Fatalf("%q is %q: %v", field, got, err)
			}
			if ip, err := netip.ParseAddr(r.URL.Hostname()); err != nil || ip.Unmap() != from {
				t.Errorf("%q leads to %q", field, got)
			}
		}
	})
}
