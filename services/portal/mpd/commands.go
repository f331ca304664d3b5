package mpd

import (
	"context"
	"slices"
	"strings"
)

// command is one that clients can give.
type command struct {
	least   int // arguments
	most    int // -1: as many as fit
	refused string
	do      func(c *client, ctx context.Context, args []string) error
}

// theOwners is why a guest may not.
const theOwners = "the owner sets this on manofwar's page"

// commandTable returns all commands, by name, but those that are the connection's own: command lists, idle and noidle.
func commandTable() map[string]command {
	folded := func(do func(*client, context.Context, []string, bool) error, fold bool) func(*client, context.Context, []string) error {
		return func(c *client, ctx context.Context, args []string) error { return do(c, ctx, args, fold) }
	}
	noPlaylist := func(*client, context.Context, []string) error { return fail(codeNoExist, "No such playlist") }
	nothing := func(*client, context.Context, []string) error { return nil }
	return map[string]command{
		// How things are.
		"clearerror":  {do: (*client).clearError},
		"currentsong": {do: (*client).currentSong},
		"status":      {do: (*client).status},
		"stats":       {do: (*client).stats},

		// How it plays.
		"consume":            {least: 1, most: 1, do: (*client).consume},
		"crossfade":          {refused: theOwners},
		"mixrampdb":          {refused: theOwners},
		"mixrampdelay":       {refused: theOwners},
		"random":             {least: 1, most: 1, do: (*client).random},
		"repeat":             {least: 1, most: 1, do: (*client).repeat},
		"single":             {least: 1, most: 1, do: (*client).single},
		"setvol":             {least: 1, most: 1, do: (*client).setVolume},
		"getvol":             {do: (*client).volume},
		"volume":             {least: 1, most: 1, do: (*client).changeVolume},
		"replay_gain_mode":   {refused: theOwners},
		"replay_gain_status": {do: (*client).replayGain},

		// What is done.
		"next":     {do: (*client).next},
		"pause":    {most: 1, do: (*client).pause},
		"play":     {most: 1, do: (*client).play},
		"playid":   {most: 1, do: (*client).playID},
		"previous": {do: (*client).previous},
		"seek":     {least: 2, most: 2, do: (*client).seek},
		"seekid":   {least: 2, most: 2, do: (*client).seekID},
		"seekcur":  {least: 1, most: 1, do: (*client).seekHere},
		"stop":     {do: (*client).stop},

		// The queue.
		"add":            {least: 1, most: 2, do: (*client).add},
		"addid":          {least: 1, most: 2, do: (*client).addID},
		"clear":          {do: (*client).clear},
		"delete":         {least: 1, most: 1, do: (*client).delete},
		"deleteid":       {least: 1, most: 1, do: (*client).deleteID},
		"move":           {least: 2, most: 2, do: (*client).move},
		"moveid":         {least: 2, most: 2, do: (*client).moveID},
		"playlist":       {do: (*client).queueFiles},
		"playlistfind":   {least: 1, most: -1, do: folded((*client).queueSearch, false)},
		"playlistid":     {most: 1, do: (*client).queueID},
		"playlistinfo":   {most: 1, do: (*client).queueInfo},
		"playlistsearch": {least: 1, most: -1, do: folded((*client).queueSearch, true)},
		"plchanges":      {least: 1, most: 2, do: folded((*client).changes, true)},
		"plchangesposid": {least: 1, most: 2, do: folded((*client).changes, false)},
		"shuffle":        {most: 1, do: (*client).shuffle},
		"swap":           {least: 2, most: 2, do: (*client).swap},
		"swapid":         {least: 2, most: 2, do: (*client).swapID},

		// Stored playlists: there are none.
		"listplaylist":     {least: 1, most: 2, do: noPlaylist},
		"listplaylistinfo": {least: 1, most: 2, do: noPlaylist},
		"listplaylists":    {do: nothing},
		"load":             {least: 1, most: 3, do: noPlaylist},

		// The database.
		"albumart":    {least: 2, most: 2, do: picture(false)},
		"count":       {least: 1, most: -1, do: folded((*client).counts, false)},
		"find":        {least: 1, most: -1, do: folded((*client).find, false)},
		"findadd":     {least: 1, most: -1, do: folded((*client).findAdd, false)},
		"list":        {least: 1, most: -1, do: (*client).list},
		"listall":     {most: 1, do: folded((*client).all, false)},
		"listallinfo": {most: 1, do: folded((*client).all, true)},
		"listfiles":   {most: 1, do: (*client).files},
		"lsinfo":      {most: 1, do: (*client).browse},
		"readpicture": {least: 2, most: 2, do: picture(true)},
		"search":      {least: 1, most: -1, do: folded((*client).find, true)},
		"searchadd":   {least: 1, most: -1, do: folded((*client).findAdd, true)},
		"searchcount": {least: 1, most: -1, do: folded((*client).counts, true)},
		"update":      {most: 1, do: (*client).update},
		"rescan":      {most: 1, do: (*client).update},

		// The connection.
		"binarylimit": {least: 1, most: 1, do: (*client).binaryLimit},
		"close":       {do: func(*client, context.Context, []string) error { return errClosed }},
		"kill":        {refused: theOwners},
		"password":    {least: 1, most: 1, do: (*client).password},
		"ping":        {do: nothing},
		"tagtypes":    {most: -1, do: (*client).tagTypes},

		// The outputs.
		"disableoutput": {least: 1, most: 1, do: switchOutput(false, true)},
		"enableoutput":  {least: 1, most: 1, do: switchOutput(true, false)},
		"toggleoutput":  {least: 1, most: 1, do: switchOutput(false, false)},
		"outputs":       {do: (*client).outputs},

		// What there is.
		"config":      {refused: "only a client on this device may ask"},
		"commands":    {do: (*client).allowed},
		"notcommands": {do: (*client).refusals},
		"urlhandlers": {do: nothing},
		"decoders":    {do: (*client).decoders},
	}
}

