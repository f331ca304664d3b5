package renderer

import (
	"context"
	"time"

	"manofwar/internal/upnpav"
	"manofwar/services/portal/upnp"
	"manofwar/services/portal/upnp/gena"
)

// instance is the argument that every action has.
var instance = upnp.Argument{Name: "InstanceID", Variable: "A_ARG_TYPE_InstanceID"}

// newTransport describes AVTransport:1: every action that it requires, and SetNextAVTransportURI, Pause and
// GetCurrentTransportActions of its options.
func (r *Renderer) newTransport() *upnp.Service {
	s := &upnp.Service{
		Name: "transport", Type: "urn:schemas-upnp-org:service:AVTransport:1", ID: "urn:upnp-org:serviceId:AVTransport",
		State: func() []gena.Property {
			return []gena.Property{{Name: "LastChange", Value: upnp.LastChange("urn:schemas-upnp-org:metadata-1-0/AVT/", r.transportState(), nil)}}
		},
		Variables: []upnp.Variable{
			{Name: "TransportState", Type: "string", Allowed: []string{"STOPPED", "PLAYING", "TRANSITIONING", "PAUSED_PLAYBACK", "NO_MEDIA_PRESENT"}},
			{Name: "TransportStatus", Type: "string", Allowed: []string{"OK", "ERROR_OCCURRED"}},
			{Name: "PlaybackStorageMedium", Type: "string", Allowed: []string{"NONE", "NETWORK"}},
			{Name: "RecordStorageMedium", Type: "string", Allowed: []string{notImplemented}},
			{Name: "PossiblePlaybackStorageMedia", Type: "string"},
			{Name: "PossibleRecordStorageMedia", Type: "string"},
			{Name: "CurrentPlayMode", Type: "string", Allowed: []string{"NORMAL"}},
			{Name: "TransportPlaySpeed", Type: "string", Allowed: []string{"1"}, Fault: errSpeed},
			{Name: "RecordMediumWriteStatus", Type: "string", Allowed: []string{notImplemented}},
			{Name: "CurrentRecordQualityMode", Type: "string", Allowed: []string{notImplemented}},
			{Name: "PossibleRecordQualityModes", Type: "string"},
			{Name: "NumberOfTracks", Type: "ui4", Max: 1},
			{Name: "CurrentTrack", Type: "ui4", Max: 1},
			{Name: "CurrentTrackDuration", Type: "string"},
			{Name: "CurrentMediaDuration", Type: "string"},
			{Name: "CurrentTrackMetaData", Type: "string"},
			{Name: "CurrentTrackURI", Type: "string"},
			{Name: "AVTransportURI", Type: "string"},
			{Name: "AVTransportURIMetaData", Type: "string"},
			{Name: "NextAVTransportURI", Type: "string"},
			{Name: "NextAVTransportURIMetaData", Type: "string"},
			{Name: "RelativeTimePosition", Type: "string"},
			{Name: "AbsoluteTimePosition", Type: "string"},
			{Name: "RelativeCounterPosition", Type: "i4"},
			{Name: "AbsoluteCounterPosition", Type: "i4"},
			{Name: "CurrentTransportActions", Type: "string"},
			{Name: "LastChange", Type: "string", Evented: true},
			{Name: "A_ARG_TYPE_SeekMode", Type: "string", Allowed: []string{"TRACK_NR", "REL_TIME", "ABS_TIME"}, Fault: errSeekMode},
			{Name: "A_ARG_TYPE_SeekTarget", Type: "string"},
			{Name: "A_ARG_TYPE_InstanceID", Type: "ui4"},
		},
	}
	arg := func(name, variable string) upnp.Argument { return upnp.Argument{Name: name, Variable: variable} }
	in := func(args ...upnp.Argument) []upnp.Argument { return append([]upnp.Argument{instance}, args...) }
	s.Actions = []upnp.Action{
		{Name: "SetAVTransportURI", In: in(arg("CurrentURI", "AVTransportURI"), arg("CurrentURIMetaData", "AVTransportURIMetaData")), Do: r.act(r.setURI)},
		{Name: "SetNextAVTransportURI", In: in(arg("NextURI", "NextAVTransportURI"), arg("NextURIMetaData", "NextAVTransportURIMetaData")), Do: r.act(r.setNext)},
		{Name: "Play", In: in(arg("Speed", "TransportPlaySpeed")), Do: r.act(r.play)},
		{Name: "Pause", In: in(), Do: r.act(r.pause)},
		{Name: "Stop", In: in(), Do: r.act(r.stop)},
		{Name: "Next", In: in(), Do: r.act(r.skip("next"))},
		{Name: "Previous", In: in(), Do: r.act(r.skip("previous"))},
		{Name: "Seek", In: in(arg("Unit", "A_ARG_TYPE_SeekMode"), arg("Target", "A_ARG_TYPE_SeekTarget")), Do: r.act(r.seek)},
		{Name: "GetTransportInfo", In: in(), Out: []upnp.Argument{
			arg("CurrentTransportState", "TransportState"), arg("CurrentTransportStatus", "TransportStatus"), arg("CurrentSpeed", "TransportPlaySpeed"),
		}, Do: r.tell},
		{Name: "GetPositionInfo", In: in(), Out: []upnp.Argument{
			arg("Track", "CurrentTrack"), arg("TrackDuration", "CurrentTrackDuration"), arg("TrackMetaData", "CurrentTrackMetaData"), arg("TrackURI", "CurrentTrackURI"),
			arg("RelTime", "RelativeTimePosition"), arg("AbsTime", "AbsoluteTimePosition"), arg("RelCount", "RelativeCounterPosition"), arg("AbsCount", "AbsoluteCounterPosition"),
		}, Do: r.tell},
		{Name: "GetMediaInfo", In: in(), Out: []upnp.Argument{
			arg("NrTracks", "NumberOfTracks"), arg("MediaDuration", "CurrentMediaDuration"), arg("CurrentURI", "AVTransportURI"), arg("CurrentURIMetaData", "AVTransportURIMetaData"),
			arg("NextURI", "NextAVTransportURI"), arg("NextURIMetaData", "NextAVTransportURIMetaData"),
			arg("PlayMedium", "PlaybackStorageMedium"), arg("RecordMedium", "RecordStorageMedium"), arg("WriteStatus", "RecordMediumWriteStatus"),
		}, Do: r.tell},
		{Name: "GetDeviceCapabilities", In: in(), Out: []upnp.Argument{
			arg("PlayMedia", "PossiblePlaybackStorageMedia"), arg("RecMedia", "PossibleRecordStorageMedia"), arg("RecQualityModes", "PossibleRecordQualityModes"),
		}, Do: r.tell},
		{Name: "GetTransportSettings", In: in(), Out: []upnp.Argument{
			arg("PlayMode", "CurrentPlayMode"), arg("RecQualityMode", "CurrentRecordQualityMode"),
		}, Do: r.tell},
		{Name: "GetCurrentTransportActions", In: in(), Out: []upnp.Argument{arg("Actions", "CurrentTransportActions")}, Do: r.tell},
	}
	return s
}

