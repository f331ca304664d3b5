package renderer

import (
	"context"
	"strconv"
	"strings"

	castapi "manofwar/services/cast/api"
	"manofwar/services/portal/upnp"
	"manofwar/services/portal/upnp/gena"
	"manofwar/services/portal/upnp/soap"
)

// errPreset is a preset that there is not (RenderingControl:1, section 2.4.2).
var errPreset = &soap.Fault{Code: 701, Text: "Invalid Name"}

// newRendering describes RenderingControl:1: what it requires, and the volume.
func (r *Renderer) newRendering() *upnp.Service {
	arg := func(name, variable string) upnp.Argument { return upnp.Argument{Name: name, Variable: variable} }
	channel := arg("Channel", "A_ARG_TYPE_Channel")
	return &upnp.Service{
		Name: "rendering", Type: "urn:schemas-upnp-org:service:RenderingControl:1", ID: "urn:upnp-org:serviceId:RenderingControl",
		State: func() []gena.Property {
			return []gena.Property{{Name: "LastChange", Value: upnp.LastChange(
				"urn:schemas-upnp-org:metadata-1-0/RCS/", r.loudness(), map[string]bool{"Volume": true, "Mute": true},
			)}}
		},
		Variables: []upnp.Variable{
			{Name: "PresetNameList", Type: "string"},
			{Name: "Volume", Type: "ui2", Max: 100},
			{Name: "Mute", Type: "boolean"},
			{Name: "LastChange", Type: "string", Evented: true},
			{Name: "A_ARG_TYPE_Channel", Type: "string", Allowed: []string{"Master"}},
			{Name: "A_ARG_TYPE_InstanceID", Type: "ui4"},
			{Name: "A_ARG_TYPE_PresetName", Type: "string"},
		},
		Actions: []upnp.Action{
			{Name: "ListPresets", In: []upnp.Argument{instance}, Out: []upnp.Argument{arg("CurrentPresetNameList", "PresetNameList")}, Do: r.hearing},
			{Name: "SelectPreset", In: []upnp.Argument{instance, arg("PresetName", "A_ARG_TYPE_PresetName")}, Do: r.preset},
			{Name: "GetVolume", In: []upnp.Argument{instance, channel}, Out: []upnp.Argument{arg("CurrentVolume", "Volume")}, Do: r.hearing},
			{Name: "SetVolume", In: []upnp.Argument{instance, channel, arg("DesiredVolume", "Volume")}, Do: r.setLevel},
			{Name: "GetMute", In: []upnp.Argument{instance, channel}, Out: []upnp.Argument{arg("CurrentMute", "Mute")}, Do: r.hearing},
			{Name: "SetMute", In: []upnp.Argument{instance, channel, arg("DesiredMute", "Mute")}, Do: r.setLevel},
		},
	}
}

func (r *Renderer) loudness() map[string]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	mute := "0"
	if r.muted {
		mute = "1"
	}
	return map[string]string{"Volume": strconv.Itoa(r.volume), "Mute": mute, "PresetNameList": "FactoryDefaults"}
}

func (r *Renderer) hearing(_ context.Context, in map[string]string) (map[string]string, error) {
	l := r.loudness()
	return map[string]string{"CurrentVolume": l["Volume"], "CurrentMute": l["Mute"], "CurrentPresetNameList": l["PresetNameList"]}, checkInstance(in)
}

// preset takes the one that there must be: no equaliser and the like are set here, so there is nothing to set back.
func (r *Renderer) preset(_ context.Context, in map[string]string) (map[string]string, error) {
	if strings.TrimSpace(in["PresetName"]) != "FactoryDefaults" {
		return nil, errPreset
	}
	return nil, checkInstance(in)
}

// setLevel makes it louder or quieter: the session at the TV, which is begun where there is none.
func (r *Renderer) setLevel(ctx context.Context, in map[string]string) (map[string]string, error) {
	if err := checkInstance(in); err != nil {
		return nil, err
	}
	var change castapi.Change
	if v, ok := in["DesiredVolume"]; ok {
		n, err := strconv.Atoi(v)
		if err != nil {
			return nil, soap.ErrArgs
		}
		change.Volume = &n
	}
	if v, ok := in["DesiredMute"]; ok {
		muted := v == "1"
		change.Muted = &muted
	}
	r.acting.Lock()
	defer r.acting.Unlock()
	s := r.playing()
	if s == nil {
		opened, err := r.opts.Cast.Open(ctx, castapi.Open{Renderer: castapi.TV})
		if err != nil {
			return nil, err
		}
		s = &opened
	}
	now, err := r.opts.Cast.Change(ctx, s.ID, change)
	if err != nil {
		return nil, err
	}
	r.see(&now)
	return nil, nil
}
