package portal

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	defaultTail = 200
	maxTail     = 2000
)

// logLine is one line of a service's log.
type logLine struct {
	Time  time.Time `json:"time"`
	Level string    `json:"level,omitempty"` // "debug", "info", "warn" or "error"; empty: the line has none
	Text  string    `json:"text"`
}

func (p *Service) serviceLog(w http.ResponseWriter, r *http.Request) error {
	v, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return invalid("query", err.Error())
	}
	tail := defaultTail
	if v.Has("tail") {
		if tail, err = number(v, "tail", 1, maxTail); err != nil {
			return err
		}
	}
	name := r.PathValue("name")
	if !validID(name) {
		return errNoPage(r.URL.Path)
	}
	ctx, cancel := context.WithTimeout(r.Context(), callTimeout)
	defer cancel()
	lines, err := p.machine.Log(ctx, name, tail)
	if err != nil {
		return err
	}
	lines = lines[max(0, len(lines)-tail):]
	answer := struct {
		Lines []logLine `json:"lines"`
	}{make([]logLine, 0, len(lines))}
	for _, l := range lines {
		answer.Lines = append(answer.Lines, logLine{l.Time, level(l.Text), l.Text})
	}
	return writeJSON(w, r, answer)
}

// level finds the level in a line that log/slog's text handler wrote.
func level(line string) string {
	for _, l := range []string{"DEBUG", "INFO", "WARN", "ERROR"} {
		if strings.HasPrefix(line, "level="+l) || strings.Contains(line, " level="+l) {
			return strings.ToLower(l)
		}
	}
	return ""
}

func (p *Service) memory(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), callTimeout)
	defer cancel()
	m, err := p.machine.Memory(ctx)
	if err != nil {
		return err
	}
	return writeJSON(w, r, m)
}

func (p *Service) eject(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), callTimeout)
	defer cancel()
	if err := p.machine.Eject(ctx, string(id)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
