package portal

import (
	"strings"
	"time"

	initapi "manofwar/init/api"
	"manofwar/internal/media"
	netapi "manofwar/netmgr/api"
	catalogapi "manofwar/services/catalog/api"
	streamapi "manofwar/services/stream/api"
)

// Notice is a state that a person should know of: what, since when, and what to do. Code and Subject are for programs
// and translations; Message and Hint are the same in English.
type Notice struct {
	Code    string    `json:"code"`
	Level   string    `json:"level"`             // "error": something does not work; "warning": it will not; "info"
	Subject string    `json:"subject,omitempty"` // what it is about, such as a disk's name
	Detail  string    `json:"detail,omitempty"`  // for who wants to know more
	Message string    `json:"message"`
	Hint    string    `json:"hint,omitempty"`
	Since   time.Time `json:"since,omitzero"`
}

// finding is one thing that a rule has found.
type finding struct {
	subject, detail string
	since           time.Time // zero: since it was first found
}

// rule finds one kind of notice. In its words {subject} stands for what the finding is about.
type rule struct {
	code, level   string
	message, hint string
	find          func(v view) []finding
}

// view is what rules look at.
type view struct {
	parts
	hosted bool
}

// rules is every notice there is, the most pressing first.
var rules = []rule{
	{
		"data-rescue", "error", "The memory card has a problem, so nothing new is kept.",
		"Your music and films still play. Nothing on the card is erased unless you ask for it.", func(v view) []finding {
			return when(v.Device != nil && v.Device.Data.Rescue != "", func() finding { return finding{detail: v.Device.Data.Rescue} })
		},
	},
	{
		"data-read-only", "error", "The memory card has stopped taking changes.",
		"Your music and films still play, but nothing new is kept. Restart the device; if this comes back, replace the card.", func(v view) []finding {
			return when(v.Device != nil && v.Device.Data.Rescue == "" && v.Device.Data.ReadOnly, nothing)
		},
	},
	{
		"data-full", "warning", "The memory card is full.",
		"Your music and films still play, but nothing new is kept until there is space.", func(v view) []finding {
			return when(v.Device != nil && v.Device.Data.Full, nothing)
		},
	},
	{"service-failing", "error", "{subject} keeps stopping.", "The rest goes on. Its log says why.", failing},
	{"service-away", "warning", "{subject} does not answer.", "It is being restarted. This usually takes a few seconds.", silent},
	{
		"library-trouble", "error", "The library cannot be saved.", "It is read again at the next start.", func(v view) []finding {
			return when(v.Library != nil && v.Library.Trouble != "", func() finding { return finding{detail: v.Library.Trouble} })
		},
	},
	{
		"network-trouble", "error", "The network has a problem.", "", func(v view) []finding {
			return when(v.Network != nil && v.Network.Trouble != "", func() finding { return finding{detail: v.Network.Trouble} })
		},
	},
	{
		"disk-away", "warning", "The disk “{subject}” is not connected.", "Plug it in again. Its lists and pictures are kept.",
		func(v view) []finding {
			return roots(v, func(r media.Root) (string, bool) { return "", r.Away && r.Disk != "" })
		},
	},
	{
		"folder-away", "warning", "The folder “{subject}” is not there.", "Connect the disk it is on, or put the folder back.",
		func(v view) []finding {
			return roots(v, func(r media.Root) (string, bool) { return "", r.Away && r.Disk == "" })
		},
	},
	{"disk-unreadable", "error", "The disk “{subject}” cannot be read.", "Try it on a computer: it may need repair, or another format.", unreadable},
	{
		"library-incomplete", "warning", "Not all of “{subject}” could be read.", "Check the disk and its cable, then scan again.",
		func(v view) []finding {
			return roots(v, func(r media.Root) (string, bool) { return r.Error, !r.Away && r.Error != "" })
		},
	},
	{"no-media", "info", "There is nothing to play yet.", "Plug in a USB disk with music or films. It is searched by itself.", func(v view) []finding {
		return when(!v.hosted && v.Library != nil && len(v.Library.Roots) == 0 && len(unreadable(v)) == 0, nothing)
	}},
	{"no-folders", "info", "There is nothing to play yet.", "Start manofwar with the folders to play from: manofwar serve Music Films.", func(v view) []finding {
		return when(v.hosted && v.Library != nil && len(v.Library.Roots) == 0, nothing)
	}},
	{"library-empty", "info", "No music or films were found.", "Put some on the disk, then scan again.", empty},
	{"no-transcode", "info", "Some films cannot be played here.", "Install ffmpeg, then start manofwar again.", func(v view) []finding {
		return when(v.hosted && v.Stream != nil && v.Stream.Transcode == "", nothing)
	}},
	{"image-no-transcode", "info", "Some films cannot be played here.", "This image was built without ffmpeg.", func(v view) []finding {
		return when(!v.hosted && v.Stream != nil && v.Stream.Transcode == "", nothing)
	}},
	{
		"degraded", "warning", "The device is not quite well.", "Its services and their logs say more.", func(v view) []finding {
			return when(v.Device != nil && v.Device.Degraded != "", func() finding { return finding{detail: v.Device.Degraded} })
		},
	},
}

