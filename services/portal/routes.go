package portal

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// right is what a person must have been given to use a route.
type right string

// The rights. There are no accounts yet: whoever reaches the door holds them all. The declaration is here from the first
// day so that no route can be added without one; a test walks the table.
const (
	anyone right = "anyone" // also who has not signed in
	setup  right = "setup"  // choose a network: who may manage, and until somebody has set the device up whoever is in its own network
	see    right = "see"    // know what there is
	play   right = "play"   // get the media itself
	manage right = "manage" // change the device, read its logs
)

// route is one row of the table of everything that can be asked for.
type route struct {
	method  string // GET serves HEAD too
	path    string // as [http.ServeMux] has it
	right   right
	handler func(w http.ResponseWriter, r *http.Request) error
}

// routes is the whole of the portal's HTTP surface; docs/api.md describes it.
func (p *Service) routes() []route {
	return []route{
		{"GET", "/", anyone, p.page},
		{"GET", "/healthz", anyone, p.healthz},
		{"GET", "/api/v1/status", see, p.status},
		{"GET", "/api/v1/events", see, p.events},
		{"GET", "/api/v1/items", see, p.items},
		{"GET", "/api/v1/items/{id}", see, p.item},
		{"GET", "/api/v1/albums", see, p.albums},
		{"GET", "/api/v1/albums/{id}", see, p.album},
		{"GET", "/media/{id}/file", play, p.file},
		{"GET", "/media/{id}/cover", see, p.cover},
		{"GET", "/media/{id}/hls/{name...}", play, p.hls},
		{"GET", "/media/{id}/subtitles/{name}", play, p.subtitles},
		{"POST", "/api/v1/scan", manage, p.scan},
		{"GET", "/api/v1/memory", manage, p.memory},
		{"POST", "/api/v1/disks/{id}/eject", manage, p.eject},
		{"GET", "/api/v1/services/{name}/log", manage, p.serviceLog},
		{"GET", "/api/v1/network", see, p.network},
		{"GET", "/api/v1/network/history", see, p.networkHistory},
		{"GET", "/api/v1/network/networks", manage, p.networksAround},
		{"POST", "/api/v1/network/scan", manage, p.networksScan},
		{"GET", "/api/v1/network/profiles", manage, p.profiles},
		{"POST", "/api/v1/network/profiles", manage, p.createProfile},
		{"PUT", "/api/v1/network/profiles/{id}", manage, p.changeProfile},
		{"DELETE", "/api/v1/network/profiles/{id}", manage, p.forgetProfile},
		{"PUT", "/api/v1/network/order", manage, p.orderProfiles},
		{"POST", "/api/v1/network/attempts", manage, p.tryNetwork},
		{"GET", "/api/v1/network/attempts/{id}", manage, p.attempt},
		{"GET", "/api/v1/network/settings", manage, p.networkSettings},
		{"PUT", "/api/v1/network/settings", manage, p.changeNetworkSettings},
		{"GET", "/api/v1/network/access-point", manage, p.accessPointKey},
		{"GET", "/api/v1/network/access-point/qr.svg", manage, p.accessPointQR},
		{"POST", "/api/v1/network/export", manage, p.exportNetworks},
		{"POST", "/api/v1/network/import", manage, p.importNetworks},
		{"GET", "/api/v1/cast/renderers", see, p.castRenderers},
		{"GET", "/api/v1/cast/sessions", see, p.castSessions},
		{"GET", "/api/v1/cast/sessions/{id}", see, p.castSession},
		{"DELETE", "/api/v1/cast/sessions/{id}", play, p.castStop},
		{"GET", "/api/v1/cast/sessions/{id}/queue", see, p.castQueue},
		{"POST", "/api/v1/cast/sessions/{id}/queue", play, p.castEdit},
		{"POST", "/api/v1/cast/sessions/{id}/control", play, p.castControl},
		{"POST", "/api/v1/cast/sessions/{id}/change", play, p.castChange},
		{"POST", "/api/v1/cast/sessions/{id}/move", play, p.castMove},
		{"POST", "/api/v1/cast/sessions/{id}/with", play, p.castWith},
		{"POST", "/api/v1/cast/play", play, p.castPlay},
		{"POST", "/api/v1/cast/browsers/{id}/status", play, p.castReport},
		{"GET", "/api/v1/cast/devices", manage, p.castDevices},
		{"POST", "/api/v1/cast/devices/{id}/trust", manage, p.castTrust},
		{"DELETE", "/api/v1/cast/devices/{id}", manage, p.castDistrust},
		{"GET", "/api/v1/cast/settings", manage, p.castSettings},
		{"PUT", "/api/v1/cast/settings", manage, p.changeCastSettings},
		{"GET", "/api/v1/player/settings", manage, p.playerSettings},
		{"PUT", "/api/v1/player/settings", manage, p.changePlayerSettings},
		{"GET", "/api/v1/guests", manage, p.guestChoices},
		{"PUT", "/api/v1/guests", manage, p.chooseGuests},
		{"GET", "/setup", setup, p.setupPage(p.setupList)},
		{"GET", "/setup/style.css", anyone, p.setupStyle},
		{"GET", "/setup/join", setup, p.setupPage(p.setupForm)},
		{"POST", "/setup/join", setup, p.setupPage(p.setupJoin)},
		{"GET", "/setup/try/{id}", setup, p.setupPage(p.setupTry)},
		{"POST", "/setup/scan", setup, p.setupPage(p.setupScan)},
		{"POST", "/setup/country", setup, p.setupPage(p.setupCountry)},
		{"GET", "/setup/add", setup, p.setupPage(p.setupAddForm)},
		{"POST", "/setup/add", setup, p.setupPage(p.setupAdd)},
		{"POST", "/setup/offline", setup, p.setupPage(p.setupOffline)},
		{"POST", "/setup/name", setup, p.setupPage(p.setupName)},
		{"GET", "/setup/done", setup, p.setupPage(p.setupDone)},
	}
}

