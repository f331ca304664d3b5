package native

import (
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"manofwar/netmgr/api"
	"manofwar/netmgr/netnstest"
)

// TestJudged tells what is behind a cable, by the operators that the owner has chosen, and over a restart too.
func TestJudged(t *testing.T) {
	netnstest.Run(t, func(t *testing.T) {
		router, _ := newRouter(t, "--port=53", "--address=/one.example/203.0.113.1", "--address=/two.example/203.0.113.2")
		router.IP("addr add 203.0.113.1 dev lo")
		router.IP("addr add 203.0.113.2 dev lo")
		var captive atomic.Bool
		serveIn(t, router, func(w http.ResponseWriter, r *http.Request) {
			if captive.Load() {
				http.Redirect(w, r, "http://login.example/", http.StatusFound)
				return
			}
			w.WriteHeader(http.StatusNoContent)
		})
		s := startService(t, Options{TimeServers: []string{}})
		operators := api.JudgeSettings{Operators: []string{"http://one.example/204", "http://two.example/204"}}
		if _, err := s.client.ChangeSettings(t.Context(), api.Settings{Judge: &operators}); err != nil {
			t.Fatal(err)
		}
		s.await(t, good)

		captive.Store(true)
		began := time.Now()
		l := s.await(t, func(l api.Link) bool { return l.State == api.Captive })
		t.Logf("captive after %v: %s", time.Since(began), l.Reason)
		if l.Login != "http://login.example/" || l.Reason == "" {
			t.Errorf("%+v", l)
		}
		captive.Store(false)
		s.await(t, good)
		if p, err := s.client.History(t.Context()); err != nil || p[len(p)-1].State != api.Good || p[len(p)-2].State != api.Captive {
			t.Errorf("history %+v, %v", p, err)
		}

		off := api.JudgeSettings{Off: true}
		if _, err := s.client.ChangeSettings(t.Context(), api.Settings{Judge: &off}); err != nil {
			t.Fatal(err)
		}
		captive.Store(true) // which nobody notices who does not ask
		s.await(t, good)
	}, "dnsmasq")
}

func good(l api.Link) bool { return l.State == api.Good && l.Reason == "" && l.Login == "" }

// serveIn runs a web server on all addresses of a peer.
func serveIn(t *testing.T, peer *netnstest.Peer, f http.HandlerFunc) {
	t.Helper()
	server := &http.Server{Handler: f}
	var running sync.WaitGroup
	peer.Do(func() error {
		ln, err := net.Listen("tcp", ":80")
		if err == nil {
			running.Go(func() { _ = server.Serve(ln) })
		}
		return err
	})
	t.Cleanup(func() { _ = server.Close(); running.Wait() })
}