const notImplemented = "NOT_IMPLEMENTED"

// tell answers the questions: every argument of an answer has a name of its own, but for those of the same value.
func (r *Renderer) tell(_ context.Context, in map[string]string) (map[string]string, error) {
	if err := checkInstance(in); err != nil {
		return nil, err
	}
	s := r.transportState()
	r.mu.Lock()
	at, _ := r.position()
	r.mu.Unlock()
	now := upnpav.FormatTime(at.Truncate(time.Millisecond))
	return map[string]string{
		"CurrentTransportState": s["TransportState"], "CurrentTransportStatus": s["TransportStatus"], "CurrentSpeed": "1",
		"Track": s["CurrentTrack"], "TrackDuration": s["CurrentTrackDuration"], "TrackMetaData": s["CurrentTrackMetaData"], "TrackURI": s["CurrentTrackURI"],
		"RelTime": now, "AbsTime": now, "RelCount": "2147483647", "AbsCount": "2147483647",
		"NrTracks": s["NumberOfTracks"], "MediaDuration": s["CurrentMediaDuration"],
		"CurrentURI": s["AVTransportURI"], "CurrentURIMetaData": s["AVTransportURIMetaData"],
		"NextURI": s["NextAVTransportURI"], "NextURIMetaData": s["NextAVTransportURIMetaData"],
		"PlayMedium": s["PlaybackStorageMedium"], "RecordMedium": notImplemented, "WriteStatus": notImplemented,
		"PlayMedia": "NETWORK", "RecMedia": notImplemented, "RecQualityModes": notImplemented,
		"PlayMode": "NORMAL", "RecQualityMode": notImplemented, "Actions": s["CurrentTransportActions"],
	}, nil
}

// transportState is the evented variables as they are now.
func (r *Renderer) transportState() map[string]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	state := r.state()
	_, duration := r.position()
	s := map[string]string{
		"TransportState": state, "TransportStatus": "OK", "TransportPlaySpeed": "1", "CurrentPlayMode": "NORMAL",
		"PlaybackStorageMedium": "NETWORK", "RecordStorageMedium": notImplemented, "RecordMediumWriteStatus": notImplemented,
		"PossiblePlaybackStorageMedia": "NETWORK", "PossibleRecordStorageMedia": notImplemented,
		"CurrentRecordQualityMode": notImplemented, "PossibleRecordQualityModes": notImplemented,
		"NumberOfTracks": "1", "CurrentTrack": "1", "CurrentTrackDuration": upnpav.FormatTime(duration), "CurrentMediaDuration": upnpav.FormatTime(duration),
		"AVTransportURI": "", "AVTransportURIMetaData": "", "CurrentTrackURI": "", "CurrentTrackMetaData": "",
		"NextAVTransportURI": "", "NextAVTransportURIMetaData": "", "CurrentTransportActions": actions[state],
	}
	if state == "NO_MEDIA_PRESENT" {
		s["NumberOfTracks"], s["CurrentTrack"], s["PlaybackStorageMedium"] = "0", "0", "NONE"
	}
	if r.session != nil && r.session.Problem != nil && (r.current == nil || r.current.session == r.session.ID) {
		s["TransportStatus"] = "ERROR_OCCURRED"
	}
	if c := r.current; c != nil {
		s["AVTransportURI"], s["AVTransportURIMetaData"] = c.uri, c.meta
		s["CurrentTrackURI"], s["CurrentTrackMetaData"] = c.uri, c.meta
	}
	if n := r.next; n != nil {
		s["NextAVTransportURI"], s["NextAVTransportURIMetaData"] = n.uri, n.meta
	}
	return s
}

// actions are what can be done in each state.
var actions = map[string]string{
	"STOPPED": "Play,Next,Previous", "PLAYING": "Pause,Stop,Seek,Next,Previous", "PAUSED_PLAYBACK": "Play,Stop,Seek,Next,Previous",
	"TRANSITIONING": "Stop", "NO_MEDIA_PRESENT": "",
}