// eventRights is the table of everything that a stream of events tells, by the kind of event, with the right to be told: that of the route
// which answers the same, or takes what a page says in return. What is not in it is told to nobody. Opening the stream takes its
// route's right besides.
var eventRights = map[string]right{
	"library":   see,
	"network":   see,
	"device":    see,
	"notices":   see,
	"changed":   see,
	"attempt":   manage,
	"renderers": see,
	"sessions":  see,
	"session":   see,
	"gone":      see,
	"devices":   manage,
	"order":     play,
	"taken":     play,
	"refused":   play,
}

// mux serves the table. What is below /api/ or /media/ and not in it is not found, rather than the user interface; what is
// in it under another method says which.
func (p *Service) mux() *http.ServeMux {
	paths := make(map[string]resource)
	for _, rt := range p.routes() {
		if paths[rt.path] == nil {
			paths[rt.path] = make(resource)
		}
		paths[rt.path][rt.method] = rt.handler
	}
	mux := http.NewServeMux()
	for path, res := range paths {
		mux.Handle(path, p.handler(res.serve))
	}
	for _, prefix := range []string{"/api/", "/media/", setupPath + "/"} {
		mux.Handle(prefix, p.handler(func(_ http.ResponseWriter, r *http.Request) error {
			return errNoPage(r.URL.Path)
		}))
	}
	return mux
}

// resource is what one path answers to, by method.
type resource map[string]func(w http.ResponseWriter, r *http.Request) error

func (res resource) serve(w http.ResponseWriter, r *http.Request) error {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if f, ok := res[method]; ok {
		return f(w, r)
	}
	allow := strings.Join(slices.Sorted(maps.Keys(res)), ", ")
	allow = strings.Replace(allow, "GET", "GET, HEAD", 1)
	w.Header().Set("Allow", allow)
	return errMethod(r.Method, allow)
}

// handler gives a route's error the web's form.
func (p *Service) handler(f func(w http.ResponseWriter, r *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := f(w, r); err != nil {
			p.fail(w, r, err)
		}
	})
}

func (p *Service) healthz(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte("ok\n")) // the client has left if this fails
	return nil
}