// own are the commands that are the connection's.
var own = []string{"idle", "noidle"}

func (c *client) allowed(context.Context, []string) error {
	names := slices.Clone(own)
	for name, cmd := range c.server.commands {
		if cmd.refused == "" {
			names = append(names, name)
		}
	}
	return c.names("command", names)
}

func (c *client) refusals(context.Context, []string) error {
	var names []string
	for name, cmd := range c.server.commands {
		if cmd.refused != "" {
			names = append(names, name)
		}
	}
	return c.names("command", names)
}

func (c *client) names(key string, names []string) error {
	slices.Sort(names)
	for _, name := range names {
		c.pair(key, name)
	}
	return nil
}

// password is never right: there is none.
func (c *client) password(context.Context, []string) error {
	return fail(codePassword, "incorrect password: none is set, connect without one")
}

// suffixes are those of the files that the library has as music.
var suffixes = []string{
	"aac", "ac3", "aif", "aifc", "aiff", "ape", "flac", "m4a", "m4b", "mka", "mp2", "mp3", "oga", "ogg", "opus", "spx", "tta", "wav", "wma", "wv",
}

func (c *client) decoders(context.Context, []string) error {
	c.pair("plugin", "ffmpeg")
	return c.names("suffix", slices.Clone(suffixes))
}

// tagTypes tells which tags there are, or which of them the client wants to be told.
func (c *client) tagTypes(_ context.Context, args []string) error {
	if len(args) == 0 {
		for _, t := range tags {
			if !c.hidden[t.tag] {
				c.pair("tagtype", t.name)
			}
		}
		return nil
	}
	named := args[1:]
	switch strings.ToLower(args[0]) {
	case "all":
		clear(c.hidden)
	case "clear":
		for _, t := range tags {
			c.hidden[t.tag] = true
		}
	case "enable", "disable":
		hide := strings.EqualFold(args[0], "disable")
		if len(named) == 0 {
			return fail(codeArgument, "not enough arguments")
		}
		for _, name := range named {
			if _, _, ok := parseTag(name); !ok {
				return fail(codeArgument, "unknown tag type: %.40s", name)
			}
		}
		for _, t := range tags {
			if slices.ContainsFunc(named, func(name string) bool { return strings.EqualFold(name, t.name) }) {
				c.hidden[t.tag] = hide
			}
		}
	default:
		return fail(codeArgument, "unknown sub command %.40q", args[0])
	}
	return nil
}
