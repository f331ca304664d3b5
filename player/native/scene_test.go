package native

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"manofwar/internal/media"
	netapi "manofwar/netmgr/api"
	"manofwar/player"
	"manofwar/player/api"
	"manofwar/player/screen"
)

var (
	noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	song = &api.Item{Key: "1", Kind: media.Music, Title: "Spring", Artist: "Vivaldi"}
	film = &api.Item{Key: "2", Kind: media.Film, Title: "Metropolis"}

	ownNetwork = &netapi.AccessPoint{Up: true, SSID: "manofwar-7f2a", Passphrase: "abcd efgh"}
	home       = netapi.Link{
		Name: "wlan0", Kind: "wifi", State: netapi.Good, WiFi: &netapi.WiFi{SSID: "Home"},
		Addresses: []netip.Prefix{netip.MustParsePrefix("fe80::1/64"), netip.MustParsePrefix("192.168.1.7/24")},
	}
)

func TestScene(t *testing.T) {
	later := noon.Add(time.Minute)
	for name, c := range map[string]struct {
		known known
		want  string // types of the layers, the base first
		says  string // something that is to be read
		until time.Duration
	}{
		"just started":        {known{beginning: noon}, "Boot", "Starting", patience},
		"nobody answers":      {known{beginning: noon.Add(-patience)}, "Idle", "", 0},
		"new":                 {known{answered: true, network: netapi.Status{Setup: true, AccessPoint: ownNetwork}}, "Invite", "manofwar-7f2a", 0},
		"new, joined":         {known{answered: true, network: netapi.Status{Setup: true, AccessPoint: ownNetwork, Links: []netapi.Link{home}}}, "Invite", "http://192.168.1.7/", 0},
		"set up":              {known{answered: true, network: netapi.Status{Hostname: "attic", Links: []netapi.Link{home}}}, "Idle", "attic.local", 0},
		"no network":          {known{answered: true, network: netapi.Status{AccessPoint: ownNetwork}}, "Invite", "Join manofwar-7f2a", 0},
		"no internet":         {known{answered: true, network: netapi.Status{Links: []netapi.Link{{Name: "eth0", State: netapi.LANOnly, Addresses: home.Addresses}}}}, "Idle", "Connected by cable, but no internet", 0},
		"a song":              {known{player: api.Status{State: api.Playing, Item: song, Speed: 1}}, "Playing", "Vivaldi", 0},
		"a song being opened": {known{player: api.Status{State: api.Loading, Item: song}}, "Playing", "Spring", 0},
		"a film being opened": {known{player: api.Status{State: api.Loading, Item: film}, osd: noon.Add(osdFor)}, "Loading", "Metropolis", 0},
		"a film that seeks":   {known{player: api.Status{State: api.Loading, Item: film, Sync: api.Sync{Shown: 9}}, osd: noon.Add(osdFor)}, "film OSD", "Metropolis", osdFor},
		"new, by cable":       {known{answered: true, network: netapi.Status{Setup: true, AccessPoint: ownNetwork, Links: []netapi.Link{{Name: "eth0", Addresses: home.Addresses}}}}, "Invite", "by cable", 0},
		"a film, untouched":   {known{player: api.Status{State: api.Playing, Item: film, Speed: 1}}, "film", "", 0},
		"a film, touched": {
			known{player: api.Status{State: api.Playing, Item: film, Speed: 1, At: noon, Duration: media.Duration(time.Hour)}, osd: noon.Add(osdFor)},
			"film OSD", "Metropolis", time.Second,
		},
		"a film that waits": {known{player: api.Status{State: api.Paused, Item: film}}, "film OSD", "Metropolis", 0},
		"a film with words": {known{player: api.Status{State: api.Playing, Item: film}, cues: []player.Cue{{Text: "Wer da?"}}}, "film Caption", "Wer da?", 0},
		"louder":            {known{player: api.Status{State: api.Playing, Item: song, Volume: 70}, volume: noon.Add(volumeFor)}, "Playing Volume", "", volumeFor},
		"in German":         {known{beginning: noon, player: api.Status{Settings: api.Settings{Language: "de-AT"}}}, "Boot", "Startet", patience},
	} {
		t.Run(name, func(t *testing.T) {
			s := c.known.scene(noon)
			layers := s.over
			if !s.film {
				layers = append([]screen.Layer{s.base}, layers...)
			}
			var got []string
			if s.film {
				got = append(got, "film")
			}
			for _, l := range layers {
				_, kind, _ := strings.Cut(fmt.Sprintf("%T", l), ".")
				got = append(got, kind)
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("got %v, want %s", got, c.want)
			}
			if !strings.Contains(fmt.Sprintf("%+v", layers), c.says) {
				t.Errorf("%+v does not say %q", layers, c.says)
			}
			if want := noon.Add(c.until); c.until > 0 && !s.until.Equal(want) || c.until == 0 && !s.until.IsZero() {
				t.Errorf("it is right until %v, want %v after noon", s.until, c.until)
			}
			if s.until.After(later) {
				t.Error("it waits for more than a minute")
			}
		})
	}
}

