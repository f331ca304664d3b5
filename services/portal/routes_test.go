package portal

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// TestNewsNeedTheRightOfTheirRoute holds the two tables to each other: nobody hears by an event what a route would not tell them,
// and docs/api.md says the same.
func TestNewsNeedTheRightOfTheirRoute(t *testing.T) {
	p := New(Options{})
	doc, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	routes := map[string]string{ // that tell the same, or take what a page says in return
		"library": "GET /api/v1/status", "network": "GET /api/v1/network", "device": "GET /api/v1/status", "notices": "GET /api/v1/status",
		"changed": "GET /api/v1/items", "attempt": "GET /api/v1/network/attempts/{id}",
		"renderers": "GET /api/v1/cast/renderers", "sessions": "GET /api/v1/cast/sessions", "session": "GET /api/v1/cast/sessions/{id}", "gone": "GET /api/v1/cast/sessions/{id}",
		"devices": "GET /api/v1/cast/devices",
		"order":   "POST /api/v1/cast/browsers/{id}/status", "taken": "POST /api/v1/cast/browsers/{id}/status", "refused": "POST /api/v1/cast/browsers/{id}/status",
	}
	for kind, right := range eventRights {
		i := slices.IndexFunc(p.routes(), func(rt route) bool { return rt.method+" "+rt.path == routes[kind] })
		if i < 0 {
			t.Errorf("%s is told by no route", kind)
			continue
		}
		if of := p.routes()[i].right; of != right {
			t.Errorf("%s takes the right to %s, and %s the right to %s", kind, right, routes[kind], of)
		}
		if !slices.ContainsFunc(strings.Split(string(doc), "\n"), func(line string) bool {
			cells := strings.Split(line, " | ")
			return len(cells) > 2 && strings.Contains(cells[0], "`"+kind+"`") && cells[1] == string(right)
		}) {
			t.Errorf("docs/api.md does not say that %s takes the right to %s", kind, right)
		}
	}
}
