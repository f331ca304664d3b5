package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	netapi "manofwar/netmgr/api"
	catalogapi "manofwar/services/catalog/api"
)

// statusAnswer is what "manofwar status" shows of GET /api/v1/status; docs/api.md describes the whole.
type statusAnswer struct {
	Name      string             `json:"name"`
	Version   string             `json:"version"`
	Developer bool               `json:"developer"`
	Library   *catalogapi.Status `json:"library"`
	Network   *netapi.Status     `json:"network"`
	Device    *struct {
		Board    string `json:"board"`
		Uptime   int64  `json:"uptime"`
		Services []struct {
			Name     string `json:"name"`
			State    string `json:"state"`
			Ready    bool   `json:"ready"`
			Healthy  bool   `json:"healthy"`
			Reason   string `json:"reason"`
			Restarts int    `json:"restarts"`
			Memory   int64  `json:"memory"`
		} `json:"services"`
	} `json:"device"`
	Notices []struct {
		Message string `json:"message"`
		Hint    string `json:"hint"`
	} `json:"notices"`
}

// printStatus writes the status for a person: first what needs them, then the rest.
func printStatus(out io.Writer, body []byte) error {
	var s statusAnswer
	if err := json.Unmarshal(body, &s); err != nil {
		return fmt.Errorf("answer is not a status: %w", err)
	}
	w := tabwriter.NewWriter(plainText{out}, 0, 0, 2, ' ', 0)
	build := ""
	if s.Developer {
		build = ", developer build"
	}
	fmt.Fprintf(w, "%s\t%s%s\n", s.Name, s.Version, build)
	for _, n := range s.Notices {
		fmt.Fprintf(w, "!\t%s\n", strings.TrimSpace(n.Message+" "+n.Hint))
	}
	if l := s.Library; l != nil {
		fmt.Fprintf(w, "library\t%d songs, %d films%s\n", l.Music, l.Films, scanWords(l.Scan))
	}
	if s.Network != nil {
		for _, link := range s.Network.Links {
			fmt.Fprintf(w, "network\t%s %s %v %s\n", link.Name, link.State, link.Addresses, link.Reason)
		}
	}
	if d := s.Device; d != nil {
		fmt.Fprintf(w, "device\t%s, up %v\n", d.Board, time.Duration(d.Uptime)*time.Second)
		for _, u := range d.Services {
			state := u.State
			if u.Ready {
				state = "ready"
			}
			memory := ""
			if u.Memory > 0 {
				memory = megabytes(u.Memory)
			}
			fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", u.Name, state, memory, u.Reason)
		}
	}
	return w.Flush()
}

func scanWords(s catalogapi.Scan) string {
	if !s.Running {
		return ""
	}
	words := fmt.Sprintf("; scanning %s: %d of %d files", s.Root, s.Done, s.Found)
	if s.Left > 0 {
		words += fmt.Sprintf(", about %v left", time.Duration(s.Left).Round(time.Second))
	}
	return words
}

// printLog writes a service's lines as they were logged, with the time in front.
func printLog(out io.Writer, body []byte) error {
	var log struct {
		Lines []struct {
			Time time.Time `json:"time"`
			Text string    `json:"text"`
		} `json:"lines"`
	}
	if err := json.Unmarshal(body, &log); err != nil {
		return fmt.Errorf("answer is not a log: %w", err)
	}
	for _, l := range log.Lines {
		if _, err := fmt.Fprintf(plainText{out}, "%s  %s\n", l.Time.Local().Format(time.TimeOnly), l.Text); err != nil {
			return err
		}
	}
	return nil
}

// plainText writes what came from elsewhere, such as the name of a disk, without what would command the terminal.
type plainText struct{ w io.Writer }

func (p plainText) Write(b []byte) (int, error) {
	_, err := p.w.Write(bytes.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return unicode.ReplacementChar
		}
		return r
	}, b))
	return len(b), err
}
