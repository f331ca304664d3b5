package upnp

import (
	"context"

	"manofwar/services/portal/upnp/gena"
)

// ConnectionManager describes that service (ConnectionManager:1) of a device that has the one connection 0: info tells of
// it.
func ConnectionManager(source, sink string, info func(context.Context, map[string]string) (map[string]string, error)) *Service {
	arg := func(name, variable string) Argument { return Argument{name, variable} }
	same := func(values map[string]string) func(context.Context, map[string]string) (map[string]string, error) {
		return func(context.Context, map[string]string) (map[string]string, error) { return values, nil }
	}
	return &Service{
		Name: "connection", Type: "urn:schemas-upnp-org:service:ConnectionManager:1", ID: "urn:upnp-org:serviceId:ConnectionManager",
		State: func() []gena.Property {
			return []gena.Property{{Name: "SourceProtocolInfo", Value: source}, {Name: "SinkProtocolInfo", Value: sink}, {Name: "CurrentConnectionIDs", Value: "0"}}
		},
		Variables: []Variable{
			{Name: "SourceProtocolInfo", Type: "string", Evented: true},
			{Name: "SinkProtocolInfo", Type: "string", Evented: true},
			{Name: "CurrentConnectionIDs", Type: "string", Evented: true},
			{Name: "A_ARG_TYPE_ConnectionStatus", Type: "string", Allowed: []string{"OK", "ContentFormatMismatch", "InsufficientBandwidth", "UnreliableChannel", "Unknown"}},
			{Name: "A_ARG_TYPE_ConnectionManager", Type: "string"},
			{Name: "A_ARG_TYPE_Direction", Type: "string", Allowed: []string{"Input", "Output"}},
			{Name: "A_ARG_TYPE_ProtocolInfo", Type: "string"},
			{Name: "A_ARG_TYPE_ConnectionID", Type: "i4"},
			{Name: "A_ARG_TYPE_AVTransportID", Type: "i4"},
			{Name: "A_ARG_TYPE_RcsID", Type: "i4"},
		},
		Actions: []Action{
			{
				Name: "GetProtocolInfo", Out: []Argument{arg("Source", "SourceProtocolInfo"), arg("Sink", "SinkProtocolInfo")},
				Do: same(map[string]string{"Source": source, "Sink": sink}),
			},
			{Name: "GetCurrentConnectionIDs", Out: []Argument{arg("ConnectionIDs", "CurrentConnectionIDs")}, Do: same(map[string]string{"ConnectionIDs": "0"})},
			{
				Name: "GetCurrentConnectionInfo", In: []Argument{arg("ConnectionID", "A_ARG_TYPE_ConnectionID")},
				Out: []Argument{
					arg("RcsID", "A_ARG_TYPE_RcsID"), arg("AVTransportID", "A_ARG_TYPE_AVTransportID"), arg("ProtocolInfo", "A_ARG_TYPE_ProtocolInfo"),
					arg("PeerConnectionManager", "A_ARG_TYPE_ConnectionManager"), arg("PeerConnectionID", "A_ARG_TYPE_ConnectionID"),
					arg("Direction", "A_ARG_TYPE_Direction"), arg("Status", "A_ARG_TYPE_ConnectionStatus"),
				},
				Do: info,
			},
		},
	}
}