func TestNotices(t *testing.T) {
	k := known{answered: true}
	for i := range mostNotices + 2 {
		k.notice(screen.Notice{Text: fmt.Sprint(i)}, noticeFor)
	}
	var seen []string
	for at := noon; ; at = at.Add(noticeFor) {
		s := k.scene(at)
		if len(s.over) == 0 {
			break
		}
		seen = append(seen, s.over[0].(screen.Notice).Text)
		if !s.until.Equal(at.Add(noticeFor)) {
			t.Errorf("%s is shown until %v", seen, s.until)
		}
	}
	if want := []string{"0", "2", "3", "4"}; !slices.Equal(seen, want) { // the first was on the screen already
		t.Errorf("seen %v, want %v", seen, want)
	}
}

func TestWiFiIsTold(t *testing.T) {
	s := newStage(nil, nil, nil, nil)
	phone := home
	phone.WiFi = &netapi.WiFi{SSID: "Anna"}
	for _, links := range [][]netapi.Link{{home}, {home}, {phone}, nil, {home}} {
		s.setNetwork(netapi.Status{Links: links})
	}
	var said []string
	for _, n := range s.known.notices {
		said = append(said, n.Text)
	}
	if want := []string{"Home is gone, now on Anna", "Anna is gone", "Connected to Home"}; !slices.Equal(said, want) {
		t.Errorf("said %q, want %q", said, want)
	}
}

func TestTroubleIsTold(t *testing.T) {
	s := newStage(nil, nil, nil, nil)
	broken := &api.Problem{Code: "corrupt", Text: "a.flac is damaged. It was left out.", At: noon}
	german := api.Settings{Language: "de"}
	for _, now := range []api.Status{{}, {Problem: broken, Settings: german}, {Problem: &api.Problem{Code: "corrupt", Text: broken.Text, At: noon}, Settings: german}, {}} {
		s.setPlayer(now)
	}
	if n := s.known.notices; len(n) != 1 || n[0].Text != "a.flac ist beschädigt. Übersprungen." {
		t.Errorf("said %+v", n)
	}
}

func TestNextIsShown(t *testing.T) {
	s := newStage(nil, nil, nil, nil)
	after := &api.Item{Key: "9", Kind: media.Music, Title: "Summer", Artist: "Vivaldi"}
	s.setNext(after)
	s.setPlayer(api.Status{State: api.Playing, Item: song, Next: "9"})
	cover := &screen.Art{}
	s.known.hung = hung{next: "9", nextCover: cover}
	next := s.known.scene(noon).base.(screen.Playing).Next
	if next == nil || next.Title != "Summer" || next.Subtitle != "Vivaldi" || next.Art != cover {
		t.Errorf("got %+v", next)
	}
	s.known.hung.next = "8"
	if next = s.known.scene(noon).base.(screen.Playing).Next; next.Art != nil {
		t.Error("it has the cover of another one")
	}
	for name, forget := range map[string]func(){
		"the player has dropped it": func() { s.setPlayer(api.Status{State: api.Playing, Item: song}) },
		"there is another":          func() { s.setPlayer(api.Status{State: api.Playing, Item: song, Next: "10"}) },
		"nothing follows":           func() { s.setNext(nil) },
	} {
		s.setNext(after)
		if forget(); s.known.scene(noon).base.(screen.Playing).Next != nil {
			t.Errorf("%s, and it is shown", name)
		}
	}
}

func TestWhenTheFilmEnds(t *testing.T) {
	playing := api.Status{
		State: api.Playing, Item: film, Speed: 1, At: noon, Position: media.Duration(30 * time.Minute), Duration: media.Duration(2 * time.Hour),
		Settings: api.Settings{Zone: "Europe/Berlin"},
	}
	set := netapi.Status{Clock: noon.Add(-time.Hour)}
	for name, c := range map[string]struct {
		change  func(*known)
		ends    string
		network netapi.Status
	}{
		"as it plays":         {func(*known) {}, "Ends at 14:30", set}, // it is 13:00 there
		"twice as fast":       {func(k *known) { k.player.Speed = 2 }, "Ends at 13:45", set},
		"in German":           {func(k *known) { k.player.Settings.Language = "de" }, "Endet um 14:30", set},
		"paused":              {func(k *known) { k.player.State = api.Paused }, "", set},
		"of unknown length":   {func(k *known) { k.player.Duration = 0 }, "", set},
		"nobody said where":   {func(k *known) { k.player.Settings.Zone = "" }, "", set},
		"the clock is not it": {func(*known) {}, "", netapi.Status{}},
	} {
		k := known{player: playing, network: c.network, osd: noon.Add(osdFor)}
		c.change(&k)
		if osd := k.scene(noon).over[0].(screen.OSD); osd.Ends != c.ends {
			t.Errorf("%s: got %q, want %q", name, osd.Ends, c.ends)
		}
	}
}
