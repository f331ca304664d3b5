package native

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
)

// offered is a service that another of ours offers to the network.
type offered struct {
	kind string // "_mpd._tcp"
	port int
}

// serviceType is what DNS-SD calls one (RFC 6763, section 7; RFC 6335, section 5.1).
var serviceType = regexp.MustCompile(`^_[a-z0-9][a-z0-9-]{0,14}\._(tcp|udp)$`)

// announcing has announce announce what a request names until the request ends.
func announcing(announce func(offered) (end func(), err error)) http.Handler {
	return ipc.Handler(func(w http.ResponseWriter, r *http.Request) error {
		o := offered{kind: r.URL.Query().Get("type")}
		var err error
		if o.port, err = strconv.Atoi(r.URL.Query().Get("port")); err != nil || o.port < 1 || o.port > 65535 || !serviceType.MatchString(o.kind) {
			return &media.Error{Op: "announce", Path: fmt.Sprintf("%.40q", o.kind), Err: media.ErrInvalid, Hint: `Expected a type such as "_mpd._tcp" and a port.`}
		}
		end, err := announce(o)
		if err != nil {
			return err
		}
		defer end()
		new(ipc.Events).ServeHTTP(w, r)
		return nil
	})
}