func nothing() finding { return finding{} }

func when(is bool, f func() finding) []finding {
	if !is {
		return nil
	}
	return []finding{f()}
}

// called is what a person calls the services.
var called = map[string]string{
	catalogapi.Name: "The library", streamapi.Name: "Playing", netapi.Name: "The network", initapi.Name: "The device itself",
	"cast": "Playing on the TV", "seed": "Sharing with friends", "remote": "Access from away", "update": "Updating",
}

func callIt(service string) string {
	if name, ok := called[service]; ok {
		return name
	}
	return service
}

// failingAfter is how many restarts make a service one that keeps stopping.
const failingAfter = 3

// isFailing reports whether a service is past hope for the moment.
func isFailing(s initapi.Service) bool {
	return s.State == initapi.Failed || s.State == initapi.Backoff && s.Restarts >= failingAfter
}

func failing(v view) (out []finding) {
	if v.Device == nil {
		return nil
	}
	for _, s := range v.Device.Services {
		if isFailing(s) {
			out = append(out, finding{callIt(s.Name), s.Error, s.Since})
		}
	}
	return out
}

// silent finds the parts that did not answer, unless they are known to be failing or do not run here at all.
func silent(v view) (out []finding) {
	for _, part := range []struct {
		name    string
		missing bool
	}{
		{catalogapi.Name, v.Library == nil},
		{streamapi.Name, v.Stream == nil},
		{netapi.Name, v.Network == nil},
		{initapi.Name, v.Device == nil},
	} {
		if part.missing && v.expects(part.name) {
			out = append(out, finding{subject: callIt(part.name)})
		}
	}
	return out
}

func (v view) expects(service string) bool {
	if v.Device == nil || service == initapi.Name {
		return !v.hosted || service == catalogapi.Name || service == streamapi.Name
	}
	for _, s := range v.Device.Services {
		if s.Name == service {
			return !isFailing(s)
		}
	}
	return false
}

// roots finds the libraries that pick chooses, with the detail it gives.
func roots(v view, pick func(media.Root) (detail string, ok bool)) (out []finding) {
	if v.Library == nil {
		return nil
	}
	for _, r := range v.Library.Roots {
		if detail, ok := pick(r); ok {
			out = append(out, finding{subject: r.Name, detail: detail})
		}
	}
	return out
}

func unreadable(v view) (out []finding) {
	for _, d := range v.Disks {
		if d.Error != "" && d.Path == "" {
			out = append(out, finding{subject: d.Name, detail: d.Error})
		}
	}
	return out
}

func empty(v view) []finding {
	l := v.Library
	if l == nil || len(l.Roots) == 0 || l.Scan.Running || l.Scan.Finished.IsZero() || l.Music+l.Films+l.Problems > 0 {
		return nil
	}
	for _, r := range l.Roots {
		if r.Away || r.Error != "" {
			return nil // another notice says so
		}
	}
	return []finding{{since: l.Scan.Finished}}
}

// look applies every rule.
func look(v view) []Notice {
	notices := []Notice{}
	for _, r := range rules {
		for _, f := range r.find(v) {
			fill := strings.NewReplacer("{subject}", f.subject)
			notices = append(notices, Notice{
				Code: r.code, Level: r.level, Subject: f.subject, Detail: f.detail,
				Message: fill.Replace(r.message), Hint: fill.Replace(r.hint), Since: f.since,
			})
		}
	}
	return notices
}
